//! Developer tasks: `cargo xtask --help`.

mod data;
mod eval;
mod fit;
mod metrics;
mod optimise;

use clap::{Parser, Subcommand};

/// Developer tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fit weights on the real sets.
    Fit(fit::Fit),
    /// Measure on the real sets.
    #[command(subcommand)]
    Eval(eval::Eval),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Fit(task) => task.run().await,
        Task::Eval(task) => task.run().await,
    }
}
