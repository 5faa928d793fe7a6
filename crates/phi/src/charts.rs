//! What is pasted from a chart: segments of messages, resources, documents.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, names, pattern};

/// Fields that hold what they are called by.
static FIELDS: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    [
        // Segments of a person, with anything in their fields.
        (Kind::Name, r"\b(?:PID|NK1|GT1|IN1|MRG)\|[^\n]*?\p{L}{2,}\^\p{L}+"),
        (Kind::RecordNumber, r"\b(?:PID|NK1|GT1|IN1|MRG|PV1)\|[^\n]*?[A-Z]{0,3}\d{5,}"),
        // Resources and documents.
        (Kind::Name, r#"(?i)"(?:family|given)" ?: ?\[? ?"\p{L}"#),
        (
            Kind::Name,
            r"(?i)<(?:\w+:)?(?:given|family|(?:first|last|patient|given|family|sur) ?name)\b[^>]*> ?\p{L}",
        ),
        (Kind::DateOfBirth, r"(?i)\bbirth ?(?:time|date)\b\W{1,4}(?:value\W{1,3})?\d{4}-?\d{2}"),
        (Kind::RecordNumber, r#"(?i)<(?:\w+:)?id\b[^>]*\bextension ?= ?["'][^"']*\d{4}"#),
    ]
    .map(|(kind, text)| (kind, pattern(text)))
    .into_iter()
    .collect()
});

/// Components of a name in a message.
static COMPONENTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[|:~ ])(?P<name>(?P<last>\p{L}[\p{L}'-]+)\^(?P<first>\p{L}[\p{L}'-]*))(?:[\^|&~ ,.;?]|$)")
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    if !text.contains(['|', '"', '<', '^']) {
        return;
    }
    for (kind, field) in FIELDS.iter() {
        found.extend(field.find_iter(text).map(|hit| Finding { kind: *kind, place: hit.range() }));
    }
    for hit in COMPONENTS.captures_iter(text) {
        // Codes have components as well.
        let is_known = names::is_known(&hit["first"]) || names::is_known(&hit["last"]);
        if let Some(name) = hit.name("name").filter(|_| is_known) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}
