//! Questions to answers.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;

use super::Options;
use super::local::{publish_all, start};
use crate::data::{Program, Question, lines};
use crate::metrics::Outcome;

/// An answer, as `score.py` reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Answer {
    qid: String,
    declined: bool,
    confidence: f64,
    latency_ms: f64,
    citations: Vec<Citation>,
    #[serde(skip)]
    question: Question,
}

#[derive(Debug, Clone, Serialize)]
struct Citation {
    source: String,
    quote: String,
}

/// Asks every question of a set.
pub(super) async fn run(programs: &Path, questions: &Path, options: &Options) -> anyhow::Result<Vec<Answer>> {
    let programs: Vec<Program> = lines(programs)?;
    let questions: Vec<Question> = lines(questions)?;
    let local = start(options).await?;
    let begun = Instant::now();
    let published = publish_all(&local, &programs).await?;
    eprintln!("{} programs were published in {:.0} s", programs.len(), begun.elapsed().as_secs_f64());
    let bar = ProgressBar::new(questions.len() as u64);
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        let program = published
            .get(&question.program)
            .with_context(|| format!("{}: no program {}", question.qid, question.program))?;
        let begun = Instant::now();
        // A question that is not taken at all, for instance an empty one, is declined.
        let reply = match program.learner.ask(&program.id, &question.question).await {
            Err(error) if error.to_string().contains("QUESTION_LENGTH") => Value::Null,
            reply => reply.with_context(|| question.qid.clone())?,
        };
        answers.push(answer(question, &reply, begun.elapsed().as_secs_f64() * 1000.0));
        bar.inc(1);
    }
    bar.finish_and_clear();
    local.stop().await;
    Ok(answers)
}

fn answer(question: Question, reply: &Value, latency_ms: f64) -> Answer {
    let declined = reply["outcome"] != "answered";
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let quoted = |value: &Value| -> Vec<Value> {
        list(value).iter().flat_map(|sentence| list(&sentence["citations"])).collect()
    };
    let cited = match reply["outcome"].as_str() {
        Some("answered") => quoted(&reply["sentences"]),
        Some("closest") => quoted(&reply["closest"]["quotes"]),
        _ => list(&reply["refusal"]["sources"]),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Answer {
        qid: question.qid.clone(),
        declined,
        confidence: reply["confidence"].as_f64().unwrap_or(0.0),
        latency_ms,
        citations: cited
            .iter()
            .map(|citation| Citation {
                source: text(&citation["external_id"]),
                quote: text(&citation["quote"]),
            })
            .collect(),
        question,
    }
}

/// Writes answers as JSONL.
pub(super) fn write(path: &Path, answers: &[impl Serialize]) -> anyhow::Result<()> {
    let mut text = String::new();
    for answer in answers {
        writeln!(text, "{}", serde_json::to_string(answer)?)?;
    }
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// What became of every question.
pub(super) fn outcomes(set: &str, answers: &[Answer]) -> Vec<Outcome> {
    let mut latencies: Vec<f64> = answers.iter().map(|answer| answer.latency_ms).collect();
    latencies.sort_by(f64::total_cmp);
    if let (Some(median), Some(slow)) =
        (latencies.get(latencies.len() / 2), latencies.get(latencies.len() * 95 / 100))
    {
        eprintln!("{set}: p50 {median:.1} ms, p95 {slow:.1} ms through the API");
    }
    let by_id: HashMap<&str, &Answer> = answers.iter().map(|answer| (answer.qid.as_str(), answer)).collect();
    by_id
        .into_values()
        .map(|answer| Outcome {
            set: set.to_owned(),
            variant: answer.question.variant.clone(),
            in_scope: answer.question.in_scope,
            first_is_right: answer.question.gold.is_some()
                && answer.citations.first().map(|citation| &citation.source) == answer.question.gold.as_ref(),
            confidence: answer.confidence,
            answered: !answer.declined,
        })
        .collect()
}
