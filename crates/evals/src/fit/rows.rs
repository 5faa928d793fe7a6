//! Questions asked of versions in memory, through the code that answers.

use std::collections::HashMap;
use std::sync::Arc;

use indicatif::ProgressBar;
use preceptor_core::id::PassageId;
use preceptor_models::Embedder;
use preceptor_models::kinds::Kinds;
use preceptor_models::text::Analyzer;
use preceptor_retrieval::fitting::{Passage, Ranker, Row, Tools, Vectors, Version, content_key, embed};

use super::sets;
use crate::data::{Program, Set};
use crate::metrics::Outcome;

/// A question that was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) set: String,
    pub(super) variant: String,
    pub(super) in_scope: bool,
    /// The number of the source that is right.
    pub(super) gold: Option<u32>,
    pub(super) fold: usize,
    pub(super) row: Row,
    pub(super) version: Arc<Version>,
}

impl Asked {
    /// Per source its best passage under a ranker: source, score, features; best first.
    pub(super) fn best_of_sources(&self, score: impl Fn(&[f64; 11]) -> f64) -> Vec<(u32, f64, [f64; 11])> {
        let mut best: HashMap<u32, (f64, [f64; 11])> = HashMap::new();
        for (source, features) in self.row.candidates() {
            let value = score(features);
            let entry = best.entry(source).or_insert((value, *features));
            if value > entry.0 {
                *entry = (value, *features);
            }
        }
        let mut ordered: Vec<_> =
            best.into_iter().map(|(source, (score, features))| (source, score, features)).collect();
        ordered.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        ordered
    }

    /// What became of the question under a ranker and a confidence.
    pub(super) fn outcome(&self, ranker: &Ranker, confidence: f64, threshold: f64) -> Outcome {
        let score = |features: &[f64; 11]| ranker.weights.iter().zip(features).map(|(w, f)| w * f).sum();
        let first = self.best_of_sources(score).first().map(|(source, ..)| *source);
        Outcome {
            set: self.set.clone(),
            variant: self.variant.clone(),
            in_scope: self.in_scope,
            first_is_right: self.gold.is_some() && first == self.gold,
            confidence,
            answered: confidence >= threshold,
        }
    }
}

/// Asks the questions of sets.
pub(super) struct Asker<'a> {
    pub(super) embedder: Option<&'a dyn Embedder>,
    pub(super) kinds: &'a Kinds,
    pub(super) analyzer: &'a Analyzer,
    pub(super) known: HashMap<String, Vectors>,
}

impl Asker<'_> {
    fn tools(&self) -> Tools<'_> {
        Tools { embedder: self.embedder, kinds: self.kinds, analyzer: self.analyzer }
    }

    /// Asks every question of a set.
    pub(super) async fn ask(&mut self, set: &Set) -> anyhow::Result<Vec<Asked>> {
        let bar = ProgressBar::new(set.questions.len() as u64);
        let mut asked = Vec::new();
        let mut by_program: HashMap<&str, Vec<&crate::data::Question>> = HashMap::new();
        for question in &set.questions {
            by_program.entry(question.program.as_str()).or_default().push(question);
        }
        for program in &set.programs {
            let Some(questions) = by_program.get(program.program.as_str()) else { continue };
            let (version, numbers) = self.version(program).await?;
            for question in questions {
                let row = version.ask(&question.question, &self.tools()).await?;
                asked.push(Asked {
                    set: set.name.clone(),
                    variant: question.variant.clone(),
                    in_scope: question.in_scope,
                    gold: question.gold.as_ref().and_then(|gold| numbers.get(gold).copied()),
                    fold: sets::fold(question),
                    row,
                    version: Arc::clone(&version),
                });
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(asked)
    }

    /// A program as a version in memory, and the numbers of its sources.
    async fn version(&mut self, program: &Program) -> anyhow::Result<(Arc<Version>, HashMap<String, u32>)> {
        let mut passages = Vec::new();
        let mut numbers = HashMap::new();
        for source in &program.sources {
            let read =
                preceptor_extract::passages_of_sections(&source.document()?).map_err(anyhow::Error::msg)?;
            let next = numbers.len() as u32;
            numbers.entry(source.id.clone()).or_insert(next);
            passages.extend(read.into_iter().map(|passage| Passage {
                id: PassageId::generate(),
                source: source.id.clone(),
                heading: passage.heading,
                text: passage.text,
                sentences: passage.sentences,
            }));
        }
        let vectors = self.vectors(&passages).await?;
        let version = Version::build(&program.title, &passages, vectors, &self.tools()).await?;
        Ok((Arc::new(version), numbers))
    }

    async fn vectors(&mut self, passages: &[Passage]) -> anyhow::Result<Vec<Vectors>> {
        let Some(embedder) = self.embedder else { return Ok(Vec::new()) };
        let missing: Vec<Passage> = passages
            .iter()
            .filter(|passage| !self.known.contains_key(&content_key(passage)))
            .cloned()
            .collect();
        for (passage, vectors) in missing.iter().zip(embed(&missing, embedder).await?) {
            self.known.insert(content_key(passage), vectors);
        }
        Ok(passages.iter().filter_map(|passage| self.known.get(&content_key(passage)).cloned()).collect())
    }
}
