//! The process is killed while it reads a file: after one death the file is read, after two it is left alone.

use std::path::PathBuf;

use preceptor::client::{Client, id};
use serde_json::{Value, json};

use super::process::{Process, Program};
use crate::support::{WARFARIN, eventually, markdown};

/// Where a reader is held: it has the job, and has not opened the file.
const POINT: &str = "source.reading";

/// A process, an org of it, and where its readers are held.
struct Stage {
    program: Program,
    pauses: PathBuf,
    org: String,
    admin: Client,
    source: String,
}

impl Stage {
    /// A file is uploaded; its reader is held.
    async fn set(folder: &std::path::Path) -> (Self, Process) {
        let pauses = folder.join("pauses");
        std::fs::create_dir_all(&pauses).expect("a folder");
        let program = Program::new(folder, vec![("PRECEPTOR_PAUSE_FOLDER", pauses.display().to_string())]);
        let process = program.start();
        let first = program.admin().await;
        let operator = first.with_token(&program.operator_token().await);
        let created = operator
            .post("/v1/orgs", &json!({ "name": "Held", "admin_name": "Admin" }))
            .await
            .expect("an org");
        let (org, token) =
            (id(&created["org"], "id").expect("an id"), id(&created, "admin_token").expect("a token"));
        let admin = operator.with_token(&token);
        let of = id(&admin.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id")
            .expect("an id");
        let mut stage = Self { program, pauses, org, admin, source: String::new() };
        stage.hold();
        let source = stage.admin.upload(&of, markdown("warfarin.md", WARFARIN)).await.expect("it is taken");
        stage.source = id(&source, "id").expect("an id");
        stage.reached().await;
        (stage, process)
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.pauses.join(format!("{POINT}@{}{suffix}", self.org))
    }

    /// Has the next reader of the org held.
    fn hold(&self) {
        let _ = std::fs::remove_file(self.file(".reached"));
        std::fs::write(self.file(""), "").expect("a file");
    }

    async fn reached(&self) {
        eventually("the reader at its point", async || self.file(".reached").exists().then_some(())).await;
    }

    async fn settled(&self) -> Value {
        eventually("the end of the reading", async || {
            let source = self.admin.get(&format!("/v1/sources/{}", self.source)).await.ok()?;
            (source["state"] != "extracting").then_some(source)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_being_read_is_read_after_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, process) = Stage::set(folder.path()).await;
    drop(process);
    std::fs::remove_file(stage.file(".reached")).expect("a file");
    let _process = stage.program.start();
    assert_eq!(stage.settled().await["state"], "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_two_processes_died_of_is_not_opened_a_third_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stage, process) = Stage::set(folder.path()).await;
    drop(process);
    stage.hold();
    let second = stage.program.start();
    stage.reached().await;
    drop(second);
    stage.hold();
    let _third = stage.program.start();
    let failed = stage.settled().await;
    assert_eq!(
        (failed["state"].as_str(), failed["problem"]["code"].as_str()),
        (Some("failed"), Some("FILE_TOO_COSTLY")),
        "{failed}"
    );
    assert!(stage.file("").exists(), "nobody came to the point a third time");
}
