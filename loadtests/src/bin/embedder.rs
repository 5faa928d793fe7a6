//! Speed of the bare embedder: passages per second and the latency of one question.
//!
//! The output is one JSON line in the form of the onnxruntime baseline, so that both can be put side by side.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use preceptor_loadtests::median_time;
use preceptor_models::{MiniLm, Text};

/// Measures the bare embedder.
#[derive(Debug, Parser)]
struct Options {
    /// Folder of the model.
    #[arg(long)]
    model_dir: PathBuf,
    /// A file with one text a line.
    texts: PathBuf,
    /// Writes the vectors there, one JSON array a line.
    #[arg(long)]
    vectors: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let model = MiniLm::load(&options.model_dir)?;
    let content = std::fs::read_to_string(&options.texts)?;
    let texts: Vec<_> = content.lines().filter(|line| !line.trim().is_empty()).map(Text::plain).collect();

    model.embed(&texts[..texts.len().min(8)]);
    let started = Instant::now();
    let embedded = model.embed(&texts);
    let seconds = started.elapsed().as_secs_f64();

    let question = [Text::plain("does knee arthroplasty improve muscle strength in older adults")];
    model.embed(&question);
    let query = median_time(101, || {
        std::hint::black_box(model.embed(&question));
    });
    println!(
        "{}",
        serde_json::json!({
            "passages": texts.len(),
            "passages_per_s": (texts.len() as f64 / seconds * 10.0).round() / 10.0,
            "query_ms": (query.as_secs_f64() * 1e5).round() / 100.0,
        })
    );
    if let Some(path) = options.vectors {
        let lines: Vec<_> = embedded
            .iter()
            .map(|embedding| serde_json::to_string(&embedding.whole))
            .collect::<Result<_, _>>()?;
        std::fs::write(path, lines.join("\n"))?;
    }
    Ok(())
}
