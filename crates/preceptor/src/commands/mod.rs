//! What the binary can do.

mod accreditation;
mod ask;
mod audit;
mod configuration;
mod credit;
mod database;
mod fonts;
mod ingest;
mod keys;
mod models;
mod openapi;
mod operator;
mod serve;
mod up;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use preceptor_core::Secret;
use preceptor_runtime::config::Problems;

use crate::client::Client;
use crate::config::{self, Config};

/// `EX_USAGE` of sysexits.h: starting again will not help.
const BAD_CONFIGURATION: u8 = 64;
/// Where the admin's token is kept for the command line.
pub(crate) const ADMIN_TOKEN_FILE: &str = "admin.token";

/// Accredited programs that answer questions from their approved sources.
#[derive(Debug, Parser)]
#[command(
    name = "preceptor",
    version,
    after_help = "Begin with `preceptor up --demo`: it starts everything in one process, seeds a program, and prints links that open signed in.\n\
        Then `preceptor ask \"…\" --program prog_…` asks from the command line, and `preceptor ingest FILE… --program prog_…` adds sources."
)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Settings of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The configuration file. `preceptor.toml` is read when it exists and none is named.
    #[arg(long, global = true, env = "PRECEPTOR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the embedded engines.
    #[arg(long, global = true, env = "PRECEPTOR_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl Common {
    /// The configuration with this command's own values on top.
    pub(crate) fn load(&self, values: Vec<(&str, toml::Value)>) -> anyhow::Result<Config> {
        self.load_over(Vec::new(), values)
    }

    /// The same, with other defaults below everything.
    pub(crate) fn load_over(
        &self,
        defaults: Vec<(&str, toml::Value)>,
        mut values: Vec<(&str, toml::Value)>,
    ) -> anyhow::Result<Config> {
        if let Some(data) = &self.data {
            values.push(("data", data.display().to_string().into()));
        }
        config::load(self.config.as_deref(), defaults, values)
    }
}

/// Which server is asked, and as whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// The server.
    #[arg(long, env = "PRECEPTOR_SERVER", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    server: String,
    /// An API or learner token. The admin's token in the data folder is used when none is given.
    #[arg(long, env = "PRECEPTOR_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl Remote {
    pub(crate) fn client(&self, config: &Config) -> anyhow::Result<Client> {
        let token = if let Some(token) = &self.token {
            token.clone()
        } else {
            let path = config.data.join(ADMIN_TOKEN_FILE);
            std::fs::read_to_string(&path).with_context(|| {
                format!(
                    "no token was given and {} cannot be read; pass --token, or run `preceptor up` first",
                    path.display()
                )
            })?
        };
        Client::new(&self.server, Secret::new(token.trim()))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole mesh in this process, on embedded engines.
    Up(up::Up),
    /// Run some services in this process and reach the others over the network (development only).
    Serve(serve::Serve),
    /// Add files to a program.
    Ingest(ingest::Ingest),
    /// Ask a program a question.
    Ask(ask::Ask),
    /// Check a certificate, with no network and no database.
    Verify(verify::Verify),
    /// Confirm or reject what providers say of their accreditation, as the operator.
    #[command(subcommand)]
    Accreditation(accreditation::Accreditation),
    /// Look at credits.
    #[command(subcommand)]
    Credit(credit::Credit),
    /// Check the append-only log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Restore access from the machine that runs the deployment.
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Manage the databases of a deployment on PostgreSQL.
    #[command(subcommand)]
    Database(database::Database),
    /// Manage the keys of a deployment.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Manage embedding models.
    #[command(subcommand)]
    Models(models::Models),
    /// Manage the fonts of certificates.
    #[command(subcommand)]
    Fonts(fonts::Fonts),
    /// Check and show the configuration.
    #[command(subcommand)]
    Config(configuration::Configuration),
    /// Print the OpenAPI document of the public API.
    Openapi,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // A child has neither arguments nor a runtime of its own.
    if let Some(code) = crate::worker::run_if_asked() {
        return code;
    }
    // Before anything is written and any thread begun.
    preceptor_runtime::private::write_privately();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // No one is left to tell when even this cannot be written.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::SUCCESS };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("preceptor: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(cli));
    // Blocking work that no one waits for any more must not hold the exit back.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("preceptor: {error:#}");
            if error.is::<Problems>() { ExitCode::from(BAD_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let common = cli.common;
    match cli.command {
        Command::Up(command) => command.run(&common).await,
        Command::Serve(command) => command.run(&common).await,
        Command::Ingest(command) => command.run(&common).await,
        Command::Ask(command) => command.run(&common).await,
        Command::Verify(command) => command.run(&common),
        Command::Accreditation(command) => command.run(&common).await,
        Command::Credit(command) => command.run(&common).await,
        Command::Audit(command) => command.run(&common).await,
        Command::Operator(command) => command.run(&common).await,
        Command::Database(command) => command.run(&common).await,
        Command::Keys(command) => command.run(&common).await,
        Command::Models(command) => command.run(&common).await,
        Command::Fonts(command) => command.run(&common),
        Command::Config(command) => command.run(&common),
        Command::Openapi => openapi::run(&common),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
