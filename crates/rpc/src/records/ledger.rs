//! Putting entries on record: those that come at the same time go together.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_core::{Clock, Scope};
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};
use tokio::sync::oneshot;

use super::windows::{Same, Verdict, Windows};
use crate::service::Task;

/// How often counts are looked through.
const SWEEP: Duration = Duration::from_secs(10);

/// One thing to put on the record of an org.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who did it, in which org.
    pub scope: Arc<Scope>,
    /// What was done.
    pub action: &'static str,
    /// To what.
    pub object: String,
    /// Why it was refused, when it was.
    pub refused: Option<String>,
    /// What belongs to it.
    pub facts: Vec<(&'static str, String)>,
}

/// What the record calls a refusal.
pub(super) const REFUSED: &str = "access.refused";

impl Entry {
    /// `scope` was refused `object`, for the reason of this code.
    pub fn refusal(scope: &Arc<Scope>, object: &str, why: &str) -> Self {
        Self {
            scope: Arc::clone(scope),
            action: REFUSED,
            object: object.trim_start_matches('/').to_owned(),
            refused: Some(why.to_owned()),
            facts: vec![("role", scope.role().to_string())],
        }
    }
}

/// An entry that is not on record.
#[derive(Debug, Clone, thiserror::Error)]
#[error("this could not be put on record: {0}")]
pub struct Unrecorded(pub String);

/// Where a service puts entries: its own outbox, from which they go to the org's log.
#[async_trait]
pub trait Recorder: Send + Sync + fmt::Debug {
    /// Puts entries of one org on its record, all or none, for good.
    async fn record(&self, entries: Vec<Entry>) -> Result<(), Unrecorded>;
}

/// The deployment itself, which is no tenant: what is done there goes to the process's own log.
pub(super) fn platform() -> OrgId {
    OrgId::from(uuid::Uuid::nil())
}

type Outcome = Result<(), Unrecorded>;

/// What waits for the writer of an org.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<(Entry, oneshot::Sender<Outcome>)>>,
    turn: tokio::sync::Mutex<()>,
}

/// The record as the layers of one service see it.
#[derive(Debug)]
pub struct Ledger {
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    queues: Mutex<HashMap<OrgId, Arc<Queue>>>,
    windows: Windows,
}

impl Ledger {
    /// A record that is kept by `recorder`.
    pub fn new(recorder: Arc<dyn Recorder>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { recorder, clock, queues: Mutex::default(), windows: Windows::default() })
    }

    /// Puts an entry on record before it returns. Who waits at the same time waits for one write.
    pub async fn put(&self, entry: Entry) -> Outcome {
        let org = entry.scope.org();
        if org == platform() {
            let (actor, why) = (entry.scope.subject(), entry.refused.as_deref().unwrap_or_default());
            tracing::warn!(target: "security", actor, action = entry.action, object = entry.object, why, facts = ?entry.facts, "done in no organization");
            return Ok(());
        }
        let queue =
            Arc::clone(self.queues.lock().unwrap_or_else(PoisonError::into_inner).entry(org).or_default());
        let (done, mut outcome) = oneshot::channel();
        queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((entry, done));
        let _turn = queue.turn.lock().await;
        // Anyone who had the turn before may have written this one too.
        match outcome.try_recv() {
            Ok(outcome) => return outcome,
            Err(oneshot::error::TryRecvError::Closed) => {
                return Err(Unrecorded("the write was broken off".into()));
            }
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        let waiting = std::mem::take(&mut *queue.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let (entries, waiters): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let written = self.recorder.record(entries).await;
        for waiter in waiters {
            // No one waits any more: the entry is on record all the same.
            let _ = waiter.send(written.clone());
        }
        written
    }

    /// Puts on record what may happen again and again: the first of a minute at once, then how often.
    pub async fn count(&self, entry: Entry) -> Outcome {
        let same = Same {
            org: entry.scope.org(),
            subject: entry.scope.subject().to_owned(),
            action: entry.action,
            object: entry.object.clone(),
            why: entry.refused.clone().unwrap_or_default(),
            facts: entry.facts.clone(),
        };
        match self.windows.one(&same, &entry.scope, self.clock.now()) {
            Verdict::Record => self.put(entry).await,
            Verdict::Counted => Ok(()),
            Verdict::Overflow => {
                tracing::warn!(target: "security", org = %same.org, actor = same.subject, action = same.action, object = same.object, why = same.why, "too much at once to put each on record");
                Ok(())
            }
        }
    }

    /// The task that puts counts on record.
    pub fn task(self: &Arc<Self>) -> Task {
        let ledger = Arc::clone(self);
        Task::new("counts", OnEnd::Restart, move |stop| Arc::clone(&ledger).run(stop))
    }

    async fn run(self: Arc<Self>, stop: Stop) -> Result<(), TaskError> {
        loop {
            let goes_on = stop.sleep(SWEEP).await;
            self.sweep(!goes_on).await;
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Records what was counted in windows that are over, or at the end in all.
    async fn sweep(&self, all: bool) {
        for counted in self.windows.close((!all).then(|| self.clock.now())) {
            let Same { action, object, why, mut facts, .. } = counted.same;
            facts.push(("further_times", counted.more.to_string()));
            let entry = Entry {
                scope: counted.scope,
                action,
                object,
                refused: Some(why).filter(|why| !why.is_empty()),
                facts,
            };
            if let Err(error) = self.put(entry).await {
                tracing::error!(%error, action, times = counted.more, "a count could not be put on record");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::clock::ManualClock;
    use preceptor_core::{SystemActor, Timestamp};

    use super::*;

    #[derive(Debug, Default)]
    struct Kept {
        writes: Mutex<Vec<Vec<Entry>>>,
    }

    #[async_trait]
    impl Recorder for Kept {
        async fn record(&self, entries: Vec<Entry>) -> Outcome {
            // Long enough that others come meanwhile.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let fails = entries.iter().any(|entry| entry.object == "fails");
            self.writes.lock().expect("a lock").push(entries);
            if fails { Err(Unrecorded("no disk".into())) } else { Ok(()) }
        }
    }

    fn entry(scope: &Arc<Scope>, object: &str) -> Entry {
        Entry {
            scope: Arc::clone(scope),
            action: "read",
            object: object.into(),
            refused: None,
            facts: Vec::new(),
        }
    }

    fn ledger() -> (Arc<Kept>, Arc<ManualClock>, Arc<Ledger>, Arc<Scope>) {
        let kept = Arc::new(Kept::default());
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)));
        let ledger = Ledger::new(Arc::clone(&kept) as _, Arc::clone(&clock) as _);
        (kept, clock, ledger, Arc::new(Scope::of_system(SystemActor::Gateway, OrgId::generate())))
    }

    #[tokio::test]
    async fn entries_that_come_together_are_written_together_and_each_knows_how_it_went() {
        let (kept, _, ledger, scope) = ledger();
        let puts = (0..50).map(|number| ledger.put(entry(&scope, &number.to_string())));
        assert!(futures::future::join_all(puts).await.iter().all(Result::is_ok));
        let writes: Vec<usize> = kept.writes.lock().expect("a lock").iter().map(Vec::len).collect();
        assert_eq!(writes.iter().sum::<usize>(), 50);
        assert!(writes.len() < 5, "{writes:?}");
        assert!(ledger.put(entry(&scope, "fails")).await.is_err());
        assert!(ledger.put(entry(&scope, "again")).await.is_ok());
    }

    #[tokio::test]
    async fn the_same_is_recorded_once_a_minute_with_how_often() {
        let (kept, clock, ledger, scope) = ledger();
        for _ in 0..1000 {
            ledger.count(entry(&scope, "one")).await.expect("it is counted");
        }
        ledger.count(entry(&scope, "another")).await.expect("it is recorded");
        let objects = || {
            kept.writes
                .lock()
                .expect("a lock")
                .iter()
                .flatten()
                .map(|entry| entry.object.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(objects(), ["one", "another"]);
        ledger.sweep(false).await;
        assert_eq!(objects().len(), 2, "the minute is not over");
        clock.advance(super::super::windows::WINDOW);
        ledger.sweep(false).await;
        let writes = kept.writes.lock().expect("a lock").concat();
        assert_eq!(
            writes.last().map(|entry| (entry.object.as_str(), entry.facts.as_slice())),
            Some(("one", &[("further_times", "999".to_owned())][..]))
        );
    }
}
