//! Self-attention of one sequence.

use pulp::{Simd, WithSimd};

use super::math::softmax;

/// Attention of all heads over the rows of one sequence.
pub(crate) struct Attention<'a> {
    /// Query, key and value of every token, side by side.
    pub(crate) qkv: &'a [f32],
    /// Model width.
    pub(crate) width: usize,
    /// Number of heads.
    pub(crate) heads: usize,
    /// Where the result goes: one row of `width` per token.
    pub(crate) out: &'a mut [f32],
    /// Memory that is used again for every sequence.
    pub(crate) scratch: &'a mut Scratch,
}

/// Memory for one head.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Keys with one row per dimension, so that a row of scores is a sum of scaled rows.
    keys: Vec<f32>,
    scores: Vec<f32>,
}

impl WithSimd for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { qkv, width, heads, out, scratch } = self;
        let stride = 3 * width;
        let tokens = qkv.len() / stride;
        let size = width / heads;
        let scale = 1.0 / (size as f32).sqrt();
        scratch.keys.resize(size * tokens, 0.0);
        scratch.scores.resize(tokens, 0.0);
        for head in 0..heads {
            let query_at = head * size;
            let (key_at, value_at) = (query_at + width, query_at + 2 * width);
            for (token, row) in qkv.chunks_exact(stride).enumerate() {
                for (dimension, &key) in row[key_at..key_at + size].iter().enumerate() {
                    scratch.keys[dimension * tokens + token] = key;
                }
            }
            for token in 0..tokens {
                let query = &qkv[token * stride + query_at..][..size];
                scratch.scores.fill(0.0);
                for (&query, keys) in query.iter().zip(scratch.keys.chunks_exact(tokens)) {
                    add_scaled(&mut scratch.scores, keys, query * scale);
                }
                softmax(&mut scratch.scores);
                let out = &mut out[token * width + query_at..][..size];
                out.fill(0.0);
                for (&share, row) in scratch.scores.iter().zip(qkv.chunks_exact(stride)) {
                    add_scaled(out, &row[value_at..value_at + size], share);
                }
            }
        }
    }
}

#[inline(always)]
fn add_scaled(sum: &mut [f32], values: &[f32], scale: f32) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value * scale;
    }
}
