//! Measures of answers and classifications, as `score.py` of the data defines them.

/// Area under the ROC curve: how often a positive is above a negative, ties counting half.
pub(crate) fn auroc(positive: &[f64], negative: &[f64]) -> Option<f64> {
    if positive.is_empty() || negative.is_empty() {
        return None;
    }
    let mut all: Vec<(f64, bool)> = positive
        .iter()
        .map(|&score| (score, true))
        .chain(negative.iter().map(|&score| (score, false)))
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = 0.0;
    let mut at = 0;
    for tie in all.chunk_by(|a, b| a.0 == b.0) {
        let mean = (at + at + tie.len() + 1) as f64 / 2.0;
        ranks += tie.iter().filter(|(_, positive)| *positive).count() as f64 * mean;
        at += tie.len();
    }
    let (p, n) = (positive.len() as f64, negative.len() as f64);
    Some((ranks - p * (p + 1.0) / 2.0) / (p * n))
}

/// Expected calibration error over 15 bins.
pub(crate) fn ece(predictions: &[(f64, bool)]) -> f64 {
    const BINS: usize = 15;
    let mut bins = [(0.0, 0.0); BINS];
    for &(probability, right) in predictions {
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += probability;
        bin.1 += f64::from(u8::from(right));
    }
    bins.iter().map(|(said, was)| (said - was).abs()).sum::<f64>() / predictions.len().max(1) as f64
}

/// What became of one question.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) set: String,
    pub(crate) variant: String,
    pub(crate) in_scope: bool,
    pub(crate) first_is_right: bool,
    pub(crate) confidence: f64,
    pub(crate) answered: bool,
}

/// The measures of some questions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measures {
    pub(crate) hit1: f64,
    pub(crate) auroc: Option<f64>,
    pub(crate) right5: Option<f64>,
    pub(crate) ece: Option<f64>,
    pub(crate) right: f64,
    pub(crate) wrong: Option<f64>,
}

impl Measures {
    pub(crate) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let (inside, outside): (Vec<&Outcome>, Vec<&Outcome>) =
            outcomes.into_iter().partition(|outcome| outcome.in_scope);
        let scores = |of: &[&Outcome]| of.iter().map(|outcome| outcome.confidence).collect::<Vec<_>>();
        let (positive, mut negative) = (scores(&inside), scores(&outside));
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        let auroc = auroc(&positive, &negative);
        negative.sort_by(f64::total_cmp);
        let limit = (!negative.is_empty()).then(|| negative[negative.len() - negative.len() / 20 - 1]);
        let hits = inside.iter().filter(|outcome| outcome.first_is_right);
        let right5 = limit.map(|limit| {
            share(hits.clone().filter(|outcome| outcome.confidence > limit).count(), inside.len())
        });
        let predictions: Vec<_> =
            inside.iter().chain(&outside).map(|outcome| (outcome.confidence, outcome.in_scope)).collect();
        Self {
            hit1: share(hits.clone().count(), inside.len()),
            auroc,
            right5,
            ece: limit.map(|_| ece(&predictions)),
            right: share(hits.filter(|outcome| outcome.answered).count(), inside.len()),
            wrong: limit
                .map(|_| share(outside.iter().filter(|outcome| outcome.answered).count(), outside.len())),
        }
    }
}

/// A number of a table, or a gap.
pub(crate) fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "    -".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranking_and_calibration() {
        assert_eq!(auroc(&[0.9, 0.8], &[0.1, 0.2]), Some(1.0));
        assert_eq!(auroc(&[0.5], &[0.5]), Some(0.5));
        assert!(ece(&[(1.0, true), (0.0, false)]) < 1e-12);
        assert!((ece(&[(0.9, false), (0.9, true)]) - 0.4).abs() < 1e-12);
    }
}
