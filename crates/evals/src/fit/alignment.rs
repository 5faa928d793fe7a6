//! Alignment: which objective, and whether about the program at all.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use preceptor_alignment::fitting::{ABOUT_FEATURES, Features, Objectives, Readers, Weights};
use preceptor_models::Embedder;
use preceptor_models::kinds::Kinds;
use preceptor_models::text::Analyzer;

use super::{FOLDS, sets};
use crate::data::{Aligned, Objective, Program, lines};
use crate::metrics::ece;
use crate::optimize::{Example, logistic, minimize, round};

/// A message with its features and what is right.
struct Row {
    kind: String,
    fold: usize,
    features: Features,
    gold: Option<usize>,
}

/// How much a kind of message counts in "which objective" and in "about the program".
fn weight(kind: &str) -> (f64, f64) {
    match kind {
        "paraphrase" => (1.0, 1.0),
        "verbatim" => (0.5, 1.0),
        "answer" => (0.1, 0.3),
        "none_admin" | "none_other" => (0.0, 4.0),
        _ => {
            // The same messages in other programs count half.
            let own =
                kind.strip_prefix(MERGED).or_else(|| kind.strip_prefix(UNTITLED)).map_or((0.0, 0.0), weight);
            (own.0 * 0.5, own.1 * 0.5)
        }
    }
}

/// Programs made of several: what is measured on them carries this before its kind.
const MERGED: &str = "merged ";
const MERGED_PROGRAMS: usize = 3;
/// Programs whose title says nothing.
const UNTITLED: &str = "untitled ";
const EMPTY_TITLE: &str = "Module 1";

const OBJECTIVE_PENALTY: f64 = 0.05;

/// Fits and prints how well it does; returns the weights.
pub(super) async fn fit(data: &Path, embedder: &dyn Embedder, kinds: &Kinds) -> anyhow::Result<Weights> {
    let analyzer = Analyzer::default();
    let readers = Readers { embedder, kinds, analyzer: &analyzer };
    let rows = rows(data, readers).await?;
    let fitted = fit_rows(&rows.iter().collect::<Vec<_>>());
    let folds: Vec<Weights> = (0..FOLDS)
        .map(|fold| fit_rows(&rows.iter().filter(|row| row.fold != fold).collect::<Vec<_>>()))
        .collect();
    println!("alignment: accuracy / ECE, cross-validated by disease (fitted)");
    let names: BTreeSet<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    for name in names {
        let of_kind: Vec<&Row> = rows.iter().filter(|row| row.kind == name).collect();
        let (crossed, crossed_ece) = measure(&of_kind, |row| &folds[row.fold]);
        let (own, own_ece) = measure(&of_kind, |_| &fitted);
        println!(
            "  {name:12} {crossed:.3} / {crossed_ece:.3}   ({own:.3} / {own_ece:.3})   n = {}",
            of_kind.len()
        );
    }
    Ok(fitted)
}

fn measure<'a>(rows: &[&Row], weights: impl Fn(&Row) -> &'a Weights) -> (f64, f64) {
    let judged: Vec<(f64, bool)> = rows
        .iter()
        .map(|row| {
            let result = weights(row).classify(&row.features);
            (result.confidence, result.objective == row.gold)
        })
        .collect();
    (judged.iter().filter(|(_, right)| *right).count() as f64 / judged.len().max(1) as f64, ece(&judged))
}

async fn rows(data: &Path, readers: Readers<'_>) -> anyhow::Result<Vec<Row>> {
    let messages: Vec<Aligned> = lines(&data.join("alignment/alignment_dev.jsonl"))?;
    let programs: Vec<Program> = lines(&data.join("alignment/alignment_programs_dev.jsonl"))?;
    let vocabulary = |program: &Program| -> BTreeSet<String> {
        let texts = program.sources.iter().flat_map(|source| {
            source.sections().into_iter().flat_map(|section| [section.section, section.text])
        });
        texts.flat_map(|text| readers.analyzer.terms(&text)).collect()
    };
    let known: HashMap<&str, BTreeSet<String>> =
        programs.iter().map(|program| (program.program.as_str(), vocabulary(program))).collect();
    let mut rows = Vec::new();
    for message in &messages {
        let own = known.get(message.program.as_str()).cloned().unwrap_or_default();
        let asked =
            Asked { title: &message.focus, objectives: message.objectives.clone(), known: own.clone() };
        rows.push(asked.row(message, "", readers).await?);
        rows.push(
            Asked { title: EMPTY_TITLE, objectives: message.objectives.clone(), known: own }
                .row(message, UNTITLED, readers)
                .await?,
        );
        if let Some(merged) = merged(message, &programs, &known) {
            rows.push(merged.row(message, MERGED, readers).await?);
        }
    }
    Ok(rows)
}

/// A program that a message is asked of.
struct Asked<'a> {
    title: &'a str,
    objectives: Vec<Objective>,
    known: BTreeSet<String>,
}

impl Asked<'_> {
    async fn row(&self, message: &Aligned, prefix: &str, readers: Readers<'_>) -> anyhow::Result<Row> {
        let texts: Vec<String> = self.objectives.iter().map(|objective| objective.text.clone()).collect();
        let objectives = Objectives::read(self.title, &texts, readers).await?;
        let unknown = objectives.unknown_terms(&message.text, readers.analyzer);
        let foreign = unknown.into_iter().filter(|term| !self.known.contains(term)).collect();
        // Objectives of several programs share ids: the message's own come first.
        let gold = message
            .gold
            .as_ref()
            .and_then(|gold| self.objectives.iter().position(|objective| objective.id == *gold));
        Ok(Row {
            kind: format!("{prefix}{}", message.kind),
            fold: sets::pick(&message.program, FOLDS),
            features: objectives.features(&message.text, &foreign, readers).await?,
            gold,
        })
    }
}

/// The message's program with two others, under a title that says nothing. None for a message about another disease that
/// one of the others might be about.
fn merged<'a>(
    message: &Aligned,
    programs: &'a [Program],
    known: &HashMap<&str, BTreeSet<String>>,
) -> Option<Asked<'a>> {
    let place = programs.iter().position(|program| program.program == message.program)?;
    let others = (1..MERGED_PROGRAMS).map(|step| &programs[(place + step * 7) % programs.len()]);
    let members: Vec<&Program> = std::iter::once(&programs[place]).chain(others).collect();
    let about_others =
        members[1..].iter().any(|member| message.text.to_lowercase().contains(&member.title.to_lowercase()));
    if about_others {
        return None;
    }
    let vocabulary =
        members.iter().filter_map(|member| known.get(member.program.as_str())).flatten().cloned().collect();
    let objectives = members.iter().flat_map(|member| member.objectives.clone()).collect();
    Some(Asked { title: EMPTY_TITLE, objectives, known: vocabulary })
}

fn fit_rows(rows: &[&Row]) -> Weights {
    let examples: Vec<Example> = rows
        .iter()
        .map(|row| Example {
            features: row.features.about.to_vec(),
            positive: row.gold.is_some(),
            weight: weight(&row.kind).1,
        })
        .collect();
    let objective = fit_objective(rows);
    Weights {
        objective: [round(objective[0]), round(objective[1])],
        about: logistic(&ABOUT_FEATURES, &examples, 1.0),
    }
}

fn fit_objective(rows: &[&Row]) -> Vec<f64> {
    let all: Vec<&[f64; 2]> = rows.iter().flat_map(|row| &row.features.objectives).collect();
    let deviation: Vec<f64> = (0..2)
        .map(|f| {
            let mean = all.iter().map(|row| row[f]).sum::<f64>() / all.len() as f64;
            (all.iter().map(|row| (row[f] - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt()
        })
        .collect();
    minimize(vec![5.0, 1.0], |point| {
        let mut value = 0.0;
        let mut gradient = vec![0.0; 2];
        for f in 0..2 {
            value += OBJECTIVE_PENALTY * (point[f] * deviation[f]).powi(2);
            gradient[f] += 2.0 * OBJECTIVE_PENALTY * point[f] * deviation[f] * deviation[f];
        }
        for row in rows {
            let (Some(gold), weight) = (row.gold, weight(&row.kind).0) else { continue };
            let scores: Vec<f64> =
                row.features.objectives.iter().map(|x| x[0] * point[0] + x[1] * point[1]).collect();
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
            value += weight * (most + sum.ln() - scores[gold]);
            for (at, (score, x)) in scores.iter().zip(&row.features.objectives).enumerate() {
                let slope = weight * ((score - most).exp() / sum - f64::from(u8::from(at == gold)));
                gradient[0] += slope * x[0];
                gradient[1] += slope * x[1];
            }
        }
        (value, gradient)
    })
}
