//! The ranker: a listwise softmax over sources, each by its best passage.

use std::collections::HashMap;

use preceptor_retrieval::fitting::{RANK_FEATURES, Ranker};

use super::rows::Asked;
use super::sets;
use crate::optimize::{minimize, round};

/// Which passage stands for a source depends on the weights: so often it is chosen anew.
const ROUNDS: usize = 3;
/// ½ of this times |w·sd|² is the penalty.
const PENALTY: f64 = 2e-3;
/// The start: mostly meaning, then words.
const START: [f64; 11] = [10.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];

/// Fits the ranker on rows.
pub(super) fn fit(rows: &[&Asked]) -> Ranker {
    let rows: Vec<&&Asked> =
        rows.iter().filter(|row| row.gold.is_some() && sets::weights(&row.set).1 > 0.0).collect();
    let mut sizes: HashMap<(&str, &str), f64> = HashMap::new();
    for row in &rows {
        *sizes.entry((&row.set, &row.variant)).or_default() += 1.0;
    }
    let deviation = deviation(&rows);
    let mut weights: Vec<f64> = START
        .iter()
        .zip(&deviation)
        .map(|(start, deviation)| if *start > 0.0 { start * 0.1 / deviation.max(0.01) } else { 0.0 })
        .collect();
    for _ in 0..ROUNDS {
        let lists: Vec<(f64, usize, Vec<[f64; 11]>)> = rows
            .iter()
            .filter_map(|row| {
                let list =
                    row.best_of_sources(|features| weights.iter().zip(features).map(|(w, f)| w * f).sum());
                let gold = list.iter().position(|(source, ..)| Some(*source) == row.gold)?;
                let weight = sets::weights(&row.set).1 / sizes[&(row.set.as_str(), row.variant.as_str())];
                Some((weight, gold, list.into_iter().map(|(_, _, features)| features).collect()))
            })
            .collect();
        weights = minimize(weights, |point| loss(point, &lists, &deviation));
    }
    Ranker {
        features: RANK_FEATURES.map(str::to_owned).into(),
        weights: weights.into_iter().map(round).collect(),
    }
}

fn deviation(rows: &[&&Asked]) -> Vec<f64> {
    let (mut sum, mut squares, mut count) = ([0.0; 11], [0.0; 11], 0.0);
    for (_, features) in rows.iter().flat_map(|row| row.row.candidates()) {
        count += 1.0;
        for f in 0..11 {
            sum[f] += features[f];
            squares[f] += features[f] * features[f];
        }
    }
    (0..11).map(|f| (squares[f] / count - (sum[f] / count).powi(2)).max(0.0).sqrt()).collect()
}

fn loss(point: &[f64], lists: &[(f64, usize, Vec<[f64; 11]>)], deviation: &[f64]) -> (f64, Vec<f64>) {
    let mut value = 0.0;
    let mut gradient = vec![0.0; 11];
    for f in 0..11 {
        value += 0.5 * PENALTY * (point[f] * deviation[f]).powi(2);
        gradient[f] += PENALTY * point[f] * deviation[f] * deviation[f];
    }
    for (weight, gold, list) in lists {
        let scores: Vec<f64> =
            list.iter().map(|features| point.iter().zip(features).map(|(w, f)| w * f).sum()).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
        value += weight * (most + sum.ln() - scores[*gold]);
        for (at, (score, features)) in scores.iter().zip(list).enumerate() {
            let slope = weight * ((score - most).exp() / sum - f64::from(u8::from(at == *gold)));
            gradient.iter_mut().zip(features).for_each(|(g, f)| *g += slope * f);
        }
    }
    (value, gradient)
}
