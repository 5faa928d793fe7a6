//! From a file to a cited answer, its objective, its count and its record.

use preceptor::client::id;
use preceptor_testkit::{Local, Store, model};
use serde_json::{Value, json};

use crate::support::{Log, WARFARIN, eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    a_document_becomes_a_cited_answer_with_its_objective_count_and_record
    a_source_needs_someone_else_and_a_withdrawal_is_one_step
    the_same_idempotency_key_gives_the_same_answer
    pages_open_without_scripts_and_lead_strangers_to_the_sign_in
}

const OBJECTIVES: [&str; 3] = [
    "Choose the starting dose of warfarin",
    "Manage bleeding on warfarin",
    "Recognize drug interactions of warfarin",
];

async fn a_document_becomes_a_cited_answer_with_its_objective_count_and_record(store: Store) {
    let Some(model) = model("journey") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program = local
        .publish("Warfarin", &OBJECTIVES, vec![markdown("warfarin.md", WARFARIN)])
        .await
        .expect("a program");
    let learner = local.learner(&program, "learner-1").await.expect("a learner");

    let answer =
        learner.ask(&program, "What is the usual starting dose of warfarin?").await.expect("an answer");
    assert_eq!(answer["outcome"], "answered", "{answer:#}");
    let sentences = list(&answer, "sentences");
    assert!(
        sentences.iter().all(|sentence| !list(sentence, "citations").is_empty()),
        "every sentence is cited"
    );
    let first = &sentences[0]["citations"][0];
    assert!(first["quote"].as_str().is_some_and(|quote| quote.contains("5 mg once a day")), "{first:#}");
    quotes_are_verbatim(&local, &answer).await;

    let message = id(&answer, "message_id").expect("an id");
    let classified = eventually("the classification", async || {
        let listed = local.editor.get(&format!("/v1/programs/{program}/messages")).await.ok()?;
        let message = list(&listed, "data").iter().find(|row| row["id"] == message.as_str())?.clone();
        message["alignment"].is_object().then_some(message)
    })
    .await;
    assert_eq!(classified["alignment"]["objective"], OBJECTIVES[0]);
    let report = eventually("the count", async || {
        let report = local.editor.get(&format!("/v1/programs/{program}/report")).await.ok()?;
        (!list(&report, "messages_by_objective").is_empty()).then_some(report)
    })
    .await;
    assert_eq!(
        (&report["messages"], &report["answered"], &report["learners"]),
        (&json!(1), &json!(1), &json!(1))
    );
    log_verifies(&local).await;
    local.stop().await;
}

/// Every quotation stands in the extracted text at the offsets that its citation names.
async fn quotes_are_verbatim(local: &Local, answer: &Value) {
    for citation in list(answer, "sentences").iter().flat_map(|sentence| list(sentence, "citations")) {
        let source = id(citation, "source_id").expect("a source");
        let document = local.editor.get(&format!("/v1/sources/{source}/document")).await.expect("a document");
        let text = document["text"].as_str().expect("text");
        let at = |field: &str| citation[field].as_u64().expect("an offset") as usize;
        assert_eq!(&text[at("start")..at("end")], citation["quote"].as_str().expect("a quote"));
    }
}

/// The log holds who approved and published, and its root can be recomputed from the stored bytes.
async fn log_verifies(local: &Local) {
    eventually("the record of the publication", async || {
        let head = local.editor.get("/v1/audit/head").await.ok()?;
        (head["size"].as_u64()? >= 6).then_some(head)
    })
    .await;
    let mut log = Log::read(&local.editor).await;
    log.verify().expect("the log verifies");
    let all: Vec<u8> = log.leaves.iter().flat_map(|(record, _)| record.clone()).collect();
    log.leaves[2].0[5] ^= 1;
    log.verify().expect_err("a changed byte is noticed");
    let text = String::from_utf8_lossy(&all);
    for action in ["source.approved", "program.published"] {
        assert!(text.contains(action), "{action} is on record");
    }
}

async fn a_source_needs_someone_else_and_a_withdrawal_is_one_step(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let decision = &list(&sources, "data")[0]["decision"];
    assert!(
        decision["reviewer"].as_str().is_some_and(|reviewer| reviewer.starts_with("staff_"))
            && decision["decided_at"].is_string()
    );

    let draft = local
        .editor
        .upload(&program, markdown("more.md", "# More\n\nWarfarin is old."))
        .await
        .expect("an upload");
    let draft = id(&draft, "id").expect("an id");
    local.editor.wait_for_source(&draft, |_| {}).await.expect("it is read");
    local.editor.post(&format!("/v1/sources/{draft}/submit"), &json!({})).await.expect("it is submitted");
    let own = local
        .editor
        .post(&format!("/v1/sources/{draft}/decision"), &json!({ "approve": true, "reason": "mine" }))
        .await;
    assert!(own.expect_err("authors cannot decide").to_string().contains("AUTHOR_CANNOT_DECIDE"));

    let learner = local.learner(&program, "l").await.expect("a learner");
    assert!(learner.ask(&program, "What is the dose of warfarin?").await.is_ok());
    local
        .editor
        .post(&format!("/v1/programs/{program}/withdraw"), &json!({ "reason": "outdated" }))
        .await
        .expect("it is withdrawn");
    let refused =
        learner.ask(&program, "What is the dose of warfarin?").await.expect_err("nothing is published");
    // To learners, what is not published is not there.
    assert!(refused.to_string().contains("PROGRAM_NOT_FOUND"), "{refused}");
    local.stop().await;
}

async fn the_same_idempotency_key_gives_the_same_answer(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let http = reqwest::Client::new();
    let admin = local.mesh.first_start.as_ref().expect("a first start").admin_token.expose().to_owned();
    let post = async |key: &str, title: &str| {
        let request = http
            .post(format!("{}/v1/programs", local.url))
            .bearer_auth(&admin)
            .header("idempotency-key", key);
        let response = request.json(&json!({ "title": title })).send().await.expect("an answer");
        (response.status().as_u16(), response.bytes().await.expect("a body"))
    };
    let first = post("k1", "One").await;
    assert_eq!(first.0, 201);
    assert_eq!(post("k1", "One").await, first, "byte for byte");
    assert_eq!(post("k1", "Two").await.0, 422, "another body");
    assert_ne!(post("k2", "One").await.1, first.1, "another key");
    assert_eq!(local.editor.all("/v1/programs").await.expect("programs").len(), 2);
    local.stop().await;
}

async fn pages_open_without_scripts_and_lead_strangers_to_the_sign_in(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local
        .publish("Warfarin", &OBJECTIVES, vec![markdown("warfarin.md", WARFARIN)])
        .await
        .expect("a program");
    let admin = local.mesh.first_start.as_ref().expect("a first start").admin_token.expose().to_owned();
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let get = async |path: &str, signed_in: bool| {
        let request = http.get(format!("{}{path}", local.url));
        let request = if signed_in { request.bearer_auth(&admin) } else { request };
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    };
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    for path in [
        "/console".to_owned(),
        format!("/console/programs/{program}"),
        format!("/programs/{program}"),
        format!("/sources/{source}?from=30&to=40"),
        format!("/console/sources/{source}"),
    ] {
        let (status, page) = get(&path, true).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert!(page.contains("<h1>") && page.contains("lang=\"en\"") && !page.contains(" style="), "{path}");
        assert_eq!(get(&path, false).await.0, 303, "{path} needs a session");
    }
    for path in [
        "/reference",
        "/errors",
        "/errors/PROGRAM_NOT_FOUND",
        "/sign-in",
        "/static/page.css",
        "/openapi.json",
    ] {
        assert_eq!(get(path, false).await.0, 200, "{path}");
    }
    assert_eq!(get("/nowhere", false).await.0, 404);
    local.stop().await;
}
