//! `cargo xtask size`: how large files and functions are, and whether that is within this project's limits.
//!
//! Counts lines that `rustfmt` wrote: a function ends at the closing brace of its own indentation. Tests are left out.

use std::path::{Path, PathBuf};

use crate::check::rust_files;

/// Lines of a file, tests left out.
const LONGEST_FILE: usize = 500;
/// What 95 of 100 files keep to.
const USUAL_FILE: usize = 400;
/// Lines of a function, what 99 of 100 keep to, and what 95 do.
const LONGEST_FUNCTION: usize = 80;
const LARGE_FUNCTION: usize = 60;
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
    let sizes = Sizes::of(measured()?);
    sizes.print();
    let breaches = sizes.breaches();
    for breach in &breaches {
        eprintln!("size: {breach}");
    }
    anyhow::ensure!(breaches.is_empty(), "{} breaches", breaches.len());
    Ok(())
}

/// One problem for each breach.
pub(crate) fn breaches() -> anyhow::Result<Vec<String>> {
    Ok(Sizes::of(measured()?).breaches())
}

/// All files of the product.
fn measured() -> anyhow::Result<Vec<File>> {
    let is_test = |path: &PathBuf| {
        path.components()
            .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "examples" | "benches")))
    };
    let paths = rust_files(&FOLDERS)?.into_iter().filter(|path| !is_test(path));
    paths.map(|path| Ok(measure(&path, &std::fs::read_to_string(&path)?))).collect()
}

/// Files with their lengths in order, and those of their functions.
struct Sizes {
    files: Vec<File>,
    lines: Vec<usize>,
    functions: Vec<usize>,
}

impl Sizes {
    fn of(files: Vec<File>) -> Self {
        let mut lines: Vec<usize> = files.iter().map(|file| file.lines).collect();
        let functions = files.iter().flat_map(|file| file.functions.iter().map(|function| function.lines));
        let mut functions: Vec<usize> = functions.collect();
        lines.sort_unstable();
        functions.sort_unstable();
        Self { files, lines, functions }
    }

    fn print(&self) {
        let (lines, functions) = (&self.lines, &self.functions);
        let total: usize = lines.iter().sum();
        let comments: usize = self.files.iter().map(|file| file.comments).sum();
        let unwraps: usize = self.files.iter().map(|file| file.unwraps).sum();
        println!(
            "files | lines | lines/file med / p95 / max | files > {LONGEST_FILE} | fn lines med / p95 / p99 / max | fns > {LONGEST_FUNCTION} | comments | unwrap()/kloc"
        );
        println!(
            "{} | {total} | {} / {} / {} | {} | {} / {} / {} / {} | {} | {:.1} % | {:.1}",
            self.files.len(),
            quantile(lines, 50),
            quantile(lines, 95),
            quantile(lines, 100),
            lines.iter().filter(|&&lines| lines > LONGEST_FILE).count(),
            quantile(functions, 50),
            quantile(functions, 95),
            quantile(functions, 99),
            quantile(functions, 100),
            functions.iter().filter(|&&lines| lines > LONGEST_FUNCTION).count(),
            100.0 * comments as f64 / total.max(1) as f64,
            unwraps as f64 / (total as f64 / 1000.0),
        );
    }

    fn breaches(&self) -> Vec<String> {
        let mut breaches: Vec<String> = Vec::new();
        for file in &self.files {
            if file.lines > LONGEST_FILE {
                breaches.push(format!("{}: {} lines", file.path.display(), file.lines));
            }
            let long = file.functions.iter().filter(|function| function.lines > LONGEST_FUNCTION);
            breaches.extend(long.map(|function| {
                format!("{}: {} has {} lines", file.path.display(), function.name, function.lines)
            }));
        }
        let most = [
            ("files", &self.lines, 95, USUAL_FILE),
            ("functions", &self.functions, 95, USUAL_FUNCTION),
            ("functions", &self.functions, 99, LARGE_FUNCTION),
        ];
        let above = most.iter().filter(|(_, sizes, percent, bound)| quantile(sizes, *percent) > *bound);
        breaches.extend(above.map(|(what, _, percent, bound)| {
            format!("{percent} of 100 {what} should keep to {bound} lines")
        }));
        breaches
    }
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
    fn what_is_too_large_is_named() {
        let file = |lines: usize, function: usize| File {
            path: "a.rs".into(),
            lines,
            functions: vec![Function { name: "f".into(), lines: function }],
            comments: 0,
            unwraps: 0,
        };
        let of = |files: Vec<File>| Sizes::of(files).breaches();
        assert_eq!(of(vec![file(100, 30)]), Vec::<String>::new());
        assert_eq!(of(vec![file(501, 30), file(100, 30)]), ["a.rs: 501 lines"]);
        assert_eq!(of(vec![file(100, 90), file(100, 10)]), ["a.rs: f has 90 lines"]);
        assert_eq!(of(vec![file(450, 70)]).len(), 3, "most are too large");
    }

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
