//! Whether the evidence suffices: a small fitted model whose probability is calibrated.

use preceptor_models::logistic::Logistic;
use preceptor_proto::retrieval::v1::Evidence;
use serde::{Deserialize, Serialize};

use crate::Config;

/// The gate's two models, as fitted by `cargo xtask fit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// With an embedding model.
    pub full: Logistic,
    /// Without one: features of words alone.
    pub lexical: Logistic,
}

/// What the evidence suffices for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// An answer.
    Answer,
    /// The closest passages, with a word that they may not answer.
    Closest,
    /// Nothing: the question is about something else.
    Decline,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// The probability that the program holds the answer.
    pub(crate) confidence: f64,
    /// What it is enough for.
    pub(crate) decision: Decision,
}

/// The probability for evidence that names its values; `None` when one is missing.
fn probability(model: &Logistic, evidence: &Evidence) -> Option<f64> {
    let value = |feature: &String| {
        let place = evidence.names.iter().position(|name| name == feature)?;
        evidence.values.get(place).map(|&value| f64::from(value))
    };
    let values: Option<Vec<f64>> = model.features.iter().map(value).collect();
    Some(model.probability(&values?))
}

impl Gate {
    /// The fitted gate.
    pub(crate) fn fitted() -> Self {
        serde_json::from_str(include_str!("gate.json"))
            .expect("the fitted weights are part of this binary and tested")
    }

    /// Decides on the evidence of a search. Without evidence nothing is shown.
    pub(crate) fn decide(&self, evidence: Option<&Evidence>, lexical_only: bool, config: &Config) -> Verdict {
        let model = if lexical_only { &self.lexical } else { &self.full };
        let Some((evidence, confidence)) =
            evidence.and_then(|evidence| Some((evidence, probability(model, evidence)?)))
        else {
            return Verdict { confidence: 0.0, decision: Decision::Decline };
        };
        let foreign = evidence
            .names
            .iter()
            .position(|name| name == "foreign")
            .and_then(|place| evidence.values.get(place))
            .is_some_and(|&value| value > 0.5);
        let threshold = if foreign { config.foreign_threshold } else { config.threshold };
        let decision = if confidence >= threshold {
            Decision::Answer
        } else if confidence >= config.closest_threshold {
            Decision::Closest
        } else {
            Decision::Decline
        };
        Verdict { confidence, decision }
    }
}

/// A confidence in words.
pub(crate) fn label(confidence: f64) -> &'static str {
    match confidence {
        c if c >= 0.85 => "high",
        c if c >= 0.6 => "moderate",
        _ => "low",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_gate_can_be_read_and_is_consistent() {
        let gate = Gate::fitted();
        for model in [&gate.full, &gate.lexical] {
            assert!(model.features.len() > 5 && model.is_consistent());
        }
    }

    #[test]
    fn missing_evidence_is_no_evidence() {
        let gate = Gate::fitted();
        let verdict = gate.decide(None, false, &Config::default());
        assert_eq!(verdict, Verdict { confidence: 0.0, decision: Decision::Decline });
        let partial = Evidence { values: vec![9.0], names: vec!["cosine".into()] };
        assert_eq!(gate.decide(Some(&partial), false, &Config::default()).decision, Decision::Decline);
    }
}
