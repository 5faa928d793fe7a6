//! Two probabilities for a message of a program.
//!
//! *About this program at all*: logistic regression over what the message names, what kind of clinical content it asks
//! for, and words that nothing in the program knows. *Which objective*: a softmax over two comparisons of message and
//! objective, both with the program's subject masked, since it is in all of them. The confidence that is reported is the
//! product: the probability that the message belongs to that objective.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use preceptor_models::kinds::{Kinds, WORDINGS, dot, without_direction};
use preceptor_models::logistic::Logistic;
use preceptor_models::text::{Analyzer, Subject, mentions_generically, subject_spans, without, words};
use preceptor_models::{EmbedError, Embedder, Embedding, Text};
use serde::{Deserialize, Serialize};

/// Words further down the model's vocabulary are rare.
const COMMON_WORDS: u32 = 5000;
/// A term in this share of the objectives belongs to the subject …
const SUBJECT_SHARE: f64 = 0.5;
/// … when there are at least so many objectives.
const ENOUGH_OBJECTIVES: usize = 3;
/// Below this agreement of kinds, less says nothing more.
const KIND_FLOOR: f32 = 0.003;
/// Below this a message is about no objective of the program.
const ABOUT: f64 = 0.5;

/// The features of "about this program", in order.
pub const ABOUT_FEATURES: [&str; 10] = [
    "kind_cosine",
    "logistics_cosine",
    "subject_share",
    "names_subject",
    "points_at_subject",
    "logistics",
    "rare_unknown",
    "unknown",
    "objective_cosine",
    "has_subject",
];
/// The features of "which objective", in order.
pub const OBJECTIVE_FEATURES: [&str; 2] = ["masked_cosine", "kind_log"];

/// The fitted weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// One per feature of "which objective".
    pub objective: [f64; 2],
    /// "About this program".
    pub about: Logistic,
}

impl Weights {
    /// The weights, as fitted by `cargo xtask fit`.
    pub fn fitted() -> Self {
        serde_json::from_str(include_str!("weights.json"))
            .expect("the fitted weights are part of this binary and tested")
    }
}

/// What reads texts.
#[derive(Debug, Clone, Copy)]
pub struct Readers<'a> {
    /// The embedding model.
    pub embedder: &'a dyn Embedder,
    /// Kinds of clinical content.
    pub kinds: &'a Kinds,
    /// Words and terms.
    pub analyzer: &'a Analyzer,
}

/// The objectives of a program, read once.
#[derive(Debug, Clone)]
pub struct Objectives {
    subject: Subject,
    direction: Option<Vec<f32>>,
    vectors: Vec<Vec<f32>>,
    /// With the subject in them.
    wholes: Vec<Vec<f32>>,
    kinds: Vec<Vec<f32>>,
    terms: BTreeSet<String>,
}

/// The features of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// As [`ABOUT_FEATURES`].
    pub about: [f64; 10],
    /// Per objective, as [`OBJECTIVE_FEATURES`].
    pub objectives: Vec<[f64; 2]>,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The place of the objective, if it is about one.
    pub objective: Option<usize>,
    /// The probability that the best objective is the right one.
    pub confidence: f64,
    /// The probability that it is about the program at all.
    pub about: f64,
}

/// Terms of the kinds' own wordings: general clinical language that is never a program's subject.
static KIND_TERMS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let analyzer = Analyzer::default();
    let wordings: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(WORDINGS).unwrap_or_default();
    let mut terms = BTreeSet::new();
    for (name, kind) in &wordings {
        if !name.starts_with('_') {
            collect(kind, &analyzer, &mut terms);
        }
    }
    terms
});

fn collect(value: &serde_json::Value, analyzer: &Analyzer, terms: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => terms.extend(analyzer.terms(text)),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, analyzer, terms)),
        serde_json::Value::Object(values) => {
            values.values().for_each(|value| collect(value, analyzer, terms));
        }
        _ => {}
    }
}

/// What all objectives are about: title terms that objectives use, and terms that most objectives share.
fn subject_of(analyzer: &Analyzer, title: &str, objectives: &[String]) -> Subject {
    let of_objectives: Vec<BTreeSet<String>> =
        objectives.iter().map(|text| analyzer.terms(text).into_iter().collect()).collect();
    let having = |term: &String| of_objectives.iter().filter(|terms| terms.contains(term)).count();
    let mut subject: Subject = analyzer.terms(title).into_iter().filter(|term| having(term) > 0).collect();
    if objectives.len() >= ENOUGH_OBJECTIVES {
        let shared = |term: &&String| {
            having(term) as f64 >= SUBJECT_SHARE * objectives.len() as f64 && !KIND_TERMS.contains(*term)
        };
        subject.extend(of_objectives.iter().flatten().filter(shared).cloned());
    }
    subject
}

/// A text with the view that leaves the subject out.
fn masked(analyzer: &Analyzer, text: &str, subject: &Subject) -> Text {
    Text { text: text.to_owned(), views: vec![without(text, &subject_spans(analyzer, text, subject))] }
}

fn masked_vector(embedding: &Embedding) -> &[f32] {
    match embedding.views.first() {
        Some(view) if view.iter().any(|&value| value != 0.0) => view,
        _ => &embedding.whole,
    }
}

impl Objectives {
    /// Reads the objectives of a program.
    pub async fn read(title: &str, objectives: &[String], readers: Readers<'_>) -> Result<Self, EmbedError> {
        let Readers { embedder, kinds, analyzer } = readers;
        let subject = subject_of(analyzer, title, objectives);
        let terms: BTreeSet<String> = objectives.iter().flat_map(|text| analyzer.terms(text)).collect();
        let mut texts: Vec<Text> = objectives.iter().map(|text| masked(analyzer, text, &subject)).collect();
        let names_it = analyzer.terms(title).iter().any(|term| terms.contains(term));
        if names_it {
            texts.push(Text::plain(title));
        }
        let mut embedded = embedder.embed(texts).await?;
        let direction = if names_it { embedded.pop().map(|embedding| embedding.whole) } else { None };
        let vectors = embedded
            .iter()
            .map(|embedding| without_direction(masked_vector(embedding), direction.as_deref()))
            .collect();
        let kinds = embedded.iter().map(|embedding| kinds.probabilities(masked_vector(embedding))).collect();
        let wholes = embedded.into_iter().map(|embedding| embedding.whole).collect();
        Ok(Self { subject, direction, vectors, wholes, kinds, terms })
    }

    /// The terms of a message that neither the objectives nor general clinical language know; the program's own words
    /// decide on these.
    pub fn unknown_terms(&self, message: &str, analyzer: &Analyzer) -> Vec<String> {
        let terms: BTreeSet<String> = analyzer.terms(message).into_iter().collect();
        let known = |term: &String| {
            self.terms.contains(term) || self.subject.contains(term) || KIND_TERMS.contains(term)
        };
        terms.into_iter().filter(|term| !known(term)).collect()
    }

    /// The features of a message; `foreign` holds those of [`unknown_terms`](Self::unknown_terms) that the program lacks.
    pub async fn features(
        &self,
        message: &str,
        foreign: &BTreeSet<String>,
        readers: Readers<'_>,
    ) -> Result<Features, EmbedError> {
        let Readers { embedder, kinds, analyzer } = readers;
        let embedded = embedder.embed(vec![masked(analyzer, message, &self.subject)]).await?;
        let Some(embedding) = embedded.first() else {
            return Err(EmbedError("no vector was returned".into()));
        };
        let vector = masked_vector(embedding);
        let of_kinds = kinds.probabilities(vector);
        let apart = without_direction(vector, self.direction.as_deref());
        let objectives = self
            .vectors
            .iter()
            .zip(&self.kinds)
            .map(|(objective, kind)| {
                [f64::from(dot(objective, &apart)), f64::from((dot(kind, &of_kinds) + KIND_FLOOR).ln())]
            })
            .collect();
        Ok(Features { about: self.about(message, embedding, &of_kinds, foreign, readers), objectives })
    }

    fn about(
        &self,
        message: &str,
        embedding: &Embedding,
        of_kinds: &[f32],
        foreign: &BTreeSet<String>,
        readers: Readers<'_>,
    ) -> [f64; 10] {
        let Readers { embedder, kinds, analyzer } = readers;
        let vector = masked_vector(embedding);
        let logistics = kinds.logistics();
        let objective =
            self.wholes.iter().map(|whole| f64::from(dot(whole, &embedding.whole))).fold(0.0, f64::max);
        let cosine = |kind: usize| f64::from(dot(&kinds.centroids[kind], vector));
        let clinical = (0..kinds.len())
            .filter(|&kind| Some(kind) != logistics)
            .map(cosine)
            .fold(f64::NEG_INFINITY, f64::max);
        let mentioned: BTreeSet<String> =
            analyzer.terms(message).into_iter().filter(|term| self.subject.contains(term)).collect();
        let points = f64::from(u8::from(mentions_generically(message)));
        let names = f64::from(u8::from(!mentioned.is_empty()));
        let share = if mentioned.is_empty() {
            points
        } else {
            mentioned.len() as f64 / self.subject.len().max(1) as f64
        };
        let rare = |term: &&String| {
            let of_term =
                |word: &preceptor_models::text::Word| analyzer.term(&word.text).as_ref() == Some(*term);
            words(message)
                .iter()
                .filter(|word| of_term(word))
                .any(|word| embedder.word_rank(&word.text).is_none_or(|rank| rank > COMMON_WORDS))
        };
        [
            clinical,
            logistics.map_or(0.0, cosine),
            share,
            names,
            points,
            logistics.map_or(0.0, |kind| f64::from(of_kinds[kind])),
            foreign.iter().filter(rare).count() as f64,
            foreign.len() as f64,
            objective,
            f64::from(u8::from(!self.subject.is_empty())),
        ]
    }
}

impl Weights {
    /// Decides.
    pub fn classify(&self, features: &Features) -> Classification {
        let about = self.about.probability(&features.about);
        let scores: Vec<f64> = features
            .objectives
            .iter()
            .map(|row| row.iter().zip(self.objective).map(|(value, weight)| value * weight).sum())
            .collect();
        let Some((best, &top)) = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) else {
            return Classification { objective: None, confidence: 0.0, about };
        };
        let probability = 1.0 / scores.iter().map(|score| (score - top).exp()).sum::<f64>();
        Classification { objective: (about >= ABOUT).then_some(best), confidence: about * probability, about }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_weights_can_be_read() {
        let weights = Weights::fitted();
        assert!(weights.about.is_consistent());
        assert_eq!(weights.about.features, ABOUT_FEATURES);
    }

    #[test]
    fn the_subject_is_what_all_objectives_share() {
        let analyzer = Analyzer::default();
        let objectives: Vec<String> =
            ["Diagnose pancreatic cancer", "Stage pancreatic cancer", "Treat pancreatic cancer"]
                .map(String::from)
                .into();
        let subject = subject_of(&analyzer, "Pancreatic Cancer", &objectives);
        assert_eq!(subject, analyzer.terms("pancreatic cancer").into_iter().collect());
    }

    #[test]
    fn confidence_is_the_product_of_both_probabilities() {
        let about = Logistic {
            features: ABOUT_FEATURES.map(String::from).into(),
            mean: vec![0.0; 10],
            deviation: vec![1.0; 10],
            weights: vec![0.0; 10],
            bias: 2.0,
        };
        let weights = Weights { objective: [1.0, 0.0], about };
        let classified =
            weights.classify(&Features { about: [0.0; 10], objectives: vec![[0.0, 0.0], [1.0, 0.0]] });
        assert_eq!(classified.objective, Some(1));
        let expected = 1.0 / (1.0 + (-2.0_f64).exp()) / (1.0 + (-1.0_f64).exp());
        assert!((classified.confidence - expected).abs() < 1e-12);
    }
}
