//! Third-party crates that `cargo run` would compile with other features than `cargo test`, and so a second time.

use std::collections::BTreeSet;

use anyhow::Context as _;

/// One problem for each crate that the two commands do not share.
pub(crate) fn compiled_twice() -> anyhow::Result<Vec<String>> {
    let run = resolved(&["--package", "preceptor", "--edges", "normal,build"])?;
    let tests = resolved(&["--workspace", "--edges", "normal,build,dev"])?;
    let twice = run.difference(&tests);
    let problem = |krate: &String| {
        format!("`cargo run` compiles {krate}, and `cargo test` with other features: name them in Cargo.toml")
    };
    Ok(twice.map(problem).collect())
}

/// Every third-party crate with its version and features, as cargo resolves them for these packages.
fn resolved(packages: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let mut command = crate::cargo::cargo();
    command.args(["tree", "--quiet", "--prefix", "none", "--format", "{p} [{f}]"]).args(packages);
    let output = command.output().context("cargo cannot be started")?;
    anyhow::ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    Ok(crates(&String::from_utf8(output.stdout)?))
}

fn crates(tree: &str) -> BTreeSet<String> {
    // Our own crates have a path in brackets behind their version.
    let lines = tree.lines().filter(|line| !line.is_empty() && !line.contains("(/"));
    lines.map(|line| line.trim_end_matches(" (*)").replace(" (proc-macro)", "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_read_with_their_features() {
        let tree = "preceptor v0.1.0 (/a/b) []\ntokio v1.54.1 [fs,net]\nserde_derive v1.0.2 (proc-macro) [default] (*)\n\n";
        let expected = ["serde_derive v1.0.2 [default]", "tokio v1.54.1 [fs,net]"];
        assert_eq!(crates(tree), expected.map(str::to_owned).into());
    }
}
