//! What every client of the edge relies on: limits, security headers, and the order of a streamed answer.

use futures::StreamExt as _;
use preceptor::client::id;
use preceptor_testkit::{Store, model};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{WARFARIN, list, markdown};

preceptor_testkit::on_both_stores! {
    too_many_questions_are_refused_with_the_time_to_wait
    every_answer_carries_the_security_headers
    a_streamed_answer_comes_in_order_and_ends_once
    a_client_that_hangs_up_leaves_its_answer_on_record
}

const QUESTION: &str = "What is the usual starting dose of warfarin?";

async fn too_many_questions_are_refused_with_the_time_to_wait(store: Store) {
    let local =
        store.mesh_with(None, |config| config.gateway.questions_per_minute = 2).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let (one, other) = (
        local.learner(&program, "one").await.expect("one"),
        local.learner(&program, "other").await.expect("another"),
    );
    let http = reqwest::Client::new();
    let ask = async |learner: &preceptor::client::Client| {
        let request =
            http.post(format!("{}/v1/programs/{program}/messages", local.url)).bearer_auth(learner.token());
        request.json(&json!({ "question": QUESTION })).send().await.expect("an answer")
    };
    for _ in 0..2 {
        assert_eq!(ask(&one).await.status(), StatusCode::OK);
    }
    let refused = ask(&one).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=61).contains(&wait), "{wait}");
    let problem: Value = refused.json().await.expect("a problem");
    assert_eq!((&problem["code"], &problem["status"]), (&json!("RATE_LIMITED"), &json!(429)));
    assert_eq!(ask(&other).await.status(), StatusCode::OK, "a neighbor has a bucket of their own");
    local.stop().await;
}

async fn every_answer_carries_the_security_headers(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    for path in [
        "/sign-in",
        "/console",
        "/v1/programs",
        "/v1/nothing",
        "/nowhere",
        "/static/page.css",
        "/openapi.json",
        "/errors",
        "/healthz",
    ] {
        let response = http.get(format!("{}{path}", local.url)).send().await.expect("an answer");
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    }
    local.stop().await;
}

/// The events of a stream: their names and what they carry.
fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("event:"));
    let field = |block: &str, name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
            .unwrap_or_default()
    };
    blocks
        .map(|block| (field(block, "event:"), serde_json::from_str(&field(block, "data:")).expect("JSON")))
        .collect()
}

async fn a_streamed_answer_comes_in_order_and_ends_once(store: Store) {
    let Some(model) = model("a streamed answer") else { return };
    let local = store.mesh_with(Some(model), |_| {}).await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "learner").await.expect("a learner");
    let http = reqwest::Client::new();
    for (question, middle) in [(QUESTION, "sentence"), ("How is gout treated?", "refusal")] {
        let request =
            http.post(format!("{}/v1/programs/{program}/messages", local.url)).bearer_auth(learner.token());
        let response = request
            .header("accept", "text/event-stream")
            .json(&json!({ "question": question }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let events = events(&response.text().await.expect("text"));
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names.first(), names.last()), (Some(&"meta"), Some(&"done")), "{names:?}");
        assert!(names.len() > 2 && names[1..names.len() - 1].iter().all(|name| *name == middle), "{names:?}");
        let message = events[0].1["message_id"].as_str().expect("an id");
        let on_record = learner.get(&format!("/v1/messages/{message}")).await.expect("the message");
        assert_eq!(
            list(&on_record, "sentences").len(),
            names.iter().filter(|name| **name == "sentence").count(),
            "{on_record:#}"
        );
    }
    local.stop().await;
}

async fn a_client_that_hangs_up_leaves_its_answer_on_record(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "learner").await.expect("a learner");
    let http = reqwest::Client::new();
    let request =
        http.post(format!("{}/v1/programs/{program}/messages", local.url)).bearer_auth(learner.token());
    let response = request
        .header("accept", "text/event-stream")
        .json(&json!({ "question": QUESTION }))
        .send()
        .await
        .expect("an answer");
    let first = response.bytes_stream().next().await.expect("a piece").expect("bytes");
    let begun = events(&format!("{}\n\n", String::from_utf8_lossy(&first)));
    let message =
        begun.first().map(|(_, meta)| id(meta, "message_id").expect("an id")).expect("the first event");
    let on_record = learner.get(&format!("/v1/messages/{message}")).await.expect("the message");
    assert_eq!(on_record["question"], QUESTION);
    assert!(learner.ask(&program, QUESTION).await.is_ok(), "the next question is answered");
    local.stop().await;
}
