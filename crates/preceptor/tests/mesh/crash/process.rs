//! The binary as a process that can be killed.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use preceptor::client::Client;
use preceptor_core::Secret;

use crate::support::eventually;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

/// How the binary is started, time and again.
pub(super) struct Program {
    folder: PathBuf,
    port: u16,
    variables: Vec<(&'static str, String)>,
}

/// A run of it. Dropping it kills it.
pub(super) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing of it may run any more.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    pub(super) fn new(folder: &Path, variables: Vec<(&'static str, String)>) -> Self {
        // A data folder that others can read is refused.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .expect("a folder of one's own");
        Self { folder: folder.to_owned(), port: free_port(), variables }
    }

    /// Where what it printed is.
    fn printed(&self) -> PathBuf {
        self.folder.join("printed")
    }

    pub(super) fn start(&self) -> Process {
        let printed =
            std::fs::OpenOptions::new().create(true).append(true).open(self.printed()).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_preceptor"))
            .args(["up", "--no-model", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(&self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdout(printed)
            .stderr(Stdio::null())
            .current_dir(&self.folder)
            .spawn()
            .expect("the binary starts");
        Process(child)
    }

    /// The first org's admin, as soon as the process answers.
    pub(super) async fn admin(&self) -> Client {
        eventually("the start", async || {
            let token = std::fs::read_to_string(self.folder.join("admin.token"))
                .ok()
                .filter(|token| !token.is_empty())?;
            let client = Client::new(&format!("http://127.0.0.1:{}", self.port), Secret::new(token)).ok()?;
            client.get("/v1/programs").await.is_ok().then_some(client)
        })
        .await
    }

    /// The operator's token, which a first start prints once.
    pub(super) async fn operator_token(&self) -> String {
        // It comes last: the process answers, and the admin's token is in its file, a moment before.
        eventually("the operator's line", async || {
            let printed = std::fs::read_to_string(self.printed()).ok()?;
            let (whole, _) = printed.rsplit_once('\n')?;
            whole
                .lines()
                .find_map(|line| line.trim().strip_prefix("operator "))
                .map(|token| token.trim().to_owned())
        })
        .await
    }
}
