//! The guard of free text: what learners write passes it before anything is kept.
//!
//! [`Guarded`] is text in which the guard found nothing that identifies a patient. It has one constructor,
//! [`Guarded::new`], so a store that takes `Guarded` cannot be handed anything else. [`redact`] blanks what was found,
//! for uses that keep nothing.
//!
//! Text is normalized first (compatibility forms, invisible signs, dashes, spaces and digits of every script, labels with
//! errors in them), then read by detectors, one module per family: [`Kind`] lists what they look for. Identifiers of the
//! literature (PMID, DOI, NCT …) are set aside before, so that a citation is never taken for a record number. A name
//! counts in a context that makes it a patient's, or where a given name and a surname are both known: eponyms, authors
//! and lecturers are no patients.
//!
//! This crate is pure: no input or output, no model, linear-time patterns only. It misses things, which is why what it
//! lets pass is sealed at rest all the same.

mod charts;
mod citations;
mod contacts;
mod dates;
mod days;
mod grammar;
mod guarded;
mod labels;
mod machines;
#[cfg(feature = "measure")]
pub mod measure;
mod names;
mod normalize;
mod numbers;
mod shapes;
mod spoken;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use regex::{Captures, Regex};

pub use guarded::{Guarded, Identifying};
pub use normalize::normalize;

/// What identifies a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A social security or taxpayer number.
    SocialSecurity,
    /// A number of a record, account, insurance, license, or any long number that nothing explains.
    RecordNumber,
    /// A date of birth, or of an admission, a discharge, an operation or a death.
    DateOfBirth,
    /// A telephone number, e-mail address, profile or street address.
    Contact,
    /// A payment card or bank account.
    Payment,
    /// An address of a machine.
    MachineAddress,
    /// The name of a patient.
    Name,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SocialSecurity => "a social security number",
            Self::RecordNumber => "a record number",
            Self::DateOfBirth => "a date of birth or of care",
            Self::Contact => "contact details",
            Self::Payment => "a card or account number",
            Self::MachineAddress => "a network address",
            Self::Name => "a person's name",
        })
    }
}

/// Something that identifies a person, in the normalized text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    kind: Kind,
    place: Range<usize>,
}

/// A pattern that is a constant of this crate.
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are constants and tested")
}

/// Replaces every match, and copies nothing where there is none.
fn replace<'t>(text: Cow<'t, str>, found: &Regex, with: impl Fn(&Captures<'_>) -> String) -> Cow<'t, str> {
    match found.replace_all(&text, |hit: &Captures<'_>| with(hit)) {
        Cow::Borrowed(_) => text,
        Cow::Owned(replaced) => Cow::Owned(replaced),
    }
}

/// A family of detectors.
type Find = fn(&str, &mut Vec<Finding>);

/// Detectors of what citations may be taken for: they read texts without them.
const OF_NUMBERS: [Find; 6] =
    [numbers::find, shapes::find, dates::find, days::find, contacts::find, machines::find];

/// Everything that the detectors find in a normalized text.
fn findings(text: &str) -> Vec<Finding> {
    // Of the same length, so that places agree.
    let without_citations = citations::blank(text);
    let mut found = Vec::new();
    for find in OF_NUMBERS {
        find(&without_citations, &mut found);
    }
    charts::find(text, &mut found);
    names::find(text, &mut found);
    found
}

/// What a text holds that identifies a person.
pub fn scan(text: &str) -> BTreeSet<Kind> {
    findings(&normalize(text)).into_iter().map(|finding| finding.kind).collect()
}

/// The text, normalized, without what identifies a person.
pub fn redact(text: &str) -> String {
    let normalized = normalize(text);
    let mut places: Vec<Range<usize>> =
        findings(&normalized).into_iter().map(|finding| finding.place).collect();
    places.sort_by_key(|place| place.start);
    let (mut rest, mut from) = (String::with_capacity(normalized.len()), 0);
    for place in places {
        if place.start > from {
            rest.push_str(&normalized[from..place.start]);
            rest.push(' ');
        }
        from = from.max(place.end);
    }
    rest.push_str(&normalized[from..]);
    rest
}
