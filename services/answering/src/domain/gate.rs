//! Whether the evidence suffices: a small fitted model whose probability is calibrated.

use preceptor_models::logistic::Logistic;
use preceptor_proto::retrieval::v1::Evidence;
use serde::{Deserialize, Serialize};

use crate::Config;

/// The gate's models, as fitted by `cargo xtask fit`. Each knows what it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// With an embedding model, for programs of many texts of one pattern: that the program holds the answer.
    pub full: Logistic,
    /// Without one: features of words alone.
    pub lexical: Logistic,
    /// With an embedding model, for programs made of documents, on questions as people type them: that what would be quoted
    /// holds the answer.
    pub documents: Logistic,
    /// That the question is about the program's topic at all.
    pub topic: Logistic,
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

/// A value of the evidence by its name.
fn value(evidence: &Evidence, name: &str) -> Option<f64> {
    let place = evidence.names.iter().position(|known| known == name)?;
    evidence.values.get(place).map(|&value| f64::from(value))
}

/// The probability for evidence that names its values; `None` when one is missing.
fn probability(model: &Logistic, evidence: &Evidence) -> Option<f64> {
    let values: Option<Vec<f64>> = model.features.iter().map(|name| value(evidence, name)).collect();
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
        let judged = evidence.and_then(|evidence| self.judge(evidence, lexical_only));
        let Some(Judged { confidence, topic, is_foreign }) = judged else {
            return Verdict { confidence: 0.0, decision: Decision::Decline };
        };
        let threshold = if is_foreign { config.foreign_threshold } else { config.threshold };
        let decision = if topic < config.closest_threshold {
            Decision::Decline
        } else if confidence < threshold {
            Decision::Closest
        } else {
            Decision::Answer
        };
        Verdict { confidence, decision }
    }

    /// What the models say; `None` when a value is missing.
    fn judge(&self, evidence: &Evidence, lexical_only: bool) -> Option<Judged> {
        let is_set = |name: &str| value(evidence, name).is_some_and(|value| value > 0.5);
        let is_foreign = is_set("foreign");
        if lexical_only {
            let confidence = probability(&self.lexical, evidence)?;
            let topic = value(evidence, "coverage")?.max(confidence);
            return Some(Judged { confidence, topic, is_foreign });
        }
        let topic = probability(&self.topic, evidence)?;
        if is_set("documents") {
            let confidence = probability(&self.documents, evidence)?;
            return Some(Judged { confidence, topic, is_foreign });
        }
        // Where the program holds the answer, the question is about its topic.
        let confidence = probability(&self.full, evidence)?;
        Some(Judged { confidence, topic: topic.max(confidence), is_foreign })
    }
}

/// What the models say of some evidence.
struct Judged {
    confidence: f64,
    topic: f64,
    is_foreign: bool,
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
        assert!(gate.documents.is_consistent() && gate.topic.is_consistent());
    }

    #[test]
    fn missing_evidence_is_no_evidence() {
        let gate = Gate::fitted();
        let verdict = gate.decide(None, false, &Config::default());
        assert_eq!(verdict, Verdict { confidence: 0.0, decision: Decision::Decline });
        let partial = Evidence { values: vec![9.0], names: vec!["cosine".into()] };
        assert_eq!(gate.decide(Some(&partial), false, &Config::default()).decision, Decision::Decline);
    }

    /// Evidence of a program made of documents, of which the best passage comes so near.
    fn near(nearness: f32, cosine: f32) -> Evidence {
        let names = ["nearness", "best_cosine", "documents", "foreign"];
        Evidence { values: vec![nearness, cosine, 1.0, 0.0], names: names.map(str::to_owned).into() }
    }

    #[test]
    fn there_are_three_outcomes() {
        let gate = Gate::fitted();
        let decide = |evidence: &Evidence| gate.decide(Some(evidence), false, &Config::default()).decision;
        assert_eq!(decide(&near(0.9, 0.7)), Decision::Answer);
        assert_eq!(decide(&near(0.55, 0.4)), Decision::Closest);
        assert_eq!(decide(&near(0.3, 0.1)), Decision::Decline);
    }

    #[test]
    fn a_question_in_another_language_needs_more() {
        let gate = Gate::fitted();
        let mut evidence = near(0.62, 0.5);
        let decide = |evidence: &Evidence| gate.decide(Some(evidence), false, &Config::default()).decision;
        assert_eq!(decide(&evidence), Decision::Answer);
        evidence.values[3] = 1.0;
        assert_eq!(decide(&evidence), Decision::Closest);
    }
}
