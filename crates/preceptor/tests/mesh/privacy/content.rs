//! Who is shown what of a source, in every state of it, through every read of content.

use preceptor::client::{Client, id};
use preceptor_standins::{Article, Status};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::client;
use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    every_read_of_content_passes_one_gate
    learners_see_no_staff_no_reasons_and_no_drafts
}

const FIRST: &str = "# Doses of anticoagulants\n\n## Starting\n\nThe usual starting dose of apixaban is 5 mg, says the first edition.\n";
const SECOND: &str = "# Doses of anticoagulants\n\n## Starting\n\nThe usual starting dose of apixaban is 5 mg, says the second edition.\n";

/// A source in some state.
struct Course {
    program: String,
    source: String,
    /// Its first version.
    first: String,
    /// Who was admitted while it was published.
    learner: Option<Client>,
}

/// What a role is shown of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    /// That it was retracted, and no content.
    Notice,
    /// The words of an edition.
    Edition(&'static str),
}

async fn drafted(local: &Local) -> Course {
    let created = local
        .editor
        .post("/v1/programs", &json!({ "title": "Doses", "objectives": [] }))
        .await
        .expect("a program");
    let program = id(&created, "id").expect("an id");
    let uploaded = local.editor.upload(&program, markdown("doses.md", FIRST)).await.expect("a source");
    let source = id(&uploaded, "id").expect("an id");
    let read = local.editor.wait_for_source(&source, |_| {}).await.expect("it is read");
    Course { first: id(&read, "version_id").expect("an id"), program, source, learner: None }
}

async fn approve(local: &Local, source: &str) {
    local.editor.post(&format!("/v1/sources/{source}/submit"), &json!({})).await.expect("submitted");
    let decision = json!({ "approve": true, "reason": "read in full by a colleague" });
    local.reviewer.post(&format!("/v1/sources/{source}/decision"), &decision).await.expect("approved");
}

async fn published(local: &Local) -> Course {
    let course = drafted(local).await;
    approve(local, &course.source).await;
    local.editor.publish(&course.program, "first version").await.expect("published");
    let learner = client(local, &course.program, "learner").await;
    Course { learner: Some(learner), ..course }
}

/// Adds the second edition as a new version.
async fn add_second(local: &Local, course: &Course) {
    let form = reqwest::multipart::Form::new()
        .part("file", reqwest::multipart::Part::bytes(SECOND.as_bytes()).file_name("doses.md"))
        .text("source_id", course.source.clone());
    let path = format!("{}/v1/programs/{}/sources", local.url, course.program);
    let sent = reqwest::Client::new()
        .post(path)
        .bearer_auth(local.editor.token())
        .multipart(form)
        .send()
        .await
        .expect("an answer");
    assert!(sent.status().is_success(), "{}", sent.status());
    local.editor.wait_for_source(&course.source, |_| {}).await.expect("it is read");
}

async fn retracted(local: &Local) -> Course {
    local.registries.know(Article {
        pmid: "31234567".into(),
        doi: "10.5555/doses.2024".into(),
        title: "Doses of anticoagulants".into(),
        journal: "Journal of Doses".into(),
        status: Status::Sound,
    });
    let course = published(local).await;
    local.editor.verify_by(&course.source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    local.registries.change("31234567", Status::Retracted);
    local.editor.verify_by(&course.source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    eventually("the quarantine", async || {
        let state = local.editor.get(&format!("/v1/sources/{}", course.source)).await.ok()?;
        (state["quarantined"] == true).then_some(())
    })
    .await;
    course
}

/// What a document says.
fn said(document: &Value) -> Shown {
    let text = document["text"].as_str().unwrap_or_default();
    let passages = serde_json::to_string(&document["passages"]).expect("JSON");
    match ["first edition", "second edition"]
        .into_iter()
        .find(|edition| text.contains(edition) && passages.contains(edition))
    {
        Some(edition) => Shown::Edition(edition),
        None if text.is_empty()
            && list(document, "passages").is_empty()
            && document["source"]["quarantined"] == true =>
        {
            Shown::Notice
        }
        None => panic!("half a document: {document}"),
    }
}

/// Asks every read of content, and has them all say the same.
async fn shown(reader: &Client, course: &Course, what: &str) -> Shown {
    let Course { program, source, first, .. } = course;
    let document = reader.get(&format!("/v1/sources/{source}/document")).await;
    let shown = document.as_ref().map_or(Shown::Nothing, said);
    let single = reader.get(&format!("/v1/sources/{source}")).await;
    let listed = reader.get(&format!("/v1/programs/{program}/sources")).await;
    let in_list =
        listed.is_ok_and(|listed| list(&listed, "data").iter().any(|row| row["id"] == json!(source)));
    assert_eq!((single.is_ok(), in_list), (shown != Shown::Nothing, shown != Shown::Nothing), "{what}");
    if let Ok(single) = &single {
        assert_eq!(
            single["quarantined"] == true && shown == Shown::Notice,
            shown == Shown::Notice,
            "{what}: {single}"
        );
    }
    // By its version too, as citations link to it.
    let cited = reader.get(&format!("/v1/sources/{source}/document?version={first}")).await;
    let cited = cited.as_ref().map_or(Shown::Nothing, said);
    assert!(
        cited == shown || shown == Shown::Edition("second edition"),
        "{what}: {cited:?} by version, {shown:?} without"
    );
    // What a page or an original would show is behind the same gate: none of the words come out another way.
    let original = reader.download(&format!("/v1/sources/{source}/original")).await;
    if shown == Shown::Notice || shown == Shown::Nothing {
        assert!(original.is_err(), "{what}: the original");
        assert!(reader.get(&format!("/v1/sources/{source}/pages/1")).await.is_err(), "{what}: a picture");
    }
    shown
}

async fn every_read_of_content_passes_one_gate(store: Store) {
    const STAFF: [&str; 4] = ["admin", "editor", "reviewer", "auditor"];
    let local = store.mesh().await.expect("a mesh");
    let superseded = published(&local).await;
    add_second(&local, &superseded).await;
    approve(&local, &superseded.source).await;
    local.editor.publish(&superseded.program, "second version").await.expect("published");
    let redrafted = published(&local).await;
    add_second(&local, &redrafted).await;
    let withdrawn = published(&local).await;
    let path = format!("/v1/programs/{}/withdraw", withdrawn.program);
    local.editor.post(&path, &json!({ "reason": "under review" })).await.expect("withdrawn");

    let (first, second) = (Shown::Edition("first edition"), Shown::Edition("second edition"));
    let states = [
        ("a draft", drafted(&local).await, Shown::Nothing, first),
        ("published", published(&local).await, first, first),
        ("superseded", superseded, second, second),
        ("with a newer draft", redrafted, first, second),
        ("withdrawn", withdrawn, Shown::Nothing, first),
        ("retracted", retracted(&local).await, Shown::Notice, first),
    ];
    let (stranger, _) = local.other_org("Elsewhere").await.expect("an org");
    for (state, course, learners, staff) in &states {
        if let Some(learner) = &course.learner {
            assert_eq!(shown(learner, course, state).await, *learners, "{state}, learner");
        }
        for role in STAFF {
            let reader = client(&local, &course.program, role).await;
            assert_eq!(shown(&reader, course, state).await, *staff, "{state}, {role}");
        }
        for role in ["analyst", "supporter"] {
            let reader = client(&local, &course.program, role).await;
            assert!(
                reader.get(&format!("/v1/sources/{}/document", course.source)).await.is_err(),
                "{state}, {role}"
            );
        }
        assert_eq!(shown(&stranger, course, state).await, Shown::Nothing, "{state}, another org");
    }
    let retracted = &states[5].1;
    let learner = retracted.learner.as_ref().expect("a learner");
    let page = learner.download(&format!("/sources/{}", retracted.source)).await;
    if let Ok(page) = page {
        let page = String::from_utf8_lossy(&page).into_owned();
        assert!(
            page.contains("was retracted")
                && !page.contains("first edition")
                && !page.contains("reviewed and approved"),
            "{page}"
        );
    }
    local.stop().await;
}

async fn learners_see_no_staff_no_reasons_and_no_drafts(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = published(&local).await;
    local.editor.upload(&course.program, markdown("other.md", SECOND)).await.expect("a draft");
    local.reviewer.attest(&course.source).await.expect("an attestation");
    let learner = client(&local, &course.program, "learner").await;
    for path in [
        format!("/v1/sources/{}", course.source),
        format!("/v1/programs/{}/sources", course.program),
        format!("/v1/sources/{}/document", course.source),
        format!("/v1/sources/{}/verifications", course.source),
        format!("/v1/programs/{}", course.program),
        "/v1/programs".to_owned(),
    ] {
        let seen = learner.get(&path).await.expect("an answer").to_string();
        for hidden in ["staff_", "read in full by a colleague", "other.md"] {
            assert!(!seen.contains(hidden), "{path} shows {hidden}: {seen}");
        }
    }
    let program = learner.get(&format!("/v1/programs/{}", course.program)).await.expect("a program");
    let counts = program["sources"].as_object().into_iter().flatten();
    assert!(counts.into_iter().all(|(_, count)| *count == json!(0)), "{program}");
    let seen =
        local.editor.get(&format!("/v1/sources/{}", course.source)).await.expect("a source").to_string();
    assert!(seen.contains("staff_") && seen.contains("read in full by a colleague"), "staff see it: {seen}");
    local.stop().await;
}
