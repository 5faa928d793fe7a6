//! Developer tasks: `cargo xtask --help`.

mod build;
mod cargo;
mod check;
mod features;
mod infra;
mod licenses;
mod size;
mod test;
mod unused;
mod words;

use clap::{Args, Parser, Subcommand};

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
    /// Fit weights on the real sets; `cargo xtask fit --help` says which.
    #[command(disable_help_flag = true)]
    Fit(Rest),
    /// Install and start the real servers that tests use.
    #[command(subcommand)]
    Infra(infra::Infra),
    /// Measure on the real sets; `cargo xtask eval --help` says what.
    #[command(disable_help_flag = true)]
    Eval(Rest),
}

/// Arguments that another program reads.
#[derive(Debug, Args)]
struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Test(task) => task.run(),
        Task::Check => check::run().map(drop),
        Task::Size => size::run(),
        Task::Fit(rest) => evals("fit", &rest),
        Task::Infra(task) => task.run(),
        Task::Eval(rest) => evals("eval", &rest),
    }
}

/// Runs a task that needs the whole mesh, and so a program of its own.
fn evals(task: &str, rest: &Rest) -> anyhow::Result<()> {
    let mut command = cargo::cargo();
    command.args(["run", "--quiet", "--package", "preceptor-evals", "--", task]).args(&rest.arguments);
    let status = command.status()?;
    anyhow::ensure!(status.success(), "cargo xtask {task} ended with {status}");
    Ok(())
}
