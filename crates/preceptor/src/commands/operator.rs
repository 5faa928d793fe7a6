//! `preceptor operator`: restores access from the machine that runs the deployment.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use preceptor_core::id::OrgId;
use preceptor_core::{Clock, SystemClock};

use super::{ADMIN_TOKEN_FILE, Common};
use crate::engines::{Engines, Sharing, write_private};
use crate::mesh::auth_deps;

/// Restore access from the machine that runs the deployment. Every token ends after 90 days at the latest.
#[derive(Debug, Subcommand)]
#[command(after_help = "The folder must not be in use: stop the server first.")]
pub(super) enum Operator {
    /// Issue a new token of the operator, in place of all earlier ones.
    Token,
    /// Issue a token of an organization's admin, and keep it for the command line.
    AdminToken {
        /// The organization.
        #[arg(long, value_name = "ORG")]
        org: OrgId,
    },
}

impl Operator {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let config = common.load(Vec::new())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let engines = Engines::open(&config, Sharing::Alone, clock).await?;
        let deps = auth_deps(&engines, &config)?;
        let outcome = match self {
            Self::Token => preceptor_auth::renew_operator(&deps, &config.auth)
                .await
                .map(|token| ("operator".to_owned(), token)),
            Self::AdminToken { org } => preceptor_auth::let_admin_in(&deps, &config.auth, org).await,
        };
        engines.close().await;
        let (holder, token) = outcome?;
        if holder != "operator" {
            write_private(&config.data.join(ADMIN_TOKEN_FILE), token.expose())?;
        }
        println!("{holder}   {}", token.expose());
        Ok(ExitCode::SUCCESS)
    }
}
