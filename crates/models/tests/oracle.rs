//! Our forward pass against the reference implementation's.
//!
//! `oracle.json` holds what candle 0.11 (`candle_transformers::models::bert`, mean over all tokens, length 1) makes of
//! these texts with the weights whose SHA-256 it names. Candle itself is not built with every test run: it and its
//! matrix kernels are thirty crates.

use preceptor_models::{MiniLm, Text};
use preceptor_testkit::model;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

const ORACLE: &str = include_str!("oracle.json");
/// How far a component may be from the reference.
const APART: f32 = 1e-4;

#[derive(Deserialize)]
struct Oracle {
    weights_sha256: String,
    vectors: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    text: String,
    /// How often the text is repeated, so that long ones need not be written out.
    times: usize,
    vector: Vec<f32>,
}

#[test]
fn vectors_are_those_of_the_reference() {
    let Some(folder) = model("models oracle") else { return };
    let oracle: Oracle = serde_json::from_str(ORACLE).expect("vectors");
    let weights = std::fs::read(folder.join("model.safetensors")).expect("weights");
    assert_eq!(
        hex::encode(Sha256::digest(weights)),
        oracle.weights_sha256,
        "the vectors are of other weights"
    );
    let ours = MiniLm::load(&folder).expect("a model");
    let texts: Vec<_> =
        oracle.vectors.iter().map(|expected| Text::plain(expected.text.repeat(expected.times))).collect();
    for (embedding, expected) in ours.embed(&texts).iter().zip(&oracle.vectors) {
        let pairs = embedding.whole.iter().zip(&expected.vector);
        let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
        assert!(apart < APART, "{apart} apart on {:?}", expected.text);
        assert_eq!(embedding.whole.len(), expected.vector.len());
    }
    assert!(oracle.vectors.len() >= 9);
}
