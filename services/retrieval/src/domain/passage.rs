//! Passages as search sees them.

use std::ops::Range;

use preceptor_core::id::PassageId;
use preceptor_models::Text;
use sha2::{Digest as _, Sha256};

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
    /// What the model reads: the heading stays with its text, unless the text begins with it.
    pub(crate) fn embedded(&self) -> Text {
        let prefix = self.prefix();
        let views = self
            .sentences
            .iter()
            .map(|range| vec![range.start + prefix.len()..range.end + prefix.len()])
            .collect();
        Text { text: format!("{prefix}{}", self.text), views }
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
        for part in [model, &self.heading, &self.text] {
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

/// The vectors of a passage, of length 1 each.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Of the heading and the text.
    pub(crate) whole: Vec<f32>,
    /// Of every sentence, in steps of 1/127: a sentence is only compared with others of its passage.
    pub(crate) sentences: Vec<Vec<i8>>,
}

impl Vectors {
    pub(crate) fn of(embedding: preceptor_models::Embedding) -> Self {
        let quantize = |vector: Vec<f32>| {
            vector.into_iter().map(|value| (value * 127.0).round().clamp(-127.0, 127.0) as i8).collect()
        };
        Self { whole: embedding.whole, sentences: embedding.views.into_iter().map(quantize).collect() }
    }

    /// As stored: the whole, then the sentences.
    pub(crate) fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let whole = self.whole.iter().flat_map(|value| value.to_le_bytes()).collect();
        let sentences = self.sentences.iter().flatten().map(|value| value.cast_unsigned()).collect();
        (whole, sentences)
    }

    /// Reads what [`bytes`](Self::bytes) made; `None` when the lengths do not fit.
    pub(crate) fn read(whole: &[u8], sentences: &[u8], count: usize) -> Option<Self> {
        let (floats, rest) = whole.as_chunks::<4>();
        let width = floats.len();
        if !rest.is_empty() || width == 0 || sentences.len() != count * width {
            return None;
        }
        Some(Self {
            whole: floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            sentences: sentences
                .chunks_exact(width)
                .map(|row| row.iter().map(|value| value.cast_signed()).collect())
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_survive_storage() {
        let vectors = Vectors { whole: vec![0.6, -0.8], sentences: vec![vec![127, -3], vec![0, 5]] };
        let (whole, sentences) = vectors.bytes();
        assert_eq!(Vectors::read(&whole, &sentences, 2), Some(vectors));
        assert_eq!(Vectors::read(&whole, &sentences, 3), None);
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
        let text = passage.embedded();
        assert_eq!(text.text, "Dose. One. Two.");
        assert_eq!(&text.text[text.views[1][0].clone()], "Two.");
        passage.text = "Dose\n\nOne.".into();
        assert_eq!(passage.embedded().text, passage.text);
    }
}
