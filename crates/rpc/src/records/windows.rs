//! Counting what happens again and again, so that it is recorded once a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, Timestamp};

/// How long the same thing is counted and not recorded again.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Different things that are counted at the same time.
const MOST: usize = 10_000;

/// What counts as the same: who, what, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Same {
    pub(super) org: OrgId,
    pub(super) subject: String,
    pub(super) action: &'static str,
    pub(super) object: String,
    pub(super) why: String,
    pub(super) facts: Vec<(&'static str, String)>,
}

/// What was counted of the same, beyond the first that was recorded.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) same: Same,
    pub(super) scope: Arc<Scope>,
    pub(super) more: u64,
}

#[derive(Debug)]
struct Window {
    until: Timestamp,
    scope: Arc<Scope>,
    more: u64,
}

/// What to do with one more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the first for a minute.
    Record,
    /// It was counted.
    Counted,
    /// Too many different things happen at once.
    Overflow,
}

#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<HashMap<Same, Window>>);

impl Windows {
    /// Counts one in.
    pub(super) fn one(&self, same: &Same, scope: &Arc<Scope>, now: Timestamp) -> Verdict {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = open.get_mut(same) {
            window.more += 1;
            return Verdict::Counted;
        }
        if open.len() >= MOST {
            return Verdict::Overflow;
        }
        open.insert(same.clone(), Window { until: now.after(WINDOW), scope: Arc::clone(scope), more: 0 });
        Verdict::Record
    }

    /// Closes the windows that are over, or all of them; returns what was counted in them.
    pub(super) fn close(&self, now: Option<Timestamp>) -> Vec<Counted> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = open.extract_if(|_, window| now.is_none_or(|now| window.until <= now));
        over.filter(|(_, window)| window.more > 0)
            .map(|(same, window)| Counted { same, scope: window.scope, more: window.more })
            .collect()
    }
}
