//! Natural questions (`natural/` of the data): what they are, and when a quotation is right, as `score_natural.py` has it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use crate::data::lines;

/// A program made of files.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Program {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) objectives: Vec<String>,
    /// Paths, relative to the folder of the data.
    pub(crate) sources: Vec<String>,
}

/// A question as it was typed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) program: String,
    pub(crate) question: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) answerable: bool,
    pub(crate) refusal: Option<String>,
    pub(crate) gold: Vec<Gold>,
}

/// A span that answers alone.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Gold {
    quote: String,
}

/// All programs with their questions.
pub(crate) fn read(data: &Path) -> anyhow::Result<(Vec<Program>, Vec<Question>)> {
    Ok((lines(&data.join("programs.jsonl"))?, lines(&data.join("questions.jsonl"))?))
}

impl Question {
    /// Whether a quotation holds the answer.
    pub(crate) fn is_answered_by(&self, said: &str) -> bool {
        self.gold.iter().any(|gold| overlaps(said, &gold.quote))
    }

    /// Whether it is about the asker's own patient, relative or self.
    pub(crate) fn is_patient_specific(&self) -> bool {
        self.refusal.as_deref() == Some("patient_specific")
    }

    /// Whether it is about something else altogether.
    pub(crate) fn is_far(&self) -> bool {
        self.kind == "absent_far"
    }
}

static BETWEEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[^\w%<>=.]+").expect("the pattern is a constant"));

fn tokens(text: &str) -> Vec<String> {
    let lower = text.nfkc().collect::<String>().to_lowercase();
    let words = BETWEEN.split(&lower).map(|word| word.trim_matches('.').to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// One holds the other after folding, or their words agree (F1 of at least .6).
fn overlaps(said: &str, gold: &str) -> bool {
    const AGREEMENT: f64 = 0.6;
    const SHORTEST: usize = 4;
    let (said, gold) = (tokens(said), tokens(gold));
    if said.is_empty() || gold.is_empty() {
        return false;
    }
    let (a, b) = (said.join(" "), gold.join(" "));
    if a.contains(&b) || (b.contains(&a) && said.len() >= SHORTEST.min(gold.len())) {
        return true;
    }
    let (x, y): (BTreeSet<String>, BTreeSet<String>) =
        (said.into_iter().collect(), gold.into_iter().collect());
    let both = x.intersection(&y).count() as f64;
    both > 0.0 && 2.0 * both / (x.len() + y.len()) as f64 >= AGREEMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_right_when_it_holds_the_span_or_says_the_same() {
        let gold = "Apixaban | 5 mg twice a day";
        assert!(overlaps("Drug | Dose\nApixaban | 5 mg twice a day\nEdoxaban | 60 mg", gold));
        assert!(overlaps("apixaban 5 mg twice", gold), "a part of four words");
        assert!(!overlaps("apixaban", gold));
        assert!(overlaps("twice a day 5 mg of apixaban", gold), "the same words");
        assert!(!overlaps("Edoxaban | 60 mg once a day", gold));
    }
}
