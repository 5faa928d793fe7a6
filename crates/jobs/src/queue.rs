//! Jobs from the transaction that wants them to the one that keeps their result.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor, Timestamp};
use preceptor_runtime::Stop;
use preceptor_store::{Handle, StoreError, TenantTx};
use tokio::time::Instant;
use uuid::Uuid;

use crate::rota::{Next, Rota};
use crate::table::{self, Back, JobTable, Row};
use crate::{Cause, GivenUp, Job, Work};

/// How a queue goes about its work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether no other process does this service's work: what earlier ones held is then taken at once.
    pub alone: bool,
    /// Workers of this process that may be with one org.
    pub of_one_org: usize,
    /// How long a job is a worker's before it has to say that it lives.
    pub lease: Duration,
    /// How often it says so, and how far it is.
    pub renewal: Duration,
    /// The pause before the second try; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Tries that may fail.
    pub most_failures: i64,
    /// Processes that may die of it.
    pub most_crashes: i64,
    /// How often orgs are looked through for what other processes queued or left behind.
    pub look: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alone: false,
            of_one_org: 1,
            lease: Duration::from_secs(20),
            renewal: Duration::from_secs(1),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(300),
            most_failures: 20,
            most_crashes: 2,
            look: Duration::from_secs(60),
        }
    }
}

/// The jobs of one service. Cheap to clone.
#[derive(Debug)]
pub struct Queue<T> {
    store: Handle,
    actor: SystemActor,
    settings: Settings,
    rota: Arc<Rota>,
    /// This process, as far as leases go.
    worker: Arc<str>,
    table: PhantomData<fn() -> T>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            actor: self.actor,
            settings: self.settings,
            rota: Arc::clone(&self.rota),
            worker: Arc::clone(&self.worker),
            table: PhantomData,
        }
    }
}

/// What was found in an org.
enum Found {
    Job(Job),
    Nothing(Next),
}

impl<T: JobTable> Queue<T> {
    /// The queue of the service that `store` belongs to, which works as `actor`.
    pub fn new(store: Handle, actor: SystemActor, settings: Settings) -> Self {
        let worker = Uuid::now_v7().to_string().into();
        Self {
            store,
            actor,
            settings,
            rota: Arc::new(Rota::new(settings.of_one_org)),
            worker,
            table: PhantomData,
        }
    }

    /// Has something done when, and only when, `tx` commits. What waits or is under way already is not queued again.
    pub async fn enqueue(&self, tx: &mut TenantTx, kind: &str, subject: &str) -> Result<(), StoreError> {
        table::enqueue::<T>(tx, kind, subject).await?;
        let (rota, org) = (Arc::clone(&self.rota), tx.org());
        tx.on_commit(move || rota.wake(org));
        Ok(())
    }

    /// The same; one that waits for a later time is due now.
    pub async fn enqueue_now(&self, tx: &mut TenantTx, kind: &str, subject: &str) -> Result<(), StoreError> {
        self.enqueue(tx, kind, subject).await?;
        table::hasten::<T>(tx, kind, subject).await
    }

    /// Takes a job away when `tx` commits; a worker that is at it is stopped at its next renewal. `false` when there was
    /// none.
    pub async fn cancel(&self, tx: &TenantTx, kind: &str, subject: &str) -> Result<bool, StoreError> {
        table::remove_any::<T>(tx, kind, subject).await
    }

    /// How far jobs are: how much of how much, by subject. Nothing for those that are not queued.
    pub async fn progress(
        &self,
        tx: &TenantTx,
        kind: &str,
        subjects: &[String],
    ) -> Result<HashMap<String, (u64, u64)>, StoreError> {
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = table::of::<T>(tx, kind, subjects).await?;
        let so_far = |row: &Row| (row.done.cast_unsigned(), row.total.cast_unsigned());
        Ok(rows.into_iter().map(|row| (row.subject.clone(), so_far(&row))).collect())
    }

    /// Looks for work in every org, at the start and now and then, until the end is requested.
    pub async fn look(&self, stop: &Stop) -> Result<(), StoreError> {
        loop {
            for org in self.store.known_orgs().await? {
                self.rota.wake(org);
            }
            if !stop.sleep(self.settings.look).await {
                return Ok(());
            }
        }
    }

    /// Does jobs, one after the other, until the end is requested. A process calls it once for every worker.
    pub async fn work(&self, work: &dyn Work, stop: &Stop) {
        loop {
            let mut turn = tokio::select! {
                turn = self.rota.next() => turn,
                () = stop.requested() => return,
            };
            // A failure of the store, or a panic, ends the turn; the org is looked at again after a pause.
            turn.next = Next::At(Instant::now() + self.settings.first_pause);
            match self.serve(turn.org, work, stop).await {
                Ok(next) => turn.next = next,
                Err(error) => tracing::error!(%error, "jobs cannot be worked on for now"),
            }
        }
    }

    fn scope(&self, org: OrgId) -> Arc<Scope> {
        Arc::new(Scope::of_system(self.actor, org))
    }

    async fn serve(&self, org: OrgId, work: &dyn Work, stop: &Stop) -> Result<Next, StoreError> {
        match self.find(org).await? {
            Found::Nothing(next) => Ok(next),
            Found::Job(job) => {
                self.attempt(&job, work, stop).await?;
                Ok(Next::Now)
            }
        }
    }

    /// Takes the org's next job. It is this worker's, and the try is counted, before anything is done.
    async fn find(&self, org: OrgId) -> Result<Found, StoreError> {
        let scope = self.scope(org);
        let seen = {
            let tx = self.store.read(&scope).await?;
            match table::due::<T>(&tx, &self.worker, self.settings.alone).await? {
                Some(seen) => seen,
                None => match table::next_due::<T>(&tx).await? {
                    Some(due) => return Ok(Found::Nothing(Next::At(Instant::now() + until(tx.now(), due)))),
                    None => return Ok(Found::Nothing(Next::Never)),
                },
            }
        };
        let tx = self.store.write(&scope).await?;
        let lease = tx.now().after(self.settings.lease).micros();
        if !table::take::<T>(&tx, &seen, &self.worker, lease).await? {
            return Ok(Found::Nothing(Next::Now));
        }
        tx.commit().await?;
        Ok(Found::Job(Job {
            org,
            kind: seen.kind,
            subject: seen.subject,
            tries: seen.tries + 1,
            worker: self.worker.to_string(),
            returns: seen.returns,
            done: AtomicU64::new(0),
            of: AtomicU64::new(0),
            finished: AtomicBool::new(false),
        }))
    }

    async fn attempt(&self, job: &Job, work: &dyn Work, stop: &Stop) -> Result<(), StoreError> {
        if job.crashes() >= self.settings.most_crashes {
            return self.give_up(job, work, GivenUp::Crashed).await;
        }
        let outcome = tokio::select! {
            outcome = AssertUnwindSafe(work.run(job)).catch_unwind() => outcome.unwrap_or_else(|_| Err("it panicked".into())),
            () = self.keep(job) => {
                tracing::warn!(job.kind, job.subject, "a job is no longer this worker's; what was done of it is dropped");
                return Ok(());
            }
            () = stop.requested() => return self.give_back(job, Back::Stopped).await,
        };
        match outcome {
            Ok(()) if job.finished.load(Ordering::Relaxed) => Ok(()),
            Ok(()) => {
                self.written(job.org, async |tx: &TenantTx| table::remove::<T>(tx, job).await.map(drop)).await
            }
            Err(cause) => self.failed(job, work, &cause).await,
        }
    }

    async fn failed(&self, job: &Job, work: &dyn Work, cause: &Cause) -> Result<(), StoreError> {
        tracing::error!(%cause, job.kind, job.subject, job.tries, "a job failed");
        if job.returns + 1 >= self.settings.most_failures {
            return self.give_up(job, work, GivenUp::Failed).await;
        }
        let scope = self.scope(job.org);
        let tx = self.store.write(&scope).await?;
        let due = tx.now().after(self.pause(job.returns)).micros();
        table::give_back::<T>(&tx, job, Back::Failed(due)).await?;
        tx.commit().await
    }

    async fn give_back(&self, job: &Job, back: Back) -> Result<(), StoreError> {
        self.written(job.org, async |tx: &TenantTx| table::give_back::<T>(tx, job, back).await).await
    }

    async fn give_up(&self, job: &Job, work: &dyn Work, why: GivenUp) -> Result<(), StoreError> {
        tracing::error!(job.kind, job.subject, job.tries, reason = why.code(), "a job is given up");
        if let Err(cause) = work.give_up(job, why).await {
            // It stays this worker's until the lease ends; then it is given up again.
            tracing::error!(%cause, job.kind, job.subject, "that a job is given up could not be kept for now");
            return Ok(());
        }
        self.written(job.org, async |tx: &TenantTx| table::fail::<T>(tx, job, why.code()).await).await
    }

    /// A change of one job.
    async fn written(
        &self,
        org: OrgId,
        change: impl AsyncFnOnce(&TenantTx) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let tx = self.store.write(&self.scope(org)).await?;
        change(&tx).await?;
        tx.commit().await
    }

    /// Keeps the job while it is worked on; completes when it is no longer this worker's.
    async fn keep(&self, job: &Job) {
        let (mut renewed, mut told) = (Instant::now(), (0, 0));
        loop {
            tokio::time::sleep(self.settings.renewal).await;
            let so_far = job.so_far();
            if so_far == told && renewed.elapsed() < self.settings.lease / 12 {
                continue;
            }
            match self.renew(job, so_far).await {
                Ok(true) => (renewed, told) = (Instant::now(), so_far),
                Ok(false) => return,
                Err(error) if renewed.elapsed() > self.settings.lease => {
                    tracing::error!(%error, job.kind, job.subject, "the lease of a job ended before it could be renewed");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, job.kind, job.subject, "the lease of a job cannot be renewed for now");
                }
            }
        }
    }

    async fn renew(&self, job: &Job, so_far: (u64, u64)) -> Result<bool, StoreError> {
        let scope = self.scope(job.org);
        let tx = self.store.write(&scope).await?;
        let lease = tx.now().after(self.settings.lease).micros();
        let own = table::renew::<T>(&tx, job, lease, so_far).await?;
        tx.commit().await?;
        // Work that took itself off the queue is about to end.
        Ok(own || job.finished.load(Ordering::Relaxed))
    }

    /// Twice as long after every failure, and never the same for all.
    fn pause(&self, failures: i64) -> Duration {
        let doubled = self.settings.first_pause.saturating_mul(1 << failures.clamp(0, 20));
        doubled.min(self.settings.longest_pause).mul_f64(rand::random_range(0.5..1.0))
    }
}

/// How long it is until an instant of the store's clock.
fn until(now: Timestamp, due: i64) -> Duration {
    Timestamp::from_micros(due).since(now)
}
