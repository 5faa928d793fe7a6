//! Each role does its own work, signed in as that role, in a browser's way and through the API; and no other role's.

use preceptor::client::{Client, id};
use preceptor_testkit::{Local, Store};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::json;

use crate::support::{Log, SendsForm as _, WARFARIN, eventually, list, markdown};

preceptor_testkit::on_both_stores! {
    an_editor_brings_a_program_to_its_publication_and_approves_nothing
    a_reviewer_decides_and_writes_nothing
    an_analyst_sees_what_was_asked_and_no_content_or_person
    an_auditor_reads_the_record_and_changes_nothing
    a_supporter_is_served_nothing
    a_learner_asks_reads_and_signs_out
}

/// A browser that is signed in.
struct Visitor {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Visitor {
    /// Signs in with a person's own token, as the sign-in page does.
    async fn of(local: &Local, person: &Client) -> Self {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let form = http.post(format!("{}/sign-in", local.url)).header("sec-fetch-site", "same-origin");
        let response = form.fields(&[("secret", person.token())]).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "the sign-in");
        let cookie = response.headers()[SET_COOKIE]
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a pair")
            .to_owned();
        Self { http, url: local.url.clone(), cookie }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let response = self
            .http
            .get(format!("{}{path}", self.url))
            .header(COOKIE, &self.cookie)
            .send()
            .await
            .expect("an answer");
        (response.status(), response.text().await.expect("text"))
    }

    /// A page that must be there.
    async fn page(&self, path: &str) -> String {
        let (status, page) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {page}");
        page
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> StatusCode {
        let form = self
            .http
            .post(format!("{}{path}", self.url))
            .header(COOKIE, &self.cookie)
            .header("sec-fetch-site", "same-origin");
        form.fields(fields).send().await.expect("an answer").status()
    }
}

/// The code with which a request was refused.
async fn refusal(answer: impl Future<Output = anyhow::Result<serde_json::Value>>) -> String {
    answer.await.expect_err("it is refused").to_string()
}

async fn published(local: &Local) -> (String, String) {
    let program = local
        .publish("Warfarin", &["Choose the dose of warfarin"], vec![markdown("warfarin.md", WARFARIN)])
        .await
        .expect("a program");
    let sources = local.editor.get(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    (program, id(&list(&sources, "data")[0], "id").expect("an id"))
}

async fn an_editor_brings_a_program_to_its_publication_and_approves_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let editor = local.editor.hire("Edith Editor", "editor").await.expect("an editor");
    let visitor = Visitor::of(&local, &editor).await;
    let created = visitor
        .send("/console", &[("title", "Warfarin"), ("objectives", "Choose the dose of warfarin")])
        .await;
    assert_eq!(created, StatusCode::SEE_OTHER);
    let program = id(&editor.all("/v1/programs").await.expect("programs")[0], "id").expect("an id");
    let source = editor.upload(&program, markdown("warfarin.md", WARFARIN)).await.expect("an upload");
    let source = id(&source, "id").expect("an id");
    editor.wait_for_source(&source, |_| {}).await.expect("it is read");
    assert_eq!(visitor.send(&format!("/console/sources/{source}/submit"), &[]).await, StatusCode::SEE_OTHER);
    assert!(visitor.page(&format!("/console/sources/{source}")).await.contains("5 mg once a day"));
    let own = refusal(
        editor.post(&format!("/v1/sources/{source}/decision"), &json!({ "approve": true, "reason": "mine" })),
    )
    .await;
    assert!(own.contains("CAPABILITY_MISSING"), "{own}");
    local
        .reviewer
        .post(&format!("/v1/sources/{source}/decision"), &json!({ "approve": true, "reason": "read" }))
        .await
        .expect("approved");
    assert_eq!(
        visitor.send(&format!("/console/programs/{program}/publish"), &[("reason", "first")]).await,
        StatusCode::SEE_OTHER
    );
    editor.wait_for_publication(&program, |_| {}).await.expect("it is published");
    assert!(visitor.page(&format!("/programs/{program}")).await.contains("Warfarin"));
    for path in ["/v1/clinicians", "/v1/audit/head"] {
        assert!(refusal(editor.get(path)).await.contains("CAPABILITY_MISSING"), "{path}");
    }
    local.stop().await;
}

async fn a_reviewer_decides_and_writes_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = published(&local).await;
    let visitor = Visitor::of(&local, &local.reviewer).await;
    assert!(visitor.page("/console").await.contains("Warfarin"));
    assert!(visitor.page(&format!("/console/programs/{program}")).await.contains("Sources"));
    assert!(visitor.page(&format!("/console/sources/{source}")).await.contains("5 mg once a day"));
    let draft = local
        .editor
        .upload(&program, markdown("more.md", "# More\n\nWarfarin is old."))
        .await
        .expect("an upload");
    let draft = id(&draft, "id").expect("an id");
    local.editor.wait_for_source(&draft, |_| {}).await.expect("it is read");
    local.editor.post(&format!("/v1/sources/{draft}/submit"), &json!({})).await.expect("it is submitted");
    let decided = visitor
        .send(
            &format!("/console/sources/{draft}/decision"),
            &[("decision", "reject"), ("reason", "no source given")],
        )
        .await;
    assert_eq!(decided, StatusCode::SEE_OTHER);
    let state = local.editor.get(&format!("/v1/sources/{draft}")).await.expect("the source");
    assert_eq!(state["state"], "rejected");
    let upload = local
        .reviewer
        .upload(&program, markdown("own.md", "# Own"))
        .await
        .expect_err("reviewers write nothing")
        .to_string();
    assert!(upload.contains("CAPABILITY_MISSING"), "{upload}");
    assert_eq!(visitor.send("/console", &[("title", "Own")]).await, StatusCode::FORBIDDEN);
    local.stop().await;
}

async fn an_analyst_sees_what_was_asked_and_no_content_or_person(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = published(&local).await;
    let draft =
        local.editor.post("/v1/programs", &json!({ "title": "Secret draft" })).await.expect("a draft");
    let learner = local.learner(&program, "learner").await.expect("a learner");
    learner.ask(&program, "What is the usual starting dose of warfarin?").await.expect("an answer");
    let analyst = local.editor.hire("Ana Analyst", "analyst").await.expect("an analyst");
    let report = eventually("the count", async || {
        let report =
            analyst.get(&format!("/v1/programs/{program}/report")).await.expect("the report is served");
        (report["messages"] == 1).then_some(report)
    })
    .await;
    assert_eq!(report["learners"], 1);
    let visitor = Visitor::of(&local, &analyst).await;
    let home = visitor.page("/console").await;
    assert!(
        home.contains("Warfarin") && !home.contains("Secret draft"),
        "drafts are not an analyst's: {home}"
    );
    let page = visitor.page(&format!("/console/programs/{program}")).await;
    assert!(
        page.contains("What was asked") && page.contains("What is the usual starting dose of warfarin?"),
        "{page}"
    );
    for path in [
        format!("/v1/sources/{source}/document"),
        "/v1/clinicians".to_owned(),
        "/v1/audit/head".to_owned(),
        format!("/v1/programs/{}", id(&draft, "id").expect("an id")),
    ] {
        let refused = refusal(analyst.get(&path)).await;
        assert!(refused.contains("CAPABILITY_MISSING") || refused.contains("NOT_FOUND"), "{path}: {refused}");
    }
    assert_eq!(visitor.send("/console", &[("title", "Own")]).await, StatusCode::FORBIDDEN);
    local.stop().await;
}

async fn an_auditor_reads_the_record_and_changes_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = published(&local).await;
    let auditor = local.editor.hire("Audra Auditor", "auditor").await.expect("an auditor");
    eventually("the record of the publication", async || {
        let head = auditor.get("/v1/audit/head").await.expect("the head is served");
        (head["size"].as_u64()? >= 6).then_some(())
    })
    .await;
    Log::read(&auditor).await.verify().expect("the log verifies");
    let visitor = Visitor::of(&local, &auditor).await;
    for path in
        ["/console".to_owned(), format!("/console/programs/{program}"), format!("/console/sources/{source}")]
    {
        visitor.page(&path).await;
    }
    for refused in [
        refusal(auditor.post("/v1/programs", &json!({ "title": "t" }))).await,
        refusal(
            auditor
                .post(&format!("/v1/sources/{source}/decision"), &json!({ "approve": true, "reason": "r" })),
        )
        .await,
        refusal(auditor.post("/v1/staff", &json!({ "name": "n", "role": "analyst" }))).await,
    ] {
        assert!(refused.contains("CAPABILITY_MISSING"), "{refused}");
    }
    local.stop().await;
}

async fn a_supporter_is_served_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, source) = published(&local).await;
    let supporter = local.editor.hire("Sue Supporter", "supporter").await.expect("a supporter");
    let visitor = Visitor::of(&local, &supporter).await;
    for path in [
        "/console".to_owned(),
        format!("/programs/{program}"),
        format!("/console/programs/{program}"),
        format!("/sources/{source}"),
    ] {
        let (status, page) = visitor.get(&path).await;
        assert!([StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status), "{path}: {status}");
        assert!(!page.contains("Warfarin"), "{path} tells a supporter nothing: {page}");
    }
    for path in [
        format!("/v1/programs/{program}/report"),
        format!("/v1/programs/{program}/messages"),
        "/v1/credits".to_owned(),
    ] {
        assert!(refusal(supporter.get(&path)).await.contains("CAPABILITY_MISSING"), "{path}");
    }
    local.stop().await;
}

async fn a_learner_asks_reads_and_signs_out(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (program, _) = published(&local).await;
    let learner = local.learner(&program, "learner").await.expect("a learner");
    let link = learner_link(&local, &learner).await;
    let visitor = Visitor::of(&local, &local.editor.with_token(link)).await;
    let page = visitor.page(&format!("/programs/{program}")).await;
    assert!(page.contains("Sign out"), "learners can sign out");
    let answer =
        learner.ask(&program, "What is the usual starting dose of warfarin?").await.expect("an answer");
    let message = id(&answer, "message_id").expect("an id");
    let feedback = json!({ "helpful": true, "comment": "Clear and short" });
    learner.post(&format!("/v1/messages/{message}/feedback"), &feedback).await.expect("feedback");
    let asked = local.editor.get(&format!("/v1/programs/{program}/messages")).await.expect("messages");
    let row = list(&asked, "data")
        .iter()
        .find(|row| row["id"] == message.as_str())
        .expect("the message")
        .to_string();
    assert!(row.contains("Clear and short"), "feedback reaches the editor: {row}");
    assert_eq!(visitor.get("/console").await.0, StatusCode::FORBIDDEN);
    assert_eq!(visitor.send("/sign-out", &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(
        visitor.get(&format!("/programs/{program}")).await.0,
        StatusCode::SEE_OTHER,
        "the session has ended"
    );
    local.stop().await;
}

/// The secret of a link that signs a learner in.
async fn learner_link(local: &Local, learner: &Client) -> String {
    let link = local
        .editor
        .post("/v1/sign-in-links", &json!({ "learner_token": learner.token() }))
        .await
        .expect("a link");
    id(&link, "url").expect("a URL").rsplit('#').next().expect("a secret").to_owned()
}
