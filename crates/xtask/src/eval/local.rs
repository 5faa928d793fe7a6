//! A mesh on a temporary folder with its staff, as every measurement and test of the public surface needs it.

use std::collections::HashMap;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use preceptor::client::{Client, Upload, id};
use preceptor::config::Config;
use preceptor::mesh::{Mesh, Plan};
use serde_json::json;
use tempfile::TempDir;

use super::Options;
use crate::data::Program;

/// Uploads that are under way at the same time.
const UPLOADS: usize = 8;
/// Limits are not what is measured.
const NO_LIMIT: u32 = 1_000_000;

/// A running mesh with an editor and a reviewer.
pub(crate) struct Local {
    mesh: Mesh,
    pub(crate) editor: Client,
    reviewer: Client,
    _folder: TempDir,
}

/// A program that is published.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) id: String,
    /// A client that asks as a learner.
    pub(crate) learner: Client,
    /// The program's objectives, as the API names them.
    pub(crate) objectives: Vec<String>,
}

impl Local {
    pub(crate) async fn start(options: &Options) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        config.gateway.listen = ([127, 0, 0, 1], 0).into();
        config.gateway.requests_per_minute = NO_LIMIT;
        config.gateway.questions_per_minute = NO_LIMIT;
        config.models.folder.clone_from(&options.model_dir);
        // Pulled once for all measurements.
        config.models.cache = Some(Config::default().model_cache());
        let embedder = if options.no_model { None } else { Some(preceptor::model::find_or_pull(&config).await?) };
        let mesh = Mesh::start(config, Plan::whole(), embedder).await?;
        let address = mesh.address.context("the mesh has no address")?;
        let admin = mesh.first_start.as_ref().context("a new folder is a first start")?.admin_token.clone();
        let editor = Client::new(&format!("http://{address}"), admin)?;
        let created = editor.post("/v1/staff", &json!({ "name": "Reviewer", "role": "reviewer" })).await?;
        let reviewer = editor.with_token(id(&created, "token")?);
        Ok(Self { mesh, editor, reviewer, _folder: folder })
    }

    /// Loads programs, each source one document, and publishes each program.
    pub(crate) async fn publish_all(&self, programs: &[Program]) -> anyhow::Result<HashMap<String, Published>> {
        let bar = ProgressBar::new(programs.iter().map(|program| program.sources.len() as u64).sum());
        let published = stream::iter(programs)
            .map(|program| async {
                let published = self.publish(program, &bar).await.with_context(|| program.program.clone())?;
                Ok::<_, anyhow::Error>((program.program.clone(), published))
            })
            .buffer_unordered(2)
            .try_collect()
            .await;
        bar.finish_and_clear();
        published
    }

    async fn publish(&self, program: &Program, bar: &ProgressBar) -> anyhow::Result<Published> {
        let objectives: Vec<_> = program.objectives.iter().map(|objective| objective.text.clone()).collect();
        let title = if program.title.is_empty() { &program.program } else { &program.title };
        let created = self.editor.post("/v1/programs", &json!({ "title": title, "objectives": objectives })).await?;
        let program_id = id(&created, "id")?;
        stream::iter(&program.sources)
            .map(|source| async {
                let name = format!("{}.json", source.id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>());
                let upload = Upload { name, content: source.document()?, external_id: Some(source.id.clone()), ..Upload::default() };
                self.approve(&program_id, upload).await.with_context(|| source.id.clone())?;
                bar.inc(1);
                Ok::<_, anyhow::Error>(())
            })
            .buffered(UPLOADS)
            .try_collect::<Vec<()>>()
            .await?;
        self.editor.post(&format!("/v1/programs/{program_id}/publish"), &json!({ "reason": "measured" })).await?;
        self.editor.wait_for_publication(&program_id, |_| {}).await?;
        let token = self.editor.post(&format!("/v1/programs/{program_id}/learners"), &json!({ "user_hash": "measure" })).await?;
        let names = created["objectives"].as_array().into_iter().flatten().map(|objective| id(objective, "id"));
        Ok(Published { learner: self.editor.with_token(id(&token, "token")?), objectives: names.collect::<Result<_, _>>()?, id: program_id })
    }

    /// Uploads a file, hands it to review and approves it.
    async fn approve(&self, program: &str, upload: Upload) -> anyhow::Result<()> {
        let source = id(&self.editor.upload(program, upload).await?, "id")?;
        self.editor.wait_for_source(&source, |_| {}).await?;
        self.editor.post(&format!("/v1/sources/{source}/submit"), &json!({})).await?;
        let decision = json!({ "approve": true, "reason": "measured" });
        self.reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await?;
        Ok(())
    }

    pub(crate) async fn stop(self) {
        self.mesh.stop().await;
    }
}
