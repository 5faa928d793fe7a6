//! What the fitting of weights sees of the gate and of what would be quoted.

use std::ops::Range;

use preceptor_proto::ingestion::v1::Passage;
use preceptor_proto::retrieval::v1::Hit;

use super::compose::quoted_texts;
pub use super::gate::Gate;

/// The features of the gate for programs of many texts of one pattern.
pub const FULL_FEATURES: [&str; 29] = [
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
];

/// The features of words alone, for the gate that works without an embedding model.
pub const LEXICAL_FEATURES: [&str; 11] = [
    "bm25",
    "part_coverage",
    "coverage",
    "gap",
    "logit",
    "entropy",
    "discrimination",
    "unknown",
    "log_passages",
    "heading_information",
    "log_terms",
];

/// A passage that may be quoted.
#[derive(Debug, Clone, Copy)]
pub struct Quotable<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its sentences, in bytes of the text.
    pub sentences: &'a [Range<usize>],
    /// How well each sentence suits.
    pub scores: &'a [f32],
}

/// What would be quoted of passages, best first: by the very code that answers.
pub fn quotations(passages: &[Quotable<'_>], most: usize) -> Vec<String> {
    let hit = |passage: &Quotable<'_>| Hit {
        passage: Some(Passage {
            text: passage.text.to_owned(),
            sentence_starts: passage.sentences.iter().map(|sentence| sentence.start as u32).collect(),
            sentence_ends: passage.sentences.iter().map(|sentence| sentence.end as u32).collect(),
            ..Passage::default()
        }),
        score: 0.0,
        sentence_scores: passage.scores.to_vec(),
    };
    quoted_texts(&passages.iter().map(hit).collect::<Vec<_>>(), most)
}
