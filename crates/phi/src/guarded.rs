//! Text that passed the guard.

use std::collections::BTreeSet;
use std::fmt;

use crate::{Kind, scan};

/// Text in which the guard found nothing that identifies a patient. Personal all the same: its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Guarded(String);

/// What the guard found. It names kinds, never the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifying(BTreeSet<Kind>);

impl Guarded {
    /// Lets a text pass in which nothing identifies a patient. The only way to make one.
    pub fn new(text: &str) -> Result<Self, Identifying> {
        let kinds = scan(text);
        if kinds.is_empty() { Ok(Self(text.to_owned())) } else { Err(Identifying(kinds)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded([redacted])")
    }
}

impl Identifying {
    /// The kinds that were found.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Identifying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<String> = self.0.iter().map(Kind::to_string).collect();
        match kinds.split_last() {
            Some((last, [])) => f.write_str(last),
            Some((last, rest)) => write!(f, "{} and {last}", rest.join(", ")),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Identifying {}
