//! Reading stored files, off the request path and in a process of its own.
//!
//! A file that was uploaded is a job. Reading it may fail in two ways: for now, which is ours, and it is tried again; or
//! for good, which is the file's, and the version says why. A file that went over a limit, or that processes died of, is
//! of the second kind: it is never read the same way twice.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use preceptor_core::display::seen;
use preceptor_core::id::{ObjectId, OrgId, PassageId, SourceVersionId};
use preceptor_core::{Scope, SystemActor};
use preceptor_jobs::{Cause, GivenUp, Job, Work};
use preceptor_objects::{Key, ObjectError, Objects as _, Part};
use preceptor_proto::events::v1::SourceExtracted;
use preceptor_runtime::pause;
use preceptor_sandbox::{Lane, Place, SandboxError, Work as Task};
use preceptor_store::AuditEntry;

use super::programs::{MOST_TITLE, program_id};
use super::uploads::SourceView;
use super::{Content, check_reach};
use crate::Error;
use crate::store::{content, source_version, sources};
use crate::worker::{self, Document};
use preceptor_extract::ExtractError;

/// Passages per statement.
const BATCH: usize = 200;
/// The kind of a job whose subject is a source version that waits to be read.
pub(crate) const READING: &str = "read";

/// Why a source has failed whose reading was stopped: a code and words for people.
const CANCELED: (&str, &str) =
    ("READING_CANCELED", "the reading of this file was stopped; upload the file again to have it read");

/// Reads files that were uploaded.
pub(crate) struct Reader(pub(crate) Arc<Content>);

#[async_trait]
impl Work for Reader {
    async fn run(&self, job: &Job) -> Result<(), Cause> {
        Ok(self.0.read_file(job).await?)
    }

    async fn give_up(&self, job: &Job, why: GivenUp) -> Result<(), Cause> {
        let scope = reader(job.org);
        let Some(version) = self.0.unread(&scope, &job.subject).await? else { return Ok(()) };
        let problem = match why {
            GivenUp::Crashed => ExtractError::TooCostly,
            GivenUp::Failed => ExtractError::GivenUp,
        };
        Ok(self.0.store_problem(&scope, None, &version, &problem).await?)
    }
}

/// On whose behalf files are read.
fn reader(org: OrgId) -> Arc<Scope> {
    Arc::new(Scope::of_system(SystemActor::Ingestion, org))
}

impl Content {
    /// A version that is to be read.
    async fn unread(
        &self,
        scope: &Arc<Scope>,
        version: &str,
    ) -> Result<Option<source_version::Model>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let version = sources::version(&tx, version).await?;
        Ok(Some(version).filter(|version| version.state == "extracting"))
    }

    /// Reads one stored file and stores what it holds, or why it cannot be read. An error is ours: it is tried again.
    async fn read_file(&self, job: &Job) -> Result<(), Error> {
        let scope = reader(job.org);
        let Some(version) = self.unread(&scope, &job.subject).await? else { return Ok(()) };
        pause::at("source.reading", job.org).await;
        let object: ObjectId =
            version.object_id.parse().map_err(|_| Error::Defect("an object id cannot be read".into()))?;
        let place = self.deps.sandbox.place(Lane::Read, job.org).await?;
        let result = match self.deps.objects.get(Key::new(job.org, object, Part::Original)).await {
            Ok(original) => self.read(job, &version, place, original).await?,
            Err(ObjectError::NotFound(_)) => Err(ExtractError::Malformed("the stored file is gone".into())),
            Err(error) => return Err(error.into()),
        };
        match result {
            Ok(document) => self.store_document(&scope, job, &version, object, document).await,
            Err(problem) => self.store_problem(&scope, Some(job), &version, &problem).await,
        }
    }

    /// Has a file read by a child process, which may fail alone.
    async fn read(
        &self,
        job: &Job,
        version: &source_version::Model,
        place: Place,
        file: Bytes,
    ) -> Result<Result<Document, ExtractError>, Error> {
        job.progress(0, 1);
        let request =
            worker::Request { media_type: version.media_type.clone(), limits: self.config.limits(), page: 0 };
        let told = |done, of| job.progress(done, of);
        let work = Task {
            kind: worker::READ,
            request: postcard::to_stdvec(&request).map_err(|error| Error::Defect(error.to_string()))?,
            file,
            progress: Some(&told),
        };
        match self.deps.sandbox.run(place, work).await {
            Ok(answer) => postcard::from_bytes(&answer)
                .map_err(|error| Error::Defect(format!("what a reader says cannot be read: {error}"))),
            Err(SandboxError::TooCostly(cost)) => {
                tracing::warn!(%cost, source_version.id = version.id, "a file costs too much to read");
                Ok(Err(ExtractError::TooCostly))
            }
            Err(SandboxError::Failed(why)) => {
                tracing::error!(why, source_version.id = version.id, "a reader failed");
                Ok(Err(ExtractError::Malformed("reading it failed in an unforeseen way".into())))
            }
            Err(error @ SandboxError::Unavailable(_)) => Err(error.into()),
        }
    }

    /// Stops the reading of a source, wherever it is: a job that waits is gone, and the child process of one that is under
    /// way is killed within seconds. A source that was read meanwhile stays as it is.
    pub(crate) async fn cancel_reading(&self, scope: &Arc<Scope>, source: &str) -> Result<SourceView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let (source, version) = sources::newest(&tx, source).await?;
        check_reach(scope, &source.program_id).map_err(|_| Error::SourceNotFound)?;
        let outcome = sources::Outcome {
            state: "failed",
            title: &version.title,
            problem: CANCELED,
            notes: "[]".to_owned(),
            pages: 0,
            passages: 0,
        };
        if sources::end_extraction(&tx, &version.id, outcome).await? {
            self.jobs.cancel(&tx, READING, &version.id).await?;
            let entry = AuditEntry::done("source.reading_canceled", &version.id);
            tx.audit(entry.in_program(program_id(&version.program_id)?))?;
        }
        let version = sources::version(&tx, &version.id).await?;
        let view = self.source_view(&tx, source, version).await?;
        tx.commit().await?;
        Ok(view)
    }

    async fn store_document(
        &self,
        scope: &Arc<Scope>,
        job: &Job,
        version: &source_version::Model,
        object: ObjectId,
        document: Document,
    ) -> Result<(), Error> {
        let title = title(version, document.title.as_deref());
        let Document { text, layout, pages, notes, passages, .. } = document;
        let id: SourceVersionId =
            version.id.parse().map_err(|_| Error::Defect("a version id cannot be read".into()))?;
        self.deps.objects.put(Key::new(scope.org(), object, Part::Layout), layout.into()).await?;

        let mut tx = self.deps.store.write(scope).await?;
        let outcome = sources::Outcome {
            state: "draft",
            title: &title,
            problem: ("", ""),
            notes: serde_json::to_string(&notes).map_err(|error| Error::Defect(error.to_string()))?,
            pages: pages.into(),
            passages: passages.len() as i64,
        };
        if !self.jobs.finish(&tx, job).await? || !sources::end_extraction(&tx, &version.id, outcome).await? {
            return Ok(());
        }
        let count = passages.len() as i64;
        let mut rows = Vec::with_capacity(passages.len());
        for (ordinal, passage) in passages.into_iter().enumerate() {
            // The same version read again gives the same ids.
            let passage_id = PassageId::derived(id.uuid(), &(ordinal as u64).to_be_bytes());
            rows.push(content::row(
                &tx.org_key(),
                &version.id,
                passage_id.to_string(),
                ordinal,
                &text,
                passage,
            )?);
        }
        for batch in rows.chunks(BATCH) {
            tx.insert_all(batch.to_vec()).await?;
        }
        self.deps.objects.put(Key::new(scope.org(), object, Part::Text), Bytes::from(text)).await?;
        let event = SourceExtracted {
            program_id: version.program_id.clone(),
            source_id: version.source_id.clone(),
            source_version_id: version.id.clone(),
            passages: count,
        };
        tx.emit("source.extracted", &event)?;
        Ok(tx.commit().await?)
    }

    async fn store_problem(
        &self,
        scope: &Arc<Scope>,
        job: Option<&Job>,
        version: &source_version::Model,
        problem: &ExtractError,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let message = problem.to_string();
        let outcome = sources::Outcome {
            state: "failed",
            title: &version.title,
            problem: (problem.code(), &message),
            notes: "[]".to_owned(),
            pages: 0,
            passages: 0,
        };
        if let Some(job) = job
            && !self.jobs.finish(&tx, job).await?
        {
            return Ok(());
        }
        if !sources::end_extraction(&tx, &version.id, outcome).await? {
            return Ok(());
        }
        let entry = AuditEntry::refused("source.extracted", &version.id, problem.code())
            .in_program(program_id(&version.program_id)?);
        tx.audit(entry)?;
        Ok(tx.commit().await?)
    }
}

/// The caller's title, else the document's own, else the file's name.
fn title(version: &source_version::Model, own: Option<&str>) -> String {
    if !version.title.is_empty() {
        return version.title.clone();
    }
    let own = own.map(|title| seen(title, MOST_TITLE)).filter(|title| !title.is_empty());
    let stem =
        || version.file_name.rsplit_once('.').map_or(version.file_name.as_str(), |(stem, _)| stem).to_owned();
    own.unwrap_or_else(stem)
}
