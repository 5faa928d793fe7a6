//! schemathesis: whatever fits the document, and what does not, as an admin, as a learner and as nobody.

use std::path::Path;
use std::process::Command;

use preceptor_testkit::local::DOSES;
use preceptor_testkit::{Local, tools};

use crate::support::succeeds;

/// The same requests on every run.
const SEED: &str = "7";
/// How long each of the three may take, in seconds.
const TIME: &str = "25";
/// Beyond that, something hangs.
const MOST: u64 = 240;
/// No failure of ours, nothing that the document does not have, nothing in another shape than it says, nothing that a
/// stranger may do.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,negative_data_rejection";

fn run(program: &Path, url: &str, token: Option<&str>) -> Command {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let mut command = Command::new(program);
    command.current_dir(&folder).env("NO_COLOR", "1").arg("run").arg(format!("{url}/openapi.json"));
    command.args([
        "--seed",
        SEED,
        "--max-time",
        TIME,
        "--checks",
        CHECKS,
        "--phases",
        "examples,coverage,fuzzing",
    ]);
    command.args([
        "--no-shrink",
        "--continue-on-failure",
        "--suppress-health-check",
        "all",
        "--request-timeout",
        "20",
        "--workers",
        "1",
    ]);
    if let Some(token) = token {
        command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    }
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fuzzer_finds_nothing_that_the_document_does_not_say() {
    let Some(program) = tools::tool("contract::fuzz", "python", "st") else { return };
    let local = Local::start(None).await.expect("a mesh");
    let file = preceptor::client::Upload {
        name: "doses.md".to_owned(),
        content: DOSES.as_bytes().to_vec(),
        ..Default::default()
    };
    let program_id = local.publish("Doses", &["Name the usual doses"], vec![file]).await.expect("a program");
    let learner = local.learner(&program_id, "fuzzed").await.expect("a learner");
    let tokens = [Some(local.editor.token()), Some(learner.token()), None];
    let runs = tokens.map(|token| succeeds(run(&program, &local.url, token), MOST));
    futures::future::join_all(runs).await;
    assert!(local.editor.get(&format!("/v1/programs/{program_id}")).await.is_ok(), "it still serves");
    local.stop().await;
}
