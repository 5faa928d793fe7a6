//! `cargo xtask eval`: the mesh on a temporary folder, asked the real questions through the public API.

mod align;
mod ask;
mod floors;
mod items;
mod local;
mod natural;
mod phi;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::data::SETS;

/// Measure answers and classifications on real questions.
#[derive(Debug, Subcommand)]
pub(crate) enum Eval {
    /// Ask the questions of one set and write the answers as `score.py` reads them.
    Ask(AskFiles),
    /// Classify the messages of one set and write the objectives as `score.py` reads them.
    Align(AlignFiles),
    /// Make quiz items from real sources, print them beside their passages, and check them by rule.
    Items(ItemOptions),
    /// Ask natural questions about programs made of files and print the table of `score_natural.py`.
    Natural(NaturalOptions),
    /// Measure the guard of free text: recall by kind of identifier, false alarms by set.
    Phi(PhiOptions),
    /// Run all sets of a data folder and print one table beside the floors.
    All(All),
}

/// Which items.
#[derive(Debug, Args)]
pub(crate) struct ItemOptions {
    /// The folder with `asks/` and `course/`.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// How many.
    #[arg(long, default_value_t = 200)]
    count: usize,
    #[command(flatten)]
    options: Options,
}

/// Where the natural questions are.
#[derive(Debug, Args)]
pub(crate) struct NaturalOptions {
    /// The folder with `programs.jsonl` and `questions.jsonl`.
    #[arg(long, default_value = "../shared/data/natural")]
    data: PathBuf,
    /// Where the answers are kept as `score_natural.py` reads them; nowhere when left out.
    #[arg(long)]
    answers: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// Where the labeled texts are.
#[derive(Debug, Args)]
pub(crate) struct PhiOptions {
    /// The folder with `phi/`, `natural/` and `asks/`.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Prints every text that was judged wrongly as well. The texts are invented.
    #[arg(long)]
    wrong: bool,
}

/// The files of a set.
#[derive(Debug, Args)]
pub(crate) struct AskFiles {
    /// Programs with their sources, JSONL.
    #[arg(long)]
    programs: PathBuf,
    /// Questions, JSONL.
    #[arg(long)]
    questions: PathBuf,
    /// Where the answers go, JSONL.
    #[arg(long)]
    answers: PathBuf,
    #[command(flatten)]
    options: Options,
}

/// The files of an alignment set.
#[derive(Debug, Args)]
pub(crate) struct AlignFiles {
    /// Messages with their programs' objectives, JSONL.
    #[arg(long)]
    alignment: PathBuf,
    /// Programs with their sources, JSONL.
    #[arg(long)]
    programs: PathBuf,
    /// Where the predictions go, JSONL.
    #[arg(long)]
    predictions: PathBuf,
    #[command(flatten)]
    options: Options,
}

/// All sets of a folder.
#[derive(Debug, Args)]
pub(crate) struct All {
    /// The folder with `asks/` and `alignment/`.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Where answers and predictions are kept; nowhere when left out.
    #[arg(long)]
    keep: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// How it is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// The folder of the embedding model; the usual places, and a pull, when left out.
    #[arg(long)]
    model_dir: Option<PathBuf>,
    /// Measure without an embedding model.
    #[arg(long)]
    no_model: bool,
}

impl Eval {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Ask(files) => {
                let answers = ask::run(&files.programs, &files.questions, &files.options).await?;
                ask::write(&files.answers, &answers)?;
                floors::print_set("", &ask::outcomes("", &answers));
                Ok(())
            }
            Self::Align(files) => {
                let predictions = align::run(&files.alignment, &files.programs, &files.options).await?;
                align::write(&files.predictions, &predictions)?;
                align::print(&predictions);
                Ok(())
            }
            Self::Items(options) => items::run(&options).await,
            Self::Natural(options) => natural::run(&options).await,
            Self::Phi(options) => {
                let below = phi::run(&options.data, options.wrong)?;
                anyhow::ensure!(below == 0, "{below} figures are on the wrong side of their bar");
                println!("Every figure is on the right side of its bar.");
                Ok(())
            }
            Self::All(all) => all.run().await,
        }
    }
}

impl All {
    async fn run(self) -> anyhow::Result<()> {
        let asks = |name: &str, kind: &str| self.data.join("asks").join(format!("{name}.{kind}.jsonl"));
        let kept = |name: String| self.keep.as_ref().map(|folder| folder.join(name));
        if let Some(folder) = &self.keep {
            std::fs::create_dir_all(folder)?;
        }
        let mut below = phi::run(&self.data, false)?;
        for name in SETS {
            let answers = ask::run(&asks(name, "programs"), &asks(name, "questions"), &self.options).await?;
            if let Some(path) = kept(format!("{name}.answers.jsonl")) {
                ask::write(&path, &answers)?;
            }
            below += floors::print_set(name, &ask::outcomes(name, &answers));
        }
        let alignment = self.data.join("alignment");
        let predictions = align::run(
            &alignment.join("alignment_dev.jsonl"),
            &alignment.join("alignment_programs_dev.jsonl"),
            &self.options,
        )
        .await?;
        if let Some(path) = kept("predictions.jsonl".to_owned()) {
            align::write(&path, &predictions)?;
        }
        below += align::print(&predictions);
        anyhow::ensure!(below == 0, "{below} figures are below their bar");
        println!("Every figure is at or above its bar.");
        Ok(())
    }
}
