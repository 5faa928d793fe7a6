//! The rules of credits. Every use case is a method, in the file named after it.

mod accreditations;
mod attempts;
mod awards;
mod certificates;
mod children;
mod compose;
mod evaluations;
mod forms;
mod generations;
mod handwritten;
mod items;
mod leaderboard;
mod learner_attempts;
mod links;
mod logo;
mod offers;
mod provenance;
mod questions;
pub(crate) mod rules;
pub(crate) mod seals;
mod settings;
mod shown;
mod surveillance;
mod svg;
mod taking;
mod words;

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::display::seen_lines;
use preceptor_core::id::ProgramId;
use preceptor_core::{Capability, Scope, SystemActor};
use preceptor_jobs::{Queue, Settings};
use preceptor_proto::audit::v1::audit_client::AuditClient;
use preceptor_proto::auth::v1 as auth;
use preceptor_proto::auth::v1::auth_client::AuthClient;
use preceptor_proto::credentials::v1::credentials_client::CredentialsClient;
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_proto::ingestion::v1::ingestion_client::IngestionClient;
use preceptor_rpc::{Call, Channel, fault_of};
use preceptor_runtime::Backstage;

pub(crate) use accreditations::{AccreditationView, NewAccreditation};
pub(crate) use attempts::{AttemptView, Feedback};
pub(crate) use awards::CreditView;
pub(crate) use certificates::{Activity, Issuer, ORGS_AT_ONCE, Printer, Summary};
#[cfg(test)]
pub(crate) use compose::Passage;
pub(crate) use compose::{Flaw, Judge, Question, Source, Wanted, compose};
pub(crate) use forms::{DEFAULT_ATTEMPTS, NewForm, QuizView};
pub(crate) use generations::Composer;
pub(crate) use handwritten::NewItem;
pub(crate) use items::{ItemView, State as ItemState};
pub(crate) use leaderboard::Standing;
pub(crate) use learner_attempts::State as AttemptState;
pub(crate) use links::Link;
pub(crate) use offers::{DEFAULT_LEVEL, NewOffer, OfferView};
pub(crate) use settings::SettingsView;
pub(crate) use shown::NO_LONGER_QUOTED;

use crate::error::Missing;
use crate::store::{job, print};
use crate::{Deps, Error};

/// What waits to be done.
pub(crate) type Jobs = Queue<job::Entity>;
/// Certificates that wait to be made.
pub(crate) type Prints = Queue<print::job::Entity>;

/// How long work off the request path may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest message of passages.
const LARGEST_MESSAGE: usize = 64 << 20;

/// Credits and their rules.
#[derive(Debug)]
pub(crate) struct Credits {
    deps: Deps,
    ingestion: IngestionClient<Channel>,
    credentials: CredentialsClient<Channel>,
    audit: AuditClient<Channel>,
    auth: AuthClient<Channel>,
    /// Names of orgs, which seldom change.
    org_names: moka::sync::Cache<String, String>,
    /// Forms with their items: they never change, and every learner of a program reads the same one.
    forms: moka::sync::Cache<String, Arc<questions::Printed>>,
    leaderboards: leaderboard::Leaderboards,
    /// Which orgs the public names lead to.
    names: certificates::Names,
    jobs: Jobs,
    /// Orgs in which certificates are due.
    prints: Prints,
    /// Lists of voided certificates that were signed lately.
    lists: certificates::Lists,
    /// Prints certificates behind the one who claims.
    backstage: Backstage,
}

impl Credits {
    pub(crate) fn new(deps: Deps) -> Self {
        Self {
            ingestion: IngestionClient::new(deps.ingestion.clone())
                .max_decoding_message_size(LARGEST_MESSAGE),
            credentials: CredentialsClient::new(deps.credentials.clone()),
            audit: AuditClient::new(deps.audit.clone()),
            auth: AuthClient::new(deps.auth.clone()),
            org_names: moka::sync::Cache::builder().max_capacity(MOST_NAMES).time_to_live(NAMES_LIVE).build(),
            forms: moka::sync::Cache::new(MOST_FORMS),
            leaderboards: leaderboard::leaderboards(),
            names: certificates::Names::default(),
            jobs: Queue::new(
                deps.store.clone(),
                SystemActor::Credits,
                Settings { alone: deps.alone, ..Settings::default() },
            ),
            prints: Queue::new(
                deps.store.clone(),
                SystemActor::Credits,
                Settings {
                    alone: deps.alone,
                    most_failures: certificates::MOST_FAILURES,
                    ..Settings::default()
                },
            ),
            lists: certificates::lists(),
            backstage: Backstage::start("certificates"),
            deps,
        }
    }

    /// Requests for drafts.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Certificates that are due.
    pub(crate) fn prints(&self) -> &Prints {
        &self.prints
    }

    /// The name of an org on this platform.
    async fn org_name(&self, call: &Call, org: &str) -> Result<String, Error> {
        if let Some(known) = self.org_names.get(org) {
            return Ok(known);
        }
        let request = auth::DescribeOrgRequest { org_id: org.to_owned() };
        let name = self.auth.clone().describe_org(call.request(request)?).await?.into_inner().name;
        self.org_names.insert(org.to_owned(), name.clone());
        Ok(name)
    }

    /// A program as the caller may see it.
    async fn program(&self, call: &Call, id: &str) -> Result<ingestion::Program, Error> {
        check_reach(call.scope(), id)?;
        let request = ingestion::GetProgramRequest { program_id: id.to_owned() };
        let answer = self.ingestion.clone().get_program(call.request(request)?).await;
        Ok(answer.map_err(not_found_as(Missing::Program))?.into_inner())
    }
}

/// Names of orgs that are kept read, and how long a name that was changed is still shown.
const MOST_NAMES: u64 = 1024;
const NAMES_LIVE: Duration = Duration::from_secs(60);
/// Forms that are kept read.
const MOST_FORMS: u64 = 256;

/// Another service's "not found" in our words.
fn not_found_as(missing: Missing) -> impl Fn(tonic::Status) -> Error {
    move |status| match fault_of(&status).kind {
        preceptor_core::Kind::NotFound => Error::NotFound(missing),
        _ => Error::from(status),
    }
}

/// Refuses a subject that is bound to another program. A foreign program looks like none.
fn check_reach(scope: &Scope, program: &str) -> Result<(), Error> {
    program_id(program)
        .and_then(|id| if scope.reaches(id) { Ok(()) } else { Err(Error::NotFound(Missing::Program)) })
}

fn program_id(program: &str) -> Result<ProgramId, Error> {
    program.parse().map_err(|_| Error::NotFound(Missing::Program))
}

/// Whether the subject may see this learner's record: the learner, or who reads the record.
fn sees_record(scope: &Scope, learner: &str) -> bool {
    scope.subject() == learner || scope.grants(Capability::ReadAudit)
}

/// What is seen of a text, which has 1 to `most` characters then.
fn bounded(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    let text = seen_lines(text);
    if text.is_empty() || text.chars().count() > most {
        return Err(Error::field(field, format!("must have 1 to {most} characters")));
    }
    Ok(text)
}
