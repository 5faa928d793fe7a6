//! Sources against registries, errors included, and what happens when one is retracted.

use std::sync::Arc;
use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor::journey::Answers;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_standins::{Article, Status, Trouble};
use preceptor_testkit::{Local, Store, shared_data};
use serde_json::{Value, json};

use super::{DOSES, clinician, code};
use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    a_source_is_verified_by_number_and_by_doi_with_every_request_on_record
    a_limit_error_in_a_200_body_is_retried_and_nothing_broken_is_verified
    an_identifier_of_another_article_proves_nothing
    a_retraction_counts_under_another_title_too
    a_key_that_is_refused_leaves_no_one_unanswered
    an_attempt_under_way_at_the_retraction_can_be_finished_and_the_credit_says_when
    recorded_errors_of_the_e_utilities_verify_nothing_and_are_kept_as_they_came
    an_organization_asks_under_its_own_key
    a_recorded_answer_of_pubmed_verifies_though_the_article_is_not_in_pmc
    what_one_registry_knows_outweighs_the_silence_of_the_other
    a_credit_that_is_claimed_after_the_retraction_says_so
    a_check_outlives_the_process_that_was_to_make_it
    a_retraction_closes_the_quiz_leaves_retrieval_and_annotates_credits_within_one_cycle
}

fn article(status: Status) -> Article {
    Article {
        pmid: "31234567".into(),
        doi: "10.5555/doses.2024".into(),
        title: "Doses of anticoagulants".into(),
        journal: "Journal of Doses".into(),
        status,
    }
}

/// A published program whose only source is an article; returns program and source.
async fn published(local: &Local) -> (String, String) {
    let program = local.publish("Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    (program, id(&list(&sources, "data")[0], "id").expect("an id"))
}

/// Waits until no one can begin the quiz of a program any more.
async fn until_suspended(local: &Local, program: &str) {
    eventually("the end of the quiz", async || {
        let quiz = local.editor.get(&format!("/v1/programs/{program}/quiz")).await.ok()?;
        (quiz["closed"]["code"] == "QUIZ_SUSPENDED").then_some(())
    })
    .await;
}

async fn a_source_is_verified_by_number_and_by_doi_with_every_request_on_record(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    local.registries.know(Article {
        pmid: String::new(),
        doi: "10.5555/only-crossref".into(),
        ..article(Status::Corrected)
    });
    let (_, source) = published(&local).await;
    let by_number = local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    assert_eq!(
        (&by_number["verdict"], &by_number["class"], &by_number["counts"]),
        (&json!("verified"), &json!("pubmed"), &json!(true))
    );
    assert_eq!(by_number["title"], "Doses of anticoagulants");
    assert_eq!(list(&by_number, "calls").len(), 2, "PubMed and Crossref: {by_number}");
    assert!(
        list(&by_number, "calls").iter().all(|call| call["sha256"].as_str().is_some_and(|hash| hash.len() == 64) && call["status"] == 200)
    );
    let by_doi = local
        .editor
        .verify_by(&source, json!({ "doi": "https://doi.org/10.5555/DOSES.2024" }))
        .await
        .expect("a verdict");
    assert_eq!((&by_doi["verdict"], &by_doi["pmid"]), (&json!("verified"), &json!("31234567")));
    let at_crossref =
        local.editor.verify_by(&source, json!({ "doi": "10.5555/only-crossref" })).await.expect("a verdict");
    assert_eq!(
        (&at_crossref["class"], &at_crossref["verdict"], &at_crossref["counts"]),
        (&json!("crossref"), &json!("erratum"), &json!(true))
    );
    let history = local.editor.get(&format!("/v1/sources/{source}/verifications")).await.expect("a history");
    assert_eq!(list(&history, "data").len(), 3);
    assert!(history["notice"].as_str().is_some_and(|notice| notice.contains("National Library of Medicine")));
    local.stop().await;
}

async fn a_limit_error_in_a_200_body_is_retried_and_nothing_broken_is_verified(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (_, source) = published(&local).await;
    for trouble in [
        Trouble::RateLimitWith200,
        Trouble::RateLimit,
        Trouble::WebPage,
        Trouble::BrokenOff,
        Trouble::Down,
        Trouble::Backend,
    ] {
        local.registries.set_trouble(2, trouble);
        let verdict =
            local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
        assert_eq!(verdict["verdict"], "verified", "{trouble:?}");
        assert!(list(&verdict, "calls").len() >= 4, "two failures are on record: {verdict}");
    }
    local.registries.set_trouble(2, Trouble::Backend);
    let searched = local
        .editor
        .verify_by(&source, json!({ "doi": article(Status::Sound).doi }))
        .await
        .expect("a verdict");
    assert_eq!(
        (&searched["verdict"], &searched["class"]),
        (&json!("verified"), &json!("pubmed")),
        "a search that fails found not nothing"
    );
    let unknown = local.editor.verify_by(&source, json!({ "pmid": "999" })).await.expect("a verdict");
    assert_eq!((&unknown["verdict"], &unknown["counts"]), (&json!("unverifiable"), &json!(false)));
    for wrong in [
        json!({ "pmid": "PMC1" }),
        json!({ "doi": "11.1/x" }),
        json!({}),
        json!({ "pmid": "1", "doi": "10.1/x" }),
    ] {
        assert_eq!(
            code(local.editor.post(&format!("/v1/sources/{source}/verifications"), &wrong).await),
            "INVALID_FIELD",
            "{wrong}"
        );
    }
    local.stop().await;
}

async fn what_one_registry_knows_outweighs_the_silence_of_the_other(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::RetractedAtCrossrefOnly));
    let (_, source) = published(&local).await;
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    assert_eq!(
        (&verdict["verdict"], &verdict["counts"]),
        (&json!("retracted"), &json!(false)),
        "PubMed knows nothing of it yet"
    );
    local.stop().await;
}

async fn a_credit_that_is_claimed_after_the_retraction_says_so(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let course = super::course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "late").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let sources =
        local.editor.get(&format!("/v1/programs/{}/sources", course.program)).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    local.registries.change("31234567", Status::Retracted);
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    until_suspended(&local, &course.program).await;
    let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("what was passed counts");
    let remarks = list(&credit, "annotations");
    assert!(
        remarks.len() == 1 && remarks[0]["text"].as_str().is_some_and(|text| text.contains("was retracted")),
        "{credit}"
    );
    local.stop().await;
}

async fn an_identifier_of_another_article_proves_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local
        .registries
        .know(Article { title: "Bone density in retired astronauts".into(), ..article(Status::Sound) });
    let (program, source) = published(&local).await;
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    assert_eq!(verdict["verdict"], "unverifiable");
    let tasks = local.editor.get(&format!("/v1/programs/{program}/tasks")).await.expect("tasks");
    let task = &list(&tasks, "data")[0];
    assert_eq!(task["kind"], "source_unverifiable");
    let closed = local
        .editor
        .post(
            &format!("/v1/tasks/{}/close", task["id"].as_str().expect("an id")),
            &json!({ "outcome": "Corrected" }),
        )
        .await;
    assert!(closed.expect("a closed task")["closed_at"].is_string());
    local.stop().await;
}

async fn recorded_errors_of_the_e_utilities_verify_nothing_and_are_kept_as_they_came(store: Store) {
    let Some(data) =
        shared_data("recorded_errors_of_the_e_utilities_verify_nothing_and_are_kept_as_they_came")
    else {
        return;
    };
    let local = store.mesh().await.expect("a mesh");
    let (_, source) = published(&local).await;
    for (number, name) in
        ["epost2.xml", "epost3.xml", "esearch8.xml", "esummary8.xml"].into_iter().enumerate()
    {
        let recorded = std::fs::read(data.join("registries").join(name)).expect("a recording");
        let pmid = format!("77{number}");
        local.registries.replay(&pmid, recorded.clone());
        local
            .editor
            .post(&format!("/v1/sources/{source}/verifications"), &json!({ "pmid": pmid }))
            .await
            .expect("it is asked");
        let call = eventually("the request", async || {
            let calls = local.editor.get(&format!("/v1/sources/{source}/registry-calls")).await.ok()?;
            list(&calls, "data")
                .iter()
                .find(|call| {
                    call["request"].as_str().is_some_and(|request| request.ends_with(&format!("id={pmid}")))
                })
                .cloned()
        })
        .await;
        assert!(call["status"] == 200 && call["finding"] != "found", "{name}: {call}");
        let kept = local
            .editor
            .download(&format!("/v1/registry-calls/{}/answer", id(&call, "id").expect("an id")))
            .await
            .expect("the answer");
        assert_eq!(kept, recorded, "{name}: byte for byte");
        let state = local.editor.get(&format!("/v1/sources/{source}")).await.expect("the source");
        assert!(
            state["verification"].is_null() || state["verification"]["verdict"] == "unverifiable",
            "{name}: {state}"
        );
    }
    local.stop().await;
}

async fn a_retraction_counts_under_another_title_too(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (_, source) = published(&local).await;
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    local.registries.know(Article { title: "Notice by the editors".into(), ..article(Status::Retracted) });
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    assert_eq!(verdict["verdict"], "retracted");
    local.stop().await;
}

async fn a_key_that_is_refused_leaves_no_one_unanswered(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (_, source) = published(&local).await;
    let key = "f".repeat(36);
    local.registries.refuse_key(&key);
    local.editor.put("/v1/registry-keys/pubmed", &json!({ "api_key": key })).await.expect("a key");
    for _ in 0..4 {
        let verdict =
            local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
        assert_eq!(verdict["verdict"], "verified");
    }
    let calls =
        local.editor.get(&format!("/v1/sources/{source}/registry-calls")).await.expect("the requests");
    let told = |call: &&Value| {
        call["finding"].as_str().is_some_and(|finding| finding.contains("refuses the API key"))
    };
    assert!(list(&calls, "data").iter().filter(told).count() >= 4, "{calls}");
    local.stop().await;
}

async fn an_attempt_under_way_at_the_retraction_can_be_finished_and_the_credit_says_when(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let course = super::course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "between").await;
    learner.begin_quiz(&course.program).await.expect("an attempt");
    let sources =
        local.editor.get(&format!("/v1/programs/{}/sources", course.program)).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    local.registries.change("31234567", Status::Retracted);
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    until_suspended(&local, &course.program).await;
    let attempt = learner
        .take_quiz(&course.program, &course.items, Answers::Right)
        .await
        .expect("what was begun can be ended");
    let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    assert_eq!(
        credit["annotations"][0]["text"],
        "A source of this activity was retracted while the quiz was being taken. The credit remains valid."
    );
    local.stop().await;
}

async fn an_organization_asks_under_its_own_key(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (_, source) = published(&local).await;
    let key = "abcdef0123456789abcdef0123456789abcd";
    for wrong in ["", "short", "abcdef0123456789&db=nuccore"] {
        assert_eq!(
            code(local.editor.put("/v1/registry-keys/pubmed", &json!({ "api_key": wrong })).await),
            "INVALID_FIELD",
            "{wrong}"
        );
    }
    let set = local.editor.put("/v1/registry-keys/pubmed", &json!({ "api_key": key })).await.expect("a key");
    assert!(set["set"] == true && !set.to_string().contains(key), "{set}");
    assert_eq!(code(local.reviewer.get("/v1/registry-keys/pubmed").await), "CAPABILITY_MISSING");
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    assert!(
        local.registries.requests().contains(&format!("efetch id=31234567 api_key={key}")),
        "{:?}",
        local.registries.requests()
    );
    assert!(!verdict.to_string().contains(key), "what is on record does not hold the key: {verdict}");
    // What another organization asks does not go out under it.
    let (admin, reviewer) = local.other_org("B").await.expect("an org");
    let program =
        preceptor_testkit::local::publish(&admin, &reviewer, "Doses", &[], vec![markdown("doses.md", DOSES)])
            .await
            .expect("a program");
    let sources = admin.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    admin
        .verify_by(&id(&list(&sources, "data")[0], "id").expect("an id"), json!({ "pmid": "31234567" }))
        .await
        .expect("a verdict");
    assert_eq!(
        local.registries.requests().iter().filter(|request| *request == "efetch id=31234567").count(),
        1
    );
    local
        .editor
        .send_to(reqwest::Method::DELETE, "/v1/registry-keys/pubmed", &json!({}))
        .await
        .expect("it is forgotten");
    assert_eq!(local.editor.get("/v1/registry-keys/pubmed").await.expect("a state")["set"], false);
    local.stop().await;
}

async fn a_recorded_answer_of_pubmed_verifies_though_the_article_is_not_in_pmc(store: Store) {
    let Some(data) = shared_data("a_recorded_answer_of_pubmed_verifies_though_the_article_is_not_in_pmc")
    else {
        return;
    };
    let local = store.mesh().await.expect("a mesh");
    let recorded =
        std::fs::read(data.join("registries/pubmed_efetch_citation_22663011.xml")).expect("a recording");
    let text = String::from_utf8_lossy(&recorded);
    let title = text
        .split("<ArticleTitle>")
        .nth(1)
        .and_then(|rest| rest.split("</ArticleTitle>").next())
        .expect("a title")
        .to_owned();
    local.registries.replay("22663011", recorded.clone());
    let program = local
        .publish(
            "P",
            &[],
            vec![markdown("article.md", &format!("# {title}\n\n{title} It was a trial of 322 patients.\n"))],
        )
        .await;
    let program = program.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    let verdict = local.editor.verify_by(&source, json!({ "pmid": "22663011" })).await.expect("a verdict");
    assert!(["verified", "erratum"].contains(&verdict["verdict"].as_str().expect("a verdict")), "{verdict}");
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&recorded));
    assert!(
        list(&verdict, "calls").iter().any(|call| call["sha256"] == json!(hash)),
        "the bytes are kept as they came"
    );
    local.stop().await;
}

async fn a_check_outlives_the_process_that_was_to_make_it(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (_, source) = published(&local).await;
    local.registries.set_trouble(usize::MAX, Trouble::Down);
    let path = format!("/v1/sources/{source}/verifications");
    local.editor.post(&path, &json!({ "pmid": "31234567" })).await.expect("it is asked for");
    let asked = async || (!local.registries.requests().is_empty()).then_some(());
    eventually("the registry is asked, and is away", asked).await;
    let (config, clock) = (local.config.clone(), Arc::clone(&local.clock));
    let token = local.editor.token().to_owned();
    local.mesh.stop().await;

    local.registries.set_trouble(0, Trouble::Down);
    // A registry that gave no answer is left alone for a quarter of an hour.
    clock.advance(Duration::from_secs(16 * 60));
    let mesh = Mesh::start_at(config, Plan::whole(), None, clock).await.expect("it starts again");
    let url = format!("http://{}", mesh.address.expect("an address"));
    let editor = Client::new(&url, Secret::new(token)).expect("a client");
    let state = eventually("the verdict", async || {
        let state = editor.get(&format!("/v1/sources/{source}")).await.ok()?;
        state["verification"].is_object().then_some(state)
    })
    .await;
    assert_eq!(state["verification"]["verdict"], "verified");
    let verdicts = editor.get(&path).await.expect("verifications");
    assert_eq!(list(&verdicts, "data").len(), 1, "{verdicts}");
    mesh.stop().await;
}

async fn a_retraction_closes_the_quiz_leaves_retrieval_and_annotates_credits_within_one_cycle(store: Store) {
    let local = store.mesh_with(None, |config| config.ingestion.recheck_seconds = 1).await.expect("a mesh");
    local.registries.know(article(Status::Sound));
    let (program, source) = published(&local).await;
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    let accreditation = local.editor.accredit("Harbor").await.expect("an accreditation");
    let offer = local.editor.designate(&program, &accreditation).await.expect("an offer");
    let items = local.editor.make_quiz(&local.reviewer, &program, 3, json!({})).await.expect("a quiz");
    let learner = clinician(&local, &program, "ana").await;
    let attempt = learner.take_quiz(&program, &items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &offer, 0.5).await.expect("a credit");
    let question = "What is the usual starting dose of apixaban in most adults?";
    let answer = learner.ask(&program, question).await.expect("an answer");
    assert!(!list(&answer, "sentences").is_empty(), "{answer}");

    local.registries.change("31234567", Status::Retracted);
    let state = eventually("the quarantine", async || {
        let state = local.editor.get(&format!("/v1/sources/{source}")).await.ok()?;
        (state["quarantined"] == true).then_some(state)
    })
    .await;
    assert_eq!(state["verification"]["verdict"], "retracted");
    let other = local.learner(&program, "late").await.expect("a learner");
    let closed = eventually("the closed quiz", async || {
        let refused = other.begin_quiz(&program).await.err()?.to_string();
        refused.contains("QUIZ_SUSPENDED").then_some(refused)
    })
    .await;
    assert!(closed.contains("retracted"), "{closed}");
    let annotated = eventually("the annotation", async || {
        let credit = learner.get(&format!("/v1/credits/{}", credit["id"].as_str()?)).await.ok()?;
        (!list(&credit, "annotations").is_empty()).then_some(credit)
    })
    .await;
    assert_eq!(annotated["state"], "live", "the credit stays valid");
    assert!(annotated["annotations"][0]["text"].as_str().is_some_and(|text| text.contains("remains valid")));

    let passed = learner.get(&format!("/v1/attempts/{}", id(&attempt, "id").expect("an id"))).await;
    let passed = passed.expect("the attempt");
    for asked in list(&passed, "questions") {
        assert_eq!((&asked["quote"], &asked["explanation"]), (&json!(""), &json!("")), "{asked}");
        assert!(asked["notice"].as_str().is_some_and(|text| text.contains("retracted")), "{asked}");
    }
    let history = format!("/v1/credits/{}/provenance", id(&credit, "id").expect("an id"));
    for (reader, is_quoted) in [(&learner, false), (&local.editor, true)] {
        let told = reader.get(&history).await.expect("the chain");
        for item in list(&told["quiz"], "items") {
            assert!(item["notice"].as_str().is_some_and(|text| text.contains("retracted")), "{item}");
            let mut quotes = list(item, "passages").iter().map(|passage| passage["quote"] != json!(""));
            assert!(quotes.all(|quoted| quoted == is_quoted), "{item}");
        }
    }
    let after = learner.ask(&program, question).await.expect("a refusal");
    assert!(
        list(&after, "sentences").is_empty() && after["refusal"].is_object(),
        "nothing is quoted from it: {after}"
    );
    let tasks = local.editor.get(&format!("/v1/programs/{program}/tasks")).await.expect("tasks");
    assert_eq!(list(&tasks, "data")[0]["kind"], "source_retracted");
    let message = id(&answer, "message_id").expect("an id");
    let banner = eventually("the banner", async || {
        let old: Value = learner.get(&format!("/v1/messages/{message}")).await.ok()?;
        (!list(&old, "notices").is_empty()).then_some(old)
    })
    .await;
    assert!(banner["notices"][0]["text"].as_str().is_some_and(|text| text.contains("retracted")), "{banner}");
    local.stop().await;
}
