//! Repetition: of a write under its key, and of a learner's attempts.

use preceptor::client::Upload;
use preceptor::journey::Answers;
use preceptor_testkit::Store;
use preceptor_testkit::local::DOSES;
use serde_json::json;

use super::{Raw, problem};
use crate::support::list;

preceptor_testkit::on_both_stores! {
    a_repetition_has_the_first_body_and_an_id_of_its_own
    attempts_are_listed_however_many_there_are
}

async fn a_repetition_has_the_first_body_and_an_id_of_its_own(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    let send = async |key: &str, title: &str| {
        let request = raw.request("POST", "/v1/programs").header("idempotency-key", key);
        raw.send(request.json(&json!({ "title": title }))).await
    };
    for (key, title, status) in [("good", "Doses", 201), ("bad", "", 400)] {
        let (first, again) = (send(key, title).await, send(key, title).await);
        assert_eq!((first.status, again.status), (status, status));
        assert_eq!(first.body, again.body, "byte for byte");
        assert_eq!(
            (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
            ("", "true")
        );
        assert_eq!(first.header("location"), again.header("location"));
        assert_ne!(first.header("x-request-id"), again.header("x-request-id"), "each request has its own");
        if status == 400 {
            problem(&local, &first, 400, "INVALID_FIELD");
            assert_eq!(again.json()["request_id"], first.header("x-request-id"), "the first request's");
        }
    }
    let tab = raw.request("POST", "/v1/programs").header("idempotency-key", "a\tb");
    problem(&local, &raw.send(tab.json(&json!({ "title": "x" }))).await, 400, "IDEMPOTENCY_KEY_INVALID");
    local.stop().await;
}

async fn attempts_are_listed_however_many_there_are(store: Store) {
    const MADE: usize = 53;
    let local = store.mesh().await.expect("a mesh");
    let doses =
        Upload { name: "doses.md".to_owned(), content: DOSES.as_bytes().to_vec(), ..Upload::default() };
    let program = local.publish("Doses", &["Name the usual doses"], vec![doses]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    local.reviewer.attest(list(&sources, "data")[0]["id"].as_str().expect("an id")).await.expect("attested");
    let terms = json!({ "most_attempts": 0 });
    let items = local.editor.make_quiz(&local.reviewer, &program, 1, terms).await.expect("a quiz");
    let learner = local.learner(&program, "l1").await.expect("a learner");
    let mut made = Vec::new();
    for _ in 0..MADE {
        let attempt = learner.take_quiz(&program, &items, Answers::Wrong).await.expect("an attempt");
        made.insert(0, attempt["id"].clone());
    }
    let path = format!("/v1/programs/{program}/attempts");
    let raw = Raw::of(&local, &learner);
    let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = raw.get(&format!("{path}?limit=20{next}")).await.json();
        seen.extend(list(&page, "data").iter().map(|attempt| attempt["id"].clone()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, made, "every attempt once, the newest first");
    assert_eq!(pages, 3);
    local.stop().await;
}
