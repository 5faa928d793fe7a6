//! One way of writing for what looks the same.

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use crate::{labels, pattern, spoken};

/// The zeros of the decimal digits that compatibility composition leaves alone.
const ZEROS: [char; 40] = [
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{de6}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17e0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19d0}',
    '\u{1a80}',
    '\u{1a90}',
    '\u{1b50}',
    '\u{1bb0}',
    '\u{1c40}',
    '\u{1c50}',
    '\u{a620}',
    '\u{a8d0}',
    '\u{a900}',
    '\u{a9d0}',
    '\u{a9f0}',
    '\u{aa50}',
    '\u{abf0}',
    '\u{104a0}',
    '\u{11066}',
    '\u{110f0}',
    '\u{11136}',
    '\u{1e950}',
];

/// Letters of other scripts that are read as Latin ones, and the Latin ones.
const LOOKALIKES: (&str, &str) = (
    "АВЕЅЗКМНОРСТУХІЈԌԚԜаеорсухіјѕԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαν",
    "ABESЗKMHOPCTYXIJGQWaeopcyxijsdqwhABEZHIKMNOPTYXoav",
);

/// Signs that are not seen: format characters, fillers, variation selectors.
fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || (sign.is_control() && !sign.is_whitespace())
}

/// One sign as it is compared.
fn fold(sign: char) -> char {
    match sign {
        '\n' | '\r' => '\n',
        _ if sign.is_whitespace() => ' ',
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{2043}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{301c}'
        | '\u{30fc}'
        | '\u{58a}'
        | '\u{1806}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '`' | '\u{b4}' => '\'',
        '\u{2022}' | '\u{b7}' | '\u{2027}' | '\u{2219}' | '\u{3002}' | '\u{2024}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        _ if !sign.is_ascii() => digit(sign),
        _ => sign,
    }
}

fn digit(sign: char) -> char {
    let value = ZEROS
        .iter()
        .find_map(|zero| u32::from(sign).checked_sub(u32::from(*zero)).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(sign)
}

/// Words that mix scripts are read as the Latin word that they look like.
fn without_lookalikes(text: &str) -> String {
    static MIXED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\p{L}*[a-zA-Z]\p{L}*[\p{Cyrillic}\p{Greek}]\p{L}*|\p{L}*[\p{Cyrillic}\p{Greek}]\p{L}*[a-zA-Z]\p{L}*",
        )
    });
    let latin = |sign: char| {
        let place = LOOKALIKES.0.chars().position(|other| other == sign);
        place.and_then(|place| LOOKALIKES.1.chars().nth(place)).unwrap_or(sign)
    };
    MIXED
        .replace_all(text, |word: &regex::Captures<'_>| word[0].chars().map(latin).collect::<String>())
        .into_owned()
}

/// The text in the form that the detectors read.
pub fn normalize(text: &str) -> String {
    /// Marks over or around digits: nothing that is written with digits needs them.
    static MARKED_DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(\d)\p{M}+"));
    // Most questions are plain: there is nothing to compose.
    if text.is_ascii() {
        let seen = text.chars().filter(|sign| !is_invisible(*sign)).map(fold);
        return labels::as_meant(spoken::written(&single_spaced(seen))).into_owned();
    }
    let folded: String = text.nfkc().filter(|sign| !is_invisible(*sign)).map(fold).collect();
    // Signs that were taken out may have stood between a letter and its accent.
    let composed = single_spaced(folded.nfkc());
    let plain = MARKED_DIGITS.replace_all(&composed, "$1").into_owned();
    let latin = if plain.is_ascii() { plain } else { without_lookalikes(&plain) };
    labels::as_meant(spoken::written(&labels::apart(&latin))).into_owned()
}

/// One space where there are several: columns and careless typing part what belongs together.
fn single_spaced(signs: impl Iterator<Item = char>) -> String {
    let mut spaced = String::new();
    for sign in signs {
        if sign != ' ' || !spaced.ends_with(' ') {
            spaced.push(sign);
        }
    }
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (written, read) in [
            ("123\u{2011}45\u{2011}6789", "123-45-6789"),
            ("１２３-45\u{a0}6789", "123-45 6789"),
            ("12\u{200b}3\u{ad}4", "1234"),
            ("\u{661}\u{662}\u{663}", "123"),
            ("1\u{336}2\u{20e3}3", "123"),
            ("М\u{52}N", "MRN"),
            ("Müller", "Müller"),
            ("Мария", "Мария"),
            ("4111  1111\t 1111", "4111 1111 1111"),
        ] {
            assert_eq!(normalize(written), read, "{written}");
        }
    }

    #[test]
    fn every_lookalike_has_its_letter() {
        assert_eq!(LOOKALIKES.0.chars().count(), LOOKALIKES.1.chars().count());
    }
}
