//! Reading what is stored: documents, pictures, passages of the published version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::Scope;
use preceptor_objects::{Objects as _, Part, Reading};
use preceptor_store::TenantTx;

use super::readable::{self, Access, Quotable, Seen};
use super::uploads::{SourceView, Standing, standings, versions_with_marks};
use super::{Content, check_reach, sees_drafts, shown};
use crate::Error;
use crate::store::content::{self, Parts};
use crate::store::{passage, program_version, programs, source_version, sources, verifications, versions};
use preceptor_extract::{MediaType, Picture, WordBox};

/// Passages per page of a stream.
const PAGE: u64 = 256;
/// Frozen versions whose sources are remembered: they never change.
const KNOWN_VERSIONS: usize = 256;

/// A passage with what is shown of its source.
#[derive(Debug)]
pub(crate) struct PassageView {
    pub(crate) row: passage::Model,
    pub(crate) parts: Parts,
    pub(crate) source: Arc<SourceOfVersion>,
}

/// A source as part of a frozen version.
#[derive(Debug, Clone)]
pub(crate) struct SourceOfVersion {
    pub(crate) source_id: String,
    pub(crate) source_version_id: String,
    pub(crate) title: String,
    pub(crate) external_id: String,
}

/// The text of a source as a reader sees it.
#[derive(Debug)]
pub(crate) struct DocumentView {
    pub(crate) source: SourceView,
    pub(crate) text: String,
    pub(crate) passages: Vec<PassageView>,
    pub(crate) boxes: Vec<WordBox>,
    pub(crate) pictures: i64,
    pub(crate) program_title: String,
}

impl DocumentView {
    /// What is left of a document that was retracted: its name, and that it was.
    fn without_content(source: SourceView, program_title: String) -> Self {
        Self {
            source,
            text: String::new(),
            passages: Vec::new(),
            boxes: Vec::new(),
            pictures: 0,
            program_title,
        }
    }
}

/// A published source with everything that a quiz is made from.
#[derive(Debug)]
pub(crate) struct ContentOfSource {
    pub(crate) source: Arc<SourceOfVersion>,
    pub(crate) standing: Standing,
    pub(crate) passages: Vec<PassageView>,
    pub(crate) program_title: String,
}

/// Part of a stream of passages.
#[derive(Debug)]
pub(crate) struct VersionPage {
    pub(crate) passages: Vec<PassageView>,
    pub(crate) version: Option<program_version::Model>,
}

type Sources = Arc<HashMap<String, Arc<SourceOfVersion>>>;

/// The sources of frozen versions.
#[derive(Debug, Default)]
pub(super) struct KnownVersions(Mutex<HashMap<String, (Sources, Arc<program_version::Model>)>>);

fn view(row: passage::Model, source: &Arc<SourceOfVersion>) -> Result<PassageView, Error> {
    Ok(PassageView { parts: content::parts(&row)?, row, source: Arc::clone(source) })
}

impl Content {
    /// A frozen version with its sources.
    async fn known_version(
        &self,
        tx: &TenantTx,
        id: &str,
    ) -> Result<(Sources, Arc<program_version::Model>), Error> {
        if let Some(known) = self.versions.0.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            // Ids are unique, but an id of another org must not answer here.
            if known.1.org_id == tx.org_key() {
                return Ok(known.clone());
            }
        }
        let version = Arc::new(versions::get(tx, id).await?);
        let parts = versions::sources(tx, id).await?;
        let rows =
            sources::versions(tx, parts.iter().map(|part| part.source_version_id.clone()).collect()).await?;
        let named = sources::by_ids(tx, parts.into_iter().map(|part| part.source_id).collect()).await?;
        let external_ids: HashMap<_, _> =
            named.into_iter().map(|row| (row.id, row.external_id.unwrap_or_default())).collect();
        let mut by_version = HashMap::new();
        for row in rows {
            let external_id = external_ids.get(&row.source_id).map_or("", String::as_str);
            by_version.insert(row.id.clone(), Arc::new(source_of(&row, external_id)));
        }
        let known = (Arc::new(by_version), version);
        let mut all = self.versions.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_VERSIONS {
            all.clear();
        }
        all.insert(id.to_owned(), known.clone());
        Ok(known)
    }

    /// What is published of a program at this moment.
    pub(crate) async fn resolve(
        &self,
        scope: &Arc<Scope>,
        program: &str,
    ) -> Result<Arc<program_version::Model>, Error> {
        check_reach(scope, program)?;
        let tx = self.deps.store.read(scope).await?;
        let Some(visible) = programs::published(&tx, program).await? else {
            // A program of another org and one that is not there look the same.
            programs::get(&tx, program).await?;
            return Err(if sees_drafts(scope) { Error::NotPublished } else { Error::ProgramNotFound });
        };
        Ok(self.known_version(&tx, &visible.program_version_id).await?.1)
    }

    /// Passages of the published version. Fails when `version` is no longer it; leaves out what is not part of it.
    pub(crate) async fn passages(
        &self,
        scope: &Arc<Scope>,
        program: &str,
        version: &str,
        ids: Vec<String>,
    ) -> Result<(Vec<PassageView>, Arc<program_version::Model>), Error> {
        let may = Quotable::of(scope, program, version)?;
        let tx = self.deps.store.read(scope).await?;
        let (sources, frozen) = self.known_version(&tx, version).await?;
        let rows = sources::passages_to_quote(&tx, &may, ids).await?;
        if rows.is_empty() {
            // Nothing was asked for, or nothing may be read of it: is the version what is published?
            match programs::published(&tx, program).await? {
                Some(visible) if visible.program_version_id == version => {}
                Some(_) => return Err(Error::VersionSuperseded),
                None => return Err(Error::NotPublished),
            }
        }
        let named = rows
            .into_iter()
            .filter_map(|row| sources.get(&row.source_version_id).map(|source| view(row, source)));
        Ok((named.collect::<Result<_, _>>()?, frozen))
    }

    /// The passages of a frozen version, page by page.
    pub(crate) async fn version_page(
        &self,
        scope: &Arc<Scope>,
        version: &str,
        place: &mut (usize, i64),
    ) -> Result<Option<VersionPage>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let (sources, frozen) = self.known_version(&tx, version).await?;
        let mut ordered: Vec<_> = sources.values().collect();
        ordered.sort_by(|a, b| a.source_id.cmp(&b.source_id));
        let first = *place == (0, 0);
        let mut passages = Vec::new();
        let ids = ordered.iter().map(|source| source.source_version_id.clone()).collect();
        let readable = readable::reviewable(&tx, scope, &frozen.program_id, ids).await?;
        while (passages.len() as u64) < PAGE {
            let Some(source) = ordered.get(place.0) else { break };
            let left = PAGE - passages.len() as u64;
            let Some(may) = readable.get(&source.source_version_id) else {
                *place = (place.0 + 1, 0);
                continue;
            };
            let rows = sources::passages(&tx, may, place.1, left).await?;
            *place =
                if (rows.len() as u64) < left { (place.0 + 1, 0) } else { (place.0, place.1 + left as i64) };
            for row in rows {
                passages.push(view(row, source)?);
            }
        }
        if passages.is_empty() && !first {
            return Ok(None);
        }
        Ok(Some(VersionPage { passages, version: first.then(|| (*frozen).clone()) }))
    }

    /// The published sources of a program, each with its passages and what was found out about it.
    pub(crate) async fn content(
        &self,
        scope: &Arc<Scope>,
        program: &str,
    ) -> Result<Vec<ContentOfSource>, Error> {
        let frozen = self.resolve(scope, program).await?;
        let tx = self.deps.store.read(scope).await?;
        let (sources, _) = self.known_version(&tx, &frozen.id).await?;
        let mut ordered: Vec<_> = sources.values().cloned().collect();
        ordered.sort_by(|a, b| a.source_id.cmp(&b.source_id));
        let ids = ordered.iter().map(|source| source.source_version_id.clone()).collect();
        let readable = readable::reviewable(&tx, scope, program, ids).await?;
        let mut passages: HashMap<String, Vec<passage::Model>> = HashMap::new();
        for row in sources::passages_of(&tx, &readable).await? {
            passages.entry(row.source_version_id.clone()).or_default().push(row);
        }
        let marked = verifications::marked(&tx, sources.keys().cloned().collect()).await?;
        let mut standings = standings(&tx, versions_with_marks(marked.iter())).await?;
        let content = |source: Arc<SourceOfVersion>| {
            let rows = passages.remove(&source.source_version_id).unwrap_or_default();
            Ok(ContentOfSource {
                passages: rows.into_iter().map(|row| view(row, &source)).collect::<Result<_, _>>()?,
                standing: standings.remove(&source.source_version_id).unwrap_or_default(),
                program_title: frozen.title.clone(),
                source,
            })
        };
        ordered.into_iter().map(content).collect()
    }

    /// The passages of one source version, page by page.
    pub(crate) async fn source_page(
        &self,
        scope: &Arc<Scope>,
        version: &str,
        from: i64,
    ) -> Result<Vec<PassageView>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = sources::version(&tx, version).await?;
        let source = Arc::new(source_of(&row, ""));
        let rows = sources::passages(&tx, &readable::for_platform(&tx, &row)?, from, PAGE).await?;
        rows.into_iter().map(|row| view(row, &source)).collect()
    }

    /// Every version that has to be in the index: program and version.
    pub(crate) async fn versions_to_index(&self, scope: &Arc<Scope>) -> Result<Vec<(String, String)>, Error> {
        let tx = self.deps.store.read(scope).await?;
        versions::to_index(&tx).await
    }

    pub(crate) async fn document(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        version: &str,
    ) -> Result<DocumentView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let Seen { source: row, version, access } = readable::see(&tx, scope, source, version).await?;
        if version.state == "extracting" || version.state == "failed" {
            return Err(Error::WrongState { state: version.state, needed: "read" });
        }
        let program = programs::get(&tx, &version.program_id).await?;
        let view_of_source = shown::source(scope, self.source_view(&tx, row, version.clone()).await?);
        let Access::Readable(readable) = access else {
            return Ok(DocumentView::without_content(view_of_source, program.title));
        };
        let text = self.deps.objects.get(readable.object(scope, Part::Text)?).await?;
        let layout = self.deps.objects.get(readable.object(scope, Part::Layout)?).await?;
        let known =
            Arc::new(source_of(&version, view_of_source.source.external_id.as_deref().unwrap_or_default()));
        let rows = sources::passages(&tx, &readable, 0, u64::from(u32::MAX)).await?;
        let has_pictures = MediaType::of_name(&version.media_type).is_some_and(MediaType::has_pictures);
        Ok(DocumentView {
            source: view_of_source,
            text: String::from_utf8(text.to_vec()).map_err(|error| Error::Defect(error.to_string()))?,
            passages: rows.into_iter().map(|row| view(row, &known)).collect::<Result<_, _>>()?,
            boxes: serde_json::from_slice(&layout).map_err(|error| Error::Defect(error.to_string()))?,
            pictures: if has_pictures { version.pages } else { 0 },
            program_title: program.title,
        })
    }

    /// One page as a picture, drawn when it is first asked for.
    pub(crate) async fn picture(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        version: &str,
        page: u32,
    ) -> Result<Picture, Error> {
        let Seen { version, access, .. } = {
            let tx = self.deps.store.read(scope).await?;
            readable::see(&tx, scope, source, version).await?
        };
        let readable = access.content()?;
        let media = MediaType::of_name(&version.media_type)
            .filter(|media| media.has_pictures())
            .ok_or(Error::PageNotFound)?;
        if page == 0 || i64::from(page) > version.pages {
            return Err(Error::PageNotFound);
        }
        let bytes = self.drawn(scope, &version, &readable, page).await?;
        Ok(Picture { media_type: media.picture_type(), bytes: bytes.to_vec() })
    }

    /// The file as it was uploaded.
    pub(crate) async fn original(
        &self,
        scope: &Arc<Scope>,
        source: &str,
    ) -> Result<(source_version::Model, Box<dyn Reading>), Error> {
        let tx = self.deps.store.read(scope).await?;
        let Seen { version, access, .. } = readable::see(&tx, scope, source, "").await?;
        let content = self.deps.objects.open(access.content()?.object(scope, Part::Original)?).await?;
        Ok((version, content))
    }
}

fn source_of(version: &source_version::Model, external_id: &str) -> SourceOfVersion {
    SourceOfVersion {
        source_id: version.source_id.clone(),
        source_version_id: version.id.clone(),
        title: version.title.clone(),
        external_id: external_id.to_owned(),
    }
}
