//! Durable work: queued in the transaction that wants it, done once, and never lost.
//!
//! The queue is a table in the cell, under the prefix of the service that owns it (`<service>_job`). A job is written with
//! the change that wants it; anyone who does it takes a lease and counts the try **before** it begins, so that work which
//! took the process down is known by its count and not begun forever.
//!
//! * [`Queue::enqueue`] adds a job with a [`TenantTx`]: it is there when that transaction commits, and only then. A
//!   second job for the same subject is the same job.
//! * [`Queue::work`] does jobs: orgs take turns, one that had much of the workers' time comes after those that had
//!   little, and never more than some of the workers are with one org. What fails is tried again after a growing pause;
//!   what failed too often, or ended two processes, is given up through [`Work::give_up`].
//! * A lease is renewed while the work goes on. A worker that dies is followed by another when the lease ends; a process
//!   that is the only one of its service ([`Settings::alone`]) need not wait for the leases of those before it.
//! * [`Queue::cancel`] takes a job away, at whatever point it is: its worker is stopped at the next renewal.
//! * What is done time and again is one job: [`Queue::again`] puts it off until the next time.
//! * Progress is kept with the job, at most once a second, and read by the one who asks: [`Queue::progress`].
//!
//! * Work for which one job stands in for many changes ("whatever of this org is due") looks once more in the transaction
//!   that finishes it: writers of a service take turns within an org, so a change either is seen there or queues the next job.
//!
//! What this crate does not do: it knows no kind of work, and it promises *at least once* only. A worker's result belongs
//! into one transaction with [`Queue::finish`], which tells whether the job is still this worker's.

mod queue;
mod rota;
mod table;

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use preceptor_core::id::OrgId;
#[doc(hidden)]
pub use preceptor_store as store;
use preceptor_store::TenantTx;

pub use queue::{Queue, Settings};
pub use table::{JobTable, Row};

/// Why work could not be done for now, in words for the log.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A job in the hands of a worker.
pub struct Job {
    /// Whose it is.
    pub org: OrgId,
    /// What is to be done.
    pub kind: String,
    /// To what.
    pub subject: String,
    /// Which try this is, counted from 1.
    pub tries: i64,
    worker: String,
    returns: i64,
    done: AtomicU64,
    of: AtomicU64,
    finished: AtomicBool,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("kind", &self.kind)
            .field("subject", &self.subject)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

impl Job {
    /// Notes how far the work is; readers see it within a second or two.
    pub fn progress(&self, done: u64, of: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.of.store(of, Ordering::Relaxed);
    }

    /// How far the work is.
    fn so_far(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed))
    }

    /// Earlier tries that never came back: the process died with them.
    fn crashes(&self) -> i64 {
        self.tries - 1 - self.returns
    }
}

/// Why a job is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// Processes died while they were at it.
    Crashed,
    /// It failed too often.
    Failed,
}

impl GivenUp {
    const fn code(self) -> &'static str {
        match self {
            Self::Crashed => "CRASHED",
            Self::Failed => "FAILED",
        }
    }
}

/// What a service does with its jobs.
#[async_trait]
pub trait Work: Send + Sync {
    /// Does a job, and keeps its result together with [`Queue::finish`]. An error means: again, later.
    async fn run(&self, job: &Job) -> Result<(), Cause>;

    /// Keeps that the job is not done, and will not be.
    async fn give_up(&self, job: &Job, why: GivenUp) -> Result<(), Cause>;
}

impl<T: JobTable> Queue<T> {
    /// Takes a job off the queue, in the transaction that keeps its result. `false` when it is no longer this worker's:
    /// then nothing of it may be kept.
    pub async fn finish(&self, tx: &TenantTx, job: &Job) -> Result<bool, preceptor_store::StoreError> {
        let own = table::remove::<T>(tx, job).await?;
        job.finished.store(own, Ordering::Relaxed);
        Ok(own)
    }

    /// Ends this round of a job that is done time and again: the next may begin at `due`, in the transaction that keeps
    /// the result of this one. `false` when it is no longer this worker's: then nothing of it may be kept.
    pub async fn again(
        &self,
        tx: &TenantTx,
        job: &Job,
        due: preceptor_core::Timestamp,
    ) -> Result<bool, preceptor_store::StoreError> {
        let own = table::again::<T>(tx, job, due.micros()).await?;
        job.finished.store(own, Ordering::Relaxed);
        Ok(own)
    }
}
