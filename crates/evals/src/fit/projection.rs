//! The projection of words for late interaction: the principal directions of the words of the real sets.

use std::collections::BTreeMap;

use preceptor_core::id::PassageId;
use preceptor_models::Embedder;
use preceptor_models::late::{FROM, WIDTH};
use preceptor_retrieval::fitting::{Passage, content_key, word_vectors};

use crate::data::Set;

/// Passages that are embedded at a time.
const PASSAGES: usize = 256;
/// Rounds of orthogonal iteration: the spectrum falls slowly at its end, where it matters least.
const ROUNDS: usize = 100;

/// The projection as `late` reads it: row by row, 32-bit floats, little endian.
pub(super) async fn fit(sets: &[Set], embedder: &dyn Embedder) -> anyhow::Result<Vec<u8>> {
    let mut moments = vec![0.0_f64; FROM * FROM];
    let passages: Vec<Passage> = distinct(sets)?.into_values().collect();
    for batch in passages.chunks(PASSAGES) {
        for word in word_vectors(batch, embedder).await? {
            for (row, &x) in moments.chunks_exact_mut(FROM).zip(&word) {
                row.iter_mut().zip(&word).for_each(|(sum, &y)| *sum += f64::from(x) * f64::from(y));
            }
        }
    }
    let directions = principal(&moments);
    let value = |place: usize| directions[place % WIDTH][place / WIDTH] as f32;
    Ok((0..FROM * WIDTH).flat_map(|place| value(place).to_le_bytes()).collect())
}

fn distinct(sets: &[Set]) -> anyhow::Result<BTreeMap<String, Passage>> {
    let mut known = BTreeMap::new();
    for source in sets.iter().flat_map(|set| &set.programs).flat_map(|program| &program.sources) {
        let read =
            preceptor_extract::passages_of_sections(&source.document()?).map_err(anyhow::Error::msg)?;
        for passage in read {
            let passage = Passage {
                id: PassageId::generate(),
                source: String::new(),
                heading: passage.heading,
                text: passage.text,
                sentences: passage.sentences,
            };
            known.entry(content_key(&passage)).or_insert(passage);
        }
    }
    Ok(known)
}

/// The first [`WIDTH`] eigenvectors of a symmetric matrix, by orthogonal iteration; of each the largest number is positive.
fn principal(matrix: &[f64]) -> Vec<Vec<f64>> {
    let start = |column: usize| -> Vec<f64> {
        (0..FROM).map(|at| (((at + 1) * (column + 3)) % 101) as f64 - 50.0).collect()
    };
    let mut directions: Vec<Vec<f64>> = (0..WIDTH).map(start).collect();
    orthonormalize(&mut directions);
    for _ in 0..ROUNDS {
        for direction in &mut directions {
            *direction = matrix.chunks_exact(FROM).map(|row| dot(row, direction)).collect();
        }
        orthonormalize(&mut directions);
    }
    for direction in &mut directions {
        let largest = direction.iter().copied().fold(0.0_f64, |a, b| if b.abs() > a.abs() { b } else { a });
        if largest < 0.0 {
            for value in &mut *direction {
                *value = -*value;
            }
        }
    }
    directions
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Gram and Schmidt, each direction against those before it.
fn orthonormalize(directions: &mut [Vec<f64>]) {
    for at in 0..directions.len() {
        let (before, rest) = directions.split_at_mut(at);
        let Some(direction) = rest.first_mut() else { return };
        // Twice, for what rounding leaves the first time.
        for known in before.iter().chain(before.iter()) {
            let along = dot(known, direction);
            direction.iter_mut().zip(known).for_each(|(value, part)| *value -= along * part);
        }
        let length = dot(direction, direction).sqrt().max(1e-12);
        for value in &mut *direction {
            *value /= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directions_are_those_of_the_largest_moments() {
        let mut matrix = vec![0.0; FROM * FROM];
        for at in 0..FROM {
            matrix[at * FROM + at] = if at < WIDTH { 2.0 } else { 0.5 };
        }
        let directions = principal(&matrix);
        for direction in &directions {
            let inside: f64 = direction[..WIDTH].iter().map(|value| value * value).sum();
            assert!((inside - 1.0).abs() < 1e-6, "{inside}");
        }
        assert!(dot(&directions[0], &directions[1]).abs() < 1e-9);
    }
}
