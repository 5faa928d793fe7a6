//! Late interaction over the best candidates: how near the words of a question come to words of a passage, of a sentence,
//! and of what would be quoted around it.

use std::collections::BTreeMap;
use std::ops::Range;

use preceptor_models::kinds::dot;
use preceptor_models::{late, quotes};

use super::features::{Candidates, Ranker};
use super::profile::{Entry, IN_HEADING, Profile};
use super::question::Question;

/// Candidates that are compared word by word: the ranker's best. More of them changed nothing.
const COMPARED: usize = 50;
/// How much the ranker's score counts in that of a quotation: in programs made of documents, and in others, where its order
/// stands and words only decide within a passage.
const RANK: f64 = 0.15;
const RANK_OF_ONE_PATTERN: f64 = 10.0;
/// A question of more terms than this is a case or a title: each one beyond it lets the ranker count more.
const TERMS: usize = 10;
const RANK_PER_TERM: f64 = 0.1;
/// What a sentence loses that asks, and one that says nothing by itself.
const ASKS: f32 = 0.3;
const BARE: f32 = 0.5;

/// How near a passage comes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Nearness {
    /// The whole passage, 0 to 1.
    pub(crate) whole: f32,
    /// How well each sentence, with what would be quoted around it, suits as a quotation.
    pub(crate) sentences: Vec<f32>,
}

/// The nearness of the best candidates, by entry. Empty without a model.
pub(crate) fn nearness(
    profile: &Profile,
    question: &Question,
    candidates: &Candidates,
    ranker: &Ranker,
) -> BTreeMap<usize, Nearness> {
    if question.words.is_empty() {
        return BTreeMap::new();
    }
    let mut ranked: Vec<(f64, usize)> = candidates
        .list
        .iter()
        .map(|candidate| (ranker.score(&candidate.features), candidate.entry))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let rank = rank_weight(profile, question);
    let near = |&(score, entry): &(f64, usize)| {
        (entry, of_entry(&profile.entries[entry], question, (rank * score) as f32))
    };
    ranked.iter().take(COMPARED).map(near).collect()
}

/// How much the ranker's score counts in that of a quotation.
pub(crate) fn rank_weight(profile: &Profile, question: &Question) -> f64 {
    if profile.is_documents {
        RANK + RANK_PER_TERM * question.terms.len().saturating_sub(TERMS) as f64
    } else {
        RANK_OF_ONE_PATTERN
    }
}

/// The nearest of all.
pub(crate) fn nearest(near: &BTreeMap<usize, Nearness>) -> f64 {
    f64::from(near.values().map(|near| near.whole).fold(0.0, f32::max))
}

fn of_entry(entry: &Entry, question: &Question, rank: f32) -> Nearness {
    let table = Table::of(entry, question);
    let lengths: Vec<usize> = entry.sentences.iter().map(|sentence| sentence.length.into()).collect();
    let whole = table.nearness(|_| true);
    let sentences = entry
        .sentences
        .iter()
        .enumerate()
        .map(|(at, sentence)| {
            let vector: Vec<f32> = sentence.vector.iter().map(|&value| f32::from(value) / 127.0).collect();
            let quoted = quotes::around(&lengths, at);
            let lost =
                ASKS * f32::from(u8::from(sentence.asks)) + BARE * f32::from(u8::from(sentence.is_bare));
            rank + dot(&vector, &question.vector)
                + whole
                + table.nearness(|sentence| in_heading_or(sentence, &(at..at + 1)))
                + table.nearness(|sentence| in_heading_or(sentence, &quoted))
                - lost
        })
        .collect();
    Nearness { whole, sentences }
}

fn in_heading_or(sentence: u16, range: &Range<usize>) -> bool {
    sentence == IN_HEADING || range.contains(&usize::from(sentence))
}

/// The cosines of all words of a question with all words of a passage.
struct Table<'a> {
    entry: &'a Entry,
    /// Per word of the question its weight and its cosines.
    rows: Vec<(f32, Vec<f32>)>,
}

impl<'a> Table<'a> {
    fn of(entry: &'a Entry, question: &Question) -> Self {
        let row = |word: &super::question::QueryWord| {
            (word.weight, late::cosines(&word.vector, &entry.words).collect())
        };
        Self { entry, rows: question.words.iter().map(row).collect() }
    }

    /// The weighted mean of each word's best cosine among the words of some sentences; 0 when they have none.
    fn nearness(&self, counts: impl Fn(u16) -> bool) -> f32 {
        let places: Vec<usize> = self
            .entry
            .sentence_of
            .iter()
            .enumerate()
            .filter_map(|(place, &sentence)| counts(sentence).then_some(place))
            .collect();
        if places.is_empty() {
            return 0.0;
        }
        let best = |row: &[f32]| {
            places.iter().filter_map(|&place| row.get(place)).copied().fold(f32::NEG_INFINITY, f32::max)
        };
        self.rows.iter().map(|(weight, row)| weight * best(row)).sum()
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::id::PassageId;

    use super::super::profile::Sentence;
    use super::super::question::QueryWord;
    use super::*;

    /// A word that is near to itself and to no other.
    fn word(which: usize) -> Vec<i8> {
        let mut word = vec![0; late::WIDTH];
        word[which] = 127;
        word
    }

    fn entry() -> Entry {
        let sentence =
            |length, asks| Sentence { terms: Vec::new(), vector: Vec::new(), length, asks, is_bare: false };
        Entry {
            id: PassageId::generate(),
            source: 0,
            heading: 0,
            part: 0,
            unit: 0,
            terms: Vec::new(),
            vector: Vec::new(),
            sentences: vec![sentence(60, false), sentence(60, false), sentence(60, true)],
            words: [word(0), word(1), word(2), word(2)].concat(),
            sentence_of: vec![IN_HEADING, 0, 1, 2],
        }
    }

    fn question(words: &[usize]) -> Question {
        let weight = 1.0 / words.len() as f32;
        Question {
            corrections: Vec::new(),
            vector: Vec::new(),
            masked: Vec::new(),
            kinds: Vec::new(),
            certainty: 0.0,
            names_subject: false,
            foreign: false,
            words: words.iter().map(|&which| QueryWord { vector: word(which), weight }).collect(),
            terms: Vec::new(),
        }
    }

    #[test]
    fn a_sentence_is_near_by_its_own_words_and_those_of_its_heading() {
        let near = of_entry(&entry(), &question(&[0, 1]), 0.0);
        assert!((near.whole - 1.0).abs() < 1e-6, "{near:?}");
        assert!(near.sentences[0] > near.sentences[1] && near.sentences[1] > near.sentences[2], "{near:?}");
        let other = of_entry(&entry(), &question(&[3]), 0.0);
        assert!(other.whole.abs() < 1e-6, "{other:?}");
    }

    #[test]
    fn of_two_sentences_that_say_the_same_the_one_that_asks_is_behind() {
        let near = of_entry(&entry(), &question(&[2]), 0.0);
        assert!((near.sentences[1] - near.sentences[2] - ASKS).abs() < 1e-5, "{near:?}");
    }
}
