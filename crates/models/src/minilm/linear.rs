//! Linear layers on weights that are packed once.
//!
//! A general matrix product packs its right-hand side on every call, which for a question of a dozen tokens costs more
//! than the product itself. Here the weights are packed when the model is loaded, into panels as wide as two vector
//! registers; a tile of a few rows times one panel stays in registers from the first input to the last.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a tile: twelve accumulators and their operands fit into sixteen registers.
const TILE_ROWS: usize = 6;
/// Registers that a panel is wide.
const PANEL_REGISTERS: usize = 2;
/// Rows that go through all panels together: they stay in the cache while the panels pass by.
const BLOCK_ROWS: usize = 48;
/// Below this many rows a product is bound by reading its weights, and the panels are shared between threads; above,
/// every thread has sequences of its own.
const FEW_ROWS: usize = 48;

/// How many 32-bit floats one register of this machine holds.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    fn with_simd<S: Simd>(self, _simd: S) -> usize {
        S::F32_LANES
    }
}

/// `y = x W + b`, packed for this machine.
#[derive(Debug)]
pub(crate) struct Linear {
    /// Panel after panel; inside a panel, input after input.
    packed: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    outputs: usize,
    panel: usize,
}

impl Linear {
    /// Packs weights stored as `outputs` rows of `inputs`, as safetensors of BERT models store them. Several parts with
    /// the same inputs are set side by side.
    pub(crate) fn pack(arch: Arch, inputs: usize, parts: &[(&[f32], &[f32])]) -> Self {
        let panel = PANEL_REGISTERS * arch.dispatch(Lanes);
        let rows: Vec<&[f32]> = parts.iter().flat_map(|(weights, _)| weights.chunks_exact(inputs)).collect();
        let bias: Vec<f32> = parts.iter().flat_map(|(_, bias)| bias.iter().copied()).collect();
        let outputs = rows.len();
        let panels = outputs.div_ceil(panel);
        let mut packed = vec![0.0; panels * panel * inputs];
        for (output, row) in rows.iter().enumerate() {
            let base = output / panel * panel * inputs + output % panel;
            for (input, &weight) in row.iter().enumerate() {
                packed[base + input * panel] = weight;
            }
        }
        Self { packed, bias, inputs, outputs, panel }
    }

    /// Applies the layer to every row of `x`, into `out`.
    pub(crate) fn apply(&self, arch: Arch, x: &[f32], out: &mut Vec<f32>) {
        let rows = x.len() / self.inputs;
        out.resize(rows * self.outputs, 0.0);
        let panels = self.outputs.div_ceil(self.panel);
        let threads = rayon::current_num_threads();
        if rows > FEW_ROWS || threads == 1 || panels < 2 * threads {
            arch.dispatch(Product { layer: self, x, panels: 0..panels, out, stride: self.outputs });
            return;
        }
        let share = panels.div_ceil(threads);
        let columns: Vec<(usize, Vec<f32>)> = (0..threads)
            .into_par_iter()
            .map(|thread| {
                let mine = (thread * share).min(panels)..((thread + 1) * share).min(panels);
                let width =
                    (mine.end * self.panel).min(self.outputs) - (mine.start * self.panel).min(self.outputs);
                let start = mine.start * self.panel;
                let mut part = vec![0.0; rows * width];
                arch.dispatch(Product { layer: self, x, panels: mine, out: &mut part, stride: width });
                (start, part)
            })
            .collect();
        for (start, part) in columns {
            let width = part.len() / rows.max(1);
            if width == 0 {
                continue;
            }
            for (row, values) in part.chunks_exact(width).enumerate() {
                out[row * self.outputs + start..][..width].copy_from_slice(values);
            }
        }
    }
}

/// Some panels of a product. `out` has `stride` columns, the first of which is the first column of the first panel.
struct Product<'a> {
    layer: &'a Linear,
    x: &'a [f32],
    panels: std::ops::Range<usize>,
    out: &'a mut [f32],
    stride: usize,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, x, panels, out, stride } = self;
        let inputs = layer.inputs;
        let rows = x.len() / inputs;
        let first_column = panels.start * layer.panel;
        for block in (0..rows).step_by(BLOCK_ROWS) {
            let end = (block + BLOCK_ROWS).min(rows);
            for panel in panels.clone() {
                let weights = &layer.packed[panel * layer.panel * inputs..][..layer.panel * inputs];
                let (weights, _) = S::as_simd_f32s(weights);
                let column = panel * layer.panel;
                let bias = &layer.bias[column..layer.outputs.min(column + layer.panel)];
                for row in (block..end).step_by(TILE_ROWS) {
                    let x = &x[row * inputs..end.min(row + TILE_ROWS) * inputs];
                    let out = &mut out[row * stride + column - first_column..];
                    tiles(simd, x, weights, bias, out, stride);
                }
            }
        }
    }
}

/// Up to [`TILE_ROWS`] rows times one panel.
#[inline(always)]
fn tiles<S: Simd>(simd: S, x: &[f32], weights: &[S::f32s], bias: &[f32], out: &mut [f32], stride: usize) {
    match x.len() * PANEL_REGISTERS / weights.len() {
        6 => tile::<S, 6>(simd, x, weights, bias, out, stride),
        5 => tile::<S, 5>(simd, x, weights, bias, out, stride),
        4 => tile::<S, 4>(simd, x, weights, bias, out, stride),
        3 => tile::<S, 3>(simd, x, weights, bias, out, stride),
        2 => tile::<S, 2>(simd, x, weights, bias, out, stride),
        _ => tile::<S, 1>(simd, x, weights, bias, out, stride),
    }
}

/// `R` rows times one panel.
#[inline(always)]
fn tile<S: Simd, const R: usize>(
    simd: S,
    x: &[f32],
    weights: &[S::f32s],
    bias: &[f32],
    out: &mut [f32],
    stride: usize,
) {
    let inputs = weights.len() / PANEL_REGISTERS;
    let rows: [&[f32]; R] = std::array::from_fn(|row| &x[row * inputs..][..inputs]);
    let mut sums = [[simd.splat_f32s(0.0); PANEL_REGISTERS]; R];
    for (input, pair) in weights.chunks_exact(PANEL_REGISTERS).enumerate() {
        for row in 0..R {
            let value = simd.splat_f32s(rows[row][input]);
            sums[row][0] = simd.mul_add_e_f32s(value, pair[0], sums[row][0]);
            sums[row][1] = simd.mul_add_e_f32s(value, pair[1], sums[row][1]);
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        let sums: &[f32] = pulp::bytemuck::cast_slice(sums);
        let out = &mut out[row * stride..][..bias.len()];
        for ((out, sum), bias) in out.iter_mut().zip(sums).zip(bias) {
            *out = sum + bias;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn the_packed_product_is_the_product() {
        let arch = Arch::new();
        for (rows, inputs, outputs) in [(1, 8, 16), (5, 7, 33), (6, 384, 64), (13, 20, 100), (50, 16, 48)] {
            let (x, weights, bias) =
                (numbers(rows * inputs, 1), numbers(inputs * outputs, 2), numbers(outputs, 3));
            let half = outputs / 2;
            let parts =
                [(&weights[..half * inputs], &bias[..half]), (&weights[half * inputs..], &bias[half..])];
            let mut out = Vec::new();
            Linear::pack(arch, inputs, &parts).apply(arch, &x, &mut out);
            for row in 0..rows {
                for output in 0..outputs {
                    let expected = bias[output]
                        + (0..inputs)
                            .map(|i| x[row * inputs + i] * weights[output * inputs + i])
                            .sum::<f32>();
                    let got = out[row * outputs + output];
                    assert!(
                        (expected - got).abs() < 1e-4,
                        "{rows}x{inputs}x{outputs} at {row},{output}: {expected} {got}"
                    );
                }
            }
        }
    }
}
