//! Whether the evidence suffices: a small fitted model whose probability is calibrated.

use preceptor_proto::retrieval::v1::Evidence;
use serde::{Deserialize, Serialize};

use crate::Config;

/// A logistic regression over named features of the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Which features, by name.
    pub features: Vec<String>,
    /// Their means.
    pub mean: Vec<f64>,
    /// Their standard deviations.
    pub deviation: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// The bias.
    pub bias: f64,
}

impl Logistic {
    /// The probability for features in the order of [`features`](Self::features).
    pub fn probability(&self, values: &[f64]) -> f64 {
        let scaled = values.iter().zip(&self.mean).zip(&self.deviation).map(|((value, mean), deviation)| (value - mean) / deviation);
        let sum: f64 = scaled.zip(&self.weights).map(|(value, weight)| value * weight).sum();
        1.0 / (1.0 + (-(sum + self.bias)).exp())
    }

    /// The probability for evidence that names its values; `None` when one is missing.
    pub fn of(&self, evidence: &Evidence) -> Option<f64> {
        let values: Option<Vec<f64>> = self
            .features
            .iter()
            .map(|feature| {
                let place = evidence.names.iter().position(|name| name == feature)?;
                evidence.values.get(place).map(|&value| f64::from(value))
            })
            .collect();
        Some(self.probability(&values?))
    }
}

/// The gate's two models, as fitted by `cargo xtask fit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// With an embedding model.
    pub full: Logistic,
    /// Without one: features of words alone.
    pub lexical: Logistic,
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// The probability that the program holds the answer.
    pub(crate) confidence: f64,
    /// Whether it is enough.
    pub(crate) answers: bool,
}

impl Gate {
    /// The fitted gate.
    pub(crate) fn fitted() -> Self {
        serde_json::from_str(include_str!("gate.json")).expect("the fitted weights are part of this binary and tested")
    }

    /// Decides on the evidence of a search. Without evidence there is no answer.
    pub(crate) fn decide(&self, evidence: Option<&Evidence>, lexical_only: bool, config: &Config) -> Verdict {
        let model = if lexical_only { &self.lexical } else { &self.full };
        let Some((evidence, confidence)) = evidence.and_then(|evidence| Some((evidence, model.of(evidence)?))) else {
            return Verdict { confidence: 0.0, answers: false };
        };
        let foreign = evidence.names.iter().position(|name| name == "foreign").and_then(|place| evidence.values.get(place)).is_some_and(|&value| value > 0.5);
        let threshold = if foreign { config.foreign_threshold } else { config.threshold };
        Verdict { confidence, answers: confidence >= threshold }
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
            let count = model.features.len();
            assert!(count > 5 && [model.mean.len(), model.deviation.len(), model.weights.len()].iter().all(|&length| length == count));
        }
    }

    #[test]
    fn missing_evidence_is_no_evidence() {
        let gate = Gate::fitted();
        let verdict = gate.decide(None, false, &Config::default());
        assert_eq!(verdict, Verdict { confidence: 0.0, answers: false });
        let partial = Evidence { values: vec![9.0], names: vec!["cosine".into()] };
        assert!(!gate.decide(Some(&partial), false, &Config::default()).answers);
    }
}
