//! Clients that are made from the document, by generators that no one here wrote, run the whole main flow.

use std::path::Path;
use std::process::Command;

use preceptor::client::id;
use preceptor::journey::{Answers, physician};
use preceptor_testkit::local::DOSES;
use preceptor_testkit::{Local, tools};
use serde_json::json;

use crate::support::{document, succeeds};

const SECONDS: u64 = 240;

/// What a flow is run with: who is who, and a credit whose certificate is ready.
async fn arguments(local: &Local) -> Vec<String> {
    let file = preceptor::client::Upload {
        name: "doses.md".to_owned(),
        content: DOSES.as_bytes().to_vec(),
        ..Default::default()
    };
    let program =
        local.publish("Doses of anticoagulants", &["Choose the dose"], vec![file]).await.expect("a program");
    let sources = local.editor.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    local.reviewer.attest(&id(&sources[0], "id").expect("an id")).await.expect("an attestation");
    let accreditation = local.editor.accredit("Harbor Medical Education").await.expect("an accreditation");
    let offer = local.editor.designate(&program, &accreditation).await.expect("an offer");
    let items = local.editor.make_quiz(&local.reviewer, &program, 4, json!({})).await.expect("a quiz");
    let learner = local.learner(&program, "ana").await.expect("a learner");
    let statement = physician("Ana Mora", "ana@example.org");
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let attempt = learner.take_quiz(&program, &items, Answers::Right).await.expect("an attempt");
    let credit = id(&learner.claim(&attempt, &offer, 0.75).await.expect("a credit"), "id").expect("an id");
    learner.certificate(&credit).await.expect("a certificate");
    let app = local.editor.app().await.expect("an app");
    [&local.url, local.editor.token(), local.reviewer.token(), app.token(), learner.token(), &credit]
        .map(str::to_owned)
        .to_vec()
}

fn script(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("it is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_runs_the_main_flow() {
    let test = "contract::clients::a_python_client_runs_the_main_flow";
    let (Some(generator), Some(python)) =
        (tools::tool(test, "python", "openapi-python-client"), tools::tool(test, "python", "python"))
    else {
        return;
    };
    let local = Local::start(None).await.expect("a mesh");
    let (folder, path) = document(&local).await;
    let mut command = Command::new(&generator);
    // What formats the client is beside the generator; it warns about everything that it cannot express.
    let beside = generator.parent().expect("a folder").to_string_lossy().into_owned();
    command.current_dir(folder.path()).env("PATH", format!("{beside}:/usr/bin:/bin"));
    command
        .args(["generate", "--fail-on-warning", "--meta", "none", "--output-path", "client", "--path"])
        .arg(&path);
    succeeds(command, SECONDS).await;
    script(folder.path(), "main_flow.py", include_str!("main_flow.py"));
    let mut command = Command::new(python);
    command.current_dir(folder.path()).arg("main_flow.py").args(arguments(&local).await);
    assert!(succeeds(command, SECONDS).await.contains("the whole main flow"));
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_client_runs_the_main_flow_without_a_type_error() {
    let test = "contract::clients::a_typescript_client_runs_the_main_flow_without_a_type_error";
    let (Some(generator), Some(compiler)) =
        (tools::tool(test, "node", "openapi-ts"), tools::tool(test, "node", "tsc"))
    else {
        return;
    };
    let local = Local::start(None).await.expect("a mesh");
    let (folder, path) = document(&local).await;
    let mut command = Command::new(generator);
    command.current_dir(folder.path()).arg("-i").arg(&path).args([
        "-o",
        "client",
        "-c",
        "@hey-api/client-fetch",
    ]);
    succeeds(command, SECONDS).await;
    script(folder.path(), "main_flow.ts", include_str!("main_flow.ts"));
    let mut command = Command::new(compiler);
    command.current_dir(folder.path()).args([
        "--strict",
        "--noUncheckedIndexedAccess",
        "--skipLibCheck",
        "--target",
        "es2022",
    ]);
    command.args([
        "--module",
        "commonjs",
        "--moduleResolution",
        "node10",
        "--lib",
        "es2022,dom,dom.iterable",
        "--outDir",
        "out",
        "main_flow.ts",
    ]);
    succeeds(command, SECONDS).await;
    let mut command = Command::new("node");
    command.current_dir(folder.path()).arg("out/main_flow.js").args(arguments(&local).await);
    assert!(succeeds(command, SECONDS).await.contains("the whole main flow"));
    local.stop().await;
}
