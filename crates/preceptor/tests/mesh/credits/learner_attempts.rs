//! Attempts of everyone at a program's quizzes: who reads them, by name or without, and who does not.

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, day_from_now};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::{Course, clinician, code, course};
use crate::support::list;

preceptor_testkit::on_both_stores! {
    staff_who_read_the_record_see_how_attempts_went
    names_are_for_admins_and_attempts_for_those_who_read_the_record
}

const NAME: &str = "Ana María Núñez";

/// Two learners: one failed, passed and claimed; the other stated no name and is in the middle of the quiz.
struct Taken {
    course: Course,
    path: String,
    ana: Client,
    credit: String,
}

async fn taken(local: &Local) -> Taken {
    let course = course(local, json!({ "most_attempts": 0 })).await;
    let ana = clinician(local, &course.program, "ana").await;
    ana.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
    let passed = ana.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = ana.claim(&passed, &course.offer, 0.5).await.expect("a credit");
    let other = local.learner(&course.program, "bo").await.expect("a learner");
    other.begin_quiz(&course.program).await.expect("an attempt");
    let path = format!("/v1/programs/{}/learner-attempts", course.program);
    Taken { path, ana, credit: id(&credit, "id").expect("an id"), course }
}

fn column(attempts: &[Value], pointer: &str) -> Vec<Value> {
    attempts.iter().map(|attempt| attempt.pointer(pointer).cloned().unwrap_or_default()).collect()
}

async fn staff_who_read_the_record_see_how_attempts_went(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let Taken { course, path, credit, .. } = taken(&local).await;
    let admin = &local.editor;
    let all = admin.all(&path).await.expect("attempts");
    assert_eq!(column(&all, "/state"), ["under_way", "passed", "failed"], "newest first: {all:#?}");
    assert_eq!(column(&all, "/name"), [Value::Null, json!(NAME), json!(NAME)]);
    assert_eq!(column(&all, "/number"), [1_i64, 2, 1]);
    assert_eq!(column(&all, "/form_number"), [1_i64, 1, 1]);
    assert_eq!(column(&all, "/percent"), [Value::Null, json!(100), json!(0)]);
    assert_eq!(column(&all, "/threshold_percent"), [60_i64, 60, 60]);
    assert!(all[0]["submitted_at"].is_null() && all[1]["submitted_at"].is_string());
    assert_eq!(column(&all, "/offers/0/offer_id"), [course.offer.as_str(); 3]);
    assert_eq!(column(&all, "/offers/0/credit_id"), [Value::Null, json!(credit), Value::Null]);
    assert!(!all[1].to_string().contains("questions"), "what was answered is not shown: {}", all[1]);

    let void = format!("/v1/credits/{credit}/void");
    admin.post(&void, &json!({ "reason": "Entered twice" })).await.expect("it is void");
    let passed = admin.all(&format!("{path}?state=passed")).await.expect("attempts");
    assert_eq!(column(&passed, "/offers/0/credit_state"), ["voided"]);
    filters_and_pages(admin, &course, &path, &all).await;
    local.stop().await;
}

/// Every filter shows the part of the whole that it names, and pages go on under the filters they began with.
async fn filters_and_pages(admin: &Client, course: &Course, path: &str, all: &[Value]) {
    for (place, state) in ["under_way", "passed", "failed"].into_iter().enumerate() {
        let listed = admin.all(&format!("{path}?state={state}")).await.expect("attempts");
        assert_eq!(column(&listed, "/id"), [all[place]["id"].clone()], "{state}");
    }
    let accreditation = admin.accredit("Bay").await.expect("an accreditation");
    let other = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.5,
        "terminates_at": day_from_now(300), "accreditation_id": accreditation, "source_classes": ["pubmed"] });
    let other =
        admin.post(&format!("/v1/programs/{}/offers", course.program), &other).await.expect("an offer");
    let other = id(&other, "id").expect("an id");
    for (offer, count) in [(&course.offer, 3), (&other, 0)] {
        let listed = admin.all(&format!("{path}?offer_id={offer}")).await.expect("attempts");
        assert_eq!(listed.len(), count, "{listed:#?}");
    }
    let both = admin.all(&format!("{path}?offer_id={}&state=failed", course.offer)).await.expect("attempts");
    assert_eq!(column(&both, "/id"), [all[2]["id"].clone()]);
    let unknown = "offer_01k9w0x5c8f3v9q2d7t4m6n8rz";
    assert_eq!(code(admin.get(&format!("{path}?offer_id={unknown}")).await), "OFFER_NOT_FOUND");
    assert_eq!(code(admin.get(&format!("{path}?state=open")).await), "QUERY_INVALID");

    let first = admin.get(&format!("{path}?limit=2")).await.expect("a page");
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = admin.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect("a page");
    let pages = [list(&first, "data"), list(&second, "data")].concat();
    assert_eq!((column(&pages, "/id"), &second["next_cursor"]), (column(all, "/id"), &Value::Null));
    let elsewhere = admin.get(&format!("{path}?state=passed&cursor={cursor}")).await;
    assert_eq!(code(elsewhere), "CURSOR_INVALID", "a cursor is good for the filters it came with");
}

/// A page as someone sees it: its status and its text.
async fn page(local: &Local, client: &Client, program: &str) -> (u16, String) {
    let url = format!("{}/console/programs/{program}/learner-attempts", local.url);
    let answer = reqwest::Client::new().get(url).bearer_auth(client.token()).send().await;
    let answer = answer.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

async fn names_are_for_admins_and_attempts_for_those_who_read_the_record(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let Taken { course, path, ana, .. } = taken(&local).await;
    let all = local.editor.all(&path).await.expect("attempts");
    let auditor = local.editor.hire("Audra Auditor", "auditor").await.expect("an auditor");
    let seen = auditor.all(&path).await.expect("attempts");
    assert_eq!(column(&seen, "/name"), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(column(&seen, "/learner"), column(&all, "/learner"), "the record speaks of pseudonyms");

    let (status, to_admin) = page(&local, &local.editor, &course.program).await;
    assert!(status == 200 && to_admin.contains(NAME) && to_admin.contains("Learner 1"), "{to_admin}");
    let (status, to_auditor) = page(&local, &auditor, &course.program).await;
    assert!(status == 200 && !to_auditor.contains(NAME), "{to_auditor}");
    assert!(to_auditor.contains("Learner 1") && to_auditor.contains("Learner 2"), "{to_auditor}");
    for learner in column(&all, "/learner") {
        let pseudonym = learner.as_str().expect("a pseudonym");
        assert!(!to_admin.contains(pseudonym) && !to_auditor.contains(pseudonym), "no id on a page");
    }

    let mut refused = vec![ana];
    for role in ["editor", "reviewer", "analyst", "supporter"] {
        refused.push(local.editor.hire(role, role).await.expect("a member of staff"));
    }
    for client in &refused {
        assert_eq!(code(client.get(&path).await), "CAPABILITY_MISSING");
        let (status, text) = page(&local, client, &course.program).await;
        assert!(status == 403 && !text.contains(NAME), "{status} {text}");
    }
    local.stop().await;
}
