//! Messages to objectives.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use preceptor_testkit::Local;
use serde::Serialize;
use serde_json::Value;

use super::Options;
use super::local::{publish_all, start};
use crate::data::{Aligned, Program, group, lines};
use crate::metrics::ece;

/// The zero-shot floor of paraphrases: accuracy and ECE (`README.md` of the data).
const FLOOR: (f64, f64) = (0.640, 0.083);
const PAUSE: Duration = Duration::from_millis(200);
const PATIENCE: usize = 600;

/// A classification, as `score.py` reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Prediction {
    id: String,
    objective: Option<String>,
    confidence: f64,
    #[serde(skip)]
    kind: String,
    #[serde(skip)]
    right: bool,
}

pub(super) use super::ask::write;

/// Asks every message and reads what it was classified as.
pub(super) async fn run(
    alignment: &Path,
    programs: &Path,
    options: &Options,
) -> anyhow::Result<Vec<Prediction>> {
    let messages: Vec<Aligned> = lines(alignment)?;
    let programs: Vec<Program> = lines(programs)?;
    let local = start(options).await?;
    let published = publish_all(&local, &programs).await?;
    let mut predictions = Vec::new();
    for (program, messages) in group(messages, |message| message.program.clone()) {
        let published = published.get(&program).with_context(|| format!("no program {program}"))?;
        let mut asked = Vec::new();
        for message in messages {
            let reply = published
                .learner
                .ask(&published.id, &message.text)
                .await
                .with_context(|| message.id.clone())?;
            asked.push((preceptor::client::id(&reply, "message_id")?, message));
        }
        let classified = classified(&local, &published.id, asked.len()).await?;
        for (id, message) in asked {
            predictions.push(prediction(
                message,
                classified.get(&id).unwrap_or(&Value::Null),
                &published.objectives,
            ));
        }
    }
    local.stop().await;
    Ok(predictions)
}

/// The classifications of a program's messages, once all are there.
async fn classified(local: &Local, program: &str, count: usize) -> anyhow::Result<HashMap<String, Value>> {
    for _ in 0..PATIENCE {
        let listed = local.editor.all(&format!("/v1/programs/{program}/messages")).await?;
        let ready: HashMap<String, Value> = listed
            .into_iter()
            .filter(|message| message["alignment"].is_object() || message["quarantined"] == true)
            .filter_map(|message| Some((message["id"].as_str()?.to_owned(), message["alignment"].clone())))
            .collect();
        if ready.len() >= count {
            return Ok(ready);
        }
        tokio::time::sleep(PAUSE).await;
    }
    anyhow::bail!("{program}: the messages were not classified in time")
}

fn prediction(message: Aligned, alignment: &Value, objectives: &[String]) -> Prediction {
    let said = alignment["objective_id"].as_str().unwrap_or_default();
    let place = objectives.iter().position(|objective| objective == said);
    let objective =
        place.and_then(|place| message.objectives.get(place)).map(|objective| objective.id.clone());
    Prediction {
        right: objective == message.gold,
        id: message.id,
        kind: message.kind,
        confidence: alignment["confidence"].as_f64().unwrap_or(0.0),
        objective,
    }
}

/// Prints accuracy and calibration per kind of message; returns how many figures are below their bar.
pub(super) fn print(predictions: &[Prediction]) -> usize {
    println!("alignment      n  accuracy    ECE");
    let kinds: BTreeSet<&str> = predictions.iter().map(|prediction| prediction.kind.as_str()).collect();
    let mut below = 0;
    for kind in kinds {
        let judged: Vec<(f64, bool)> = predictions
            .iter()
            .filter(|prediction| prediction.kind == kind)
            .map(|prediction| (prediction.confidence, prediction.right))
            .collect();
        let accuracy = judged.iter().filter(|(_, right)| *right).count() as f64 / judged.len().max(1) as f64;
        let error = ece(&judged);
        let bar = if kind == "paraphrase" {
            format!("   floor {:.3} {:.3}", FLOOR.0, FLOOR.1)
        } else {
            String::new()
        };
        // A message that fits no objective has no right one: its confidence is small, and that is right.
        let error_shown = if kind.starts_with("none") { "    -".to_owned() } else { format!("{error:.3}") };
        println!("{kind:12} {:4}     {accuracy:.3}  {error_shown}{bar}", judged.len());
        below += usize::from(kind == "paraphrase" && (accuracy <= FLOOR.0 || error >= FLOOR.1));
    }
    below
}
