//! A logistic regression over named features.

use serde::{Deserialize, Serialize};

/// A logistic regression over named, standardized features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Which features, by name.
    pub features: Vec<String>,
    /// Their means.
    pub mean: Vec<f64>,
    /// Their standard deviations.
    pub deviation: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
    /// The bias.
    pub bias: f64,
}

impl Logistic {
    /// The probability for values in the order of [`features`](Self::features).
    pub fn probability(&self, values: &[f64]) -> f64 {
        let scaled = values
            .iter()
            .zip(&self.mean)
            .zip(&self.deviation)
            .map(|((value, mean), deviation)| (value - mean) / deviation);
        let sum: f64 = scaled.zip(&self.weights).map(|(value, weight)| value * weight).sum();
        1.0 / (1.0 + (-(sum + self.bias)).exp())
    }

    /// Whether every feature has its mean, deviation and weight.
    pub fn is_consistent(&self) -> bool {
        let count = self.features.len();
        [self.mean.len(), self.deviation.len(), self.weights.len()].iter().all(|&length| length == count)
            && self.deviation.iter().all(|&deviation| deviation > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_standardized() {
        let model = Logistic {
            features: vec!["a".into()],
            mean: vec![2.0],
            deviation: vec![0.5],
            weights: vec![1.0],
            bias: 0.0,
        };
        assert!(model.is_consistent());
        assert!((model.probability(&[2.0]) - 0.5).abs() < 1e-12);
        assert!((model.probability(&[2.5]) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
    }
}
