//! Passages as search sees them.

use std::ops::Range;

use preceptor_core::id::PassageId;
use preceptor_models::text::{self, Analyzer};
use preceptor_models::{Text, late};
use sha2::{Digest as _, Sha256};

/// What is kept of words; part of the name of kept vectors, so that others are not taken for them.
pub(crate) const WORDS: &str = "words-1";

/// A passage on its way into the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its id.
    pub id: PassageId,
    /// The source it is from: passages of one source share it.
    pub source: String,
    /// What stands above it.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Its sentences, in bytes of the text.
    pub sentences: Vec<Range<usize>>,
}

impl Passage {
    /// What the model reads: the heading stays with its text, unless the text begins with it. The views are the sentences,
    /// then the words.
    pub(crate) fn embedded(&self, analyzer: &Analyzer) -> Text {
        let prefix = self.prefix();
        let sentences =
            self.sentences.iter().map(|range| range.start + prefix.len()..range.end + prefix.len());
        let words = self.words(analyzer).into_iter().map(|word| word.range);
        let views = sentences.chain(words).map(|range| vec![range]).collect();
        Text { text: format!("{prefix}{}", self.text), views }
    }

    /// The words of what the model reads that say what it is about, heading included.
    pub(crate) fn words(&self, analyzer: &Analyzer) -> Vec<PassageWord> {
        let prefix = self.prefix().len();
        let sentence_at = |at: usize| {
            let place = self.sentences.partition_point(|sentence| sentence.end <= at);
            self.sentences.get(place).is_some_and(|sentence| sentence.start <= at).then_some(place)
        };
        text::words(&format!("{}{}", self.prefix(), self.text))
            .into_iter()
            .filter(|word| analyzer.term(&word.text).is_some())
            .map(|word| PassageWord {
                sentence: word.range.start.checked_sub(prefix).and_then(sentence_at),
                range: word.range,
            })
            .collect()
    }

    fn prefix(&self) -> String {
        if self.heading.is_empty() || self.text.starts_with(&self.heading) {
            String::new()
        } else {
            format!("{}. ", self.heading)
        }
    }

    /// Under what name its vectors are kept.
    pub(crate) fn content_key(&self, model: &str) -> String {
        let mut hash = Sha256::new();
        for part in [WORDS, model, &self.heading, &self.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        for sentence in &self.sentences {
            hash.update((sentence.start as u64).to_be_bytes());
            hash.update((sentence.end as u64).to_be_bytes());
        }
        hex::encode(hash.finalize())
    }
}

/// A word of what the model reads of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PassageWord {
    /// Its bytes in [`Passage::embedded`].
    pub(crate) range: Range<usize>,
    /// The sentence it is in; none for words of the heading.
    pub(crate) sentence: Option<usize>,
}

/// The vectors of a passage, of length 1 each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    /// Of the heading and the text.
    pub(crate) whole: Vec<f32>,
    /// Of every sentence, in steps of 1/127: a sentence is only compared with others of its passage.
    pub(crate) sentences: Vec<Vec<i8>>,
    /// Of every word, [`late::WIDTH`] numbers each; nothing for models that [`late`] does not know.
    pub(crate) words: Vec<i8>,
}

impl Vectors {
    /// Of the embedding of a passage with so many sentences.
    pub(crate) fn of(mut embedding: preceptor_models::Embedding, sentences: usize) -> Self {
        let words = embedding.views.split_off(sentences.min(embedding.views.len()));
        let quantize = |vector: Vec<f32>| {
            vector.into_iter().map(|value| (value * 127.0).round().clamp(-127.0, 127.0) as i8).collect()
        };
        Self {
            whole: embedding.whole,
            sentences: embedding.views.into_iter().map(quantize).collect(),
            words: words.iter().flat_map(|word| late::project(word)).collect(),
        }
    }

    /// As stored: the whole, then the sentences with the words behind them.
    pub(crate) fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let whole = self.whole.iter().flat_map(|value| value.to_le_bytes()).collect();
        let sentences =
            self.sentences.iter().flatten().chain(&self.words).map(|value| value.cast_unsigned()).collect();
        (whole, sentences)
    }

    /// Reads what [`bytes`](Self::bytes) made; `None` when the lengths do not fit.
    pub(crate) fn read(whole: &[u8], sentences: &[u8], count: usize) -> Option<Self> {
        let (floats, rest) = whole.as_chunks::<4>();
        let width = floats.len();
        let signed = |bytes: &[u8]| bytes.iter().map(|value| value.cast_signed()).collect::<Vec<i8>>();
        if !rest.is_empty() || width == 0 {
            return None;
        }
        let (sentences, words) = sentences.split_at_checked(count * width)?;
        if words.len() % late::WIDTH != 0 {
            return None;
        }
        Some(Self {
            whole: floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            sentences: sentences.chunks_exact(width).map(signed).collect(),
            words: signed(words),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_survive_storage() {
        let vectors = Vectors {
            whole: vec![0.6, -0.8],
            sentences: vec![vec![127, -3], vec![0, 5]],
            words: vec![-7; 2 * late::WIDTH],
        };
        let (whole, sentences) = vectors.bytes();
        assert_eq!(Vectors::read(&whole, &sentences, 2), Some(vectors));
        assert_eq!(Vectors::read(&whole, &sentences[..sentences.len() - 1], 2), None);
        assert_eq!(Vectors::read(&whole, &sentences[..3], 2), None);
        assert_eq!(Vectors::read(&whole[1..], &sentences, 2), None);
    }

    #[test]
    fn sentences_are_views_of_the_embedded_text() {
        let mut passage = Passage {
            id: PassageId::generate(),
            source: "s".into(),
            heading: "Dose".into(),
            text: "One. Two.".into(),
            sentences: vec![0..4, 5..9],
        };
        let analyzer = Analyzer::default();
        let text = passage.embedded(&analyzer);
        assert_eq!(text.text, "Dose. One. Two.");
        assert_eq!(&text.text[text.views[1][0].clone()], "Two.");
        let words: Vec<_> = passage
            .words(&analyzer)
            .into_iter()
            .map(|word| (&text.text[word.range], word.sentence))
            .collect();
        assert_eq!(words, [("Dose", None), ("One", Some(0)), ("Two", Some(1))]);
        passage.text = "Dose\n\nOne.".into();
        assert_eq!(passage.embedded(&analyzer).text, passage.text);
    }
}
