//! `cargo xtask size`: how large files and functions are, and whether that is within this project's limits.
//!
//! Counts lines that `rustfmt` wrote: a function ends at the closing brace of its own indentation. Tests are left out.

use std::path::{Path, PathBuf};

use crate::check::rust_files;

/// Lines of a file, tests left out.
const LONGEST_FILE: usize = 500;
/// Lines of a function, and what 95 of 100 keep to.
const LONGEST_FUNCTION: usize = 80;
const USUAL_FUNCTION: usize = 40;
const FOLDERS: [&str; 2] = ["crates", "services"];

/// A function with its length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Function {
    name: String,
    lines: usize,
}

struct File {
    path: PathBuf,
    lines: usize,
    functions: Vec<Function>,
    comments: usize,
    unwraps: usize,
}

/// Prints the table; fails on a breach.
pub(crate) fn run() -> anyhow::Result<()> {
    let files: Vec<File> = rust_files(&FOLDERS)?
        .into_iter()
        .filter(|path| {
            !path
                .components()
                .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "examples" | "benches")))
        })
        .map(|path| Ok(measure(&path, &std::fs::read_to_string(&path)?)))
        .collect::<Result<_, std::io::Error>>()?;
    let mut lines: Vec<usize> = files.iter().map(|file| file.lines).collect();
    let mut functions: Vec<usize> =
        files.iter().flat_map(|file| file.functions.iter().map(|function| function.lines)).collect();
    lines.sort_unstable();
    functions.sort_unstable();
    let total: usize = lines.iter().sum();
    let share = |count: usize, of: usize| 100.0 * count as f64 / of.max(1) as f64;
    println!(
        "files | lines | lines/file med / p95 / max | files > {LONGEST_FILE} | fn lines med / p95 / max | fns > {LONGEST_FUNCTION} | comments | unwrap()/kloc"
    );
    println!(
        "{} | {total} | {} / {} / {} | {} | {} / {} / {} | {} | {:.1} % | {:.1}",
        files.len(),
        quantile(&lines, 50),
        quantile(&lines, 95),
        quantile(&lines, 100),
        lines.iter().filter(|&&lines| lines > LONGEST_FILE).count(),
        quantile(&functions, 50),
        quantile(&functions, 95),
        quantile(&functions, 100),
        functions.iter().filter(|&&lines| lines > LONGEST_FUNCTION).count(),
        share(files.iter().map(|file| file.comments).sum(), total),
        files.iter().map(|file| file.unwraps).sum::<usize>() as f64 / (total as f64 / 1000.0),
    );
    let mut breaches: Vec<String> = Vec::new();
    for file in &files {
        if file.lines > LONGEST_FILE {
            breaches.push(format!("{}: {} lines", file.path.display(), file.lines));
        }
        let long = file.functions.iter().filter(|function| function.lines > LONGEST_FUNCTION);
        breaches.extend(long.map(|function| {
            format!("{}: {} has {} lines", file.path.display(), function.name, function.lines)
        }));
    }
    if quantile(&functions, 95) > USUAL_FUNCTION {
        breaches.push(format!("95 of 100 functions should keep to {USUAL_FUNCTION} lines"));
    }
    for breach in &breaches {
        eprintln!("size: {breach}");
    }
    anyhow::ensure!(breaches.is_empty(), "{} breaches", breaches.len());
    Ok(())
}

fn quantile(sorted: &[usize], percent: usize) -> usize {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or(0)
}

fn measure(path: &Path, text: &str) -> File {
    let code: Vec<&str> = without_tests(text);
    let is_comment = |line: &&&str| line.trim_start().starts_with("//");
    File {
        path: path.to_owned(),
        lines: code.len(),
        functions: functions(&code),
        comments: code.iter().filter(is_comment).count(),
        unwraps: code.iter().map(|line| line.matches(".unwrap()").count()).sum(),
    }
}

/// The code of a file without the tests at its end.
pub(crate) fn without_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod "));
    lines[..tests.unwrap_or(lines.len())].to_vec()
}

fn functions(code: &[&str]) -> Vec<Function> {
    let mut found = Vec::new();
    for (start, line) in code.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closes = |line: &&str| {
            line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}')
        };
        let ends_at_once = line.trim_end().ends_with('}') || line.trim_end().ends_with(';');
        let length =
            if ends_at_once { 1 } else { code[start..].iter().position(closes).map_or(1, |end| end + 1) };
        found.push(Function { name: name.to_owned(), lines: length });
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_lengths() {
        let text = "pub(crate) async fn one(a: u8) {\n    if a > 0 {\n        go();\n    }\n}\n\nfn two() {}\n\n#[cfg(test)]\nmod tests {\n    fn three() {\n    }\n}";
        let found = functions(&without_tests(text));
        assert_eq!(
            found,
            [Function { name: "one".into(), lines: 5 }, Function { name: "two".into(), lines: 1 }]
        );
    }
}
