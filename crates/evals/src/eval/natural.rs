//! `cargo xtask eval natural`: questions as people type them, through the public API, scored as `score_natural.py` scores them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;
use preceptor::client::{Client, Upload};
use preceptor_testkit::Local;
use serde::Serialize;
use serde_json::Value;

use super::NaturalOptions;
use super::ask::write;
use super::local::start;
use crate::metrics::auroc;
use crate::natural::{Program, Question, read};

/// Quotations that a learner is said to look at.
const SHOWN: usize = 3;
/// The share of bad ones among what is shown, for the figure at its end.
const BAD: f64 = 0.05;

/// A reply, as `score_natural.py` reads it.
#[derive(Debug, Clone, Serialize)]
struct Reply {
    id: String,
    outcome: String,
    reason: String,
    confidence: f64,
    sentences: Vec<Said>,
    offers: Vec<String>,
    /// What the learner sees quoted, in order.
    shown: Vec<Shown>,
}

#[derive(Debug, Clone, Serialize)]
struct Said {
    text: String,
    quotes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Shown {
    quote: String,
}

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Right,
    Wrong,
    Refused,
    False,
    Declined,
}

struct Row<'a> {
    question: &'a Question,
    ended: Ended,
    outcome: &'a str,
    confidence: f64,
    first: bool,
    found: bool,
    offered: bool,
    named: bool,
}

/// Asks all questions, prints the table, and writes the replies when a place is named.
pub(super) async fn run(options: &NaturalOptions) -> anyhow::Result<()> {
    let (programs, questions) = read(&options.data)?;
    let local = start(&options.options).await?;
    let mut learners = HashMap::new();
    for program in &programs {
        let asked = publish(&local, &options.data, program).await.with_context(|| program.id.clone())?;
        learners.insert(program.id.as_str(), asked);
    }
    let bar = ProgressBar::new(questions.len() as u64);
    let mut replies = Vec::with_capacity(questions.len());
    for question in &questions {
        let (program, learner) = learners.get(question.program.as_str()).context("no such program")?;
        let reply = learner.ask(program, &question.question).await.with_context(|| question.id.clone())?;
        replies.push(told(question, &reply));
        bar.inc(1);
    }
    bar.finish_and_clear();
    local.stop().await;
    if let Some(path) = &options.answers {
        write(path, &replies)?;
    }
    print(
        &questions.iter().zip(&replies).map(|(question, reply)| judge(question, reply)).collect::<Vec<_>>(),
    );
    Ok(())
}

async fn publish(local: &Local, data: &Path, program: &Program) -> anyhow::Result<(String, Client)> {
    let files =
        program.sources.iter().map(|source| Upload::read(&data.join(source))).collect::<Result<_, _>>()?;
    let objectives: Vec<&str> = program.objectives.iter().map(String::as_str).collect();
    let id = local.publish(&program.title, &objectives, files).await?;
    let learner = local.learner(&id, "measure").await?;
    Ok((id, learner))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn told(question: &Question, reply: &Value) -> Reply {
    let quotes =
        |sentence: &Value| list(&sentence["citations"]).map(|citation| text(&citation["quote"])).collect();
    let sentences: Vec<Said> = list(&reply["sentences"])
        .map(|sentence| Said { text: text(&sentence["text"]), quotes: quotes(sentence) })
        .collect();
    let quoted = list(&reply["sentences"]).chain(list(&reply["closest"]["quotes"]));
    Reply {
        id: question.id.clone(),
        outcome: text(&reply["outcome"]),
        reason: text(&reply["refusal"]["code"]),
        confidence: reply["confidence"].as_f64().unwrap_or(0.0),
        sentences,
        offers: list(&reply["refusal"]["sources"]).map(|source| text(&source["quote"])).collect(),
        shown: quoted.map(|sentence| Shown { quote: text(&sentence["text"]) }).collect(),
    }
}

fn judge<'a>(question: &'a Question, reply: &'a Reply) -> Row<'a> {
    let is_answered = reply.outcome == "answered";
    let is_right = is_answered && reply.sentences.iter().any(|said| question.is_answered_by(&said.text));
    let ended = match (question.answerable, is_answered) {
        (true, true) if is_right => Ended::Right,
        (true, true) => Ended::Wrong,
        (true, false) => Ended::Refused,
        (false, true) => Ended::False,
        (false, false) => Ended::Declined,
    };
    let right: Vec<bool> =
        reply.shown.iter().take(SHOWN).map(|shown| question.is_answered_by(&shown.quote)).collect();
    Row {
        question,
        ended,
        outcome: &reply.outcome,
        confidence: reply.confidence,
        first: right.first() == Some(&true),
        found: right.contains(&true),
        offered: !is_answered && reply.offers.iter().any(|offer| question.is_answered_by(offer)),
        named: question.is_patient_specific() && reply.reason == "PATIENT_SPECIFIC",
    }
}

/// The measures of some rows.
struct Measures {
    rows: usize,
    answerable: usize,
    auroc: Option<f64>,
    right_at_5: f64,
}

impl Measures {
    fn of(rows: &[&Row<'_>]) -> Self {
        let scores = |answerable: bool| -> Vec<f64> {
            let of = rows.iter().filter(|row| row.question.answerable == answerable);
            of.map(|row| row.confidence).collect()
        };
        let answerable = rows.iter().filter(|row| row.question.answerable).count();
        Self {
            rows: rows.len(),
            answerable,
            auroc: auroc(&scores(true), &scores(false)),
            right_at_5: right_at(rows, answerable),
        }
    }
}

/// The largest share of right answers at which at most [`BAD`] of the answers is wrong or false, by confidence alone.
fn right_at(rows: &[&Row<'_>], answerable: usize) -> f64 {
    let mut answers: Vec<&&Row<'_>> =
        rows.iter().filter(|row| matches!(row.ended, Ended::Right | Ended::Wrong | Ended::False)).collect();
    answers.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let (mut right, mut best) = (0.0, 0.0_f64);
    for (place, row) in answers.iter().enumerate() {
        right += f64::from(u8::from(row.ended == Ended::Right));
        let shown = (place + 1) as f64;
        let is_last_of_its_score = answers.get(place + 1).is_none_or(|next| next.confidence < row.confidence);
        if is_last_of_its_score && (shown - right) / shown <= BAD {
            best = best.max(right / answerable.max(1) as f64);
        }
    }
    best
}

fn print(rows: &[Row<'_>]) {
    let mut groups: BTreeMap<(u8, String), Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        for key in [
            (0, "all".to_owned()),
            (1, row.question.kind.clone()),
            (2, format!("program:{}", row.question.program)),
        ] {
            groups.entry(key).or_default().push(row);
        }
    }
    println!(
        "{:34}{:>4}{:>5}{:>7}{:>7}{:>9}{:>9}{:>7}{:>10}{:>8}",
        "", "n", "ans", "right", "wrong", "refused", "(offer)", "false", "declined", "auroc"
    );
    for ((_, name), rows) in &groups {
        let measures = Measures::of(rows);
        let count = |ended: Ended| rows.iter().filter(|row| row.ended == ended).count();
        let offered = rows.iter().filter(|row| row.offered && row.question.answerable).count();
        println!(
            "{name:34}{:4}{:5}{:7}{:7}{:9}{offered:9}{:7}{:10}{:>8}",
            measures.rows,
            measures.answerable,
            count(Ended::Right),
            count(Ended::Wrong),
            count(Ended::Refused),
            count(Ended::False),
            count(Ended::Declined),
            measures.auroc.map_or_else(|| "-".to_owned(), |auroc| format!("{auroc:.3}")),
        );
    }
    summary(rows);
}

fn summary(rows: &[Row<'_>]) {
    let all: Vec<&Row<'_>> = rows.iter().collect();
    let measures = Measures::of(&all);
    let count = |counts: &dyn Fn(&Row<'_>) -> bool| rows.iter().filter(|row| counts(row)).count();
    let (yes, no) = (measures.answerable, rows.len() - measures.answerable);
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let (right, wrong) = (count(&|row| row.ended == Ended::Right), count(&|row| row.ended == Ended::Wrong));
    let wrongly = count(&|row| row.ended == Ended::False);
    println!(
        "first quote right {:.3}; found among three {:.3}; right {right}/{yes} = {:.3}; wrong {:.3}; false {wrongly}/{no} = {:.3}; AUROC {:.3}; right at <= 5 % bad {:.3}; patient-specific named {}/{}",
        share(count(&|row| row.first && row.question.answerable), yes),
        share(count(&|row| row.found && row.question.answerable), yes),
        share(right, yes),
        share(wrong, yes),
        share(wrongly, no),
        measures.auroc.unwrap_or(0.0),
        measures.right_at_5,
        count(&|row| row.named),
        count(&|row| row.question.is_patient_specific()),
    );
    let far = count(&|row| row.question.is_far());
    let outright = count(&|row| row.question.is_far() && row.outcome == "declined");
    let given = right + wrong + wrongly;
    println!(
        "bad among answers {}/{given} = {:.3}; far questions declined outright {outright}/{far}; closest passages shown for {}",
        wrong + wrongly,
        share(wrong + wrongly, given),
        count(&|row| row.outcome == "closest"),
    );
}
