//! The index of objects, compared with the records that it is of.
//!
//! The index says which records speak of an object, and who can write the tables can delete rows of it, so that a record
//! that stands in the log would be left out of what is shown. So the records themselves are counted by what they speak of,
//! once by each process and from there on: their root has to be the one that was signed. Where the index names fewer, the
//! records are read without it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::Scope;
use preceptor_core::id::OrgId;
use preceptor_runtime::Health;
use preceptor_runtime::health::State;
use preceptor_store::Handle;
use preceptor_tlog::Checkpoint;

use super::Frontier;
use crate::store::{self, about, leaf};
use crate::{Deps, Error};

/// The name of the part in the health of the process.
const PART: &str = "index";
/// Records that are counted at a time.
const PAGE: u64 = 1000;
/// Logs whose counts are kept.
const MOST_LOGS: usize = 64;

/// What a log holds about some objects.
#[derive(Debug)]
pub(crate) struct About {
    /// All of it, in the order of the log.
    pub(crate) leaves: Vec<leaf::Model>,
    /// The places of those that the index does not name.
    pub(crate) unindexed: Vec<i64>,
}

/// The records of one log, counted by what they speak of.
#[derive(Debug, Default)]
struct Counted {
    frontier: Frontier,
    /// By a hash: the names of all objects of a large log would take too much memory.
    records: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Counted {
    fn take(&mut self, record: &[u8]) {
        self.frontier.append(record);
        if let Some(object) = about::object_of(record) {
            *self.records.entry(self.hasher.hash_one(object.as_str())).or_default() += 1;
        }
    }

    /// How many records speak of one of these objects.
    fn about(&self, objects: &BTreeSet<&str>) -> usize {
        let count = |object: &&str| self.records.get(&self.hasher.hash_one(*object)).copied().unwrap_or(0);
        objects.iter().map(|object| count(object) as usize).sum()
    }
}

/// Holds the indexes of all logs against their records.
#[derive(Debug)]
pub(crate) struct Index {
    store: Handle,
    health: Health,
    logs: Mutex<HashMap<OrgId, Arc<tokio::sync::Mutex<Counted>>>>,
}

impl Index {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self { store: deps.store.clone(), health: deps.health.clone(), logs: Mutex::default() }
    }

    /// What the log holds about these objects under a signed head, whether or not the index names it. What the index lacks
    /// is told, and is an alarm.
    pub(crate) async fn about(
        &self,
        scope: &Arc<Scope>,
        head: &Checkpoint,
        objects: &[String],
    ) -> Result<About, Error> {
        let objects: BTreeSet<&str> = objects.iter().map(String::as_str).collect();
        let expected = self.expected(scope, head, &objects).await?;
        let tx = self.store.read(scope).await?;
        let mut leaves = about::indexed(&tx, &objects, head.size).await?;
        if leaves.len() == expected {
            return Ok(About { leaves, unindexed: Vec::new() });
        }
        let named: BTreeSet<i64> = leaves.iter().map(|leaf| leaf.idx).collect();
        leaves = about::read(&tx, &objects, head.size).await?;
        let unindexed: Vec<i64> =
            leaves.iter().map(|leaf| leaf.idx).filter(|place| !named.contains(place)).collect();
        if !unindexed.is_empty() {
            self.complain(scope.org(), &unindexed);
        }
        Ok(About { leaves, unindexed })
    }

    fn counted(&self, org: OrgId) -> Arc<tokio::sync::Mutex<Counted>> {
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= MOST_LOGS && !logs.contains_key(&org) {
            logs.clear();
        }
        Arc::clone(logs.entry(org).or_default())
    }

    /// How many records speak of these objects, by the records under a signed head. When others have counted further by now
    /// it may be more, and the records are read.
    async fn expected(
        &self,
        scope: &Arc<Scope>,
        head: &Checkpoint,
        objects: &BTreeSet<&str>,
    ) -> Result<usize, Error> {
        let log = self.counted(scope.org());
        let mut counted = log.lock().await;
        for _ in 0..2 {
            self.count_up_to(scope, head.size, &mut counted).await?;
            if counted.frontier.size() > head.size || counted.frontier.root().0 == head.root {
                return Ok(counted.about(objects));
            }
            // What was counted is not this log any more, as after a restore. It is counted from its beginning.
            *counted = Counted::default();
        }
        Err(Error::Inconsistent("the records do not give the root that was signed".into()))
    }

    async fn count_up_to(&self, scope: &Arc<Scope>, size: u64, counted: &mut Counted) -> Result<(), Error> {
        while counted.frontier.size() < size {
            let next = counted.frontier.size();
            let tx = self.store.read(scope).await?;
            let page = store::leaves(&tx, next as i64, PAGE.min(size - next)).await?;
            drop(tx);
            if page.first().is_none_or(|leaf| leaf.idx as u64 != next) {
                return Err(Error::Inconsistent(format!("record {next} is missing")));
            }
            for leaf in page {
                counted.take(&leaf.record);
            }
        }
        Ok(())
    }

    /// Says it in the process's log, and in the health of the process until that starts again.
    fn complain(&self, org: OrgId, unindexed: &[i64]) {
        tracing::error!(
            alarm = "INDEX_INCOMPLETE",
            org.id = %org,
            records = ?unindexed,
            "the index of a log lacks records that are in it: rows were deleted by hand; the records were read without it"
        );
        let why = "an index of records was changed outside the product; see the process's own log";
        self.health.set(PART, State::Degraded(why.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use preceptor_proto::events::v1::AuditRecord;
    use prost::Message as _;

    use super::*;

    fn record(object: &str) -> Vec<u8> {
        AuditRecord { object: object.to_owned(), ..AuditRecord::default() }.encode_to_vec()
    }

    #[test]
    fn records_are_counted_by_what_they_speak_of_and_under_their_root() {
        let (mut counted, mut frontier) = (Counted::default(), Frontier::default());
        for object in ["one", "two", "one", "", "three", "one"] {
            counted.take(&record(object));
            frontier.append(&record(object));
        }
        let about = |objects: &[&str]| counted.about(&objects.iter().copied().collect());
        assert_eq!([about(&["one"]), about(&["two", "one"]), about(&["none"]), about(&[])], [3, 4, 0, 0]);
        assert_eq!(about(&[""]), 0, "a record of nothing is in no index");
        assert_eq!((counted.frontier.size(), counted.frontier.root().0), (6, frontier.root().0));
    }
}
