//! `cargo xtask check`: what the compiler does not refuse.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::build::{Built, build};
use crate::size::without_tests;
use crate::{features, licenses, size, unused, words};
use anyhow::Context as _;

/// Runs all checks and compiles everything; reports every problem at once.
pub(crate) fn run() -> anyhow::Result<Built> {
    let mut problems = Vec::new();
    problems.extend(service_edges(Path::new("services"))?);
    let explained = explained_codes(Path::new("services/gateway/errors.toml"))?;
    for file in rust_files(&["crates", "services"])? {
        let text = std::fs::read_to_string(&file)?;
        problems.extend(unexplained_codes(&file, &text, &explained));
        problems.extend(loose_tasks(&file, &text));
        problems.extend(unscoped_queries(&file, &text));
    }
    problems.extend(unused::dependencies(&folders_of_crates()?)?);
    problems.extend(features::compiled_twice()?);
    problems.extend(licenses::refused()?);
    problems.extend(words::unwanted()?);
    problems.extend(size::breaches()?);
    problems.extend(cargo(&["fmt", "--all", "--check"]));
    let built = build()?;
    if built.problems > 0 {
        problems.push(format!("compiler and lints found {} problems; they are above", built.problems));
    }
    for problem in &problems {
        eprintln!("check: {problem}");
    }
    anyhow::ensure!(problems.is_empty(), "{} problems", problems.len());
    println!(
        "checks: service edges, error codes, loose tasks, unscoped queries, unused dependencies, one build of each crate, licenses, words, sizes, formatting, lints: all hold"
    );
    Ok(built)
}

/// The folders of all crates of the workspace.
fn folders_of_crates() -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = vec![PathBuf::from("loadtests")];
    for root in ["crates", "services"] {
        for entry in std::fs::read_dir(root).with_context(|| format!("{root} cannot be read"))? {
            folders.push(entry?.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// A service that depends on another service: they meet through contracts only.
fn service_edges(services: &Path) -> anyhow::Result<Vec<String>> {
    let folders: Vec<PathBuf> = std::fs::read_dir(services)
        .with_context(|| format!("{} cannot be read; run this in the project's folder", services.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    let name =
        |folder: &Path| format!("preceptor-{}", folder.file_name().unwrap_or_default().to_string_lossy());
    let services: BTreeSet<String> = folders.iter().map(|folder| name(folder)).collect();
    let mut problems = Vec::new();
    for folder in &folders {
        let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml"))?.parse()?;
        for edge in edges(&manifest, &services) {
            problems
                .push(format!("{} depends on {edge}; services meet through contracts only", name(folder)));
        }
    }
    Ok(problems)
}

fn edges(manifest: &toml::Table, services: &BTreeSet<String>) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let names =
        tables.iter().filter_map(|table| manifest.get(*table)?.as_table()).flat_map(toml::Table::keys);
    names.filter(|name| services.contains(*name)).cloned().collect()
}

/// The error codes that have a page.
fn explained_codes(table: &Path) -> anyhow::Result<BTreeSet<String>> {
    let table: toml::Table = std::fs::read_to_string(table)?.parse()?;
    let codes = table.get("code").and_then(toml::Value::as_array).into_iter().flatten();
    Ok(codes.filter_map(|entry| Some(entry.get("code")?.as_str()?.to_owned())).collect())
}

/// An error code that a client can meet and that no page explains.
fn unexplained_codes(file: &Path, text: &str, explained: &BTreeSet<String>) -> Vec<String> {
    let code = without_tests(text).join("\n");
    let faults = code.split("Fault::new(").skip(1).chain(code.split("ApiError::new(").skip(1));
    let named = faults.filter_map(|fault| {
        // The kind, then the code, then the words.
        let arguments: String = fault.chars().take(160).collect();
        let code = arguments.split_once(',')?.1.trim_start().strip_prefix('"')?.split('"').next()?.to_owned();
        Some(code)
    });
    let unexplained = named.filter(|code| !explained.contains(code));
    unexplained
        .map(|code| {
            format!("{}: no page explains {code}; add it to services/gateway/errors.toml", file.display())
        })
        .collect()
}

/// A task outside the supervisor. `clippy.toml` refuses the usual spellings; this sees the others.
fn loose_tasks(file: &Path, text: &str) -> Vec<String> {
    if file.ends_with("runtime/src/tasks.rs") || file.ends_with("xtask/src/check.rs") {
        return Vec::new();
    }
    let loose =
        ["tokio::spawn(", "task::spawn(", "Handle::current().spawn(", "spawn_local(", "std::thread::spawn("];
    let has =
        |line: &&str| loose.iter().any(|call| line.contains(call)) && !line.trim_start().starts_with("//");
    let lines = text.lines().enumerate().filter(|(_, line)| has(line));
    lines
        .map(|(number, _)| format!("{}:{}: a task outside the supervisor", file.display(), number + 1))
        .collect()
}

/// A query on a tenant's table that does not begin inside the org.
fn unscoped_queries(file: &Path, text: &str) -> Vec<String> {
    // The control plane has no tenant tables, and the store is where the filter is put.
    let mut exempt = vec!["services/auth/", "crates/store/", "crates/bus/", "crates/xtask/"];
    // Tests that attack the database past the product.
    exempt.extend([
        "/tests/mesh/credits/chain/",
        "/tests/mesh/isolation/walls.rs",
        "/tests/mesh/record/rewriting.rs",
    ]);
    if exempt.iter().any(|folder| file.to_string_lossy().contains(folder)) {
        return Vec::new();
    }
    let open = [
        "Entity::find(",
        "Entity::find_by_id(",
        "Entity::update_many(",
        "Entity::delete_many(",
        "Statement::from",
        "execute_unprepared(",
    ];
    let lines = text.lines().enumerate().filter(|(_, line)| open.iter().any(|call| line.contains(call)));
    lines
        .map(|(number, _)| {
            format!(
                "{}:{}: a query that does not begin with the tenant's transaction",
                file.display(),
                number + 1
            )
        })
        .collect()
}

pub(crate) fn rust_files(roots: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut waiting: Vec<PathBuf> = roots.iter().map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn cargo(arguments: &[&str]) -> Option<String> {
    let command = format!("cargo {}", arguments.join(" "));
    match crate::cargo::cargo().args(arguments).status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("`{command}` ended with {status}")),
        Err(error) => Some(format!("`{command}` cannot be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_between_services_is_found() {
        let services = BTreeSet::from(["preceptor-auth".to_owned(), "preceptor-audit".to_owned()]);
        let manifest: toml::Table =
            "[dependencies]\npreceptor-core = {}\n[dev-dependencies]\npreceptor-audit = {}"
                .parse()
                .expect("TOML");
        assert_eq!(edges(&manifest, &services), ["preceptor-audit"]);
    }

    #[test]
    fn a_code_without_a_page_is_found() {
        let explained = BTreeSet::from(["KNOWN_CODE".to_owned()]);
        let text = "Fault::new(Kind::NotFound, \"KNOWN_CODE\", \"x\");\nFault::new(\n    Kind::NotFound,\n    \"NEW_CODE\",\n    \"x\")";
        assert_eq!(unexplained_codes(Path::new("a.rs"), text, &explained).len(), 1);
    }

    #[test]
    fn a_loose_task_is_found() {
        let text = "fn f() {\n    tokio::spawn(async {});\n    // tokio::spawn(…) is refused\n}";
        assert_eq!(loose_tasks(Path::new("services/x/src/a.rs"), text).len(), 1);
        assert!(loose_tasks(Path::new("crates/runtime/src/tasks.rs"), text).is_empty());
    }

    #[test]
    fn a_query_past_the_tenant_is_found() {
        let text = "let all = program::Entity::find().all(db).await?;";
        assert_eq!(unscoped_queries(Path::new("services/ingestion/src/store/a.rs"), text).len(), 1);
        assert!(unscoped_queries(Path::new("services/auth/src/store/a.rs"), text).is_empty());
    }
}
