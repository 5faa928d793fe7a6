//! PubMed and Crossref: what they say about an article, and how carefully they are asked.

mod client;
mod crossref;
mod pubmed;

use std::fmt;

pub(crate) use client::{Asked, Registries, key_fingerprint};

/// What is known of an article, the worst last: of two findings, the later one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Verified,
    Erratum,
    ExpressionOfConcern,
    PartiallyRetracted,
    RetractedAndRepublished,
    Retracted,
    Unverifiable,
}

impl Verdict {
    pub(crate) const ALL: [Self; 7] = [
        Self::Verified,
        Self::Erratum,
        Self::ExpressionOfConcern,
        Self::PartiallyRetracted,
        Self::RetractedAndRepublished,
        Self::Retracted,
        Self::Unverifiable,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Erratum => "erratum",
            Self::ExpressionOfConcern => "expression_of_concern",
            Self::PartiallyRetracted => "partially_retracted",
            Self::RetractedAndRepublished => "retracted_and_republished",
            Self::Retracted => "retracted",
            Self::Unverifiable => "unverifiable",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// Whether content may be asked about for credit.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Verified | Self::Erratum)
    }

    /// Whether no one may be served from it any more.
    pub(crate) const fn is_retraction(self) -> bool {
        matches!(self, Self::PartiallyRetracted | Self::RetractedAndRepublished | Self::Retracted)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which registry has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registry {
    PubMed,
    Crossref,
}

impl Registry {
    /// The source class of what it has.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PubMed => "pubmed",
            Self::Crossref => "crossref",
        }
    }
}

/// An article as a registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Article {
    pub(crate) registry: Registry,
    pub(crate) pmid: String,
    pub(crate) doi: String,
    pub(crate) title: String,
    pub(crate) journal: String,
    pub(crate) year: String,
    pub(crate) verdict: Verdict,
    /// What the verdict was read from.
    pub(crate) markers: Vec<String>,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading<T> {
    /// This.
    Found(T),
    /// The registry has no such thing.
    Nothing(&'static str),
    /// It is no answer: asked again, it may be one.
    NoAnswer(&'static str),
}

/// One request and what came back, for the record.
#[derive(Debug, Clone)]
pub(crate) struct CallRecord {
    pub(crate) registry: &'static str,
    /// The request without its key and address.
    pub(crate) request: String,
    /// The HTTP status; 0 when none came.
    pub(crate) status: i64,
    pub(crate) body: Vec<u8>,
    pub(crate) finding: String,
    pub(crate) called_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_only_two_verdicts_count() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::of_name(verdict.name()), Some(verdict));
        }
        assert_eq!(Verdict::ALL.iter().filter(|verdict| verdict.counts()).count(), 2);
    }
}
