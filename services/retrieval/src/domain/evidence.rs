//! What the decision to answer is taken on: the shape of all scores, not the top one alone.

use super::features::{Candidate, Candidates, Ranker, kind_log};
use super::profile::Profile;
use super::question::Question;

/// The features of the evidence gate, in order. The gate itself is in the answering service.
pub const EVIDENCE: [&str; 32] = [
    "bm25",
    "cosine",
    "part_coverage",
    "part_cosine",
    "coverage",
    "gap",
    "logit",
    "entropy",
    "discrimination",
    "unknown",
    "log_passages",
    "heading_information",
    "kind_information",
    "certainty*kind_information",
    "best_kind",
    "best_kind_log",
    "best_heading",
    "kind_cover*kind_information",
    "names_subject*kind_information",
    "kind_information*part_coverage",
    "kind_information*cosine",
    "kind_information*logit",
    "heading_information*cosine",
    "heading_information*part_coverage",
    "cosine_z",
    "log_terms",
    "corrections",
    "foreign",
    "foreign*cosine",
    "nearness",
    "best_cosine",
    "documents",
];

/// A lead beyond this says nothing more; a lone unit leads by this.
const LARGEST_GAP: f64 = 10.0;
const GAP_OF_ONE: f64 = 3.0;

/// The best candidate of every unit, best first: its place in the list and its score.
pub(crate) fn best_of<K: Ord>(
    candidates: &Candidates,
    ranker: &Ranker,
    key: impl Fn(&Candidate) -> K,
) -> Vec<(usize, f64)> {
    let mut best: std::collections::BTreeMap<K, (usize, f64)> = std::collections::BTreeMap::new();
    for (place, candidate) in candidates.list.iter().enumerate() {
        let score = ranker.score(&candidate.features);
        let entry = best.entry(key(candidate)).or_insert((place, score));
        if score > entry.1 {
            *entry = (place, score);
        }
    }
    let mut ordered: Vec<_> = best.into_values().collect();
    ordered.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ordered
}

/// The evidence for a question, of which the best candidate comes so near. `None` without a candidate.
pub(crate) fn evidence(
    profile: &Profile,
    question: &Question,
    candidates: &Candidates,
    ranker: &Ranker,
    nearness: f64,
) -> Option<[f64; 32]> {
    let units = best_of(candidates, ranker, |candidate| profile.entries[candidate.entry].unit);
    let &(top, best_score) = units.first()?;
    let top = &candidates.list[top];
    let shape = Shape::of(&units, best_score);
    let most = |value: &dyn Fn(&Candidate) -> f64| {
        candidates.list.iter().map(value).fold(f64::NEG_INFINITY, f64::max)
    };
    let kind = f64::from(profile.kind_information);
    let heading = f64::from(profile.heading_information);
    let foreign = f64::from(u8::from(question.foreign));
    let (mean, deviation) = spread(candidates);
    Some([
        top.bm25,
        top.cosine,
        top.part_coverage,
        top.part_cosine,
        top.coverage,
        shape.gap,
        shape.logit,
        shape.entropy,
        candidates.discrimination,
        candidates.unknown,
        (profile.entries.len() as f64).ln(),
        heading,
        kind,
        f64::from(question.certainty) * kind,
        most(&|candidate| candidate.kind_weight * candidate.kind_agreement),
        most(&|candidate| candidate.kind_weight * kind_log(candidate.kind_agreement)),
        most(&|candidate| candidate.heading_weight * candidate.heading_cosine),
        kind_cover(profile, question) * kind,
        f64::from(u8::from(question.names_subject)) * kind,
        kind * top.part_coverage,
        kind * top.cosine,
        kind * shape.logit,
        heading * top.cosine,
        heading * top.part_coverage,
        (top.cosine - mean) / deviation.max(0.02),
        (1.0 + question.terms.len() as f64).ln(),
        question.corrections.len() as f64,
        foreign,
        foreign * top.cosine,
        nearness,
        most(&|candidate| candidate.cosine),
        f64::from(u8::from(profile.is_documents)),
    ])
}

struct Shape {
    gap: f64,
    logit: f64,
    entropy: f64,
}

impl Shape {
    /// Reads the scores of all units as one distribution.
    fn of(units: &[(usize, f64)], best: f64) -> Self {
        let masses: Vec<f64> = units.iter().map(|(_, score)| (score - best).exp()).collect();
        let sum: f64 = masses.iter().sum();
        let top = 1.0 / sum;
        Self {
            gap: units.get(1).map_or(GAP_OF_ONE, |(_, second)| (best - second).min(LARGEST_GAP)),
            logit: (top + 1e-3).ln() - (1.0 - top + 1e-3).ln(),
            entropy: masses.iter().map(|mass| mass / sum).map(|share| -share * (share + 1e-12).ln()).sum(),
        }
    }
}

/// Mean and standard deviation of the candidates' cosines.
fn spread(candidates: &Candidates) -> (f64, f64) {
    let count = candidates.list.len().max(1) as f64;
    let mean = candidates.list.iter().map(|candidate| candidate.cosine).sum::<f64>() / count;
    let variance =
        candidates.list.iter().map(|candidate| (candidate.cosine - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// How well the version's headings cover the kinds that the question may be of.
fn kind_cover(profile: &Profile, question: &Question) -> f64 {
    let best = |kind: usize| {
        let of = |heading: &super::profile::Heading| {
            heading.kinds.get(kind).copied().unwrap_or(0.0) * heading.certainty
                / heading.sections.max(1) as f32
        };
        profile.headings.iter().map(of).fold(0.0, f32::max)
    };
    question.kinds.iter().enumerate().map(|(kind, &probability)| f64::from(probability * best(kind))).sum()
}
