//! Numbers that stand for a person: social security, records, accounts, cards.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, pattern};

/// Nine digits as they are grouped in a social security number.
static GROUPED_SSN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|\D)\d{3} ?[-. /_]{1,2} ?\d{2} ?[-. /_]{1,2} ?\d{4}\b"));

/// Words for a social security or taxpayer number, and any nine digits (or the last four) behind them.
static NAMED_SSN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let word = r"(?i)\b(?:s\.?s\.?n\.?|ss ?(?:#|no\b\.?|num\w*)|soc(?:ial)?\.?(?: ?sec(?:urity)?\.?)?|i\.?t\.?i\.?n|tin|tax(?:payer)? id\w*|national (?:id|insurance)\w*|nino)\b";
    [
        format!(r"{word}[^\d\n.!?]{{0,30}}\d(?:[ ./_-]{{0,3}}\d){{8}}\b"),
        format!(
            r"{word}[^\d\n.!?]{{0,30}}(?:\b(?:ends?|ending|last)\b[^\d\n]{{0,20}}|[x*#-]{{4,9}})\d{{4}}\b"
        ),
        r"(?i)\b(?:last|final) (?:four|4)\b[^\d\n.!?]{0,24}\b(?:ssn|social)\b[^\d\n.!?]{0,24}\d{4}\b"
            .to_owned(),
        r"(?i)\bssn[:#]?\d(?:[ ./_-]{0,3}\d){8}\b".to_owned(),
        r"(?i)\b\d(?:[ ./_-]?\d){8}\b[^\d\n.!?]{0,12}\b(?:ssn|social security|social)\b".to_owned(),
        r"(?i)\b(?:national insurance|nino|\bni)\b[^\d\n]{0,12}[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b"
            .to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// What a number may look like: letters in front, groups behind.
const VALUE: &str =
    r"(?P<value>[a-z]{0,4}[-/ ]?\d[\da-z]*(?:[-./_ ]{1,2}(?:[a-z]{1,2}[-./_])?[a-z]{0,2}\d[\da-z]*)*)";

/// Words whose numbers are a person's whatever they look like.
static STRONG: LazyLock<Regex> = LazyLock::new(|| {
    let numbered = r"(?:med(?:ical)?\.? ?rec(?:ord)?s?|health ?(?:record|care|card)?|record|rec|chart|patient|pt|hospital|hosp|clinic|unit|member|membership|subscriber|insurance|insured|policy|plan|group|account|acct|case|file|folder|encounter|visit|admission|accession|specimen|sample|beneficiary|medicare|medicaid|nhs|driver'?s? ?(?:licen[cs]e)?|licen[cs]e|certificate|device|serial|plate|passport|vehicle|claim|registration|prescription|rx|identification|identity|reference|ref|urn)";
    let number = r"(?:(?:id|i\.d\.|identifier|identification|number|num|nr|no|code|n)\b\.?|nº|n°|#|№)";
    pattern(&format!(
        r"(?i)\b(?:m\.?r\.?n\.?|mr ?(?:#|no\b\.?|number)|emr|ehr|uhid|csn|fin|hicn|mbi|nhs|vin|{numbered}(?:'s)? ?{number})(?: ?{number})*(?:\W{{1,4}}(?:is|was|of|for|to|the|her|his|their|this|that|patient|pt|we|have|has|listed|as|reads?|number|no|ends?|ending|in|with)\b){{0,5}}[ \n]?[\W&&[^\d]]{{0,4}}{VALUE}"
    ))
});

/// Words whose numbers are a person's when they are long enough to be no year, dose or count.
static WEAK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:medical records?|med rec|record|chart|patient|pt|client|member|subscriber|insurance|insured|policy|account|acct|case|file|encounter|visit|admission|accession|specimen|sample|medicare|medicaid|licen[cs]e|passport|plate|serial|claim|id|i\.d\.|identifier|hospital)(?:\W{{1,3}}(?:is|was|of)\b)?[ :#=(\[-]{{1,4}}{VALUE}"
    ))
});

/// Numbers whose form alone says what they are.
static FORMS: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    [
        // A Medicare beneficiary identifier.
        (Kind::RecordNumber, r"(?i)\b[1-9][ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d-?[ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d-?[ac-hj-km-np-rt-y]{2}\d{2}\b"),
        (Kind::Payment, r"(?i)\biban\b[^\d\n]{0,12}[a-z]{2}\d{2}(?: ?[a-z0-9]{2,4}){3,8}\b"),
        (Kind::Payment, r"\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b"),
        (Kind::Payment, r"(?i)\b(?:credit|debit|card|visa|master ?card|amex|american express|maestro|discover|cc)\b[^\d\n]{0,24}\d{4}(?:[ .-]?\d{2,6}){2,4}\b"),
        (Kind::Payment, r"(?i)\b(?:credit|debit|card|visa|master ?card|amex|account)\b[^\d\n]{0,16}\b(?:ending|ends|last)\b[^\d\n]{0,16}\d{4}\b"),
        (Kind::RecordNumber, r"(?i)\b(?:mrn|medical record)\b[^\d\n.!?]{0,40}\d(?:[ ./-]?\d){4,}\b"),
        (Kind::Payment, r"(?i)\b(?:cvv|cvc|routing|sort code|swift|bic)\b[ :#]*(?:number|no\.?|code|is)?[ :#]*[a-z]{0,8}\d{3,9}\b"),
    ]
    .map(|(kind, text)| (kind, pattern(text)))
    .into_iter()
    .collect()
});

/// Digits in a row, or grouped, enough for a card.
static CARD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\d(?:[ .-]{0,2}\d){11,18}\b"));
/// Digits in a row that are too many for a dose or a year. Decimals and digits behind a comma are amounts.
static LONG: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^\w.,])(?P<value>[A-Za-z]{0,3}[-#]?\d{7,})(?P<behind>[^\w]|$)"));
/// What an amount is of.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^ ?(?:%|x ?10|/|[mkµμn]?g\b|[mµμdn]?l\b|iu\b|units?\b|u\b|copies|cells|platelets|spermatozoa|colony|cfu|people|patients|participants|persons|women|men|children|deaths|cases|individuals|dollars|usd|eur|years|per\b|genomes?|reads|bases|bp\b)",
    )
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return;
    }
    let mut add = |kind, place| found.push(Finding { kind, place });
    GROUPED_SSN.find_iter(text).for_each(|hit| add(Kind::SocialSecurity, hit.range()));
    for named in NAMED_SSN.iter() {
        named.find_iter(text).for_each(|hit| add(Kind::SocialSecurity, hit.range()));
    }
    for hit in STRONG.captures_iter(text) {
        if digits(&hit["value"]) >= 3 && !is_year(&hit["value"]) {
            add(Kind::RecordNumber, whole(&hit));
        }
    }
    for hit in WEAK.captures_iter(text) {
        if is_long_enough(&hit["value"]) {
            add(Kind::RecordNumber, whole(&hit));
        }
    }
    for (kind, form) in FORMS.iter() {
        form.find_iter(text).for_each(|hit| add(*kind, hit.range()));
    }
    for hit in CARD.find_iter(text).filter(|hit| passes_luhn(hit.as_str())) {
        add(Kind::Payment, hit.range());
    }
    for hit in LONG.captures_iter(text) {
        let (Some(value), Some(behind)) = (hit.name("value"), hit.name("behind")) else { continue };
        if !is_amount(value.as_str(), &text[behind.start()..]) {
            add(Kind::RecordNumber, value.range());
        }
    }
}

fn whole(hit: &regex::Captures<'_>) -> Range<usize> {
    hit.get(0).map_or(0..0, |all| all.range())
}

fn digits(value: &str) -> usize {
    value.bytes().filter(u8::is_ascii_digit).count()
}

fn is_year(value: &str) -> bool {
    value.len() == 4 && (value.starts_with("19") || value.starts_with("20"))
}

/// Whether a number behind a weak word is one of a person: not years, not "2015-2020", not "12 of 20".
fn is_long_enough(value: &str) -> bool {
    let groups: Vec<&str> =
        value.split([' ', '-', '/', '.', '_']).filter(|group| !group.is_empty()).collect();
    let first = groups.first().copied().unwrap_or_default();
    let joined = !value.contains([' ', '.']);
    let all_years = groups.iter().all(|group| is_year(group));
    !all_years
        && (digits(first) >= 5
            || (joined && digits(value) >= 6)
            || (digits(first) >= 4 && first.starts_with(char::is_alphabetic)))
}

/// Round numbers and numbers with a unit count things.
fn is_amount(value: &str, behind: &str) -> bool {
    value.ends_with("000") || UNIT.is_match(behind)
}

/// ISO/IEC 7812: the check digit of cards.
fn passes_luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|sign| sign.to_digit(10)).collect();
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    (12..=19).contains(&digits.len())
        && digits.iter().any(|digit| *digit != 0)
        && weighed.sum::<u32>() % 10 == 0
}
