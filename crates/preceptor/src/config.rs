//! Every setting of every service.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use preceptor_core::Secret;
use preceptor_rpc::ServiceName;
use preceptor_runtime::config::{Problem, Sources, Validate};
use preceptor_runtime::telemetry;
use serde::{Deserialize, Serialize, Serializer};

/// The file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "preceptor.toml";

/// The configuration of a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The folder of the embedded engines.
    pub data: PathBuf,
    /// The databases, where they are not files of the data folder.
    pub database: Database,
    /// Logs, traces, metrics.
    pub telemetry: telemetry::Config,
    /// The embedding model.
    pub models: Models,
    /// How services in other processes are reached.
    pub mesh: Mesh,
    /// The public edge.
    pub gateway: preceptor_gateway::Config,
    /// The control plane.
    pub auth: preceptor_auth::Config,
    /// Files and programs.
    pub ingestion: preceptor_ingestion::Config,
    /// Search.
    pub retrieval: preceptor_retrieval::Config,
    /// Answers.
    pub answering: preceptor_answering::Config,
    /// Clinicians: mail and registries.
    pub credentials: preceptor_credentials::Config,
    /// How certificates are printed.
    pub certificates: Certificates,
    /// The log.
    pub audit: preceptor_audit::Config,
    /// The processes that read files, draw pages and compose items.
    pub sandbox: preceptor_sandbox::Config,
}

impl Config {
    /// What the document of the API says of a deployment with these settings.
    pub fn terms(&self) -> preceptor_gateway::Terms {
        preceptor_gateway::Terms {
            public_url: self.gateway.public_url.clone(),
            longest_question: self.answering.longest_question,
            longest_learner_token_seconds: self.auth.longest_learner_token_seconds,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from(".preceptor"),
            database: Database::default(),
            telemetry: telemetry::Config::default(),
            models: Models::default(),
            mesh: Mesh::default(),
            gateway: preceptor_gateway::Config::default(),
            auth: preceptor_auth::Config::default(),
            ingestion: preceptor_ingestion::Config::default(),
            retrieval: preceptor_retrieval::Config::default(),
            answering: preceptor_answering::Config::default(),
            credentials: preceptor_credentials::Config::default(),
            certificates: Certificates::default(),
            audit: preceptor_audit::Config::default(),
            sandbox: preceptor_sandbox::Config::default(),
        }
    }
}

/// PostgreSQL. Without it every org is an SQLite file in the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Database {
    /// The rows of orgs: `postgres://host:port/name`. The services log in by their own roles, so it holds no password.
    pub cell: Option<String>,
    /// The control database, in the same form.
    pub control: Option<String>,
    /// A folder with one file `<role>.password` per role; `database` in the data folder when unset.
    pub secrets: Option<PathBuf>,
    /// Connections per service, for reading and for writing each.
    pub connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { cell: None, control: None, secrets: None, connections: 4 }
    }
}

impl Database {
    /// What is wrong with a URL of a database, if anything.
    fn problem(url: &str) -> Option<&'static str> {
        let Ok(parsed) = url::Url::parse(url) else {
            return Some("must be a URL such as postgres://host:5432/preceptor");
        };
        let is_near = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]") | None);
        let verifies = parsed.query_pairs().any(|(key, value)| key == "sslmode" && value == "verify-full");
        match parsed.scheme() {
            "postgres" | "postgresql" if !parsed.username().is_empty() || parsed.password().is_some() => {
                Some(
                    "must hold neither name nor password: every service logs in as its own role, with its file in database.secrets",
                )
            }
            "postgres" | "postgresql" if !is_near && !verifies => {
                Some("must end in ?sslmode=verify-full unless the server is on this machine")
            }
            "postgres" | "postgresql" => None,
            _ => Some("must begin with postgres://"),
        }
    }

    fn validate(&self, problems: &mut Vec<Problem>) {
        for (name, url) in [("cell", &self.cell), ("control", &self.control)] {
            if let Some(problem) = url.as_deref().and_then(Self::problem) {
                problems.push(Problem::at(format!("database.{name}"), problem));
            }
        }
        if self.cell.is_some() != self.control.is_some() {
            problems.push(Problem::at("database", "name both databases, cell and control, or neither"));
        }
        if self.cell.is_some() && self.cell == self.control {
            problems.push(Problem::at(
                "database.control",
                "must be another database than the cell: no service may see both",
            ));
        }
        if !(1..=1000).contains(&self.connections) {
            problems.push(Problem::at("database.connections", "must be between 1 and 1000"));
        }
    }
}

/// Where the embedding model is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Models {
    /// A folder with `config.json`, `tokenizer.json` and `model.safetensors`; the cache when unset.
    pub folder: Option<PathBuf>,
    /// Where pulled models are kept; a folder in the data folder when unset.
    pub cache: Option<PathBuf>,
    /// A model hub to pull from before pip is tried.
    pub hub: Option<String>,
}

/// How certificates are printed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificates {
    /// Folders with fonts beside those of the binary, for names in scripts that those lack. When none is named, the Noto
    /// fonts of the system are used where they are installed. Fonts that were pulled are used in any case.
    pub fonts: Vec<PathBuf>,
    /// Where `preceptor fonts pull` keeps fonts; a folder in the data folder when unset.
    pub cache: Option<PathBuf>,
}

impl Validate for Certificates {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        for folder in self.fonts.iter().filter(|folder| !folder.is_dir()) {
            problems
                .push(Problem::at(format!("{path}.fonts"), format!("{} is not a folder", folder.display())));
        }
    }
}

/// How services in other processes are reached. Only under `serve --dev`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Mesh {
    /// Per service the address on which it listens and is reached.
    pub addresses: BTreeMap<String, SocketAddr>,
    /// What the services of this deployment prove themselves with.
    #[serde(serialize_with = "redacted")]
    pub secret: Option<Secret>,
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn redacted<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_str("[redacted]"),
        None => serializer.serialize_none(),
    }
}

/// The first port of the services when addresses are not set.
const FIRST_PORT: u16 = 7400;

impl Mesh {
    /// Where a service listens and is reached.
    pub fn address(&self, service: ServiceName) -> SocketAddr {
        let place = ServiceName::ALL.iter().position(|name| *name == service).unwrap_or_default() as u16;
        self.addresses
            .get(service.name())
            .copied()
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], FIRST_PORT + place)))
    }
}

/// Whether a secret is long enough, and not the same few characters over and over.
fn is_hard_to_guess(secret: &str) -> bool {
    secret.chars().count() >= 32 && secret.chars().collect::<std::collections::BTreeSet<_>>().len() >= 10
}

impl Validate for Config {
    fn validate(&self, _path: &str, problems: &mut Vec<Problem>) {
        self.database.validate(problems);
        self.telemetry.validate("telemetry", problems);
        self.gateway.validate("gateway", problems);
        self.auth.validate("auth", problems);
        self.ingestion.validate("ingestion", problems);
        self.retrieval.validate("retrieval", problems);
        self.answering.validate("answering", problems);
        self.credentials.validate("credentials", problems);
        self.certificates.validate("certificates", problems);
        self.audit.validate("audit", problems);
        self.sandbox.validate("sandbox", problems);
        if self.mesh.secret.as_ref().is_some_and(|secret| !is_hard_to_guess(secret.expose())) {
            let what = "must have at least 32 characters, at least 10 of them different; `openssl rand -hex 32` makes one";
            problems.push(Problem::at("mesh.secret", what));
        }
        for name in self.mesh.addresses.keys() {
            if name.parse::<ServiceName>().is_err() {
                problems.push(Problem::at(format!("mesh.addresses.{name}"), "there is no such service"));
            }
        }
    }
}

impl Config {
    /// PostgreSQL, where the configuration names it.
    pub fn postgres(&self) -> Option<preceptor_store::postgres::Config> {
        let Database { cell, control, secrets, connections } = &self.database;
        Some(preceptor_store::postgres::Config {
            cell: cell.clone()?,
            control: control.clone()?,
            secrets: secrets.clone().unwrap_or_else(|| self.data.join("database")),
            connections: *connections,
        })
    }

    /// The folder of pulled models.
    pub fn model_cache(&self) -> PathBuf {
        self.models.cache.clone().unwrap_or_else(|| self.data.join("models"))
    }

    /// The folder of pulled fonts.
    pub fn font_cache(&self) -> PathBuf {
        self.certificates.cache.clone().unwrap_or_else(|| self.data.join("fonts"))
    }
}

/// Reads the configuration: defaults, then the file, then the environment, then `values` (dotted paths).
pub fn load(
    file: Option<&Path>,
    defaults: Vec<(&str, toml::Value)>,
    values: Vec<(&str, toml::Value)>,
) -> anyhow::Result<Config> {
    let mut sources = Sources::default();
    for (path, value) in defaults {
        sources = sources.with_value(path, value);
    }
    let default = Path::new(DEFAULT_FILE);
    if let Some(file) = file.or_else(|| default.exists().then_some(default)) {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        sources = sources.with_file(&file.display().to_string(), &text);
    }
    sources = sources.with_environment(std::env::vars());
    for (path, value) in values {
        sources = sources.with_value(path, value);
    }
    Ok(sources.load()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_can_be_shown_and_read_again() {
        let text = toml::to_string(&Config::default()).expect("TOML");
        let read: Config =
            Sources::default().with_file("shown", &text).load().expect("what is shown is a valid file");
        assert_eq!(toml::to_string(&read).expect("TOML"), text);
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = Config {
            mesh: Mesh { secret: Some(Secret::new("hunter2")), ..Mesh::default() },
            ..Config::default()
        };
        assert!(!toml::to_string(&config).expect("TOML").contains("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_secret_that_can_be_guessed_is_refused() {
        let load = |secret: &str| Sources::default().with_value("mesh.secret", secret).load::<Config>();
        for weak in ["x", "hunter2", &"ab".repeat(40)] {
            assert_eq!(load(weak).expect_err("refused").0[0].path, "mesh.secret");
        }
        load("5c0f1e7a9b3d4826a1b2c3d4e5f60718").expect("a good one");
    }

    #[test]
    fn every_unknown_setting_is_reported() {
        let problems = Sources::default()
            .with_file("f", "x = 1\n[gateway]\ny = 2")
            .load::<Config>()
            .expect_err("problems");
        assert_eq!(problems.0.len(), 2);
    }
}
