//! Reading stored files, off the request path.
//!
//! The queue is the table itself: a version whose state is `extracting` is work. What is kept in memory only wakes the
//! reader; after a crash the table is looked through again.

use std::sync::Arc;

use bytes::Bytes;
use preceptor_core::id::{ObjectId, OrgId, PassageId, SourceVersionId};
use preceptor_core::{Scope, SystemActor};
use preceptor_objects::{Key, ObjectError, Objects as _, Part};
use preceptor_proto::events::v1::SourceExtracted;
use preceptor_runtime::Waiting;
use preceptor_store::AuditEntry;

use super::Content;
use super::extract::{self, ExtractError, Extracted, MediaType};
use super::passages::{Passage, passages};
use super::programs::program_id;
use crate::Error;
use crate::store::{content, source_version, sources};

/// Passages per statement.
const BATCH: usize = 200;

/// Source versions that wait to be read.
pub(crate) type Work = Waiting<(OrgId, String)>;

/// A file that was read.
struct Document {
    extracted: Extracted,
    passages: Vec<Passage>,
}

impl Content {
    /// What waits to be read.
    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    /// Puts everything that is not read yet back into the queue.
    pub(crate) async fn take_up_again(&self, org: OrgId) -> Result<(), Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org));
        let tx = self.deps.store.read(&scope).await?;
        for version in sources::extracting(&tx).await? {
            self.work.add((org, version.id));
        }
        Ok(())
    }

    /// Reads one stored file and stores what it holds, or why it cannot be read. A failure of ours leaves the version
    /// as it is, to be taken up again.
    pub(crate) async fn read_file(&self, org: OrgId, version: &str) -> Result<(), Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org));
        let version = {
            let tx = self.deps.store.read(&scope).await?;
            sources::version(&tx, version).await?
        };
        if version.state != "extracting" {
            return Ok(());
        }
        let object: ObjectId = version.object_id.parse().map_err(|_| Error::Defect("an object id cannot be read".into()))?;
        let original = match self.deps.objects.get(Key::new(org, object, Part::Original)).await {
            Ok(original) => original,
            Err(ObjectError::NotFound(_)) => {
                return self.store_problem(&scope, &version, &ExtractError::Malformed("the stored file is gone".into())).await;
            }
            Err(error) => return Err(error.into()),
        };
        let result = self.read(&version, original).await;
        self.set_progress(&version.id, None);
        match result? {
            Ok(document) => self.store_document(&scope, &version, object, document).await,
            Err(problem) => self.store_problem(&scope, &version, &problem).await,
        }
    }

    /// Reads a file off the async threads, and survives a reader that panics on it.
    async fn read(&self, version: &source_version::Model, original: Bytes) -> Result<Result<Document, ExtractError>, Error> {
        let _permit = self.readers.acquire().await.map_err(|error| Error::Defect(error.to_string()))?;
        self.set_progress(&version.id, Some((0, 1)));
        let media = MediaType::of_name(&version.media_type).ok_or_else(|| Error::Defect("an unknown media type is stored".into()))?;
        let limits = self.config.limits();
        let reading = tokio::task::spawn_blocking(move || {
            extract::extract(media, &original, &limits).map(|extracted| Document { passages: passages(&extracted), extracted })
        });
        Ok(match reading.await {
            Ok(result) => result,
            Err(panic) if panic.is_panic() => Err(ExtractError::Malformed("reading it failed in an unforeseen way".into())),
            Err(error) => return Err(Error::Defect(error.to_string())),
        })
    }

    async fn store_document(
        &self,
        scope: &Arc<Scope>,
        version: &source_version::Model,
        object: ObjectId,
        document: Document,
    ) -> Result<(), Error> {
        let Document { extracted, passages } = document;
        let id: SourceVersionId = version.id.parse().map_err(|_| Error::Defect("a version id cannot be read".into()))?;
        let layout = serde_json::to_vec(&extracted.boxes).map_err(|error| Error::Defect(error.to_string()))?;
        self.deps.objects.put(Key::new(scope.org(), object, Part::Layout), layout.into()).await?;

        let mut tx = self.deps.store.write(scope).await?;
        let title = title(version, &extracted);
        let outcome = sources::Outcome {
            state: "draft",
            title: &title,
            problem: ("", ""),
            notes: serde_json::to_string(&extracted.notes).map_err(|error| Error::Defect(error.to_string()))?,
            pages: extracted.pages.into(),
            passages: passages.len() as i64,
        };
        if !sources::end_extraction(&tx, &version.id, outcome).await? {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(passages.len());
        for (ordinal, passage) in passages.iter().enumerate() {
            // The same version read again gives the same ids.
            let passage_id = PassageId::derived(id.uuid(), &(ordinal as u64).to_be_bytes());
            rows.push(content::row(&tx.org_key(), &version.id, passage_id.to_string(), ordinal, &extracted.text, passage)?);
        }
        for batch in rows.chunks(BATCH) {
            tx.insert_all(batch.to_vec()).await?;
        }
        let text = Bytes::from(extracted.text);
        self.deps.objects.put(Key::new(scope.org(), object, Part::Text), text).await?;
        let event = SourceExtracted {
            program_id: version.program_id.clone(),
            source_id: version.source_id.clone(),
            source_version_id: version.id.clone(),
            passages: passages.len() as i64,
        };
        tx.emit("source.extracted", &event)?;
        Ok(tx.commit().await?)
    }

    async fn store_problem(&self, scope: &Arc<Scope>, version: &source_version::Model, problem: &ExtractError) -> Result<(), Error> {
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
        if !sources::end_extraction(&tx, &version.id, outcome).await? {
            return Ok(());
        }
        let entry = AuditEntry::refused("source.extracted", &version.id, problem.code()).in_program(program_id(&version.program_id)?);
        tx.audit(entry)?;
        Ok(tx.commit().await?)
    }
}

/// The caller's title, else the document's own, else the file's name.
fn title(version: &source_version::Model, extracted: &Extracted) -> String {
    if !version.title.is_empty() {
        return version.title.clone();
    }
    let own = extracted.title.as_deref().filter(|title| !title.is_empty());
    let stem = || version.file_name.rsplit_once('.').map_or(version.file_name.as_str(), |(stem, _)| stem).to_owned();
    own.map_or_else(stem, |title| title.chars().take(300).collect())
}
