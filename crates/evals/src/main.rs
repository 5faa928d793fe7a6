//! `cargo xtask eval` and `cargo xtask fit`: the product on the real sets.

mod data;
mod eval;
mod fit;
mod metrics;
mod natural;
mod optimize;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Fitting and measuring on the real sets.
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

fn main() -> anyhow::Result<ExitCode> {
    if let Some(code) = preceptor::worker::run_if_asked() {
        return Ok(code);
    }
    tokio::runtime::Runtime::new()?.block_on(run())?;
    Ok(ExitCode::SUCCESS)
}

async fn run() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Fit(task) => task.run().await,
        Task::Eval(task) => task.run().await,
    }
}
