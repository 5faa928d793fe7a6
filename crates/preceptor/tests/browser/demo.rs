//! The demo as a newcomer starts it: the binary, and the links that it prints.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long seeding may take on a busy machine.
const SEEDING: Duration = Duration::from_secs(300);

/// A running demo. Dropping it ends it.
pub(crate) struct Demo {
    _process: Child,
    _folder: TempDir,
    /// Where it is.
    pub(crate) url: String,
    links: HashMap<String, String>,
}

impl Demo {
    pub(crate) async fn start(model: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_preceptor"))
            .args(["up", "--demo", "--listen", &format!("127.0.0.1:{port}"), "--model-dir"])
            .arg(model)
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let output = process.stdout.take().expect("its output");
        let links = tokio::time::timeout(SEEDING, links(BufReader::new(output)))
            .await
            .expect("the demo is seeded in time");
        Self { _process: process, _folder: folder, url: format!("http://127.0.0.1:{port}"), links }
    }

    /// The link that opens signed in as `name`.
    pub(crate) fn link(&self, name: &str) -> &str {
        self.links.get(name).unwrap_or_else(|| panic!("no link for {name} in {:?}", self.links.keys()))
    }
}

/// Reads what is printed up to the line that says how to stop it. The rest is read on, so that nothing blocks the demo.
async fn links(output: BufReader<tokio::process::ChildStdout>) -> HashMap<String, String> {
    let (mut links, mut lines) = (HashMap::new(), output.lines());
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(url)) = (words.next(), words.next())
            && url.contains("/sign-in")
        {
            links.insert(name.to_owned(), url.to_owned());
        }
        if line.contains("Ctrl-C stops it") {
            return links;
        }
    }
    panic!("the demo ended before it was ready; it printed links for {:?}", links.keys());
}
