//! Search: what is computed when a version is published, and what when a question is asked.
//!
//! The formulas and the reasons for them are in docs/adr/0005-search-and-refusals.md.

mod abbreviations;
mod evidence;
mod features;
pub mod fitting;
mod indexing;
mod nearness;
mod passage;
mod profile;
mod question;
mod search;
mod spelling;
mod structure;

pub(crate) use evidence::EVIDENCE;
pub(crate) use search::{Found, Search};

/// The name of the passages' dense vector.
pub(crate) const DENSE: &str = "passage";
/// The name of the passages' term weights.
pub(crate) const SPARSE: &str = "terms";
