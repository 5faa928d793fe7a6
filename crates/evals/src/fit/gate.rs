//! The gate: logistic regression on the evidence.

use std::collections::{HashMap, HashSet};

use preceptor_models::logistic::Logistic;
use preceptor_retrieval::fitting::{EVIDENCE, Ranker};

use super::rows::Asked;
use super::sets;
use crate::optimize::{Example, logistic};

const STRENGTH: f64 = 0.3;
const SCALE: f64 = 1000.0;

/// The named features of a row.
pub(super) fn features(row: &Asked, ranker: &Ranker, names: &[&str]) -> Option<Vec<f64>> {
    let evidence = row.version.evidence(&row.row, ranker)?;
    let place = |name: &&str| EVIDENCE.iter().position(|known| known == name);
    names.iter().map(|name| place(name).map(|place| evidence[place])).collect()
}

/// Fits the gate on rows, with the evidence that each row's own ranker gives.
pub(super) fn fit(rows: &[(&Asked, &Ranker)], names: &[&str]) -> Logistic {
    let mut sizes: HashMap<(&str, &str, bool), f64> = HashMap::new();
    let mut variants: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (row, _) in rows {
        *sizes.entry((&row.set, &row.variant, row.in_scope)).or_default() += 1.0;
        variants.entry(&row.set).or_default().insert(&row.variant);
    }
    let example = |(row, ranker): &(&Asked, &Ranker)| {
        let size = sizes[&(row.set.as_str(), row.variant.as_str(), row.in_scope)];
        let weight = SCALE * sets::weights(&row.set).0 / variants[row.set.as_str()].len() as f64 / size;
        (weight > 0.0).then_some(())?;
        Some(Example { features: features(row, ranker, names)?, positive: row.in_scope, weight })
    };
    logistic(names, &rows.iter().filter_map(example).collect::<Vec<_>>(), STRENGTH)
}
