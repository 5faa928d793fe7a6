//! Dates of birth: a date in any written form beside a word for birth, or right behind a person.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, grammar, pattern};

/// Months in the languages that learners write, cut to what tells them apart.
pub(crate) const MONTH: &str = r"(?:jan(?:uary|uar|vier|\.)?|feb(?:ruary|ruar|\.)?|f[eé]vr?(?:ier|\.)?|janv\.?|juill\.?|mar(?:ch|s|zo|\.)?|m[aä]r(?:z|\.)|apr(?:il|ile|\.)?|avr(?:il|\.)?|abr(?:il|\.)?|may|mai|mayo|mag(?:gio|\.)?|maio|jun(?:e|i|io|ho|\.)?|juin|giu(?:gno|\.)?|jul(?:y|i|io|ho|\.)?|juil(?:let|\.)?|lug(?:lio|\.)?|aug(?:ust|\.)?|ao[uû]t|ago(?:sto|\.)?|sept?(?:ember|embre|iembre|\.)?|set(?:iembre|tembre|embro|\.)?|oct(?:ober|obre|ubre|\.)?|okt(?:ober|\.)?|ott(?:obre|\.)?|out(?:ubro|\.)?|nov(?:ember|embre|iembre|embro|\.)?|dec(?:ember|\.)?|d[eé]c(?:embre|\.)?|dez(?:ember|embro|\.)?|dic(?:iembre|embre|\.)?|enero|ene\.?|genn?(?:aio|\.)?|janeiro|febbraio|febrero|fevereiro|mar[cç]o|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|wrze[sś]nia|pa[zź]dziernika|listopada|grudnia|januari|februari|maart|mei|augustus|augusti|maj|\p{Cyrillic}{3,9})";

/// A day of a month, in figures or in words.
pub(crate) const DAY: &str = r"(?:\d{1,2}(?:st|nd|rd|th|er|º|ª)?|(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)";

/// A date with its day, and with its year where one is needed.
fn date(needs_year: bool) -> String {
    let year = r"(?:'?\d{2}|(?:1[89]|20)\d{2})";
    let (day, rest) = (DAY, if needs_year { "" } else { "?" });
    [
        // 3/4/1956, 03-04-56, 3. 4. 1956
        format!(r"\d{{1,2}} ?[/.\-_|\\,:] ?\d{{1,2}} ?[/.\-_|\\,:] ?{year}"),
        // 1956-04-03
        r"(?:1[89]|20)\d{2} ?[/.\-_] ?\d{1,2} ?[/.\-_] ?\d{1,2}".to_owned(),
        // 3/IV/1956
        format!(r"\d{{1,2}}[ ./-](?:i{{1,3}}|iv|vi{{0,3}}|ix|xi{{0,2}}|x)[ ./-]{year}"),
        // 3 April 1956, the 3rd of April, 3-Apr-56, 3 de abril de 1956
        format!(r"{day}[ .\-/]{{0,3}}(?:day )?(?:of |de |d[i'] ?|the )?{MONTH}(?:[ .,\-/]{{0,3}}(?:de |of |del )?{year}){rest}"),
        // April 3rd, 1956; Apr 3
        format!(r"{MONTH}[ .\-/]{{1,2}}(?:the )?{day}(?:[ .,\-/]{{1,3}}(?:of )?{year}){rest}"),
        // 1956 April 3
        format!(r"(?:1[89]|20)\d{{2}}[ .,\-/]{{1,2}}{MONTH}[ .\-/]{{1,2}}{day}"),
    ]
    .join("|")
}

/// Words that say that what follows is a date of birth.
const BIRTH: &str = r"(?:d[./ ]? ?o[./ ]? ?b\b\.?|date ?(?:of|-of-)? ?birth|birth ?-?dates?|birth ?-?days?|b-?day|bdate|d of b|born on|fecha (?:de )?nac\w*|f\. ?(?:de )?nac\w*|fdn|naissance|ddn|geburts?(?:datum|tag)|geb\.? ?-?dat\w*\.?|nascita|nascimento|cumple ?a[nñ]os|anniversaire|compleanno|geboorte(?:datum)?|födelse\w*|fødsels\w*|urodz\w*|doğum \w+)";
/// Words for birth that stand in other sentences as well: they need a whole date.
const BORN: &str = r"(?:born\b|birth|née?|naci[oó]\b|nac\b\.?|naiss\b\.?|nacid[oa]|nacimiento|geboren|geb\b\.?|nat[oa]\b|nasc(?:eu|id[oa])|född|født|ur\.|рожд\p{L}*|родил\p{L}*)";
pub(crate) const SOMEBODY: &str = r"(?:man|woman|male|female|patient|pt|gentleman|lady|boy|girl|client|guy|baby|infant|neonate|newborn|child|toddler|twin|she|he|him|her|mother|father|son|daughter|wife|husband)";

/// Years alone: "born in 1946" is said of cohorts, a "year of birth: 1956" of one person.
const YEAR_OF_BIRTH: &str = r"(?i)\b(?:y\.?o\.?b\b\.?|year of birth|birth year|d\.?o\.?b\b\.?|date of birth)[ :=(]{1,3}(?:is |was |in )?(?:19|20)\d{2}\b";

/// A cheap look: without a word for birth and without a date in figures there is nothing to find.
static CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)birth|\bborn|b[. -]?day|bdate|\bd.?.?o.?.?b|d of b|nac[ií]|\bnac\b|naiss|\b(?:ddn|fdn|bd|fn|née?|geb|nat[oa]|b|ur|yob|y\.o\.b)\b|geb|nasc|anniv|complean|cumplea|född|født|fødsel|födel|urodz|doğum|рожд|родил|生|생|\bturn|will be|becom|became|going to be|celebrat|delivered|cumple|\bdn\b|d\.n\.|f\.n\.|年|년|\*|\d ?[/.\-_|\\] ?\d{1,2} ?[/.\-_|\\] ?\d{2}",
    )
});

static DATES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let (date, whole, year) = (date(false), date(true), r"(?:(?:19|20)\d{2}|\d{2})");
    let gap = grammar::gap();
    [
        // A word for birth, and within reach a date.
        format!(r"(?i)\b{BIRTH}(?P<gap>;?[^\d\n!?;]{{0,40}}?)\n?(?:{date})(?:\b|t\d)"),
        r"(?:明治|大正|昭和|平成|令和) ?\d{1,2} ?年 ?\d{1,2} ?月 ?\d{1,2} ?日|\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?日 ?(?:出?生|생)".to_owned(),
        r"(?:生年月日|出生|생년월일)[^\d\n]{0,6}\d{4} ?[^\d ] ?\d{1,2} ?[^\d ] ?\d{1,2}".to_owned(),
        format!(r"(?i)\b{BORN}(?P<gap>[^\d\n!?;]{{0,40}}?)\n?(?:{whole})\b"),
        format!(r"(?i)\bdob(?:{date})\b"),
        format!(r"\b(?:BD|FN|F\.N\.|DN|D\.N\.|Bd)[ :=.-]{{1,3}}(?i:{whole})\b"),
        // … or digits without signs, or with spaces, right behind it.
        format!(r"(?i)\b{BIRTH}{gap}(?:{date})(?:\b|t\d)"),
        format!(r"(?i)\b{BIRTH}{gap}(?:\d{{8}}|\d{{6}}|\d{{1,2}} \d{{1,2}} (?:\d{{4}}|\d{{2}})|\d{{1,2}}[/.-]\d{{1,2}}|{DAY} (?:of )?{MONTH})\b"),
        format!(r"(?i)\b(?:{BIRTH}|{BORN})[ :=#.\-(]{{1,3}}(?:is |was |on )?(?:\d{{8}}|\d{{6}}|\d{{1,2}} \d{{1,2}} (?:\d{{4}}|\d{{2}}))\b"),
        // … or a month and a year, or a day and a month in figures.
        format!(r"(?i)\b{BIRTH}[^\d\n!?;]{{0,12}}(?:(?:19|20)\d{{2}}[-/]\d{{2}}|{MONTH}(?:,| of| de| del)? '?(?:(?:1[89]|20)\d{{2}}|\d{{2}})|\d{{1,2}}[/.\-](?:1[89]|20)?\d{{2}}|\d{{1,2}}[/.\-]\d{{1,2}})\b"),
        format!(r"(?i)\b(?:{SOMEBODY},? (?:(?:who )?(?:was|is) )?born (?:in |around )?|née? en |nacid[oa] en |nat[oa] (?:nel|in|a) |geboren (?:im )?)(?:{MONTH}(?:,| of| de)? (?:1[89]|20)\d{{2}}|\d{{1,2}}/(?:1[89]|20)?\d{{2}})\b"),
        // … or a day without its year: cohorts are born between years.
        format!(r"(?i)(?:\b{SOMEBODY},? (?:(?:who )?(?:was|is) )?(?:born|delivered)|(?:^|[.,;:(] ?)born)(?P<gap> (?:on |the |this |last ){{0,2}})(?:{date})\b"),
        // … or a month and its year, unless many are born there.
        format!(r"(?i)\b(?P<who>\p{{L}}+ )?born in (?:{MONTH}(?:,| of| de)? (?:1[89]|20)\d{{2}})\b"),
        format!(r"(?i)\b(?:{whole}) is (?:when|the day) (?:\p{{L}}+ ){{1,3}}was born\b"),
        // A date, and the word behind it.
        format!(r"(?i)\b(?:{date})[ ,)]{{0,3}}(?:\(? ?(?:is|was|as|=)? ?(?:(?:her|his|their|the|patient'?s?|pt'?s?|my) )*){BIRTH}"),
        // A star or "b." before a whole date.
        r"(?i)(?:^|[\s(,])(?:b\.?|\*) ?(?:\d{1,2}[/.\-]\d{1,2}[/.\-](?:\d{4}|\d{2})|(?:19|20)\d{2}[/.\-]\d{1,2}[/.\-]\d{1,2})\b".to_owned(),
        format!(r"(?i)(?:^|[\s(,])b\. ?(?:{whole})\b"),
        // Who turns an age on a day.
        format!(r"(?i)\b(?:turn(?:s|ed|ing)?|will be|becomes?|became|(?:is )?going to be|celebrat\w+ (?:her|his|their)) (?:the )?(?:\d{{1,3}}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)(?:[ -]\p{{L}}{{3,5}})?)(?:th|st|nd|rd)?(?: (?:birthday|today))? on (?:the )?(?:{date}|\d{{1,2}}/\d{{1,2}})\b"),
        // A date in place of an age, right behind a person or an age.
        format!(r"(?i)\b(?:{SOMEBODY}|\d{{1,3}} ?-?(?:y/?o|yrs?|years?(?:[ -]old)?|m|f)(?: (?:fe)?male| (?:wo)?man)?)[ ,:(]{{1,3}}(?:\d{{1,2}}/\d{{1,2}}/{year}|\d{{1,2}}\.\d{{1,2}}\.{year}|\d{{1,2}}-\d{{1,2}}-(?:19|20)\d{{2}}|19\d{{2}}-\d{{2}}-\d{{2}})\b"),
        // A day of the week that somebody was born on.
        r"(?i)\b(?:born|delivered)(?: on| last| this)? (?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? (?:the )?\d{1,2}[/.-]\d{1,2}\b".to_owned(),
        YEAR_OF_BIRTH.to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// The year alone of somebody who is spoken of: "born in 1929, do we treat her".
fn find_years(text: &str, found: &mut Vec<Finding>) {
    static YEAR: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)(?P<who>\p{L}+ )?\bborn (?:in |around )?19\d{2}(?:[^\w'-]|$)"));
    static ONE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:he|she|him|her|his|my (?:pt|patient|mother|father|mom|mum|dad|wife|husband)|this (?:pt|patient|man|woman|lady|gentleman))\b",
        )
    });
    let Some(hit) = YEAR.captures(text) else { return };
    let of_many = hit.name("who").is_some_and(|who| is_many(who.as_str()));
    if let Some(whole) = hit.get(0).filter(|_| !of_many && ONE.is_match(text)) {
        found.push(Finding { kind: Kind::DateOfBirth, place: whole.range() });
    }
}

/// Whether the words before a date make it the border of a cohort: "born after October 1, 2023".
fn is_border(gap: &str) -> bool {
    let words = gap.split(|sign: char| !sign.is_alphabetic()).filter(|word| !word.is_empty());
    words.enumerate().any(|(place, word)| match word.to_lowercase().as_str() {
        "before" | "after" | "since" | "between" => true,
        // "The date of birth from the chart" is one person's.
        "from" | "until" => place == 0,
        _ => false,
    })
}

/// Whether the word before "born" is one for many: cohorts are born in a month too.
fn is_many(who: &str) -> bool {
    let who = who.trim_end().to_lowercase();
    (who.ends_with('s') && who != "was" && who != "is")
        || matches!(who.as_str(), "were" | "are" | "people" | "women" | "men" | "children" | "those" | "all")
}

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    if !CUE.is_match(text) {
        return;
    }
    find_years(text, found);
    for date in DATES.iter() {
        for hit in date.captures_iter(text) {
            if hit.name("who").is_some_and(|who| is_many(who.as_str())) {
                continue;
            }
            let border = hit.name("gap").is_some_and(|gap| is_border(gap.as_str()));
            if let Some(whole) = hit.get(0).filter(|_| !border) {
                found.push(Finding { kind: Kind::DateOfBirth, place: whole.range() });
            }
        }
    }
}
