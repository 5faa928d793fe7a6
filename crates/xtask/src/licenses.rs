//! Third-party crates whose license or origin `deny.toml` does not allow.
//!
//! `cargo deny` reads the same file and looks at more (advisories, whose database it pulls); this is the part of it that
//! needs nothing but cargo, so that it runs wherever the tests do.

use anyhow::Context as _;
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

/// Where crates may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// One problem for each crate that may not be linked.
pub(crate) fn refused() -> anyhow::Result<Vec<String>> {
    let rules: toml::Table = std::fs::read_to_string("deny.toml")?.parse()?;
    let allowed = allowed(&rules)?;
    let mut cargo = crate::cargo::cargo();
    let output =
        cargo.args(["metadata", "--format-version", "1"]).output().context("cargo cannot be started")?;
    anyhow::ensure!(output.status.success(), "cargo: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo's metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    // Our own crates have no source.
    let of_others = packages.iter().filter(|package| package["source"].is_string());
    Ok(of_others.filter_map(|package| problem(package, &allowed)).collect())
}

/// The licenses that `deny.toml` allows.
fn allowed(rules: &toml::Table) -> anyhow::Result<Vec<Licensee>> {
    let listed = rules.get("licenses").and_then(|licenses| licenses.get("allow")?.as_array());
    let names = listed.context("deny.toml allows no license")?.iter().filter_map(toml::Value::as_str);
    names.map(|name| Licensee::parse(name).with_context(|| format!("deny.toml: {name}"))).collect()
}

/// What is wrong with a crate, if anything is.
fn problem(package: &Value, allowed: &[Licensee]) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let (license, source) = (package["license"].as_str().unwrap_or_default(), package["source"].as_str()?);
    if source != REGISTRY {
        return Some(format!("deny.toml: {name} comes from {source}"));
    }
    let fits = |expression: Expression| {
        expression.evaluate(|needed| allowed.iter().any(|license| license.satisfies(needed)))
    };
    let may_be_linked = Expression::parse_mode(license, ParseMode::LAX).is_ok_and(fits);
    (!may_be_linked).then(|| format!("deny.toml: the license of {name} ({license}) is not allowed"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_license_that_is_not_listed_is_refused_unless_another_may_be_chosen() {
        let rules: toml::Table =
            "[licenses]\nallow = ['MIT', 'Apache-2.0', 'Unicode-3.0']".parse().expect("TOML");
        let allowed = allowed(&rules).expect("licenses");
        let of = |license: Option<&str>, source: &str| {
            problem(&json!({ "name": "a", "license": license, "source": source }), &allowed)
        };
        for fine in ["MIT", "MIT/Apache-2.0", "Apache-2.0 OR GPL-2.0-only", "(MIT OR Zlib) AND Unicode-3.0"] {
            assert_eq!(of(Some(fine), REGISTRY), None, "{fine}");
        }
        for wrong in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "My own", ""] {
            assert!(of(Some(wrong), REGISTRY).is_some(), "{wrong}");
        }
        assert!(of(None, REGISTRY).is_some(), "no license");
        assert!(of(Some("MIT"), "git+https://example.org/a").is_some(), "another source");
    }
}
