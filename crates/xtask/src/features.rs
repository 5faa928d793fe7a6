//! Third-party crates that `cargo run` would compile otherwise than `cargo test`, and so a second time.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::Value;

/// One problem for each crate that the two commands do not share.
pub(crate) fn compiled_twice() -> anyhow::Result<Vec<String>> {
    let run = units(&["build", "--package", "preceptor"])?;
    let tests = units(&["test", "--no-run", "--workspace"])?;
    let problem = |unit: &String| {
        format!("`cargo run` compiles {unit}, and `cargo test` otherwise: name its features in Cargo.toml")
    };
    Ok(run.difference(&tests).map(problem).collect())
}

/// What cargo would compile for a command, as cargo itself plans it. `cargo tree` does not tell crates for the host from
/// crates for the target, and the plan is an unstable output, hence the variable.
fn units(command: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let mut cargo = crate::cargo::cargo();
    cargo.args(command).args(["--quiet", "--unit-graph", "-Zunstable-options"]).env("RUSTC_BOOTSTRAP", "1");
    let output = cargo.output().context("cargo cannot be started")?;
    anyhow::ensure!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
    Ok(third_party(&serde_json::from_slice(&output.stdout).context("cargo's plan is not JSON")?))
}

/// The crates of others in a plan: name, kind, features, optimization.
fn third_party(plan: &Value) -> BTreeSet<String> {
    let units = plan["units"].as_array().into_iter().flatten();
    let of_others = units.filter(|unit| !unit["pkg_id"].as_str().unwrap_or_default().starts_with("path+"));
    of_others
        .map(|unit| {
            let name = unit["pkg_id"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
            let (kind, mode) = (&unit["target"]["kind"], &unit["mode"]);
            format!(
                "{name} ({kind}, {mode}, level {}) with {}",
                unit["profile"]["opt_level"], unit["features"]
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn crates_of_others_are_told_by_their_features() {
        let unit = |id: &str, features: &[&str]| {
            json!({ "pkg_id": id, "mode": "build", "features": features, "target": { "kind": ["lib"] },
                "profile": { "opt_level": "1" } })
        };
        let plan = |features: &[&str]| {
            let own = unit("path+file:///a#preceptor@0.1.0", &[]);
            third_party(&json!({ "units": [own, unit("registry+x#tokio@1.54.1", features)] }))
        };
        assert_eq!(plan(&["net"]).len(), 1);
        assert_eq!(plan(&["net"]), plan(&["net"]));
        assert_ne!(plan(&["net"]), plan(&["net", "test-util"]));
    }
}
