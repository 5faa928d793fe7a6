//! Repetition: of a write under its key, and of a learner's attempts.

use preceptor::client::{Upload, id};
use preceptor::journey::Answers;
use preceptor_standins::{Article, Status};
use preceptor_testkit::local::DOSES;
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::{Answer, Raw, problem};
use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    a_repetition_has_the_first_body_and_an_id_of_its_own
    a_repetition_quotes_no_source_that_was_retracted_since
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

/// Everything that an answer quotes.
fn quotes(document: &Value) -> Vec<&str> {
    match document {
        Value::Object(fields) => {
            let own = fields.get("quote").and_then(Value::as_str).filter(|quote| !quote.is_empty());
            own.into_iter().chain(fields.values().flat_map(quotes)).collect()
        }
        Value::Array(values) => values.iter().flat_map(quotes).collect(),
        _ => Vec::new(),
    }
}

/// A published program whose only source is an article that is sound; returns program and source.
async fn of_an_article(local: &Local) -> (String, String) {
    local.registries.know(Article {
        pmid: "31234567".into(),
        doi: "10.5555/doses.2024".into(),
        title: "Doses of anticoagulants".into(),
        journal: "Journal of Doses".into(),
        status: Status::Sound,
    });
    let program = local.publish("Doses", &[], vec![markdown("doses.md", DOSES)]).await.expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let source = id(&list(&sources, "data")[0], "id").expect("an id");
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    (program, source)
}

/// Sends a write under a key.
async fn keyed(raw: &Raw<'_>, key: &str, path: &str, body: &Value) -> Answer {
    raw.send(raw.request("POST", path).header("idempotency-key", key).json(body)).await
}

async fn a_repetition_quotes_no_source_that_was_retracted_since(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = of_an_article(&local).await;
    let items = local.editor.make_quiz(&local.reviewer, &program, 3, json!({})).await.expect("a quiz");
    let learner = local.learner(&program, "again").await.expect("a learner");
    let passed = learner.take_quiz(&program, &items, Answers::Right).await.expect("an attempt");
    let attempt = format!("/v1/attempts/{}", id(&passed, "id").expect("an id"));
    let raw = Raw::of(&local, &learner);
    let asked = format!("/v1/programs/{program}/messages");
    let answered = json!({ "question": "What is the usual starting dose of apixaban in most adults?" });
    let refused = json!({ "question": "Should I stop my father's apixaban?" });
    let key_of_quiz = format!("{attempt}/feedback");
    let writes = [("a", &asked, &answered), ("r", &asked, &refused), ("f", &key_of_quiz, &json!({}))];
    let mut firsts = Vec::new();
    for (key, path, body) in &writes {
        let (first, again) = (keyed(&raw, key, path, body).await, keyed(&raw, key, path, body).await);
        assert!(!quotes(&first.json()).is_empty(), "{}", String::from_utf8_lossy(&first.body));
        assert_eq!((first.status, again.status, &first.body), (200, 200, &again.body), "byte for byte");
        assert_eq!(again.header("idempotency-replayed"), "true");
        firsts.push(first.json());
    }

    local.registries.change("31234567", Status::Retracted);
    local.editor.verify_by(&source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    for first in &firsts[..2] {
        let message = format!("/v1/messages/{}", id(first, "message_id").expect("an id"));
        eventually("the notice of the message", async || {
            let message = learner.get(&message).await.ok()?;
            (!list(&message, "notices").is_empty()).then_some(())
        })
        .await;
    }
    eventually("the notice of the attempt", async || {
        quotes(&learner.get(&attempt).await.ok()?).is_empty().then_some(())
    })
    .await;
    for (key, path, body) in &writes[..2] {
        problem(&local, &keyed(&raw, key, path, body).await, 404, "SOURCE_RETRACTED");
    }
    let (key, path, body) = writes[2];
    let again = keyed(&raw, key, path, body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(quotes(&again.json()), Vec::<&str>::new());
    assert_eq!(again.json()["result"], firsts[2]["result"], "and it is the same attempt");
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
