//! Making drafts off the request path: asking for them, composing them, coming back for the result.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::Scope;
use preceptor_core::id::GenerationId;
use preceptor_jobs::{Cause, GivenUp, Job, Work};
use preceptor_rpc::{Call, IntoFault as _};
use preceptor_runtime::pause;
use preceptor_store::AuditEntry;

use super::compose::{Draft, Source, Wanted};
use super::items::{check_difficulty, check_kind, draft_rows};
use super::{Credits, check_reach, program_id, taking};
use crate::Error;
use crate::error::Missing;
use crate::store::generations::{self, End};
use crate::store::{generation, items};

/// Items that one request makes at most.
const MOST_GENERATED: usize = 200;
/// The kind of a job whose subject is a request for drafts.
const COMPOSING: &str = "compose";
/// Why a request was stopped that someone canceled: a code and words for people.
const CANCELED: (&str, &str) = ("ITEMS_CANCELED", "the making of these drafts was stopped");
/// How long reading a whole program may take.
const READING: Duration = Duration::from_secs(300);

/// Answers requests for drafts.
pub(crate) struct Composer(pub(crate) Arc<Credits>);

#[async_trait]
impl Work for Composer {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        Ok(self.0.answer_generation(job).await?)
    }

    async fn give_up(&self, job: &Job, why: GivenUp) -> Result<(), Cause> {
        let why = match why {
            GivenUp::Crashed => Error::TooCostly,
            GivenUp::Failed => Error::Defect("items could not be composed, time and again".into()),
        };
        Ok(self
            .0
            .give_up(
                &self.0.deps.system.call(job.org, READING).await?.shared_scope(),
                None,
                &job.subject,
                &why,
            )
            .await?)
    }
}

impl Credits {
    /// Has drafts made from the verified sources of a program, soon.
    pub(crate) async fn ask_for_items(
        &self,
        call: &Call,
        program: &str,
        wanted: Wanted,
    ) -> Result<generation::Model, Error> {
        self.program(call, program).await?;
        if wanted.count == 0 || wanted.count > MOST_GENERATED {
            return Err(Error::field("count", format!("must be between 1 and {MOST_GENERATED}")));
        }
        check_kind(&wanted.kind, true)?;
        check_difficulty(&wanted.difficulty, true)?;
        let mut tx = self.deps.store.write(&call.shared_scope()).await?;
        let row = generation::Model {
            org_id: tx.org_key(),
            id: GenerationId::generate().to_string(),
            program_id: program.to_owned(),
            wanted: wanted.count as i64,
            kind: wanted.kind,
            difficulty: wanted.difficulty,
            asked_by: call.scope().subject().to_owned(),
            asked_at: tx.now().micros(),
            state: "waiting".to_owned(),
            sources_read: 0,
            items: String::new(),
            note: String::new(),
            problem_code: String::new(),
            ended_at: None,
        };
        tx.insert(row.clone()).await?;
        taking::note_key_seen(&mut tx, program, "items requested").await?;
        tx.audit(
            AuditEntry::done("items.requested", &row.id)
                .in_program(program_id(program)?)
                .fact("count", row.wanted),
        )?;
        self.jobs.enqueue(&mut tx, COMPOSING, &row.id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// How far a request is.
    pub(crate) async fn generation(&self, scope: &Arc<Scope>, id: &str) -> Result<generation::Model, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = generations::get(&tx, id).await?.ok_or(Error::NotFound(Missing::Generation))?;
        check_reach(scope, &row.program_id).map_err(|_| Error::NotFound(Missing::Generation))?;
        Ok(row)
    }

    /// Stops a request, wherever it is: the child process of one that is being composed is killed within seconds. One that
    /// has ended stays as it is.
    pub(crate) async fn cancel_generation(
        &self,
        scope: &Arc<Scope>,
        id: &str,
    ) -> Result<generation::Model, Error> {
        let row = self.generation(scope, id).await?;
        let mut tx = self.deps.store.write(scope).await?;
        let end = End {
            state: "failed",
            items: Vec::new(),
            note: CANCELED.1.to_owned(),
            problem_code: CANCELED.0.to_owned(),
        };
        if generations::end(&tx, id, end).await? {
            self.jobs.cancel(&tx, COMPOSING, id).await?;
            let entry = AuditEntry::done("items.request_canceled", id);
            tx.audit(entry.in_program(program_id(&row.program_id)?))?;
        }
        let row = generations::get(&tx, id).await?.ok_or(Error::NotFound(Missing::Generation))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Answers a request: keeps its drafts, or why there are none. An error means that it has to be tried again.
    async fn answer_generation(&self, job: &Job) -> Result<(), Error> {
        let call = self.deps.system.call(job.org, READING).await?;
        let scope = call.shared_scope();
        let row = generations::get(&self.deps.store.read(&scope).await?, &job.subject).await?;
        let Some(row) = row.filter(|row| row.ended_at.is_none()) else { return Ok(()) };
        match self.drafts(&call, &row).await {
            Ok(drafts) => self.keep_drafts(&scope, job, &row, drafts).await,
            Err(error) if error.is_transient() => Err(error),
            Err(error) => self.give_up(&scope, Some(job), &row.id, &error).await,
        }
    }

    async fn progress(
        &self,
        scope: &Arc<Scope>,
        row: &generation::Model,
        state: &str,
        sources: usize,
    ) -> Result<(), Error> {
        let tx = self.deps.store.write(scope).await?;
        generations::progress(&tx, &row.id, state, sources).await?;
        Ok(tx.commit().await?)
    }

    async fn drafts(&self, call: &Call, row: &generation::Model) -> Result<Vec<Draft>, Error> {
        let scope = call.shared_scope();
        self.progress(&scope, row, "reading", 0).await?;
        let content = self.content(call, &row.program_id).await?;
        let verified: Vec<Source> =
            content.sources.into_iter().filter(|source| content.standing[&source.version].counts()).collect();
        if verified.is_empty() {
            return Err(Error::FormNotReady(
                "no published source of this program is verified yet; verify at least one first".into(),
            ));
        }
        self.progress(&scope, row, "composing", verified.len()).await?;
        pause::at("generation.composing", scope.org()).await;
        let taken: HashSet<String> =
            items::stems(&self.deps.store.read(&scope).await?, &row.program_id).await?.into_iter().collect();
        let wanted =
            Wanted { count: row.wanted as usize, kind: row.kind.clone(), difficulty: row.difficulty.clone() };
        self.compose(scope.org(), verified, wanted, taken).await
    }

    async fn keep_drafts(
        &self,
        scope: &Arc<Scope>,
        job: &Job,
        row: &generation::Model,
        drafts: Vec<Draft>,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let note = if (drafts.len() as i64) < row.wanted {
            format!(
                "{} of {} were possible: the text holds no more statements whose answer is certain and whose alternatives are wrong",
                drafts.len(),
                row.wanted
            )
        } else {
            String::new()
        };
        let mut made = Vec::with_capacity(drafts.len());
        for draft in drafts {
            // The author is the one who asked: they cannot approve what they had made.
            let view = draft_rows(&tx, &row.program_id, &row.asked_by, draft);
            items::insert(&tx, &view).await?;
            made.push(view.version.item_id);
        }
        let entry = AuditEntry::done("items.generated", &row.id).in_program(program_id(&row.program_id)?);
        tx.audit(entry.fact("count", made.len()).fact("asked_by", &row.asked_by))?;
        let end = End { state: "done", items: made, note, problem_code: String::new() };
        if self.jobs.finish(&tx, job).await? && generations::end(&tx, &row.id, end).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn give_up(
        &self,
        scope: &Arc<Scope>,
        job: Option<&Job>,
        id: &str,
        why: &Error,
    ) -> Result<(), Error> {
        let fault = why.to_fault();
        let tx = self.deps.store.write(scope).await?;
        let end = End {
            state: "failed",
            items: Vec::new(),
            note: fault.message.to_string(),
            problem_code: fault.reason.to_string(),
        };
        if let Some(job) = job
            && !self.jobs.finish(&tx, job).await?
        {
            return Ok(());
        }
        generations::end(&tx, id, end).await?;
        Ok(tx.commit().await?)
    }
}
