//! Numbers that are spelled out, and signs that are written around so that no filter sees them.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::{pattern, replace};

const UNITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// What a word for a number counts: "oh" is the zero of numbers that are read aloud.
fn value(word: &str) -> Option<usize> {
    let word = word.to_ascii_lowercase();
    let place = |words: &[&str]| words.iter().position(|other| *other == word);
    let tens = || place(&TENS).map(|tens| (tens + 2) * 10);
    let zero = || (word == "oh" || word == "o").then_some(0);
    place(&UNITS).or_else(|| place(&TEENS).map(|teen| teen + 10)).or_else(tens).or_else(zero)
}

/// The digits of a number that is read aloud: "two one nine, oh nine" is 21909, "double four" is 44.
fn digits(run: &str) -> String {
    let (mut digits, mut times, mut tens) = (String::new(), 1, false);
    for word in run.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "dash" | "hyphen" | "slash" => {}
            "double" => times = 2,
            "triple" => times = 3,
            _ => {
                let read = value(word).map_or_else(|| word.to_owned(), |value| value.to_string());
                // "Twenty-six" is one number.
                if read.len() == 1 && tens {
                    digits.pop();
                }
                tens = value(word).is_some_and(|value| value >= 20);
                digits.push_str(&read.repeat(times));
                times = 1;
            }
        }
    }
    digits
}

/// The year that is written in words behind "nineteen" or "two thousand".
fn year(said: &Captures<'_>) -> String {
    let words: Vec<&str> = said[0].split([' ', '-']).collect();
    let (century, named) = if words[0].eq_ignore_ascii_case("nineteen") { (1900, 1) } else { (2000, 2) };
    let behind: usize = words.iter().skip(named).filter_map(|word| value(word)).sum();
    (century + behind).to_string()
}

/// The text with numbers in figures and with the signs that were written around.
pub(crate) fn written(text: &str) -> Cow<'_, str> {
    static SIGNS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i) ?[\[({<] ?(?:(?P<dot>dot|\.|punto|punkt|point)|at|@|arroba) ?[\])}>] ?|(?P<before>[a-z0-9])[(\[]a[)\]](?P<behind>[a-z0-9])",
        )
    });
    static DOTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(?P<digit>\d) dot "));
    static YEARS: LazyLock<Regex> = LazyLock::new(|| {
        let (tens, units) = (TENS.join("|"), UNITS[1..].join("|"));
        let teens = TEENS.join("|");
        pattern(&format!(
            r"(?i)\b(?:nineteen|two thousand(?: and)?)[ -](?:(?:{tens}|{teens})(?:[ -](?:{units}))?|(?:oh|o)[ -](?:{units}))\b"
        ))
    });
    static RUNS: LazyLock<Regex> = LazyLock::new(|| {
        let word = format!("(?:(?:double|triple)[ -])?(?:{}|oh)", UNITS.join("|"));
        // Pairs of digits are read as one number, behind three that are read alone.
        let pair = format!("(?:{})(?:[ -](?:{}))?", TENS.join("|"), UNITS[1..].join("|"));
        let gap = "(?: ?[,.-] ?| (?:dash|hyphen|slash) | )";
        pattern(&format!(
            r"(?i)\b{word}(?:{gap}(?:{word}|\d{{1,4}})\b){{2,}}(?:{gap}(?:{pair}|{})\b)*",
            TEENS.join("|")
        ))
    });
    static GROUPS: LazyLock<Regex> = LazyLock::new(|| {
        let (units, teens, tens) = (UNITS.join("|"), TEENS.join("|"), TENS.join("|"));
        pattern(&format!(
            r"(?i)(?P<digit>\d)(?: dot (?P<figures>\d{{1,3}})|(?: dot |\.)(?P<said>{teens}|(?:{tens})(?:[ -](?:{units}))?|{units}))\b"
        ))
    });
    static AROUND: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)[\[({<]|\d dot |thousand|(?:zero|one|two|three|four|five|six|seven|eight|nine|teen)[ ,.-]",
        )
    });
    let mut text = Cow::Borrowed(text);
    if !AROUND.is_match(&text) {
        return text;
    }
    text = replace(text, &SIGNS, |hit| match (hit.name("dot"), hit.name("before"), hit.name("behind")) {
        (Some(_), ..) => ".".to_owned(),
        (_, Some(before), Some(behind)) => format!("{}@{}", before.as_str(), behind.as_str()),
        _ => "@".to_owned(),
    });
    text = replace(text, &DOTS, |hit| format!("{}.", &hit["digit"]));
    text = replace(text, &YEARS, year);
    text = replace(text, &RUNS, |hit| digits(&hit[0]));
    // Each group of an address is known by the one before.
    for _ in 0..3 {
        text = replace(text, &GROUPS, |hit| {
            let group = hit.name("figures").or_else(|| hit.name("said")).map_or("", |group| group.as_str());
            format!("{}.{}", &hit["digit"], digits(group))
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_figures_and_signs() {
        for (said, read) in [
            ("two one nine, 09, 9999", "219099999"),
            ("four-four-seven-one", "4471"),
            ("double five, oh one", "5501"),
            ("april nineteen fifty-six", "april 1956"),
            ("two thousand and twelve", "2012"),
            ("192[.]168 dot 10 dot 4", "192.168.10.4"),
            ("jane (at) doe [dot] org", "jane@doe.org"),
            ("jane(a)doe.org", "jane@doe.org"),
            ("one or two tablets", "one or two tablets"),
            ("criteria (a) and (b)", "criteria (a) and (b)"),
        ] {
            assert_eq!(written(said), read, "{said}");
        }
    }
}
