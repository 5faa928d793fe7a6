//! Certificates that are due: a job of the org, queued with the award.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_jobs::{Cause, GivenUp, Job, Work};
use preceptor_runtime::pause;
use preceptor_store::TenantTx;

use super::super::PATIENCE;
use crate::Error;
use crate::domain::Credits;
use crate::store::certificates;

/// The kind of the job, and its subject: one job stands in for all certificates that an org is owed.
const KIND: &str = "certificates";
const SUBJECT: &str = "due";
/// How long awards are gathered. Those who claim at the same moment, at the end of a lecture, come first: signing writes,
/// and writers of an org take turns.
const GATHERED: Duration = Duration::from_millis(400);
/// Orgs whose certificates are made side by side: one whose log is behind does not hold up the others.
pub(crate) const ORGS_AT_ONCE: usize = 8;
/// Tries before the job is given up: at five minutes between two, more than three days. The next award queues it anew.
pub(crate) const MOST_FAILURES: i64 = 1000;

/// Makes the certificates that are due.
pub(crate) struct Printer(pub(crate) Arc<Credits>);

#[async_trait]
impl Work for Printer {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        Ok(self.0.make_certificates(job).await?)
    }

    async fn give_up(&self, _: &Job, _: GivenUp) -> Result<(), Cause> {
        // Nothing to keep: anyone who downloads a certificate that is not there has it made.
        Ok(())
    }
}

/// What was made; `None` where trying again will not help.
fn or_log<T>(award: &str, made: Result<T, Error>) -> Result<Option<T>, Error> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::error!(%error, credit.id = award, "a certificate cannot be made; it is tried again with the next one");
            Ok(None)
        }
    }
}

impl Credits {
    /// Has the certificate of an award made once `tx`, which makes the award, commits.
    pub(in crate::domain) async fn queue_certificate(&self, tx: &mut TenantTx) -> Result<(), Error> {
        Ok(self.prints.enqueue(tx, KIND, SUBJECT).await?)
    }

    /// Makes every certificate that an org is owed.
    async fn make_certificates(&self, job: &Job) -> Result<(), Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Credits, job.org));
        let mut tried = HashSet::new();
        loop {
            tokio::time::sleep(GATHERED).await;
            let due = not_in(&tried, certificates::unprinted(&self.deps.store.read(&scope).await?).await?);
            if due.is_empty() {
                let tx = self.deps.store.write(&scope).await?;
                if !self.prints.finish(&tx, job).await? {
                    return Ok(());
                }
                // An award of a moment ago did not queue the job, which was there: it is seen here.
                if not_in(&tried, certificates::unprinted(&tx).await?).is_empty() {
                    return Ok(tx.commit().await?);
                }
                continue;
            }
            self.prepare_certificates(job.org, &due).await?;
            tried.extend(due);
        }
    }

    /// Signs and prints the certificates of awards, unless they are there. All are signed before the first is printed: a
    /// print needs a proof, and the log takes a moment for one record as for many. Can be interrupted and repeated at any
    /// point; an award that nothing can be made of is left out.
    async fn prepare_certificates(&self, org: OrgId, of_awards: &[String]) -> Result<(), Error> {
        let mut signed = Vec::with_capacity(of_awards.len());
        for award in of_awards {
            signed.extend(or_log(award, self.signed(org, award).await)?);
        }
        pause::at("certificate.signed", org).await;
        for row in signed {
            let call = self.deps.system.call(org, PATIENCE).await?;
            or_log(&row.award_id, self.print(&call, &row).await)?;
        }
        Ok(())
    }
}

fn not_in(tried: &HashSet<String>, mut awards: Vec<String>) -> Vec<String> {
    awards.retain(|award| !tried.contains(award));
    awards
}
