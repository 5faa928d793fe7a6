//! Compiling everything once, with the lints on the way.
//!
//! `cargo clippy` compiles every dependency a second time, because it only checks. So the tests themselves are compiled
//! by `clippy-driver`, which is the compiler with lints: what it makes is run afterwards.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

/// What was compiled.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Warnings and errors.
    pub(crate) problems: usize,
    /// The product's binary.
    pub(crate) program: Option<PathBuf>,
}

/// Cargo, with the lints in the place of the compiler for our own crates. Fails where they are not installed.
pub(crate) fn linting() -> anyhow::Result<Command> {
    let found =
        Command::new("clippy-driver").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    anyhow::ensure!(
        found.is_ok_and(|status| status.success()),
        "clippy is not installed; get it with: rustup component add clippy"
    );
    let mut command = crate::cargo::cargo();
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    Ok(command)
}

/// Compiles all crates and their tests, and shows what compiler and lints say.
pub(crate) fn build() -> anyhow::Result<Built> {
    let mut command = linting()?;
    command.args(["test", "--workspace", "--no-run", "--message-format", "json-diagnostic-rendered-ansi"]);
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let mut built = Built::default();
    let output = child.stdout.take().context("cargo has no output")?;
    for line in BufReader::new(output).lines() {
        // What build scripts print is not JSON.
        if let Ok(message) = serde_json::from_str(&line?) {
            built.take(&message);
        }
    }
    if !child.wait()?.success() {
        built.problems = built.problems.max(1);
    }
    Ok(built)
}

impl Built {
    fn take(&mut self, message: &Value) {
        match message["reason"].as_str() {
            Some("compiler-message") => {
                let said = &message["message"];
                eprint!("{}", said["rendered"].as_str().unwrap_or_default());
                self.problems += usize::from(matches!(said["level"].as_str(), Some("warning" | "error")));
            }
            Some("compiler-artifact") => {
                let is_product =
                    message["target"]["name"] == "preceptor" && message["profile"]["test"] == false;
                let program = message["executable"].as_str().filter(|_| is_product);
                self.program = program.map(PathBuf::from).or(self.program.take());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn warnings_are_counted_and_the_product_is_found() {
        let mut built = Built::default();
        let said =
            |level| json!({ "reason": "compiler-message", "message": { "level": level, "rendered": "" } });
        for level in ["warning", "error", "note"] {
            built.take(&said(level));
        }
        let made = |name: &str, test: bool, path: Option<&str>| json!({ "reason": "compiler-artifact", "target": { "name": name }, "profile": { "test": test }, "executable": path });
        built.take(&made("preceptor", false, Some("/t/preceptor")));
        built.take(&made("preceptor", true, Some("/t/deps/preceptor-1")));
        built.take(&made("xtask", false, Some("/t/xtask")));
        built.take(&made("preceptor", false, None));
        assert_eq!(built.problems, 2);
        assert_eq!(built.program, Some(PathBuf::from("/t/preceptor")));
    }
}
