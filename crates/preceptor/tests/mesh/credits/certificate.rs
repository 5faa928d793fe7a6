//! The certificate: printed, looked up, checked by others' tools.

use std::process::Command;

use preceptor::client::{Client, id};
use preceptor::journey::Answers;
use preceptor_certificate::verify::verify;
use preceptor_testkit::{Local, skip};
use serde_json::{Value, json};

use super::{Course, clinician, course};

/// A credit with its certificate as files in `folder`.
async fn issued(local: &Local) -> (Client, Value, Vec<u8>) {
    let course = course(local, json!({})).await;
    let learner = clinician(local, &course.program, "ana").await;
    issued_to(&course, learner).await
}

async fn issued_to(course: &Course, learner: Client) -> (Client, Value, Vec<u8>) {
    let attempt = learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.75).await.expect("a credit");
    let pdf = learner.certificate(&id(&credit, "id").expect("an id")).await.expect("a certificate");
    (learner, credit, pdf)
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_can_check_a_certificate_by_its_code_and_without_any_network() {
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, pdf) = issued(&local).await;
    let report = verify(&pdf, None).expect("it holds");
    assert_eq!((report.name.as_str(), report.award.as_str()), ("Ana María Núñez, MD", "0.75 AMA PRA Category 1 Credit(s)™"));
    assert!(report.log.is_some());

    let nobody = learner.with_token("");
    let seen = nobody.get(&format!("/v1/certificates/{}", report.code)).await.expect("what it says");
    assert_eq!((&seen["name"], &seen["state"], &seen["amount"]), (&json!("Ana María Núñez, MD"), &json!("live"), &json!(0.75)));
    assert_eq!(seen["signing_key"], json!(report.key.multikey()));
    assert!(seen.get("learner").is_none() && !seen.to_string().contains("MD12345"), "nothing more: {seen}");
    let spoken = report.code.to_lowercase().replace('-', " ");
    assert!(nobody.get(&format!("/v1/certificates/{}", spoken.replace(' ', ""))).await.is_ok(), "as people type it");
    assert!(nobody.get("/v1/certificates/00000-00000-00000-00000-00000-00000-0").await.is_err());

    let own = learner.get(&format!("/v1/credits/{}", id(&credit, "id").expect("an id"))).await.expect("the credit");
    let link = own["verify_url"].as_str().expect("a link to share");
    assert!(link.ends_with(&report.code.replace('-', "")), "{link}");
    let audited = local.editor.get(&format!("/v1/credits/{}", id(&credit, "id").expect("an id"))).await.expect("the credit");
    assert!(audited["verify_url"].is_null() && audited["certificate_code"].is_null(), "the code leads to the name: {audited}");

    local
        .editor
        .post(&format!("/v1/credits/{}/void", id(&credit, "id").expect("an id")), &json!({ "reason": "Issued in error" }))
        .await
        .expect("a void");
    let seen = nobody.get(&format!("/v1/certificates/{}", report.code)).await.expect("what it says");
    assert_eq!(seen["state"], "voided");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_verifies_a_file_and_refuses_a_changed_one() {
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, pdf) = issued(&local).await;
    let folder = tempfile::tempdir().expect("a folder");
    let badge = learner.get(&format!("/v1/credits/{}/badge", id(&credit, "id").expect("an id"))).await.expect("a badge");
    // The same provider's name, and everything in order, but under a key of somebody else.
    let elsewhere = Local::start(None).await.expect("another mesh");
    let (_, _, other) = issued(&elsewhere).await;
    elsewhere.stop().await;
    local.stop().await;
    let run = |name: &str, content: &[u8], key: Option<&str>| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        let mut command = without_network();
        command.arg("--data").arg(folder.path()).arg("verify").arg(&path);
        command.args(key.into_iter().flat_map(|key| ["--key", key, "--remember"]));
        let output = command.output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let key = verify(&pdf, None).expect("it holds").key.multikey();
    let (held, said) = run("certificate.pdf", &pdf, None);
    assert!(held && said.contains("HOLDS IN ITSELF") && said.contains("Anybody can sign"), "{said}");
    let (held, said) = run("certificate.pdf", &pdf, Some(&key));
    assert!(held && said.contains("HOLDS  ") && said.contains("Ana María Núñez, MD"), "{said}");
    let (held, said) = run("certificate.pdf", &pdf, None);
    assert!(held && said.contains("HOLDS  ") && said.contains("remembered as this provider's"), "{said}");
    let (held, said) = run("forged.pdf", &other, None);
    assert!(!held && said.contains("than the keys that were remembered for its provider"), "{said}");
    let mut changed = pdf.clone();
    changed[pdf.len() / 2] ^= 1;
    let (held, said) = run("changed.pdf", &changed, None);
    assert!(!held && said.contains("changed after it was issued"), "{said}");
    assert!(run("badge.json", badge["credential"].to_string().as_bytes(), Some(&key)).0);
    assert!(run("badge.jwt", badge["jwt"].as_str().expect("a JWT").as_bytes(), Some(&key)).0);
    let mut altered = badge["credential"].clone();
    altered["credentialSubject"]["creditsEarned"] = json!(7.5);
    let (held, said) = run("altered.json", altered.to_string().as_bytes(), None);
    assert!(!held && said.contains("badge was changed"), "{said}");
}

/// The binary where no network is, if this machine lets us make such a place.
fn without_network() -> Command {
    let binary = env!("CARGO_BIN_EXE_preceptor");
    let mut alone = Command::new("unshare");
    alone.args(["--map-root-user", "--net"]);
    if Command::new("unshare").args(["--map-root-user", "--net", "true"]).status().is_ok_and(|status| status.success()) {
        alone.arg(binary);
        return alone;
    }
    skip("the network is taken away from the verifier", "unshare cannot make a namespace here");
    Command::new(binary)
}

/// Names from right to left, and letters with accents beside them.
const NAMES: [&str; 3] = ["أمينة الخطيب", "שרה לוי", "Zoë Åström-Łukasiewicz"];

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_direction_are_printed_and_can_be_read_again() {
    if Command::new("pdftotext").arg("-v").output().is_err() {
        return skip("names_of_every_direction_are_printed_and_can_be_read_again", "poppler-utils is not installed");
    }
    let local = Local::start(None).await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (place, name) in NAMES.into_iter().enumerate() {
        let learner = local.learner(&course.program, name).await.expect("a learner");
        let statement = preceptor::journey::physician(name, &format!("{place}@example.org"));
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
        let (_, _, pdf) = issued_to(&course, learner).await;
        assert!(verify(&pdf, None).expect("it holds").name.starts_with(name));
        let path = folder.path().join("certificate.pdf");
        std::fs::write(&path, &pdf).expect("a file");
        let output = Command::new("pdftotext").arg(&path).arg("-").output().expect("it runs");
        // Marks of direction are not letters of the name.
        let text: String = String::from_utf8_lossy(&output.stdout).chars().filter(|c| !('\u{200e}'..='\u{202e}').contains(c)).collect();
        assert!(text.contains(name) && text.contains('™'), "{name} in {text}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_of_others_accept_the_pdf() {
    if Command::new("qpdf").arg("--version").output().is_err() || Command::new("pdftotext").arg("-v").output().is_err() {
        return skip("tools_of_others_accept_the_pdf", "qpdf and poppler-utils are not installed");
    }
    let local = Local::start(None).await.expect("a mesh");
    let (_, _, pdf) = issued(&local).await;
    local.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("certificate.pdf");
    std::fs::write(&path, &pdf).expect("a file");
    let run = |tool: &str, arguments: &[&str]| {
        let output = Command::new(tool)
            .args(arguments)
            .arg(&path)
            .args(if tool == "pdftotext" { &["-"][..] } else { &[] })
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && !text.to_lowercase().contains("warning"), "{tool}: {text}");
        text
    };
    run("qpdf", &["--check"]);
    let info = run("pdfinfo", &[]);
    assert!(info.contains("Pages:           1") && info.contains("Certificate of Credit"), "{info}");
    let text = run("pdftotext", &["-layout"]);
    for expected in ["Ana María Núñez, MD", "0.75 AMA PRA Category 1 Credit(s)™", "Doses of anticoagulants", "Harbor Medical Education"]
    {
        assert!(text.to_lowercase().contains(&expected.to_lowercase()), "{expected} in {text}");
    }
    let listed = run("qpdf", &["--list-attachments"]);
    for name in ["credential.json", "credential.jwt", "certificate.tlog-proof", "certificate.record"] {
        assert!(listed.contains(name), "{listed}");
    }
}

/// An independent verifier of Open Badges 3.0 with the whole contexts of the W3C and 1EdTech: PyPI `openbadgeslib`, which
/// canonicalises with PyLD. Ends with 0 when badge and JWT hold.
const OTHERS_VERIFIER: &str = r"
import json, sys
from openbadgeslib.ob3 import OB3LdpVerifier
badge = open(sys.argv[1], encoding='utf-8').read()
issuer = json.loads(badge)['issuer']['id']
result = OB3LdpVerifier.for_issuer_did(issuer).verify(badge)
print(result)
altered = badge.replace('0.75', '7.75')
assert altered != badge
try:
    OB3LdpVerifier.for_issuer_did(issuer).verify(altered)
except Exception as error:
    print('refused:', type(error).__name__)
else:
    sys.exit('an altered badge was accepted')
";

/// A Python with that library, made once and kept with the build.
fn others_python() -> Option<std::path::PathBuf> {
    let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("openbadgeslib-4.6.3");
    let python = home.join("bin/python");
    if home.join("ready").exists() {
        return Some(python);
    }
    let done = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let made = done(Command::new("python3").args(["-m", "venv"]).arg(&home))
        && done(Command::new(&python).args(["-m", "pip", "install", "--quiet", "openbadgeslib[ldp]==4.6.3"]));
    (made && std::fs::write(home.join("ready"), "").is_ok()).then_some(python)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_of_others_verifies_the_badge() {
    let Some(python) = others_python() else {
        return skip("a_library_of_others_verifies_the_badge", "openbadgeslib could not be installed with python3 and pip");
    };
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, _) = issued(&local).await;
    let badge = learner.get(&format!("/v1/credits/{}/badge", id(&credit, "id").expect("an id"))).await.expect("a badge");
    local.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("badge.json");
    std::fs::write(&path, badge["credential"].to_string()).expect("a file");
    let output = Command::new(python).arg("-c").arg(OTHERS_VERIFIER).arg(&path).output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("refused:"), "{said}");
}
