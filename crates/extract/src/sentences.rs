//! Where sentences begin and end.
//!
//! A sentence ends at a full stop, question mark or exclamation mark that is followed by white space and something that
//! can begin a sentence, unless the stop belongs to an abbreviation; an empty line ends one always. Answers quote
//! sentences as they stand, so a sentence is a byte range of its text and nothing is changed in it.

use std::ops::Range;

/// Abbreviations whose stop ends no sentence, as they stand before it.
const ABBREVIATIONS: [&str; 18] = [
    "e.g", "i.e", "vs", "dr", "mr", "mrs", "ms", "prof", "fig", "figs", "no", "al", "approx", "st", "ref",
    "refs", "etc", "cf",
];

/// The sentences of `text`, in order, without the white space between them.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for end in ends(text) {
        push(text, start..end, &mut found);
        start = end;
    }
    push(text, start..text.len(), &mut found);
    found
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let sentence = &text[range.clone()];
    let trimmed = sentence.trim();
    if !trimmed.is_empty() {
        let start = range.start + (sentence.len() - sentence.trim_start().len());
        found.push(start..start + trimmed.len());
    }
}

/// Offsets behind the last character of each sentence but the last.
fn ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let characters = text.char_indices().peekable();
    for (at, character) in characters {
        if character == '\n' && text[at + 1..].starts_with('\n') {
            ends.push(at);
            continue;
        }
        if !matches!(character, '.' | '!' | '?') {
            continue;
        }
        let behind = at + character.len_utf8();
        let closers = text[behind..].find(|c| !matches!(c, '"' | '\'' | ')' | ']' | '”' | '’')).unwrap_or(0);
        let end = behind + closers;
        let rest = &text[end..];
        let next = rest.trim_start();
        let separated = next.len() < rest.len();
        let begins = next
            .trim_start_matches(['"', '\'', '(', '[', '“', '‘'])
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || c.is_numeric());
        if separated && begins && !(character == '.' && is_abbreviation(&text[..at])) {
            ends.push(end);
        }
    }
    ends.dedup();
    ends
}

/// Whether the word that `before` ends with is an abbreviation or an initial.
fn is_abbreviation(before: &str) -> bool {
    let word_start =
        before.rfind(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"')).map_or(0, |at| at + 1);
    // A quote or bracket may be longer than one byte; the boundary is then found by characters.
    let word = before.get(word_start..).unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_are_found() {
        assert_eq!(
            split(
                "Doses rose (e.g. 5 mg). J. Smith et al. Agreed! Did p = 0.05 hold?  \"Yes.\" 3.5 mg was given"
            ),
            [
                "Doses rose (e.g. 5 mg).",
                "J. Smith et al. Agreed!",
                "Did p = 0.05 hold?",
                "\"Yes.\"",
                "3.5 mg was given"
            ]
        );
    }

    #[test]
    fn an_empty_line_ends_a_sentence() {
        assert_eq!(
            split("A heading\n\nand a text. Über alles.\n\n- item"),
            ["A heading", "and a text.", "Über alles.", "- item"]
        );
    }

    #[test]
    fn nothing_is_lost_but_white_space() {
        let text = " One.  Two!\n\nThree “(four).” Fünf? ";
        let joined: String = split(text).concat();
        let squeezed: String = text.split_whitespace().collect::<Vec<_>>().concat();
        assert_eq!(joined.split_whitespace().collect::<Vec<_>>().concat(), squeezed);
    }
}
