//! `preceptor config`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Common;

#[derive(Debug, Subcommand)]
pub(super) enum Configuration {
    /// Read the configuration and report everything that is wrong with it.
    Check,
    /// Show every setting as it applies, secrets redacted.
    Show,
}

impl Configuration {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let config = common.load(Vec::new())?;
        match self {
            Self::Check => println!("The configuration is valid."),
            Self::Show => print!("{}", toml::to_string(&config)?),
        }
        Ok(ExitCode::SUCCESS)
    }
}
