//! Programs of others look at the files of a certificate: they accept what was issued, and nothing that was altered.

use std::process::{Command, Output};
use std::time::Duration;

use jsonschema::Validator;
use preceptor::client::id;
use preceptor_testkit::{Local, skip, tools};
use serde_json::{Value, json};

use super::certificate::issued;

/// Longer than any of the programs takes.
const MOST: Duration = Duration::from_secs(180);

/// Runs a program to its end; what it printed is part of the failure.
fn run(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, .. } = tools::bounded(command, MOST).expect("it runs");
    (status.success(), String::from_utf8_lossy(&stdout).into_owned())
}

fn is_here(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn libraries_of_others_verify_badge_jwt_and_status_list_and_refuse_every_altered_leaf() {
    let test = "libraries_of_others_verify_badge_jwt_and_status_list_and_refuse_every_altered_leaf";
    let Some(set) = tools::set(test, "badges") else { return };
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, _) = issued(&local).await;
    let credit = id(&credit, "id").expect("an id");
    let badge = learner.download(&format!("/v1/credits/{credit}/badge")).await.expect("a badge");
    let jwt = learner.download(&format!("/v1/credits/{credit}/badge?format=jwt")).await.expect("a JWT");
    let parsed: Value = serde_json::from_slice(&badge).expect("JSON");
    let list = parsed["credentialStatus"]["statusListCredential"].as_str().expect("a list");
    let list = format!("/v1/status-lists/{}", list.rsplit('/').next().expect("a name"));
    let nobody = learner.with_token("");
    let before = nobody.download(&list).await.expect("a list");
    let void = format!("/v1/credits/{credit}/void");
    local.editor.post(&void, &json!({ "reason": "Issued in error" })).await.expect("a void");
    let after = nobody.download(&list).await.expect("a list");
    local.stop().await;

    let folder = tempfile::tempdir().expect("a folder");
    let script = include_str!("verifiers/badge.mjs").as_bytes();
    let files: [(&str, &[u8]); 5] = [
        ("badge.json", &badge),
        ("before.json", &before),
        ("after.json", &after),
        ("badge.jwt", &jwt),
        ("badge.mjs", script),
    ];
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file");
    }
    // Modules are looked for beside the script.
    std::os::unix::fs::symlink(set.join("node_modules"), folder.path().join("node_modules")).expect("a link");
    let mut node = Command::new("node");
    node.current_dir(folder.path()).args([
        "badge.mjs",
        "badge.json",
        "before.json",
        "after.json",
        "badge.jwt",
    ]);
    let (good, said) = run(&mut node);
    assert!(good && said.contains("JWT: verified"), "{said}");
}

/// What qpdf finds in a file; nothing where it is in order.
const QPDF: &str = "
import sys, pikepdf
with pikepdf.open(sys.argv[1]) as pdf:
    problems = pdf.check_pdf_syntax()
print(problems or 'in order')
sys.exit(1 if problems else 0)
";

/// A file in which the first place of `from` says `to`.
fn replaced(file: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "offsets stay what they are");
    let place = file.windows(from.len()).position(|window| window == from).expect("it is there");
    let mut other = file.to_vec();
    other[place..place + to.len()].copy_from_slice(to);
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_of_others_find_both_papers_to_be_pdf_a_and_accessible() {
    let test = "validators_of_others_find_both_papers_to_be_pdf_a_and_accessible";
    let (java, pdf_tools) = (tools::set(test, "java"), tools::set(test, "pdf"));
    if java.is_some() && !is_here("java") {
        skip(test, "java is not on this machine, which veraPDF needs");
    }
    let java = java.filter(|_| is_here("java"));
    if java.is_none() && pdf_tools.is_none() {
        return;
    }
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, letter) = issued(&local).await;
    let credit = format!("/v1/credits/{}", id(&credit, "id").expect("an id"));
    let a4 = learner.download(&format!("{credit}/certificate?paper=a4")).await.expect("a file");
    let reason = json!({ "reason": "Issued in error" });
    local.editor.post(&format!("{credit}/void"), &reason).await.expect("a void");
    let void = learner.download(&format!("{credit}/certificate")).await.expect("a file");
    local.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("certificate.pdf");
    if let Some(java) = java {
        let source = folder.path().join("Validate.java");
        std::fs::write(&source, include_str!("verifiers/Validate.java")).expect("a file");
        let validate = |content: &[u8]| {
            std::fs::write(&file, content).expect("a file");
            let libraries = format!("{}/*", java.join("lib").display());
            run(Command::new("java").args(["-cp", &libraries]).arg(&source).arg(&file))
        };
        for content in [&letter, &a4, &void] {
            let (valid, said) = validate(content);
            assert!(valid && said.contains("3b: valid") && said.contains("ua1: valid"), "{said}");
        }
        // It would say so if the file were not what it claims to be.
        let (valid, said) = validate(&replaced(&letter, b"<pdfuaid:part>1<", b"<pdfuaid:part>7<"));
        assert!(!valid && said.contains("ua1: not valid"), "{said}");
    }
    if let Some(set) = pdf_tools {
        let check = |content: &[u8]| {
            std::fs::write(&file, content).expect("a file");
            run(Command::new(set.join("venv/bin/python")).args(["-c", QPDF]).arg(&file))
        };
        for content in [&letter, &a4, &void] {
            let (good, said) = check(content);
            assert!(good, "{said}");
        }
        assert!(!check(&letter[..letter.len() / 2]).0, "half a file is not in order");
    }
}

/// The badge by the data model of the specification, and by the schema of 1EdTech where a copy of it is beside the project: no
/// package index has it.
#[tokio::test(flavor = "multi_thread")]
async fn the_badge_fits_the_schema_of_open_badges() {
    let test = "the_badge_fits_the_schema_of_open_badges";
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, _) = issued(&local).await;
    let path = format!("/v1/credits/{}/badge", id(&credit, "id").expect("an id"));
    let badge = learner.get(&path).await.expect("a badge");
    local.stop().await;
    fits(&schema(include_bytes!("verifiers/open-badge.schema.json")), &badge, &CHANGES);
    let theirs = preceptor_testkit::shared_data(test)
        .and_then(|data| std::fs::read(data.join("ob_v3p0_achievementcredential_schema.json")).ok());
    match theirs {
        Some(theirs) => fits(&schema(&theirs), &badge, &CHANGES[..1]),
        None => {
            skip(
                test,
                "the schema of 1EdTech is not in ../shared/data; the badge was checked against our own",
            );
        }
    }
}

type Change = fn(&mut Value);

/// What makes a badge none; the first is refused by every schema.
const CHANGES: [Change; 4] = [
    |badge| badge["proof"] = badge["proof"][0].clone(),
    |badge| badge["credentialSubject"]["achievement"]["criteria"] = json!("passed"),
    |badge| badge["validFrom"] = json!("yesterday"),
    |badge| badge["issuer"]["type"] = json!("Profile"),
];

fn fits(schema: &Validator, badge: &Value, changes: &[Change]) {
    let problems: Vec<String> = schema.iter_errors(badge).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    for (number, change) in changes.iter().enumerate() {
        let mut altered = badge.clone();
        change(&mut altered);
        assert!(!schema.is_valid(&altered), "change {number} is refused");
    }
}

fn schema(content: &[u8]) -> Validator {
    let schema: Value = serde_json::from_slice(content).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}
