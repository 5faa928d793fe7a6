//! The rules of credentials.

mod assertions;
mod contests;
mod email;
mod evidence;
mod jobs;
mod npi;
mod person;
mod statements;

use std::sync::Arc;

pub(crate) use assertions::{Found, Seen};
pub(crate) use contests::{ContestView, Decision, Grounds};
pub(crate) use jobs::Worker;
pub use npi::is_npi;
pub(crate) use person::{PROFESSIONS, Person};
use preceptor_core::SystemActor;
use preceptor_core::id::OrgId;
use preceptor_jobs::{Queue, Settings};
use preceptor_keys::DataKey;
use preceptor_mail::Mail;
pub(crate) use statements::ClinicianView;

use crate::registry::NpiRegistry;
use crate::store::{clinician, job};
use crate::{Deps, Error};

/// The services outside of this deployment.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) mail: Arc<dyn Mail>,
    pub(crate) registry: Option<Arc<dyn NpiRegistry>>,
}

/// What waits to be done.
pub(crate) type Jobs = Queue<job::Entity>;

/// Clinicians and their rules.
#[derive(Debug)]
pub(crate) struct Clinicians {
    deps: Deps,
    outside: Outside,
    jobs: Jobs,
}

impl Clinicians {
    pub(crate) fn new(deps: Deps, outside: Outside) -> Self {
        let settings =
            Settings { alone: deps.alone, most_failures: jobs::MOST_FAILURES, ..Settings::default() };
        let jobs = Queue::new(deps.store.clone(), SystemActor::Credentials, settings);
        Self { deps, outside, jobs }
    }

    /// What waits to be done.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// What people stated, opened with one call of the key engine, in their order.
    async fn open_all(&self, org: OrgId, rows: &[clinician::Model]) -> Result<Vec<Person>, Error> {
        let stored: Vec<(&str, &[u8])> =
            rows.iter().map(|row| (row.learner.as_str(), row.wrapped_key.as_slice())).collect();
        let keys = DataKey::open_all(&*self.deps.keys, org, &stored).await?;
        keys.iter().zip(rows).map(|(key, row)| Person::opened(key, org, &row.learner, &row.sealed)).collect()
    }

    /// What a person stated, opened.
    async fn open(&self, org: OrgId, row: &clinician::Model) -> Result<Person, Error> {
        Person::unseal(&*self.deps.keys, org, &row.learner, &row.wrapped_key, &row.sealed).await
    }
}
