//! A mesh on a temporary folder or a real database, with the staff that every journey through the public surface needs.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use preceptor::client::{Client, Upload, id};
use preceptor::config::Config;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::clock::ShiftedClock;
use preceptor_core::id::OrgId;
use preceptor_standins::{MailCatcher, Registries};
use serde_json::json;
use tempfile::TempDir;

use crate::contract::Contract;
use crate::postgres::{Server, server};

/// Which engine holds the tables.
#[derive(Debug, Clone)]
pub enum Store {
    /// SQLite files.
    Files,
    /// Databases of their own on a server.
    Postgres(Arc<Server>),
}

impl Store {
    /// The server that tests share, or a skip of `test`.
    pub fn postgres(test: &str) -> Option<Self> {
        server(test).map(Self::Postgres)
    }

    /// Starts a mesh on this engine.
    pub async fn mesh(&self) -> anyhow::Result<Local> {
        self.mesh_with(None, |_| {}).await
    }

    /// The same with a model and settings of the caller's own.
    pub async fn mesh_with(
        &self,
        model: Option<PathBuf>,
        settings: impl FnOnce(&mut Config),
    ) -> anyhow::Result<Local> {
        Box::pin(Local::start_on(self.clone(), model, settings)).await
    }

    /// A configuration with databases that no one else uses and that are still empty.
    pub async fn prepared(&self) -> anyhow::Result<Config> {
        let mut config = Config::default();
        self.name(&mut config).await?;
        Ok(config)
    }

    /// Names databases that no one else uses, and makes them.
    async fn name(&self, config: &mut Config) -> anyhow::Result<()> {
        let Self::Postgres(server) = self else { return Ok(()) };
        let name = OrgId::generate().to_string();
        config.database.cell = Some(server.url(&format!("cell_{name}")));
        config.database.control = Some(server.url(&format!("control_{name}")));
        config.database.secrets = Some(server.secrets());
        config.database.connections = CONNECTIONS;
        preceptor::database::prepare(config, &server.admin_url("postgres")).await?;
        Ok(())
    }
}

/// The same tests on both engines: each takes the [`Store`] that it runs on.
#[macro_export]
macro_rules! on_both_stores {
    ($($name:ident)+) => {
        mod on_files {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::local::Store::Files).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                let Some(store) = $crate::local::Store::postgres(test) else { return };
                super::$name(store).await;
            })+
        }
    };
}

/// Few, so that the one who waits for a second one while holding the first is found out.
const CONNECTIONS: u32 = 2;
/// Statements with numbers and drugs, so that items can be made from them.
pub const DOSES: &str = "# Doses of anticoagulants\n\n## Starting\n\nThe usual starting dose of apixaban in most adults is 5 mg taken twice a day. \
    Rivaroxaban is given to adults as 20 mg taken once a day with the evening meal. Dabigatran capsules hold 150 mg of the drug and are swallowed whole with water.\n\n\
    ## Kidneys\n\nEdoxaban is reduced to 30 mg once a day when the function of the kidneys is poor. Older adults with a low body weight receive 2.5 mg of the drug apixaban twice a day.\n\n\
    ## Procedures\n\nBefore a procedure with a high risk of bleeding warfarin is omitted for 5 days in most people. Bleeding within the brain was seen in 2 percent of people who took heparin.\n";

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
    /// Registries on this machine that know what a test tells them.
    pub registries: Registries,
    /// A mail server on this machine.
    pub mail: MailCatcher,
    /// The clock of the mesh: moved forward, it ends what ends with time.
    pub clock: Arc<ShiftedClock>,
    /// What the mesh says of its own API: every answer to the clients above is compared with it.
    pub contract: Arc<Contract>,
    folder: TempDir,
    /// What it was started with.
    pub config: Config,
    // Its server has to outlive the mesh.
    _store: Store,
}

impl Local {
    /// Starts a mesh with the model in `model`, or without one.
    pub async fn start(model: Option<PathBuf>) -> anyhow::Result<Self> {
        Self::start_with(model, |_| {}).await
    }

    /// The same with settings of the caller's own.
    pub async fn start_with(
        model: Option<PathBuf>,
        settings: impl FnOnce(&mut Config),
    ) -> anyhow::Result<Self> {
        Box::pin(Self::start_on(Store::Files, model, settings)).await
    }

    async fn start_on(
        store: Store,
        model: Option<PathBuf>,
        settings: impl FnOnce(&mut Config),
    ) -> anyhow::Result<Self> {
        let (registries, mail) = (Registries::start().await?, MailCatcher::start().await?);
        let folder = tempfile::tempdir()?;
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        // Which names can be printed does not depend on the fonts of this machine.
        let no_fonts = folder.path().join("no-fonts");
        std::fs::create_dir(&no_fonts)?;
        config.certificates.fonts = vec![no_fonts];
        config.gateway.listen = ([127, 0, 0, 1], 0).into();
        config.gateway.requests_per_minute = NO_LIMIT;
        config.gateway.questions_per_minute = NO_LIMIT;
        config.gateway.sign_ins_per_minute = NO_LIMIT;
        config.gateway.look_ups_per_minute = NO_LIMIT;
        config.gateway.refusals_per_minute = NO_LIMIT;
        config.gateway.public_requests_per_minute = NO_LIMIT;
        config.ingestion.pubmed_url = registries.pubmed_url();
        config.ingestion.crossref_url = registries.crossref_url();
        config.credentials.npi_registry = registries.npi_url();
        config.credentials.smtp = mail.url();
        store.name(&mut config).await?;
        settings(&mut config);
        let embedder = match model {
            Some(folder) => Some(preceptor::model::load(&folder).await?),
            None => None,
        };
        let clock = Arc::<ShiftedClock>::default();
        let mesh = Box::pin(Mesh::start_at(config.clone(), Plan::whole(), embedder, Arc::clone(&clock) as _))
            .await?;
        let url = format!("http://{}", mesh.address.context("the mesh has no address")?);
        let first = mesh.first_start.as_ref().context("a new folder is a first start")?;
        let contract = Arc::new(Contract::served_at(&url).await?);
        let editor = Client::new(&url, first.admin_token.clone())?.watched(Arc::clone(&contract) as _);
        let operator = editor.with_token(first.operator_token.expose());
        let reviewer = editor.hire("reviewer", "reviewer").await?;
        Ok(Self {
            mesh,
            operator,
            editor,
            reviewer,
            url,
            registries,
            mail,
            clock,
            contract,
            folder,
            config,
            _store: store,
        })
    }

    /// The folder of the mesh's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Creates another org; returns its admin and its reviewer.
    pub async fn other_org(&self, name: &str) -> anyhow::Result<(Client, Client)> {
        let created = self.operator.post("/v1/orgs", &json!({ "name": name, "admin_name": "Admin" })).await?;
        let admin = self.editor.with_token(id(&created, "admin_token")?);
        let reviewer = admin.hire("reviewer", "reviewer").await?;
        Ok((admin, reviewer))
    }

    /// Creates a program with approved sources and publishes it; returns its id.
    pub async fn publish(
        &self,
        title: &str,
        objectives: &[&str],
        files: Vec<Upload>,
    ) -> anyhow::Result<String> {
        publish(&self.editor, &self.reviewer, title, objectives, files).await
    }

    /// A client that asks as a learner of a program.
    pub async fn learner(&self, program: &str, name: &str) -> anyhow::Result<Client> {
        self.editor.learner(program, name).await
    }

    /// Stops the mesh.
    pub async fn stop(self) {
        self.mesh.stop().await;
    }
}

/// Creates a program with approved sources and publishes it; returns its id.
pub async fn publish(
    editor: &Client,
    reviewer: &Client,
    title: &str,
    objectives: &[&str],
    files: Vec<Upload>,
) -> anyhow::Result<String> {
    let created = editor.post("/v1/programs", &json!({ "title": title, "objectives": objectives })).await?;
    let program = id(&created, "id")?;
    for file in files {
        editor.add_source(reviewer, &program, file, "read in full").await?;
    }
    editor.publish(&program, "first version").await?;
    Ok(program)
}
