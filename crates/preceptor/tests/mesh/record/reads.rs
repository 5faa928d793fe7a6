//! What calls leave on record: counted through the public surface.

use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor::journey::Answers;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_testkit::{Local, Store};
use prost::Message as _;
use serde_json::json;

use crate::credits::{clinician, code, course};
use crate::support::{Log, SendsForm as _, eventually};

preceptor_testkit::on_both_stores! {
    every_read_of_personal_data_is_on_record_before_its_answer
    refusals_and_credentials_are_on_record_and_no_one_floods_it
    what_another_site_starts_is_on_the_record_of_whose_session_it_used
    signing_in_again_ends_the_session_that_the_browser_had
}

/// The records of an action on a method, in the order of the log.
async fn records(client: &Client, action: &str, method: &str) -> Vec<AuditRecord> {
    let log = Log::read(client).await;
    let records =
        log.leaves.iter().map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
    records.filter(|record| record.action == action && record.object.ends_with(method)).collect()
}

/// Waits until there are that many, and a little longer: there must not be more.
async fn exactly(client: &Client, action: &str, method: &str, count: usize) -> Vec<AuditRecord> {
    let what = format!("{count} records of {action} by {method}");
    eventually(&what, async || (records(client, action, method).await.len() >= count).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let found = records(client, action, method).await;
    assert_eq!(found.len(), count, "{what}: {found:#?}");
    found
}

const READ: &str = "personal_data.read";

async fn every_read_of_personal_data_is_on_record_before_its_answer(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit =
        id(&learner.claim(&attempt, &course.offer, 0.75).await.expect("a credit"), "id").expect("an id");
    let pdf = learner.certificate(&credit).await.expect("a certificate");
    let message =
        learner.ask(&course.program, "What is the starting dose of apixaban?").await.expect("an answer");
    let message = id(&message, "message_id").expect("an id");
    let own = learner.get("/v1/me/clinician").await.expect("their own");
    let pseudonym = id(&own, "learner").expect("a pseudonym");
    assert_eq!(records(&local.editor, READ, "").await, [], "nobody has read anything but their own");

    let auditor = local.editor.hire("auditor", "auditor").await.expect("an auditor");
    let analyst = local.editor.hire("analyst", "analyst").await.expect("an analyst");
    let messages = format!("/v1/programs/{}/messages", course.program);
    let attempts = format!("/v1/programs/{}/learner-attempts", course.program);
    let reads = [
        (&local.editor, "/v1/clinicians".to_owned(), "Credentials/ListClinicians"),
        (&auditor, format!("/v1/credits/{credit}"), "Credits/GetCredit"),
        (&auditor, format!("/v1/credits/{credit}/provenance"), "Credits/GetProvenance"),
        (&auditor, "/v1/credits".to_owned(), "Credits/ListCredits"),
        (&auditor, attempts, "Credits/ListLearnerAttempts"),
        (&analyst, messages, "Answering/ListMessages"),
        (&analyst, format!("/v1/messages/{message}"), "Answering/GetMessage"),
    ];
    for (reader, path, method) in &reads {
        for times in 1..=3 {
            reader.get(path).await.unwrap_or_else(|error| panic!("{path}: {error}"));
            let found = exactly(&local.editor, READ, method, times).await;
            let last = &found[times - 1];
            assert!(last.facts["subjects"].contains(&pseudonym) && last.outcome == "done", "{last:?}");
            assert!(!format!("{last:?}").contains("Ana María"), "the record speaks of pseudonyms: {last:?}");
        }
    }
    let actors: Vec<_> =
        records(&local.editor, READ, "").await.into_iter().map(|record| record.actor).collect();
    assert_eq!(
        actors.iter().filter(|actor| **actor == actors[3]).count(),
        12,
        "each record names its reader: {actors:?}"
    );

    // Anyone who holds a code may look; that someone did is counted, and no more than once a minute.
    let code = preceptor_certificate::verify::verify(&pdf, None).expect("it holds").code;
    for _ in 0..20 {
        learner.with_token("").get(&format!("/v1/certificates/{code}")).await.expect("what it says");
    }
    exactly(&local.editor, READ, "Credits/LookUpCertificate", 1).await;
    local.stop().await;
}

async fn refusals_and_credentials_are_on_record_and_no_one_floods_it(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local
        .publish(
            "Warfarin",
            &["Choose the dose"],
            vec![crate::support::markdown("a.md", crate::support::WARFARIN)],
        )
        .await;
    let program = program.expect("a program");
    let analyst = local.editor.hire("analyst", "analyst").await.expect("an analyst");
    for _ in 0..200 {
        assert_eq!(code(analyst.get("/v1/clinicians").await), "CAPABILITY_MISSING");
    }
    let refused = exactly(&local.editor, "access.refused", "Credentials/ListClinicians", 1).await;
    let first = &refused[0];
    assert_eq!(
        (first.outcome.as_str(), first.reason.as_str(), first.facts["role"].as_str()),
        ("refused", "CAPABILITY_MISSING", "analyst")
    );
    assert_eq!(code(analyst.get("/v1/audit/head").await), "CAPABILITY_MISSING");
    exactly(&local.editor, "access.refused", "Audit/GetHead", 1).await;
    assert_eq!(
        code(analyst.post("/v1/staff", &json!({ "name": "n", "role": "admin" })).await),
        "CAPABILITY_MISSING"
    );
    exactly(&local.editor, "access.refused", "Auth/CreateStaff", 1).await;

    let hired = records(&local.editor, "credential.made", "Auth/CreateStaff").await.len();
    local.editor.hire("editor", "editor").await.expect("an editor");
    exactly(&local.editor, "credential.made", "Auth/CreateStaff", hired + 1).await;
    for times in 1..=2 {
        local.learner(&program, "ana").await.expect("a learner");
        exactly(&local.editor, "credential.made", "Auth/IssueLearnerToken", times).await;
    }
    local.stop().await;
}

/// A browser that does not follow.
fn browser() -> reqwest::Client {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    http.expect("a client")
}

/// Signs in with a cookie of before; returns the new one.
async fn signed_in(http: &reqwest::Client, local: &Local, secret: &str, cookie: &str) -> String {
    let form = http.post(format!("{}/sign-in", local.url)).header("sec-fetch-site", "same-origin");
    let answer = form.header("cookie", cookie).fields(&[("secret", secret)]).send().await;
    let answer = answer.expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}

async fn signing_in_again_ends_the_session_that_the_browser_had(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let http = browser();
    let console = async |cookie: &str| {
        let page = http.get(format!("{}/console", local.url)).header("cookie", cookie);
        page.send().await.expect("an answer").status().as_u16()
    };
    let first = signed_in(&http, &local, local.reviewer.token(), "").await;
    assert_eq!(console(&first).await, 200);
    let second = signed_in(&http, &local, local.editor.token(), &first).await;
    assert_eq!((console(&first).await, console(&second).await), (303, 200), "at once");
    let ended = eventually("it is on record", async || {
        let ended = records(&local.editor, "session.ended", "").await;
        (!ended.is_empty()).then_some(ended)
    })
    .await;
    assert_eq!((ended.len(), ended[0].reason.as_str()), (1, "the browser signed in again"), "{ended:?}");
    local.stop().await;
}

async fn what_another_site_starts_is_on_the_record_of_whose_session_it_used(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let http = browser();
    let cookie = signed_in(&http, &local, local.editor.token(), "").await;
    for _ in 0..5 {
        let foreign = http.post(format!("{}/console", local.url)).header("sec-fetch-site", "cross-site");
        let answer = foreign.header("cookie", &cookie).fields(&[("title", "t")]).send().await;
        assert_eq!(answer.expect("an answer").status(), 403);
    }
    let refused = exactly(&local.editor, "access.refused", "POST /console", 1).await;
    let first = &refused[0];
    assert_eq!(
        (first.outcome.as_str(), first.reason.as_str(), first.facts["role"].as_str()),
        ("refused", "CROSS_SITE_REQUEST", "admin")
    );
    assert!(first.actor.starts_with("staff_"), "{first:?}");
    local.stop().await;
}

/// What no one of any org does is in no one's log, and makes no org.
#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_no_tenant_makes_no_tenant() {
    let local = Local::start(None).await.expect("a mesh");
    for _ in 0..3 {
        assert!(local.editor.with_token("prc_api_made-up").get("/v1/programs").await.is_err());
        let _ = local.operator.get("/v1/clinicians").await;
    }
    // Answers to repeated writes of the operator are kept, and not in a cell.
    let found = async || {
        let request = reqwest::Client::new().post(format!("{}/v1/orgs", local.url));
        let request = request.bearer_auth(local.operator.token()).header("idempotency-key", "second");
        let answer = request.json(&json!({ "name": "Second", "admin_name": "Admin" })).send().await;
        let answer = answer.expect("an answer");
        let replayed = answer.headers().contains_key("idempotency-replayed");
        (answer.status().as_u16(), replayed, answer.text().await.expect("text"))
    };
    let (first, again) = (found().await, found().await);
    assert_eq!((first.0, first.1, again.0, again.1), (201, false, 201, true), "{first:?} {again:?}");
    assert_eq!(first.2, again.2, "the first answer, with the same token");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let cells = std::fs::read_dir(local.data().join("cells")).expect("cells");
    let names: Vec<_> = cells.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    assert!(!names.iter().any(|name| name.contains("org_00000000000000000000000000")), "{names:?}");
    local.stop().await;
}
