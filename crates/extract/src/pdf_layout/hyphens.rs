//! Words that were divided at the end of a line, and compounds that only happen to end one with their hyphen.

use std::collections::HashSet;

use super::Line;

/// How a line goes on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// With a new word.
    Apart,
    /// With the rest of a word; the hyphen goes.
    Divided,
    /// With the rest of a compound; the hyphen stays.
    Compound,
}

/// First parts of compounds.
const FIRST: [&str; 26] = [
    "low", "high", "long", "short", "self", "non", "well", "once", "twice", "double", "single", "half",
    "first", "second", "third", "two", "three", "four", "beta", "alpha", "gamma", "anti", "post", "pre",
    "end", "all",
];
/// Last parts of compounds.
const LAST: [&str; 30] = [
    "dose",
    "risk",
    "term",
    "weight",
    "molecular",
    "blind",
    "controlled",
    "related",
    "induced",
    "based",
    "free",
    "acting",
    "release",
    "threatening",
    "associated",
    "dependent",
    "fold",
    "day",
    "week",
    "month",
    "year",
    "hour",
    "old",
    "line",
    "up",
    "effective",
    "resistant",
    "sensitive",
    "positive",
    "negative",
];

/// The words of a document, with those that have a hyphen.
pub(super) fn vocabulary<'a>(lines: impl Iterator<Item = &'a Line>) -> HashSet<String> {
    const MOST: usize = 200_000;
    let mut words = HashSet::new();
    for line in lines {
        // The last word may be half of one.
        let whole = line
            .words
            .len()
            .saturating_sub(usize::from(line.words.last().is_some_and(|word| word.text.ends_with('-'))));
        for word in &line.words[..whole] {
            if words.len() < MOST {
                words.insert(bare(&word.text));
            }
        }
    }
    words
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// How `next` goes on with `text`.
pub(super) fn joint(text: &str, next: &str, vocabulary: &HashSet<String>) -> Joint {
    let Some(before) = text.strip_suffix(['-', '\u{2010}']) else { return Joint::Apart };
    let first = before.rsplit(' ').next().unwrap_or_default();
    if !before.ends_with(char::is_alphanumeric) || !next.starts_with(char::is_alphanumeric) {
        return Joint::Apart;
    }
    // 5-10, IL-6, Stevens-Johnson, 2-fold: no word is divided there.
    if !next.starts_with(char::is_lowercase)
        || before.ends_with(|c: char| c.is_ascii_digit())
        || first.contains('-')
    {
        return Joint::Compound;
    }
    let (first, last) = (bare(first), bare(next));
    if vocabulary.contains(&format!("{first}-{last}")) {
        return Joint::Compound;
    }
    if vocabulary.contains(&format!("{first}{last}")) {
        return Joint::Divided;
    }
    let known = FIRST.contains(&first.as_str()) || LAST.contains(&last.as_str());
    let both = first.len() > 2 && last.len() > 2 && vocabulary.contains(&first) && vocabulary.contains(&last);
    if known || both { Joint::Compound } else { Joint::Divided }
}
