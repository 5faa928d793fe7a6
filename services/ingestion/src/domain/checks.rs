//! Asking registries about sources, off the request path: a job for every version that is watched.
//!
//! The job is queued with the change that names an identifier, and is never finished while the version is watched: it is
//! put off until the next look, in the transaction that keeps what came of this one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::{Scope, SystemActor};
use preceptor_jobs::{Cause, GivenUp, Job, Work};
use preceptor_runtime::pause;
use preceptor_store::TenantTx;

use super::Content;
use super::findings::{call_rows, is_about, keep, registry_event};
use crate::Error;
use crate::registries::{Asked, Verdict};
use crate::store::{sources, surveillance, verifications};

/// The kind of a job whose subject is a source version that registries are asked about.
const CHECK: &str = "check";
/// Registries that gave no answer are asked again after this long.
const TRY_AGAIN: Duration = Duration::from_secs(15 * 60);
/// Tries before a check is left until the next one is due.
pub(super) const MOST_FAILURES: i64 = 20;

/// Asks registries.
pub(crate) struct Checker(pub(crate) Arc<Content>);

#[async_trait]
impl Work for Checker {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        Ok(self.0.check(job).await?)
    }

    async fn give_up(&self, job: &Job, _: GivenUp) -> Result<(), Cause> {
        Ok(self.0.skip_check(job).await?)
    }
}

fn checker(job: &Job) -> Arc<Scope> {
    Arc::new(Scope::of_system(SystemActor::Ingestion, job.org))
}

impl Content {
    /// Has registries asked about a version once `tx`, which has it watched, commits.
    pub(super) async fn queue_check(&self, tx: &mut TenantTx, version: &str) -> Result<(), Error> {
        Ok(self.checks.enqueue_now(tx, CHECK, version).await?)
    }

    /// Asks about one version, if its time has come.
    async fn check(&self, job: &Job) -> Result<(), Error> {
        let scope = checker(job);
        let watched = {
            let tx = self.deps.store.read(&scope).await?;
            verifications::watched(&tx, &job.subject).await?.map(|row| (row, tx.now().micros()))
        };
        let Some((watched, now)) = watched else { return Ok(()) };
        if watched.next_check_at > now {
            let tx = self.deps.store.write(&scope).await?;
            return self
                .put_off(tx, job, Duration::from_micros((watched.next_check_at - now).cast_unsigned()))
                .await;
        }
        pause::at("source.checking", job.org).await;
        let key = self.open_registry_key(&scope).await?;
        let asked = self.registries.ask(&watched.pmid, &watched.doi, key.as_ref()).await;
        self.conclude(&scope, job, &watched, asked).await
    }

    /// Leaves a version until its next look: this one failed too often.
    async fn skip_check(&self, job: &Job) -> Result<(), Error> {
        let tx = self.deps.store.write(&checker(job)).await?;
        let pause = self.config.recheck_every();
        if let Some(watched) = verifications::watched(&tx, &job.subject).await? {
            verifications::postpone(&tx, &watched, pause).await?;
        }
        self.put_off(tx, job, pause).await
    }

    /// Keeps what `tx` holds and has the version looked at again after `pause`, unless the job is another worker's by now.
    async fn put_off(&self, tx: TenantTx, job: &Job, pause: Duration) -> Result<(), Error> {
        if self.checks.again(&tx, job, tx.now().after(pause)).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Records what came of a question, and when the next one is.
    async fn conclude(
        &self,
        scope: &Arc<Scope>,
        job: &Job,
        watched: &surveillance::Model,
        asked: Asked,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let Some(current) = verifications::watched(&tx, &watched.source_version_id).await? else {
            return Ok(());
        };
        let version = sources::version(&tx, &watched.source_version_id).await?;
        if (&current.pmid, &current.doi) != (&watched.pmid, &watched.doi) {
            // Another identifier was named meanwhile: what was asked is on record, and says nothing about that one.
            verifications::keep_calls(&tx, call_rows(&tx, &version.id, "", asked.calls)).await?;
            return self.put_off(tx, job, Duration::ZERO).await;
        }
        if asked.try_again {
            // On record, and asked again: a registry that is down proves nothing.
            verifications::keep_calls(&tx, call_rows(&tx, &version.id, "", asked.calls)).await?;
            verifications::postpone(&tx, &current, TRY_AGAIN).await?;
            return self.put_off(tx, job, TRY_AGAIN).await;
        }
        let verdict = match &asked.article {
            None => Verdict::Unverifiable,
            // The identifier was found to be right before: a retraction counts whatever became of the title.
            Some(article) if article.verdict.is_retraction() && was_found(&current) => article.verdict,
            Some(article) if !is_about(&tx, &version, article).await? => Verdict::Unverifiable,
            Some(article) => article.verdict,
        };
        // What is still as it was is no news: the calls are kept, and a new event only when something changed.
        if current.verdict == verdict.name() && current.checked_at > 0 {
            verifications::keep_calls(&tx, call_rows(&tx, &version.id, "", asked.calls)).await?;
        } else {
            let row = registry_event(&tx, &version, &current, asked.article.as_ref(), verdict);
            keep(&mut tx, &version, row, asked.calls).await?;
        }
        let pause = self.config.recheck_every();
        verifications::checked(&tx, &current, verdict, pause).await?;
        self.put_off(tx, job, pause).await
    }
}

/// Whether the registry's article was found to be this source under the identifier that is watched.
fn was_found(watched: &surveillance::Model) -> bool {
    Verdict::of_name(&watched.verdict).is_some_and(|verdict| verdict != Verdict::Unverifiable)
}
