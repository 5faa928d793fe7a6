//! The certificate: printed, looked up, checked by others' tools.

use std::process::Command;

use preceptor::client::{Client, id};
use preceptor::journey::Answers;
use preceptor_certificate::status::{Entry, StatusList};
use preceptor_certificate::verify::verify;
use preceptor_testkit::{Local, Store, skip};
use serde_json::{Value, json};

use super::{Course, clinician, course};

preceptor_testkit::on_both_stores! {
    a_badge_is_downloaded_as_wallets_take_it_and_everything_it_names_can_be_read
    a_void_is_in_the_list_of_the_next_request
    a_certificate_comes_on_either_paper_and_stays_the_same
}

/// A credit with its certificate as files in `folder`.
pub(super) async fn issued(local: &Local) -> (Client, Value, Vec<u8>) {
    let course = course(local, json!({})).await;
    let learner = clinician(local, &course.program, "ana").await;
    issued_to(&course, learner).await
}

pub(super) async fn issued_to(course: &Course, learner: Client) -> (Client, Value, Vec<u8>) {
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.75).await.expect("a credit");
    let pdf = learner.certificate(&id(&credit, "id").expect("an id")).await.expect("a certificate");
    (learner, credit, pdf)
}

#[tokio::test(flavor = "multi_thread")]
async fn anyone_can_check_a_certificate_by_its_code_and_without_any_network() {
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, pdf) = issued(&local).await;
    let report = verify(&pdf, None).expect("it holds");
    assert_eq!(
        (report.name.as_str(), report.award.as_str()),
        ("Ana María Núñez, MD", "0.75 AMA PRA Category 1 Credit(s)™")
    );
    assert!(report.log.is_some());

    let nobody = learner.with_token("");
    let seen = nobody.get(&format!("/v1/certificates/{}", report.code)).await.expect("what it says");
    assert_eq!(
        (&seen["name"], &seen["state"], &seen["amount"]),
        (&json!("Ana María Núñez, MD"), &json!("live"), &json!(0.75))
    );
    assert_eq!(seen["signing_key"], json!(report.key.multikey()));
    assert!(seen.get("learner").is_none() && !seen.to_string().contains("MD12345"), "nothing more: {seen}");
    let spoken = report.code.to_lowercase().replace('-', " ");
    assert!(
        nobody.get(&format!("/v1/certificates/{}", spoken.replace(' ', ""))).await.is_ok(),
        "as people type it"
    );
    assert!(nobody.get("/v1/certificates/00000-00000-00000-00000-00000-00000-0").await.is_err());

    let own =
        learner.get(&format!("/v1/credits/{}", id(&credit, "id").expect("an id"))).await.expect("the credit");
    let link = own["verify_url"].as_str().expect("a link to share");
    assert!(link.ends_with(&report.code.replace('-', "")), "{link}");
    let audited = local
        .editor
        .get(&format!("/v1/credits/{}", id(&credit, "id").expect("an id")))
        .await
        .expect("the credit");
    assert!(
        audited["verify_url"].is_null() && audited["certificate_code"].is_null(),
        "the code leads to the name: {audited}"
    );

    local
        .editor
        .post(
            &format!("/v1/credits/{}/void", id(&credit, "id").expect("an id")),
            &json!({ "reason": "Issued in error" }),
        )
        .await
        .expect("a void");
    let seen = nobody.get(&format!("/v1/certificates/{}", report.code)).await.expect("what it says");
    assert_eq!(seen["state"], "voided");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_of_others_accept_the_pdf() {
    if Command::new("qpdf").arg("--version").output().is_err()
        || Command::new("pdftotext").arg("-v").output().is_err()
    {
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
    for expected in [
        "Ana María Núñez, MD",
        "0.75 AMA PRA Category 1 Credit(s)™",
        "Doses of anticoagulants",
        "Harbor Medical Education",
    ] {
        assert!(text.to_lowercase().contains(&expected.to_lowercase()), "{expected} in {text}");
    }
    for spared in ["z6Mk", "preceptor verify", "cert_"] {
        assert!(!text.contains(spared), "what only programs read is not on the sheet: {spared} in {text}");
    }
    assert!(info.contains("Tagged:          yes") && info.contains("(letter)"), "{info}");
    assert!(
        info.contains("issued by Harbor Medical Education to Ana María Núñez, MD for"),
        "a sentence: {info}"
    );
    let listed = run("qpdf", &["--list-attachments"]);
    for name in ["credential.json", "credential.jwt", "certificate.tlog-proof", "certificate.record"] {
        assert!(listed.contains(name), "{listed}");
    }
}

/// An independent verifier of Open Badges 3.0 with the whole contexts of the W3C and 1EdTech: PyPI `openbadgeslib`, which
/// canonicalizes with PyLD. Ends with 0 when badge and JWT hold.
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
        return skip(
            "a_library_of_others_verifies_the_badge",
            "openbadgeslib could not be installed with python3 and pip",
        );
    };
    let local = Local::start(None).await.expect("a mesh");
    let (learner, credit, _) = issued(&local).await;
    let badge = learner
        .get(&format!("/v1/credits/{}/badge?format=both", id(&credit, "id").expect("an id")))
        .await
        .expect("a badge");
    local.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("badge.json");
    std::fs::write(&path, badge["credential"].to_string()).expect("a file");
    let output = Command::new(python).arg("-c").arg(OTHERS_VERIFIER).arg(&path).output().expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("refused:"), "{said}");
}

/// What came back, with its headers.
pub(super) async fn fetched(
    local: &Local,
    client: &Client,
    path: &str,
    accept: &str,
) -> (u16, reqwest::header::HeaderMap, String) {
    let request = reqwest::Client::new().get(format!("{}{path}", local.url)).header("accept", accept);
    let request = if client.token().is_empty() { request } else { request.bearer_auth(client.token()) };
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.headers().clone(), response.text().await.expect("a text"))
}

/// The part of an address behind the host.
fn path_of(url: &Value) -> String {
    let url = url.as_str().expect("an address");
    let (_, rest) = url.split_once("://").expect("a scheme");
    rest[rest.find('/').expect("a path")..].to_owned()
}

async fn a_badge_is_downloaded_as_wallets_take_it_and_everything_it_names_can_be_read(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let nobody = local.editor.with_token("");
    let unused = format!("/activities/{}", "0".repeat(31));
    assert_eq!(fetched(&local, &nobody, &unused, "*/*").await.0, 404);
    let (learner, credit, _) = issued_to(&course, clinician(&local, &course.program, "ana").await).await;
    let (_, second, _) = issued_to(&course, clinician(&local, &course.program, "bea").await).await;
    let path = format!("/v1/credits/{}/badge", id(&credit, "id").expect("an id"));
    let (status, headers, text) = fetched(&local, &learner, &path, "*/*").await;
    assert_eq!((status, headers["content-type"].to_str().expect("a text")), (200, "application/vc+ld+json"));
    let named = headers["content-disposition"].to_str().expect("a text");
    assert!(
        named.starts_with("attachment; filename=\"certificate-") && named.ends_with(".badge.json\""),
        "{named}"
    );
    verify(text.as_bytes(), None).expect("it holds as it was downloaded");
    let badge: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(badge["proof"].as_array().map(Vec::len), Some(1));

    let (_, headers, jwt) = fetched(&local, &learner, &format!("{path}?format=jwt"), "*/*").await;
    assert!(headers["content-type"].to_str().expect("a text").starts_with("text/plain"));
    verify(jwt.as_bytes(), None).expect("it holds");
    assert_eq!(fetched(&local, &learner, &format!("{path}?format=pkpass"), "*/*").await.0, 400);

    // Everything that the badge names, as a stranger's program and as a stranger's browser.
    let achievement = &badge["credentialSubject"]["achievement"];
    let (status, headers, text) =
        fetched(&local, &nobody, &path_of(&achievement["id"]), "application/ld+json").await;
    assert_eq!((status, headers["content-type"].to_str().expect("a text")), (200, "application/ld+json"));
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["@context"], badge["@context"]);
    document.as_object_mut().expect("an object").remove("@context");
    assert_eq!(document, *achievement, "the activity says what the badge says");
    let (status, headers, image) =
        fetched(&local, &nobody, &path_of(&achievement["image"]["id"]), "image/*").await;
    assert_eq!((status, headers["content-type"].to_str().expect("a text")), (200, "image/svg+xml"));
    assert!(image.starts_with("<svg") && image.contains("AMA PRA"), "{image}");
    let (status, _, profile) = fetched(&local, &nobody, &path_of(&badge["issuer"]["url"]), "*/*").await;
    let profile: Value = serde_json::from_str(&profile).expect("JSON");
    assert_eq!(
        (status, &profile["id"], &profile["name"]),
        (200, &badge["issuer"]["id"], &badge["issuer"]["name"])
    );
    for page in [&achievement["id"], &badge["issuer"]["url"], &badge["id"]] {
        let (status, _, text) = fetched(&local, &nobody, &path_of(page), "text/html").await;
        assert!(
            status == 200 && text.contains("Harbor Medical Education") && !text.contains("genuine"),
            "{page}: {text}"
        );
    }
    // Two certificates of an activity are of one achievement, and stand on places that have nothing in common.
    let second = learner_badge(&local, &course, &second).await;
    assert_eq!(second["credentialSubject"]["achievement"], *achievement);
    assert_ne!(second["credentialStatus"], badge["credentialStatus"]);
    local.stop().await;
}

/// Another learner's badge, as that learner.
async fn learner_badge(local: &Local, course: &Course, credit: &Value) -> Value {
    let owner = local.learner(&course.program, "bea").await.expect("a learner");
    owner.get(&format!("/v1/credits/{}/badge", id(credit, "id").expect("an id"))).await.expect("a badge")
}

async fn a_void_is_in_the_list_of_the_next_request(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let mut certified = Vec::new();
    for name in ["ana", "bea"] {
        let (learner, credit, pdf) = issued_to(&course, clinician(&local, &course.program, name).await).await;
        let credit = id(&credit, "id").expect("an id");
        certified.push((learner, credit, verify(&pdf, None).expect("it holds")));
    }
    let nobody = local.editor.with_token("");
    let entry = |number: usize| -> &Entry { certified[number].2.status.as_ref().expect("a place") };
    assert_eq!(entry(0).list, entry(1).list);
    let list = path_of(&json!(entry(0).list));
    let standing = async || {
        let (status, headers, text) = fetched(&local, &nobody, &list, "*/*").await;
        assert_eq!(
            (status, headers["content-type"].to_str().expect("a text")),
            (200, "application/vc+ld+json")
        );
        let list = StatusList::read(text.as_bytes()).expect("a list");
        assert_eq!(list.key, certified[0].2.key, "signed with the key of the certificates");
        [0, 1].map(|number| list.is_void(entry(number)).expect("its own list"))
    };
    assert_eq!(standing().await, [false, false]);
    local
        .editor
        .post(&format!("/v1/credits/{}/void", certified[1].1), &json!({ "reason": "Issued in error" }))
        .await
        .expect("a void");
    assert_eq!(standing().await, [false, true]);
    // The page says it, and the holder gets a sheet that says it too, on either paper.
    let page = fetched(&local, &nobody, &path_of(&json!(certified[1].2.verify_url)), "text/html").await.2;
    assert!(page.contains("was voided"), "{page}");
    let path = format!("/v1/credits/{}/certificate", certified[1].1);
    for paper in ["letter", "a4"] {
        let asked = format!("{path}?paper={paper}");
        let (status, headers, _) = fetched(&local, &certified[1].0, &asked, "*/*").await;
        let named = headers["content-disposition"].to_str().expect("a text");
        assert!(status == 200 && named.ends_with("-void.pdf\""), "{status} {named}");
        let sheet = verify(&certified[1].0.download(&asked).await.expect("a file"), None).expect("it holds");
        assert_eq!(
            (&sheet.code, sheet.key),
            (&certified[1].2.code, certified[1].2.key),
            "the same certificate"
        );
        let carried = sheet.status_list.expect("the sheet carries the list that says so");
        assert_eq!(carried.is_void(entry(1)), Some(true));
    }
    // Nothing of that touches the other one.
    let path = format!("/v1/credits/{}/certificate", certified[0].1);
    let live = verify(&certified[0].0.download(&path).await.expect("a file"), None).expect("it holds");
    assert_eq!(live.status_list, None);
    let name = list.rsplit('/').next().expect("a name");
    let (provider, _) = name.split_once('-').expect("a number");
    for other in [
        format!("{provider}-2"),
        format!("{provider}-01"),
        provider.to_owned(),
        format!("{}-1", "0".repeat(26)),
    ] {
        assert_eq!(
            fetched(&local, &nobody, &format!("/v1/status-lists/{other}"), "*/*").await.0,
            404,
            "{other}"
        );
    }
    local.stop().await;
}

fn holds(file: &[u8], part: &[u8]) -> bool {
    file.windows(part.len()).any(|window| window == part)
}

async fn a_certificate_comes_on_either_paper_and_stays_the_same(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let (learner, credit, usual) = issued_to(&course, clinician(&local, &course.program, "ana").await).await;
    let path = format!("/v1/credits/{}/certificate", id(&credit, "id").expect("an id"));
    let letter = learner.download(&format!("{path}?paper=letter")).await.expect("a file");
    assert_eq!(letter, usual, "an American body's provider prints on US Letter");
    let a4 = learner.download(&format!("{path}?paper=a4")).await.expect("a file");
    let again = learner.download(&format!("{path}?paper=a4")).await.expect("a file");
    assert!(a4 == again && a4 != letter);
    let (on_letter, on_a4) = (verify(&letter, None).expect("it holds"), verify(&a4, None).expect("it holds"));
    assert_eq!((on_letter.code, on_letter.key), (on_a4.code, on_a4.key));
    assert!(learner.download(&format!("{path}?paper=a5")).await.is_err());

    // What the admin chooses holds for the one who asks for no paper, and is remembered.
    let settings = "/v1/certificate-settings";
    let before = local.editor.get(settings).await.expect("settings");
    assert_eq!((&before["paper"], &before["set_at"]), (&json!("usual"), &Value::Null));
    assert!(local.reviewer.put(settings, &json!({ "paper": "a4" })).await.is_err());
    assert!(local.editor.put(settings, &json!({ "paper": "a5" })).await.is_err());
    local.editor.put(settings, &json!({ "paper": "a4" })).await.expect("a choice");
    assert_eq!(learner.download(&path).await.expect("a file"), a4);
    assert_eq!(learner.download(&format!("{path}?paper=letter")).await.expect("a file"), letter);
    let page = fetched(&local, &local.editor, "/console/certificates", "text/html").await.2;
    assert!(page.contains("<option value=\"a4\" selected>"), "{page}");
    let (_, _, later) = issued_to(&course, clinician(&local, &course.program, "bea").await).await;
    let a4_size = b"/MediaBox[0 0 841.8";
    assert!(holds(&later, a4_size) && holds(&a4, a4_size) && !holds(&letter, a4_size));
    local.editor.put(settings, &json!({ "paper": "usual" })).await.expect("a choice");
    assert_eq!(learner.download(&path).await.expect("a file"), letter);
    local.stop().await;
}
