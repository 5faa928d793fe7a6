//! Answering a search.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use preceptor_core::id::{OrgId, ProgramId, ProgramVersionId};
use preceptor_core::{Fault, Kind, Scope};
use preceptor_models::kinds::dot;
use preceptor_models::text::Analyzer;
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_proto::ingestion::v1::ingestion_client::IngestionClient;
use preceptor_rpc::{Call, Channel, fault_of, status_of};
use preceptor_runtime::Waiting;
use preceptor_vector::{Hit, Query, SparseVector, VersionKeys, point_id};
use uuid::Uuid;

use super::evidence::{best_of, evidence};
use super::features::{CANDIDATES, COMPARED_WHOLE, Candidates, EngineScores, Ranker};
use super::nearness::{Nearness, nearest, nearness, rank_weight};
use super::profile::{Entry, Profile, Readers};
use super::question::{Question, Words};
use super::spelling::{Correction, Speller};
use super::{DENSE, SPARSE};
use crate::store::{self, indexed};
use crate::{Config, Deps, Error};

/// How much a sentence's covered terms count beside its vector.
const SENTENCE_COVERAGE: f64 = 0.5;
/// Sources that are offered when there is no answer.
const OFFERED_SOURCES: usize = 5;
/// Resolutions of programs to versions that are remembered; each is checked again when text is read.
const REMEMBERED_PROGRAMS: u64 = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// A version that is ready to be searched.
struct Ready {
    keys: VersionKeys,
    profile: Profile,
    speller: Speller,
    /// The engine's ids of the version's passages: an id that is not here was found outside it.
    places: HashMap<Uuid, usize>,
}

/// A passage that was found.
#[derive(Debug, Clone)]
pub(crate) struct FoundPassage {
    pub(crate) passage: ingestion::Passage,
    pub(crate) score: f64,
    pub(crate) sentence_scores: Vec<f32>,
}

/// What a search found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) version: String,
    pub(crate) version_number: i64,
    pub(crate) program_title: String,
    pub(crate) passages: Vec<FoundPassage>,
    pub(crate) evidence: Option<[f64; 32]>,
    pub(crate) corrections: Vec<Correction>,
    pub(crate) lexical_only: bool,
}

/// Passages as they were ranked, before their text is read.
struct Ranked {
    question: Question,
    evidence: Option<[f64; 32]>,
    /// Entry and score, best first.
    passages: Vec<(usize, f64)>,
    /// What was compared word by word.
    near: BTreeMap<usize, Nearness>,
}

/// Search over the published versions of all orgs.
pub(crate) struct Search {
    deps: Deps,
    ingestion: IngestionClient<Channel>,
    analyzer: Analyzer,
    ranker: Ranker,
    versions: Cache<ProgramVersionId, Arc<Ready>>,
    published: Cache<(OrgId, ProgramId), ProgramVersionId>,
    /// Source versions that wait for their vectors.
    pub(super) queue: Waiting<(OrgId, String)>,
    pub(super) embedding: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").finish_non_exhaustive()
    }
}

impl Search {
    pub(crate) fn new(deps: Deps, config: Config) -> Self {
        let weigh = |_: &ProgramVersionId, ready: &Arc<Ready>| {
            u32::try_from(ready.profile.weight()).unwrap_or(u32::MAX)
        };
        Self {
            ingestion: IngestionClient::new(deps.ingestion.clone()),
            analyzer: Analyzer::default(),
            ranker: Ranker::fitted(),
            versions: Cache::builder().weigher(weigh).max_capacity(config.profile_cache_mib << 20).build(),
            published: Cache::builder()
                .max_capacity(REMEMBERED_PROGRAMS)
                .time_to_live(REMEMBERED_FOR)
                .build(),
            queue: Waiting::default(),
            embedding: tokio::sync::Mutex::default(),
            deps,
        }
    }

    pub(crate) fn deps(&self) -> &Deps {
        &self.deps
    }

    pub(crate) fn ingestion(&self) -> IngestionClient<Channel> {
        self.ingestion.clone()
    }

    pub(crate) fn readers(&self) -> Readers<'_> {
        Readers { analyzer: &self.analyzer, kinds: &self.deps.kinds, embedder: self.deps.embedder.as_deref() }
    }

    /// The best passages of the published version for a question.
    pub(crate) async fn find(
        &self,
        call: &Call,
        program: ProgramId,
        question: &str,
        limit: usize,
    ) -> Result<Found, Error> {
        if !call.scope().reaches(program) {
            // A program that the credential cannot reach looks like one that is not there.
            let fault = Fault::new(Kind::NotFound, "PROGRAM_NOT_FOUND", "there is no such program");
            return Err(status_of(&fault).into());
        }
        let key = (call.scope().org(), program);
        let remembered = self.published.get(&key);
        let version = match remembered {
            Some(version) => version,
            None => self.resolve(call, program).await?,
        };
        match self.find_in(call, program, version, question, limit).await {
            // The version was published or withdrawn since it was resolved: once more, with what is published now.
            Err(error) if remembered.is_some() && is_outdated(&error) => {
                self.published.invalidate(&key);
                let version = self.resolve(call, program).await?;
                self.find_in(call, program, version, question, limit).await
            }
            found => found,
        }
    }

    /// Which terms occur in the published version.
    pub(crate) async fn known_terms(
        &self,
        call: &Call,
        program: ProgramId,
        terms: &[String],
    ) -> Result<Vec<bool>, Error> {
        let version = self.resolve(call, program).await?;
        let ready = self.ready(&call.shared_scope(), program, version).await?;
        Ok(terms.iter().map(|term| ready.profile.term(term).is_some()).collect())
    }

    async fn resolve(&self, call: &Call, program: ProgramId) -> Result<ProgramVersionId, Error> {
        let request = ingestion::ResolvePublishedRequest { program_id: program.to_string() };
        let resolved = self.ingestion().resolve_published(call.request(request)?).await?.into_inner();
        let version = resolved
            .program_version_id
            .parse()
            .map_err(|_| Error::Defect("a version id cannot be read".into()))?;
        self.published.insert((call.scope().org(), program), version);
        Ok(version)
    }

    async fn find_in(
        &self,
        call: &Call,
        program: ProgramId,
        version: ProgramVersionId,
        question: &str,
        limit: usize,
    ) -> Result<Found, Error> {
        let ready = self.ready(&call.shared_scope(), program, version).await?;
        let ranked = self.rank(&ready, question).await?;
        let chosen = choose(&ready.profile, &ranked.passages, limit);
        let ids = chosen.iter().map(|(entry, _)| ready.profile.entries[*entry].id.to_string()).collect();
        let request = ingestion::ReadPassagesRequest {
            program_id: program.to_string(),
            program_version_id: version.to_string(),
            passage_ids: ids,
        };
        // Always asked, hits or none: this is where a withdrawal is noticed.
        let read = self.ingestion().read_passages(call.request(request)?).await?.into_inner();
        let mut texts: BTreeMap<String, ingestion::Passage> =
            read.passages.into_iter().map(|passage| (passage.id.clone(), passage)).collect();
        let weight = rank_weight(&ready.profile, &ranked.question);
        let passages = chosen
            .into_iter()
            .filter_map(|(place, score)| {
                let entry = &ready.profile.entries[place];
                let passage = texts.remove(&entry.id.to_string())?;
                Some(FoundPassage {
                    passage,
                    score,
                    sentence_scores: match ranked.near.get(&place) {
                        Some(near) => near.sentences.clone(),
                        None => sentence_scores(entry, &ranked.question, (weight * score) as f32),
                    },
                })
            })
            .collect();
        Ok(Found {
            version: version.to_string(),
            version_number: read.version_number,
            program_title: read.program_title,
            passages,
            evidence: ranked.evidence,
            corrections: ranked.question.corrections,
            lexical_only: self.deps.embedder.is_none(),
        })
    }

    /// The version, from memory or from its stored statistics.
    async fn ready(
        &self,
        scope: &Arc<Scope>,
        program: ProgramId,
        version: ProgramVersionId,
    ) -> Result<Arc<Ready>, Error> {
        if let Some(ready) = self
            .versions
            .get(&version)
            .filter(|ready| ready.keys.org == scope.org() && ready.keys.program == program)
        {
            return Ok(ready);
        }
        let tx = self.deps.store.read(scope).await?;
        // What another model built, or an earlier version of this program, is being built anew.
        let row = store::indexed_version(&tx, &version.to_string())
            .await?
            .filter(|row| row.model == self.model())
            .ok_or(Error::IndexNotReady)?;
        let ready = tokio::task::spawn_blocking(move || Ready::read(&row))
            .await
            .map_err(|error| Error::Defect(error.to_string()))??;
        if ready.keys.program != program || ready.keys.org != scope.org() {
            return Err(Error::Defect("an index belongs to another program".into()));
        }
        let ready = Arc::new(ready);
        self.versions.insert(version, Arc::clone(&ready));
        Ok(ready)
    }

    /// Forgets what is remembered of a version whose index was built anew.
    pub(crate) fn forget_version(&self, version: ProgramVersionId) {
        self.versions.invalidate(&version);
    }

    async fn rank(&self, ready: &Ready, question: &str) -> Result<Ranked, Error> {
        let profile = &ready.profile;
        let words = Words::read(question, profile, &ready.speller, self.readers());
        // The words are searched for while the model still reads them.
        let (embedding, bm25) = tokio::try_join!(
            async { words.embed(self.readers()).await.map_err(Error::from) },
            self.by_words(ready, words.sparse())
        )?;
        let question = Question::of(words, embedding, profile, self.readers());
        let engine = EngineScores { cosine: self.by_meaning(ready, &question).await?, bm25 };
        let entries = candidate_entries(profile, &engine);
        let candidates = Candidates::compare(profile, &question, &entries, &engine);
        let near = nearness(profile, &question, &candidates, &self.ranker);
        let evidence = evidence(profile, &question, &candidates, &self.ranker, nearest(&near));
        let ranked = best_of(&candidates, &self.ranker, |candidate| candidate.entry);
        let passages =
            ranked.into_iter().map(|(place, score)| (candidates.list[place].entry, score)).collect();
        Ok(Ranked { question, evidence, passages: by_best_quotation(passages, &near), near })
    }

    /// The candidates that share words with the question.
    async fn by_words(&self, ready: &Ready, vector: SparseVector) -> Result<BTreeMap<usize, f32>, Error> {
        if vector.is_empty() {
            return Ok(BTreeMap::new());
        }
        let query = Query::Sparse { name: SPARSE, vector, limit: ready.wanted() };
        let mut scores = self.ask_engine(ready, query).await?;
        scores.retain(|_, score| *score > 0.0);
        Ok(scores)
    }

    /// The candidates that mean something like the question.
    async fn by_meaning(&self, ready: &Ready, question: &Question) -> Result<BTreeMap<usize, f32>, Error> {
        if question.vector.is_empty() {
            return Ok(BTreeMap::new());
        }
        let vector = question.vector.clone();
        self.ask_engine(ready, Query::Dense { name: DENSE, vector, limit: ready.wanted() }).await
    }

    /// The engine's scores, by entry. Ids that the version does not know are dropped and alarmed.
    async fn ask_engine(&self, ready: &Ready, query: Query) -> Result<BTreeMap<usize, f32>, Error> {
        if ready.profile.entries.is_empty() {
            return Ok(BTreeMap::new());
        }
        let lists = self.deps.index.search(ready.keys, vec![query]).await?;
        Ok(lists.into_iter().flat_map(|hits| ready.known(hits)).collect())
    }
}

fn is_outdated(error: &Error) -> bool {
    match error {
        Error::Call(status) => {
            matches!(fault_of(status).kind, Kind::Conflict | Kind::FailedPrecondition | Kind::NotFound)
        }
        Error::IndexNotReady => true,
        _ => false,
    }
}

impl Ready {
    fn read(row: &indexed::Model) -> Result<Self, Error> {
        let unreadable = |_| Error::Defect("an index row cannot be read".into());
        let profile: Profile =
            postcard::from_bytes(&row.profile).map_err(|error| Error::Defect(error.to_string()))?;
        let keys = VersionKeys {
            org: row.org_id.parse().map_err(unreadable)?,
            app: row.app_id.parse().map_err(unreadable)?,
            program: row.program_id.parse().map_err(unreadable)?,
            version: row.program_version_id.parse().map_err(unreadable)?,
        };
        let places = profile
            .entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (point_id(keys.version, entry.id), at))
            .collect();
        Ok(Self { keys, speller: Speller::of(&profile), profile, places })
    }

    /// How many candidates a list has: all of a small version.
    fn wanted(&self) -> usize {
        let size = self.profile.entries.len();
        if size <= COMPARED_WHOLE { size } else { CANDIDATES }
    }

    /// Hits as entries of this version. The re-check of every hit: ids are made from the version, so one from elsewhere
    /// cannot be among them.
    fn known(&self, hits: Vec<Hit>) -> impl Iterator<Item = (usize, f32)> {
        hits.into_iter().filter_map(|hit| {
            let place = self.places.get(&hit.id).copied();
            if place.is_none() {
                tracing::error!(hit.id = %hit.id, program_version.id = %self.keys.version, "the engine returned a point outside the version; it was dropped");
            }
            place.map(|place| (place, hit.score))
        })
    }
}

/// The entries that are compared: all of a small version, else what the engine found.
fn candidate_entries(profile: &Profile, engine: &EngineScores) -> Vec<usize> {
    if profile.entries.len() <= COMPARED_WHOLE {
        return (0..profile.entries.len()).collect();
    }
    let mut entries: Vec<_> = engine.cosine.keys().chain(engine.bm25.keys()).copied().collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// The best passages, and the best one of each of the first sources.
fn choose(profile: &Profile, ranked: &[(usize, f64)], limit: usize) -> Vec<(usize, f64)> {
    let mut sources: Vec<u32> = Vec::new();
    let mut chosen = Vec::new();
    for (rank, &(entry, score)) in ranked.iter().enumerate() {
        let source = profile.entries[entry].source;
        let first_of_source = sources.len() < OFFERED_SOURCES && !sources.contains(&source);
        if first_of_source {
            sources.push(source);
        }
        if rank < limit || first_of_source {
            chosen.push((entry, score));
        }
    }
    chosen
}

/// The passages by their best quotation; those that were not compared word by word stay behind, in their order.
fn by_best_quotation(mut passages: Vec<(usize, f64)>, near: &BTreeMap<usize, Nearness>) -> Vec<(usize, f64)> {
    let best = |entry: usize| {
        let sentences = near.get(&entry).map(|near| near.sentences.iter().copied());
        sentences.into_iter().flatten().fold(f32::NEG_INFINITY, f32::max)
    };
    passages.sort_by(|a, b| best(b.0).total_cmp(&best(a.0)));
    passages
}

/// How well each sentence of a passage of this rank supports the question, by its words and its vector.
fn sentence_scores(entry: &Entry, question: &Question, rank: f32) -> Vec<f32> {
    let total = question.total_idf().max(1e-9);
    entry
        .sentences
        .iter()
        .map(|sentence| {
            let vector: Vec<f32> = sentence.vector.iter().map(|&value| f32::from(value) / 127.0).collect();
            let covered: f64 = question
                .terms
                .iter()
                .filter(|term| term.term.is_some_and(|term| sentence.terms.binary_search(&term).is_ok()))
                .map(|term| term.idf)
                .sum();
            rank + dot(&vector, &question.vector) + (SENTENCE_COVERAGE * covered / total) as f32
        })
        .collect()
}
