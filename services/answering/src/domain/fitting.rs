//! What the fitting of weights sees of the gate.

pub use super::gate::Gate;

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
