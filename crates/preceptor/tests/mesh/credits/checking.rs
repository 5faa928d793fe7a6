//! The command that checks certificates, on a machine without a network.

use std::process::Command;

use preceptor::client::{Client, id};
use preceptor_certificate::verify::verify;
use preceptor_testkit::{Local, skip};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificate::issued;

/// The binary where no network is, if this machine lets us make such a place.
pub(super) fn without_network() -> Command {
    let binary = env!("CARGO_BIN_EXE_preceptor");
    let mut alone = Command::new("unshare");
    alone.args(["--map-root-user", "--net"]);
    if Command::new("unshare")
        .args(["--map-root-user", "--net", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        alone.arg(binary);
        return alone;
    }
    skip("the network is taken away from the verifier", "unshare cannot make a namespace here");
    Command::new(binary)
}

/// What a verifier is handed.
struct Material {
    pdf: Vec<u8>,
    /// The badge as a browser saves it.
    badge: Vec<u8>,
    /// Badge and JWT.
    both: Value,
    /// Downloaded after the void.
    void_pdf: Vec<u8>,
    /// The list before the void and after it.
    good_list: Vec<u8>,
    voided_list: Vec<u8>,
    /// The same provider's name, and everything in order, but under a key of someone else.
    forged: Vec<u8>,
    others_list: Vec<u8>,
}

async fn list_of(client: &Client, badge: &Value) -> Vec<u8> {
    let list = badge["credentialStatus"]["statusListCredential"].as_str().expect("a list");
    let path = format!("/v1/status-lists/{}", list.rsplit('/').next().expect("a name"));
    client.with_token("").download(&path).await.expect("a list")
}

async fn material() -> Material {
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, pdf) = issued(&local).await;
    let credit = format!("/v1/credits/{}", id(&credit, "id").expect("an id"));
    let both = learner.get(&format!("{credit}/badge?format=both")).await.expect("a badge");
    let badge = learner.download(&format!("{credit}/badge")).await.expect("a badge");
    let good_list = list_of(&learner, &both["credential"]).await;
    let reason = json!({ "reason": "Issued in error" });
    local.editor.post(&format!("{credit}/void"), &reason).await.expect("a void");
    let voided_list = list_of(&learner, &both["credential"]).await;
    let void_pdf = learner.download(&format!("{credit}/certificate")).await.expect("a file");
    local.stop().await;
    let elsewhere = Local::start(None).await.expect("another mesh");
    let (stranger, strange, forged) = issued(&elsewhere).await;
    let path = format!("/v1/credits/{}/badge", id(&strange, "id").expect("an id"));
    let others_list = list_of(&stranger, &stranger.get(&path).await.expect("a badge")).await;
    elsewhere.stop().await;
    Material { pdf, badge, both, void_pdf, good_list, voided_list, forged, others_list }
}

/// The program in a folder of its own.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, name: &str, content: &[u8]) {
        std::fs::write(self.0.path().join(name), content).expect("a file");
    }

    /// Checks a file; returns the exit code and everything that was printed.
    fn check(&self, name: &str, content: &[u8], more: &[&str]) -> (i32, String) {
        self.put(name, content);
        let mut command = without_network();
        command
            .current_dir(self.0.path())
            .arg("--data")
            .arg(self.0.path())
            .arg("verify")
            .arg(name)
            .args(more);
        let output = command.output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().expect("a code"), String::from_utf8_lossy(&text).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_verifies_a_file_and_refuses_a_changed_one() {
    let material = Box::pin(material()).await;
    let desk = Desk::new();
    for (name, content) in [
        ("good.list", &material.good_list),
        ("voided.list", &material.voided_list),
        ("others.list", &material.others_list),
    ] {
        desk.put(name, content);
    }
    keys_are_named_remembered_or_unknown(&desk, &material);
    what_was_changed_is_refused(&desk, &material);
    voids_are_found_in_lists(&desk, &material);
    assert_eq!(desk.check("badge.json", &material.badge, &["--no-such-option"]).0, 64);
}

fn keys_are_named_remembered_or_unknown(desk: &Desk, material: &Material) {
    let pdf = &material.pdf;
    let key = verify(pdf, None).expect("it holds").key.multikey();
    let (code, said) = desk.check("certificate.pdf", pdf, &[]);
    assert!(
        code == 2
            && said.contains("SELF-CONSISTENT (issuer not checked)")
            && said.contains("Anyone can sign"),
        "{code} {said}"
    );
    let (code, said) = desk.check("certificate.pdf", pdf, &["--status-list", "voided.list"]);
    assert!(
        code == 3 && said.starts_with("VOIDED  "),
        "whoever signed it says that it is void: {code} {said}"
    );
    let named = ["--key", key.as_str(), "--remember"];
    let (code, said) = desk.check("certificate.pdf", pdf, &named);
    assert!(code == 0 && said.contains("HOLDS  ") && said.contains("Ana María Núñez, MD"), "{code} {said}");
    let (code, said) = desk.check("certificate.pdf", pdf, &[]);
    assert!(
        code == 0 && said.contains("HOLDS  ") && said.contains("remembered as this provider's"),
        "{code} {said}"
    );
    let (code, said) = desk.check("forged.pdf", &material.forged, &[]);
    assert!(
        code == 1 && said.contains("than the keys that were remembered for its provider"),
        "{code} {said}"
    );
    assert_eq!(desk.check("both.json", material.both.to_string().as_bytes(), &named).0, 0);
    let jwt = material.both["jwt"].as_str().expect("a JWT");
    assert_eq!(desk.check("badge.jwt", jwt.as_bytes(), &named).0, 0);
}

fn what_was_changed_is_refused(desk: &Desk, material: &Material) {
    let mut changed = material.pdf.clone();
    changed[material.pdf.len() / 2] ^= 1;
    let (code, said) = desk.check("changed.pdf", &changed, &[]);
    assert!(code == 1 && said.contains("changed after it was issued"), "{code} {said}");
    let mut altered = material.both["credential"].clone();
    altered["credentialSubject"]["creditsEarned"] = json!(7.5);
    let (code, said) = desk.check("altered.json", altered.to_string().as_bytes(), &[]);
    assert!(code == 1 && said.contains("badge was changed"), "{code} {said}");
    let mut wrapped = material.both["credential"].clone();
    wrapped["credentialSubject"] = json!([wrapped["credentialSubject"]]);
    let (code, said) = desk.check("wrapped.json", wrapped.to_string().as_bytes(), &[]);
    assert!(code == 1 && said.contains("in another form"), "{code} {said}");
    let (code, said) = desk.check("empty", b"", &[]);
    assert!(code == 1 && said.contains("the file is empty"), "{code} {said}");
}

/// Lists: given, remembered with their date, never replaced by an older one, and carried by the sheet of a voided certificate.
fn voids_are_found_in_lists(desk: &Desk, material: &Material) {
    let check = |more: &[&str]| desk.check("badge.json", &material.badge, more);
    // An old copy says how to find out.
    let (code, said) = check(&[]);
    assert!(
        code == 0
            && said.contains("status      not checked")
            && said.contains("  online      open http")
            && said.contains("  offline     download http")
            && said.contains("/v1/status-lists/")
            && said.contains("with --status-list"),
        "{code} {said}"
    );
    let (code, said) = desk.check("void.pdf", &material.void_pdf, &[]);
    assert!(
        code == 3 && said.starts_with("VOIDED  ") && said.contains("voided, by the provider's list of 20"),
        "the sheet says it without any list beside it: {code} {said}"
    );
    let (code, said) = check(&["--status-list", "good.list", "--remember"]);
    assert!(
        code == 0
            && said.contains("not voided, by the provider's list of 20")
            && said.contains("From now on"),
        "{code} {said}"
    );
    let (code, said) = check(&[]);
    assert!(code == 0 && said.contains("not voided, by the provider's list of 20"), "{code} {said}");
    let (code, said) = desk.check("void.pdf", &material.void_pdf, &[]);
    assert_eq!(code, 3, "what it carries is newer than what was remembered: {said}");
    let (code, said) = check(&["--status-list", "voided.list", "--remember"]);
    assert!(
        code == 3 && said.contains("VOIDED  ") && said.contains("voided, by the provider's list of 20"),
        "{code} {said}"
    );
    assert_eq!(desk.check("certificate.pdf", &material.pdf, &[]).0, 3, "the list that was remembered");
    let (code, said) = check(&["--status-list", "good.list", "--remember"]);
    assert!(code == 0 && said.contains("A newer list"), "{code} {said}");
    assert_eq!(check(&[]).0, 3, "the newest list stays");
    let (code, said) = check(&["--status-list", "others.list"]);
    assert!(code == 1 && said.contains("signed by another key"), "{code} {said}");
    let (code, said) = check(&["--status-list", "badge.json"]);
    assert!(code == 1 && said.contains("status list"), "{code} {said}");
}
