//! `preceptor keys`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Common, Remote};

/// Manage the keys of a deployment, as its operator.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Sign tokens inside the deployment with a new key. The previous key is still accepted, older ones are not.
    Rotate(Rotate),
}

/// Rotate the key of tokens.
#[derive(Debug, Args)]
#[command(
    after_help = "Takes the operator's token, which the first start prints: pass it with --token or PRECEPTOR_TOKEN.\n\
    A key that may have been stolen is retired by rotating twice."
)]
pub(super) struct Rotate {
    #[command(flatten)]
    remote: Remote,
}

impl Keys {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let Self::Rotate(Rotate { remote }) = self;
        let rotated =
            remote.client(&common.load(Vec::new())?)?.post("/v1/signing-keys/rotate", &json!({})).await?;
        let ids: Vec<&str> =
            rotated["key_ids"].as_array().into_iter().flatten().filter_map(|id| id.as_str()).collect();
        println!("Accepted, newest first: {}", ids.join(", "));
        Ok(ExitCode::SUCCESS)
    }
}
