//! The acceptance tests that the domain suggests (design notes, domain 6.2), by name.

use preceptor::client::id;
use preceptor::journey::{Answers, day_from_now, physician};
use preceptor_testkit::Store;
use serde_json::{Value, json};

use super::{clinician, code, course};
use crate::support::{eventually, list};

preceptor_testkit::on_both_stores! {
    a_claim_in_other_steps_or_beyond_the_designation_is_refused
    designation_is_never_retroactive_and_needs_accreditation
    a_claim_after_termination_is_refused
    a_nurse_practitioner_gets_participation_and_not_the_credit
    a_second_claim_gives_the_same_credit_and_a_void_allows_another
    what_was_passed_stays_when_the_program_is_withdrawn
    a_thousand_concurrent_claims_of_one_attempt_give_one_award
    a_threshold_that_changes_later_never_affects_past_attempts
    learners_without_credentials_learn_and_take_quizzes_and_credits_refuse_them_with_the_reason
    levels_rise_with_registry_and_primary_source
    a_name_in_any_script_goes_round_whole
    retakes_end_and_answers_stay_as_they_were_submitted
    an_evaluation_is_needed_where_the_offer_says_so
}

async fn a_claim_in_other_steps_or_beyond_the_designation_is_refused(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    for amount in [0.3, 1.0, 0.0, -0.25, 1e12] {
        assert_eq!(
            code(learner.claim(&attempt, &course.offer, amount).await),
            "AMOUNT_NOT_ALLOWED",
            "{amount}"
        );
    }
    assert_eq!(learner.get("/v1/credits").await.expect("a transcript")["data"], json!([]));
    learner.claim(&attempt, &course.offer, 0.75).await.expect("the designated maximum");
    local.stop().await;
}

async fn designation_is_never_retroactive_and_needs_accreditation(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let accreditations = local.editor.get("/v1/accreditations").await.expect("accreditations");
    let accreditation = list(&accreditations, "data")[0]["id"].clone();
    let offers = format!("/v1/programs/{}/offers", course.program);
    let offer = |change: Value| {
        let mut offer = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 1.0,
            "terminates_at": day_from_now(300), "accreditation_id": accreditation, "minimum_level": 0 });
        offer.as_object_mut().expect("an object").extend(change.as_object().cloned().expect("an object"));
        offer
    };
    assert_eq!(
        code(local.editor.post(&offers, &offer(json!({ "opens_at": "2025-01-01" }))).await),
        "NOT_DESIGNATED"
    );
    assert_eq!(
        code(
            local
                .editor
                .post(&offers, &offer(json!({ "opens_at": "2045-01-01", "terminates_at": "2046-01-01" })))
                .await
        ),
        "NOT_ACCREDITED"
    );
    assert_eq!(
        code(local.editor.post(&offers, &offer(json!({ "maximum": 0.3 }))).await),
        "AMOUNT_NOT_ALLOWED"
    );
    // ACCME's accreditation says nothing about contact hours of nurses.
    let of_physicians = json!({ "body": "accme", "provider": "Harbor", "valid_from": "2024-07-01", "valid_until": "2030-07-01" });
    let of_physicians =
        local.editor.post("/v1/accreditations", &of_physicians).await.expect("an accreditation");
    let refused =
        local.editor.post(&offers, &offer(json!({ "accreditation_id": of_physicians["id"] }))).await;
    assert_eq!(code(refused), "NOT_ACCREDITED");
    // Designated after the quiz was taken: no one earns that credit with it.
    let late = local.editor.post(&offers, &offer(json!({}))).await.expect("an offer");
    assert_eq!(code(learner.claim(&attempt, &id(&late, "id").expect("an id"), 0.5).await), "NOT_DESIGNATED");
    local.stop().await;
}

async fn a_claim_after_termination_is_refused(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    let soon = preceptor_core::Timestamp::from_micros(now() + 600_000_000);
    let offer = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.5,
        "terminates_at": soon.to_string(), "accreditation_id": accreditation, "minimum_level": 0 });
    let offer = local
        .editor
        .post(&format!("/v1/programs/{}/offers", course.program), &offer)
        .await
        .expect("an offer");
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    local.clock.advance(std::time::Duration::from_secs(700));
    assert_eq!(code(learner.claim(&attempt, &id(&offer, "id").expect("an id"), 0.5).await), "OUTSIDE_WINDOW");
    local.stop().await;
}

fn now() -> i64 {
    use preceptor_core::Clock as _;
    preceptor_core::SystemClock.now().micros()
}

async fn a_nurse_practitioner_gets_participation_and_not_the_credit(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = local.learner(&course.program, "nora").await.expect("a learner");
    let mut statement = physician("Nora Nurse", "nora@example.org");
    statement["profession"] = json!("nurse_practitioner");
    statement["degree"] = json!("NP");
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("an award");
    assert_eq!(credit["recognition"], "participation");
    let pdf = learner.certificate(&id(&credit, "id").expect("an id")).await.expect("a certificate");
    let report = preceptor_certificate::verify::verify(&pdf, None).expect("it holds");
    assert!(report.title.starts_with("Certificate of Participation"), "{report:?}");
    assert!(
        report.award.contains("participation") && report.award.contains("was designated for 0.75"),
        "{report:?}"
    );
    local.stop().await;
}

async fn a_second_claim_gives_the_same_credit_and_a_void_allows_another(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let first = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    assert_eq!(
        learner.claim(&attempt, &course.offer, 0.5).await.expect("the same credit")["id"],
        first["id"]
    );
    let again =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("another attempt");
    assert_eq!(code(learner.claim(&again, &course.offer, 0.5).await), "CREDIT_EXISTS");

    let path = format!("/v1/credits/{}", id(&first, "id").expect("an id"));
    assert_eq!(
        code(local.editor.post(&format!("{path}/void"), &json!({ "reason": " " })).await),
        "INVALID_FIELD"
    );
    let voided = local
        .editor
        .post(&format!("{path}/void"), &json!({ "reason": "Issued in error" }))
        .await
        .expect("a void");
    assert_eq!((&voided["state"], &voided["void_reason"]), (&json!("voided"), &json!("Issued in error")));
    assert_eq!(
        code(local.editor.post(&format!("{path}/void"), &json!({ "reason": "Twice" })).await),
        "CREDIT_VOID"
    );
    let second = learner.claim(&again, &course.offer, 0.25).await.expect("another credit");
    assert_ne!(second["id"], first["id"]);
    let transcript = learner.get("/v1/credits").await.expect("a transcript");
    let states: Vec<&Value> = list(&transcript, "data").iter().map(|credit| &credit["state"]).collect();
    assert_eq!(states, ["live", "voided"]);
    local.stop().await;
}

async fn what_was_passed_stays_when_the_program_is_withdrawn(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    local
        .editor
        .post(&format!("/v1/programs/{}/withdraw", course.program), &json!({ "reason": "outdated" }))
        .await
        .expect("it is withdrawn");
    assert_eq!(code(learner.begin_quiz(&course.program).await), "PROGRAM_NOT_FOUND");
    let offers = learner.get(&format!("/v1/programs/{}/offers", course.program)).await.expect("the offers");
    assert_eq!(list(&offers, "data")[0]["activity_title"], "Doses of anticoagulants");
    learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    let stranger = local.learner(&course.program, "late").await.expect("a learner");
    assert_eq!(
        code(stranger.get(&format!("/v1/programs/{}/offers", course.program)).await),
        "PROGRAM_NOT_FOUND"
    );
    local.stop().await;
}

async fn a_thousand_concurrent_claims_of_one_attempt_give_one_award(store: Store) {
    const CLAIMS: usize = 1000;
    // All of them come from one address, as no learners do.
    let more_connections = |config: &mut preceptor::config::Config| {
        config.gateway.connections.most_connections_per_address = 2 * CLAIMS;
    };
    let local = store.mesh_with(None, more_connections).await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..CLAIMS {
        let (learner, attempt, offer) = (learner.clone(), attempt.clone(), course.offer.clone());
        claims.spawn(async move { learner.claim(&attempt, &offer, 0.5).await });
    }
    let credits = claims.join_all().await;
    let ids: std::collections::BTreeSet<String> =
        credits.iter().map(|credit| id(credit.as_ref().expect("a credit"), "id").expect("an id")).collect();
    assert_eq!((ids.len(), credits.len()), (1, CLAIMS));
    assert_eq!(list(&learner.get("/v1/credits").await.expect("a transcript"), "data").len(), 1);
    local.stop().await;
}

async fn a_threshold_that_changes_later_never_affects_past_attempts(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({ "threshold_percent": 40 })).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let quiz = format!("/v1/programs/{}/quiz", course.program);
    let shown = learner.get(&quiz).await.expect("the terms")["form"]["id"].clone();
    local.editor.post(&quiz, &json!({ "threshold_percent": 100 })).await.expect("another form");
    // No one is held to a threshold that they were not shown.
    let begin = learner
        .post(&format!("/v1/programs/{}/attempts", course.program), &json!({ "form_id": shown }))
        .await;
    assert_eq!(code(begin), "QUIZ_CHANGED");
    let known = learner
        .get(&format!("/v1/attempts/{}", id(&attempt, "id").expect("an id")))
        .await
        .expect("the attempt");
    assert_eq!((&known["threshold_percent"], &known["result"]["passed"]), (&json!(40), &json!(true)));
    learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    local.stop().await;
}

async fn learners_without_credentials_learn_and_take_quizzes_and_credits_refuse_them_with_the_reason(
    store: Store,
) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = local.learner(&course.program, "guest").await.expect("a learner");
    learner.ask(&course.program, "What is the usual starting dose of apixaban?").await.expect("an answer");
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let refused = learner.claim(&attempt, &course.offer, 0.5).await.expect_err("no credential").to_string();
    assert!(
        refused.contains("state your profession") && refused.contains("CREDENTIAL_NOT_VERIFIED"),
        "{refused}"
    );

    // Stated and not verified is not enough; a wrong code proves nothing; a license that came later does not count.
    let mut statement = physician("Gus Guest", "gus@example.org");
    learner.put("/v1/me/clinician", &statement).await.expect("a statement");
    let refused = learner.claim(&attempt, &course.offer, 0.5).await.expect_err("no address").to_string();
    assert!(refused.contains("verify your address"), "{refused}");
    let own = learner.get("/v1/me/clinician").await.expect("a statement");
    let pseudonym = id(&own, "learner").expect("a pseudonym");
    let seen = json!({ "confirmed": true, "evidence": "Public register of the board: active, no orders" });
    let path = format!("/v1/clinicians/{pseudonym}/primary-source");
    assert_eq!(code(local.editor.post(&path, &seen).await), "ADDRESS_NOT_VERIFIED");
    let tokens =
        local.editor.get(&format!("/v1/credentials?learner={pseudonym}")).await.expect("credentials");
    assert_eq!(list(&tokens, "data")[0]["kind"], "learner", "a kind that the document has");
    let too_short = learner.post("/v1/me/email-verification", &json!({ "code": "0000 000" })).await;
    assert_eq!(code(too_short), "INVALID_FIELD", "no try is used up by what can be no code");
    learner.post("/v1/me/email-codes", &json!({})).await.expect("a mail");
    assert_eq!(
        code(learner.post("/v1/me/email-verification", &json!({ "code": "00000000" })).await),
        "EMAIL_CODE_WRONG"
    );
    statement["licensed_since"] = json!("2030-01-01");
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let refused = learner.claim(&attempt, &course.offer, 0.5).await.expect_err("no license then").to_string();
    assert!(refused.contains("not valid when you completed"), "{refused}");
    statement["licensed_since"] = json!("2015-01-01");
    learner.put("/v1/me/clinician", &statement).await.expect("a statement");
    learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    local.stop().await;
}

async fn levels_rise_with_registry_and_primary_source(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    local.registries.know_provider(preceptor_standins::Provider {
        npi: "1234567893".into(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        license: "MD12345".into(),
        deactivated: false,
    });
    let learner = local.learner(&course.program, "ada").await.expect("a learner");
    let mut statement = physician("Ada Lovelace", "ada@example.org");
    statement["npi"] = json!("1234567890");
    assert_eq!(code(learner.put("/v1/me/clinician", &statement).await), "INVALID_FIELD");
    statement["npi"] = json!("1234567893");
    local.registries.set_trouble(1, preceptor_standins::Trouble::Down);
    learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
    let known = eventually("the registry's answer", async || {
        let known = learner.get("/v1/me/clinician").await.ok()?;
        list(&known, "checks").iter().any(|check| check["method"] == "npi_registry").then_some(known)
    })
    .await;
    // Everything that the registry has is public: anyone who knows it is not therefore that person.
    assert_eq!(known["assertion"]["level"], 1);
    assert!(
        list(&known, "checks")
            .iter()
            .any(|check| check["method"] == "npi_registry" && check["passed"] == true)
    );

    let pseudonym = id(&known, "learner").expect("a pseudonym");
    let address = json!({ "confirmed": true, "address_only": true, "evidence": "The hospital's directory has the address that was verified" });
    let shown = local
        .editor
        .post(&format!("/v1/clinicians/{pseudonym}/primary-source"), &address)
        .await
        .expect("a confirmation");
    assert_eq!(shown["assertion"]["level"], 2);
    let seen = json!({ "confirmed": true, "evidence": "Public register of the board: active, no orders" });
    let confirmed = local
        .editor
        .post(&format!("/v1/clinicians/{pseudonym}/primary-source"), &seen)
        .await
        .expect("a confirmation");
    assert_eq!(confirmed["assertion"]["level"], 3);
    assert!(
        learner.post(&format!("/v1/clinicians/{pseudonym}/primary-source"), &seen).await.is_err(),
        "you cannot verify your own credentials"
    );
    local.stop().await;
}

async fn retakes_end_and_answers_stay_as_they_were_submitted(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({ "most_attempts": 1 })).await;
    let learner = local.learner(&course.program, "l").await.expect("a learner");
    let begun = learner.begin_quiz(&course.program).await.expect("an attempt");
    let path = format!("/v1/attempts/{}", id(&begun, "id").expect("an id"));
    assert_eq!(code(learner.post(&format!("{path}/submit"), &json!({})).await), "QUIZ_INCOMPLETE");
    let attempt = learner
        .take_quiz(&course.program, &course.items, Answers::Wrong)
        .await
        .expect("the same attempt goes on");
    assert_eq!(attempt["id"], begun["id"]);
    assert_eq!(
        code(learner.put(&format!("{path}/answers/1"), &json!({ "option": 1 })).await),
        "ATTEMPT_SUBMITTED"
    );
    assert_eq!(code(learner.begin_quiz(&course.program).await), "RETAKES_USED_UP");
    let again = learner.post(&format!("{path}/submit"), &json!({})).await.expect("the same result");
    assert_eq!(again, attempt);
    let attempts = learner.get(&format!("/v1/programs/{}/attempts", course.program)).await.expect("attempts");
    assert_eq!(list(&attempts, "data").len(), 1, "failed attempts are kept");
    local.stop().await;
}

async fn an_evaluation_is_needed_where_the_offer_says_so(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({ "leaderboard": true })).await;
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    let offer = json!({ "credit_type": "ancc_contact_hour", "activity_format": "enduring_material", "maximum": 0.5,
        "terminates_at": day_from_now(300), "accreditation_id": accreditation, "evaluation_required": true, "minimum_level": 0 });
    let offer = local
        .editor
        .post(&format!("/v1/programs/{}/offers", course.program), &offer)
        .await
        .expect("an offer");
    let offer = id(&offer, "id").expect("an id");
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    assert_eq!(code(learner.claim(&attempt, &offer, 0.5).await), "EVALUATION_MISSING");
    let path = format!("/v1/programs/{}/evaluations", course.program);
    assert_eq!(code(learner.post(&path, &json!({ "ratings": { "overall": 5 } })).await), "INVALID_FIELD");
    let ratings = json!({ "ratings": { "objectives_met": 5, "free_of_bias": 5, "will_change_practice": 4, "overall": 5 }, "change": "Check kidneys" });
    let given = learner.post(&path, &ratings).await.expect("an evaluation");
    assert_eq!(learner.post(&path, &ratings).await.expect("the same evaluation")["id"], given["id"]);
    learner.claim(&attempt, &offer, 0.5).await.expect("a credit");
    // Two kinds of credit for one activity are two credits.
    learner.claim(&attempt, &course.offer, 0.75).await.expect("another credit");

    for name in ["b", "c"] {
        let other = local.learner(&course.program, name).await.expect("a learner");
        other.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
    }
    let board =
        learner.get(&format!("/v1/programs/{}/leaderboard", course.program)).await.expect("a leaderboard");
    let places = list(&board, "data");
    assert_eq!((places.len(), &places[0]["you"], &places[0]["percent"]), (3, &json!(true), &json!(100)));
    assert!(!board.to_string().contains("u_"), "no pseudonym is shown: {board}");
    local.stop().await;
}

async fn a_name_in_any_script_goes_round_whole(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = local.learner(&course.program, "ana").await.expect("a learner");
    // A name that turns the text around, and one of letters that only look like those beside them.
    for misleading in ["Ana \u{202e}zeñuN", "Zoë Núñez שרה ليلى"] {
        let statement = physician(misleading, "ana@example.org");
        assert_eq!(code(learner.put("/v1/me/clinician", &statement).await), "INVALID_FIELD", "{misleading}");
    }
    for (number, name) in
        ["Zoë Núñez‑Østergård", "שרה לוי", "ليلى حسن", "Анна Каренина"].into_iter().enumerate()
    {
        let learner = local.learner(&course.program, &format!("learner{number}")).await.expect("a learner");
        let statement = physician(name, &format!("learner{number}@example.org"));
        learner.become_clinician(&statement, |to| local.mail.newest_code(to)).await.expect("a clinician");
        let attempt =
            learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
        let credit =
            id(&learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit"), "id").expect("an id");
        let pdf = learner.certificate(&credit).await.expect("a certificate");
        let badge = learner.get(&format!("/v1/credits/{credit}/badge?format=both")).await.expect("a badge");
        let jwt = badge["jwt"].as_str().expect("a JWT");
        for file in [pdf.as_slice(), badge["credential"].to_string().as_bytes(), jwt.as_bytes()] {
            let report = preceptor_certificate::verify::verify(file, None).expect("it holds");
            assert_eq!(report.name, format!("{name}, MD"));
            let seen = learner
                .with_token("")
                .get(&format!("/v1/certificates/{}", report.code))
                .await
                .expect("what it says");
            assert_eq!(seen["name"], json!(format!("{name}, MD")));
        }
    }
    local.stop().await;
}
