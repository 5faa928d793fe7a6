//! `cargo xtask test`: every test, counted.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use clap::Args;
use preceptor_testkit::{MODEL, SKIP_LOG};

use crate::build;

/// Where `preceptor models pull` puts it.
const MODEL_FOLDER: &str = ".preceptor/models/all-MiniLM-L6-v2";

/// Run every check and test; print how many ran, failed and were skipped.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Leave out the checks of the source (formatting, lints, architecture).
    #[arg(long)]
    only_tests: bool,
    /// Handed to `cargo test`, for instance `-p preceptor-store`.
    #[arg(last = true)]
    cargo: Vec<String>,
}

/// What became of the tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        crate::infra::install();
        let built = if self.only_tests { build::build()? } else { crate::check::run()? };
        let model = built.program.as_deref().and_then(model);
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("skips");
        let (counts, ran) = cargo_test(&self.cargo, &log, model.as_deref())?;
        let skips = std::fs::read_to_string(&log).unwrap_or_default();
        println!(
            "\ntests: {} ran, {} failed, {} skipped",
            counts.passed + counts.failed,
            counts.failed,
            skips.lines().count() + counts.ignored
        );
        for skip in skips.lines() {
            println!("  skipped {skip}");
        }
        anyhow::ensure!(ran && counts.failed == 0, "{} tests failed", counts.failed.max(1));
        anyhow::ensure!(counts.passed > 0, "no test ran");
        Ok(())
    }
}

/// The embedding model, pulled when it is not here. Without it the tests that need it are skipped and counted.
fn model(program: &Path) -> Option<PathBuf> {
    let pulled = Command::new(program).args(["models", "pull"]).status();
    if !pulled.is_ok_and(|status| status.success()) {
        eprintln!("the embedding model could not be pulled");
        return None;
    }
    std::path::absolute(MODEL_FOLDER).ok().filter(|folder| folder.is_dir())
}

fn cargo_test(arguments: &[String], log: &Path, model: Option<&Path>) -> anyhow::Result<(Counts, bool)> {
    let mut command = build::linting()?;
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(arguments)
        .env(SKIP_LOG, log)
        .stdout(Stdio::piped());
    if let Some(model) = model {
        command.env(MODEL, model);
    }
    let mut child = command.spawn().context("cargo cannot be started")?;
    let mut counts = Counts::default();
    let output = child.stdout.take().context("cargo has no output")?;
    for line in std::io::BufRead::lines(std::io::BufReader::new(output)) {
        let line = line?;
        println!("{line}");
        add(&mut counts, &line);
    }
    Ok((counts, child.wait()?.success()))
}

/// Adds a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn add(counts: &mut Counts, line: &str) {
    let Some(result) = line.strip_prefix("test result: ") else { return };
    let number = |what: &str| -> usize {
        let before = result.split(&format!(" {what}")).next().unwrap_or_default();
        before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    counts.passed += number("passed");
    counts.failed += number("failed");
    counts.ignored += number("ignored");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut counts = Counts::default();
        add(
            &mut counts,
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        add(&mut counts, "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        add(&mut counts, "running 5 tests");
        assert_eq!(counts, Counts { passed: 15, failed: 2, ignored: 1 });
    }
}
