//! Our forward pass against candle's, on the same weights.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use preceptor_models::{MOST_TOKENS, MiniLm, Text};
use preceptor_testkit::model;
use tokenizers::{Tokenizer, TruncationParams};

/// Short, long, empty, foreign, with numbers: what learners and sources write.
const TEXTS: [&str; 9] = [
    "Hello",
    "",
    "What is the usual starting dose of warfarin?",
    "Stop warfarin when the INR is above 10 and give 5 mg of vitamin K by mouth; repeat after 24 h.",
    "¿Cuál es el tratamiento de la insuficiencia cardíaca en el anciano?",
    "β-blockers, ACE inhibitors & SGLT2 inhibitors (e.g. 10 mg/day)",
    "METHODS: We randomised 1 234 patients (62 % women) to 5 mg or placebo between 2014-05-12 and 2015-03-01.",
    "A sentence that goes on for long enough to fill the window of the model when it is repeated many times over.",
    "日本語の文章",
];

struct Oracle {
    model: BertModel,
    tokenizer: Tokenizer,
}

impl Oracle {
    fn load(folder: &Path) -> Self {
        let config: Config =
            serde_json::from_slice(&std::fs::read(folder.join("config.json")).expect("a config"))
                .expect("JSON");
        let weights =
            candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).expect("weights");
        let weights = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        let mut tokenizer = Tokenizer::from_file(folder.join("tokenizer.json")).expect("a tokenizer");
        let truncation = TruncationParams { max_length: MOST_TOKENS, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation)).expect("a truncation");
        Self { model: BertModel::load(weights, &config).expect("a model"), tokenizer }
    }

    /// The mean over all tokens, at length 1.
    fn embed(&self, text: &str) -> Vec<f32> {
        let tokens = self.tokenizer.encode(text, true).expect("tokens");
        let ids = Tensor::new(tokens.get_ids(), &Device::Cpu).and_then(|ids| ids.unsqueeze(0)).expect("ids");
        let hidden =
            self.model.forward(&ids, &ids.zeros_like().expect("types"), None).expect("a forward pass");
        let mean: Vec<f32> =
            hidden.mean(1).and_then(|mean| mean.squeeze(0)).and_then(|mean| mean.to_vec1()).expect("a mean");
        let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
        mean.into_iter().map(|value| value / length).collect()
    }
}

#[test]
fn vectors_are_those_of_candle() {
    let Some(folder) = model("models oracle") else { return };
    let (ours, oracle) = (MiniLm::load(&folder).expect("a model"), Oracle::load(&folder));
    let long = TEXTS[7].repeat(20);
    let texts: Vec<&str> = TEXTS.iter().copied().chain([long.as_str()]).collect();
    let batch = ours.embed(&texts.iter().map(|text| Text::plain(*text)).collect::<Vec<_>>());
    for (text, embedding) in texts.iter().zip(batch) {
        let expected = oracle.embed(text);
        let apart = embedding.whole.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
        assert!(apart < 1e-4, "{apart} apart on {text:?}");
    }
}
