//! Kinds of clinical questions, sections and objectives.
//!
//! Learners do not use the words of headings: "how does it usually present?" asks for the section "Symptoms". A small
//! classifier on the embedding knows some thirty kinds of clinical content (overview, symptoms, treatment, dosing, …);
//! whether a question and a heading are of one kind tells more than whether they share words. It is fitted by
//! `cargo xtask fit kinds` on `assets/kinds.json`: wordings that we wrote for it.

use serde::{Deserialize, Serialize};

/// The weights, as fitted.
const WEIGHTS: &str = include_str!("../assets/kinds.weights.json");
/// The wordings that they are fitted on.
pub const WORDINGS: &str = include_str!("../assets/kinds.json");
/// Questions about the course itself, not about its subject.
const LOGISTICS: &str = "logistics";

/// A softmax regression over kinds. Inputs are unit vectors of the embedding model that it was fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kinds {
    /// The kinds, in the order of the rows below.
    pub names: Vec<String>,
    /// One row of weights per kind.
    pub weights: Vec<Vec<f32>>,
    /// One bias per kind.
    pub bias: Vec<f32>,
    /// The mean of each kind's neutral questions, at length 1.
    pub centroids: Vec<Vec<f32>>,
}

/// Weights that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the weights of the kinds cannot be read: {0}")]
pub struct BadWeights(String);

impl Kinds {
    /// The fitted classifier.
    pub fn fitted() -> Result<Self, BadWeights> {
        let kinds: Self = serde_json::from_str(WEIGHTS).map_err(|error| BadWeights(error.to_string()))?;
        let count = kinds.names.len();
        if [kinds.weights.len(), kinds.bias.len(), kinds.centroids.len()]
            .iter()
            .any(|&length| length != count)
        {
            return Err(BadWeights("rows are missing".into()));
        }
        Ok(kinds)
    }

    /// How many kinds there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The probability of every kind.
    pub fn probabilities(&self, vector: &[f32]) -> Vec<f32> {
        let logits: Vec<f32> =
            self.weights.iter().zip(&self.bias).map(|(row, bias)| dot(row, vector) + bias).collect();
        softmax(&logits)
    }

    /// Whether a kind is clinical content: neither part of a study report nor about the course itself.
    pub fn is_clinical(&self, kind: usize) -> bool {
        let name = &self.names[kind];
        !name.starts_with("study_") && name != LOGISTICS
    }

    /// The row of questions about the course itself.
    pub fn logistics(&self) -> Option<usize> {
        self.names.iter().position(|name| name == LOGISTICS)
    }

    /// How sure `probabilities` are of one clinical kind.
    pub fn clinical_certainty(&self, probabilities: &[f32]) -> f32 {
        let clinical = probabilities.iter().enumerate().filter(|(kind, _)| self.is_clinical(*kind));
        clinical.map(|(_, &probability)| probability).fold(0.0, f32::max)
    }
}

/// The dot product of two vectors of one length.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (chunks_a, chunks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in chunks_a.zip(chunks_b) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// A vector at length 1; zeros stay zeros.
pub fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot(&vector, &vector).sqrt();
    if length > 1e-9 {
        for value in &mut vector {
            *value /= length;
        }
    }
    vector
}

/// `vector` without its component along the unit vector `direction`, at length 1.
pub fn without_direction(vector: &[f32], direction: Option<&[f32]>) -> Vec<f32> {
    let Some(direction) = direction else { return vector.to_vec() };
    let along = dot(vector, direction);
    unit(vector.iter().zip(direction).map(|(value, part)| value - along * part).collect())
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fitted_weights_can_be_read() {
        let kinds = Kinds::fitted().expect("weights");
        assert!(kinds.len() > 20 && kinds.logistics().is_some());
        let sum: f32 = kinds.probabilities(&kinds.centroids[3]).iter().sum();
        assert!((sum - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_direction_can_be_taken_out() {
        let direction = unit(vec![1.0, 1.0, 0.0]);
        let rest = without_direction(&[2.0, 0.0, 1.0], Some(&direction));
        assert!(dot(&rest, &direction).abs() < 1e-6);
        assert!((dot(&rest, &rest) - 1.0).abs() < 1e-6);
    }
}
