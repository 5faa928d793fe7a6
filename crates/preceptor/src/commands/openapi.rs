//! `preceptor openapi`.

use std::process::ExitCode;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    println!("{}", serde_json::to_string_pretty(&preceptor_gateway::api::openapi())?);
    Ok(ExitCode::SUCCESS)
}
