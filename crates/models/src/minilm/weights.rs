//! Reading a BERT encoder from safetensors.

use std::path::Path;

use pulp::Arch;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::linear::Linear;
use crate::LoadError;

/// The shape of the model, from its `config.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "hidden_size")]
    pub(crate) width: usize,
    #[serde(rename = "intermediate_size")]
    pub(crate) inner: usize,
    #[serde(rename = "num_attention_heads")]
    pub(crate) heads: usize,
    #[serde(rename = "num_hidden_layers")]
    pub(crate) layers: usize,
    #[serde(rename = "max_position_embeddings")]
    pub(crate) positions: usize,
    #[serde(rename = "layer_norm_eps")]
    pub(crate) epsilon: f32,
    pub(crate) hidden_act: String,
    pub(crate) model_type: String,
}

impl Shape {
    pub(crate) fn read(folder: &Path) -> Result<Self, LoadError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(|error| LoadError::file(&path, error))?;
        let shape: Self = serde_json::from_str(&text).map_err(|error| LoadError::file(&path, error))?;
        if shape.model_type != "bert"
            || shape.hidden_act != "gelu"
            || shape.heads == 0
            || !shape.width.is_multiple_of(shape.heads)
        {
            return Err(LoadError::file(
                &path,
                "this is not a BERT encoder with GELU, the only kind that is supported",
            ));
        }
        Ok(shape)
    }
}

/// Scale and shift of a layer normalization.
#[derive(Debug)]
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// One encoder layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) query_key_value: Linear,
    pub(crate) attended: Linear,
    pub(crate) attended_norm: Norm,
    pub(crate) expand: Linear,
    pub(crate) contract: Linear,
    pub(crate) norm: Norm,
}

/// All weights, packed.
#[derive(Debug)]
pub(crate) struct Weights {
    pub(crate) words: Vec<f32>,
    /// Position embeddings with the first token type's added: there is only one type here.
    pub(crate) positions: Vec<f32>,
    pub(crate) norm: Norm,
    pub(crate) layers: Vec<Layer>,
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
    path: &'a Path,
}

impl Reader<'_> {
    fn tensor(&self, name: &str, length: usize) -> Result<Vec<f32>, LoadError> {
        let wrong = |what: String| LoadError::file(self.path, format!("tensor {name} {what}"));
        let view = self
            .tensors
            .tensor(name)
            .or_else(|_| self.tensors.tensor(&format!("bert.{name}")))
            .map_err(|_| wrong("is missing".into()))?;
        if view.dtype() != Dtype::F32 {
            return Err(wrong(format!("holds {:?}; only 32-bit floats are supported", view.dtype())));
        }
        let values: Vec<f32> =
            view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if length != 0 && values.len() != length {
            return Err(wrong(format!("has {} values instead of {length}", values.len())));
        }
        Ok(values)
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, LoadError> {
        Ok(Norm {
            weight: self.tensor(&format!("{name}.weight"), width)?,
            bias: self.tensor(&format!("{name}.bias"), width)?,
        })
    }

    fn linear(
        &self,
        arch: Arch,
        inputs: usize,
        outputs: usize,
        names: &[String],
    ) -> Result<Linear, LoadError> {
        let mut parts = Vec::with_capacity(names.len());
        for name in names {
            parts.push((
                self.tensor(&format!("{name}.weight"), inputs * outputs)?,
                self.tensor(&format!("{name}.bias"), outputs)?,
            ));
        }
        let parts: Vec<_> =
            parts.iter().map(|(weights, bias)| (weights.as_slice(), bias.as_slice())).collect();
        Ok(Linear::pack(arch, inputs, &parts))
    }

    fn layer(&self, arch: Arch, shape: &Shape, index: usize) -> Result<Layer, LoadError> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (width, inner) = (shape.width, shape.inner);
        let query_key_value = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Layer {
            query_key_value: self.linear(arch, width, width, &query_key_value)?,
            attended: self.linear(arch, width, width, &[name("attention.output.dense")])?,
            attended_norm: self.norm(&name("attention.output.LayerNorm"), width)?,
            expand: self.linear(arch, width, inner, &[name("intermediate.dense")])?,
            contract: self.linear(arch, inner, width, &[name("output.dense")])?,
            norm: self.norm(&name("output.LayerNorm"), width)?,
        })
    }
}

impl Weights {
    /// Reads and packs the weights in `content`, which was read from `path`.
    pub(crate) fn read(arch: Arch, shape: &Shape, path: &Path, content: &[u8]) -> Result<Self, LoadError> {
        let tensors = SafeTensors::deserialize(content).map_err(|error| LoadError::file(path, error))?;
        let reader = Reader { tensors, path };
        let mut positions =
            reader.tensor("embeddings.position_embeddings.weight", shape.positions * shape.width)?;
        let types = reader.tensor("embeddings.token_type_embeddings.weight", 0)?;
        for row in positions.chunks_exact_mut(shape.width) {
            for (value, first_type) in row.iter_mut().zip(&types) {
                *value += first_type;
            }
        }
        Ok(Self {
            words: reader.tensor("embeddings.word_embeddings.weight", 0)?,
            positions,
            norm: reader.norm("embeddings.LayerNorm", shape.width)?,
            layers: (0..shape.layers)
                .map(|index| reader.layer(arch, shape, index))
                .collect::<Result<_, _>>()?,
        })
    }
}
