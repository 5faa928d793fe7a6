//! `preceptor accreditation`: the operator looks after what providers say of themselves.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Common, Remote};

/// Confirm or reject the accreditations that providers recorded, as the operator of the deployment.
#[derive(Debug, Subcommand)]
pub(super) enum Accreditation {
    /// List the accreditations of every provider, those without a decision first.
    List(List),
    /// Confirm an accreditation that the accreditor lists.
    Confirm(Decision),
    /// Reject an accreditation that the accreditor does not list as it was recorded.
    Reject(Decision),
}

/// List accreditations.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Decide about an accreditation.
#[derive(Debug, Args)]
#[command(
    after_help = "Takes the operator's token, which the first start prints: pass it with --token or PRECEPTOR_TOKEN."
)]
pub(super) struct Decision {
    /// The accreditation, `accr_…`.
    #[arg(value_name = "ACCREDITATION")]
    accreditation: String,
    /// Where it was looked up and what was seen.
    #[arg(long, value_name = "TEXT")]
    evidence: String,
    #[command(flatten)]
    remote: Remote,
}

impl Accreditation {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(list) => list.run(common).await,
            Self::Confirm(decision) => decision.run(common, true).await,
            Self::Reject(decision) => decision.run(common, false).await,
        }
    }
}

impl List {
    async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let client = self.remote.client(&common.load(Vec::new())?)?;
        let mut rows = client.all("/v1/accreditations").await?;
        rows.sort_by_key(|row| row["state"] != "unconfirmed");
        if self.json {
            println!("{}", serde_json::to_string_pretty(&Value::Array(rows))?);
            return Ok(ExitCode::SUCCESS);
        }
        for row in &rows {
            show(row);
        }
        if rows.is_empty() {
            println!("No provider recorded an accreditation yet.");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Decision {
    async fn run(self, common: &Common, confirm: bool) -> anyhow::Result<ExitCode> {
        let client = self.remote.client(&common.load(Vec::new())?)?;
        let path = format!("/v1/accreditations/{}/decision", self.accreditation);
        show(&client.post(&path, &json!({ "confirm": confirm, "evidence": self.evidence })).await?);
        Ok(ExitCode::SUCCESS)
    }
}

fn show(row: &Value) {
    let text = |field: &str| row[field].as_str().unwrap_or_default();
    let day = |field: &str| text(field).chars().take(10).collect::<String>();
    println!(
        "{}  {:<11}  {} {} \"{}\" of the org \"{}\", {} to {}",
        text("id"),
        text("state"),
        text("body"),
        text("provider_number"),
        text("provider"),
        text("org_name"),
        day("valid_from"),
        day("valid_until")
    );
    if !text("evidence").is_empty() {
        println!("    {}", text("evidence"));
    }
}
