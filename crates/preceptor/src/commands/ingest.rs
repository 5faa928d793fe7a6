//! `preceptor ingest`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Common, Remote};
use crate::client::{Client, Upload, id};

/// Add files to a program.
#[derive(Debug, Args)]
#[command(
    after_help = "Plain text, Markdown, PDF, PPTX, JATS XML, WebVTT and SRT are read. A file that cannot be read is reported with what to do,\n\
    and the others go on. Sources are drafts until someone other than their author approves them."
)]
pub(super) struct Ingest {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The program: its id, or its exact title.
    #[arg(long, value_name = "PROGRAM")]
    program: String,
    /// Create the program if none has this title.
    #[arg(long)]
    create: bool,
    /// Hand the sources to review once they are read.
    #[arg(long)]
    submit: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Ingest {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let client = self.remote.client(&common.load(Vec::new())?)?;
        let program = self.program(&client).await?;
        let mut failed = 0_usize;
        for file in &self.files {
            if let Err(error) = self.ingest(&client, &program, file).await {
                eprintln!("{}: {error:#}", file.display());
                failed += 1;
            }
        }
        println!("{} of {} files were read into {program}.", self.files.len() - failed, self.files.len());
        if !self.submit && failed < self.files.len() {
            println!("Next: submit and approve them in the console, or repeat with --submit.");
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn program(&self, client: &Client) -> anyhow::Result<String> {
        if self.program.starts_with("prog_") {
            return Ok(self.program.clone());
        }
        let known = client.all("/v1/programs").await?;
        if let Some(found) = known.iter().find(|program| program["title"] == self.program.as_str()) {
            return id(found, "id");
        }
        if !self.create {
            anyhow::bail!("there is no program titled {:?}; add --create to make it", self.program);
        }
        id(&client.post("/v1/programs", &json!({ "title": self.program })).await?, "id")
    }

    async fn ingest(&self, client: &Client, program: &str, file: &Path) -> anyhow::Result<()> {
        let bar = ProgressBar::new(0);
        bar.set_style(ProgressStyle::with_template("{prefix} {wide_bar} {msg}").context("a fixed template")?);
        bar.set_prefix(file.file_name().unwrap_or_default().to_string_lossy().into_owned());
        bar.set_message("sending");
        let source = client.upload(program, Upload::read(file)?).await?;
        let source = client.wait_for_source(&id(&source, "id")?, |state| show(&bar, state)).await?;
        bar.finish_and_clear();
        let note = |note: &Value| format!("\n  note: {}", note.as_str().unwrap_or_default());
        let notes: String = source["notes"].as_array().into_iter().flatten().map(note).collect();
        println!("{}: {} passages, {}{notes}", file.display(), source["passages"], id(&source, "id")?);
        if self.submit {
            client.post(&format!("/v1/sources/{}/submit", id(&source, "id")?), &json!({})).await?;
        }
        Ok(())
    }
}

fn show(bar: &ProgressBar, state: &Value) {
    let progress = &state["progress"];
    bar.set_length(progress["total"].as_u64().unwrap_or(0));
    bar.set_position(progress["done"].as_u64().unwrap_or(0));
    bar.set_message(progress["stage"].as_str().unwrap_or_default().to_owned());
}
