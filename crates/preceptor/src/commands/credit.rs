//! `preceptor credit`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Common, Remote};

/// Look at credits.
#[derive(Debug, Subcommand)]
pub(super) enum Credit {
    /// Tell how a credit was earned: the whole chain from source to certificate, with its proofs.
    Provenance(Provenance),
}

/// Tell how a credit was earned.
#[derive(Debug, Args)]
#[command(after_help = "Its holder may ask, and those who read the record: admins and auditors.")]
pub(super) struct Provenance {
    /// The credit, `cred_…`.
    #[arg(value_name = "CREDIT")]
    credit: String,
    /// Print the document as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Credit {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let Self::Provenance(asked) = self;
        let client = asked.remote.client(&common.load(Vec::new())?)?;
        let document = client.get(&format!("/v1/credits/{}/provenance", asked.credit)).await?;
        if asked.json {
            println!("{}", serde_json::to_string_pretty(&document)?);
        } else {
            show(&document, "", 0);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints a document as an indented outline.
fn show(value: &Value, name: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            if !name.is_empty() {
                println!("{indent}{name}");
            }
            for (name, value) in fields {
                show(value, name, depth + usize::from(depth > 0 || !name.is_empty()));
            }
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            println!("{indent}{name}: {}", items.join(" · "));
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                show(item, &format!("{name} {}", place + 1), depth);
            }
        }
        Value::String(text) if text.contains('\n') => {
            println!("{indent}{name}:");
            for line in text.lines() {
                println!("{indent}  {line}");
            }
        }
        other => println!("{indent}{name}: {}", plain(other)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
