//! `cargo xtask eval items`: items from real sources, beside their passages, and checked by rule.
//!
//! The rules are written here a second time, from the item and the source alone: what the composer believes about its own
//! work is not asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use preceptor::client::{Upload, id};
use preceptor_testkit::Local;
use regex::Regex;
use serde_json::Value;

use super::ItemOptions;
use super::local::{publish_all, start};
use crate::data::{Program, lines};

/// The share of the rarest difficulty that a spread bank has at least.
const LEAST_SHARE: f64 = 0.1;

/// An item with the text of the passage it is bound to.
struct Bound {
    item: Value,
    passage: String,
}

/// Makes items, prints them, and checks them.
pub(super) async fn run(options: &ItemOptions) -> anyhow::Result<()> {
    let local = start(&options.options).await?;
    let programs = published(&local, options).await?;
    let each = options.count.div_ceil(programs.len().max(1));
    let mut bound = Vec::new();
    // Programs whose text gives fewer leave their share to the others.
    for wanted in [each, options.count] {
        for program in &programs {
            let left = options.count - bound.len();
            if left == 0 {
                break;
            }
            bound.extend(generate(&local, program, wanted.min(left)).await?);
        }
    }
    local.stop().await;
    for (place, item) in bound.iter().enumerate() {
        print(place + 1, item);
    }
    judge(&bound, options.count)
}

/// The programs of `asks/topic` and the course, published and attested.
async fn published(local: &Local, options: &ItemOptions) -> anyhow::Result<Vec<String>> {
    let topics: Vec<Program> = lines(&options.data.join("asks/topic.programs.jsonl"))?;
    let mut programs: Vec<String> =
        publish_all(local, &topics).await?.into_values().map(|program| program.id).collect();
    let course = options.data.join("course");
    let mut files: Vec<_> = std::fs::read_dir(&course)
        .with_context(|| course.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let files = files.iter().map(|path| Upload::read(path)).collect::<Result<_, _>>()?;
    programs.push(local.publish("An accredited course", &[], files).await?);
    programs.sort();
    for program in &programs {
        for source in local.editor.all(&format!("/v1/programs/{program}/sources")).await? {
            local.reviewer.attest(&id(&source, "id")?).await?;
        }
    }
    Ok(programs)
}

async fn generate(local: &Local, program: &str, count: usize) -> anyhow::Result<Vec<Bound>> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut bound = Vec::new();
    for item in local.editor.generate_items(program, count, |_| {}).await? {
        let passage = id(&item["passages"][0], "passage_id")?;
        if !texts.contains_key(&passage) {
            let document =
                local.editor.get(&format!("/v1/sources/{}/document", id(&item, "source_id")?)).await?;
            for known in document["passages"].as_array().into_iter().flatten() {
                texts.insert(id(known, "id")?, id(known, "text")?);
            }
        }
        bound.push(Bound {
            passage: texts
                .get(&passage)
                .cloned()
                .context("an item is bound to a passage of another source")?,
            item,
        });
    }
    Ok(bound)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn options(item: &Value) -> impl Iterator<Item = (&str, bool)> {
    item["options"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|option| (text(option, "text"), option["correct"] == true))
}

fn print(number: usize, bound: &Bound) {
    println!(
        "{number}. [{} {}] {}",
        text(&bound.item, "kind"),
        text(&bound.item, "difficulty"),
        text(&bound.item, "stem")
    );
    for (option, right) in options(&bound.item) {
        println!("     {} {option}", if right { "*" } else { " " });
    }
    println!("   passage: {}\n", bound.passage.split_whitespace().collect::<Vec<_>>().join(" "));
}

/// Whether a text holds another as a whole: "5 mg" is not in "25 mg".
fn holds(text: &str, part: &str) -> bool {
    let escaped = regex::escape(part);
    Regex::new(&format!(r"(?i)(^|[^\w.]){escaped}($|\W)")).is_ok_and(|pattern| pattern.is_match(text))
}

/// What is wrong with one item.
fn problems(bound: &Bound) -> Vec<String> {
    let (item, passage) = (&bound.item, bound.passage.as_str());
    let quote = text(&item["passages"][0], "quote");
    let mut problems = Vec::new();
    if !passage.contains(quote) {
        problems.push("its quote is not in its passage".to_owned());
    }
    let right: Vec<&str> = options(item).filter(|(_, right)| *right).map(|(option, _)| option).collect();
    if right.len() != 1 {
        problems.push(format!("{} options are right", right.len()));
    }
    if text(item, "kind") == "multiple_choice" {
        if !right.iter().all(|key| holds(passage, key)) {
            problems.push("its key is not in its passage".to_owned());
        }
        problems.extend(
            options(item)
                .filter(|(option, right)| !right && holds(passage, option))
                .map(|(option, _)| format!("{option} is in the passage too")),
        );
        let restored = text(item, "stem").replace("_____", right.first().copied().unwrap_or_default());
        if !restored.contains(quote) {
            problems.push("filling the gap does not give the quote".to_owned());
        }
    } else if text(item, "stem").contains(quote) != (right == ["True"]) {
        problems.push("its key is not what its passage says".to_owned());
    }
    let distinct: BTreeSet<String> = options(item).map(|(option, _)| option.to_lowercase()).collect();
    if distinct.len() != options(item).count() {
        problems.push("two options say the same".to_owned());
    }
    problems
}

fn judge(bound: &[Bound], wanted: usize) -> anyhow::Result<()> {
    let mut wrong = 0;
    for (place, item) in bound.iter().enumerate() {
        for problem in problems(item) {
            wrong += 1;
            println!("item {}: {problem}", place + 1);
        }
    }
    let stems: BTreeSet<&str> = bound.iter().map(|bound| text(&bound.item, "stem")).collect();
    let count = |field: &str| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for item in bound {
            *counts.entry(text(&item.item, field).to_owned()).or_default() += 1;
        }
        counts
    };
    let (difficulty, kind) = (count("difficulty"), count("kind"));
    println!(
        "{} items of {wanted}; {wrong} problems; {} duplicates; difficulty {difficulty:?}; kind {kind:?}",
        bound.len(),
        bound.len() - stems.len()
    );
    let rarest = ["easy", "moderate", "hard"]
        .iter()
        .map(|name| difficulty.get(*name).copied().unwrap_or_default())
        .min()
        .unwrap_or_default();
    if bound.len() < wanted
        || wrong > 0
        || stems.len() < bound.len()
        || (rarest as f64) < LEAST_SHARE * bound.len() as f64
    {
        bail!("the items are not what they have to be");
    }
    println!("Every item holds by rule.");
    Ok(())
}
