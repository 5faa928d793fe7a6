//! What is done after the answer: asking registries, and notifying the parties of a contest.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_jobs::{Cause, GivenUp, Job, Work};
use preceptor_store::TenantTx;

use super::Clinicians;
use crate::Error;

/// The kind of a job that asks the registry about a learner.
const REGISTRY: &str = "registry";
/// The kind of a job that notifies the parties of a contest.
const NOTICE: &str = "notice";
/// Tries before a job is given up: at five minutes between two, more than three days.
pub(super) const MOST_FAILURES: i64 = 1000;

/// Does the jobs.
pub(crate) struct Worker(pub(crate) Arc<Clinicians>);

#[async_trait]
impl Work for Worker {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        match job.kind.as_str() {
            REGISTRY => Ok(self.0.ask_registry(job).await?),
            NOTICE => Ok(self.0.notify_parties(job.org, &job.subject).await?),
            kind => Err(format!("there is no work of the kind {kind:?}").into()),
        }
    }

    async fn give_up(&self, _: &Job, _: GivenUp) -> Result<(), Cause> {
        // Nothing to keep: the person's page says that the registry did not answer, and stating anew asks again.
        Ok(())
    }
}

impl Clinicians {
    /// Has the registry asked about a learner once `tx` commits.
    pub(super) async fn queue_registry(&self, tx: &mut TenantTx, learner: &str) -> Result<(), Error> {
        if self.outside.registry.is_some() {
            self.jobs.enqueue(tx, REGISTRY, learner).await?;
        }
        Ok(())
    }

    /// Has the parties of contests notified once `tx` commits.
    pub(super) async fn queue_notices(&self, tx: &mut TenantTx, contests: &[String]) -> Result<(), Error> {
        for contest in contests {
            self.jobs.enqueue(tx, NOTICE, contest).await?;
        }
        Ok(())
    }
}
