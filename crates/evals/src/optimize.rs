//! Minimizing smooth functions: L-BFGS with backtracking (Nocedal and Wright, Numerical Optimization, algorithms 7.4
//! and 3.1).

use std::collections::VecDeque;

const MEMORY: usize = 10;
const MOST_STEPS: usize = 500;
const MOST_HALVINGS: usize = 40;
/// Sufficient decrease.
const ARMIJO: f64 = 1e-4;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The point that minimizes `objective`, which returns a value and its gradient. Starts at `start`.
pub(crate) fn minimize(start: Vec<f64>, mut objective: impl FnMut(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let mut point = start;
    let (mut value, mut gradient) = objective(&point);
    let mut history: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    for _ in 0..MOST_STEPS {
        let direction = direction(&gradient, &history);
        let slope = dot(&gradient, &direction);
        if slope > -1e-12 {
            return point;
        }
        // Without a history the gradient's length says nothing about the step.
        let mut step = if history.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let mut moved = None;
        for _ in 0..MOST_HALVINGS {
            let next: Vec<f64> = point.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            let (next_value, next_gradient) = objective(&next);
            if next_value <= value + ARMIJO * step * slope {
                moved = Some((next, next_value, next_gradient));
                break;
            }
            step /= 2.0;
        }
        let Some((next, next_value, next_gradient)) = moved else { return point };
        let change: Vec<f64> = next.iter().zip(&point).map(|(a, b)| a - b).collect();
        let turn: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let done = (value - next_value).abs() <= 1e-10 * value.abs().max(1.0);
        if dot(&change, &turn) > 1e-12 {
            history.push_back((change, turn));
            if history.len() > MEMORY {
                history.pop_front();
            }
        }
        (point, value, gradient) = (next, next_value, next_gradient);
        if done {
            return point;
        }
    }
    point
}

fn direction(gradient: &[f64], history: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(history.len());
    for (s, y) in history.iter().rev() {
        let alpha = dot(s, &q) / dot(y, s);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
        alphas.push(alpha);
    }
    if let Some((s, y)) = history.back() {
        let scale = dot(s, y) / dot(y, y);
        for q in &mut q {
            *q *= scale;
        }
    }
    for ((s, y), alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / dot(y, s);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (alpha - beta) * s);
    }
    q.into_iter().map(|q| -q).collect()
}

/// A weighted example of a logistic regression.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) features: Vec<f64>,
    pub(crate) positive: bool,
    pub(crate) weight: f64,
}

/// A standardized logistic regression with an unpenalized bias: minimizes ½|w|² + `strength`·Σ weight·log loss.
pub(crate) fn logistic(
    names: &[&str],
    examples: &[Example],
    strength: f64,
) -> preceptor_models::logistic::Logistic {
    let count = names.len();
    let n = examples.len().max(1) as f64;
    let mean: Vec<f64> =
        (0..count).map(|f| examples.iter().map(|example| example.features[f]).sum::<f64>() / n).collect();
    let deviation: Vec<f64> = (0..count)
        .map(|f| {
            (examples.iter().map(|example| (example.features[f] - mean[f]).powi(2)).sum::<f64>() / n).sqrt()
        })
        .map(|deviation| if deviation > 1e-9 { deviation } else { 1.0 })
        .collect();
    let scaled: Vec<Vec<f64>> = examples
        .iter()
        .map(|example| (0..count).map(|f| (example.features[f] - mean[f]) / deviation[f]).collect())
        .collect();
    let point = minimize(vec![0.0; count + 1], |point| {
        let (weights, bias) = (&point[..count], point[count]);
        let mut value = 0.5 * dot(weights, weights);
        let mut gradient: Vec<f64> = weights.iter().copied().chain([0.0]).collect();
        for (example, row) in examples.iter().zip(&scaled) {
            let margin = dot(weights, row) + bias;
            let target = f64::from(u8::from(example.positive));
            let weight = strength * example.weight;
            let probability = 1.0 / (1.0 + (-margin).exp());
            let toward = if example.positive { -margin } else { margin };
            value += weight * (toward.max(0.0) + (-toward.abs()).exp().ln_1p());
            let slope = weight * (probability - target);
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += slope * x);
            gradient[count] += slope;
        }
        (value, gradient)
    });
    preceptor_models::logistic::Logistic {
        features: names.iter().map(|name| (*name).to_owned()).collect(),
        mean: mean.into_iter().map(round).collect(),
        deviation: deviation.into_iter().map(round).collect(),
        weights: point[..count].iter().copied().map(round).collect(),
        bias: round(point[count]),
    }
}

/// Six decimals are more than the data holds, and diffs stay readable.
pub(crate) fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_followed_to_its_bottom() {
        // Rosenbrock's function: its minimum is at (1, 1).
        let found = minimize(vec![-1.2, 1.0], |p| {
            let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
            (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * p[0] * b, 200.0 * b])
        });
        assert!((found[0] - 1.0).abs() < 1e-3 && (found[1] - 1.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_logistic_regression_separates() {
        let example = |x: f64, positive| Example { features: vec![x], positive, weight: 1.0 };
        let examples = [example(1.0, false), example(2.0, false), example(3.0, true), example(4.0, true)];
        let model = logistic(&["x"], &examples, 10.0);
        assert!(model.probability(&[1.5]) < 0.3 && model.probability(&[3.5]) > 0.7);
    }
}
