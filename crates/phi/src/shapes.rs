//! Numbers that no label explains, but that are written as no quantity is: with leading zeros, with letters before
//! groups, with letters between digits.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, numbers, pattern};

/// Forms of numbers, and the least digits that they have.
static SHAPES: LazyLock<Vec<(Kind, usize, Regex)>> = LazyLock::new(|| {
    [
        // Quantities have no leading zeros.
        (Kind::RecordNumber, 5, r"(?:^|[^\w.,:/-])(?P<value>(?:0\d{4,}|0\d+(?:[-/:]\d{2,}){1,3})[A-Z]?)(?:[^\w.,:/-]|[.,:]?(?:\s|$))"),
        // Letters, and groups of digits.
        (Kind::RecordNumber, 6, r"(?:^|[^\w./-])(?P<value>[A-Z]{1,3}-?\d{2,}(?:-\d{2,}){1,4}[A-Z]?)(?:[^\w./-]|[.,]?(?:\s|$))"),
        (Kind::RecordNumber, 5, r"(?:^|[^\w./-])(?P<value>[A-Z]{1,3}-\d{5,}|\d{5,}-[A-Z]{1,3})(?:[^\w./-]|[.,]?(?:\s|$))"),
        (Kind::RecordNumber, 6, r"(?:^|[^\w./-])(?P<value>\d{2,}-[A-Z]{1,3}\d{0,4}-?\d{3,}|\d{6,}-[A-Z]{1,3}\d{0,3}|\d{2,}-\d{3,}-[A-Z]{1,2})(?:[^\w./-]|[.,]?(?:\s|$))"),
        // Three groups of digits or more, and no date.
        (Kind::RecordNumber, 8, r"(?:^|[^\w./-])(?P<value>\d{2,}(?:-\d{2,}){2,5})(?:[^\w./-]|[.,]?(?:\s|$))"),
        // A country's own grouping: groups of three or four.
        (Kind::SocialSecurity, 8, r"(?:^|[^\w.,/-])(?P<value>\d{3,4}[ -]\d{3}[ -]\d{3}(?:[ -][A-Z]{1,2})?|[A-Z]{4} ?\d{4} ?\d{4})(?:[^\w./-]|[.,]?(?:\s|$))"),
        // Letters and digits mixed, longer than any gene or compound.
        (Kind::RecordNumber, 6, r"(?:^|[^\w./-])(?P<value>(?:[A-Z]{1,4}\d{1,4}){2,4}[A-Z]{0,3}\d{2,}[A-Z]?)(?:[^\w./-]|[.,]?(?:\s|$))"),
        // The last four digits of anything.
        (Kind::SocialSecurity, 4, r"(?i)\blast[ -]?(?:4|four)(?: digits?)?(?: of (?:her|his|the|their|my))?(?: number)?[ :=#]{1,3}(?:is |are |was |were )?(?P<value>[a-z]?\d{4})\b"),
        // Numbers of telephones that end in two pairs.
        (Kind::Contact, 10, r"(?:^|[^\w.,/-])(?P<value>\d{3}[ .-]\d{3}[ .-]\d{2}[ .-]\d{2})(?:[^\w./-]|[.,]?(?:\s|$))"),
        // Serial numbers of few digits.
        (Kind::RecordNumber, 2, r"\b(?i:sn|s/n|serial(?: no\.?| number| #)?)[ :#]{1,2}(?:is )?(?P<value>[A-Z\d-]*[A-Z][A-Z\d-]*\d[A-Z\d-]{2,}|\d[A-Z\d-]*[A-Z][A-Z\d-]{2,})\b"),
        // Addresses of hardware without signs.
        (Kind::MachineAddress, 4, r"\b(?P<value>(?:[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32}|[0-9A-F]{12}|[0-9A-F]{16}|[0-9A-F]{32}))\b"),
        (Kind::MachineAddress, 12, r"\b(?P<value>0{4}[0-9A-F]{4}-[0-9A-F]{16})\b"),
    ]
    .map(|(kind, least, text)| (kind, least, pattern(text)))
    .into_iter()
    .collect()
});

/// Days and months look like groups of a number.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\d{1,2}[-/]\d{1,2}[-/](?:\d{2}|(?:19|20)\d{2})|(?:\d{1,2}[-/])?(?:19|20)\d{2}|(?:19|20)\d{2}[-/]\d{1,2}(?:[-/]\d{1,2})?|\d{2}:\d{2}(?::\d{2})?(?:-\d{2}:\d{2})?)$",
    )
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    if digits(text) < 2 {
        return;
    }
    for (kind, least, shape) in SHAPES.iter() {
        for value in shape.captures_iter(text).filter_map(|hit| hit.name("value")) {
            let letters = || value.as_str().bytes().filter(u8::is_ascii_alphabetic).count();
            // Twelve digits alone are a number, which is looked at elsewhere.
            let is_one = digits(value.as_str()) >= *least && (*kind != Kind::MachineAddress || letters() > 1);
            // Doses that are raised end in noughts and fives.
            let is_row = || value.as_str().split([' ', '-']).all(|group| group.ends_with(['0', '5']));
            let years = || value.as_str().split([' ', '-']).any(numbers::is_year);
            // Tapers and scales have small groups only.
            let is_taper = || {
                *kind == Kind::RecordNumber
                    && value.as_str().contains('-')
                    && value.as_str().split('-').all(|group| group.len() < 3)
                    && !value.as_str().starts_with('0')
            };
            if is_one && !is_taper() && !is_row() && !years() && !DATE.is_match(value.as_str()) {
                found.push(Finding { kind: *kind, place: value.range() });
            }
        }
    }
}
