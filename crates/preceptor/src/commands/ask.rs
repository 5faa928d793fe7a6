//! `preceptor ask`.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{Common, Remote};

/// Exit codes of what is no answer, so that scripts can tell the outcomes apart.
const DECLINED: u8 = 3;
const CLOSEST: u8 = 4;

/// Ask a program a question.
#[derive(Debug, Args)]
#[command(
    after_help = "The exit code is 0 for an answer, 4 for the closest passages, 3 when the question is declined, 1 for an error."
)]
pub(super) struct Ask {
    /// The question.
    question: String,
    /// The program's id.
    #[arg(long, value_name = "PROGRAM")]
    program: String,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Ask {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let client = self.remote.client(&common.load(Vec::new())?)?;
        let answer = client.ask(&self.program, &self.question).await?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        } else {
            print!("{}", in_words(&answer));
        }
        Ok(match text(&answer, "outcome") {
            "answered" => ExitCode::SUCCESS,
            "closest" => ExitCode::from(CLOSEST),
            _ => ExitCode::from(DECLINED),
        })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// An answer for people.
fn in_words(answer: &Value) -> String {
    let mut lines = Vec::new();
    for correction in list(&answer["corrections"]) {
        lines.push(format!(
            "(searched for {:?} instead of {:?})",
            text(correction, "to"),
            text(correction, "from")
        ));
    }
    if answer["closest"].is_object() {
        lines.push(format!("Closest passages. {}", text(&answer["closest"], "message")));
    }
    for sentence in list(&answer["sentences"]).chain(list(&answer["closest"]["quotes"])) {
        lines.push(text(sentence, "text").to_owned());
        lines
            .extend(list(&sentence["citations"]).map(|citation| format!("    — {}", text(citation, "name"))));
    }
    if answer["refusal"].is_object() {
        lines.push(text(&answer["refusal"], "message").to_owned());
        lines.extend(
            list(&answer["refusal"]["sources"]).map(|source| format!("    — {}", text(source, "name"))),
        );
    }
    let percent = answer["confidence"].as_f64().unwrap_or(0.0) * 100.0;
    lines.push(format!("Confidence: {} ({percent:.0} %).", text(answer, "confidence_label")));
    if answer["lexical_only"] == true {
        lines.push(
            "No embedding model is loaded: only words were compared. `preceptor models pull` gets it."
                .to_owned(),
        );
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_names_the_closest_sources() {
        let answer = json!({
            "outcome": "declined", "sentences": [], "confidence": 0.12, "confidence_label": "low", "lexical_only": false,
            "corrections": [{ "from": "gowt", "to": "gout" }],
            "refusal": { "code": "NOT_IN_PROGRAM", "message": "Not found in this program.", "sources": [{ "name": "Slide 2, Gout" }] },
        });
        let expected = "(searched for \"gout\" instead of \"gowt\")\nNot found in this program.\n    — Slide 2, Gout\nConfidence: low (12 %).\n";
        assert_eq!(in_words(&answer), expected);
    }

    #[test]
    fn the_closest_passages_say_that_they_may_not_answer() {
        let answer = json!({
            "outcome": "closest", "sentences": [], "refusal": null, "confidence": 0.4, "confidence_label": "low", "corrections": [],
            "closest": { "message": "These may not answer.", "quotes": [{ "text": "Rest.", "citations": [{ "name": "Slide 2" }] }] },
        });
        let expected =
            "Closest passages. These may not answer.\nRest.\n    — Slide 2\nConfidence: low (40 %).\n";
        assert_eq!(in_words(&answer), expected);
    }
}
