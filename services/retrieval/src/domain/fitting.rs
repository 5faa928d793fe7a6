//! What the fitting of weights sees of search: `cargo xtask fit` builds versions in memory, asks questions of them, and
//! reads the features that the weights are for. It runs the very code that answers.

use preceptor_models::kinds::Kinds;
use preceptor_models::text::Analyzer;
use preceptor_models::{EmbedError, Embedder};

pub use super::evidence::EVIDENCE;
use super::evidence::evidence;
use super::features::{CANDIDATES, COMPARED_WHOLE, Candidates, EngineScores};
pub use super::features::{RANK_FEATURES, Ranker};
use super::nearness::{nearest, nearness};
pub use super::passage::{Passage, Vectors};
use super::profile::{Material, Profile, Readers};
use super::question::Question;
use super::spelling::Speller;

/// What reads texts, for fitting.
#[derive(Debug)]
pub struct Tools<'a> {
    /// The embedding model; none to fit what works without one.
    pub embedder: Option<&'a dyn Embedder>,
    /// The kinds to fit with.
    pub kinds: &'a Kinds,
    /// The analysis of words.
    pub analyzer: &'a Analyzer,
}

impl<'a> Tools<'a> {
    fn readers(&self) -> Readers<'a> {
        Readers { analyzer: self.analyzer, kinds: self.kinds, embedder: self.embedder }
    }
}

/// A version in memory.
pub struct Version {
    profile: Profile,
    speller: Speller,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Version").field("passages", &self.profile.entries.len()).finish_non_exhaustive()
    }
}

/// A question asked of a version, as far as the weights are concerned.
pub struct Row {
    candidates: Candidates,
    question: Question,
    sources: Vec<u32>,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("candidates", &self.sources.len()).finish_non_exhaustive()
    }
}

impl Version {
    /// Builds a version; `vectors` are one per passage, from [`embed`], or none at all without a model.
    pub async fn build(
        title: &str,
        passages: &[Passage],
        vectors: Vec<Vectors>,
        tools: &Tools<'_>,
    ) -> Result<Self, EmbedError> {
        let profile = Profile::build(Material { title, passages, vectors }, tools.readers()).await?;
        Ok(Self { speller: Speller::of(&profile), profile })
    }

    /// Asks a question.
    pub async fn ask(&self, question: &str, tools: &Tools<'_>) -> Result<Row, EmbedError> {
        let question = Question::read(question, &self.profile, &self.speller, tools.readers()).await?;
        let everything: Vec<usize> = (0..self.profile.entries.len()).collect();
        let mut candidates =
            Candidates::compare(&self.profile, &question, &everything, &EngineScores::default());
        if everything.len() > COMPARED_WHOLE {
            let entries = best_entries(&candidates);
            candidates = Candidates::compare(&self.profile, &question, &entries, &EngineScores::default());
        }
        let sources =
            candidates.list.iter().map(|candidate| self.profile.entries[candidate.entry].source).collect();
        Ok(Row { candidates, question, sources })
    }

    /// The evidence of a row under a ranker, for models that do not read the nearness of words: it is left at 0.
    pub fn evidence(&self, row: &Row, ranker: &Ranker) -> Option<[f64; 32]> {
        evidence(&self.profile, &row.question, &row.candidates, ranker, 0.0)
    }

    /// The evidence of a row under a ranker, as the gate sees it.
    pub fn whole_evidence(&self, row: &Row, ranker: &Ranker) -> Option<[f64; 32]> {
        let near = nearness(&self.profile, &row.question, &row.candidates, ranker);
        evidence(&self.profile, &row.question, &row.candidates, ranker, nearest(&near))
    }
}

/// Passages that are read for an answer.
const READ: usize = 8;

impl Version {
    /// What may be quoted, best first: the place of each passage among those that the version was built of, and how well
    /// each of its sentences suits.
    pub fn quotable(&self, row: &Row, ranker: &Ranker) -> Vec<(usize, Vec<f32>)> {
        let near = nearness(&self.profile, &row.question, &row.candidates, ranker);
        let mut found: Vec<(usize, Vec<f32>)> =
            near.into_iter().map(|(place, near)| (place, near.sentences)).collect();
        let best = |scores: &[f32]| scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        found.sort_by(|a, b| best(&b.1).total_cmp(&best(&a.1)));
        found.truncate(READ);
        found
    }
}

/// What the engine would return: the best by meaning and the best by words.
fn best_entries(candidates: &Candidates) -> Vec<usize> {
    let best = |score: &dyn Fn(usize) -> f64| {
        let mut order: Vec<usize> = (0..candidates.list.len()).filter(|&place| score(place) > 0.0).collect();
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
        order.truncate(CANDIDATES);
        order
    };
    let mut entries = best(&|place| candidates.list[place].cosine);
    entries.extend(best(&|place| candidates.list[place].bm25));
    entries.sort_unstable();
    entries.dedup();
    entries
}

impl Row {
    /// Per candidate its source, numbered in order of appearance in the version, and its features.
    pub fn candidates(&self) -> impl Iterator<Item = (u32, &[f64; 11])> {
        self.sources.iter().copied().zip(self.candidates.list.iter().map(|candidate| &candidate.features))
    }
}

/// The vectors of all words of passages, before they are projected.
pub async fn word_vectors(
    passages: &[Passage],
    embedder: &dyn Embedder,
) -> Result<Vec<Vec<f32>>, EmbedError> {
    let analyzer = Analyzer::default();
    let texts = passages.iter().map(|passage| passage.embedded(&analyzer)).collect();
    let embedded = embedder.embed(texts).await?;
    let words = passages
        .iter()
        .zip(embedded)
        .flat_map(|(passage, embedding)| embedding.views.into_iter().skip(passage.sentences.len()));
    Ok(words.collect())
}

/// Under what name the vectors of a passage can be kept.
pub fn content_key(passage: &Passage) -> String {
    passage.content_key("fitting")
}

/// The vectors of passages.
pub async fn embed(passages: &[Passage], embedder: &dyn Embedder) -> Result<Vec<Vectors>, EmbedError> {
    let analyzer = Analyzer::default();
    let texts = passages.iter().map(|passage| passage.embedded(&analyzer)).collect();
    let embedded = embedder.embed(texts).await?;
    let of = |(passage, embedding): (&Passage, _)| Vectors::of(embedding, passage.sentences.len());
    Ok(passages.iter().zip(embedded).map(of).collect())
}
