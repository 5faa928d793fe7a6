//! Speed of the whole against its bare parts, in one process and one run: what the mesh adds to an embedding and a search,
//! and to the embedder's batch rate.
//!
//! Prints one JSON line per figure with both measurements and their ratio, and fails below a promise. Absolute times
//! depend on the machine; the ratios are what is promised.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use preceptor::client::{Upload, id};
use preceptor_core::id::{AppId, OrgId, PassageId, ProgramId, ProgramVersionId};
use preceptor_extract::{PassageText, passages_of_sections};
use preceptor_loadtests::corpus::{Corpus, corpus};
use preceptor_models::text::{Analyzer, count};
use preceptor_models::{Embedder, LocalEmbedder, MiniLm, Text};
use preceptor_testkit::Local;
use preceptor_vector::{Edge, Point, Query, SparseVector, VectorIndex, VersionKeys, point_id};
use serde_json::{Value, json};

/// Uploads that are under way at the same time.
const UPLOADS: usize = 8;
/// Of the program that is made when none is named.
const SEED: u64 = 11;
/// Passages ingested in a second, against the embedder's batch rate.
const INGESTION: Promise = Promise::AtLeast(0.75);
/// The median time of a question, against one embedding and one search of the engine.
const ASK: Promise = Promise::AtMost(1.3);
/// Candidates per list, as search asks for.
const CANDIDATES: usize = 50;
/// The names of the index's vectors.
const DENSE: &str = "passage";
const SPARSE: &str = "terms";

/// Measures the whole against its bare parts.
#[derive(Debug, Parser)]
struct Options {
    /// The folder of the embedding model.
    #[arg(long, default_value = ".preceptor/models/all-MiniLM-L6-v2")]
    model_dir: PathBuf,
    /// A set of programs and questions (`SET.programs.jsonl` and `SET.questions.jsonl`) in place of the one that the
    /// benchmark makes itself.
    #[arg(long)]
    set: Option<PathBuf>,
    /// Sources of the first program that are loaded.
    #[arg(long, default_value_t = 150)]
    sources: usize,
    /// Questions that are asked.
    #[arg(long, default_value_t = 150)]
    questions: usize,
}

fn lines(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read; name a set with --set", path.display()))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn with_suffix(set: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}.jsonl", set.display()))
}

/// A source as a file that ingestion reads.
fn document(source: &Value) -> anyhow::Result<Vec<u8>> {
    let part = |passage: &Value| json!({ "heading": passage["section"], "text": passage["text"] });
    let sections: Vec<Value> = source["passages"].as_array().into_iter().flatten().map(part).collect();
    Ok(serde_json::to_vec(&json!({ "title": "", "sections": sections }))?)
}

/// The first program of a set, and questions about it.
fn read(set: &Path, sources: usize, questions: usize) -> anyhow::Result<Corpus> {
    let programs = lines(&with_suffix(set, "programs"))?;
    let program = programs.first().context("the set has no program")?;
    let documents = program["sources"]
        .as_array()
        .into_iter()
        .flatten()
        .take(sources)
        .map(document)
        .collect::<Result<_, _>>()?;
    let questions = lines(&with_suffix(set, "questions"))?
        .iter()
        .filter(|question| question["program"] == program["program"] && question["variant"] == "written")
        .take(questions)
        .map(|question| question["question"].as_str().unwrap_or_default().to_owned())
        .collect();
    Ok(Corpus { documents, questions })
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// What a figure is promised to be.
#[derive(Debug, Clone, Copy)]
enum Promise {
    AtLeast(f64),
    AtMost(f64),
}

impl Promise {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(least) => ratio >= least,
            Self::AtMost(most) => ratio <= most,
        }
    }
}

impl std::fmt::Display for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "ratio >= {least}"),
            Self::AtMost(most) => write!(f, "ratio <= {most}"),
        }
    }
}

/// Prints a figure; says whether it is what was promised.
fn report(what: &str, whole: f64, bare: f64, unit: &str, promise: Promise) -> bool {
    let ratio = whole / bare;
    let rounded = (ratio * 1000.0).round() / 1000.0;
    println!(
        "{}",
        json!({ "figure": what, "whole": whole, "bare": bare, "unit": unit, "ratio": rounded, "promise": promise.to_string() })
    );
    promise.holds(ratio)
}

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = preceptor::worker::run_if_asked() {
        return Ok(code);
    }
    let kept = tokio::runtime::Runtime::new()?.block_on(run())?;
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures everything; says whether all promises are kept.
async fn run() -> anyhow::Result<bool> {
    let options = Options::parse();
    let Corpus { documents, questions } = match &options.set {
        Some(set) => read(set, options.sources, options.questions)?,
        None => corpus(options.sources, options.questions, SEED),
    };
    let passages: Vec<PassageText> = documents
        .iter()
        .map(|document| passages_of_sections(document).map_err(anyhow::Error::msg))
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    let embedder: Arc<dyn Embedder> = Arc::new(LocalEmbedder::new(MiniLm::load(&options.model_dir)?));

    let begun = Instant::now();
    let embedded = embedder
        .embed(
            passages
                .iter()
                .map(|passage| Text::plain(format!("{}. {}", passage.heading, passage.text)))
                .collect(),
        )
        .await?;
    let bare_rate = passages.len() as f64 / begun.elapsed().as_secs_f64();

    let local = Local::start(Some(options.model_dir.clone())).await?;
    let begun = Instant::now();
    let id = publish(&local, documents).await?;
    let ingests = report(
        "ingestion",
        passages.len() as f64 / begun.elapsed().as_secs_f64(),
        bare_rate,
        "passages/s",
        INGESTION,
    );

    let bare =
        Bare::build(&passages, embedded.into_iter().map(|embedding| embedding.whole).collect()).await?;
    let learner = local.learner(&id, "learner").await?;
    let (mut asks, mut parts) = (Vec::new(), Vec::new());
    for question in &questions {
        // A question that was embedded a moment ago would come from memory: each side embeds a wording of its own.
        let begun = Instant::now();
        let vector = embedder.embed(vec![Text::plain(format!("{question} "))]).await?.remove(0).whole;
        bare.search(vector, question).await?;
        parts.push(begun.elapsed());
        let begun = Instant::now();
        learner.ask(&id, question).await?;
        asks.push(begun.elapsed());
    }
    let answers = report("ask, p50", median(asks) * 1000.0, median(parts) * 1000.0, "ms", ASK);
    local.stop().await;
    Ok(ingests && answers)
}

/// Uploads, reviews and publishes the documents as one program, several at a time, as an importer would.
async fn publish(local: &Local, documents: Vec<Vec<u8>>) -> anyhow::Result<String> {
    let program = id(&local.editor.post("/v1/programs", &json!({ "title": "Ratios" })).await?, "id")?;
    let upload = |(number, content)| {
        let (editor, reviewer, program) = (&local.editor, &local.reviewer, program.as_str());
        async move {
            editor
                .add_source(
                    reviewer,
                    program,
                    Upload { name: format!("{number}.json"), content, ..Upload::default() },
                    "measured",
                )
                .await
        }
    };
    stream::iter(documents.into_iter().enumerate())
        .map(upload)
        .buffered(UPLOADS)
        .try_collect::<Vec<_>>()
        .await?;
    local.editor.post(&format!("/v1/programs/{program}/publish"), &json!({ "reason": "measured" })).await?;
    local.editor.wait_for_publication(&program, |_| {}).await?;
    Ok(program)
}

/// An index of the same passages, without anything around it.
struct Bare {
    index: Edge,
    keys: VersionKeys,
    analyzer: Analyzer,
    _folder: tempfile::TempDir,
}

impl Bare {
    async fn build(passages: &[PassageText], vectors: Vec<Vec<f32>>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = VersionKeys {
            org: OrgId::generate(),
            app: AppId::generate(),
            program: ProgramId::generate(),
            version: ProgramVersionId::generate(),
        };
        let bare = Self {
            index: Edge::new(folder.path().to_owned(), preceptor_retrieval::LAYOUT),
            keys,
            analyzer: Analyzer::default(),
            _folder: folder,
        };
        let point = |(passage, vector): (&PassageText, Vec<f32>)| Point {
            id: point_id(keys.version, PassageId::generate()),
            dense: vec![(DENSE, vector)],
            sparse: vec![(SPARSE, bare.terms(&passage.text))],
        };
        bare.index.upsert(keys, passages.iter().zip(vectors).map(point).collect()).await?;
        bare.index.flush(keys.org).await?;
        Ok(bare)
    }

    /// Term counts under numbers that the terms' letters give.
    fn terms(&self, text: &str) -> SparseVector {
        let number = |term: &str| {
            term.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
                % 1_000_000
        };
        let counted: std::collections::BTreeMap<u32, f32> = count(self.analyzer.terms(text))
            .into_iter()
            .map(|(term, count)| (number(&term), count as f32))
            .collect();
        counted.into_iter().collect()
    }

    async fn search(&self, vector: Vec<f32>, question: &str) -> anyhow::Result<()> {
        let queries = vec![
            Query::Dense { name: DENSE, vector, limit: CANDIDATES },
            Query::Sparse { name: SPARSE, vector: self.terms(question), limit: CANDIDATES },
        ];
        std::hint::black_box(self.index.search(self.keys, queries).await?);
        Ok(())
    }
}
