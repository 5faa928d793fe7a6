//! Taking files in.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hex::ToHex as _;
use preceptor_core::Scope;
use preceptor_core::id::{ObjectId, SourceId, SourceVersionId};
use preceptor_objects::{Key, Objects as _, Part};
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::extract::{ExtractError, MediaType};
use super::programs::program_id;
use super::readable::{self, Seen};
use super::{Content, check_reach, shown};
use crate::Error;
use crate::store::{approval, programs, registry_call, source, source_version, sources, verification, verifications};

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

/// A source with its newest version.
#[derive(Debug)]
pub(crate) struct SourceView {
    pub(crate) source: source::Model,
    pub(crate) version: source_version::Model,
    pub(crate) approval: Option<approval::Model>,
    /// Pages read, of how many, while it is being read.
    pub(crate) progress: Option<(u64, u64)>,
    pub(crate) standing: Standing,
}

/// What was found out about a version.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) verification: Option<verification::Model>,
    pub(crate) calls: Vec<registry_call::Model>,
    pub(crate) is_being_verified: bool,
    pub(crate) is_quarantined: bool,
}

/// Bytes on their way in, never more than allowed.
#[derive(Debug)]
pub(crate) struct Incoming {
    bytes: BytesMut,
    most: u64,
}

impl Incoming {
    /// Takes the next chunk.
    pub(crate) fn take(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if self.bytes.len() as u64 + chunk.len() as u64 > self.most {
            return Err(ExtractError::TooLarge { limit_mib: self.most >> 20 }.into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}

impl Content {
    /// Room for a file of the announced length.
    pub(crate) fn incoming(&self, upload: &Upload) -> Result<Incoming, Error> {
        let most = self.config.limits().file_bytes;
        if u64::try_from(upload.length).unwrap_or(0) > most {
            return Err(ExtractError::TooLarge { limit_mib: most >> 20 }.into());
        }
        Ok(Incoming { bytes: BytesMut::new(), most })
    }

    /// Stores a file that came in whole, and has it read. Nothing is stored of a file that is not what it says.
    pub(crate) async fn upload(&self, scope: &Arc<Scope>, upload: Upload, incoming: Incoming) -> Result<SourceView, Error> {
        check_reach(scope, &upload.program_id)?;
        let media = MediaType::declared(&upload.file_name, &upload.media_type)?;
        let content: Bytes = incoming.bytes.freeze();
        media.check(&content)?;

        let object = ObjectId::generate();
        let (sha256, size): (String, _) = (Sha256::digest(&content).encode_hex(), content.len() as i64);
        self.deps.objects.put(Key::new(scope.org(), object, Part::Original), content).await?;

        let mut tx = self.deps.store.write(scope).await?;
        let program = programs::get(&tx, &upload.program_id).await?;
        let (source, number) = self.source_of(&tx, &upload).await?;
        let version = source_version::Model {
            org_id: tx.org_key(),
            id: SourceVersionId::generate().to_string(),
            source_id: source.as_ref().map_or_else(|| SourceId::generate().to_string(), |source| source.id.clone()),
            program_id: program.id.clone(),
            number,
            title: given_title(&upload),
            file_name: file_name(&upload.file_name),
            media_type: media.name().to_owned(),
            object_id: object.to_string(),
            size_bytes: size,
            sha256,
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
        tx.audit(entry.fact("source", &source.id).fact("sha256", &version.sha256).fact("media_type", &version.media_type))?;
        tx.commit().await?;
        self.work.add((scope.org(), version.id.clone()));
        Ok(SourceView { source, version, approval: None, progress: Some((0, 0)), standing: Standing::default() })
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

    pub(crate) async fn source(&self, scope: &Arc<Scope>, id: &str) -> Result<SourceView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let Seen { source, version, .. } = readable::see(&tx, scope, id, "").await?;
        Ok(shown::source(scope, self.source_view(&tx, source, version).await?))
    }

    pub(crate) async fn list_sources(&self, scope: &Arc<Scope>, program: &str, after: &str, limit: u64) -> Result<Vec<SourceView>, Error> {
        check_reach(scope, program)?;
        let tx = self.deps.store.read(scope).await?;
        programs::get(&tx, program).await?;
        let after = (!after.is_empty()).then_some(after);
        let rows = sources::list(&tx, program, after, limit).await?;
        let seen = readable::see_all(&tx, scope, program, rows).await?;
        let approvals = sources::approvals(&tx, seen.iter().map(|(_, version)| version.id.clone()).collect()).await?;
        let mut views = Vec::with_capacity(seen.len());
        for (source, version) in seen {
            let approval = approvals.iter().find(|approval| approval.source_version_id == version.id).cloned();
            let progress = self.progress(&version.id);
            let standing = standing(&tx, &version.id).await?;
            views.push(shown::source(scope, SourceView { source, version, approval, progress, standing }));
        }
        Ok(views)
    }

    pub(super) async fn source_view(
        &self,
        tx: &TenantTx,
        source: source::Model,
        version: source_version::Model,
    ) -> Result<SourceView, Error> {
        let approval = sources::approval(tx, &version.id).await?;
        let progress = self.progress(&version.id);
        let standing = standing(tx, &version.id).await?;
        Ok(SourceView { source, version, approval, progress, standing })
    }
}

/// What was found out about a version.
pub(super) async fn standing(tx: &TenantTx, version: &str) -> Result<Standing, Error> {
    let verification = verifications::newest(tx, version).await?;
    Ok(Standing {
        is_being_verified: verifications::watched(tx, version).await?.is_some_and(|watched| watched.checked_at == 0),
        is_quarantined: verifications::quarantine(tx, version).await?.is_some(),
        calls: match &verification {
            Some(row) => verifications::calls(tx, &row.id).await?,
            None => Vec::new(),
        },
        verification,
    })
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

/// The title that the caller gives, shortened to what is shown.
fn given_title(upload: &Upload) -> String {
    upload.title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// The last part of the name, without control characters: it is shown and offered for download, never opened.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    if clean.is_empty() { "unnamed".to_owned() } else { clean }
}
