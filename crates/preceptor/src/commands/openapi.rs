//! `preceptor openapi`.

use std::process::ExitCode;

use super::Common;

pub(super) fn run(common: &Common) -> anyhow::Result<ExitCode> {
    let terms = common.load(Vec::new())?.terms();
    println!("{}", serde_json::to_string_pretty(&preceptor_gateway::api::openapi_of(&terms))?);
    Ok(ExitCode::SUCCESS)
}
