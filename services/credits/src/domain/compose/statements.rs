//! Which sentences can be asked about: those that say one thing and say it without their neighbors.

use std::collections::BTreeSet;

use preceptor_extract::has_hole;
use preceptor_models::text::{Analyzer, words};

use super::{Passage, Source};

/// Shorter sentences say too little to be found again, longer ones too much to be read at once. In characters.
const LENGTH: std::ops::RangeInclusive<usize> = 40..=320;
/// Terms that have to remain around a gap.
const LEAST_TERMS: usize = 6;

/// A sentence that stands for itself.
#[derive(Debug, Clone)]
pub(crate) struct Statement<'a> {
    pub(crate) source: &'a Source,
    pub(crate) passage: &'a Passage,
    pub(crate) text: &'a str,
    /// What it is about.
    pub(crate) terms: BTreeSet<String>,
}

/// Words at the beginning of a sentence that point back.
const POINTS_BACK: [&str; 42] = [
    "this",
    "these",
    "those",
    "that",
    "it",
    "its",
    "they",
    "their",
    "them",
    "he",
    "she",
    "his",
    "her",
    "such",
    "both",
    "however",
    "therefore",
    "thus",
    "hence",
    "moreover",
    "furthermore",
    "also",
    "then",
    "otherwise",
    "instead",
    "similarly",
    "conversely",
    "accordingly",
    "consequently",
    "here",
    "there",
    "which",
    "who",
    "but",
    "and",
    "or",
    "so",
    "respectively",
    "latter",
    "former",
    "nevertheless",
    "another",
];
/// Parts of a sentence that say it needs something else to be understood.
const NEEDS_CONTEXT: [&str; 12] = [
    " figure",
    " fig.",
    " table ",
    "et al",
    "see above",
    "see below",
    "http",
    "respectively",
    "aforementioned",
    "the latter",
    "the former",
    "as above",
];

/// The statements of a source.
pub(crate) fn of_source<'a>(source: &'a Source, analyzer: &Analyzer) -> Vec<Statement<'a>> {
    let mut found = Vec::new();
    for passage in &source.passages {
        for sentence in passage.sentences.iter().filter_map(|range| passage.text.get(range.clone())) {
            let text = sentence.trim();
            let terms: BTreeSet<String> = analyzer.terms(text).into_iter().collect();
            if terms.len() >= LEAST_TERMS
                && stands_alone(text)
                && !analyzer.is_foreign(text)
                && passage.text.matches(text).count() == 1
            {
                found.push(Statement { source, passage, text, terms });
            }
        }
    }
    found
}

fn stands_alone(text: &str) -> bool {
    let lower = text.to_lowercase();
    let begins_well = text.chars().next().is_some_and(char::is_uppercase);
    let is_whole = text.ends_with('.') && !text.ends_with("..") && !text.contains('\n');
    let first = words(&lower).into_iter().next().map(|word| word.text).unwrap_or_default();
    let balanced = text.matches('(').count() == text.matches(')').count();
    LENGTH.contains(&text.chars().count())
        && !has_hole(text)
        && begins_well
        && is_whole
        && balanced
        && !text.contains('?')
        && !POINTS_BACK.contains(&first.as_str())
        && !NEEDS_CONTEXT.iter().any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_that_lean_on_others_are_left_out() {
        assert!(stands_alone("The usual starting dose of apixaban is 5 mg twice a day."));
        for leaning in [
            "It is reduced to 2.5 mg twice a day in older adults.",
            "The groups received 5 mg and 10 mg respectively, once a day.",
            "What is the usual starting dose of apixaban, 5 mg or 10 mg?",
            "the usual starting dose of apixaban is 5 mg twice a day.",
            "Dose: 5 mg.",
            "The dose is halved below a clearance of [formula that cannot be read] in adults.",
        ] {
            assert!(!stands_alone(leaning), "{leaning}");
        }
    }
}
