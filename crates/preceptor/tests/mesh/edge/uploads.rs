//! Uploads: nothing is stored that is not allowed, nothing stays of what was not finished, and a repeated one is the
//! first.

use std::path::Path;

use preceptor::client::id;
use preceptor_testkit::{Local, Store};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::{connect, head};
use crate::support::eventually;

preceptor_testkit::on_both_stores! {
    nothing_is_stored_of_an_upload_that_is_not_taken
    a_repeated_upload_is_answered_as_the_first
}

/// Files below a folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

fn post(local: &Local, path: &str) -> RequestBuilder {
    reqwest::Client::new().post(format!("{}{path}", local.url)).bearer_auth(local.editor.token())
}

fn file(text: &str) -> Part {
    Part::bytes(text.as_bytes().to_vec()).file_name("a.md")
}

async fn code(response: reqwest::Response) -> (StatusCode, String) {
    let status = response.status();
    let value: Value = response.json().await.unwrap_or_default();
    (status, value["code"].as_str().unwrap_or_default().to_owned())
}

async fn nothing_is_stored_of_an_upload_that_is_not_taken(store: Store) {
    let local = store.mesh_with(None, |config| config.ingestion.org_storage_mib = 1).await.expect("a mesh");
    let objects = local.data().join("objects");
    let program =
        id(&local.editor.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id")
            .expect("an id");
    let ours = format!("/v1/programs/{program}/sources");
    let nowhere = format!("/v1/programs/prog_{}/sources", "0".repeat(26));
    let foreign_source = format!("src_{}", "0".repeat(26));
    let text = "# Title\n\nWords enough for a passage.\n";

    let send = async |path: &str, form: Form| {
        code(post(&local, path).multipart(form).send().await.expect("an answer")).await
    };
    assert_eq!(send(&nowhere, Form::new().part("file", file(text))).await.0, StatusCode::NOT_FOUND);
    let before = Form::new().text("source_id", foreign_source.clone()).part("file", file(text));
    assert_eq!(send(&ours, before).await, (StatusCode::NOT_FOUND, "SOURCE_NOT_FOUND".into()));
    let behind = Form::new().part("file", file(text)).text("source_id", foreign_source);
    assert_eq!(send(&ours, behind).await, (StatusCode::NOT_FOUND, "SOURCE_NOT_FOUND".into()));
    let two = Form::new().part("file", file(text)).part("file", file(text));
    assert_eq!(send(&ours, two).await, (StatusCode::BAD_REQUEST, "INVALID_FIELD".into()));
    assert_eq!(send(&ours, Form::new().text("title", "t")).await.0, StatusCode::BAD_REQUEST);
    let lie = Part::bytes(b"just text".to_vec()).file_name("a.pdf");
    assert_eq!(send(&ours, Form::new().part("file", lie)).await.1, "FILE_TYPE_MISMATCH");
    let large = Part::bytes(vec![b'x'; 3 << 19]).file_name("a.txt");
    assert_eq!(send(&ours, Form::new().part("file", large)).await.1, "STORAGE_USED_UP");
    let json = post(&local, &ours).json(&json!({ "file": "x" })).send().await.expect("an answer");
    assert_eq!(code(json).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    // A client that goes away in the middle.
    let mut stream = connect(&local).await;
    let rest = "content-type: multipart/form-data; boundary=b\r\ncontent-length: 500000\r\n";
    stream.write_all(head(&ours, local.editor.token(), rest).as_bytes()).await.expect("it is sent");
    let begin = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\n";
    stream.write_all(begin.as_bytes()).await.expect("it is sent");
    stream.write_all(&vec![b'x'; 200_000]).await.expect("it is sent");
    eventually("the upload", async || (files(&objects) > 0).then_some(())).await;
    drop(stream);
    eventually("its end", async || (files(&objects) == 0).then_some(())).await;

    assert_eq!(send(&ours, Form::new().part("file", file(text))).await.0, StatusCode::ACCEPTED);
    assert!(files(&objects) > 0, "what is taken is stored");
    local.stop().await;
}

async fn a_repeated_upload_is_answered_as_the_first(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        id(&local.editor.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id")
            .expect("an id");
    let path = format!("/v1/programs/{program}/sources");
    // Every form has a boundary of its own.
    let send = async |key: &str, text: &str, title: &str| {
        let form =
            Form::new().part("file", file(text)).text("title", title.to_owned()).text("external_id", "mine");
        let response = post(&local, &path)
            .header("idempotency-key", key)
            .multipart(form)
            .send()
            .await
            .expect("an answer");
        (response.status(), response.bytes().await.expect("a body"))
    };
    let first = send("k1", "# One\n\nWords.", "T").await;
    assert_eq!(first.0, StatusCode::ACCEPTED);
    assert_eq!(send("k1", "# One\n\nWords.", "T").await, first, "byte for byte");
    assert_eq!(send("k1", "# Two\n\nWords.", "T").await.0, StatusCode::UNPROCESSABLE_ENTITY, "another file");
    assert_eq!(send("k1", "# One\n\nWords.", "U").await.0, StatusCode::UNPROCESSABLE_ENTITY, "another title");
    let sources = local.editor.all(&path).await.expect("sources");
    assert_eq!((sources.len(), &sources[0]["version_number"]), (1, &json!(1)), "no second version was made");

    // A file whose name has no ending is what its part says; the name goes before the part.
    let typed = async |key: &str, name: &str, kind: Option<&str>| {
        let bare = Part::bytes(b"# Three\n\nWords.".to_vec()).file_name(name.to_owned());
        let part = match kind {
            Some(kind) => bare.mime_str(kind).expect("a type"),
            None => bare,
        };
        let request = post(&local, &path).header("idempotency-key", key);
        code(request.multipart(Form::new().part("file", part)).send().await.expect("an answer")).await
    };
    assert_eq!(typed("k3", "notes", None).await.1, "FILE_TYPE_UNSUPPORTED");
    assert_eq!(typed("k4", "notes", Some("text/markdown")).await.0, StatusCode::ACCEPTED);
    assert_eq!(typed("k4", "notes", Some("text/plain")).await.1, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(typed("k5", "notes.md", Some("application/pdf")).await.0, StatusCode::ACCEPTED);
    let long = Form::new().part("file", file("# Four\n\nWords.")).text("title", "t".repeat(1001));
    let refused = code(post(&local, &path).multipart(long).send().await.expect("an answer")).await;
    assert_eq!(refused, (StatusCode::BAD_REQUEST, "INVALID_FIELD".into()));

    // A problem is repeated as it was, with the id of the first request.
    let wrong = async || {
        let request =
            post(&local, "/v1/programs").header("idempotency-key", "k2").json(&json!({ "title": "" }));
        request.send().await.expect("an answer").bytes().await.expect("a body")
    };
    let problem = wrong().await;
    assert!(String::from_utf8_lossy(&problem).contains("req_"), "{problem:?}");
    assert_eq!(wrong().await, problem);
    local.stop().await;
}
