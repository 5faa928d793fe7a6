//! Work on what strangers wrote or drew, done by child processes: each may fail alone.

use std::collections::HashSet;

use preceptor_core::id::OrgId;
use preceptor_sandbox::{Lane, SandboxError, Work};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Credits;
use super::compose::{Draft, Flaw, Question, Source, Wanted};
use crate::Error;
use crate::worker::{COMPOSE, Case, Drawing, JUDGE, LOGO, Request};

/// What a child is asked for.
#[derive(Debug, Clone, Copy)]
struct Task {
    lane: Lane,
    kind: &'static str,
    /// What it is told who asked for what costs too much.
    too_costly: fn() -> Error,
}

impl Credits {
    /// Has drafts composed.
    pub(super) async fn compose(
        &self,
        org: OrgId,
        sources: Vec<Source>,
        wanted: Wanted,
        taken: HashSet<String>,
    ) -> Result<Vec<Draft>, Error> {
        let task = Task { lane: Lane::Compose, kind: COMPOSE, too_costly: || Error::TooCostly };
        self.have_done(org, task, &Request { sources, wanted, taken }).await
    }

    /// Has items judged by the sources: what is wrong with each, in their order.
    pub(super) async fn judge(
        &self,
        org: OrgId,
        sources: Vec<Source>,
        questions: Vec<Question>,
    ) -> Result<Vec<Option<Flaw>>, Error> {
        let task = Task { lane: Lane::Judge, kind: JUDGE, too_costly: || Error::TooCostly };
        self.have_done(org, task, &Case { sources, questions }).await
    }

    /// Has a certificate set with a logo: what is wrong with it, if anything is.
    pub(super) async fn try_logo(&self, org: OrgId, drawing: &Drawing) -> Result<Option<String>, Error> {
        let too_costly = || Error::field("logo", "costs too much to draw: simplify it, or send it as a PNG");
        self.have_done(org, Task { lane: Lane::Judge, kind: LOGO, too_costly }, drawing).await
    }

    async fn have_done<A: DeserializeOwned>(
        &self,
        org: OrgId,
        task: Task,
        request: &impl Serialize,
    ) -> Result<A, Error> {
        let defect = |error: postcard::Error| Error::Defect(error.to_string());
        let work = Work {
            kind: task.kind,
            request: Vec::new(),
            file: postcard::to_stdvec(request).map_err(defect)?.into(),
            progress: None,
        };
        let place = self.deps.sandbox.place(task.lane, org).await.map_err(Error::Sandbox)?;
        match self.deps.sandbox.run(place, work).await {
            Ok(answer) => postcard::from_bytes(&answer).map_err(defect),
            Err(SandboxError::TooCostly(cost)) => {
                tracing::warn!(%cost, kind = task.kind, "work of a child process cost too much");
                Err((task.too_costly)())
            }
            Err(SandboxError::Failed(why)) => Err(Error::Defect(why)),
            Err(error @ SandboxError::Unavailable(_)) => Err(Error::Sandbox(error)),
        }
    }
}
