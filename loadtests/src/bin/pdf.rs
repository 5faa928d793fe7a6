//! How much of a PDF's text our reader finds, against poppler's `pdftotext`.
//!
//! Lines that stand on most pages, and page numbers, are left out of the reference: our reader leaves them out too. Word
//! recall: the share of the reference's words that are found. Bigram recall: the share of its pairs of neighboring
//! words, which falls when the reading order is wrong.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;

/// Measures the PDF reader.
#[derive(Debug, Parser)]
struct Options {
    /// The documents.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print the text that was found instead of measuring it.
    #[arg(long)]
    text: bool,
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The share of `reference` that is in `found`, each as often as it occurs.
fn recall<T: std::hash::Hash + Eq>(
    reference: impl IntoIterator<Item = T>,
    found: impl IntoIterator<Item = T>,
) -> f64 {
    let mut left: HashMap<T, usize> = HashMap::new();
    for item in found {
        *left.entry(item).or_default() += 1;
    }
    let (mut hits, mut all) = (0_usize, 0_usize);
    for item in reference {
        all += 1;
        if let Some(count) = left.get_mut(&item).filter(|count| **count > 0) {
            *count -= 1;
            hits += 1;
        }
    }
    hits as f64 / all.max(1) as f64
}

/// The text of all pages without the lines that most of them share, numbers aside.
fn without_running_heads(text: &str) -> String {
    let pages: Vec<&str> = text.split('\u{c}').collect();
    let key = |line: &str| line.trim().chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for page in &pages {
        let lines: std::collections::HashSet<String> = page.lines().map(key).collect();
        for line in lines {
            *seen.entry(line).or_default() += 1;
        }
    }
    let repeats = |line: &&str| pages.len() > 3 && seen[&key(line)] * 2 >= pages.len();
    pages.iter().flat_map(|page| page.lines()).filter(|line| !repeats(line)).collect::<Vec<_>>().join("\n")
}

fn pairs(words: &[String]) -> Vec<(&str, &str)> {
    words.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect()
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    for file in options.files {
        let bytes = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let begun = Instant::now();
        let pages = preceptor_extract::page_texts(&bytes).map_err(anyhow::Error::msg)?;
        if options.text {
            println!("{}", pages.join("\n\u{c}\n"));
            continue;
        }
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        let output = Command::new("pdftotext")
            .arg(&file)
            .arg("-")
            .output()
            .context("pdftotext (poppler) is needed for the reference")?;
        let reference = words(&without_running_heads(&String::from_utf8_lossy(&output.stdout)));
        let found = words(&pages.join("\n"));
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        println!(
            "{}",
            json!({
                "file": file.file_name().unwrap_or_default().to_string_lossy(),
                "pages": pages.len(),
                "word_recall": round(recall(&reference, &found)),
                "bigram_recall": round(recall(pairs(&reference), pairs(&found))),
                "ms": milliseconds.round(),
            })
        );
    }
    Ok(())
}
