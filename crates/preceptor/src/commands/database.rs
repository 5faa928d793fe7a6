//! `preceptor database`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;
use crate::database;

/// Manage the databases of a deployment on PostgreSQL.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Name the databases first, without a user or a password, in preceptor.toml or the environment:\n  \
    PRECEPTOR__DATABASE__CELL=postgres://127.0.0.1:5432/preceptor_cell\n  \
    PRECEPTOR__DATABASE__CONTROL=postgres://127.0.0.1:5432/preceptor_control\n\
    `prepare` then makes a role with a password of its own for every service; `up` migrates and uses them.\n\
    Without a database every organization is an SQLite file in the data folder."
)]
pub(super) enum Database {
    /// Make what is missing: roles, one file with a password per role, and both databases.
    Prepare {
        /// Someone who may make roles and databases, for instance postgres://postgres:secret@127.0.0.1:5432/postgres.
        #[arg(long, env = "PRECEPTOR_DATABASE_ADMIN", hide_env_values = true, value_name = "URL")]
        admin: String,
    },
    /// Bring both databases up to date.
    Migrate,
    /// Check the isolation of organizations: row security, grants, keys, roles.
    Inspect,
}

impl Database {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let config = common.load(Vec::new())?;
        match self {
            Self::Prepare { admin } => {
                let prepared = database::prepare(&config, &admin).await?;
                for name in prepared.roles.iter().chain(&prepared.databases) {
                    println!("made {name}");
                }
                if let Some(postgres) = config.postgres() {
                    println!(
                        "Passwords are in {}; every service needs only its own.",
                        postgres.secrets.display()
                    );
                }
                database::migrate(&config).await?;
                println!("Both databases are up to date.");
            }
            Self::Migrate => {
                database::migrate(&config).await?;
                println!("Both databases are up to date.");
            }
            Self::Inspect => {
                let findings = database::inspect(&config).await?;
                for finding in &findings {
                    println!("{} {}", finding.object, finding.problem);
                }
                if !findings.is_empty() {
                    return Ok(ExitCode::FAILURE);
                }
                println!("All tenant isolation checks passed.");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
