//! The document is valid for those who check documents.

use std::process::Command;

use preceptor_testkit::{Local, tools};

use crate::support::{document, succeeds};

const SECONDS: u64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn validators_find_no_error() {
    let programs = [("python", "openapi-spec-validator"), ("node", "redocly"), ("node", "spectral")];
    let found = programs.map(|(kind, name)| {
        tools::tool(&format!("contract::document::validators_find_no_error ({name})"), kind, name)
    });
    let local = Local::start(None).await.expect("a mesh");
    let (folder, path) = document(&local).await;
    let [validator, redocly, spectral] = found;
    if let Some(program) = validator {
        let mut command = Command::new(program);
        command.arg(&path);
        succeeds(command, SECONDS).await;
    }
    if let Some(program) = redocly {
        let mut command = Command::new(program);
        command.current_dir(folder.path()).env("REDOCLY_TELEMETRY", "off").arg("lint").arg(&path);
        succeeds(command, SECONDS).await;
    }
    if let Some(program) = spectral {
        std::fs::write(folder.path().join("rules.yaml"), "extends: spectral:oas\n").expect("rules");
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .args(["lint", "--fail-severity=error", "--ruleset", "rules.yaml"])
            .arg(&path);
        succeeds(command, SECONDS).await;
    }
    local.stop().await;
}
