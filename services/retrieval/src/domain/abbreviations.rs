//! Short forms that a program defines or uses, in both directions: "DCIS" is asked where the text says it in full, and the
//! other way round. Only the program's own text counts: no list from elsewhere says what a short form means here.

use std::collections::{BTreeMap, BTreeSet};

use preceptor_models::text::{self, Analyzer};
use serde::{Deserialize, Serialize};

use super::passage::Passage;
use super::spelling::Correction;

/// Characters of a short form.
const SHORT: std::ops::RangeInclusive<usize> = 2..=10;
/// Letters of a short form that only initials tell.
const INITIALS: std::ops::RangeInclusive<usize> = 3..=6;
/// Words of a long form, and bytes before its short form in which it is looked for.
const LONGEST: usize = 8;
const BEFORE: usize = 200;

/// What a program's short forms stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Abbreviations {
    /// Defined ones, in lower case, with what they stand for.
    long: BTreeMap<String, String>,
    /// Words with several capitals, in lower case.
    capitals: BTreeSet<String>,
}

impl Abbreviations {
    /// Learns from "the long form (LF)".
    pub(crate) fn of(passages: &[Passage]) -> Self {
        let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut capitals = BTreeSet::new();
        for passage in passages {
            for definition in definitions(&passage.text) {
                *counts.entry(definition).or_default() += 1;
            }
            let words = text::words(&passage.text).into_iter();
            let many =
                |word: &text::Word| has_capitals(passage.text.get(word.range.clone()).unwrap_or_default());
            capitals.extend(words.filter(many).map(|word| word.text));
        }
        // What is said most often wins; of two, the first in order.
        let mut ordered: Vec<_> = counts.into_iter().collect();
        ordered.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut long = BTreeMap::new();
        for ((short, words), _) in ordered {
            long.entry(short).or_insert(words);
        }
        Self { long, capitals }
    }

    /// What a question's words stand for here, or what stands for them.
    pub(crate) fn expand(&self, analyzer: &Analyzer, question: &str) -> Vec<Correction> {
        let words: Vec<String> = text::words(question).into_iter().map(|word| word.text).collect();
        let mut found: Vec<Correction> = Vec::new();
        let mut add = |from: String, to: &str| {
            if !found.iter().any(|known| known.to == to) {
                found.push(Correction { from, to: to.to_owned() });
            }
        };
        for word in words.iter().filter(|word| !analyzer.is_stop_word(word)) {
            let singular = word.strip_suffix('s').unwrap_or(word);
            if let Some(long) = self.long.get(word).or_else(|| self.long.get(singular)) {
                add(word.clone(), long);
            }
        }
        for (short, long) in &self.long {
            let long: Vec<String> = text::words(long).into_iter().map(|word| word.text).collect();
            if words.windows(long.len().max(1)).any(|run| run == long) {
                add(long.join(" "), short);
            }
        }
        for run in INITIALS.rev().flat_map(|count| words.windows(count)) {
            if let Some(short) = self.initials(analyzer, run) {
                add(run.join(" "), short);
            }
        }
        found
    }

    /// The short form in capitals that the initials of a run of words make, with or without its small words.
    fn initials(&self, analyzer: &Analyzer, run: &[String]) -> Option<&str> {
        let is_small = |word: &String| analyzer.is_stop_word(word);
        if run.first().is_none_or(is_small) || run.last().is_none_or(is_small) {
            return None;
        }
        let all: String = run.iter().filter_map(|word| word.chars().next()).collect();
        let large: String =
            run.iter().filter(|word| !is_small(word)).filter_map(|word| word.chars().next()).collect();
        [all, large].iter().filter(|short| INITIALS.contains(&short.len())).find_map(|short| {
            let is_defined = self.long.contains_key(short);
            self.capitals.get(short).filter(|_| !is_defined).map(String::as_str)
        })
    }
}

fn has_capitals(word: &str) -> bool {
    word.chars().all(char::is_alphabetic) && word.chars().filter(|c| c.is_uppercase()).count() >= 2
}

/// Every "long form (LF)" of a text: both in lower case.
fn definitions(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (open, _) in text.match_indices('(') {
        let inner: String =
            text[open + 1..].chars().take(SHORT.end() + 1).take_while(|&c| c != ')').collect();
        let Some(short) = short_form(&inner) else { continue };
        let most = (short.len() + 5).min(short.len() * 2);
        let near = (open.saturating_sub(BEFORE)..=open).find(|&at| text.is_char_boundary(at)).unwrap_or(open);
        let before: Vec<&str> = text[near..open].split_whitespace().collect();
        let before = before[before.len().saturating_sub(most)..].join(" ");
        if let Some(long) = long_form(&short, &before) {
            found.push((short.to_lowercase(), long.to_lowercase()));
        }
    }
    found
}

/// What stands between parentheses, when it is a short form: one word with at least two capitals, a plural's "s" left out.
fn short_form(inner: &str) -> Option<String> {
    let is_word = inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let begins = inner.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let capitals = inner.chars().filter(|c| c.is_uppercase()).count();
    if !is_word || !begins || capitals < 2 || !SHORT.contains(&inner.len()) {
        return None;
    }
    let singular = inner.strip_suffix('s').filter(|rest| rest.chars().all(char::is_uppercase));
    Some(singular.unwrap_or(inner).to_owned())
}

/// The end of `before` that `short` stands for: its letters are found there in order, the first one at the beginning of a
/// word (Schwartz and Hearst, 2003).
fn long_form(short: &str, before: &str) -> Option<String> {
    let text: Vec<char> = before.chars().collect();
    let mut at = text.len();
    let letters: Vec<char> = short.chars().filter(char::is_ascii_alphabetic).collect();
    for (place, letter) in letters.iter().enumerate().rev() {
        at = (0..at).rev().find(|&at| {
            let begins_a_word = at == 0 || !text[at - 1].is_alphanumeric();
            text[at].eq_ignore_ascii_case(letter) && (place > 0 || begins_a_word)
        })?;
    }
    let start = text[..at].iter().rposition(|&c| c == ' ').map_or(0, |space| space + 1);
    let long: String = text[start..].iter().collect();
    let long = long.trim_matches(|c: char| !c.is_alphanumeric());
    let is_long = long.len() > short.len() + 2 && long.split_whitespace().count() <= LONGEST;
    is_long.then(|| long.to_owned())
}

#[cfg(test)]
mod tests {
    use preceptor_core::id::PassageId;

    use super::*;

    fn learned(text: &str) -> Abbreviations {
        Abbreviations::of(&[Passage {
            id: PassageId::generate(),
            source: "s".into(),
            heading: String::new(),
            text: text.into(),
            sentences: Vec::new(),
        }])
    }

    fn expanded(text: &str, question: &str) -> Vec<String> {
        let found = learned(text).expand(&Analyzer::default(), question);
        found.into_iter().map(|correction| correction.to).collect()
    }

    #[test]
    fn what_a_text_defines_is_known_in_both_directions() {
        let text = "We assess software as a medical device (SaMD) and total product lifecycles (TPLCs).";
        assert_eq!(expanded(text, "samd definition"), ["software as a medical device"]);
        assert_eq!(expanded(text, "is software as a medical device regulated"), ["samd"]);
        assert_eq!(expanded(text, "what is a tplc"), ["total product lifecycles"]);
        assert!(expanded(text, "how is a dose chosen").is_empty());
    }

    #[test]
    fn initials_make_a_short_form_that_the_text_uses() {
        let text = "DCIS should be excluded from the numerator.";
        assert_eq!(expanded(text, "does ductal carcinoma in situ count"), ["dcis"]);
        assert!(expanded(text, "does carcinoma count").is_empty());
    }

    #[test]
    fn what_only_looks_like_a_definition_is_none() {
        for text in
            ["as shown before (see Table 2)", "of all patients (n = 12)", "a mean of ten (SD)", "(ABC)"]
        {
            assert!(definitions(text).is_empty(), "{text}: {:?}", definitions(text));
        }
    }
}
