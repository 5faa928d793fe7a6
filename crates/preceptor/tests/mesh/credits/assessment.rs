//! An assessment that says something: no one takes a quiz whose key they have seen or can find by trying, equal claims are
//! one claim, and no one's word about themselves is shown as the platform's.

use preceptor::client::{Client, id};
use preceptor::journey::{Answers, day_from_now};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::{Course, clinician, code, course};
use crate::support::list;

preceptor_testkit::on_both_stores! {
    anyone_who_has_seen_the_key_begins_and_submits_nothing
    which_answers_were_right_is_told_to_no_one_who_may_try_again
    another_amount_is_another_claim
    an_accreditation_is_confirmed_by_the_operator_or_shown_as_not_confirmed
    a_number_of_a_provider_is_confirmed_for_one_org
    terms_of_accreditations_and_activities_are_plausible
}

/// Begins a quiz without looking at whether it is open to the caller.
async fn begin(client: &Client, course: &Course) -> anyhow::Result<Value> {
    client.begin_quiz(&course.program).await
}

async fn anyone_who_has_seen_the_key_begins_and_submits_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let quiz = format!("/v1/programs/{}/quiz", course.program);
    for (name, author_or_reviewer) in [("the author", &local.editor), ("the reviewer", &local.reviewer)] {
        assert_eq!(code(begin(author_or_reviewer, &course).await), "QUIZ_KEY_SEEN", "{name}");
        let rules = author_or_reviewer.get(&quiz).await.expect("the rules");
        assert_eq!(rules["closed"]["code"], "QUIZ_KEY_SEEN", "{name} is told before the start");
    }
    // Who only reads has seen it too; who has not may try the quiz like anyone.
    let reader = local.editor.hire("Reader", "editor").await.expect("an editor");
    let curious = local.editor.hire("Curious", "editor").await.expect("an editor");
    let begun = begin(&curious, &course).await.expect("an attempt of someone who has seen nothing");
    let items = format!("/v1/programs/{}/items", course.program);
    for client in [&reader, &curious] {
        client.get(&format!("{items}?state=approved")).await.expect("the items with their key");
    }
    assert_eq!(code(begin(&reader, &course).await), "QUIZ_KEY_SEEN");
    // The one who had begun goes on, and gets nothing by it.
    curious.answer_quiz(&begun, &course.items, Answers::Right).await.expect("answers");
    assert_eq!(code(curious.submit_quiz(&begun).await), "QUIZ_KEY_SEEN");
    let known = curious
        .get(&format!("/v1/attempts/{}", id(&begun, "id").expect("an id")))
        .await
        .expect("the attempt");
    assert!(known["result"].is_null(), "{known}");
    // Nor at another quiz of the same bank.
    local.editor.post(&quiz, &json!({})).await.expect("another quiz");
    assert_eq!(code(begin(&reader, &course).await), "QUIZ_KEY_SEEN");
    let learner = local.learner(&course.program, "l").await.expect("a learner");
    let passed = learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    assert_eq!(passed["result"]["passed"], true);
    local.stop().await;
}

/// Everything in an attempt that could tell which answer is right.
fn tells(attempt: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for question in list(attempt, "questions") {
        let texts = ["explanation", "quote"]
            .iter()
            .filter(|field| question[**field].as_str().is_some_and(|text| !text.is_empty()));
        told.extend(texts.map(|field| (*field).to_owned()));
        if !question["correct"].is_null() {
            told.push("correct".to_owned());
        }
        told.extend(
            list(question, "options")
                .iter()
                .filter(|option| !option["correct"].is_null())
                .map(|_| "option".to_owned()),
        );
    }
    told
}

async fn which_answers_were_right_is_told_to_no_one_who_may_try_again(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let (learner, patient) = (
        local.learner(&course.program, "l").await.expect("a learner"),
        local.learner(&course.program, "p").await.expect("a learner"),
    );
    let rules = learner.get(&format!("/v1/programs/{}/quiz", course.program)).await.expect("the rules");
    assert_eq!(
        rules["form"]["most_attempts"], 3,
        "nobody tries answers out forever, unless the provider says so"
    );
    let mut last = Value::Null;
    for number in 1..=3 {
        last = learner.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
        patient.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
        assert_eq!(
            (&last["result"]["right_answers"], tells(&last)),
            (&json!(0), Vec::new()),
            "attempt {number}: {last}"
        );
        assert!(
            list(&last, "questions")
                .iter()
                .all(|question| question["source_id"].as_str().is_some_and(|id| !id.is_empty()))
        );
        let path = format!("/v1/attempts/{}/feedback", id(&last, "id").expect("an id"));
        if number < 3 {
            assert_eq!(last["feedback"], "later");
            assert_eq!(code(learner.post(&path, &json!({})).await), "FEEDBACK_LATER");
        }
    }
    assert_eq!(code(begin(&learner, &course).await), "RETAKES_USED_UP");
    assert_eq!(last["feedback"], "on_request");
    let path = format!("/v1/attempts/{}", id(&last, "id").expect("an id"));
    let shown = learner.post(&format!("{path}/feedback"), &json!({})).await.expect("the answers");
    assert!(
        shown["feedback"] == "shown"
            && list(&shown, "questions").iter().all(|question| question["correct"] == false),
        "{shown}"
    );
    assert_eq!(learner.get(&path).await.expect("the attempt"), shown, "it stays told");
    assert_eq!(
        code(patient.post(&format!("{path}/feedback"), &json!({})).await),
        "ATTEMPT_NOT_FOUND",
        "to its learner only"
    );
    // The provider opens the quiz anew: for the one who has not looked.
    local
        .editor
        .post(&format!("/v1/programs/{}/quiz", course.program), &json!({}))
        .await
        .expect("another quiz");
    assert_eq!(code(begin(&learner, &course).await), "QUIZ_KEY_SEEN");
    let passed = patient.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    assert!(passed["feedback"] == "shown" && tells(&passed).contains(&"quote".to_owned()), "{passed}");
    local.stop().await;
}

async fn another_amount_is_another_claim(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    // At the same moment, with two amounts: one of them is granted, and only to those who asked for it.
    let mut claims = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (learner, attempt, offer) = (learner.clone(), attempt.clone(), course.offer.clone());
        let amount = if number % 2 == 0 { 0.5 } else { 0.75 };
        claims.spawn(async move { (amount, learner.claim(&attempt, &offer, amount).await) });
    }
    let claims = claims.join_all().await;
    let transcript = learner.get("/v1/credits").await.expect("a transcript");
    assert_eq!(list(&transcript, "data").len(), 1, "{transcript}");
    let granted = list(&transcript, "data")[0].clone();
    let other = if granted["amount"] == 0.5 { 0.75 } else { 0.5 };
    for (amount, outcome) in claims {
        if json!(amount) == granted["amount"] {
            assert_eq!(outcome.expect("the credit")["id"], granted["id"]);
        } else {
            assert_eq!(code(outcome), "CREDIT_EXISTS");
        }
    }
    for amount in [other, 0.25] {
        assert_eq!(code(learner.claim(&attempt, &course.offer, amount).await), "CREDIT_EXISTS", "{amount}");
    }
    for amount in [0.0, -0.25, 1.0, 100.0] {
        assert_eq!(
            code(learner.claim(&attempt, &course.offer, amount).await),
            "AMOUNT_NOT_ALLOWED",
            "{amount}"
        );
    }
    let again = learner
        .claim(&attempt, &course.offer, granted["amount"].as_f64().expect("an amount"))
        .await
        .expect("the same credit");
    assert_eq!(again["id"], granted["id"]);
    local.stop().await;
}

/// A page as anyone sees it.
async fn page(local: &Local, path: &str) -> String {
    reqwest::get(format!("{}{path}", local.url)).await.expect("an answer").text().await.expect("a page")
}

async fn an_accreditation_is_confirmed_by_the_operator_or_shown_as_not_confirmed(store: Store) {
    const NOT_CONFIRMED: &str = "ccreditation not confirmed by the operator";
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let offers = format!("/v1/programs/{}/offers", course.program);
    let before = clinician(&local, &course.program, "before").await;
    let offer = list(&before.get(&offers).await.expect("offers"), "data")[0].clone();
    assert!(
        offer["accreditation_notice"].as_str().is_some_and(|notice| notice.contains(NOT_CONFIRMED)),
        "{offer}"
    );
    let org = offer["org_name"].as_str().expect("a name").to_owned();
    assert!(
        !org.is_empty() && offer["accreditation_notice"].as_str().is_some_and(|notice| notice.contains(&org)),
        "{offer}"
    );

    let credit = async |learner: &Client| {
        let attempt =
            learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
        let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
        let credit_id = id(&credit, "id").expect("an id");
        learner.certificate(&credit_id).await.expect("a certificate");
        learner.get(&format!("/v1/credits/{credit_id}")).await.expect("a credit")
    };
    let first = credit(&before).await;
    assert_eq!(first["accreditation_confirmed"], false);
    let verify = |credit: &Value| format!("/verify/{}", credit["certificate_code"].as_str().expect("a code"));
    let shown = page(&local, &verify(&first)).await;
    assert!(
        shown.contains(NOT_CONFIRMED) && shown.contains(&org) && !shown.contains("and confirmed it"),
        "{shown}"
    );

    // The provider itself cannot; the operator sees whose it is, and says what they saw.
    let accreditations = local.operator.get("/v1/accreditations").await.expect("accreditations");
    let recorded = list(&accreditations, "data")
        .iter()
        .find(|one| one["org_name"] == json!(org))
        .expect("the provider's")
        .clone();
    let decision = format!("/v1/accreditations/{}/decision", id(&recorded, "id").expect("an id"));
    let yes = json!({ "confirm": true, "evidence": "Public list of the accreditor" });
    assert_eq!(code(local.editor.post(&decision, &yes).await), "CAPABILITY_MISSING");
    assert_eq!(
        code(local.operator.post(&decision, &json!({ "confirm": true, "evidence": " " })).await),
        "INVALID_FIELD"
    );
    let confirmed = local.operator.post(&decision, &yes).await.expect("a decision");
    assert_eq!(
        (&confirmed["state"], &confirmed["evidence"]),
        (&json!("confirmed"), &json!("Public list of the accreditor"))
    );
    assert_eq!(
        local.editor.get("/v1/accreditations").await.expect("its own")["data"][0]["state"],
        "confirmed"
    );
    let offer = list(&before.get(&offers).await.expect("offers"), "data")[0].clone();
    assert_eq!(
        (&offer["accreditation_state"], &offer["accreditation_notice"]),
        (&json!("confirmed"), &json!(""))
    );

    let after = clinician(&local, &course.program, "after").await;
    let second = credit(&after).await;
    assert_eq!(second["accreditation_confirmed"], true);
    assert!(
        page(&local, &verify(&second))
            .await
            .contains("looked the accreditation of Harbor Medical Education up and confirmed it")
    );
    // What was known when a credit was awarded stays with it.
    assert_eq!(
        before.get(&format!("/v1/credits/{}", id(&first, "id").expect("an id"))).await.expect("it")["accreditation_confirmed"],
        false
    );
    assert!(page(&local, &verify(&first)).await.contains(NOT_CONFIRMED));

    // Under one that was found to be untrue nothing is made any more.
    let no = json!({ "confirm": false, "evidence": "The accreditor does not list it" });
    assert_eq!(local.operator.post(&decision, &no).await.expect("a decision")["state"], "rejected");
    let late = clinician(&local, &course.program, "late").await;
    let attempt = late.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    assert_eq!(code(late.claim(&attempt, &course.offer, 0.5).await), "ACCREDITATION_REJECTED");
    let accreditation = id(&recorded, "id").expect("an id");
    assert_eq!(code(local.editor.designate(&course.program, &accreditation).await), "ACCREDITATION_REJECTED");
    local.stop().await;
}

/// The smallest picture there is.
const DOT: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Records an accreditation under a number; returns where it is decided.
async fn recorded(admin: &Client, number: &str) -> String {
    let period = json!({ "body": "accme", "provider": "Harbor Medical Education", "provider_number": number,
        "valid_from": day_from_now(-100), "valid_until": day_from_now(1000) });
    let row = admin.post("/v1/accreditations", &period).await.expect("an accreditation");
    format!("/v1/accreditations/{}/decision", id(&row, "id").expect("an id"))
}

async fn a_number_of_a_provider_is_confirmed_for_one_org(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let made = local
        .operator
        .post("/v1/orgs", &json!({ "name": "Rival", "admin_name": "Ria" }))
        .await
        .expect("an org");
    let rival = local.editor.with_token(made["admin_token"].as_str().expect("a token"));
    let (own, copied, renewed) = (
        recorded(&local.editor, "0004711").await,
        recorded(&rival, " 4711 ").await,
        recorded(&local.editor, "4711").await,
    );
    let nameless = recorded(&rival, "").await;
    let (yes, no) = (
        json!({ "confirm": true, "evidence": "Listed" }),
        json!({ "confirm": false, "evidence": "Not listed" }),
    );
    assert_eq!(
        code(local.operator.post(&nameless, &yes).await),
        "INVALID_FIELD",
        "there is nothing to look up"
    );
    local.operator.post(&own, &yes).await.expect("a decision");
    assert_eq!(code(local.operator.post(&copied, &yes).await), "PROVIDER_NUMBER_TAKEN");
    local.operator.post(&renewed, &yes).await.expect("another term of the same provider");
    local.operator.post(&own, &no).await.expect("a decision");
    assert_eq!(
        code(local.operator.post(&copied, &yes).await),
        "PROVIDER_NUMBER_TAKEN",
        "another term holds it still"
    );
    local.operator.post(&renewed, &no).await.expect("a decision");
    local.operator.post(&copied, &yes).await.expect("it is free");
    assert_eq!(code(local.operator.post(&own, &yes).await), "PROVIDER_NUMBER_TAKEN");
    assert_eq!(
        list(&rival.get("/v1/accreditations").await.expect("its own"), "data").len(),
        2,
        "and nobody else's"
    );
    local.stop().await;
}

async fn terms_of_accreditations_and_activities_are_plausible(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let period = |until: i64| {
        json!({ "body": "accme", "provider": "Harbor", "provider_number": "1", "valid_from": day_from_now(-300),
            "valid_until": day_from_now(until), "signatory_name": "Ada Lovelace", "signatory_title": "Director", "logo": DOT })
    };
    assert_eq!(
        code(local.editor.post("/v1/accreditations", &period(2200)).await),
        "INVALID_FIELD",
        "more than six years"
    );
    let term = local.editor.post("/v1/accreditations", &period(1800)).await.expect("a term");
    assert_eq!(
        (&term["logo_type"], &term["signatory_name"], &term["state"]),
        (&json!("image/png"), &json!("Ada Lovelace"), &json!("unconfirmed"))
    );
    let offers = format!("/v1/programs/{}/offers", course.program);
    let offer = |change: Value| {
        let mut offer = json!({ "credit_type": "ama_pra_1", "activity_format": "enduring_material", "maximum": 1.0,
            "terminates_at": day_from_now(1000), "accreditation_id": term["id"], "activity_number": "PARS-1",
            "joint_providers": ["Bay Hospital"], "moc_statements": ["ABIM: 1 point"] });
        offer.as_object_mut().expect("an object").extend(change.as_object().cloned().expect("an object"));
        offer
    };
    let made = local.editor.post(&offers, &offer(json!({}))).await.expect("an offer");
    assert_eq!(
        (&made["minimum_level"], &made["activity_number"]),
        (&json!(1), &json!("PARS-1")),
        "level 1 unless the admin says otherwise"
    );
    assert_eq!(
        (&made["joint_providers"], &made["moc_statements"]),
        (&json!(["Bay Hospital"]), &json!(["ABIM: 1 point"]))
    );
    let stated = local.editor.post(&offers, &offer(json!({ "minimum_level": 0 }))).await.expect("an offer");
    assert_eq!(stated["minimum_level"], 0);
    for (change, why) in [
        (json!({ "terminates_at": day_from_now(1100) }), "more than three years after the release"),
        (json!({ "terminates_at": "2044-06-30" }), "decades"),
        (json!({ "released_at": day_from_now(-400) }), "three years count from the release"),
        (json!({ "released_at": day_from_now(10) }), "a release after the opening"),
        (json!({ "reviewed_at": day_from_now(10) }), "a review to come"),
    ] {
        assert_eq!(code(local.editor.post(&offers, &offer(change)).await), "INVALID_FIELD", "{why}");
    }
    let reviewed = json!({ "released_at": day_from_now(-400), "reviewed_at": day_from_now(-1) });
    local.editor.post(&offers, &offer(reviewed)).await.expect("it was reviewed since");
    local
        .editor
        .post(&offers, &offer(json!({ "activity_format": "other", "terminates_at": day_from_now(1400) })))
        .await
        .expect("no such rule");
    local.stop().await;
}
