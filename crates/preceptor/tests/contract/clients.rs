//! Clients that are made from the document, by generators that nobody here wrote.

use std::process::Command;

use preceptor_testkit::{Local, tools};

use crate::support::{document, succeeds};

const SECONDS: u64 = 180;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_is_made_and_drops_nothing() {
    let Some(program) = tools::tool("contract::clients::python", "python", "openapi-python-client") else { return };
    let local = Local::start(None).await.expect("a mesh");
    let (folder, path) = document(&local).await;
    let mut command = Command::new(program);
    command
        .current_dir(folder.path())
        .args(["generate", "--fail-on-warning", "--meta", "none", "--output-path", "client", "--path"])
        .arg(&path);
    succeeds(command, SECONDS).await;
    let python = tools::tool("contract::clients::python", "python", "python").expect("what installed the generator");
    let mut command = Command::new(python);
    command.current_dir(folder.path()).arg("-c").arg(
        "import client\nfrom client.api.credits_ import get_certificate\nfrom client.api.programs import create_program, list_programs\n",
    );
    succeeds(command, SECONDS).await;
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_client_is_made_and_is_strict() {
    let test = "contract::clients::typescript";
    let (Some(generator), Some(compiler)) = (tools::tool(test, "node", "openapi-ts"), tools::tool(test, "node", "tsc")) else { return };
    let local = Local::start(None).await.expect("a mesh");
    let (folder, path) = document(&local).await;
    let mut command = Command::new(generator);
    command.current_dir(folder.path()).arg("-i").arg(&path).args(["-o", "client", "-c", "@hey-api/client-fetch"]);
    succeeds(command, SECONDS).await;
    let mut command = Command::new(compiler);
    command.current_dir(folder.path()).args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]);
    command.args(["--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable", "client/index.ts"]);
    succeeds(command, SECONDS).await;
    local.stop().await;
}
