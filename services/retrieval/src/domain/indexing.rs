//! Building the index of a version, and the vectors of a source before anyone publishes.

use std::collections::BTreeMap;
use std::time::Duration;

use preceptor_core::id::{AppId, OrgId, ProgramId, ProgramVersionId};
use preceptor_proto::events::v1::IndexProgress;
use preceptor_proto::ingestion::v1 as proto;
use preceptor_rpc::Call;
use preceptor_store::AuditEntry;
use preceptor_vector::{Point, VersionKeys, point_id};

use super::passage::{Passage, Vectors, WORDS};
use super::profile::{Material, Profile};
use super::search::Search;
use super::{DENSE, SPARSE};
use crate::Error;
use crate::store::{self, indexed, vector};

/// Texts per pass of the model: enough for both cores, little enough for visible progress.
const TEXTS: usize = 64;
/// Points per call of the engine.
const POINTS: usize = 256;
/// How long reading a whole version may take.
const READING: Duration = Duration::from_secs(300);
/// The name of the model when there is none.
const NO_MODEL: &str = "none";

/// A version as ingestion froze it.
struct Frozen {
    keys: VersionKeys,
    title: String,
    passages: Vec<Passage>,
}

fn unreadable<E>(_: E) -> Error {
    Error::Defect("an id from ingestion cannot be read".into())
}

pub(crate) fn decode(passage: proto::Passage) -> Result<Passage, Error> {
    let ranges = passage.sentence_starts.iter().zip(&passage.sentence_ends);
    Ok(Passage {
        id: passage.id.parse().map_err(unreadable)?,
        source: passage.source_id,
        heading: passage.heading,
        sentences: ranges.map(|(&start, &end)| start as usize..end as usize).collect(),
        text: passage.text,
    })
}

impl Search {
    /// What an index was built by: the model, and what a profile holds. One that was built by something else is built anew.
    pub(crate) fn model(&self) -> String {
        let model = self.deps().embedder.as_ref().map(|embedder| embedder.id().to_string());
        format!("{} {WORDS}", model.as_deref().unwrap_or(NO_MODEL))
    }

    /// Has the vectors of a source version computed soon, so that publishing it later is quick.
    pub(crate) fn prepare_soon(&self, org: OrgId, source_version: String) {
        self.queue.add((org, source_version));
    }

    /// Computes the vectors of everything that waits, many sources at a time: the model is fastest with full batches. What
    /// fails here, or is lost with the process, is computed when the version is published.
    pub(crate) async fn prepare_waiting(&self) {
        let mut by_org: BTreeMap<OrgId, Vec<String>> = BTreeMap::new();
        for (org, source_version) in self.queue.all().await {
            by_org.entry(org).or_default().push(source_version);
        }
        for (org, versions) in by_org {
            if let Err(error) = self.prepare(org, &versions).await {
                tracing::warn!(%error, org.id = %org, "vectors were not computed ahead; publishing will compute them");
            }
        }
    }

    async fn prepare(&self, org: OrgId, versions: &[String]) -> Result<(), Error> {
        let call = self.deps().system.call(org, READING).await?;
        let mut passages = Vec::new();
        for version in versions {
            let request = proto::StreamSourceRequest { source_version_id: version.clone() };
            let mut pages = self.ingestion().stream_source(call.request(request)?).await?.into_inner();
            while let Some(page) = pages.message().await? {
                passages.extend(page.passages.into_iter().map(decode).collect::<Result<Vec<_>, _>>()?);
            }
        }
        self.vectors(&call, &passages, None).await?;
        Ok(())
    }

    /// Whether the engine holds this version, as built by the model at hand.
    pub(crate) async fn is_indexed(&self, org: OrgId, version: &str) -> Result<bool, Error> {
        let scope = self.deps().system.scope(org);
        let tx = self.deps().store.read(&scope).await?;
        let Some(row) = store::indexed_version(&tx, version).await? else { return Ok(false) };
        if row.model != self.model() {
            return Ok(false);
        }
        let keys = VersionKeys {
            org,
            app: row.app_id.parse().map_err(unreadable)?,
            program: row.program_id.parse().map_err(unreadable)?,
            version: row.program_version_id.parse().map_err(unreadable)?,
        };
        Ok(self.deps().index.count(keys).await? as i64 == row.passages)
    }

    /// Builds the index of a frozen version and says so.
    pub(crate) async fn build_index(&self, org: OrgId, version: &str) -> Result<(), Error> {
        let call = self.deps().system.call(org, READING).await?;
        let frozen = self.read_version(&call, version).await?;
        let vectors = self.vectors(&call, &frozen.passages, Some(&frozen.keys)).await?;
        let material = Material { title: &frozen.title, passages: &frozen.passages, vectors };
        let profile = Profile::build(material, self.readers()).await?;

        self.forget(&call, version).await?;
        self.deps().index.remove(frozen.keys).await?;
        for entries in profile.entries.chunks(POINTS) {
            let points = entries.iter().map(|entry| Point {
                id: point_id(frozen.keys.version, entry.id),
                dense: if entry.vector.is_empty() { Vec::new() } else { vec![(DENSE, entry.vector.clone())] },
                sparse: vec![(SPARSE, entry.terms.clone())],
            });
            self.deps().index.upsert(frozen.keys, points.collect()).await?;
        }
        // Only what is flushed survives: the row below says that it is there.
        self.deps().index.flush(org).await?;
        self.note(&call, &frozen, &profile).await
    }

    async fn read_version(&self, call: &Call, version: &str) -> Result<Frozen, Error> {
        let request = proto::StreamVersionRequest { program_version_id: version.to_owned() };
        let mut pages = self.ingestion().stream_version(call.request(request)?).await?.into_inner();
        let mut passages = Vec::new();
        let mut header = None;
        while let Some(page) = pages.message().await? {
            if !page.program_id.is_empty() {
                header = Some((page.program_id, page.app_id, page.program_title));
            }
            passages.extend(page.passages.into_iter().map(decode).collect::<Result<Vec<_>, _>>()?);
        }
        let (program, app, title) =
            header.ok_or_else(|| Error::Defect("a version came without its program".into()))?;
        let keys = VersionKeys {
            org: call.scope().org(),
            app: app.parse::<AppId>().map_err(unreadable)?,
            program: program.parse::<ProgramId>().map_err(unreadable)?,
            version: version.parse::<ProgramVersionId>().map_err(unreadable)?,
        };
        Ok(Frozen { keys, title, passages })
    }

    /// The vectors of all passages: those stored, and new ones for the others. None at all without a model. Progress is
    /// announced for the version, when one is given.
    async fn vectors(
        &self,
        call: &Call,
        passages: &[Passage],
        announced: Option<&VersionKeys>,
    ) -> Result<Vec<Vectors>, Error> {
        let Some(embedder) = self.deps().embedder.clone() else { return Ok(Vec::new()) };
        // One at a time: a publication finds what is being prepared instead of computing it again beside it.
        let _turn = self.embedding.lock().await;
        let (model, analyzer) = (self.model(), self.readers().analyzer);
        let contents: Vec<_> = passages.iter().map(|passage| passage.content_key(&model)).collect();
        let known = {
            let tx = self.deps().store.read(&call.shared_scope()).await?;
            store::vectors(&tx, &contents).await?
        };
        let mut by_content: std::collections::HashMap<String, vector::Model> =
            known.into_iter().map(|row| (row.content.clone(), row)).collect();
        let mut missing: Vec<(&String, &Passage)> = Vec::new();
        for (content, passage) in contents.iter().zip(passages) {
            if !by_content.contains_key(content) && !missing.iter().any(|(known, _)| *known == content) {
                missing.push((content, passage));
            }
        }
        let mut done = passages.len().saturating_sub(missing.len());
        for batch in missing.chunks(TEXTS) {
            let embedded =
                embedder.embed(batch.iter().map(|(_, passage)| passage.embedded(analyzer)).collect()).await?;
            let tx = self.deps().store.write(&call.shared_scope()).await?;
            let rows: Vec<_> = batch
                .iter()
                .zip(embedded)
                .map(|((content, read), embedding)| {
                    let (passage, sentences) = Vectors::of(embedding, read.sentences.len()).bytes();
                    vector::Model { org_id: tx.org_key(), content: (*content).clone(), passage, sentences }
                })
                .collect();
            store::store_vectors(&tx, rows.clone()).await?;
            tx.commit().await?;
            by_content.extend(rows.into_iter().map(|row| (row.content.clone(), row)));
            done += batch.len();
            if let Some(keys) = announced {
                self.announce(call, keys, done, passages.len(), None).await?;
            }
        }
        contents
            .iter()
            .zip(passages)
            .map(|(content, passage)| {
                let row = by_content.get(content);
                row.and_then(|row| Vectors::read(&row.passage, &row.sentences, passage.sentences.len()))
                    .ok_or_else(|| Error::Defect("a stored vector cannot be read".into()))
            })
            .collect()
    }

    async fn forget(&self, call: &Call, version: &str) -> Result<(), Error> {
        let tx = self.deps().store.write(&call.shared_scope()).await?;
        store::forget_indexed(&tx, version).await?;
        Ok(tx.commit().await?)
    }

    async fn note(&self, call: &Call, frozen: &Frozen, profile: &Profile) -> Result<(), Error> {
        let encoded = postcard::to_allocvec(profile).map_err(|error| Error::Defect(error.to_string()))?;
        let mut tx = self.deps().store.write(&call.shared_scope()).await?;
        let row = indexed::Model {
            org_id: tx.org_key(),
            program_version_id: frozen.keys.version.to_string(),
            program_id: frozen.keys.program.to_string(),
            app_id: frozen.keys.app.to_string(),
            model: self.model(),
            passages: frozen.passages.len() as i64,
            profile: encoded,
            indexed_at: tx.now().micros(),
        };
        let entry = AuditEntry::done("index.built", frozen.keys.version).in_program(frozen.keys.program);
        tx.audit(entry.fact("model", &row.model).fact("passages", row.passages))?;
        store::note_indexed(&tx, row).await?;
        let total = frozen.passages.len() as i64;
        tx.emit("index.progress", &progress_event(&frozen.keys, total, total, true, ""))?;
        Ok(tx.commit().await?)
    }

    /// Says how far the index of a version is, or why it cannot be built.
    pub(crate) async fn announce(
        &self,
        call: &Call,
        keys: &VersionKeys,
        done: usize,
        total: usize,
        problem: Option<&str>,
    ) -> Result<(), Error> {
        let mut tx = self.deps().store.write(&call.shared_scope()).await?;
        tx.emit(
            "index.progress",
            &progress_event(keys, done as i64, total as i64, false, problem.unwrap_or_default()),
        )?;
        Ok(tx.commit().await?)
    }
}

fn progress_event(keys: &VersionKeys, done: i64, total: i64, ready: bool, problem: &str) -> IndexProgress {
    IndexProgress {
        program_id: keys.program.to_string(),
        program_version_id: keys.version.to_string(),
        done,
        total,
        ready,
        problem: problem.to_owned(),
    }
}
