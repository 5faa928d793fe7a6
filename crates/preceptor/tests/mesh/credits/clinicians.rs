//! What was checked of someone is not inherited by the person that they say they are next.

use std::path::{Path, PathBuf};

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, physician};
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_standins::{Provider, Trouble};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::{clinician, code, course};
use crate::support::{eventually, list};

preceptor_testkit::on_both_stores! {
    another_name_begins_anew_and_the_certificate_keeps_the_name_that_was_checked
    a_refusal_by_the_board_ends_what_was_asserted
    a_number_of_the_registry_belongs_to_one_learner
    who_knows_what_is_public_locks_no_one_out
    a_license_that_two_state_is_contested_too
    a_deactivated_number_is_an_answer_and_holds_up_no_one
    a_question_to_the_registry_outlives_the_process_that_was_to_ask_it
}

const NPI: &str = "1234567893";

/// Confirms or refuses a learner's license at its board, as the admin.
async fn board(local: &Local, learner: &Value, confirmed: bool) -> Value {
    let path = format!("/v1/clinicians/{}/primary-source", learner["learner"].as_str().expect("a pseudonym"));
    local
        .editor
        .post(&path, &json!({ "confirmed": confirmed, "evidence": "Looked up at the board's own site" }))
        .await
        .expect("a check")
}

async fn me(learner: &Client) -> Value {
    learner.get("/v1/me/clinician").await.expect("a statement")
}

/// What the registry said.
async fn asked_about(learner: &Client) -> Value {
    eventually("the registry's answer", async || {
        let known = me(learner).await;
        let checks = known["checks"].as_array().cloned().unwrap_or_default();
        checks.into_iter().find(|check| check["method"] == "npi_registry")
    })
    .await
}

async fn another_name_begins_anew_and_the_certificate_keeps_the_name_that_was_checked(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "first").await;
    assert_eq!(board(&local, &me(&learner).await, true).await["assertion"]["level"], 3);
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");

    let same = physician("Ana María Núñez", "new.address@example.org");
    let moved = learner.put("/v1/me/clinician", &same).await.expect("a statement");
    assert_eq!(moved["assertion"]["level"], 3, "another address is the same person: {moved}");
    let another = physician("Boris Other", "new.address@example.org");
    let other = learner.put("/v1/me/clinician", &another).await.expect("a statement");
    assert!(other["assertion"].is_null(), "nobody was checked under this name: {other}");
    let again = learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let refused = code(learner.claim(&again, &course.offer, 0.5).await);
    assert_eq!(refused, "CREDIT_EXISTS", "one live credit, whatever the name");

    let pdf = learner.certificate(&id(&credit, "id").expect("an id")).await.expect("a certificate");
    let report = preceptor_certificate::verify::verify(&pdf, None).expect("it holds");
    assert_eq!(report.name, "Ana María Núñez, MD");
    local.stop().await;
}

async fn a_refusal_by_the_board_ends_what_was_asserted(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "refused").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let refused = board(&local, &me(&learner).await, false).await;
    assert!(refused["assertion"].is_null(), "{refused}");
    assert!(refused["next_step"].as_str().is_some_and(|step| step.contains("board")), "{refused}");
    assert_eq!(code(learner.claim(&attempt, &course.offer, 0.5).await), "CREDENTIAL_NOT_VERIFIED");
    assert_eq!(
        board(&local, &me(&learner).await, true).await["assertion"]["level"],
        3,
        "a mistake can be mended"
    );
    learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    local.stop().await;
}

async fn a_number_of_the_registry_belongs_to_one_learner(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    local.registries.know_provider(Provider {
        npi: NPI.into(),
        first_name: "Ana".into(),
        last_name: "Nunez".into(),
        license: "MD12345".into(),
        deactivated: false,
    });
    let mut statement = physician("Ana María Núñez", "own@example.org");
    statement["npi"] = json!(NPI);
    let first = clinician(&local, &course.program, "own").await;
    first.put("/v1/me/clinician", &statement).await.expect("a statement");
    assert_eq!(asked_about(&first).await["passed"], true);
    let second = clinician(&local, &course.program, "thief").await;
    statement["email"] = json!("thief@example.org");
    second.put("/v1/me/clinician", &statement).await.expect("a statement");
    assert_eq!(asked_about(&second).await["passed"], false, "the number was confirmed for someone else");
    assert_eq!(me(&second).await["assertion"]["level"], 0);
    local.stop().await;
}

/// Someone who states Ana's name, number and license, all of which are public, from an address of their own.
async fn stating(local: &Local, program: &str, name: &str, npi: &str) -> Client {
    let learner = local.learner(program, name).await.expect("a learner");
    let mut statement = physician("Ana Nunez", &format!("{name}@example.org"));
    statement["npi"] = json!(npi);
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    learner
}

/// The contests of the org.
async fn contests(local: &Local) -> Vec<Value> {
    list(&local.editor.get("/v1/contested-identities").await.expect("contests"), "data").to_vec()
}

async fn who_knows_what_is_public_locks_no_one_out(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    let terms = json!({ "credit_type": "ancc_contact_hour", "activity_format": "other", "maximum": 0.5,
        "terminates_at": preceptor::journey::day_from_now(300), "accreditation_id": accreditation });
    let offer = local
        .editor
        .post(&format!("/v1/programs/{}/offers", course.program), &terms)
        .await
        .expect("an offer");
    let offer = id(&offer, "id").expect("an id");
    local.registries.know_provider(Provider {
        npi: NPI.into(),
        first_name: "Ana".into(),
        last_name: "Nunez".into(),
        license: "MD12345".into(),
        deactivated: false,
    });
    let thief = stating(&local, &course.program, "thief", NPI).await;
    asked_about(&thief).await;
    assert_eq!(
        me(&thief).await["assertion"]["level"],
        1,
        "knowledge of what is public is no proof of control"
    );
    let owner = stating(&local, &course.program, "owner", NPI).await;

    // Both are suspended, a task is open, and both are told.
    let open = contests(&local).await;
    assert!(!open.is_empty() && open.iter().all(|contest| contest["state"] == "open"), "{open:?}");
    let mut refused = Vec::new();
    for learner in [&thief, &owner] {
        let known = me(learner).await;
        assert_eq!(known["assertion"]["level"], 0, "{known}");
        assert!(
            known["next_step"].as_str().is_some_and(|step| step.contains("someone else states the same")),
            "{known}"
        );
        let attempt =
            learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
        let refusal = learner.claim(&attempt, &offer, 0.5).await.expect_err("neither").to_string();
        assert!(
            refusal.contains("CREDENTIAL_NOT_VERIFIED") && refusal.contains("someone else states the same"),
            "{refusal}"
        );
        let path = format!("/v1/clinicians/{}/primary-source", id(&known, "learner").expect("a pseudonym"));
        let seen = json!({ "confirmed": true, "evidence": "Board register: active" });
        assert_eq!(
            code(local.editor.post(&path, &seen).await),
            "IDENTITY_CONTESTED",
            "not beside the contest"
        );
        refused.push((attempt, id(&known, "learner").expect("a pseudonym")));
    }
    for name in ["thief", "owner"] {
        let address = format!("{name}@example.org");
        eventually("the notice", async || {
            local
                .mail
                .mails()
                .into_iter()
                .find(|mail| mail.contains(&address) && mail.contains("Someone else has stated your license"))
        })
        .await;
    }
    let console =
        reqwest::Client::new().get(format!("{}/console", local.url)).bearer_auth(local.editor.token());
    assert!(
        console
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a page")
            .contains("/console/contested-identities")
    );

    // The admin asked at the primary source, and says so.
    let (thief_attempt, thief_name) = &refused[0];
    let (owner_attempt, owner_name) = &refused[1];
    let decide = async |upheld: &str| {
        for contest in contests(&local).await {
            let path = format!("/v1/contested-identities/{}/decision", id(&contest, "id").expect("an id"));
            let decision = json!({ "upheld": upheld, "reason": "The board answered", "evidence": "Mail to the address on its record" });
            assert_eq!(
                code(owner.post(&path, &decision).await),
                "CAPABILITY_MISSING",
                "you cannot decide about your own identity"
            );
            let decided = local.editor.post(&path, &decision).await.expect("a decision");
            assert_eq!(
                (&decided["state"], &decided["evidence"]),
                (&json!("decided"), &json!("Mail to the address on its record"))
            );
        }
    };
    decide(owner_name).await;
    eventually("the registry's answer", async || (me(&owner).await["assertion"]["level"] == 1).then_some(()))
        .await;
    owner.claim(owner_attempt, &offer, 0.5).await.expect("it is theirs");
    let lost = me(&thief).await;
    assert!(
        lost["assertion"].is_null()
            && lost["next_step"].as_str().is_some_and(|step| step.contains("another person")),
        "{lost}"
    );
    assert_eq!(code(thief.claim(thief_attempt, &course.offer, 0.5).await), "CREDENTIAL_NOT_VERIFIED");
    // Stating it again changes nothing, for either of them.
    let mut again = physician("Ana Nunez", "thief@example.org");
    again["npi"] = json!(NPI);
    again["degree"] = json!("DO");
    thief.put("/v1/me/clinician", &again).await.expect("a statement");
    assert!(me(&thief).await["assertion"].is_null());
    assert_eq!(me(&owner).await["assertion"]["level"], 1);
    // A mistake can be mended.
    decide(thief_name).await;
    assert!(me(&owner).await["assertion"].is_null());
    local.stop().await;
}

async fn a_license_that_two_state_is_contested_too(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let owner = clinician(&local, &course.program, "owner").await;
    // Two who are known by their own word alone disturb no one.
    let other = clinician(&local, &course.program, "other").await;
    assert!(contests(&local).await.is_empty());
    let known = board(&local, &me(&owner).await, true).await;
    assert_eq!(known["assertion"]["level"], 0, "someone else states this license: {known}");
    let open = contests(&local).await;
    assert!(open.len() == 1 && open[0]["about"] == "license", "{open:?}");
    // Anyone who comes later, however they spell it.
    let third = local.learner(&course.program, "third").await.expect("a learner");
    let mut statement = physician("Ana", "third@example.org");
    statement["license_number"] = json!("md 12-345");
    statement["license_board"] = json!("California Medical Board");
    third.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    assert_eq!(list(&contests(&local).await[0], "parties").len(), 3);
    // Who states something else is out of it.
    statement["license_number"] = json!("MD99999");
    third.put("/v1/me/clinician", &statement).await.expect("a statement");
    assert_eq!(board(&local, &me(&third).await, true).await["assertion"]["level"], 3);
    assert_eq!(me(&other).await["assertion"]["level"], 0);
    local.stop().await;
}

async fn a_deactivated_number_is_an_answer_and_holds_up_no_one(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let provider = |npi: &str, deactivated| Provider {
        npi: npi.into(),
        first_name: "Ana".into(),
        last_name: "Nunez".into(),
        license: "MD12345".into(),
        deactivated,
    };
    let gone = "1245319599";
    local.registries.know_provider(provider(gone, true));
    local.registries.know_provider(provider(NPI, false));
    let state = async |learner: &Client, npi: &str, email: &str| {
        let mut statement = physician("Ana María Núñez", email);
        statement["npi"] = json!(npi);
        learner.put("/v1/me/clinician", &statement).await.expect("a statement");
    };
    let (first, second) =
        (clinician(&local, &course.program, "gone").await, clinician(&local, &course.program, "known").await);
    state(&first, gone, "gone@example.org").await;
    state(&second, NPI, "known@example.org").await;
    let answer = asked_about(&first).await;
    assert!(
        answer["passed"] == false && answer["detail"].as_str().is_some_and(|why| why.contains("deactivated")),
        "{answer}"
    );
    assert_eq!(asked_about(&second).await["passed"], true);
    local.stop().await;
}

async fn a_question_to_the_registry_outlives_the_process_that_was_to_ask_it(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    local.registries.know_provider(Provider {
        npi: NPI.into(),
        first_name: "Ana".into(),
        last_name: "Nunez".into(),
        license: "MD12345".into(),
        deactivated: false,
    });
    local.registries.set_trouble(usize::MAX, Trouble::Down);
    let learner = stating(&local, &course.program, "ana", NPI).await;
    let asked =
        async || local.registries.requests().iter().any(|request| request.contains(NPI)).then_some(());
    eventually("the registry is asked, and is away", asked).await;
    let (config, token) = (local.config.clone(), learner.token().to_owned());
    local.mesh.stop().await;

    local.registries.set_trouble(0, Trouble::Down);
    let mesh = Mesh::start(config, Plan::whole(), None).await.expect("it starts again");
    let url = format!("http://{}", mesh.address.expect("an address"));
    let learner = Client::new(&url, Secret::new(token)).expect("a client");
    assert_eq!(asked_about(&learner).await["passed"], true);
    mesh.stop().await;
}

/// Every byte of the data folder.
fn at_rest(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(at_rest(&path));
        } else {
            files.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_names_a_person_is_on_disk_in_plain_text() {
    let local = Local::start(None).await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = local.learner(&course.program, "ana").await.expect("a learner");
    let statement = physician("Quirina Zwetschgenbaum", "quirina@zwetschgen.example");
    let put = async || {
        let request =
            reqwest::Client::new().put(format!("{}/v1/me/clinician", local.url)).bearer_auth(learner.token());
        request
            .header("idempotency-key", "once")
            .json(&statement)
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text")
    };
    let first = put().await;
    assert!(first.contains("Zwetschgenbaum") && put().await == first, "the same answer again: {first}");
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let path = format!(
        "/v1/clinicians/{}/primary-source",
        me(&learner).await["learner"].as_str().expect("a pseudonym")
    );
    let seen = "Board register: Zwetschgenbaum, license MD12345, active";
    let checked =
        local.editor.post(&path, &json!({ "confirmed": true, "evidence": seen })).await.expect("a check");
    assert!(checked["checks"].to_string().contains(seen), "the admin reads it: {checked}");
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit =
        id(&learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit"), "id").expect("an id");
    learner.certificate(&credit).await.expect("a certificate");
    let told = local.editor.get(&format!("/v1/credits/{credit}/provenance")).await.expect("its history");
    assert!(!told.to_string().contains("Zwetschgenbaum"), "the record names nobody: {told}");
    let files = at_rest(&local.data());
    assert!(files.iter().any(|(_, content)| {
        content.windows(course.program.len()).any(|bytes| bytes == course.program.as_bytes())
    }));
    for needle in ["Zwetschgenbaum", "quirina@", "MD12345"] {
        let found = files
            .iter()
            .find(|(_, content)| content.windows(needle.len()).any(|bytes| bytes == needle.as_bytes()));
        assert!(found.is_none(), "{needle} is in {:?}", found.map(|(path, _)| path));
    }
    local.stop().await;
}
