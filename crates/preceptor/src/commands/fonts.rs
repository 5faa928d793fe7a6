//! `preceptor fonts`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::Common;
use crate::fonts;

#[derive(Debug, Subcommand)]
pub(super) enum Fonts {
    /// Pull the Noto fonts, so that certificates can show names in all scripts. They are used from the next start on.
    Pull {
        /// A folder with the wheels, on a machine that reaches no package index.
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
}

impl Fonts {
    pub(super) fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let Self::Pull { from } = self;
        let config = common.load(Vec::new())?;
        if let Some(folder) = fonts::find(&config) {
            println!("The fonts are in {}.", folder.display());
        } else {
            let folder = fonts::pull(&config, from.as_deref())?;
            println!("The fonts are now in {}. They are used from the next start on.", folder.display());
        }
        let missing = fonts::load(&config).missing_scripts();
        if missing.is_empty() {
            println!("Certificates can show names in every script that is checked.");
        } else {
            println!("Certificates cannot show names in {}.", missing.join(", "));
        }
        Ok(ExitCode::SUCCESS)
    }
}
