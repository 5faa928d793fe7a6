//! Developer tasks: `cargo xtask --help`.

mod cargo;
mod check;
mod data;
mod eval;
mod features;
mod fit;
mod infra;
mod metrics;
mod optimise;
mod size;
mod test;
mod unused;

use std::process::ExitCode;

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
    /// Run every check and test; print how many ran, failed and were skipped.
    Test(test::Test),
    /// Check what the compiler does not refuse: architecture, contracts, formatting, lints.
    Check,
    /// Print how large files and functions are; fail when they are too large.
    Size,
    /// Fit weights on the real sets.
    Fit(fit::Fit),
    /// Install and start the real servers that tests use.
    #[command(subcommand)]
    Infra(infra::Infra),
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
        Task::Test(task) => task.run().await,
        Task::Check => check::run(),
        Task::Size => size::run(),
        Task::Fit(task) => task.run().await,
        Task::Infra(task) => task.run().await,
        Task::Eval(task) => task.run().await,
    }
}
