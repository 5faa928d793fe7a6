//! Elementwise functions without branches, so that the compiler can use the machine's vectors inside a dispatched call.

/// e^x for x ≤ 88; relative error below 3e-7. Very negative x give almost 0. Coefficients: Cephes, `expf`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 × 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    let x = x.max(-87.0);
    let shifted = (x * std::f32::consts::LOG2_E) + ROUND;
    let power = shifted - ROUND;
    let r = x - power * LN_2_HIGH - power * LN_2_LOW;
    let tail =
        0.166_666_65 + r * (0.041_665_796 + r * (0.008_333_452 + r * (0.001_398_2 + r * 1.987_569_1e-4)));
    let polynomial = 1.0 + r + r * r * (0.5 + r * tail);
    let exponent = (shifted.to_bits() as i32) << 23;
    f32::from_bits((polynomial.to_bits() as i32).wrapping_add(exponent) as u32)
}

/// GELU in its exact form, x/2 (1 + erf(x/√2)), with erf by Abramowitz & Stegun 7.1.26 (absolute error below 1.5e-7).
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    let z = x * std::f32::consts::FRAC_1_SQRT_2;
    let a = z.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let polynomial =
        t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let erf = (1.0 - polynomial * exp(-a * a)).copysign(z);
    0.5 * x * (1.0 + erf)
}

/// The sum of a slice in eight running sums, which vectorizes and rounds less than one.
#[inline(always)]
fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; 8];
    let chunks = values.chunks_exact(8);
    let rest: f32 = chunks.remainder().iter().map(|&value| term(value)).sum();
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += term(value);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Layer normalization of every row, with the residual added first.
#[inline(always)]
pub(crate) fn add_and_normalize(x: &mut [f32], residual: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let width = weight.len();
    for (row, residual) in x.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
        for (value, residual) in row.iter_mut().zip(residual) {
            *value += residual;
        }
        normalize_row(row, weight, bias, epsilon);
    }
}

/// Layer normalization of every row.
#[inline(always)]
pub(crate) fn normalize(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    for row in x.chunks_exact_mut(weight.len()) {
        normalize_row(row, weight, bias, epsilon);
    }
}

#[inline(always)]
fn normalize_row(row: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let count = row.len() as f32;
    let mean = sum(row, |value| value) / count;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
        *value = (*value - mean) * scale * weight + bias;
    }
}

/// Softmax of one row.
#[inline(always)]
pub(crate) fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for value in row.iter_mut() {
        *value = exp(*value - largest);
    }
    let scale = 1.0 / sum(row, |value| value);
    for value in row.iter_mut() {
        *value *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_close_to_the_library_s() {
        for step in -8600..8600 {
            let x = step as f32 / 100.0;
            let error = (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
            assert!(error < 3e-7, "exp({x}): relative error {error}");
        }
        assert!(exp(-1000.0) < 1e-37);
    }

    #[test]
    fn gelu_has_its_known_values() {
        // x Φ(x), from tables of the normal distribution.
        for (x, expected) in
            [(0.0, 0.0), (1.0, 0.841_344_7), (-1.0, -0.158_655_3), (2.0, 1.954_499_7), (-3.0, -0.004_049_7)]
        {
            assert!((gelu(x) - expected).abs() < 2e-6, "gelu({x}) = {}", gelu(x));
        }
    }

    #[test]
    fn a_softmax_sums_to_one() {
        let mut row: Vec<_> = (0..19).map(|number| number as f32 / 3.0).collect();
        softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row.is_sorted());
    }
}
