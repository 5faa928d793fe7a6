//! Files that lie, burst or hold nothing: each gets a typed error that says what to do, and leaves nothing behind.

use std::io::{Cursor, Write as _};

use preceptor::client::{Upload, id};
use preceptor_testkit::Local;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A PPTX whose one slide unpacks to 600 MiB.
fn bomb() -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("ppt/presentation.xml", SimpleFileOptions::default()).expect("an entry");
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..600 {
        archive.write_all(&zeros).expect("bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

/// Ten entities, each ten times the one before it.
fn laughs() -> Vec<u8> {
    let entity = |n: usize| {
        let inner = if n == 0 { "ha".to_owned() } else { format!("&b{};", n - 1).repeat(10) };
        format!("<!ENTITY b{n} \"{inner}\">")
    };
    let entities: String = (0..10).map(entity).collect();
    format!(
        "<?xml version=\"1.0\"?><!DOCTYPE article [{entities}]><article><body><p>&b9;</p></body></article>"
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_get_typed_errors_and_leave_nothing_half_visible() {
    let local = Local::start(None).await.expect("a mesh");
    let program =
        id(&local.editor.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id")
            .expect("an id");
    let files: [(&str, Vec<u8>, &str); 9] = [
        ("empty.md", Vec::new(), "FILE_EMPTY"),
        ("really-a-pdf.txt", b"%PDF-1.7\n...".to_vec(), "FILE_TYPE_MISMATCH"),
        ("not-a.pdf", b"just text".to_vec(), "FILE_TYPE_MISMATCH"),
        ("broken.pdf", b"%PDF-1.7\nnothing that a PDF has".to_vec(), "FILE_MALFORMED"),
        ("bomb.pptx", bomb(), "FILE_EXPANDS_TOO_MUCH"),
        ("laughs.xml", laughs(), "FILE_HAS_ENTITIES"),
        ("program.exe", b"MZ".to_vec(), "FILE_TYPE_UNSUPPORTED"),
        ("binary.txt", vec![0, 159, 146, 150, 0, 1], "FILE_"),
        ("blank.vtt", b"WEBVTT\n\n".to_vec(), "FILE_MALFORMED"),
    ];
    for (name, content, code) in files {
        let uploaded = local
            .editor
            .upload(&program, Upload { name: name.to_owned(), content, ..Upload::default() })
            .await;
        let error = match uploaded {
            Err(error) => error,
            Ok(source) => local
                .editor
                .wait_for_source(&id(&source, "id").expect("an id"), |_| {})
                .await
                .expect_err("it cannot be read"),
        };
        assert!(error.to_string().contains(code), "{name}: {error}");
        assert!(error.to_string().len() > code.len() + 20, "{name}: it says what to do: {error}");
    }
    // What could not be read is not shown, and the document says that it may be so.
    let sources = local.editor.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    let failed = id(sources.first().expect("a source that was not read"), "id").expect("an id");
    let shown = local.editor.get(&format!("/v1/sources/{failed}/document")).await;
    assert!(shown.expect_err("there is nothing to show").to_string().contains("SOURCE_WRONG_STATE"));
    let published =
        local.editor.post(&format!("/v1/programs/{program}/publish"), &json!({ "reason": "x" })).await;
    assert!(published.expect_err("there is nothing to publish").to_string().contains("NOTHING_TO_PUBLISH"));
    local.stop().await;
}
