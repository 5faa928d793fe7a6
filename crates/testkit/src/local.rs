//! A mesh on a temporary folder, with the staff that every journey through the public surface needs.

use std::path::PathBuf;

use anyhow::Context as _;
use preceptor::client::{Client, Upload, id};
use preceptor::config::Config;
use preceptor::mesh::{Mesh, Plan};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Limits are tested where they are made.
const NO_LIMIT: u32 = 1_000_000;

/// A running mesh with an editor and a reviewer.
#[derive(Debug)]
pub struct Local {
    /// The mesh.
    pub mesh: Mesh,
    /// Creates orgs.
    pub operator: Client,
    /// The first org's admin.
    pub editor: Client,
    /// The first org's reviewer.
    pub reviewer: Client,
    /// Where the mesh is.
    pub url: String,
    folder: TempDir,
}

impl Local {
    /// Starts a mesh with the model in `model`, or without one.
    pub async fn start(model: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        config.gateway.listen = ([127, 0, 0, 1], 0).into();
        config.gateway.requests_per_minute = NO_LIMIT;
        config.gateway.questions_per_minute = NO_LIMIT;
        let embedder = match model {
            Some(folder) => Some(preceptor::model::load(&folder).await?),
            None => None,
        };
        let mesh = Mesh::start(config, Plan::whole(), embedder).await?;
        let url = format!("http://{}", mesh.address.context("the mesh has no address")?);
        let first = mesh.first_start.as_ref().context("a new folder is a first start")?;
        let editor = Client::new(&url, first.admin_token.clone())?;
        let operator = editor.with_token(first.operator_token.expose());
        let reviewer = hire(&editor, "reviewer").await?;
        Ok(Self { mesh, operator, editor, reviewer, url, folder })
    }

    /// The folder of the mesh's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Creates another org; returns its admin and its reviewer.
    pub async fn other_org(&self, name: &str) -> anyhow::Result<(Client, Client)> {
        let created = self.operator.post("/v1/orgs", &json!({ "name": name, "admin_name": "Admin" })).await?;
        let admin = self.editor.with_token(id(&created, "admin_token")?);
        let reviewer = hire(&admin, "reviewer").await?;
        Ok((admin, reviewer))
    }

    /// Creates a program with approved sources and publishes it; returns its id.
    pub async fn publish(&self, title: &str, objectives: &[&str], files: Vec<Upload>) -> anyhow::Result<String> {
        publish(&self.editor, &self.reviewer, title, objectives, files).await
    }

    /// A client that asks as a learner of a program.
    pub async fn learner(&self, program: &str, name: &str) -> anyhow::Result<Client> {
        learner(&self.editor, program, name).await
    }

    /// Stops the mesh.
    pub async fn stop(self) {
        self.mesh.stop().await;
    }
}

/// Adds a member of staff; returns their client.
pub async fn hire(admin: &Client, role: &str) -> anyhow::Result<Client> {
    let created = admin.post("/v1/staff", &json!({ "name": role, "role": role })).await?;
    Ok(admin.with_token(id(&created, "token")?))
}

/// A client that asks as a learner of a program.
pub async fn learner(editor: &Client, program: &str, name: &str) -> anyhow::Result<Client> {
    let issued = editor.post(&format!("/v1/programs/{program}/learners"), &json!({ "user_hash": name })).await?;
    Ok(editor.with_token(id(&issued, "token")?))
}

/// Uploads a file, hands it to review and approves it; returns the source.
pub async fn approve(editor: &Client, reviewer: &Client, program: &str, upload: Upload) -> anyhow::Result<Value> {
    let source = id(&editor.upload(program, upload).await?, "id")?;
    editor.wait_for_source(&source, |_| {}).await?;
    editor.post(&format!("/v1/sources/{source}/submit"), &json!({})).await?;
    let decision = json!({ "approve": true, "reason": "read in full" });
    reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await
}

/// Creates a program with approved sources and publishes it; returns its id.
pub async fn publish(editor: &Client, reviewer: &Client, title: &str, objectives: &[&str], files: Vec<Upload>) -> anyhow::Result<String> {
    let created = editor.post("/v1/programs", &json!({ "title": title, "objectives": objectives })).await?;
    let program = id(&created, "id")?;
    for file in files {
        let name = file.name.clone();
        approve(editor, reviewer, &program, file).await.context(name)?;
    }
    editor.post(&format!("/v1/programs/{program}/publish"), &json!({ "reason": "first version" })).await?;
    editor.wait_for_publication(&program, |_| {}).await?;
    Ok(program)
}
