//! Best scores under pseudonyms that cannot be traced to a learner.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use preceptor_rpc::Call;
use sha2::{Digest as _, Sha256};

use super::Credits;
use crate::Error;
use crate::error::Missing;
use crate::store::{attempts, result};

const PLACES: usize = 20;
/// Fewer learners than this could guess who is who.
const LEAST_LEARNERS: usize = 3;

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) rank: usize,
    pub(crate) name: String,
    pub(crate) percent: i64,
    pub(crate) you: bool,
}

const ADJECTIVES: [&str; 16] = [
    "amber", "brisk", "calm", "clever", "copper", "eager", "gentle", "golden", "keen", "lively", "patient",
    "quiet", "silver", "steady", "swift", "warm",
];
const ANIMALS: [&str; 16] = [
    "badger", "beaver", "crane", "dolphin", "falcon", "finch", "heron", "ibis", "lynx", "marten", "otter",
    "owl", "plover", "raven", "robin", "wren",
];

/// A name that stays the same within one form and says nothing outside of it.
fn nickname(form: &str, learner: &str) -> String {
    let hash = Sha256::digest(format!("{form}/{learner}"));
    let pick = |words: &[&'static str; 16], byte: u8| words[usize::from(byte % 16)];
    format!("{} {} {:02}", pick(&ADJECTIVES, hash[0]), pick(&ANIMALS, hash[1]), hash[2] % 100)
}

impl Credits {
    /// The best result of each learner at the open form. Empty when the provider does not want one or too few took part.
    pub(crate) async fn leaderboard(&self, call: &Call, program: &str) -> Result<Vec<Standing>, Error> {
        self.program(call, program).await?;
        let scope = call.shared_scope();
        let tx = self.deps.store.read(&scope).await?;
        let open = attempts::open_form_of(&tx, program).await?.ok_or(Error::NotFound(Missing::Quiz))?;
        let form = attempts::form(&tx, &open).await?.ok_or(Error::NotFound(Missing::Quiz))?;
        if !form.leaderboard {
            return Ok(Vec::new());
        }
        let key = key(&tx.org_key(), &open);
        let ranked = if let Some(known) = self.leaderboards.get(&key) {
            known
        } else {
            let ranked = Arc::new(ranked(attempts::results(&tx, &open).await?));
            self.leaderboards.insert(key, Arc::clone(&ranked));
            ranked
        };
        let place = |(rank, (learner, percent)): (usize, &(String, i64))| Standing {
            rank: rank + 1,
            name: nickname(&open, learner),
            percent: *percent,
            you: learner == scope.subject(),
        };
        Ok(ranked.iter().enumerate().map(place).collect())
    }

    /// Has a leaderboard made anew: someone took the quiz.
    pub(super) fn forget_leaderboard(&self, org: &str, form: &str) {
        self.leaderboards.invalidate(&key(org, form));
    }
}

/// Leaderboards that were asked for a moment ago: learners with the percentage of their best result.
pub(super) type Leaderboards = Cache<String, Arc<Vec<(String, i64)>>>;

/// In another process a result may be noticed this much later.
const FRESH: Duration = Duration::from_secs(10);
const MOST_REMEMBERED: u64 = 1000;

pub(super) fn leaderboards() -> Leaderboards {
    Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(FRESH).build()
}

fn key(org: &str, form: &str) -> String {
    format!("{org}/{form}")
}

/// The best learners, the earlier of equals first; no one when too few took part. Results come best first.
fn ranked(results: Vec<result::Model>) -> Vec<(String, i64)> {
    let mut best: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for result in results {
        best.entry(result.learner)
            .or_insert((result.right_answers * 100 / result.items, result.completed_at));
    }
    if best.len() < LEAST_LEARNERS {
        return Vec::new();
    }
    let mut ranked: Vec<_> = best.into_iter().collect();
    ranked.sort_by_key(|(_, (percent, completed_at))| (-percent, *completed_at));
    ranked.into_iter().take(PLACES).map(|(learner, (percent, _))| (learner, percent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nickname_belongs_to_one_form() {
        assert_eq!(nickname("f1", "u1"), nickname("f1", "u1"));
        let forms: std::collections::BTreeSet<_> =
            (0..50).map(|form| nickname(&form.to_string(), "u1")).collect();
        assert!(forms.len() > 40);
    }
}
