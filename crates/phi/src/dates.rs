//! Dates of birth: a date in any written form beside a word for birth, or right behind a person.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, pattern};

/// Months in the languages that learners write, cut to what tells them apart.
const MONTH: &str = r"(?:jan(?:uary|uar|vier|\.)?|feb(?:ruary|ruar|\.)?|f[eé]v(?:rier|\.)?|mar(?:ch|s|zo|\.)?|m[aä]r(?:z|\.)|apr(?:il|ile|\.)?|avr(?:il|\.)?|abr(?:il|\.)?|may|mai|mayo|mag(?:gio|\.)?|maio|jun(?:e|i|io|ho|\.)?|juin|giu(?:gno|\.)?|jul(?:y|i|io|ho|\.)?|juil(?:let|\.)?|lug(?:lio|\.)?|aug(?:ust|\.)?|ao[uû]t|ago(?:sto|\.)?|sept?(?:ember|embre|iembre|\.)?|set(?:iembre|tembre|embro|\.)?|oct(?:ober|obre|ubre|\.)?|okt(?:ober|\.)?|ott(?:obre|\.)?|out(?:ubro|\.)?|nov(?:ember|embre|iembre|embro|\.)?|dec(?:ember|\.)?|d[eé]c(?:embre|\.)?|dez(?:ember|embro|\.)?|dic(?:iembre|embre|\.)?|enero|ene\.?|genn?(?:aio|\.)?|janeiro|febbraio|febrero|fevereiro|mar[cç]o|\p{Cyrillic}{3,9})";

/// A day of a month, in figures or in words.
const DAY: &str = r"(?:\d{1,2}(?:st|nd|rd|th|er|º|ª)?|(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)";

/// A date with its day, and with its year where one is needed.
fn date(needs_year: bool) -> String {
    let year = r"(?:'?\d{2}|(?:1[89]|20)\d{2})";
    let (day, rest) = (DAY, if needs_year { "" } else { "?" });
    [
        // 3/4/1956, 03-04-56, 3. 4. 1956
        format!(r"\d{{1,2}} ?[/.\-_] ?\d{{1,2}} ?[/.\-_] ?{year}"),
        // 1956-04-03
        r"(?:1[89]|20)\d{2} ?[/.\-_] ?\d{1,2} ?[/.\-_] ?\d{1,2}".to_owned(),
        // 3/IV/1956
        r"\d{1,2}[ ./-](?:i{1,3}|iv|vi{0,3}|ix|xi{0,2}|x)[ ./-](?:1[89]|20)\d{2}".to_owned(),
        // 3 April 1956, the 3rd of April, 3-Apr-56, 3 de abril de 1956
        format!(r"{day}[ .\-/]{{0,2}}(?:of |de |d[i'] ?|the )?{MONTH}(?:[ .,\-/]{{0,3}}(?:de |of |del )?{year}){rest}"),
        // April 3rd, 1956; Apr 3
        format!(r"{MONTH}[ .\-/]{{1,2}}(?:the )?{day}(?:[ .,\-/]{{1,3}}(?:of )?{year}){rest}"),
        // 1956 April 3
        format!(r"(?:1[89]|20)\d{{2}}[ .,\-/]{{1,2}}{MONTH}[ .\-/]{{1,2}}{day}"),
    ]
    .join("|")
}

/// Words that say that what follows is a date of birth.
const BIRTH: &str = r"(?:d[./]? ?o[./]? ?b\b\.?|date ?(?:of|-of-) ?birth|birth ?-?dates?|birth ?-?days?|b-?day|bdate|d of b|born on|fecha de nac\w*|naissance|geburtsdatum|geburtstag|nascita|nascimento|cumplea[nñ]os|anniversaire|compleanno)";
/// Words for birth that stand in other sentences as well: they need a whole date.
const BORN: &str =
    r"(?:born|birth|née?|nacid[oa]|nacimiento|geboren|geb\.?|nat[oa]|nascid[oa]|рожд\p{L}*|родил\p{L}*)";
const SOMEBODY: &str = r"(?:man|woman|male|female|patient|pt|gentleman|lady|boy|girl|client|he|she|him|her)";

static DATES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let (date, whole, year) = (date(false), date(true), r"(?:(?:19|20)\d{2}|\d{2})");
    [
        // A word for birth, and within reach a date.
        format!(r"(?i)\b{BIRTH}[^\d\n!?;]{{0,40}}?\n?(?:{date})\b"),
        format!(r"(?i)\b{BORN}[^\d\n!?;]{{0,40}}?\n?(?:{whole})\b"),
        format!(r"(?i)\bdob(?:{date})\b"),
        // … or digits without signs, or with spaces, right behind it.
        format!(r"(?i)\b(?:{BIRTH}|{BORN})[ :=#.\-]{{1,3}}(?:is |was |on |of )?(?:\d{{8}}|\d{{6}}|\d{{1,2}} \d{{1,2}} (?:\d{{4}}|\d{{2}}))\b"),
        // … or a month and a year, or a day and a month in figures.
        format!(r"(?i)\b{BIRTH}[^\d\n!?;]{{0,12}}(?:{MONTH},? (?:1[89]|20)\d{{2}}|\d{{1,2}}/(?:1[89]|20)?\d{{2}}|\d{{1,2}}[/.\-]\d{{1,2}})\b"),
        format!(r"(?i)\b{SOMEBODY},? (?:(?:who )?(?:was|is) )?born (?:in )?(?:{MONTH},? (?:1[89]|20)\d{{2}}|\d{{1,2}}/(?:1[89]|20)\d{{2}})\b"),
        // A date, and the word behind it.
        format!(r"(?i)\b(?:{date})[ ,)]{{0,3}}(?:\(? ?(?:is|was|as|=)? ?(?:(?:her|his|their|the|patient'?s?|pt'?s?|my) )*){BIRTH}"),
        // A star or "b." before a whole date.
        r"(?i)(?:^|[\s(,])(?:b\.?|\*) ?\d{1,2}[/.\-]\d{1,2}[/.\-](?:\d{4}|\d{2})\b".to_owned(),
        format!(r"(?i)(?:^|[\s(,])b\. ?(?:{whole})\b"),
        // A date in place of an age, right behind a person or an age.
        format!(r"(?i)\b(?:{SOMEBODY}|\d{{1,3}} ?-?(?:y/?o|yrs?|years?(?:[ -]old)?|m|f))[ ,:(]{{1,3}}(?:\d{{1,2}}/\d{{1,2}}/{year}|\d{{1,2}}\.\d{{1,2}}\.{year}|\d{{1,2}}-\d{{1,2}}-(?:19|20)\d{{2}}|19\d{{2}}-\d{{2}}-\d{{2}})\b"),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    for date in DATES.iter() {
        found.extend(date.find_iter(text).map(|hit| Finding { kind: Kind::DateOfBirth, place: hit.range() }));
    }
}
