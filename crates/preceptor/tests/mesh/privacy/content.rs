//! Who is shown what of a source, in every state of it, through every read of content.

use std::fmt::Write as _;

use preceptor::client::{Client, Upload, id};
use preceptor::journey::Answers;
use preceptor_standins::{Article, Status};
use preceptor_testkit::{Local, Store};
use serde_json::{Value, json};

use super::client;
use crate::credits;
use crate::support::{eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    every_read_of_content_passes_one_gate
    learners_see_no_staff_no_reasons_and_no_drafts
    learners_see_no_staff_in_what_they_earned
    a_link_to_a_replaced_version_says_so_and_leads_to_the_current_one
    pictures_of_a_retracted_source_are_shown_to_no_learner
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
    drafted_of(local, markdown("doses.md", FIRST)).await
}

async fn drafted_of(local: &Local, file: Upload) -> Course {
    let created = local
        .editor
        .post("/v1/programs", &json!({ "title": "Doses", "objectives": [] }))
        .await
        .expect("a program");
    let program = id(&created, "id").expect("an id");
    let uploaded = local.editor.upload(&program, file).await.expect("a source");
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
    publish(local, course).await
}

async fn publish(local: &Local, course: Course) -> Course {
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
    let course = published(local).await;
    retract(local, &course).await;
    course
}

/// Has the registry retract a source.
async fn retract(local: &Local, course: &Course) {
    local.registries.know(Article {
        pmid: "31234567".into(),
        doi: "10.5555/doses.2024".into(),
        title: "Doses of anticoagulants".into(),
        journal: "Journal of Doses".into(),
        status: Status::Sound,
    });
    local.editor.verify_by(&course.source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    local.registries.change("31234567", Status::Retracted);
    local.editor.verify_by(&course.source, json!({ "pmid": "31234567" })).await.expect("a verdict");
    eventually("the quarantine", async || {
        let state = local.editor.get(&format!("/v1/sources/{}", course.source)).await.ok()?;
        (state["quarantined"] == true).then_some(())
    })
    .await;
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

/// Does all that staff do for a credit and to it, and returns the paths under which its learner reads of that.
async fn earned(local: &Local, learner: &Client, course: &credits::Course) -> Vec<String> {
    let program = &course.program;
    let me = learner.get("/v1/me/clinician").await.expect("a clinician");
    let seen = json!({ "confirmed": true, "evidence": "Board register: active" });
    let path = format!("/v1/clinicians/{}/primary-source", id(&me, "learner").expect("a pseudonym"));
    local.editor.post(&path, &seen).await.expect("a check");
    let attempt = learner.take_quiz(program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.5).await.expect("a credit");
    let (attempt, credit) = (id(&attempt, "id").expect("an id"), id(&credit, "id").expect("an id"));
    learner.certificate(&credit).await.expect("a certificate");
    let why = json!({ "reason": "claimed twice" });
    local.editor.post(&format!("/v1/credits/{credit}/void"), &why).await.expect("a void");
    vec![
        format!("/v1/credits/{credit}/provenance"),
        format!("/v1/programs/{program}/offers"),
        format!("/v1/programs/{program}/quiz"),
        format!("/v1/credits/{credit}"),
        "/v1/credits".to_owned(),
        format!("/v1/attempts/{attempt}"),
        format!("/v1/programs/{program}/attempts"),
        "/v1/me/clinician".to_owned(),
    ]
}

async fn learners_see_no_staff_in_what_they_earned(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = credits::course(&local, json!({})).await;
    let learner = credits::clinician(&local, &course.program, "ana").await;
    let paths = earned(&local, &learner, &course).await;
    for path in &paths {
        let seen = learner.get(path).await.expect("an answer").to_string();
        assert!(!seen.contains("staff_"), "{path} shows staff: {seen}");
    }
    // Staff see it: the history of the credit, the offers, the quiz.
    for path in &paths[..3] {
        let seen = local.editor.get(path).await.expect("an answer").to_string();
        assert!(seen.contains("staff_"), "{path}: {seen}");
    }
    local.stop().await;
}

/// The stable code of a refusal.
fn refused<T: std::fmt::Debug>(answer: anyhow::Result<T>) -> String {
    answer.expect_err("it is refused").to_string()
}

async fn a_link_to_a_replaced_version_says_so_and_leads_to_the_current_one(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = published(&local).await;
    let learner = course.learner.as_ref().expect("a learner");
    let (source, first) = (&course.source, &course.first);
    add_second(&local, &course).await;
    // A draft is not there for learners: neither by itself nor through what it will replace.
    let draft = local.editor.get(&format!("/v1/sources/{source}")).await.expect("a source");
    let draft = id(&draft, "version_id").expect("an id");
    let second = format!("/v1/sources/{source}/document?version={draft}");
    assert!(refused(learner.get(&second).await).contains("SOURCE_NOT_FOUND"));
    learner.get(&format!("/v1/sources/{source}/document?version={first}")).await.expect("still published");

    approve(&local, source).await;
    local.editor.publish(&course.program, "second version").await.expect("published");
    for path in [
        format!("/v1/sources/{source}/document?version={first}"),
        format!("/v1/sources/{source}/pages/1?version={first}"),
    ] {
        let said = refused(learner.get(&path).await);
        assert!(said.contains("SOURCE_REPLACED") && !said.contains("first edition"), "{path}: {said}");
    }
    let link = format!("{}/sources/{source}?version={first}&from=45&to=60", local.url);
    let page = reqwest::Client::new().get(link).bearer_auth(learner.token()).send().await.expect("a page");
    assert_eq!(page.status(), reqwest::StatusCode::NOT_FOUND);
    let page = page.text().await.expect("a text");
    assert!(
        page.contains("This source was replaced")
            && page.contains(&format!("href=\"/sources/{source}\""))
            && page.contains("Doses of anticoagulants"),
        "{page}"
    );
    assert!(!page.contains("edition") && !page.contains("apixaban"), "no content of either version: {page}");
    assert_eq!(shown(learner, &course, "replaced").await, Shown::Edition("second edition"));

    // Who does not reach the program learns nothing, and a version of another source does not belong to this one.
    let (stranger, _) = local.other_org("Elsewhere").await.expect("an org");
    let path = format!("/v1/sources/{source}/document?version={first}");
    assert!(refused(stranger.get(&path).await).contains("SOURCE_NOT_FOUND"));
    let other = published(&local).await;
    let path = format!("/v1/sources/{source}/document?version={}", other.first);
    assert!(refused(learner.get(&path).await).contains("SOURCE_NOT_FOUND"));
    local.stop().await;
}

/// A PDF of one page with a line of text.
fn paged(text: &str) -> Upload {
    let drawn = format!("BT /F1 12 Tf 30 150 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        "<< /Title (Doses of anticoagulants) >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = String::new();
    for (number, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).expect("memory");
        writeln!(file, "{} 0 obj\n{object}\nendobj", number + 1).expect("memory");
    }
    let (start, size) = (file.len(), objects.len() + 1);
    write!(file, "xref\n0 {size}\n0000000000 65535 f \n{table}").expect("memory");
    write!(file, "trailer\n<< /Size {size} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{start}\n%%EOF\n")
        .expect("memory");
    Upload { name: "doses.pdf".to_owned(), content: file.into_bytes(), ..Upload::default() }
}

async fn pictures_of_a_retracted_source_are_shown_to_no_learner(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let text =
        "Doses of anticoagulants. The usual starting dose of apixaban is 5 mg, says the first edition.";
    let course = publish(&local, drafted_of(&local, paged(text)).await).await;
    let learner = course.learner.as_ref().expect("a learner");
    let Course { source, first, .. } = &course;
    let pictures =
        [format!("/v1/sources/{source}/pages/1"), format!("/v1/sources/{source}/pages/1?version={first}")];
    for path in &pictures {
        let picture = learner.download(path).await.expect("a picture");
        assert!(picture.starts_with(b"\x89PNG"), "{path}");
    }
    let page = String::from_utf8(learner.download(&format!("/sources/{source}")).await.expect("a page"));
    assert!(page.expect("a text").contains("/pages/1"), "the page shows the picture");
    retract(&local, &course).await;
    for path in &pictures {
        assert!(refused(learner.download(path).await).contains("SOURCE_RETRACTED"), "{path}");
        let picture = local.reviewer.download(path).await.expect("staff see what was retracted");
        assert!(picture.starts_with(b"\x89PNG"), "{path}");
    }
    let page = String::from_utf8(learner.download(&format!("/sources/{source}")).await.expect("a page"));
    let page = page.expect("a text");
    assert!(page.contains("was retracted") && !page.contains("/pages/1"), "{page}");
    local.stop().await;
}
