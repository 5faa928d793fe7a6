//! A state for every operation in which its owner is served: what can be done once only is made anew for each.

use preceptor::client::{Client, Upload, id};
use preceptor::journey::{Answers, physician};
use preceptor_testkit::Local;
use preceptor_testkit::local::publish;
use serde_json::{Value, json};

use super::{Org, Victim, contested, text};
use crate::heavy;
use crate::support::{list, markdown};

/// Who an operation is for, and ids that it can be asked about.
pub(super) async fn owner(local: &Local, org: &Org, operation: &str) -> (Client, Victim) {
    let mut victim = org.programs[0].clone();
    if ["tem", "uiz", "ttempt"].iter().any(|about| operation.contains(about)) {
        // Items are made of what was verified; an identifier that no registry knows took that away.
        let attestation =
            json!({ "class": "provider_attested", "statement": "Peer-reviewed by the committee" });
        let attested = json!({ "attestation": attestation });
        local.reviewer.verify_by(&victim.source, attested).await.expect("an attestation");
    }
    let owner = match learner(local, org, &mut victim, operation).await {
        Some(learner) => learner,
        None => staff(local, org, &mut victim, operation).await,
    };
    (owner, victim)
}

/// The learner whom an operation is for, if it is for one.
async fn learner(local: &Local, org: &Org, victim: &mut Victim, operation: &str) -> Option<Client> {
    let learner = match operation {
        "getAttempt"
        | "page /attempts/{id}"
        | "submitAttempt"
        | "showFeedback"
        | "getCertificate"
        | "getBadge"
        | "claimCredit"
        | "form /attempts/{id}/feedback" => org.learner.clone(),
        "saveAnswer"
        | "form /attempts/{id}"
        | "startAttempt"
        | "form /programs/{id}/quiz"
        | "evaluateProgram"
        | "form /programs/{id}/evaluation" => taker(org, victim, operation).await,
        "form /attempts/{id}/claim" => claimant(local, org, victim, operation).await,
        _ => return None,
    };
    Some(learner)
}

/// The member of staff whom an operation is for.
async fn staff(local: &Local, org: &Org, victim: &mut Victim, operation: &str) -> Client {
    let admin = org.admin.clone();
    match operation {
        // What the operator of the deployment says about a provider is not for the provider to say.
        "decideAccreditation" => return local.operator.clone(),
        "decideItem" | "form /console/items/{id}/decision" => {
            victim.earned.item = item(org, victim, operation).await;
            return local.reviewer.clone();
        }
        "decideSource" | "form /console/sources/{id}/decision" => {
            victim.source = source(org, markdown("note.md", &text(operation))).await;
            let path = format!("/v1/sources/{}/submit", victim.source);
            admin.post(&path, &json!({})).await.expect("it waits for a decision");
            return local.reviewer.clone();
        }
        "submitSource" | "form /console/sources/{id}/submit" => {
            victim.source = source(org, markdown("note.md", &text(operation))).await;
        }
        "getPagePicture" => {
            let content =
                heavy::pdf(1, "/FlateDecode", &heavy::deflated(b"BT /F 12 Tf 9 9 Td (Doses) Tj ET"));
            victim.source =
                source(org, Upload { name: "page.pdf".into(), content, ..Upload::default() }).await;
        }
        "publishProgram"
        | "withdrawProgram"
        | "form /console/programs/{id}/publish"
        | "form /console/programs/{id}/withdraw" => {
            let files = vec![markdown("guide.md", &text("again"))];
            let made = publish(&admin, &local.reviewer, operation, &["Choose the dose"], files).await;
            victim.program = made.expect("a program");
        }
        "form /console/programs/{id}/objectives" => {
            let program = admin.post("/v1/programs", &json!({ "title": "Doses" })).await.expect("a program");
            victim.program = id(&program, "id").expect("an id");
            victim.earned.revision = program["revision"].to_string();
        }
        "closeTask" | "form /console/tasks/{id}/close" => victim.earned.task = task(org, operation).await,
        "confirmPrimarySource" => drop(clinician(local, org, victim, operation).await),
        "decideContestedIdentity" | "form /console/contested-identities/{id}/decision" => {
            contest(local, org, victim, operation).await;
        }
        _ if ["Staff", "/staff/", "Credential", "/credentials/"]
            .iter()
            .any(|about| operation.contains(about)) =>
        {
            member(org, victim, operation).await;
        }
        _ => {}
    }
    admin
}

/// A learner who has seen the terms of the quiz, is in the middle of it, or has taken it.
async fn taker(org: &Org, victim: &mut Victim, operation: &str) -> Client {
    let learner = org.admin.learner(&victim.program, operation).await.expect("a learner");
    let quiz = learner.get(&format!("/v1/programs/{}/quiz", victim.program)).await.expect("a quiz");
    victim.earned.form = id(&quiz["form"], "id").expect("an id");
    if operation == "startAttempt" || operation == "form /programs/{id}/quiz" {
        return learner;
    }
    let attempt = if operation.contains("valuat") {
        let items = org.admin.all(&format!("/v1/programs/{}/items", victim.program)).await.expect("items");
        learner.take_quiz(&victim.program, &items, Answers::Right).await.expect("an attempt")
    } else {
        learner.begin_quiz(&victim.program).await.expect("an attempt")
    };
    victim.earned.attempt = id(&attempt, "id").expect("an id");
    learner
}

/// An item that waits for a decision.
async fn item(org: &Org, victim: &Victim, operation: &str) -> String {
    let dose = if operation == "decideItem" { "The usual dose to start with" } else { "The starting dose" };
    let item = json!({
        "kind": "true_false", "difficulty": "easy", "passage_ids": [victim.passage],
        "stem": format!("{dose} of {} is 5 mg once a day.", victim.canary),
        "options": [{ "text": "True", "correct": true }, { "text": "False", "correct": false }],
    });
    let path = format!("/v1/programs/{}/items", victim.program);
    id(&org.admin.post(&path, &item).await.expect("an item"), "id").expect("an id")
}

/// A source that was read, of the program that is a draft.
async fn source(org: &Org, file: Upload) -> String {
    let added = org.admin.upload(&org.programs[2].program, file).await.expect("an upload");
    let source = id(&added, "id").expect("an id");
    org.admin.wait_for_source(&source, |_| {}).await.expect("it is read");
    source
}

/// An open task: an identifier that no registry knows opens one.
async fn task(org: &Org, operation: &str) -> String {
    let source = source(org, markdown("note.md", &text(operation))).await;
    org.admin.verify_by(&source, json!({ "pmid": "999998" })).await.expect("a verdict");
    let path = format!("/v1/programs/{}/tasks", org.programs[2].program);
    let tasks = org.admin.all(&path).await.expect("tasks");
    let is_open = |task: &&Value| task["source_id"] == source.as_str() && task["closed_at"].is_null();
    id(tasks.iter().find(is_open).expect("a task"), "id").expect("an id")
}

/// A learner who states a license that no one else states.
async fn clinician(local: &Local, org: &Org, victim: &mut Victim, operation: &str) -> Client {
    let learner = org.admin.learner(&victim.program, operation).await.expect("a learner");
    let mut statement = physician("Grace Hopper", &format!("grace{}@example.org", operation.len()));
    statement["license_number"] = license(operation).into();
    let clinician =
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    victim.earned.learner = id(&clinician, "learner").expect("a pseudonym");
    learner
}

/// A number of a license for each operation that needs one.
fn license(operation: &str) -> String {
    format!("MD{}", operation.len() + 70_000)
}

/// A clinician who passed the quiz and has not claimed yet.
async fn claimant(local: &Local, org: &Org, victim: &mut Victim, operation: &str) -> Client {
    let learner = clinician(local, org, victim, operation).await;
    let items = org.admin.all(&format!("/v1/programs/{}/items", victim.program)).await.expect("items");
    let attempt = learner.take_quiz(&victim.program, &items, Answers::Right).await.expect("an attempt");
    victim.earned.attempt = id(&attempt, "id").expect("an id");
    learner
}

/// A license that two people state.
async fn contest(local: &Local, org: &Org, victim: &mut Victim, operation: &str) {
    let learner = clinician(local, org, victim, operation).await;
    victim.earned.contest = contested(local, &org.admin, &learner, victim, &license(operation)).await;
}

/// A member of staff with an address and a token.
async fn member(org: &Org, victim: &mut Victim, operation: &str) {
    let new = json!({ "name": "Rita Reviewer", "role": "analyst", "email": "rita@example.org" });
    let made = org.admin.post("/v1/staff", &new).await.expect("a member of staff");
    victim.earned.staff = id(&made["staff"], "id").expect("an id");
    let path = format!("/v1/credentials?staff_id={}", victim.earned.staff);
    let credentials = org.admin.get(&path).await.expect("credentials");
    victim.earned.credential = id(&list(&credentials, "data")[0], "id").expect("an id");
    if operation == "reinstateStaff" {
        let path = format!("/v1/staff/{}/suspend", victim.earned.staff);
        org.admin.post(&path, &json!({ "reason": "r" })).await.expect("suspended");
    }
}
