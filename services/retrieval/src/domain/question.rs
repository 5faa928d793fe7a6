//! A question as search sees it.

use preceptor_models::kinds::without_direction;
use preceptor_models::{EmbedError, Embedding, Text};

use super::profile::{K1, Profile, Readers, masked_question, masked_vector};
use super::spelling::{Correction, Speller};

/// A question that was corrected, embedded and analyzed against a version.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) corrections: Vec<Correction>,
    /// Its vector. Empty without a model.
    pub(crate) vector: Vec<f32>,
    /// Its vector with the subject masked and its direction taken out.
    pub(crate) masked: Vec<f32>,
    /// The probability of every kind of clinical content.
    pub(crate) kinds: Vec<f32>,
    /// How sure it is of one clinical kind.
    pub(crate) certainty: f32,
    /// Whether it names the subject or points at it.
    pub(crate) names_subject: bool,
    /// Whether it reads like another language.
    pub(crate) foreign: bool,
    /// Its distinct terms: number (none when the version lacks it), how often, idf.
    pub(crate) terms: Vec<QueryTerm>,
}

/// A distinct term of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueryTerm {
    pub(crate) term: Option<u32>,
    pub(crate) count: u32,
    pub(crate) idf: f64,
}

/// The words of a question, known before its vector is.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    corrections: Vec<Correction>,
    /// What is embedded.
    views: Text,
    names_subject: bool,
    foreign: bool,
    terms: Vec<QueryTerm>,
}

impl Words {
    /// Corrects `text` by the words of `profile` and takes it apart.
    pub(crate) fn read(text: &str, profile: &Profile, speller: &Speller, readers: Readers<'_>) -> Self {
        let analyzer = readers.analyzer;
        let (text, corrections) = match readers.embedder {
            Some(embedder) => {
                speller.correct(analyzer, profile, text, |word| embedder.word_rank(word).is_some())
            }
            // Without a general vocabulary every rare word would look misspelled.
            None => (text.to_owned(), Vec::new()),
        };
        let (views, names_subject) = masked_question(analyzer, &text, &profile.subject);
        Self {
            corrections,
            views,
            names_subject,
            foreign: analyzer.is_foreign(&text),
            terms: query_terms(analyzer.terms(&text), profile),
        }
    }

    /// The query vector of BM25: idf times count, for the terms that the version has.
    pub(crate) fn sparse(&self) -> Vec<(u32, f32)> {
        sparse(&self.terms)
    }

    /// What is embedded of it, with the model at hand.
    pub(crate) async fn embed(&self, readers: Readers<'_>) -> Result<Embedding, EmbedError> {
        let Some(embedder) = readers.embedder else { return Ok(Embedding::default()) };
        Ok(embedder.embed(vec![self.views.clone()]).await?.into_iter().next().unwrap_or_default())
    }
}

impl Question {
    /// Reads `text` against `profile`.
    pub(crate) async fn read(
        text: &str,
        profile: &Profile,
        speller: &Speller,
        readers: Readers<'_>,
    ) -> Result<Self, EmbedError> {
        let words = Words::read(text, profile, speller, readers);
        let embedding = words.embed(readers).await?;
        Ok(Self::of(words, embedding, profile, readers))
    }

    /// The question of these words and their vectors.
    pub(crate) fn of(words: Words, embedding: Embedding, profile: &Profile, readers: Readers<'_>) -> Self {
        let (masked, kinds) = if embedding.whole.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            let masked = masked_vector(&embedding);
            (without_direction(masked, profile.direction.as_deref()), readers.kinds.probabilities(masked))
        };
        Self {
            corrections: words.corrections,
            masked,
            certainty: readers.kinds.clinical_certainty(&kinds),
            kinds,
            vector: embedding.whole,
            names_subject: words.names_subject,
            foreign: words.foreign,
            terms: words.terms,
        }
    }

    /// The largest BM25 score that a passage could reach.
    pub(crate) fn reach(&self) -> f64 {
        self.terms.iter().map(|term| f64::from(term.count) * term.idf * (K1 + 1.0)).sum()
    }

    /// The sum of the distinct terms' idf.
    pub(crate) fn total_idf(&self) -> f64 {
        self.terms.iter().map(|term| term.idf).sum()
    }

    /// The query vector of BM25: idf times count, for the terms that the version has.
    pub(crate) fn sparse(&self) -> Vec<(u32, f32)> {
        sparse(&self.terms)
    }
}

fn sparse(terms: &[QueryTerm]) -> Vec<(u32, f32)> {
    let weighed = |term: &QueryTerm| Some((term.term?, (f64::from(term.count) * term.idf) as f32));
    let mut entries: Vec<_> = terms.iter().filter_map(weighed).collect();
    entries.sort_by_key(|(term, _)| *term);
    entries
}

fn query_terms(terms: Vec<String>, profile: &Profile) -> Vec<QueryTerm> {
    let mut distinct: Vec<(String, u32)> = Vec::new();
    for term in terms {
        match distinct.iter_mut().find(|(known, _)| *known == term) {
            Some((_, count)) => *count += 1,
            None => distinct.push((term, 1)),
        }
    }
    distinct
        .into_iter()
        .map(|(text, count)| {
            let term = profile.term(&text);
            QueryTerm { term, count, idf: profile.idf(term) }
        })
        .collect()
}
