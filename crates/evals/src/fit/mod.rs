//! `cargo xtask fit`: every fitted number of the product, from the real sets, with cross-validated figures beside.

mod alignment;
mod gate;
mod kinds;
mod natural;
mod projection;
mod ranker;
mod rows;
mod sets;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use preceptor_answering::fitting::{FULL_FEATURES, Gate};
use preceptor_models::kinds::Kinds;
use preceptor_models::text::Analyzer;
use preceptor_models::{Embedder, LocalEmbedder, MiniLm};
use preceptor_retrieval::fitting::{Ranker, Tools};

use crate::data::{SETS, Set};
use crate::metrics::{Measures, Outcome, cell};
use rows::{Asked, Asker};

/// Where fitted weights are.
const RANKER: &str = "services/retrieval/src/domain/ranker.json";
const GATE: &str = "services/answering/src/domain/gate.json";
/// Folds of the cross-validation, by article or disease.
const FOLDS: usize = 5;
/// The threshold that the figures are printed for.
const THRESHOLD: f64 = 0.6;

/// What is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The classifier of kinds of clinical content, from our own wordings.
    Kinds,
    /// The ranker and all models of the gate.
    Search,
    /// The ranker stays; all models of the gate.
    Gate,
    /// The models of the gate that natural questions are for.
    Natural,
    /// The projection of words for late interaction. Only when it is named: everything else must be fitted anew behind it.
    Projection,
    /// Objectives.
    Alignment,
}

/// Fit weights on the real sets and write them into the services.
#[derive(Debug, Args)]
pub(crate) struct Fit {
    /// What; everything when left out.
    parts: Vec<Part>,
    /// The folder with `asks/`, `alignment/` and `natural/`.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// The folder of the embedding model.
    #[arg(long, default_value = ".preceptor/models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Print figures and write nothing.
    #[arg(long)]
    dry: bool,
}

impl Fit {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let model =
            MiniLm::load(&self.model).context("the model is needed: `preceptor models pull`, or --model")?;
        let embedder = LocalEmbedder::new(model);
        let wanted = |part| self.parts.is_empty() || self.parts.contains(&part);
        if wanted(Part::Kinds) {
            self.write("crates/models/assets/kinds.weights.json", &kinds::fit(&embedder).await?, false)?;
        }
        let kinds = if wanted(Part::Kinds) && !self.dry { read_kinds()? } else { Kinds::fitted()? };
        if self.parts.contains(&Part::Projection) {
            let projection = projection::fit(&self.judged()?, &embedder).await?;
            self.write_bytes("crates/models/assets/late.projection.bin", &projection)?;
        }
        if self.parts == [Part::Natural] {
            return self.natural(&embedder, &kinds).await;
        }
        if wanted(Part::Search) || wanted(Part::Gate) {
            self.search(&embedder, &kinds, wanted(Part::Search)).await?;
        }
        if wanted(Part::Alignment) {
            let weights = alignment::fit(&self.data, &embedder, &kinds).await?;
            self.write("services/alignment/src/domain/weights.json", &weights, true)?;
        }
        Ok(())
    }

    async fn search(&self, embedder: &dyn Embedder, kinds: &Kinds, with_ranker: bool) -> anyhow::Result<()> {
        let judged = self.judged()?;
        let mut sets = sets::made(&judged);
        sets.splice(0..0, judged);
        let analyzer = Analyzer::default();

        let with_model = ask_all(&sets, Some(embedder), kinds, &analyzer).await?;
        let all: Vec<&Asked> = with_model.iter().collect();
        let (ranker, ranker_folds) = if with_ranker {
            let folds: Vec<Ranker> = (0..FOLDS)
                .map(|fold| {
                    ranker::fit(&all.iter().filter(|row| row.fold != fold).copied().collect::<Vec<_>>())
                })
                .collect();
            (ranker::fit(&all), folds)
        } else {
            let known: Ranker = serde_json::from_str(&std::fs::read_to_string(RANKER)?)?;
            (known.clone(), vec![known; FOLDS])
        };
        println!(
            "with the model: hit@1 / AUROC / right@5% / ECE, cross-validated by article or disease (fitted)"
        );
        let full = fit_gate(&with_model, &ranker, &ranker_folds, &FULL_FEATURES);

        let without = ask_all(&sets, None, kinds, &analyzer).await?;
        println!("without a model");
        let lexical =
            fit_gate(&without, &ranker, &ranker_folds, &preceptor_answering::fitting::LEXICAL_FEATURES);
        let tools = Tools { embedder: Some(embedder), kinds, analyzer: &analyzer };
        let natural::Models { documents, topic } =
            natural::fit(&self.data.join("natural"), &tools, &ranker).await?;
        if with_ranker {
            self.write(RANKER, &ranker, true)?;
        }
        self.write(GATE, &Gate { full, lexical, documents, topic }, true)
    }

    /// The models that natural questions are for; the others stay.
    async fn natural(&self, embedder: &dyn Embedder, kinds: &Kinds) -> anyhow::Result<()> {
        let ranker: Ranker = serde_json::from_str(&std::fs::read_to_string(RANKER)?)?;
        let known: Gate = serde_json::from_str(&std::fs::read_to_string(GATE)?)?;
        let analyzer = Analyzer::default();
        let tools = Tools { embedder: Some(embedder), kinds, analyzer: &analyzer };
        let natural::Models { documents, topic } =
            natural::fit(&self.data.join("natural"), &tools, &ranker).await?;
        self.write(GATE, &Gate { documents, topic, ..known }, true)
    }

    fn judged(&self) -> anyhow::Result<Vec<Set>> {
        SETS.iter().map(|name| Set::read(&self.data, name)).collect()
    }

    fn write_bytes(&self, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
        if self.dry {
            return Ok(());
        }
        std::fs::write(Path::new(path), bytes)
            .with_context(|| format!("{path} cannot be written; run this in the project's folder"))?;
        println!("wrote {path}; build anew, then fit the others");
        Ok(())
    }

    fn write(&self, path: &str, value: &impl serde::Serialize, pretty: bool) -> anyhow::Result<()> {
        if self.dry {
            return Ok(());
        }
        let text =
            if pretty { serde_json::to_string_pretty(value)? + "\n" } else { serde_json::to_string(value)? };
        std::fs::write(Path::new(path), text)
            .with_context(|| format!("{path} cannot be written; run this in the project's folder"))?;
        println!("wrote {path}");
        Ok(())
    }
}

fn read_kinds() -> anyhow::Result<Kinds> {
    Ok(serde_json::from_str(&std::fs::read_to_string("crates/models/assets/kinds.weights.json")?)?)
}

async fn ask_all(
    sets: &[Set],
    embedder: Option<&dyn Embedder>,
    kinds: &Kinds,
    analyzer: &Analyzer,
) -> anyhow::Result<Vec<Asked>> {
    let mut asker = Asker { embedder, kinds, analyzer, known: HashMap::new() };
    let mut asked = Vec::new();
    for set in sets {
        eprintln!("asking {} ({} questions)", set.name, set.questions.len());
        asked.extend(asker.ask(set).await?);
    }
    Ok(asked)
}

/// Fits a gate and prints the figures.
fn fit_gate(
    rows: &[Asked],
    ranker: &Ranker,
    ranker_folds: &[Ranker],
    names: &[&str],
) -> preceptor_models::logistic::Logistic {
    let fitted = gate::fit(&rows.iter().map(|row| (row, ranker)).collect::<Vec<_>>(), names);
    let folds: Vec<_> = (0..FOLDS)
        .map(|fold| {
            let others: Vec<_> =
                rows.iter().filter(|row| row.fold != fold).map(|row| (row, &ranker_folds[fold])).collect();
            gate::fit(&others, names)
        })
        .collect();
    let confidence = |row: &Asked, model: &preceptor_models::logistic::Logistic, ranker: &Ranker| {
        gate::features(row, ranker, names).map_or(0.0, |features| model.probability(&features))
    };
    let crossed: Vec<Outcome> = rows
        .iter()
        .map(|row| {
            row.outcome(
                &ranker_folds[row.fold],
                confidence(row, &folds[row.fold], &ranker_folds[row.fold]),
                THRESHOLD,
            )
        })
        .collect();
    let own: Vec<Outcome> =
        rows.iter().map(|row| row.outcome(ranker, confidence(row, &fitted, ranker), THRESHOLD)).collect();
    print_figures(&crossed, &own);
    fitted
}

fn print_figures(crossed: &[Outcome], own: &[Outcome]) {
    let mut names: Vec<(String, String)> = Vec::new();
    for outcome in crossed {
        for variant in [outcome.variant.clone(), "all".to_owned()] {
            let name = (outcome.set.clone(), variant);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort();
    for (set, variant) in names {
        let of = |outcomes: &[Outcome]| {
            Measures::of(
                outcomes
                    .iter()
                    .filter(|outcome| outcome.set == set && (variant == "all" || outcome.variant == variant)),
            )
        };
        let show = |m: Measures| {
            let answered = format!("{:.3}/{}", m.right, cell(m.wrong));
            format!(
                "{:.3} / {} / {} / {}  right/wrong {answered}",
                m.hit1,
                cell(m.auroc),
                cell(m.right5),
                cell(m.ece)
            )
        };
        println!("  {:26} {}   ({})", format!("{set}, {variant}"), show(of(crossed)), show(of(own)));
    }
}
