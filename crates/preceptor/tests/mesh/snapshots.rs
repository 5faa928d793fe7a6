//! What people and programs see, compared with what they saw before: help texts, pages, JSON answers, the API's document.
//!
//! A difference is a decision. Look at it, then accept it:
//! `INSTA_UPDATE=always cargo test --workspace --test mesh -- snapshots::`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::LazyLock;

use preceptor::client::Client;
use preceptor_testkit::Local;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::isolation::http::fill;
use crate::isolation::pages::SHOWN;
use crate::isolation::{Victim, org};

/// What differs from run to run in more than ids and times: hashes, sizes of the log, files, and what is in the order of
/// random ids.
const UNSTABLE: [&str; 13] = [
    "/v1/audit/",
    "/v1/logs/",
    "/v1/signing-keys",
    "/v1/status-lists/",
    "/v1/clinicians",
    "/pages/{page}",
    "/certificate",
    "/badge",
    "/original",
    "/provenance",
    "/history",
    "/verify/{code}",
    "contested-identities",
];

fn is_steady(path: &str) -> bool {
    let is_attempt = path.contains("/attempts/") || path.ends_with("/attempts");
    !is_attempt && !UNSTABLE.iter().any(|part| path.contains(part))
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// What differs from run to run, and what stands for it.
static NAMES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    vec![
        (pattern(r"pk_[a-z]+_[A-Za-z0-9_-]{20,}"), "<secret>"),
        (pattern(r"\b([a-z]+)_[0-9a-hjkmnp-tv-z]{26}\b"), "<$1>"),
        (pattern(r"\bu_[A-Za-z0-9_-]{16,}"), "<pseudonym>"),
        (pattern(r"z6Mk[A-Za-z0-9]{40,}"), "<key>"),
        (pattern(r"\b[0-9a-f]{64}\b"), "<sha256>"),
        (pattern(r"127\.0\.0\.1:\d+"), "<address>"),
        (pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
        (pattern(r"[A-Z][a-z]{2} \d{1,2}, \d{4},? \d{1,2}:\d\d [AP]M"), "<time>"),
        (pattern(r"(?:[A-Z][a-z]+ \d{1,2}, 20\d\d|\b20\d\d-\d\d-\d\d)\b"), "<day>"),
        (pattern(r"\b(?:[A-Z0-9]{5}-){3,}[A-Z0-9]{1,5}\b"), "<code>"),
        (pattern(r"\b[A-Z0-9]{26,36}\b"), "<code>"),
        (pattern(r"\b[A-Za-z0-9_-]{40,}\b"), "<opaque>"),
        (pattern(r"<(?:day|time)>,? ?(?:UTC)?"), "<time>"),
    ]
});

/// A text without what differs from run to run.
fn steady(text: &str, victim: &Victim) -> String {
    let mut text = text.replace(&victim.earned.code, "<code>");
    for (pattern, name) in NAMES.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    // Confidence and scores: two digits are enough to see a change.
    pattern(r"\b(0\.\d{2})\d+").replace_all(&text, |digits: &Captures<'_>| digits[1].to_owned()).into_owned()
}

/// The help of a command and of all below it.
fn help(path: &[&str], all: &mut String) {
    let output = Command::new(env!("CARGO_BIN_EXE_preceptor"))
        .args(path)
        .arg("--help")
        .env_clear()
        .env("COLUMNS", "100")
        .output()
        .expect("the binary starts");
    let text = String::from_utf8(output.stdout).expect("text");
    writeln!(all, "$ preceptor {} --help\n\n{text}", path.join(" ")).expect("a text");
    let commands =
        text.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        help(&[path, &[name]].concat(), all);
    }
}

#[test]
fn help_texts_are_as_they_were() {
    let mut all = String::new();
    help(&[], &mut all);
    assert!(all.matches("--help\n").count() > 20, "every command is there: {all}");
    insta::assert_snapshot!("help", all);
}

#[test]
fn the_document_of_the_api_is_as_it_was() {
    let document = serde_json::to_value(preceptor_gateway::api::openapi()).expect("JSON");
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).expect("JSON"));
}

/// What a path answers to someone; pages with their lines trimmed.
async fn shown(local: &Local, client: &Client, path: &str, victim: &Victim) -> String {
    let url = format!("{}{}", local.url, fill(path, victim));
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let response = http.get(url).bearer_auth(client.token()).send().await.expect("an answer");
    let status = response.status().as_u16();
    let body = response.text().await.unwrap_or_default();
    let text = match serde_json::from_str::<Value>(&body) {
        Ok(json) => serde_json::to_string_pretty(&json).expect("JSON"),
        Err(_) => {
            body.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
        }
    };
    format!("{status}\n{}\n", steady(&text, victim))
}

/// Whom a path is for: learners see their own attempts and credits, everything else is for the admin.
fn is_of_learners(path: &str) -> bool {
    ["/v1/me/", "/me/", "/v1/attempts/{id}", "/attempts/{id}", "/programs/{id}/attempts"]
        .iter()
        .any(|start| path.starts_with(start) || path == *start || path.ends_with("/programs/{id}/attempts"))
        || ["/programs/{id}", "/programs/{id}/quiz", "/credits"].contains(&path)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_answers_are_as_they_were() {
    let local = Local::start(None).await.expect("a mesh");
    let org = org(&local, "gamma", local.editor.clone(), &local.reviewer).await;
    let victim = &org.programs[0];
    let of = |path: &str| if is_of_learners(path) { &org.learner } else { &org.admin };
    let mut pages = String::new();
    for path in SHOWN.into_iter().filter(|path| is_steady(path)) {
        let page = shown(&local, of(path), path, victim).await;
        writeln!(pages, "=== {path}\n{page}").expect("a text");
    }
    let document = serde_json::to_value(preceptor_gateway::api::openapi()).expect("JSON");
    let mut answers = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if methods["get"].is_object() && is_steady(path) {
            answers.insert(path.clone(), shown(&local, of(path), path, victim).await);
        }
    }
    assert!(answers.len() > 20, "{answers:?}");
    let answers: String = answers.iter().map(|(path, answer)| format!("=== {path}\n{answer}\n")).collect();
    insta::assert_snapshot!("pages", pages);
    insta::assert_snapshot!("answers", answers);
    local.stop().await;
}
