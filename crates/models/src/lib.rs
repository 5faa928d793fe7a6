//! Embedding texts, and comparing them by their words.
//!
//! * [`Embedder`]: texts to vectors. [`MiniLm`] is the default, on this machine's own cores, and the only one so far.
//! * [`locate`]: where the default model is found on disk, and how it gets there; [`pip`] brings packages;
//! * [`text`]: words, terms and subjects, for comparing by words;
//! * [`late`]: the words of a question against the words of a passage; [`quotes`]: how much is quoted around a sentence;
//! * [`kinds`]: which kind of clinical content a text is about;
//! * [`logistic`]: probabilities from a few named features.
//!
//! Vectors of a part of a text (a sentence, a heading) are *views*: the mean over that part's tokens in the text's own
//! forward pass, so that they cost nothing beside it.

pub mod kinds;
pub mod late;
pub mod locate;
pub mod logistic;
mod minilm;
pub mod pip;
pub mod quotes;
pub mod text;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;

pub use minilm::{Hidden, MOST_TOKENS, MiniLm};

/// Which model made a vector: its name and the beginning of its weights' SHA-256. Vectors of two models never meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelId(String);

impl ModelId {
    pub(crate) fn new(name: &str, digest: &[u8]) -> Self {
        Self(format!("{name}@{}", hex::encode(&digest[..8])))
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text to embed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Parts of it that get vectors of their own, each a set of byte ranges.
    pub views: Vec<Vec<Range<usize>>>,
}

impl Text {
    /// A text without views.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), views: Vec::new() }
    }
}

/// The vectors of a text, each of length 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedding {
    /// Of the whole text.
    pub whole: Vec<f32>,
    /// Of its views, in their order; all zeros for a view without tokens.
    pub views: Vec<Vec<f32>>,
}

/// A model that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}")]
pub struct LoadError {
    path: PathBuf,
    what: String,
}

impl LoadError {
    pub(crate) fn file(path: &Path, what: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), what: what.to_string() }
    }
}

/// Embedding failed or was not possible in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the embedding model is not available: {0}")]
pub struct EmbedError(pub String);

/// Texts to vectors.
#[async_trait]
pub trait Embedder: Send + Sync + fmt::Debug {
    /// Which model this is.
    fn id(&self) -> &ModelId;

    /// The length of every vector.
    fn dimensions(&self) -> usize;

    /// The place of a whole word in the model's vocabulary, which is roughly ordered by frequency; none for words that it
    /// knows only in pieces.
    fn word_rank(&self, word: &str) -> Option<u32>;

    /// Embeds texts, in their order.
    async fn embed(&self, texts: Vec<Text>) -> Result<Vec<Embedding>, EmbedError>;
}

/// The local model, off the async threads, with a memory for questions: alignment asks for vectors of a message that was
/// answered a moment ago.
#[derive(Debug)]
pub struct LocalEmbedder {
    model: Arc<MiniLm>,
    recent: Cache<String, Arc<Hidden>>,
}

/// Questions whose token outputs are remembered.
const RECENT_QUESTIONS: u64 = 256;

impl LocalEmbedder {
    /// Serves `model`.
    pub fn new(model: MiniLm) -> Self {
        Self { model: Arc::new(model), recent: Cache::new(RECENT_QUESTIONS) }
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn id(&self) -> &ModelId {
        self.model.id()
    }

    fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    fn word_rank(&self, word: &str) -> Option<u32> {
        self.model.word_rank(word)
    }

    async fn embed(&self, texts: Vec<Text>) -> Result<Vec<Embedding>, EmbedError> {
        let (model, recent) = (Arc::clone(&self.model), self.recent.clone());
        let work = move || match texts.as_slice() {
            [text] => {
                let hidden = recent.get_with_by_ref(&text.text, || Arc::new(model.hidden(&text.text)));
                vec![hidden.pool(text)]
            }
            texts => model.embed(texts),
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| EmbedError(error.to_string()))
    }
}
