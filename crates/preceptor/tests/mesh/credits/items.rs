//! The item bank: drafts that are made off the request path, items that people write, and what cannot be offered.

use preceptor::client::id;
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::{DOSES, code};
use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    an_author_never_approves_and_an_unapproved_or_unverified_item_never_counts
    drafts_are_made_off_the_request_path_by_the_one_who_asked
    a_request_for_drafts_that_is_stopped_makes_none
    an_item_that_its_passage_does_not_answer_or_another_makes_ambiguous_is_not_offered
}

/// A program of one attested source, and that source.
async fn attested(local: &Local) -> (String, String) {
    let program = local.publish("Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    local.reviewer.attest(&source).await.expect("an attestation");
    (program, source)
}

async fn drafts_are_made_off_the_request_path_by_the_one_who_asked(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, _) = attested(&local).await;
    let path = format!("/v1/programs/{program}/items/generate");
    for wrong in [
        json!({ "count": 0 }),
        json!({ "count": 201 }),
        json!({ "count": 1, "kind": "essay" }),
        json!({ "count": 1, "difficulty": "x" }),
    ] {
        assert_eq!(code(local.editor.post(&path, &wrong).await), "INVALID_FIELD", "{wrong}");
    }
    assert_eq!(code(local.reviewer.post(&path, &json!({ "count": 1 })).await), "CAPABILITY_MISSING");
    let asked = local
        .editor
        .post(&path, &json!({ "count": 200, "kind": "multiple_choice" }))
        .await
        .expect("a request");
    assert_eq!(
        (&asked["state"], &asked["item_ids"], &asked["ended_at"]),
        (&json!("waiting"), &json!([]), &Value::Null),
        "nobody waits for it"
    );
    let done = eventually("the drafts", async || {
        let state = local.editor.get(&format!("/v1/generations/{}", asked["id"].as_str()?)).await.ok()?;
        (state["state"] == "done").then_some(state)
    })
    .await;
    let made = list(&done, "item_ids");
    assert!(!made.is_empty() && made.len() < 200 && done["sources_read"] == 1, "{done}");
    assert!(
        done["note"].as_str().is_some_and(|note| note.contains("of 200 were possible")),
        "it says why there are fewer: {done}"
    );
    let bank = local.editor.all(&format!("/v1/programs/{program}/items")).await.expect("the bank");
    assert!(bank.iter().all(|item| made.contains(&item["id"])
        && item["author"] == asked["asked_by"]
        && item["kind"] == "multiple_choice"));
    // The same again finds nothing new, and nothing is there twice.
    let again = local.editor.generate_items(&program, 200, |_| {}).await.expect("drafts");
    assert!(again.iter().all(|item| bank.iter().all(|known| known["stem"] != item["stem"])));
    assert_eq!(
        code(local.editor.get("/v1/generations/gen_00000000000000000000000000").await),
        "GENERATION_NOT_FOUND"
    );
    local.stop().await;
}

async fn a_request_for_drafts_that_is_stopped_makes_none(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, _) = attested(&local).await;
    let path = format!("/v1/programs/{program}/items/generate");
    let ask = async || {
        let asked = local.editor.post(&path, &json!({ "count": 3 })).await.expect("a request");
        format!("/v1/generations/{}", id(&asked, "id").expect("an id"))
    };
    // One at a time for an organization: the second waits.
    let (first, second) = (ask().await, ask().await);
    let cancel = format!("{second}/cancel");
    assert_eq!(code(local.reviewer.post(&cancel, &json!({})).await), "CAPABILITY_MISSING");
    let stopped = local.editor.post(&cancel, &json!({})).await.expect("it is stopped");
    let seen = (stopped["state"].as_str(), stopped["problem"]["code"].as_str());
    assert_eq!(seen, (Some("failed"), Some("ITEMS_CANCELED")), "{stopped}");
    let done = eventually("the first", async || {
        let state = local.editor.get(&first).await.ok()?;
        (state["state"] == "done").then_some(state)
    })
    .await;
    let third = local.editor.generate_items(&program, 3, |_| {}).await.expect("drafts");
    let bank = local.editor.all(&format!("/v1/programs/{program}/items")).await.expect("the bank");
    assert_eq!(bank.len(), list(&done, "item_ids").len() + third.len(), "the second made none");
    assert_eq!(local.editor.get(&second).await.expect("the second"), stopped);
    // What has ended stays as it is.
    let late = local.editor.post(&format!("{first}/cancel"), &json!({})).await.expect("an answer");
    assert_eq!(late["state"], "done");
    local.stop().await;
}

async fn an_item_that_its_passage_does_not_answer_or_another_makes_ambiguous_is_not_offered(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = attested(&local).await;
    let document = local.editor.get(&format!("/v1/sources/{source}/document")).await.expect("a document");
    let passage = |part: &str| {
        let found = list(&document, "passages")
            .iter()
            .find(|passage| passage["text"].as_str().is_some_and(|text| text.contains(part)));
        found.expect("a passage")["id"].clone()
    };
    let item = |stem: &str, options: [&str; 3], part: &str| {
        let options: Vec<Value> = options
            .iter()
            .enumerate()
            .map(|(place, text)| json!({ "text": text, "correct": place == 0 }))
            .collect();
        json!({ "kind": "multiple_choice", "difficulty": "easy", "stem": stem, "options": options, "passage_ids": [passage(part)] })
    };
    let items = format!("/v1/programs/{program}/items");
    let stem = "What is the usual starting dose of apixaban in most adults?";
    let absent = item(stem, ["7 mg", "2.5 mg", "20 mg"], "usual starting dose");
    assert_eq!(code(local.editor.post(&items, &absent).await), "ITEM_NOT_ANSWERED");
    let elsewhere = item(stem, ["Warfarin sodium tablets", "2.5 mg", "20 mg"], "usual starting dose");
    assert_eq!(code(local.editor.post(&items, &elsewhere).await), "ITEM_NOT_ANSWERED");
    let vague = item(
        "How much apixaban do adults receive twice a day?",
        ["5 mg", "2.5 mg", "20 mg"],
        "usual starting dose",
    );
    assert_eq!(code(local.editor.post(&items, &vague).await), "ITEM_AMBIGUOUS");
    let fair = local
        .editor
        .post(&items, &item(stem, ["5 mg", "2.5 mg", "20 mg"], "usual starting dose"))
        .await
        .expect("a draft");
    let item = id(&fair, "id").expect("an id");
    local
        .reviewer
        .post(&format!("/v1/items/{item}/decision"), &json!({ "approve": true }))
        .await
        .expect("a decision");

    // Another source comes that answers the same question otherwise: what was fair is so no more.
    let other = "# Later\n\nThe usual starting dose of apixaban in most adults is 2.5 mg taken twice a day, said a later panel.\n";
    local
        .editor
        .add_source(&local.reviewer, &program, markdown("later.md", other), "r")
        .await
        .expect("a source");
    local.editor.publish(&program, "r").await.expect("a publication");
    let quiz = format!("/v1/programs/{program}/quiz");
    assert_eq!(code(local.editor.post(&quiz, &json!({ "item_ids": [item] })).await), "ITEM_AMBIGUOUS");
    assert_eq!(
        code(local.editor.post(&quiz, &json!({})).await),
        "FORM_NOT_READY",
        "nor is it taken by itself"
    );
    local.stop().await;
}

async fn an_author_never_approves_and_an_unapproved_or_unverified_item_never_counts(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local.publish("Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    assert_eq!(code(local.editor.generate_items(&program, 3, |_| {}).await), "FORM_NOT_READY");
    assert!(local.editor.attest(&source).await.is_err(), "whoever uploaded it cannot answer for it");
    local.reviewer.attest(&source).await.expect("an attestation");
    let made = local.editor.generate_items(&program, 3, |_| {}).await.expect("items");
    let item = id(&made[0], "id").expect("an id");
    assert_eq!(
        code(local.editor.post(&format!("/v1/items/{item}/decision"), &json!({ "approve": true })).await),
        "AUTHOR_CANNOT_DECIDE"
    );
    let quiz = format!("/v1/programs/{program}/quiz");
    assert_eq!(code(local.editor.post(&quiz, &json!({ "item_ids": [item] })).await), "ITEM_NOT_APPROVED");
    local
        .reviewer
        .post(&format!("/v1/items/{item}/decision"), &json!({ "approve": true }))
        .await
        .expect("a decision");
    assert_eq!(
        code(local.reviewer.post(&format!("/v1/items/{item}/decision"), &json!({ "approve": true })).await),
        "ITEM_DECIDED"
    );
    let refused =
        local.editor.post(&quiz, &json!({ "item_ids": [item], "source_classes": ["pubmed"] })).await;
    assert_eq!(code(refused), "SOURCE_NOT_VERIFIED", "attested sources do not count where only PubMed does");
    local.editor.post(&quiz, &json!({ "item_ids": [item] })).await.expect("a quiz");
    local.stop().await;
}
