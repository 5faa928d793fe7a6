//! `preceptor audit`.

use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use preceptor_audit::Verifier;
use serde_json::Value;

use super::{Common, Remote};
use crate::client::id;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Read every record of the log and recompute its root from the stored bytes.
    Verify(#[command(flatten)] Remote),
}

impl Audit {
    pub(super) async fn run(self, common: &Common) -> anyhow::Result<ExitCode> {
        let Self::Verify(remote) = self;
        let client = remote.client(&common.load(Vec::new())?)?;
        let head = client.get("/v1/audit/head").await?;
        let size = head["size"].as_u64().context("the head has no size")?;
        let root = STANDARD.decode(id(&head, "root")?)?;
        let mut verifier = Verifier::default();
        let mut read = 0;
        while read < size {
            let page = client.get(&format!("/v1/audit/leaves?from={read}")).await?;
            let leaves = page["data"].as_array().context("the log ends early")?;
            anyhow::ensure!(!leaves.is_empty(), "the log ends at {read} of {size} records");
            for leaf in leaves.iter().take((size - read) as usize) {
                add(&mut verifier, leaf)?;
                read += 1;
            }
        }
        let verified = verifier.finish(size, &root)?;
        println!("{}: {} records, root {}. Every record is as it was appended.", id(&head, "origin")?, verified.size, id(&head, "root")?);
        Ok(ExitCode::SUCCESS)
    }
}

fn add(verifier: &mut Verifier, leaf: &Value) -> anyhow::Result<()> {
    let record = STANDARD.decode(id(leaf, "record")?)?;
    let hash = STANDARD.decode(id(leaf, "leaf_hash")?)?;
    Ok(verifier.leaf(leaf["index"].as_u64().context("a record has no index")?, &record, &hash)?)
}
