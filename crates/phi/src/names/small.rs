//! Names in small letters, and what a form has behind its label for one.

use std::sync::LazyLock;

use regex::Regex;

use super::lexicon;
use crate::{Finding, Kind, pattern};

/// A cheap look before names in small letters are looked for.
static CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:pt|ptnt|patient|client|mrs?|ms|miss|named?|called|today|yesterday|re|for|my)\b")
});

/// A name in small letters, behind what only a person has.
pub(super) fn find_lower(text: &str, found: &mut Vec<Finding>) {
    static LOWER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:\b(?:pt|ptnt|patient|client|mr|mrs|ms|miss|name|named|called|(?:seen|saw) (?:today|yesterday)|re|for|my (?:mother|father|mom|dad|wife|husband|son|daughter))\b(?:'s)?[ .:,=#-]{1,3}(?:is |was |named )?)(?P<name>\p{Ll}[\p{L}'-]{2,}(?: \p{L}\b| \p{Ll}[\p{L}'-]+)?)",
        )
    });
    if !CUE.is_match(text) {
        return;
    }
    let mut from = 0;
    while let Some(hit) = LOWER.captures_at(text, from) {
        let Some(name) = hit.name("name") else { return };
        // A word for a patient may be followed by one for a name.
        from = name.start();
        if !name.as_str().starts_with(char::is_lowercase) {
            continue;
        }
        let strong =
            !hit[0].to_lowercase().starts_with("for") && !hit[0].to_lowercase().starts_with("called");
        let mut words = name.as_str().split(' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let plain =
            |word: &str| !lexicon::is_word(word) && !lexicon::is_ambiguous(word) && !lexicon::is_eponym(word);
        let lower = hit[0].to_lowercase();
        let titled = ["mr", "ms", "miss"].iter().any(|title| lower.starts_with(title));
        let known = |word: &str| {
            plain(word)
                && (lexicon::is_given(word)
                    || lexicon::is_surname(word)
                    || (titled && lexicon::is_built(word)))
        };
        // What follows a label for a name may be a word elsewhere.
        let labelled =
            hit[0].to_lowercase().starts_with("name") && plain(first) && lexicon::is_any_surname(first);
        let surname = |word: &str| plain(word) && lexicon::is_any_surname(word);
        let follows = |word: &str| surname(word) || known(word) || word.chars().count() == 1;
        let both = labelled || second.is_some_and(|second| known(first) && follows(second));
        if (both || (strong && known(first))) && !lexicon::is_work(&text[name.start() + first.len()..]) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// What a form has behind its label for a name, however it is written.
pub(super) fn find_labelled(text: &str, found: &mut Vec<Finding>) {
    static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?i)\b(?:(?:pt|patient|client|full|legal)(?:'?s)? ?name|(?:last|first|family|given|maiden|f|l) ?names?|surname) ?["']?(?:is|was)?[ ]?(?:[:=]|-(?: |>)) ?["']?(?P<name>\p{L}[\p{L}'-]+)"#,
        )
    });
    const NONE: [&str; 12] = [
        "unknown",
        "withheld",
        "redacted",
        "not",
        "none",
        "na",
        "field",
        "anonymous",
        "xxx",
        "null",
        "n",
        "blank",
    ];
    static CAPITALS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?i:patient|pt|name|re|client|attn|seen)\b ?[:# ] ?(?P<name>(?P<one>\p{Lu}{3,}),? (?P<other>\p{Lu}{3,}))\b",
        )
    });
    for hit in CAPITALS.captures_iter(text) {
        let known =
            |word: &str| super::is_known(word) && !lexicon::is_ambiguous(word) && !lexicon::is_eponym(word);
        if let Some(name) = hit.name("name").filter(|_| known(&hit["one"]) || known(&hit["other"])) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
    for name in LABELLED.captures_iter(text).filter_map(|hit| hit.name("name")) {
        if !lexicon::is_word(name.as_str()) && !NONE.contains(&name.as_str().to_lowercase().as_str()) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// A given name and an initial in small letters, and what people do.
pub(super) fn find_lower_with_initial(text: &str, found: &mut Vec<Finding>) {
    static DOES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?P<name>(?P<first>\p{Ll}{3,}) \p{Ll}\.?),? (?:is|was|has|had|needs|takes|took|came|fell|asks|asked|wants|wanted|says|said|bled|in (?:bed|room|rm)|\d{1,3} ?(?:y|[mf]\b))",
        )
    });
    for hit in DOES.captures_iter(text) {
        let first = &hit["first"];
        let sure = lexicon::is_given(first) && !lexicon::is_ambiguous(first) && !lexicon::is_word(first);
        if let Some(name) = hit.name("name").filter(|_| sure) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}
