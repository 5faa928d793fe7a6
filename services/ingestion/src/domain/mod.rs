//! The rules of content.

mod checks;
mod drawing;
mod extraction;
mod findings;
mod intake;
mod programs;
mod publishing;
pub(crate) mod readable;
mod reading;
mod registry_keys;
mod review;
mod shown;
mod uploads;
mod verification;

use std::sync::Arc;

use preceptor_core::display::seen_lines;
use preceptor_core::id::ProgramId;
use preceptor_core::{Scope, SystemActor};
use preceptor_jobs::{Queue, Settings};

pub(crate) use checks::Checker;
pub(crate) use extraction::Reader;
pub(crate) use intake::Upload;
pub(crate) use programs::ProgramView;
pub(crate) use reading::{ContentOfSource, DocumentView, PassageView, VersionPage};
pub(crate) use uploads::SourceView;
pub(crate) use verification::{VerificationView, Way};

use crate::registries::Registries;
use crate::store::{check, job};
use crate::{Config, Deps, Error};

/// What waits to be done.
pub(crate) type Jobs = Queue<job::Entity>;

/// Versions that registries are asked about.
pub(crate) type Checks = Queue<check::job::Entity>;

/// Content and its rules. Every use case is a method, in the file named after it.
#[derive(Debug)]
pub(crate) struct Content {
    deps: Deps,
    config: Config,
    jobs: Jobs,
    checks: Checks,
    drawings: drawing::Drawings,
    versions: reading::KnownVersions,
    registries: Registries,
}

impl Content {
    pub(crate) fn new(deps: Deps, config: Config) -> Result<Self, Error> {
        Ok(Self {
            registries: Registries::new(&config, Arc::clone(&deps.cache), Arc::clone(&deps.clock))?,
            jobs: Queue::new(
                deps.store.clone(),
                SystemActor::Ingestion,
                Settings { alone: deps.alone, ..Settings::default() },
            ),
            checks: Queue::new(
                deps.store.clone(),
                SystemActor::Ingestion,
                Settings { alone: deps.alone, most_failures: checks::MOST_FAILURES, ..Settings::default() },
            ),
            drawings: drawing::Drawings::default(),
            deps,
            config,
            versions: reading::KnownVersions::default(),
        })
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.deps
    }

    /// What waits to be done.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Versions that registries are asked about.
    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }
}

/// Refuses a subject that is bound to another program. A foreign program looks like none.
fn check_reach(scope: &Scope, program: &str) -> Result<(), Error> {
    let id: ProgramId = program.parse().map_err(|_| Error::ProgramNotFound)?;
    if scope.reaches(id) { Ok(()) } else { Err(Error::ProgramNotFound) }
}

/// Whether the subject sees more than what is published.
fn sees_drafts(scope: &Scope) -> bool {
    scope.grants(preceptor_core::Capability::ReadContent)
}

/// What is seen of a text, which has a length between 1 and `most` characters then.
fn bounded(field: &'static str, text: &str, most: usize, what: &'static str) -> Result<String, Error> {
    let text = seen_lines(text);
    if text.is_empty() || text.chars().count() > most {
        return Err(Error::InvalidField { field, what });
    }
    Ok(text)
}
