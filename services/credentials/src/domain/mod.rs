//! The rules of credentials.

mod assertions;
mod contests;
mod email;
mod evidence;
mod npi;
mod person;
mod statements;

use std::sync::Arc;

pub(crate) use assertions::{Found, Seen};
pub(crate) use contests::{ContestView, Decision, Grounds};
pub use npi::is_npi;
pub(crate) use person::{PROFESSIONS, Person};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_mail::Mail;
use preceptor_runtime::Waiting;
pub(crate) use statements::ClinicianView;

use crate::registry::NpiRegistry;
use crate::store::{clinician, queries};
use crate::{Deps, Error};

/// The services outside of this deployment.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) mail: Arc<dyn Mail>,
    pub(crate) registry: Option<Arc<dyn NpiRegistry>>,
}

/// Clinicians and their rules.
#[derive(Debug)]
pub(crate) struct Clinicians {
    deps: Deps,
    outside: Outside,
    /// People about whom the registry has to be asked.
    questions: Waiting<(OrgId, String)>,
    /// Contests whose parties have to be told.
    notices: Waiting<(OrgId, String)>,
}

impl Clinicians {
    pub(crate) fn new(deps: Deps, outside: Outside) -> Self {
        Self { deps, outside, questions: Waiting::default(), notices: Waiting::default() }
    }

    /// Has the registry asked about a person, off the request path.
    pub(crate) fn ask_later(&self, org: OrgId, learner: &str) {
        if self.outside.registry.is_some() {
            self.questions.add((org, learner.to_owned()));
        }
    }

    /// People to ask about, first come, first served: one about whom there is no answer holds up nobody for long.
    pub(crate) fn questions(&self) -> &Waiting<(OrgId, String)> {
        &self.questions
    }

    /// After a start: people whose number was not looked up yet.
    pub(crate) async fn take_up_again(&self, org: OrgId) -> Result<(), Error> {
        /// Clinicians read at a time.
        const BATCH: u64 = 200;
        let scope = Arc::new(Scope::of_system(SystemActor::Credentials, org));
        let tx = self.deps.store.read(&scope).await?;
        let mut after = String::new();
        loop {
            let rows = queries::clinicians(&tx, &after, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.learner);
            for row in rows.iter().filter(|row| !row.npi_index.is_empty() && row.email_verified_at.is_some())
            {
                let checks = queries::checks(&tx, &row.learner).await?;
                if !checks
                    .iter()
                    .any(|check| check.method == "npi_registry" && check.checked_at >= row.updated_at)
                {
                    self.ask_later(org, &row.learner);
                }
            }
        }
    }

    /// What a person stated, opened.
    async fn open(&self, org: OrgId, row: &clinician::Model) -> Result<Person, Error> {
        Person::unseal(&*self.deps.keys, org, &row.learner, &row.wrapped_key, &row.sealed).await
    }
}
