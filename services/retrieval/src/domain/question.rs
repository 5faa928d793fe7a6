//! A question as search sees it.

use std::ops::Range;

use preceptor_models::kinds::without_direction;
use preceptor_models::text::{self, Analyzer, Word};
use preceptor_models::{EmbedError, Embedding, Text, late};

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
    /// Its words for late interaction. Empty without a model.
    pub(crate) words: Vec<QueryWord>,
    /// Its distinct terms: number (none when the version lacks it), how often, idf.
    pub(crate) terms: Vec<QueryTerm>,
}

/// A word of a question, for late interaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QueryWord {
    /// As [`late::project`] keeps it.
    pub(crate) vector: Vec<i8>,
    /// Its share of the question: all sum to 1.
    pub(crate) weight: f32,
}

/// What a word counts that is no term, where a question has no other words.
const NO_TERM: f64 = 0.5;
/// What a word counts that was added, as a share of one that was asked.
const ADDED: f64 = 0.5;

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
    /// What is embedded: the view that leaves the subject out, then the words.
    views: Text,
    /// What each word counts.
    weights: Vec<f64>,
    names_subject: bool,
    foreign: bool,
    terms: Vec<QueryTerm>,
}

impl Words {
    /// Corrects `text` by the words of `profile` and takes it apart.
    pub(crate) fn read(text: &str, profile: &Profile, speller: &Speller, readers: Readers<'_>) -> Self {
        let analyzer = readers.analyzer;
        let (text, mut corrections) = match readers.embedder {
            Some(embedder) => {
                speller.correct(analyzer, profile, text, |word| embedder.word_rank(word).is_some())
            }
            // Without a general vocabulary every rare word would look misspelled.
            None => (text.to_owned(), Vec::new()),
        };
        let expansions = profile.abbreviations.expand(analyzer, &text);
        let (asked, text) = (text.len(), with_expansions(text, &expansions));
        corrections.extend(expansions.into_iter().map(shown));
        let (mut views, names_subject) = masked_question(analyzer, &text, &profile.subject);
        let (ranges, weights) = weighed_words(analyzer, profile, &text, asked);
        views.views.extend(ranges.into_iter().map(|range| vec![range]));
        Self {
            corrections,
            views,
            weights,
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
            words: query_words(&embedding, &words.weights),
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

/// The question with what its short forms stand for behind it.
fn with_expansions(text: String, expansions: &[Correction]) -> String {
    if expansions.is_empty() {
        return text;
    }
    let added: Vec<&str> = expansions.iter().map(|expansion| expansion.to.as_str()).collect();
    format!("{text} ({})", added.join(", "))
}

/// An expansion as the learner sees it: the words stay, and what was added is named.
fn shown(expansion: Correction) -> Correction {
    let to = format!("{} ({})", expansion.from, expansion.to);
    Correction { from: expansion.from, to }
}

/// The words that a question is about, with what each counts: the idf of its term, half of it behind the first `asked` bytes.
/// All words where none has a term.
fn weighed_words(
    analyzer: &Analyzer,
    profile: &Profile,
    text: &str,
    asked: usize,
) -> (Vec<Range<usize>>, Vec<f64>) {
    let words = text::words(text);
    let weight = |word: &Word| analyzer.term(&word.text).map(|term| profile.idf(profile.term(&term)));
    let all_stop = words.iter().all(|word| weight(word).is_none());
    words
        .into_iter()
        .filter_map(|word| {
            let weight = weight(&word).or_else(|| all_stop.then_some(NO_TERM))?;
            let share = if word.range.start < asked { 1.0 } else { ADDED };
            Some((word.range, share * weight))
        })
        .unzip()
}

/// The words as the model sees them: its views behind the first one, which leaves the subject out.
fn query_words(embedding: &Embedding, weights: &[f64]) -> Vec<QueryWord> {
    let total = weights.iter().sum::<f64>().max(1e-9);
    let views = embedding.views.iter().skip(1);
    let words = views
        .zip(weights)
        .map(|(view, weight)| QueryWord { vector: late::project(view), weight: (weight / total) as f32 });
    words.filter(|word| !word.vector.is_empty()).collect()
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
