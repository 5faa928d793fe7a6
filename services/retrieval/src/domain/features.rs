//! What a passage's rank is decided on.

use std::collections::BTreeMap;

use preceptor_models::kinds::{dot, unit};
use serde::{Deserialize, Serialize};

use super::profile::{Entry, Profile};
use super::question::{QueryTerm, Question};

/// Versions up to this many passages are compared whole.
pub(crate) const COMPARED_WHOLE: usize = 120;
/// Of larger ones, so many candidates by meaning and so many by words.
pub(crate) const CANDIDATES: usize = 50;

/// The features of the ranker, in the order of its weights.
pub const RANK_FEATURES: [&str; 11] = [
    "cosine",
    "discrimination*bm25",
    "kind_information*bm25",
    "kind_information*cosine",
    "heading_weight*heading_cosine",
    "kind_weight*kind_log",
    "part_coverage",
    "part_cosine",
    "kind_information*part_coverage",
    "kind_information*part_cosine",
    "foreign*bm25",
];

/// The weights of the ranker, as fitted by `cargo xtask fit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranker {
    /// Names of the features.
    pub features: Vec<String>,
    /// One weight per feature.
    pub weights: Vec<f64>,
}

impl Ranker {
    /// The fitted weights.
    pub(crate) fn fitted() -> Self {
        let ranker: Self = serde_json::from_str(include_str!("ranker.json"))
            .expect("the fitted weights are part of this binary and tested");
        assert_eq!(
            ranker.features, RANK_FEATURES,
            "ranker.json was fitted for other features: run `cargo xtask fit`"
        );
        ranker
    }

    /// The rank score of a passage.
    pub(crate) fn score(&self, features: &[f64; 11]) -> f64 {
        self.weights.iter().zip(features).map(|(weight, value)| weight * value).sum()
    }
}

/// A passage that may answer, with everything that speaks for it.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// Its place among the version's entries.
    pub(crate) entry: usize,
    /// BM25 over the largest score that could be reached.
    pub(crate) bm25: f64,
    pub(crate) cosine: f64,
    /// The share of the question's idf that the passage covers.
    pub(crate) coverage: f64,
    /// The same, over the candidates of the same part.
    pub(crate) part_coverage: f64,
    /// The cosine of the mean vector of the part's candidates.
    pub(crate) part_cosine: f64,
    pub(crate) heading_cosine: f64,
    /// How probable it is that question and heading are of one kind.
    pub(crate) kind_agreement: f64,
    pub(crate) heading_weight: f64,
    pub(crate) kind_weight: f64,
    pub(crate) features: [f64; 11],
}

/// The candidates of a question with what they have in common.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    pub(crate) list: Vec<Candidate>,
    /// How well the question's known terms discriminate inside the version.
    pub(crate) discrimination: f64,
    /// The share of the question's idf that the version lacks.
    pub(crate) unknown: f64,
}

/// Raw scores that the engine gave, by entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct EngineScores {
    pub(crate) cosine: BTreeMap<usize, f32>,
    pub(crate) bm25: BTreeMap<usize, f32>,
}

/// How a kind agreement counts: nothing at one in ten, more above, less below.
pub(crate) fn kind_log(agreement: f64) -> f64 {
    ((agreement + 0.01) / 0.1).ln()
}

/// The dot product of a stored and a query vector, both by ascending term.
fn sparse_dot(stored: &[(u32, f32)], query: &[(u32, f32)]) -> f32 {
    let mut sum = 0.0;
    let mut place = 0;
    for &(term, weight) in query {
        place += stored[place..].partition_point(|(known, _)| *known < term);
        match stored.get(place) {
            Some(&(known, stored)) if known == term => sum += stored * weight,
            Some(_) => {}
            None => break,
        }
    }
    sum
}

fn has(entry: &Entry, term: u32) -> bool {
    entry.terms.binary_search_by_key(&term, |(known, _)| *known).is_ok()
}

/// What the passages of one part say together.
struct Part {
    coverage: f64,
    cosine: f64,
}

impl Candidates {
    /// Compares `entries` (ascending) with the question. Scores that the engine did not give are computed here.
    pub(crate) fn compare(
        profile: &Profile,
        question: &Question,
        entries: &[usize],
        engine: &EngineScores,
    ) -> Self {
        let known: Vec<QueryTerm> =
            question.terms.iter().copied().filter(|term| term.term.is_some()).collect();
        let total = positive(question.total_idf());
        let distinct = question.terms.len().max(1) as f64;
        let known_idf: f64 = known.iter().map(|term| term.idf).sum();
        let discrimination = known_idf / (distinct * (1.0 + profile.entries.len() as f64).ln());
        let unknown = (question.total_idf() - known_idf) / total;

        let parts = parts(profile, question, entries, &known, total);
        let headings: Vec<(f64, f64)> = profile
            .headings
            .iter()
            .map(|heading| {
                (
                    f64::from(dot(&heading.vector, &question.masked)),
                    f64::from(dot(&heading.kinds, &question.kinds)),
                )
            })
            .collect();
        let (reach, sparse) = (positive(question.reach()), question.sparse());
        let list = entries
            .iter()
            .map(|&at| {
                let entry = &profile.entries[at];
                let heading = &profile.headings[entry.heading as usize];
                let (heading_cosine, kind_agreement) = headings[entry.heading as usize];
                let part = &parts[&entry.part];
                let bm25 = engine.bm25.get(&at).copied().unwrap_or_else(|| sparse_dot(&entry.terms, &sparse));
                let cosine =
                    engine.cosine.get(&at).copied().unwrap_or_else(|| dot(&entry.vector, &question.vector));
                let covered: f64 = known
                    .iter()
                    .filter(|term| term.term.is_some_and(|term| has(entry, term)))
                    .map(|term| term.idf)
                    .sum();
                let mut candidate = Candidate {
                    entry: at,
                    bm25: f64::from(bm25) / reach,
                    cosine: f64::from(cosine),
                    coverage: covered / total,
                    part_coverage: part.coverage,
                    part_cosine: part.cosine,
                    heading_cosine,
                    kind_agreement,
                    heading_weight: f64::from(heading.weight),
                    kind_weight: f64::from(heading.kind_weight),
                    features: [0.0; 11],
                };
                candidate.features = rank_features(&candidate, profile, question, discrimination, unknown);
                candidate
            })
            .collect();
        Self { list, discrimination, unknown }
    }
}

/// A sum that may be zero, as a divisor.
fn positive(value: f64) -> f64 {
    if value > 0.0 { value } else { 1.0 }
}

fn rank_features(
    candidate: &Candidate,
    profile: &Profile,
    question: &Question,
    discrimination: f64,
    unknown: f64,
) -> [f64; 11] {
    let information = f64::from(profile.kind_information);
    [
        candidate.cosine,
        discrimination * candidate.bm25,
        information * candidate.bm25,
        information * candidate.cosine,
        candidate.heading_weight * candidate.heading_cosine,
        candidate.kind_weight * kind_log(candidate.kind_agreement),
        candidate.part_coverage,
        candidate.part_cosine,
        information * candidate.part_coverage,
        information * candidate.part_cosine,
        f64::from(u8::from(question.foreign)) * candidate.bm25 / (1.02 - unknown),
    ]
}

fn parts(
    profile: &Profile,
    question: &Question,
    entries: &[usize],
    known: &[QueryTerm],
    total: f64,
) -> BTreeMap<u32, Part> {
    let mut members: BTreeMap<u32, Vec<&Entry>> = BTreeMap::new();
    for &at in entries {
        let entry = &profile.entries[at];
        members.entry(entry.part).or_default().push(entry);
    }
    members
        .into_iter()
        .map(|(part, entries)| {
            let in_part = |term: &&QueryTerm| {
                term.term.is_some_and(|term| entries.iter().any(|entry| has(entry, term)))
            };
            let covered: f64 = known.iter().filter(in_part).map(|term| term.idf).sum();
            let mut mean = vec![0.0_f32; question.vector.len()];
            for entry in &entries {
                for (sum, value) in mean.iter_mut().zip(&entry.vector) {
                    *sum += value;
                }
            }
            (part, Part { coverage: covered / total, cosine: f64::from(dot(&unit(mean), &question.vector)) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_weights_fit_the_features() {
        assert_eq!(Ranker::fitted().weights.len(), RANK_FEATURES.len());
    }

    #[test]
    fn sparse_vectors_meet_at_their_terms() {
        assert!(
            (sparse_dot(&[(1, 2.0), (5, 3.0), (9, 1.0)], &[(0, 9.0), (5, 2.0), (9, 0.5), (12, 7.0)]) - 6.5)
                .abs()
                < 1e-6
        );
        assert!(sparse_dot(&[], &[(1, 1.0)]).abs() < 1e-9);
    }
}
