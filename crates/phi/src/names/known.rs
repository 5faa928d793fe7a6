//! Names that need no context: in texts of a person, both of their words are known, or one is and no word.

use std::sync::LazyLock;

use regex::Regex;

use super::lexicon;
use crate::{Finding, Kind, pattern};

/// Whether a text speaks of one person.
fn is_of_one(text: &str) -> bool {
    static ONE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:he|she|his|her|him|pt|pt's|patient is|my patient|this patient|our patient|mrn|dob|ssn)\b|\b\d{1,3} ?-?(?:yo|y/o|y\.o|yrs?|years? old|[mf]\b)",
        )
    });
    ONE.is_match(text)
}

/// Whether a text is about who did a thing first: those are known to everybody.
fn is_history(text: &str) -> bool {
    static HISTORY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:described|discovered|invented|proposed|coined|founded|introduced|pioneer\w*|nobel|president|actor|actress|singer|history|famous|trial|study|eponym\w*|named after|theory|textbook|philosopher|et al|guidelines?|(?:cardi|neur|path|physi|bacteri|psych)\w*ologist|physician|surgeon|nurse in|scientist|inventor)\b",
        )
    });
    HISTORY.is_match(text)
}

/// A given name that is no word, and a surname behind it.
pub(super) fn find_full(text: &str, found: &mut Vec<Finding>) {
    static BOTH: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?P<first>\p{Lu}[\p{L}'-]+)(?: \p{Lu}\.?)?(?: (?i:de|da|di|del|van|von|der|den|bin|al|el|la|dos|la))* (?P<last>\p{Lu}[\p{L}'-]+)",
        )
    });
    let (of_one, history) = (LazyLock::new(|| is_of_one(text)), LazyLock::new(|| is_history(text)));
    let mut from = 0;
    while let Some(hit) = BOTH.captures_at(text, from) {
        let (Some(whole), first, last) = (hit.get(0), &hit["first"], hit["last"].trim_end_matches("'s"))
        else {
            return;
        };
        from = hit.name("last").map_or(whole.end(), |last| last.start());
        let sure = lexicon::is_given(first) && !lexicon::is_ambiguous(first) && !lexicon::is_word(first);
        let known = lexicon::is_surname(last) || (lexicon::is_given(last) && !lexicon::is_ambiguous(last));
        let is_sign = (lexicon::is_eponym(first) || lexicon::is_eponym(last)) && !*of_one;
        let built = lexicon::looks_like_a_name(last) && last.len() > 2 && *of_one;
        let (before, behind) = (&text[..whole.start()], &text[whole.end()..]);
        let cited = lexicon::is_work(behind)
            || lexicon::is_work_word(last)
            || is_sign
            || lexicon::is_cited(before)
            || lexicon::has_year(behind)
            || lexicon::is_lessons(text, whole.range());
        if sure && (known || built) && !cited && !*history {
            found.push(Finding { kind: Kind::Name, place: whole.range() });
        }
    }
}

/// A given name that is no word, and the initial of a surname.
pub(super) fn find_with_initial(text: &str, found: &mut Vec<Finding>) {
    static INITIAL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?:^|[\s(:,;])(?P<name>(?P<first>\p{Lu}\p{L}+) \p{Lu}\.?)(?:[ ,;:?)(]|'s|$)")
    });
    for hit in INITIAL.captures_iter(text) {
        let first = &hit["first"];
        let sure = lexicon::is_given(first)
            && !lexicon::is_ambiguous(first)
            && !lexicon::is_surname(first)
            && !lexicon::is_eponym(first)
            && !lexicon::is_word(first)
            && first.chars().any(char::is_lowercase);
        if let Some(name) = hit.name("name").filter(|name| sure && !lexicon::is_lessons(text, name.range())) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// How long a question about one's own patient is.
const LONGEST: usize = 240;

/// A given name that is no word in a text that speaks of one person.
pub(super) fn find_alone(text: &str, found: &mut Vec<Finding>) {
    // Long texts are the cases of exams, whose people are invented.
    if text.len() > LONGEST || !is_of_one(text) || is_history(text) || !text.chars().any(char::is_lowercase) {
        return;
    }
    for word in text.split(|sign: char| !sign.is_alphabetic() && !matches!(sign, '-' | '\'')) {
        let name = word.strip_suffix("'s").unwrap_or(word);
        let written = name.starts_with(char::is_uppercase) && name.chars().skip(1).any(char::is_lowercase);
        let sure = written
            && name.len() > 3
            && lexicon::is_given(name)
            && !lexicon::is_ambiguous(name)
            && !lexicon::is_word(name)
            && !lexicon::is_surname(name)
            && !lexicon::is_eponym(name);
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let place = start..start + name.len();
        let behind = &text[place.end..];
        let cited = || {
            lexicon::is_work(behind)
                || lexicon::is_cited(&text[..start])
                || lexicon::has_year(behind)
                || lexicon::is_lessons(text, place.clone())
        };
        if sure && !cited() {
            found.push(Finding { kind: Kind::Name, place });
        }
    }
}

/// A given name and a surname that are both known, written without capitals or all in capitals.
pub(super) fn find_pairs(text: &str, found: &mut Vec<Finding>) {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?P<first>\p{L}[\p{L}'-]+)(?: \p{L}\.?)?(?: |, )(?P<last>\p{L}[\p{L}'-]+)")
    });
    let given =
        |word: &str| lexicon::is_given(word) && !lexicon::is_ambiguous(word) && !lexicon::is_word(word);
    let surname = |word: &str| lexicon::is_surname(word) && !lexicon::is_eponym(word);
    let mut from = 0;
    while let Some(hit) = PAIR.captures_at(text, from) {
        let (first, last) = (&hit["first"], &hit["last"]);
        let place = hit.get(0).map_or(from..from, |whole| whole.range());
        let (lower, upper) = (both(first, last, char::is_lowercase), both(first, last, char::is_uppercase));
        let is_pair = given(first) && surname(last);
        let turned = surname(first) && given(last) && !given(first);
        let apart = lexicon::is_work(&text[place.end..])
            || lexicon::is_cited(&text[..place.start])
            || lexicon::is_lessons(text, place.clone());
        if ((lower && (is_pair || turned) && !hit[0].contains(',')) || (upper && (is_pair || turned)))
            && !apart
        {
            found.push(Finding { kind: Kind::Name, place: place.clone() });
        }
        // The second word may be the first of the next pair.
        from = hit.name("last").map_or(place.end, |last| last.start());
    }
}

fn both(first: &str, last: &str, is: impl Fn(char) -> bool) -> bool {
    first.chars().chain(last.chars()).filter(|sign| sign.is_alphabetic()).all(is)
}
