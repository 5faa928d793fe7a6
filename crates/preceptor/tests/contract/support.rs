//! What these tests share.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use preceptor_testkit::Local;
use preceptor_testkit::tools::bounded;
use tempfile::TempDir;

/// A folder with the document that the mesh serves.
pub(crate) async fn document(local: &Local) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("openapi.json");
    let text = reqwest::get(format!("{}/openapi.json", local.url))
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    std::fs::write(&path, text).expect("it is written");
    (folder, path)
}

/// Runs a program off the threads that serve; its output is the message of the failure.
pub(crate) async fn succeeds(mut command: Command, seconds: u64) -> String {
    let named = format!("{command:?}");
    let ran = tokio::task::spawn_blocking(move || bounded(&mut command, Duration::from_secs(seconds)))
        .await
        .expect("a thread");
    let output = ran.unwrap_or_else(|why| panic!("{why}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{named} ended with {}:\n{said}", output.status);
    said
}
