//! `preceptor credit`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_tlog::{LogKey, Proof};
use prost::Message as _;
use serde_json::Value;

use super::{Common, Remote};

/// Look at credits.
#[derive(Debug, Subcommand)]
pub(super) enum Credit {
    /// Show how a credit was earned: the whole chain from source to certificate, with its proofs.
    Provenance(Provenance),
}

/// Show how a credit was earned.
#[derive(Debug, Args)]
#[command(
    after_help = "For the credit's holder, and for those who may read the record: admins and auditors."
)]
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
        let mut document = client.get(&format!("/v1/credits/{}/provenance", asked.credit)).await?;
        if asked.json {
            println!("{}", serde_json::to_string_pretty(&document)?);
            return Ok(ExitCode::SUCCESS);
        }
        let records = document.as_object_mut().and_then(|parts| parts.remove("records")).unwrap_or_default();
        show(&document, "", 0);
        show_records(&records)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints what the log holds about the chain, after every proof was checked here.
fn show_records(records: &Value) -> anyhow::Result<()> {
    let entries = records["entries"].as_array().map_or(&[] as &[Value], Vec::as_slice);
    if entries.is_empty() {
        println!("records: the log holds none of them yet; ask again in a moment");
        return Ok(());
    }
    let key: LogKey = text(records, "log_key").parse().context("the log's key cannot be read")?;
    println!("records of {}", key.name());
    for entry in entries {
        check_record(entry, &key).with_context(|| format!("record {} does not hold", entry["leaf_index"]))?;
        println!(
            "  {:>6}  {}  {:<28} {}",
            entry["leaf_index"],
            text(entry, "occurred_at"),
            text(entry, "action"),
            text(entry, "object")
        );
    }
    println!(
        "{} records, each proved under a checkpoint of {} records that the log signed",
        entries.len(),
        records["log_size"]
    );
    let unindexed = records["unindexed"].as_array().map_or(0, Vec::len);
    if unindexed > 0 {
        println!(
            "{unindexed} of what was looked up is missing in the index of the log, and was found by reading it: tell the operator"
        );
    }
    Ok(())
}

/// That a record says what is shown of it, and is in the log.
fn check_record(entry: &Value, key: &LogKey) -> anyhow::Result<()> {
    let bytes = hex::decode(text(entry, "record"))?;
    let record = AuditRecord::decode(bytes.as_slice())?;
    anyhow::ensure!(
        record.action == text(entry, "action") && record.object == text(entry, "object"),
        "it says something else"
    );
    text(entry, "inclusion_proof").parse::<Proof>()?.verify(&bytes, key)?;
    Ok(())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
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
