//! Whole dates that are one person's: beside a person, of an age that the text states, of a stay, or too long ago to be
//! of anything else that is asked about.

use std::sync::LazyLock;

use regex::Regex;

use crate::dates::{DAY, MONTH, SOMEBODY};
use crate::{Finding, Kind, pattern};

/// A whole date in each written form, with its year.
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    let year = r"(?:(?:19|20)\d{2}|'?\d{2})";
    pattern(&format!(
        r"(?i)(?:^|[^\w./-])(?P<date>(?P<figures>\d{{1,2}} ?[/.-] ?\d{{1,2}} ?[/.-] ?(?P<year1>(?:19|20)\d{{2}}|\d{{2}})|(?P<year2>(?:19|20)\d{{2}})[/.-]\d{{1,2}}[/.-]\d{{1,2}})|{DAY}[ .\-/]{{0,2}}(?:of |de )?{MONTH}[ .,\-/]{{0,3}}(?:de |of |del )?(?P<year3>{year})|{MONTH}[ .\-/]{{1,2}}{DAY}[ .,\-/]{{1,3}}(?P<year4>{year}))(?:[^\w/-]|[/-][^\d]|$)"
    ))
});
/// A person right before a date …
static PERSON_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)(?:\b(?:{SOMEBODY}|(?:fe)?male|dame|herr|frau|hombre|mujer|homme|femme)|\b\d{{1,3}} ?-?(?:y\.?/?o?|yrs?|years?(?:[ -]old)?|ans|años|anni|jahre)\.?(?:[/ ]?(?:[mfw]|(?:fe)?male))?|\b\d{{1,3}} ?[/-]? ?(?:[mfw]|(?:fe)?male)|(?:^|[\s,;(|])[mfw]|\bage ?/ ?dob \d{{1,3}})[ ,;:(|/-]{{1,3}}$"
    ))
});
/// … or right behind it.
static PERSON_BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[ ,;)|/-]{1,3}(?:[mf]\b(?:[^./']|$)|(?:fe)?male\b|\d{1,3} ?-?(?:y\b|y/?o\b|yrs?\b|years?[ -]old)|mrn\b|ssn\b)",
    )
});
/// An age in a text.
static AGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?P<before>\d{1,3}) ?-?(?:y\b|y\.?/?o?\.?[mf]?\b|yrs?\b|years?(?:[ -]old)?\b|[mf]\b|ans\b|años\b|anni\b|jahre\b|jährig\w*)|\bage[d:]? ?(?P<behind>\d{1,3})\b",
    )
});
/// What happens to one person on a day.
static STAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:adm(?:it(?:ted)?|ission|n)?|re-?admitted|disch(?:arged?)?|d/?c'?d|doa|dos|dod|doi|d\.o\.[sda]\.?|died|deceased|expired|passed(?: away)?|(?:date|time|day) of (?:death|admission|discharge|service|surgery|visit|injury|procedure|operation)|death date|deathdate|(?:pt|patient|he|she|who)(?: was| is)?(?: last)? (?:seen|operated|transfused|transplanted|implanted|hospitali[sz]ed|intubated|delivered|evaluated)|seen|visit(?:ed)?(?: date)?|surgery(?: date)?|appointment|appt|lmp|edd|edc|hospitali[sz]ed|aufgenommen|entlassen|ingres[oó]\w*|alta|verstorben|admise? le|hospitalisée?|falleci[oó]))(?: (?:on|at|was|is|el|am|le|the|in|clinic|icu|er|ed|here|home))*[ :=(,-]{0,3}$",
    )
});
/// Words beside dates that are of works, laws and cohorts.
static OF_WORKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:publi\w+|approv\w+|updat\w+|version|revis\w+|access\w+|trial|stud(?:y|ies)|cohort|enrol\w+|recruit\w+|guidelines?|protocol|policy|effective|label\w*|issued?|releas\w+|conference|lecture|webinar|retriev\w+|patients|women|men|those|were|participants|subjects|history|invent\w+|discover\w+|pandemic|outbreak|lockdown|declared)\b",
    )
});

/// Borders of a time, right before a date or right behind it.
static BORDER: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        pattern(
            r"(?i)\b(?:between|from|until|through|since|before|after|by|as of|desde|hasta|entre|depuis|zwischen|bis|seit|and|to)\W{1,2}(?:the |el |le |dem )?$",
        ),
        pattern(
            r"(?i)^\W{1,2}(?:to|until|through|and|till|hasta|bis|au) (?:the )?(?:\d|\p{L}{3,9} \d)|^ ?- ?\d",
        ),
    ]
});
/// A text about one person: any day in it is one of that person's life.
static ONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:he|she|his|her|him|pt|ptnt|pt's|my patient|this patient|our patient|the (?:patient|pt) (?:is|was|has|had|who|came|fell)|my (?:mother|father|mom|dad|wife|husband|son|daughter))\b",
    )
});

/// The years in which a text may have been written.
const WRITTEN: std::ops::RangeInclusive<i32> = 2015..=2036;
/// The last year of birth of which a day is asked by nobody else: later days are of trials and approvals.
const LONG_AGO: i32 = 1999;

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut ages = None;
    let is_of_one = LazyLock::new(|| ONE.is_match(text));
    for hit in WHOLE.captures_iter(text) {
        let Some(date) = hit.name("date") else { continue };
        let year = ["year1", "year2", "year3", "year4"].iter().find_map(|name| hit.name(name));
        let year: Option<i32> = year.and_then(|year| year.as_str().trim_start_matches('\'').parse().ok());
        let Some(year) = year else { continue };
        let (before, behind) = (&text[..date.start()], &text[date.end()..]);
        let ages = ages.get_or_insert_with(|| ages_in(text));
        let is_long_ago = || hit.name("figures").is_some() && (1900..=LONG_AGO).contains(&year);
        let is_persons = PERSON_BEFORE.is_match(last(before, 24))
            || PERSON_BEHIND.is_match(behind)
            || (!is_of_a_work(before, behind)
                && (STAY.is_match(last(before, 40)) || fits(year, ages) || is_long_ago() || *is_of_one));
        if is_persons {
            found.push(Finding { kind: Kind::DateOfBirth, place: date.range() });
        }
    }
}

fn ages_in(text: &str) -> Vec<i32> {
    let age = |hit: regex::Captures<'_>| {
        let age = hit.name("before").or_else(|| hit.name("behind"));
        age.and_then(|age| age.as_str().parse().ok())
    };
    AGE.captures_iter(text).filter_map(age).collect()
}

/// Whether somebody born in a year has one of the ages when the text is written.
fn fits(year: i32, ages: &[i32]) -> bool {
    let years = if year < 100 { vec![1900 + year, 2000 + year] } else { vec![year] };
    // A newborn's age in years says nothing.
    ages.iter().any(|age| *age > 2 && years.iter().any(|year| WRITTEN.contains(&(year + age))))
}

/// Whether words near a date make it one of a work or of many.
fn is_of_a_work(before: &str, behind: &str) -> bool {
    OF_WORKS.is_match(last(before, 48))
        || OF_WORKS.is_match(first(behind, 20))
        || BORDER[0].is_match(last(before, 16))
        || BORDER[1].is_match(first(behind, 24))
}

/// The last bytes of a text, from a sign on.
fn last(text: &str, bytes: usize) -> &str {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

fn first(text: &str, bytes: usize) -> &str {
    let mut to = text.len().min(bytes);
    while !text.is_char_boundary(to) {
        to -= 1;
    }
    &text[..to]
}
