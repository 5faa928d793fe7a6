//! Taking files in: what is not allowed is not stored, and what is not finished is not kept.
//!
//! The right, the program, the source and the space left are checked before the first byte. A row that names the object
//! comes first, then the bytes go through to storage, then one transaction turns the row into a version. Whatever is
//! left of an upload that ended in between is swept away by that row.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hex::ToHex as _;
use preceptor_core::display::seen;
use preceptor_core::id::{ObjectId, OrgId, SourceId, SourceVersionId};
use preceptor_core::{Scope, SystemActor, Timestamp};
use preceptor_objects::{Key, Objects as _, Part, Writing};
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::extraction::READING;
use super::programs::{MOST_TITLE, program_id};
use super::uploads::{SourceView, Standing};
use super::{Content, check_reach};
use crate::Error;
use crate::store::{intake, programs, source, source_version, sources, upload};
use preceptor_extract::{ExtractError, MediaType, Sniffer};

/// An upload older than this has ended, one way or another: no call lasts as long.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What a caller says about a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upload {
    pub(crate) program_id: String,
    pub(crate) source_id: String,
    pub(crate) file_name: String,
    pub(crate) media_type: String,
    pub(crate) title: String,
    pub(crate) external_id: String,
    pub(crate) length: i64,
}

/// A file on its way to storage.
#[derive(Debug)]
pub(crate) struct Intake {
    upload: Upload,
    media: MediaType,
    object: ObjectId,
    writing: Box<dyn Writing>,
    sniffer: Sniffer,
    hash: Sha256,
    size: u64,
    most: u64,
}

impl Intake {
    /// Takes the next piece.
    pub(crate) async fn take(&mut self, piece: Vec<u8>) -> Result<(), Error> {
        self.size += piece.len() as u64;
        if self.size > self.most {
            return Err(ExtractError::TooLarge { limit_mib: self.most >> 20 }.into());
        }
        self.sniffer.take(&piece)?;
        self.hash.update(&piece);
        Ok(self.writing.write(Bytes::from(piece)).await?)
    }

    /// What became known after the bytes.
    pub(crate) fn learn(&mut self, source_id: String, title: String, external_id: String) {
        let fields = [
            (&mut self.upload.source_id, source_id),
            (&mut self.upload.title, title),
            (&mut self.upload.external_id, external_id),
        ];
        for (field, later) in fields {
            if !later.is_empty() {
                *field = later;
            }
        }
    }
}

impl Content {
    /// Reserves space for a file that may come in. Refuses everything that can be refused without its bytes.
    pub(crate) async fn begin_intake(&self, scope: &Arc<Scope>, upload: Upload) -> Result<Intake, Error> {
        check_reach(scope, &upload.program_id)?;
        let media = MediaType::declared(&upload.file_name, &upload.media_type)?;
        let object = ObjectId::generate();
        let tx = self.deps.store.write(scope).await?;
        programs::get(&tx, &upload.program_id).await?;
        self.source_of(&tx, &upload).await?;
        let reserved = upload.length.max(0);
        self.check_space(&tx, reserved).await?;
        let row = upload::Model {
            org_id: tx.org_key(),
            object_id: object.to_string(),
            reserved_bytes: reserved,
            begun_at: tx.now().micros(),
        };
        tx.insert(row).await?;
        tx.commit().await?;
        let writing = self.deps.objects.begin(Key::new(scope.org(), object, Part::Original)).await?;
        let most = self.config.limits().file_bytes;
        Ok(Intake {
            upload,
            media,
            object,
            writing,
            sniffer: Sniffer::new(media),
            hash: Sha256::new(),
            size: 0,
            most,
        })
    }

    /// Makes a version of a file that came in whole, and has it read.
    pub(crate) async fn finish_intake(
        &self,
        scope: &Arc<Scope>,
        intake: Intake,
    ) -> Result<SourceView, Error> {
        let Intake { upload, media, object, writing, sniffer, hash, size, .. } = intake;
        sniffer.finish()?;
        writing.finish().await?;
        let mut tx = self.deps.store.write(scope).await?;
        if !intake::end(&tx, object).await? {
            return Err(Error::Defect("an upload was swept away while it ran".into()));
        }
        self.check_space(&tx, size as i64).await?;
        let program = programs::get(&tx, &upload.program_id).await?;
        let (source, number) = self.source_of(&tx, &upload).await?;
        let version = source_version::Model {
            org_id: tx.org_key(),
            id: SourceVersionId::generate().to_string(),
            source_id: source
                .as_ref()
                .map_or_else(|| SourceId::generate().to_string(), |source| source.id.clone()),
            program_id: program.id.clone(),
            number,
            title: seen(&upload.title, MOST_TITLE),
            file_name: file_name(&upload.file_name),
            media_type: media.name().to_owned(),
            object_id: object.to_string(),
            size_bytes: size as i64,
            sha256: hash.finalize().encode_hex(),
            author: scope.subject().to_owned(),
            state: "extracting".to_owned(),
            problem_code: String::new(),
            problem_message: String::new(),
            notes: "[]".to_owned(),
            pages: 0,
            passages: 0,
            created_at: tx.now().micros(),
            submitted_at: None,
        };
        let source = if let Some(source) = source {
            tx.insert(version.clone()).await?;
            sources::set_newest(&tx, &source.id, &version.id).await?;
            source::Model { newest_version_id: version.id.clone(), ..source }
        } else {
            let source = new_source(&tx, &upload, &version);
            tx.insert(source.clone()).await?;
            tx.insert(version.clone()).await?;
            source
        };
        let entry = AuditEntry::done("source.uploaded", &version.id).in_program(program_id(&program.id)?);
        tx.audit(
            entry
                .fact("source", &source.id)
                .fact("sha256", &version.sha256)
                .fact("media_type", &version.media_type),
        )?;
        self.jobs.enqueue(&mut tx, READING, &version.id).await?;
        tx.commit().await?;
        Ok(SourceView {
            source,
            version,
            approval: None,
            progress: Some((0, 0)),
            standing: Standing::default(),
        })
    }

    /// Throws away what came in of a file that is not taken.
    pub(crate) async fn abandon_intake(&self, scope: &Arc<Scope>, object: ObjectId) {
        if let Err(error) = self.forget_intake(scope, object).await {
            tracing::warn!(%error, "an abandoned upload is left to the sweeper");
        }
    }

    async fn forget_intake(&self, scope: &Arc<Scope>, object: ObjectId) -> Result<(), Error> {
        // A version may have been made of it in spite of the failure.
        let tx = self.deps.store.read(scope).await?;
        if !intake::is_pending(&tx, object).await? {
            return Ok(());
        }
        drop(tx);
        self.deps.objects.delete(scope.org(), object).await?;
        let tx = self.deps.store.write(scope).await?;
        intake::end(&tx, object).await?;
        Ok(tx.commit().await?)
    }

    /// Sweeps away what uploads left behind that ended without an end: their client or their process went away.
    pub(crate) async fn sweep_intakes(&self, org: OrgId) -> Result<u64, Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org));
        let tx = self.deps.store.read(&scope).await?;
        let before = Timestamp::from_micros(tx.now().micros() - LONGEST.as_micros() as i64);
        let ended = intake::older(&tx, before).await?;
        drop(tx);
        let mut swept = 0;
        for row in ended {
            let object =
                row.object_id.parse().map_err(|_| Error::Defect("an upload names no object".into()))?;
            self.forget_intake(&scope, object).await?;
            swept += 1;
        }
        Ok(swept)
    }

    /// Refuses what would be more than an org may store.
    async fn check_space(&self, tx: &TenantTx, more: i64) -> Result<(), Error> {
        let limit = self.config.org_storage_mib;
        let stored = intake::stored_bytes(tx).await?;
        if stored.saturating_add(more) > i64::try_from(limit << 20).unwrap_or(i64::MAX) {
            return Err(Error::StorageUsedUp { limit_mib: limit });
        }
        Ok(())
    }

    /// The source that gets a new version, and that version's number.
    async fn source_of(&self, tx: &TenantTx, upload: &Upload) -> Result<(Option<source::Model>, i64), Error> {
        let known = if !upload.source_id.is_empty() {
            Some(sources::newest(tx, &upload.source_id).await?)
        } else if !upload.external_id.is_empty() {
            match sources::by_external_id(tx, &upload.program_id, &upload.external_id).await? {
                Some(source) => Some(sources::newest(tx, &source.id).await?),
                None => None,
            }
        } else {
            None
        };
        let Some((source, newest)) = known else { return Ok((None, 1)) };
        if source.program_id != upload.program_id {
            return Err(Error::SourceNotFound);
        }
        Ok((Some(source), newest.number + 1))
    }
}

impl Intake {
    /// The object that the bytes go to.
    pub(crate) fn object(&self) -> ObjectId {
        self.object
    }
}

fn new_source(tx: &TenantTx, upload: &Upload, version: &source_version::Model) -> source::Model {
    source::Model {
        org_id: tx.org_key(),
        id: version.source_id.clone(),
        program_id: version.program_id.clone(),
        external_id: (!upload.external_id.is_empty()).then(|| upload.external_id.clone()),
        created_at: tx.now().micros(),
        newest_version_id: version.id.clone(),
    }
}

/// The last part of a file's name as it is seen: it is shown and offered for download, never opened.
fn file_name(name: &str) -> String {
    let shown = seen(name.rsplit(['/', '\\']).next().unwrap_or_default(), 200);
    if shown.is_empty() { "unnamed".to_owned() } else { shown }
}
