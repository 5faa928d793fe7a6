//! Late interaction: every word of a question looks for the word of a passage that is nearest to it.
//!
//! One vector for a whole passage blurs what it says; the states of its words, which the model computes anyway, do not. A
//! word is the mean of its tokens' states, brought to [`WIDTH`] numbers by a fixed projection (the principal directions of
//! the words of the real sets, `cargo xtask fit projection`) and kept in one byte each: about six kilobytes a passage.

use std::sync::LazyLock;

use crate::kinds::unit;

/// How many numbers a word keeps.
pub const WIDTH: usize = 96;
/// How long the vectors are that the projection was fitted for.
pub const FROM: usize = 384;
/// One step of a kept number.
const STEP: f32 = 127.0;

/// Row by row, 32-bit floats, little endian: [`FROM`] rows of [`WIDTH`].
static PROJECTION: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let (numbers, _) = include_bytes!("../assets/late.projection.bin").as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
});

/// The kept numbers of a word's vector; none for vectors of another length than [`FROM`].
pub fn project(vector: &[f32]) -> Vec<i8> {
    if vector.len() != FROM || PROJECTION.len() != FROM * WIDTH {
        return Vec::new();
    }
    let mut sums = vec![0.0_f32; WIDTH];
    for (value, row) in vector.iter().zip(PROJECTION.chunks_exact(WIDTH)) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += value * weight;
        }
    }
    unit(sums).into_iter().map(|value| (value * STEP).round().clamp(-STEP, STEP) as i8).collect()
}

/// The cosine of two words.
pub fn cosine(a: &[i8], b: &[i8]) -> f32 {
    let sum: i32 = a.iter().zip(b).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
    sum as f32 / (STEP * STEP)
}

/// The cosines of one word with every word of `words`, in their order.
pub fn cosines<'a>(word: &'a [i8], words: &'a [i8]) -> impl Iterator<Item = f32> + 'a {
    words.chunks_exact(WIDTH).map(move |other| cosine(word, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projection_is_whole_and_keeps_lengths() {
        assert_eq!(PROJECTION.len(), FROM * WIDTH);
        for column in 0..WIDTH {
            let length: f32 = PROJECTION.iter().skip(column).step_by(WIDTH).map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-3, "column {column}: {length}");
        }
    }

    #[test]
    fn a_word_is_nearest_to_itself() {
        let word = |seed: usize| -> Vec<i8> {
            project(&(0..FROM).map(|at| ((at * seed) % 17) as f32 - 8.0).collect::<Vec<_>>())
        };
        let (one, other) = (word(3), word(7));
        let words = [one.clone(), other].concat();
        let found: Vec<f32> = cosines(&one, &words).collect();
        assert!((found[0] - 1.0).abs() < 0.02 && found[1] < found[0], "{found:?}");
        assert_eq!(project(&[1.0; 8]), Vec::<i8>::new());
    }
}
