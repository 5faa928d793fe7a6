//! The statistics of a published version.
//!
//! Everything that weighs a score comes from here: term frequencies, headings and their kinds, the subject. A profile is
//! made once, when a version is indexed, and never changes; nothing outside the version has a part in it.

use std::collections::{BTreeMap, BTreeSet};

use preceptor_core::id::PassageId;
use preceptor_models::kinds::{Kinds, unit, without_direction};
use preceptor_models::text::{self, Analyzer, Subject, subject_spans};
use preceptor_models::{EmbedError, Embedder, Text, late, quotes};
use preceptor_vector::SparseVector;
use serde::{Deserialize, Serialize};

use super::abbreviations::Abbreviations;
use super::passage::{Passage, PassageWord, Vectors};
use super::structure::{Structure, subject};

/// BM25's saturation and length normalization (Lucene's defaults).
pub(crate) const K1: f64 = 1.2;
const B: f64 = 0.75;

/// A distinct heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heading {
    /// Its vector, the subject masked and its direction taken out. Empty without a model.
    pub(crate) vector: Vec<f32>,
    /// The probability of every kind of clinical content.
    pub(crate) kinds: Vec<f32>,
    /// How sure it is of one clinical kind.
    pub(crate) certainty: f32,
    /// How many sections carry it.
    pub(crate) sections: u32,
    /// How much it tells apart: high when headings differ, low for the hundredth "METHODS".
    pub(crate) weight: f32,
    /// The same for its kind.
    pub(crate) kind_weight: f32,
}

/// A passage of the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: PassageId,
    pub(crate) source: u32,
    pub(crate) heading: u32,
    pub(crate) part: u32,
    pub(crate) unit: u32,
    /// BM25 weight per term, by ascending term.
    pub(crate) terms: SparseVector,
    /// The vector of heading and text. Empty without a model.
    pub(crate) vector: Vec<f32>,
    /// Per sentence its terms and its vector.
    pub(crate) sentences: Vec<Sentence>,
    /// What late interaction keeps of every word of heading and text, `late::WIDTH` numbers each. Empty without a model.
    pub(crate) words: Vec<i8>,
    /// Per word its sentence; [`IN_HEADING`] for words of the heading.
    pub(crate) sentence_of: Vec<u16>,
}

/// A sentence of a passage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sentence {
    pub(crate) terms: Vec<u32>,
    pub(crate) vector: Vec<i8>,
    /// How many words it has.
    pub(crate) length: u16,
    /// Whether it asks.
    pub(crate) asks: bool,
    /// Whether it says nothing by itself: a repeated heading, or a few words without a number.
    pub(crate) is_bare: bool,
}

/// The statistics of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Terms in order; a term's number is its place.
    pub(crate) terms: Vec<String>,
    /// Per term the number of passages that have it.
    pub(crate) frequency: Vec<u32>,
    /// Words as they are written, with their counts: what spelling is corrected to.
    pub(crate) words: BTreeMap<String, u32>,
    pub(crate) subject: Subject,
    /// The direction of the subject in vector space.
    pub(crate) direction: Option<Vec<f32>>,
    pub(crate) headings: Vec<Heading>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) sources: u32,
    /// Whether headings differ at all, 0 to 1.
    pub(crate) heading_information: f32,
    /// Whether headings are clinical sections, 0 to 1.
    pub(crate) kind_information: f32,
    /// Short forms and what they stand for; learned for programs made of documents.
    pub(crate) abbreviations: Abbreviations,
    /// Whether the program is made of documents, each with its own headings, rather than of many texts of one pattern
    /// (abstracts, answers to the same questions about diseases).
    pub(crate) is_documents: bool,
}

/// The sentence of words that stand in the heading.
pub(crate) const IN_HEADING: u16 = u16::MAX;
/// Of texts of one pattern fewer of the named sections have a heading of their own.
const OWN_HEADINGS: f64 = 0.45;
/// Texts of one pattern whose headings differ are about one clinical kind each, as certainly as this.
const ONE_KIND_EACH: f32 = 0.88;
/// A sentence of fewer words says nothing by itself, unless a number is among them.
const BARE: usize = 4;

/// What a profile is made of.
pub(crate) struct Material<'a> {
    pub(crate) title: &'a str,
    pub(crate) passages: &'a [Passage],
    /// One per passage, or none at all without a model.
    pub(crate) vectors: Vec<Vectors>,
}

/// What reads texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readers<'a> {
    pub(crate) analyzer: &'a Analyzer,
    pub(crate) kinds: &'a Kinds,
    pub(crate) embedder: Option<&'a dyn Embedder>,
}

impl Profile {
    /// Makes the profile of a version.
    pub(crate) async fn build(material: Material<'_>, readers: Readers<'_>) -> Result<Self, EmbedError> {
        let Material { title, passages, vectors } = material;
        let analyzer = readers.analyzer;
        let structure = Structure::of(passages);
        let index = TermIndex::of(analyzer, passages);
        let subject =
            subject(analyzer, title, &structure.headings, |term| index.frequency_of(term), passages.len());
        let (direction, headings) = match readers.embedder {
            Some(embedder) => {
                let direction = subject_direction(analyzer, embedder, title, &subject).await?;
                let headings =
                    read_headings(readers, embedder, &structure, &subject, direction.as_deref()).await?;
                (direction, headings)
            }
            None => (None, unread_headings(&structure)),
        };
        let units = structure.unit_of();
        let mut vectors = vectors.into_iter();
        let entries = passages
            .iter()
            .enumerate()
            .map(|(at, passage)| {
                let vectors = vectors.next().unwrap_or_default();
                let (words, sentence_of) = kept_words(analyzer, passage, &vectors);
                Entry {
                    words,
                    sentence_of,
                    id: passage.id,
                    source: structure.source_of[at],
                    heading: structure.heading_of[at],
                    part: structure.part_of[at],
                    unit: units[at],
                    terms: index.weights(at),
                    sentences: index.sentences(analyzer, passage, &vectors),
                    vector: vectors.whole,
                }
            })
            .collect();
        let kind_information =
            headings.iter().map(|heading| heading.certainty).sum::<f32>() / structure.sections.max(1) as f32;
        let is_documents = structure.own_headings() >= OWN_HEADINGS && kind_information < ONE_KIND_EACH;
        let abbreviations = if is_documents { Abbreviations::of(passages) } else { Abbreviations::default() };
        let mut profile = Self {
            abbreviations,
            is_documents,
            subject,
            direction,
            headings,
            entries,
            sources: structure.sources as u32,
            heading_information: structure.headings.len() as f32 / structure.sections.max(1) as f32,
            kind_information,
            words: count_words(passages),
            terms: index.terms,
            frequency: index.frequency,
        };
        for heading in &mut profile.headings {
            let sections = heading.sections.max(1) as f32;
            heading.weight = profile.heading_information / sections;
            heading.kind_weight = profile.kind_information * heading.certainty / sections;
        }
        Ok(profile)
    }

    /// The number of a term, if the version has it.
    pub(crate) fn term(&self, term: &str) -> Option<u32> {
        self.terms.binary_search_by(|known| known.as_str().cmp(term)).ok().map(|place| place as u32)
    }

    /// The inverse document frequency of a term inside the version (Lucene's form). Unknown terms weigh most.
    pub(crate) fn idf(&self, term: Option<u32>) -> f64 {
        let passages = self.entries.len() as f64;
        let having = term.map_or(0.0, |term| f64::from(self.frequency[term as usize]));
        (1.0 + (passages - having + 0.5) / (having + 0.5)).ln()
    }

    /// Roughly how much memory it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let entry = |entry: &Entry| {
            let sentences: usize = entry
                .sentences
                .iter()
                .map(|sentence| sentence.terms.len() * 4 + sentence.vector.len() + 56)
                .sum();
            let words = entry.words.len() + entry.sentence_of.len() * 2;
            entry.vector.len() * 4 + entry.terms.len() * 8 + sentences + words + 144
        };
        let entries: usize = self.entries.iter().map(entry).sum();
        let headings: usize =
            self.headings.iter().map(|heading| (heading.vector.len() + heading.kinds.len()) * 4 + 64).sum();
        entries + headings + (self.terms.len() + self.words.len()) * 48
    }
}

/// Terms of all passages.
struct TermIndex {
    terms: Vec<String>,
    frequency: Vec<u32>,
    /// Per passage its terms with their counts.
    counts: Vec<Vec<(u32, u32)>>,
    lengths: Vec<u32>,
}

impl TermIndex {
    fn of(analyzer: &Analyzer, passages: &[Passage]) -> Self {
        let counted: Vec<_> = passages
            .iter()
            .map(|passage| text::count(analyzer.terms(&format!("{} {}", passage.heading, passage.text))))
            .collect();
        let terms: Vec<String> =
            counted.iter().flat_map(BTreeMap::keys).cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let mut frequency = vec![0; terms.len()];
        let mut counts = Vec::with_capacity(counted.len());
        let mut lengths = Vec::with_capacity(counted.len());
        for passage in &counted {
            let mut row = Vec::with_capacity(passage.len());
            for (term, &count) in passage {
                // Both are sorted, and every term of a passage is among all terms.
                if let Ok(place) = terms.binary_search(term) {
                    frequency[place] += 1;
                    row.push((place as u32, count));
                }
            }
            lengths.push(passage.values().sum());
            counts.push(row);
        }
        Self { terms, frequency, counts, lengths }
    }

    fn frequency_of(&self, term: &str) -> u32 {
        self.terms.binary_search_by(|known| known.as_str().cmp(term)).map_or(0, |place| self.frequency[place])
    }

    /// BM25 without its idf: the idf travels in the query.
    fn weights(&self, passage: usize) -> SparseVector {
        let total: u64 = self.lengths.iter().map(|&length| u64::from(length)).sum();
        let average = (total as f64 / self.lengths.len() as f64).max(1e-9);
        let norm = K1 * (1.0 - B + B * f64::from(self.lengths[passage]) / average);
        let weight = |count: u32| (f64::from(count) * (K1 + 1.0) / (f64::from(count) + norm)) as f32;
        self.counts[passage].iter().map(|&(term, count)| (term, weight(count))).collect()
    }

    fn sentences(&self, analyzer: &Analyzer, passage: &Passage, vectors: &Vectors) -> Vec<Sentence> {
        let mut vectors = vectors.sentences.iter();
        let sentence = |range: &std::ops::Range<usize>| {
            let terms: BTreeSet<u32> = analyzer
                .terms(&passage.text[range.clone()])
                .iter()
                .filter_map(|term| self.terms.binary_search(term).ok().map(|place| place as u32))
                .collect();
            let said = passage.text[range.clone()].trim();
            Sentence {
                terms: terms.into_iter().collect(),
                vector: vectors.next().cloned().unwrap_or_default(),
                length: u16::try_from(quotes::length(said)).unwrap_or(u16::MAX),
                asks: said.ends_with('?'),
                is_bare: is_bare(said, passage.heading.trim()),
            }
        };
        passage.sentences.iter().map(sentence).collect()
    }
}

/// Whether a sentence says nothing by itself.
fn is_bare(said: &str, heading: &str) -> bool {
    let few = quotes::length(said) < BARE && !said.chars().any(|c| c.is_ascii_digit());
    few || heading.ends_with(said)
}

/// What is kept of a passage's words: nothing when their vectors are not there.
fn kept_words(analyzer: &Analyzer, passage: &Passage, vectors: &Vectors) -> (Vec<i8>, Vec<u16>) {
    let words = if vectors.words.is_empty() { Vec::new() } else { passage.words(analyzer) };
    if vectors.words.len() != words.len() * late::WIDTH {
        return (Vec::new(), Vec::new());
    }
    let sentence =
        |word: &PassageWord| word.sentence.and_then(|place| u16::try_from(place).ok()).unwrap_or(IN_HEADING);
    (vectors.words.clone(), words.iter().map(sentence).collect())
}

fn count_words(passages: &[Passage]) -> BTreeMap<String, u32> {
    let all = passages.iter().flat_map(|passage| [passage.heading.as_str(), passage.text.as_str()]);
    text::count(all.flat_map(text::words).map(|word| word.text))
}

/// The vector of a text without its subject; of the whole text when nothing else is left.
fn masked(analyzer: &Analyzer, text: &str, subject: &Subject) -> Text {
    let rest = text::without(text, &subject_spans(analyzer, text, subject));
    Text { text: text.to_owned(), views: vec![rest] }
}

/// The masked vector out of an embedding made by [`masked`].
pub(crate) fn masked_vector(embedding: &preceptor_models::Embedding) -> &[f32] {
    match embedding.views.first() {
        Some(view) if view.iter().any(|&value| value != 0.0) => view,
        _ => &embedding.whole,
    }
}

/// Where the subject points: the title's subject words, when the title has any.
async fn subject_direction(
    analyzer: &Analyzer,
    embedder: &dyn Embedder,
    title: &str,
    subject: &Subject,
) -> Result<Option<Vec<f32>>, EmbedError> {
    let named: Vec<_> = text::words(title)
        .into_iter()
        .filter(|word| subject.contains(&analyzer.stem(&word.text)))
        .map(|word| word.range)
        .collect();
    if named.is_empty() {
        return Ok(None);
    }
    let embedded = embedder.embed(vec![Text { text: title.to_owned(), views: vec![named] }]).await?;
    Ok(embedded.first().map(|embedding| unit(masked_vector(embedding).to_vec())))
}

async fn read_headings(
    readers: Readers<'_>,
    embedder: &dyn Embedder,
    structure: &Structure,
    subject: &Subject,
    direction: Option<&[f32]>,
) -> Result<Vec<Heading>, EmbedError> {
    let texts = structure.headings.iter().map(|heading| masked(readers.analyzer, heading, subject)).collect();
    let embedded = embedder.embed(texts).await?;
    let heading = |(embedding, &sections): (&preceptor_models::Embedding, &u32)| {
        let vector = masked_vector(embedding);
        let kinds = readers.kinds.probabilities(vector);
        let certainty = readers.kinds.clinical_certainty(&kinds);
        Heading {
            vector: without_direction(vector, direction),
            kinds,
            certainty,
            sections,
            weight: 0.0,
            kind_weight: 0.0,
        }
    };
    Ok(embedded.iter().zip(&structure.sections_of).map(heading).collect())
}

fn unread_headings(structure: &Structure) -> Vec<Heading> {
    let heading = |&sections: &u32| Heading {
        vector: Vec::new(),
        kinds: Vec::new(),
        certainty: 0.0,
        sections,
        weight: 0.0,
        kind_weight: 0.0,
    };
    structure.sections_of.iter().map(heading).collect()
}

/// The question's side of [`masked`]: its text with the view that leaves the subject out, and whether it names it. Other views
/// may be added behind.
pub(crate) fn masked_question(analyzer: &Analyzer, text: &str, subject: &Subject) -> (Text, bool) {
    let spans = subject_spans(analyzer, text, subject);
    let names_it = spans.iter().any(|span| !span.is_empty());
    (Text { text: text.to_owned(), views: vec![text::without(text, &spans)] }, names_it)
}
