//! Dependencies that a manifest names and no source file of its crate uses.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::check::rust_files;

/// What generated code needs, which is in no source file.
const USED_BY_GENERATED_CODE: [&str; 4] = ["prost", "prost-types", "tonic", "tonic-prost"];

/// Where the code of a kind of dependency may be, within a crate.
const KINDS: [(&str, &[&str]); 3] = [
    ("dependencies", &["src"]),
    ("dev-dependencies", &["src", "tests", "benches", "examples"]),
    ("build-dependencies", &["build.rs"]),
];

/// One problem for each unused dependency of the crates in these folders, and of the workspace's own table.
pub(crate) fn dependencies(folders: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut named = String::new();
    for folder in folders {
        let text = std::fs::read_to_string(folder.join("Cargo.toml"))
            .with_context(|| format!("{} has no manifest", folder.display()))?;
        let manifest: toml::Table = text.parse()?;
        named.push_str(&text);
        for (kind, places) in KINDS {
            let Some(table) = manifest.get(kind).and_then(toml::Value::as_table) else { continue };
            let code = code(folder, places)?;
            let unused = table.iter().filter(|(name, entry)| !is_for_features(entry) && !uses(&code, name));
            problems.extend(unused.map(|(name, _)| format!("{}: {name} is not used", folder.display())));
        }
    }
    let workspace: toml::Table = std::fs::read_to_string("Cargo.toml")?.parse()?;
    let table = workspace["workspace"].get("dependencies").and_then(toml::Value::as_table);
    let unnamed = table.into_iter().flat_map(toml::Table::keys).filter(|name| !names(&named, name));
    problems.extend(unnamed.map(|name| format!("Cargo.toml: no crate depends on {name}")));
    Ok(problems)
}

/// Whether a dependency may be there for what it turns on in others.
fn is_for_features(entry: &toml::Value) -> bool {
    entry.get("features").is_some()
}

/// All Rust code in these places of a crate.
fn code(folder: &Path, places: &[&str]) -> anyhow::Result<String> {
    let mut code = String::new();
    for place in places.iter().map(|place| folder.join(place)) {
        if place.is_file() {
            code.push_str(&std::fs::read_to_string(&place)?);
        } else if place.is_dir() {
            for file in rust_files(&[&place.to_string_lossy()])? {
                code.push_str(&std::fs::read_to_string(file)?);
            }
        }
    }
    Ok(code)
}

/// Whether code names a crate.
fn uses(code: &str, dependency: &str) -> bool {
    if USED_BY_GENERATED_CODE.contains(&dependency) && code.contains("OUT_DIR") {
        return true;
    }
    let name = dependency.replace('-', "_");
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    code.match_indices(&name).any(|(at, _)| {
        !is_part(code[..at].chars().next_back()) && !is_part(code[at + name.len()..].chars().next())
    })
}

/// Whether a manifest takes this dependency from the workspace.
fn names(manifests: &str, dependency: &str) -> bool {
    manifests
        .lines()
        .any(|line| line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '='])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_used_where_its_whole_name_is() {
        assert!(uses("use tokio_stream::Stream;", "tokio-stream"));
        assert!(!uses("use tokio_stream_ext::Stream; let my_tokio_stream = 1;", "tokio-stream"));
        assert!(!uses("use tokio::time;", "tokio-stream"));
    }

    #[test]
    fn an_unused_dependency_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("src")).expect("a folder");
        let manifest = "[dependencies]\nserde = { workspace = true }\nprost = { workspace = true }\n";
        std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
        std::fs::write(folder.path().join("src/lib.rs"), "use serde::Serialize;").expect("a file");
        let code = code(folder.path(), &["src"]).expect("code");
        assert!(uses(&code, "serde") && !uses(&code, "prost"));
        assert!(names(manifest, "serde") && !names(manifest, "serde_json"));
        let table: toml::Table = "a = { features = ['b'] }\nc = { workspace = true }".parse().expect("TOML");
        assert!(is_for_features(&table["a"]) && !is_for_features(&table["c"]));
    }
}
