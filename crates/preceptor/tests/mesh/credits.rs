//! From a verified source to a certificate that anyone can check, and everything that must be refused on the way.

mod acceptance;
mod assessment;
mod certificate;
mod chain;
mod checking;
mod clinicians;
mod items;
mod learner_attempts;
mod pages;
mod printing;
mod verification;
mod verifiers;

use std::collections::BTreeMap;

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, physician};
pub(crate) use preceptor_testkit::local::DOSES;
use preceptor_testkit::{Local, Store};
use preceptor_tlog::{LogKey, Proof, Refusal};
use serde_json::{Value, json};

use crate::support::{list, markdown};

preceptor_testkit::on_both_stores! {
    a_verified_clinician_earns_a_credit_whose_history_can_be_told
}

/// A program on its way to credit.
pub(crate) struct Course {
    pub(crate) program: String,
    pub(crate) offer: String,
    pub(crate) items: Vec<Value>,
}

/// A published program with an attested source, a designation and an open quiz.
pub(crate) async fn course(local: &Local, terms: Value) -> Course {
    let program = local
        .publish("Doses of anticoagulants", &["Choose the dose"], vec![markdown("doses.md", DOSES)])
        .await
        .expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    local.reviewer.attest(&source).await.expect("an attestation");
    let accreditation = local.editor.accredit("Harbor Medical Education").await.expect("an accreditation");
    let offer = local.editor.designate(&program, &accreditation).await.expect("an offer");
    let items = local.editor.make_quiz(&local.reviewer, &program, 4, terms).await.expect("a quiz");
    assert!(items.len() >= 3, "{items:?}");
    Course { program, offer, items }
}

/// A learner whose address is verified.
pub(crate) async fn clinician(local: &Local, program: &str, name: &str) -> Client {
    let learner = local.learner(program, name).await.expect("a learner");
    let statement = physician("Ana María Núñez", &format!("{name}@example.org"));
    let stated =
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    assert_eq!(stated["assertion"]["level"], 0, "{stated}");
    learner
}

/// The stable code of an error.
pub(crate) fn code<T: std::fmt::Debug>(outcome: anyhow::Result<T>) -> String {
    let text = outcome.expect_err("it is refused").to_string();
    text.rsplit_once('(')
        .and_then(|(_, code)| code.split_once([',', ')']))
        .map(|(code, _)| code.to_owned())
        .unwrap_or(text)
}

async fn a_verified_clinician_earns_a_credit_whose_history_can_be_told(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;

    let quiz = learner.get(&format!("/v1/programs/{}/quiz", course.program)).await.expect("the rules");
    assert_eq!((&quiz["form"]["threshold_percent"], &quiz["closed"]), (&json!(60), &Value::Null));
    assert!(
        quiz["offers"][0]["designation_statement"]
            .as_str()
            .is_some_and(|text| text.contains("0.75 AMA PRA Category 1 Credit(s)™"))
    );
    assert!(!quiz.to_string().contains("\"correct\":true"), "the rules tell no answers");

    let failed = learner.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
    assert_eq!((&failed["result"]["passed"], &failed["result"]["percent"]), (&json!(false), &json!(0)));
    assert_eq!(code(learner.claim(&failed, &course.offer, 0.5).await), "ATTEMPT_NOT_PASSED");
    let passed = learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    assert_eq!(passed["result"]["passed"], true);
    assert!(
        list(&passed, "questions")
            .iter()
            .all(|question| question["quote"].as_str().is_some_and(|quote| DOSES.contains(quote)))
    );

    let credit = learner.claim(&passed, &course.offer, 0.5).await.expect("a credit");
    assert_eq!(
        (&credit["amount"], &credit["recognition"], &credit["state"]),
        (&json!(0.5), &json!("credit"), &json!("live"))
    );
    assert!(
        ["issued_at", "quiz_completed_at", "content_verified_at"]
            .iter()
            .all(|field| credit[field].is_string()),
        "{credit}"
    );
    let credit_id = id(&credit, "id").expect("an id");
    local_history(&local, &learner, &credit_id, &course).await;
    local.stop().await;
}

/// How many records of each kind the log holds about a chain, after every proof was checked without the server.
fn proved(told: &Value) -> BTreeMap<String, usize> {
    let key: LogKey = told["records"]["log_key"].as_str().expect("a key").parse().expect("a key");
    let mut counts = BTreeMap::new();
    for entry in list(&told["records"], "entries") {
        let field = |name: &str| entry[name].as_str().expect("a field").to_owned();
        let record = hex::decode(field("record")).expect("bytes");
        let proof: Proof = field("inclusion_proof").parse().expect("a proof");
        proof.verify(&record, &key).expect("the log holds the record");
        let other = [record.as_slice(), b"x"].concat();
        assert_eq!(proof.verify(&other, &key), Err(Refusal::NotIncluded), "another record is not in the log");
        *counts.entry(field("action")).or_default() += 1;
    }
    counts
}

/// "How was this credit earned?", as the holder, an admin and a stranger see it.
async fn local_history(local: &Local, learner: &Client, credit: &str, course: &Course) {
    learner.certificate(credit).await.expect("a certificate");
    let path = format!("/v1/credits/{credit}/provenance");
    for client in [learner, &local.editor] {
        let told = client.get(&path).await.expect("the chain");
        assert_eq!(told["sources"][0]["class"], "provider_attested");
        assert_eq!(told["accreditation"]["provider"], "Harbor Medical Education");
        assert_eq!(told["attempt"]["passed"], true);
        assert_eq!(list(&told["quiz"], "items").len(), course.items.len());
        assert!(list(&told["quiz"], "items").iter().all(|item| item["correct"] == true));
        assert_eq!(told["credential"]["profession"], "physician");
        assert!(
            told["proof"]["inclusion_proof"]
                .as_str()
                .is_some_and(|proof| proof.starts_with("c2sp.org/tlog-proof@v1")),
            "{told}"
        );
        let proved = proved(&told);
        assert!(
            [
                "attempt.started",
                "attempt.submitted",
                "credit.awarded",
                "credential.asserted",
                "certificate.issued"
            ]
            .iter()
            .all(|action| proved.contains_key(*action)),
            "{proved:?}"
        );
    }
    let own = learner.get(&path).await.expect("the chain");
    let record = local.editor.get(&path).await.expect("the chain");
    assert!(list(&record["quiz"], "items").iter().all(|item| item["author"] != item["reviewer"]));
    assert!(!own.to_string().contains("staff_"), "a learner is shown no id of staff: {own}");
    let (to_holder, to_record) = (proved(&own), proved(&record));
    // Every link of the provider too, each item by itself; their reasons are not for learners.
    assert_eq!(to_record["item.approved"], course.items.len());
    for action in
        ["accreditation.recorded", "program.designated", "quiz.frozen", "source.verified", "source.approved"]
    {
        assert!(to_record.contains_key(action) && !to_holder.contains_key(action), "{action}: {to_record:?}");
    }
    assert!(
        own["credential"]["name"].is_string() && record["credential"]["name"].is_null(),
        "the record speaks of pseudonyms"
    );
    let other = local.learner(&course.program, "stranger").await.expect("a learner");
    assert_eq!(code(other.get(&path).await), "CREDIT_NOT_FOUND");
}
