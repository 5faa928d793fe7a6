//! Files that cost more than anyone has: each fails alone, by name, and keeps no one waiting.

use std::io::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor::client::{Client, Upload, id};
use preceptor_testkit::local::{DOSES, publish};
use preceptor_testkit::{Store, on_both_stores};
use serde_json::{Value, json};

/// The CPU seconds that a file has where a test waits for those that use them up.
const CPU_SECONDS: u64 = 6;

fn upload(name: &str, content: Vec<u8>) -> Upload {
    Upload { name: name.to_owned(), content, ..Upload::default() }
}

async fn program(client: &Client) -> String {
    id(&client.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id").expect("an id")
}

async fn add(client: &Client, program: &str, name: &str, content: Vec<u8>) -> String {
    id(&client.upload(program, upload(name, content)).await.expect("it is taken"), "id").expect("an id")
}

async fn state(client: &Client, source: &str) -> Value {
    client.get(&format!("/v1/sources/{source}")).await.expect("a source")
}

/// Waits until a source is read or is not going to be; the wait is bounded by the limits of the readers, not by this.
async fn settled(client: &Client, source: &str) -> Value {
    for _ in 0..2400 {
        let source = state(client, source).await;
        if source["state"] != "extracting" {
            return source;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the source is still being read");
}

/// A table whose header of a MiB stands above twenty thousand rows.
fn wide_table() -> Vec<u8> {
    let header = format!("| {} | dose |\n|--|--|\n", "h".repeat(1 << 20));
    format!("# Doses\n\n{header}{}", "| a | b |\n".repeat(20_000)).into_bytes()
}

/// Sections of one word below a heading of half a MiB.
fn deep_heading() -> Vec<u8> {
    format!("# {}\n\n{}", "h".repeat(1 << 19), "word\n\n".repeat(50_000)).into_bytes()
}

/// A PDF of `pages` pages that share one stream; `filters` as its dictionary has them.
pub(crate) fn pdf(pages: usize, filters: &str, stream: &[u8]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    let mut object = |out: &mut Vec<u8>, body: &[u8]| {
        places.push(out.len());
        let _ = writeln!(out, "{} 0 obj", places.len());
        out.extend_from_slice(body);
        out.extend_from_slice(b"\nendobj\n");
    };
    let kids: Vec<String> = (0..pages).map(|page| format!("{} 0 R", page + 5)).collect();
    object(&mut out, b"<< /Type /Catalog /Pages 2 0 R >>");
    object(&mut out, format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", kids.join(" ")).as_bytes());
    object(&mut out, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
    let mut content = format!("<< /Length {} /Filter {filters} >>\nstream\n", stream.len()).into_bytes();
    content.extend_from_slice(stream);
    content.extend_from_slice(b"\nendstream");
    object(&mut out, &content);
    for _ in 0..pages {
        object(&mut out, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F 3 0 R >> >> >>");
    }
    let table = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", places.len() + 1);
    for place in &places {
        let _ = writeln!(out, "{place:010} 00000 n ");
    }
    let _ = write!(out, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", places.len() + 1);
    out
}

pub(crate) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("bytes");
    encoder.finish().expect("bytes")
}

/// A KiB that two filters make 512 MiB of.
fn twice_deflated() -> Vec<u8> {
    pdf(1, "[/FlateDecode /FlateDecode]", &deflated(&deflated(&vec![b' '; 512 << 20])))
}

/// Four hundred pages that each draw the same 40 MiB.
fn shared_stream() -> Vec<u8> {
    let line = b"BT /F 12 Tf 50 700 Td (word) Tj ET\n";
    let stream: Vec<u8> = line.iter().copied().cycle().take(40 << 20).collect();
    pdf(400, "/FlateDecode", &deflated(&stream))
}

async fn what_costs_too_much_fails_alone_and_by_name(store: Store) {
    let local =
        store.mesh_with(None, |config| config.sandbox.cpu_seconds = CPU_SECONDS).await.expect("a mesh");
    let (greedy, _) = local.other_org("Greedy").await.expect("an org");
    let theirs = program(&greedy).await;
    let mut heavy = Vec::new();
    for content in [shared_stream(), shared_stream()] {
        heavy.push(add(&greedy, &theirs, "shared.pdf", content).await);
    }
    heavy.push(add(&greedy, &theirs, "twice.pdf", twice_deflated()).await);

    // While these are at hand, others are read.
    let own = program(&local.editor).await;
    let small = add(&local.editor, &own, "small.md", b"# Dose\n\nThe dose is 5 mg.\n".to_vec()).await;
    assert_eq!(settled(&local.editor, &small).await["state"], "draft");
    let waiting = state(&greedy, heavy.last().expect("a file")).await;
    assert_eq!(waiting["state"], "extracting", "someone else was read before the last of theirs");

    for source in &heavy {
        let failed = settled(&greedy, source).await;
        let code = failed["problem"]["code"].as_str().expect("a code").to_owned();
        assert!(["FILE_TOO_COSTLY", "FILE_EXPANDS_TOO_MUCH"].contains(&code.as_str()), "{failed}");
        assert!(failed["problem"]["message"].as_str().expect("words").len() > 20, "{failed}");
    }
    let after = add(&greedy, &theirs, "after.md", b"# Dose\n\nThe dose is 5 mg.\n".to_vec()).await;
    assert_eq!(settled(&greedy, &after).await["state"], "draft", "whoever sent them goes on");
    local.stop().await;
}

async fn a_reading_that_is_stopped_ends_and_gives_its_place_to_the_next(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local.editor).await;
    let heavy = add(&local.editor, &program, "shared.pdf", shared_stream()).await;
    let waits = add(&local.editor, &program, "waits.pdf", shared_stream()).await;
    for source in [&waits, &heavy] {
        let path = format!("/v1/sources/{source}/cancel-reading");
        let stopped = local.editor.post(&path, &json!({})).await.expect("it is stopped");
        let seen = (stopped["state"].as_str(), stopped["problem"]["code"].as_str());
        assert_eq!(seen, (Some("failed"), Some("READING_CANCELED")), "{stopped}");
    }
    // Readers of an org take turns: the next is read only because the child of the first is gone.
    let small = add(&local.editor, &program, "small.md", b"# Dose\n\nThe dose is 5 mg.\n".to_vec()).await;
    let read = tokio::time::timeout(Duration::from_secs(20), settled(&local.editor, &small)).await;
    assert_eq!(read.expect("soon")["state"], "draft");
    for source in [&heavy, &waits] {
        assert_eq!(state(&local.editor, source).await["problem"]["code"], "READING_CANCELED");
    }
    // What was read stays as it is.
    let path = format!("/v1/sources/{small}/cancel-reading");
    assert_eq!(local.editor.post(&path, &json!({})).await.expect("an answer")["state"], "draft");
    local.stop().await;
}

async fn what_every_row_repeats_is_kept_once(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local.editor).await;
    for (name, content) in [("table.md", wide_table()), ("heading.md", deep_heading())] {
        let source = add(&local.editor, &program, name, content).await;
        let read = settled(&local.editor, &source).await;
        // A long heading is cut where one sees it; nothing multiplies it.
        assert_eq!(read["state"], "draft", "{name}: {read}");
        let document = local.editor.get(&format!("/v1/sources/{source}/document")).await;
        if let Ok(document) = document {
            assert!(
                document.to_string().len() < 64 << 20,
                "{name} became {} bytes",
                document.to_string().len()
            );
        }
    }
    local.stop().await;
}

async fn many_small_paragraphs_are_read_in_proportion(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local.editor).await;
    let source =
        add(&local.editor, &program, "words.txt", "word\n\n".repeat((8 << 20) / 6).into_bytes()).await;
    let read = settled(&local.editor, &source).await;
    assert_eq!(read["state"], "draft", "{read}");
    assert!(read["passages"].as_i64() > Some(1000), "{read}");
    local.stop().await;
}

async fn a_page_that_costs_too_much_is_not_drawn_twice(store: Store) {
    let local = store.mesh_with(None, |config| {
        config.sandbox.cpu_seconds = 2;
        config.sandbox.draw_seconds = 2;
    });
    let local = local.await.expect("a mesh");
    let program = program(&local.editor).await;
    // Its text is read in a moment; drawing its curves is not.
    let curves = b"q 300 w 0 0 m 600 800 10 700 590 20 c S Q\n";
    let mut stream: Vec<u8> = b"BT /F 12 Tf 50 700 Td (One word of text) Tj ET\n".to_vec();
    stream.extend(curves.iter().copied().cycle().take(curves.len() * 20_000));
    let source = add(&local.editor, &program, "heavy.pdf", pdf(1, "/FlateDecode", &deflated(&stream))).await;
    let read = settled(&local.editor, &source).await;
    assert_eq!(read["state"], "draft", "{read}");
    let page = format!("/v1/sources/{source}/pages/1");
    for _ in 0..3 {
        let refused = local.editor.get(&page).await.expect_err("it costs too much");
        assert!(refused.to_string().contains("FILE_TOO_COSTLY"), "{refused}");
    }
    local.stop().await;
}

async fn logos_are_drawn_by_children_and_by_no_service(store: Store) {
    // Without children nothing is drawn; anyone who has no logo does not need them.
    let local = store.mesh_with(None, |config| config.sandbox.program = Some("/bin/false".into()));
    let local = local.await.expect("a mesh");
    let term = |logo: &str| {
        json!({ "body": "accme", "provider": "Harbor", "provider_number": "1", "logo": logo,
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2029-01-01T00:00:00Z" })
    };
    let drawing = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>"#;
    let recorded = local.editor.post("/v1/accreditations", &term(&STANDARD.encode(drawing))).await;
    let refused = recorded.expect_err("nobody can draw it").to_string();
    assert!(refused.contains("COMPOSERS_UNAVAILABLE"), "{refused}");
    local.editor.post("/v1/accreditations", &term("")).await.expect("one without a logo");
    let known = local.editor.get("/v1/accreditations").await.expect("accreditations");
    assert_eq!(known["data"].as_array().map(Vec::len), Some(1), "nothing of the other is kept");
    local.stop().await;
}

/// Eight thousand statements that resemble each other.
async fn a_large_program_gets_its_items_and_the_others_theirs(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let organs = ["liver", "kidney", "heart", "lung", "brain", "skin", "bone", "nerve", "muscle"];
    let statement = |number: usize| {
        let organ = |place: usize| organs[number / place % organs.len()];
        format!(
            "In trial {number} adults with a weak {} and a weak {} received {number} mg of the compound once a day.\n\n",
            organ(1),
            organ(9)
        )
    };
    let text: String = (1..=8_000).map(statement).collect();
    let large =
        local.publish("Large", &[], vec![upload("large.txt", text.into_bytes())]).await.expect("a program");
    let (other, reviewer) = local.other_org("Other").await.expect("an org");
    let doses = upload("doses.md", DOSES.as_bytes().to_vec());
    let small = publish(&other, &reviewer, "Small", &[], vec![doses]).await.expect("a program");
    for (client, program) in [(&local.reviewer, &large), (&reviewer, &small)] {
        let sources = client.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
        client.attest(&id(&sources[0], "id").expect("an id")).await.expect("an attestation");
    }
    let asked = local
        .editor
        .post(&format!("/v1/programs/{large}/items/generate"), &json!({ "count": 20 }))
        .await
        .expect("a request");
    let made = other.generate_items(&small, 1, |_| {}).await.expect("the others get theirs");
    assert!(!made.is_empty());
    let generation = format!("/v1/generations/{}", id(&asked, "id").expect("an id"));
    let answered = local
        .editor
        .wait_until(&generation, |_| {}, |state| state["state"] == "done" || state["state"] == "failed")
        .await;
    assert_eq!(answered.expect("an answer")["state"], "done");
    local.stop().await;
}

on_both_stores! {
    a_large_program_gets_its_items_and_the_others_theirs
    what_costs_too_much_fails_alone_and_by_name
    a_reading_that_is_stopped_ends_and_gives_its_place_to_the_next
    what_every_row_repeats_is_kept_once
    many_small_paragraphs_are_read_in_proportion
    a_page_that_costs_too_much_is_not_drawn_twice
    logos_are_drawn_by_children_and_by_no_service
}
