//! MiniLM (all-MiniLM-L6-v2) by a forward pass of our own.
//!
//! Sequences are packed one behind the other, without padding: the linear layers see one matrix with a row per token,
//! attention runs per sequence. A batch is divided between the cores by tokens; a single question divides each product
//! instead. The numbers are those of the reference implementation to 1e-4; candle's vectors are the oracle in the tests.

mod attention;
mod linear;
mod math;
mod weights;

use std::ops::Range;
use std::path::Path;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

use self::attention::{Attention, Scratch};
use self::weights::{Layer, Norm, Shape, Weights};
use crate::{Embedding, LoadError, ModelId, Text};

/// The model's own limit, special tokens included (`sentence_bert_config.json`).
pub const MOST_TOKENS: usize = 256;
/// Tokens that one core works on at a time: enough to amortize reading the weights, small enough for its cache.
const TOKENS_PER_BATCH: usize = 512;
/// Shorter batches waste the kernel's blocks.
const LEAST_TOKENS_PER_BATCH: usize = 96;

/// A loaded model.
pub struct MiniLm {
    id: ModelId,
    arch: Arch,
    shape: Shape,
    weights: Weights,
    tokenizer: Tokenizer,
}

impl std::fmt::Debug for MiniLm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MiniLm").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A text as tokens, with the bytes each token came from.
struct Tokens {
    ids: Vec<u32>,
    /// Empty for special tokens.
    bytes: Vec<Range<usize>>,
}

impl MiniLm {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` from a folder.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let shape = Shape::read(folder)?;
        let path = folder.join("model.safetensors");
        let content = std::fs::read(&path).map_err(|error| LoadError::file(&path, error))?;
        let id = ModelId::new("all-MiniLM-L6-v2", &Sha256::digest(&content));
        let arch = Arch::new();
        let weights = Weights::read(arch, &shape, &path, &content)?;
        drop(content);

        let path = folder.join("tokenizer.json");
        let mut tokenizer = Tokenizer::from_file(&path).map_err(|error| LoadError::file(&path, error))?;
        // Truncation and padding are ours: a silently shortened text would lose its end without a word.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| LoadError::file(&path, error))?;
        Ok(Self { id, arch, shape, weights, tokenizer })
    }

    /// The model's name and digest.
    pub fn id(&self) -> &ModelId {
        &self.id
    }

    /// The length of every vector.
    pub fn dimensions(&self) -> usize {
        self.shape.width
    }

    /// How many tokens `text` has, special tokens included.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.tokenizer.encode_fast(text, true).map_or(0, |encoding| encoding.len())
    }

    fn tokens(&self, text: &str) -> Tokens {
        // Fails only on malformed tokenizer files, which loading would have refused.
        let Ok(encoding) = self.tokenizer.encode(text, true) else {
            return Tokens { ids: Vec::new(), bytes: Vec::new() };
        };
        let mut ids = encoding.get_ids().to_vec();
        let special = encoding.get_special_tokens_mask();
        let mut bytes: Vec<_> = encoding
            .get_offsets()
            .iter()
            .zip(special)
            .map(|(&(start, end), &special)| if special == 1 { 0..0 } else { start..end })
            .collect();
        if ids.len() > MOST_TOKENS {
            // Keep the closing special token, as the reference does.
            let last = ids.len() - 1;
            ids.swap(MOST_TOKENS - 1, last);
            bytes.swap(MOST_TOKENS - 1, last);
            ids.truncate(MOST_TOKENS);
            bytes.truncate(MOST_TOKENS);
        }
        Tokens { ids, bytes }
    }

    /// The place of a whole word in the vocabulary, which is roughly ordered by frequency.
    pub fn word_rank(&self, word: &str) -> Option<u32> {
        self.tokenizer.token_to_id(word)
    }

    /// The token outputs of one text, on all cores.
    pub fn hidden(&self, text: &str) -> Hidden {
        let tokens = self.tokens(text);
        let lengths = [tokens.ids.len()];
        Hidden { rows: self.forward(&[&tokens], &lengths), bytes: tokens.bytes, width: self.shape.width }
    }

    /// Embeds `texts`, on all cores.
    pub fn embed(&self, texts: &[Text]) -> Vec<Embedding> {
        let mut tokens: Vec<(usize, Tokens)> =
            texts.par_iter().map(|text| self.tokens(&text.text)).enumerate().collect();
        // Long sequences first, so that the last batches are the short ones and the cores finish together.
        tokens.sort_by_key(|(_, tokens)| std::cmp::Reverse(tokens.ids.len()));
        let batches = batches(&tokens);
        let mut embedded: Vec<(usize, Embedding)> = batches
            .into_par_iter()
            .flat_map_iter(|batch| {
                let members: Vec<_> = batch.iter().map(|(_, tokens)| tokens).collect();
                let texts: Vec<_> = batch.iter().map(|(index, _)| texts[*index].clone()).collect();
                let indices: Vec<_> = batch.iter().map(|(index, _)| *index).collect();
                indices.into_iter().zip(self.run(&members, &texts)).collect::<Vec<_>>()
            })
            .collect();
        embedded.sort_by_key(|(index, _)| *index);
        embedded.into_iter().map(|(_, embedding)| embedding).collect()
    }

    fn run(&self, batch: &[&Tokens], texts: &[Text]) -> Vec<Embedding> {
        let lengths: Vec<_> = batch.iter().map(|tokens| tokens.ids.len()).collect();
        let hidden = self.forward(batch, &lengths);
        let width = self.shape.width;
        let mut start = 0;
        let mut embeddings = Vec::with_capacity(batch.len());
        for (tokens, text) in batch.iter().zip(texts) {
            let end = start + tokens.ids.len();
            let rows = &hidden[start * width..end * width];
            start = end;
            embeddings.push(embedding(rows, width, &tokens.bytes, text));
        }
        embeddings
    }

    /// The last layer's output, one row per token of the whole batch.
    fn forward(&self, batch: &[&Tokens], lengths: &[usize]) -> Vec<f32> {
        let mut x = self.embedded_tokens(batch);
        let mut memory = Memory::default();
        for layer in &self.weights.layers {
            self.layer(layer, &mut x, lengths, &mut memory);
        }
        x
    }

    fn embedded_tokens(&self, batch: &[&Tokens]) -> Vec<f32> {
        let width = self.shape.width;
        let mut x = Vec::with_capacity(batch.iter().map(|tokens| tokens.ids.len() * width).sum());
        for tokens in batch {
            for (&id, position) in tokens.ids.iter().zip(self.weights.positions.chunks_exact(width)) {
                let word = &self.weights.words[id as usize * width..][..width];
                x.extend(word.iter().zip(position).map(|(word, position)| word + position));
            }
        }
        self.arch.dispatch(Normalize { x: &mut x, norm: &self.weights.norm, epsilon: self.shape.epsilon });
        x
    }

    fn layer(&self, layer: &Layer, x: &mut Vec<f32>, lengths: &[usize], memory: &mut Memory) {
        let (arch, width, epsilon) = (self.arch, self.shape.width, self.shape.epsilon);
        layer.query_key_value.apply(arch, x, &mut memory.wide);
        memory.context.resize(x.len(), 0.0);
        let mut start = 0;
        for &length in lengths {
            let end = start + length;
            arch.dispatch(Attention {
                qkv: &memory.wide[start * 3 * width..end * 3 * width],
                width,
                heads: self.shape.heads,
                out: &mut memory.context[start * width..end * width],
                scratch: &mut memory.scratch,
            });
            start = end;
        }
        layer.attended.apply(arch, &memory.context, &mut memory.narrow);
        arch.dispatch(AddAndNormalize {
            x: &mut memory.narrow,
            residual: x,
            norm: &layer.attended_norm,
            epsilon,
        });
        std::mem::swap(x, &mut memory.narrow);
        layer.expand.apply(arch, x, &mut memory.wide);
        arch.dispatch(Gelu(&mut memory.wide));
        layer.contract.apply(arch, &memory.wide, &mut memory.narrow);
        arch.dispatch(AddAndNormalize { x: &mut memory.narrow, residual: x, norm: &layer.norm, epsilon });
        std::mem::swap(x, &mut memory.narrow);
    }
}

/// Buffers that every layer uses again.
#[derive(Default)]
struct Memory {
    wide: Vec<f32>,
    narrow: Vec<f32>,
    context: Vec<f32>,
    scratch: Scratch,
}

/// Cuts sorted sequences into runs of about [`TOKENS_PER_BATCH`] tokens, or shorter ones when that leaves cores idle.
fn batches(tokens: &[(usize, Tokens)]) -> Vec<&[(usize, Tokens)]> {
    let total: usize = tokens.iter().map(|(_, sequence)| sequence.ids.len()).sum();
    let most = total.div_ceil(rayon::current_num_threads()).clamp(LEAST_TOKENS_PER_BATCH, TOKENS_PER_BATCH);
    let mut batches = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (index, (_, sequence)) in tokens.iter().enumerate() {
        if index > start && sum + sequence.ids.len() > most {
            batches.push(&tokens[start..index]);
            (start, sum) = (index, 0);
        }
        sum += sequence.ids.len();
    }
    if start < tokens.len() {
        batches.push(&tokens[start..]);
    }
    batches
}

/// The token outputs of a text, of which every view can be made without another pass.
#[derive(Debug)]
pub struct Hidden {
    rows: Vec<f32>,
    bytes: Vec<Range<usize>>,
    width: usize,
}

impl Hidden {
    /// The vectors of the text and its views. `text.text` is the text these outputs are of.
    pub fn pool(&self, text: &Text) -> Embedding {
        embedding(&self.rows, self.width, &self.bytes, text)
    }
}

fn embedding(rows: &[f32], width: usize, bytes: &[Range<usize>], text: &Text) -> Embedding {
    Embedding {
        whole: pool(rows, width, |_| true),
        views: text
            .views
            .iter()
            .map(|view| pool(rows, width, |token| overlaps(&bytes[token], view)))
            .collect(),
    }
}

fn overlaps(token: &Range<usize>, view: &[Range<usize>]) -> bool {
    !token.is_empty() && view.iter().any(|range| token.start < range.end && range.start < token.end)
}

/// The mean of the chosen rows, at length 1. All zeros when none is chosen.
fn pool(rows: &[f32], width: usize, chosen: impl Fn(usize) -> bool) -> Vec<f32> {
    let mut mean = vec![0.0_f32; width];
    for (token, row) in rows.chunks_exact(width).enumerate() {
        if chosen(token) {
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += value;
            }
        }
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut mean {
            *value /= length;
        }
    }
    mean
}

struct Normalize<'a> {
    x: &'a mut [f32],
    norm: &'a Norm,
    epsilon: f32,
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        math::normalize(self.x, &self.norm.weight, &self.norm.bias, self.epsilon);
    }
}

struct AddAndNormalize<'a> {
    x: &'a mut [f32],
    residual: &'a [f32],
    norm: &'a Norm,
    epsilon: f32,
}

impl WithSimd for AddAndNormalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        math::add_and_normalize(self.x, self.residual, &self.norm.weight, &self.norm.bias, self.epsilon);
    }
}

struct Gelu<'a>(&'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for value in self.0 {
            *value = math::gelu(*value);
        }
    }
}
