//! Who gets in, as what, and for how long: attacks through the front door.

use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor_testkit::{Local, Store};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{SendsForm as _, eventually, list};

preceptor_testkit::on_both_stores! {
    an_editor_becomes_no_one_else
    no_secret_opens_another_door
    staff_act_as_no_learner
    a_suspended_member_is_out_within_five_seconds
    sessions_end_with_what_they_came_from
    time_ends_sessions_tokens_and_kept_answers
    no_one_is_signed_in_by_another_site
    the_operator_is_in_no_tenant
    an_invited_person_comes_in_by_mail_and_the_staff_page_works_without_scripts
    lifetimes_are_checked_and_schemes_have_no_case
}

/// What is in force everywhere at the latest.
const SOON: Duration = Duration::from_millis(5_500);

fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

async fn status_of(local: &Local, token: &str, path: &str) -> StatusCode {
    http().get(format!("{}{path}", local.url)).bearer_auth(token).send().await.expect("an answer").status()
}

async fn with_cookie(local: &Local, session: &str, path: &str) -> StatusCode {
    let request =
        http().get(format!("{}{path}", local.url)).header("cookie", format!("preceptor_session={session}"));
    request.send().await.expect("an answer").status()
}

async fn post(local: &Local, token: &str, path: &str, body: &Value) -> (u16, Value) {
    let response = http()
        .post(format!("{}{path}", local.url))
        .bearer_auth(token)
        .json(body)
        .send()
        .await
        .expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

/// Signs in as the page does.
async fn sign_in(local: &Local, secret: &str) -> Response {
    let form = http().post(format!("{}/sign-in", local.url)).header("sec-fetch-site", "same-origin");
    form.fields(&[("secret", secret)]).send().await.expect("an answer")
}

fn session_of(response: &Response) -> Option<String> {
    let cookie = response.headers().get("set-cookie")?.to_str().ok()?;
    Some(cookie.strip_prefix("preceptor_session=")?.split(';').next()?.to_owned())
}

async fn session(local: &Local, secret: &str) -> String {
    session_of(&sign_in(local, secret).await).expect("a session")
}

async fn page(local: &Local, session: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    let request =
        http().post(format!("{}{path}", local.url)).header("cookie", format!("preceptor_session={session}"));
    request.header("sec-fetch-site", "same-origin").fields(fields).send().await.expect("an answer")
}

async fn member(admin: &Client, role: &str) -> (String, Client) {
    let new = json!({ "name": role, "role": role, "email": format!("{role}@example.org") });
    let created = admin.post("/v1/staff", &new).await.expect("a member");
    (id(&created["staff"], "id").expect("an id"), admin.with_token(id(&created, "token").expect("a token")))
}

async fn program(local: &Local) -> String {
    let created = local.editor.post("/v1/programs", &json!({ "title": "Program" })).await.expect("a program");
    id(&created, "id").expect("an id")
}

fn secret_in(url: &str) -> String {
    url.split('#').nth(1).expect("a fragment").to_owned()
}

async fn an_editor_becomes_no_one_else(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let admin = &local.editor;
    let (own, editor) = member(admin, "editor").await;
    let (reviewer, _) = member(admin, "analyst").await;
    let staff = editor.get("/v1/staff").await.expect("staff");
    for person in list(&staff, "data").iter().filter(|person| person["id"] != own.as_str()) {
        for body in [
            json!({ "staff_id": person["id"] }),
            json!({ "staff_id": person["id"], "confirm": editor.token() }),
        ] {
            let (status, answer) = post(&local, editor.token(), "/v1/sign-in-links", &body).await;
            assert_eq!((status, answer["code"].as_str()), (403, Some("MINT_NOT_ALLOWED")), "{answer:#}");
        }
    }
    for (path, body) in [
        ("/v1/staff", json!({ "name": "M", "role": "editor" })),
        ("/v1/staff/invitations", json!({ "name": "M", "role": "editor", "email": "m@example.org" })),
        ("/v1/credentials", json!({ "kind": "service", "name": "M", "confirm": editor.token() })),
        (&*format!("/v1/staff/{reviewer}/suspend"), json!({ "reason": "r" })),
    ] {
        assert_eq!(post(&local, editor.token(), path, &body).await.0, 403, "{path}");
    }
    // One's own link is one's own.
    let link = editor.post("/v1/sign-in-links", &json!({ "staff_id": own })).await.expect("a link");
    let secret = secret_in(link["url"].as_str().expect("a url"));
    assert_eq!(status_of(&local, &secret, "/v1/staff").await, StatusCode::UNAUTHORIZED);
    let session = session(&local, &secret).await;
    assert_eq!(with_cookie(&local, &session, "/v1/programs").await, StatusCode::OK);
    assert_eq!(with_cookie(&local, &session, "/v1/clinicians").await, StatusCode::FORBIDDEN);
    // The admin's link for someone else is mailed, and needs a confirmation.
    let (status, answer) =
        post(&local, admin.token(), "/v1/sign-in-links", &json!({ "staff_id": own })).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("CONFIRMATION_NEEDED")));
    let body = json!({ "staff_id": own, "confirm": admin.token() });
    let (status, answer) = post(&local, admin.token(), "/v1/sign-in-links", &body).await;
    assert_eq!((status, &answer["url"]), (202, &Value::Null), "{answer:#}");
    assert!(
        local.mail.newest_link("editor@example.org").is_some_and(|link| link.contains("/sign-in#pk_link_"))
    );
    // Without an address nothing is sent, and nothing is told.
    let bare =
        admin.post("/v1/staff", &json!({ "name": "Bare", "role": "reviewer" })).await.expect("a member");
    let body = json!({ "staff_id": bare["staff"]["id"], "confirm": admin.token() });
    let (status, answer) = post(&local, admin.token(), "/v1/sign-in-links", &body).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("STAFF_WITHOUT_ADDRESS")));
    local.stop().await;
}

async fn no_secret_opens_another_door(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let admin = &local.editor;
    let program = program(&local).await;
    let learner = local.learner(&program, "rosa").await.expect("a learner");
    let app = admin.app().await.expect("an app");
    let session = session(&local, admin.token()).await;
    for path in ["/v1/orgs", "/v1/programs", "/v1/staff", "/v1/me/clinician"] {
        assert_eq!(
            status_of(&local, &session, path).await,
            StatusCode::UNAUTHORIZED,
            "a session as bearer at {path}"
        );
        for secret in [admin.token(), learner.token(), app.token(), local.operator.token()] {
            assert_eq!(
                with_cookie(&local, secret, path).await,
                StatusCode::UNAUTHORIZED,
                "a token as cookie at {path}"
            );
        }
    }
    for secret in [session.as_str(), learner.token(), app.token(), local.operator.token(), "pk_link_x", "x"] {
        let response = sign_in(&local, secret).await;
        assert_eq!((response.status(), session_of(&response)), (StatusCode::UNAUTHORIZED, None));
    }
    for path in ["/v1/programs", "/v1/staff", "/v1/credentials", "/v1/clinicians", "/v1/me/clinician"] {
        assert_eq!(status_of(&local, app.token(), path).await, StatusCode::FORBIDDEN, "an app at {path}");
    }
    // A token as a cookie at the sign-out is not ended by it.
    let response = page(&local, admin.token(), "/sign-out", &[]).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(status_of(&local, admin.token(), "/v1/staff").await, StatusCode::OK);
    local.stop().await;
}

async fn staff_act_as_no_learner(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local).await;
    let rosa = local.learner(&program, "rosa").await.expect("a learner");
    let statement = preceptor::journey::physician("Rosa", "rosa@example.org");
    rosa.send_to(Method::PUT, "/v1/me/clinician", &statement).await.expect("stated");
    let (own, editor) = member(&local.editor, "editor").await;
    for maker in [&editor, &local.editor] {
        let path = format!("/v1/programs/{program}/learners");
        let (status, made) = post(&local, maker.token(), &path, &json!({ "user_hash": "rosa" })).await;
        assert_eq!(status, 201, "{made:#}");
        assert!(made["acting"].as_str().is_some_and(|acting| acting.starts_with("staff_")));
        let token = made["token"].as_str().expect("a token");
        let link = post(&local, token, "/v1/sign-in-links", &json!({ "learner_token": token })).await.1;
        let session = session(&local, &secret_in(link["url"].as_str().expect("a url"))).await;
        for path in ["/v1/me/clinician", &format!("/v1/programs/{program}/attempts"), "/v1/credits"] {
            let answer = http()
                .get(format!("{}{path}", local.url))
                .bearer_auth(token)
                .send()
                .await
                .expect("an answer");
            let (status, problem) = (answer.status(), answer.json::<Value>().await.expect("JSON"));
            assert_eq!(
                (status, problem["code"].as_str()),
                (StatusCode::FORBIDDEN, Some("ACTING_NOT_ALLOWED")),
                "{path}"
            );
            assert_eq!(with_cookie(&local, &session, path).await, StatusCode::FORBIDDEN, "{path} by session");
        }
        for (path, body) in [
            (
                format!("/v1/programs/{program}/attempts"),
                json!({ "form_id": "form_00000000000000000000000000" }),
            ),
            ("/v1/me/email-codes".to_owned(), json!({})),
            (format!("/v1/programs/{program}/evaluations"), json!({ "ratings": {} })),
            ("/v1/attempts/att_00000000000000000000000000/claim".to_owned(), json!({})),
        ] {
            let (status, answer) = post(&local, token, &path, &body).await;
            assert!(
                status == 403 || status == 404 || status == 405 || status == 400,
                "{path}: {status} {answer}"
            );
        }
    }
    // What an editor made ends with the editor.
    let made = editor.learner_token(&program).await;
    local.editor.send_to(Method::DELETE, &format!("/v1/staff/{own}"), &Value::Null).await.expect("removed");
    let refused = eventually("the token ends", async || {
        (status_of(&local, &made, &format!("/v1/programs/{program}")).await == StatusCode::UNAUTHORIZED)
            .then_some(())
    });
    tokio::time::timeout(SOON, refused).await.expect("within five seconds");
    assert_eq!(rosa.get("/v1/me/clinician").await.expect("her own")["name"], "Rosa");
    local.stop().await;
}

/// A token that a member of staff makes to try a program out.
trait Acts {
    async fn learner_token(&self, program: &str) -> String;
}

impl Acts for Client {
    async fn learner_token(&self, program: &str) -> String {
        let made = self
            .post(&format!("/v1/programs/{program}/learners"), &json!({ "user_hash": "x" }))
            .await
            .expect("a token");
        id(&made, "token").expect("a token")
    }
}

async fn a_suspended_member_is_out_within_five_seconds(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (own, editor) = member(&local.editor, "editor").await;
    let session = session(&local, editor.token()).await;
    assert_eq!(with_cookie(&local, &session, "/v1/programs").await, StatusCode::OK);
    assert_eq!(status_of(&local, editor.token(), "/v1/programs").await, StatusCode::OK);
    let suspended = local
        .editor
        .post(&format!("/v1/staff/{own}/suspend"), &json!({ "reason": "leave" }))
        .await
        .expect("suspended");
    assert_eq!(suspended["state"], "suspended");
    let out = eventually("they are out", async || {
        let both = [
            status_of(&local, editor.token(), "/v1/programs").await,
            with_cookie(&local, &session, "/v1/programs").await,
        ];
        both.iter().all(|status| *status == StatusCode::UNAUTHORIZED).then_some(())
    });
    tokio::time::timeout(SOON, out).await.expect("within five seconds");
    assert_eq!(sign_in(&local, editor.token()).await.status(), StatusCode::UNAUTHORIZED);
    local
        .editor
        .post(&format!("/v1/staff/{own}/reinstate"), &json!({ "reason": "back" }))
        .await
        .expect("reinstated");
    assert_eq!(status_of(&local, editor.token(), "/v1/programs").await, StatusCode::UNAUTHORIZED);
    // The last admin stays.
    let staff = local.editor.get("/v1/staff").await.expect("staff");
    let admin =
        list(&staff, "data").iter().find(|person| person["role"] == "admin").expect("an admin")["id"].clone();
    let admin = admin.as_str().expect("an id");
    for (path, method) in
        [(format!("/v1/staff/{admin}/suspend"), Method::POST), (format!("/v1/staff/{admin}"), Method::DELETE)]
    {
        let error =
            local.editor.send_to(method, &path, &json!({ "reason": "r" })).await.expect_err("the last admin");
        assert!(error.to_string().contains("LAST_ADMIN"), "{error}");
    }
    let error = local
        .editor
        .send_to(Method::PATCH, &format!("/v1/staff/{admin}"), &json!({ "role": "editor" }))
        .await
        .expect_err("the last");
    assert!(error.to_string().contains("LAST_ADMIN"), "{error}");
    local.stop().await;
}

async fn time_ends_sessions_tokens_and_kept_answers(store: Store) {
    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let local = store.mesh().await.expect("a mesh");
    let keyed = async |title: &str| {
        let request = http().post(format!("{}/v1/programs", local.url)).bearer_auth(local.editor.token());
        let request = request.header("idempotency-key", "one").json(&json!({ "title": title }));
        let answer = request.send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        id(&answer, "id").expect("an id")
    };
    let first = keyed("Kept for a day").await;
    // A session that is used lives on; one that lies idle ends.
    let browser = session(&local, local.reviewer.token()).await;
    for _ in 0..2 {
        local.clock.advance(10 * MINUTE);
        assert_eq!(with_cookie(&local, &browser, "/v1/programs").await, StatusCode::OK);
    }
    local.clock.advance(16 * MINUTE);
    let ended = eventually("an idle session ends", async || {
        (with_cookie(&local, &browser, "/v1/programs").await == StatusCode::UNAUTHORIZED).then_some(())
    });
    tokio::time::timeout(SOON, ended).await.expect("after fifteen minutes");
    // An answer is given again for a day, and then the key is a new one.
    local.clock.advance(22 * 60 * MINUTE);
    assert_eq!(keyed("Kept for a day").await, first);
    local.clock.advance(2 * 60 * MINUTE);
    assert_ne!(keyed("Kept for a day").await, first);
    // An API token ends after ninety days.
    let token = local.reviewer.token();
    local.clock.advance(88 * DAY);
    assert_eq!(status_of(&local, token, "/v1/programs").await, StatusCode::OK);
    local.clock.advance(DAY);
    let ended = eventually("an API token ends", async || {
        (status_of(&local, token, "/v1/programs").await == StatusCode::UNAUTHORIZED).then_some(())
    });
    tokio::time::timeout(SOON, ended).await.expect("after ninety days");
    local.stop().await;
}

async fn sessions_end_with_what_they_came_from(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local).await;
    // Two minutes of a token are two minutes of its session.
    let app = local.editor.app().await.expect("an app");
    let new = json!({ "user_hash": "rosa", "lifetime_seconds": 120 });
    let made = app.post(&format!("/v1/programs/{program}/learners"), &new).await.expect("a learner");
    let token = id(&made, "token").expect("a token");
    let link = post(&local, &token, "/v1/sign-in-links", &json!({ "learner_token": token })).await.1;
    let secret = secret_in(link["url"].as_str().expect("a url"));
    let short = session(&local, &secret).await;
    assert_eq!(sign_in(&local, &secret).await.status(), StatusCode::UNAUTHORIZED, "a link works once");
    assert_eq!(with_cookie(&local, &short, "/v1/me/clinician").await, StatusCode::OK);
    local.clock.advance(Duration::from_secs(121));
    let ended = eventually("the session ends", async || {
        (with_cookie(&local, &short, "/v1/me/clinician").await == StatusCode::UNAUTHORIZED).then_some(())
    });
    tokio::time::timeout(SOON, ended).await.expect("with its token");
    // A learner signs out, and what came from the session ends too.
    let learner = local.learner(&program, "omar").await.expect("a learner");
    let link = learner
        .post("/v1/sign-in-links", &json!({ "learner_token": learner.token() }))
        .await
        .expect("a link");
    let own = session(&local, &secret_in(link["url"].as_str().expect("a url"))).await;
    let text = http()
        .get(format!("{}/credits", local.url))
        .header("cookie", format!("preceptor_session={own}"))
        .send()
        .await;
    let text = text.expect("an answer").text().await.expect("a page");
    assert!(text.contains("action=\"/sign-out\""), "learners can sign out");
    assert_eq!(page(&local, &own, "/sign-out", &[]).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        with_cookie(&local, &own, "/v1/me/clinician").await,
        StatusCode::UNAUTHORIZED,
        "at once in this process"
    );
    assert_eq!(status_of(&local, learner.token(), "/v1/me/clinician").await, StatusCode::OK);
    // What the app admitted ends with the app.
    let listed = local.editor.get("/v1/credentials?limit=100").await.expect("credentials");
    let service =
        list(&listed, "data").iter().find(|row| row["kind"] == "service").expect("the app's")["id"].clone();
    let path = format!("/v1/credentials/{}", service.as_str().expect("an id"));
    local.editor.send_to(Method::DELETE, &path, &Value::Null).await.expect("revoked");
    let ended = eventually("the learner's token ends", async || {
        (status_of(&local, learner.token(), "/v1/me/clinician").await == StatusCode::UNAUTHORIZED)
            .then_some(())
    });
    tokio::time::timeout(SOON, ended).await.expect("within five seconds");
    local.stop().await;
}

async fn no_one_is_signed_in_by_another_site(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for headers in foreign {
        for path in ["/sign-in", "/sign-in/who", "/sign-out", "/console"] {
            let mut request =
                http().post(format!("{}{path}", local.url)).fields(&[("secret", local.editor.token())]);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = request.send().await.expect("an answer");
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(session_of(&response).is_none());
        }
    }
    let session = session(&local, local.editor.token()).await;
    let cookie = format!("preceptor_session={session}");
    let write = http()
        .post(format!("{}/v1/programs", local.url))
        .header("cookie", &cookie)
        .json(&json!({ "title": "t" }));
    assert_eq!(write.send().await.expect("an answer").status(), StatusCode::FORBIDDEN);
    // The page looks a link up and leaves it unused; nothing submits itself.
    let staff = local.editor.get("/v1/staff").await.expect("staff");
    let own =
        list(&staff, "data").iter().find(|person| person["role"] == "admin").expect("an admin")["id"].clone();
    let link = local.editor.post("/v1/sign-in-links", &json!({ "staff_id": own })).await.expect("a link");
    let secret = secret_in(link["url"].as_str().expect("a url"));
    for _ in 0..2 {
        let asked = http().post(format!("{}/sign-in/who", local.url)).header("sec-fetch-site", "same-origin");
        let answer: Value = asked
            .fields(&[("secret", secret.as_str())])
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        assert!(
            answer["question"].as_str().is_some_and(|question| question.starts_with("Sign in as Admin")),
            "{answer}"
        );
    }
    let script = http()
        .get(format!("{}/static/sign-in.js", local.url))
        .send()
        .await
        .expect("a script")
        .text()
        .await
        .expect("text");
    assert!(!script.contains("submit("), "the page signs nobody in by itself");
    assert_eq!(sign_in(&local, &secret).await.status(), StatusCode::SEE_OTHER);
    local.stop().await;
}

async fn the_operator_is_in_no_tenant(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let nowhere = "0".repeat(26);
    for path in [
        "/v1/programs".to_owned(),
        "/v1/staff".to_owned(),
        "/v1/clinicians".to_owned(),
        "/v1/credits".to_owned(),
        "/v1/audit/head".to_owned(),
        format!("/v1/programs/prog_{nowhere}"),
        format!("/v1/sources/src_{nowhere}"),
        format!("/v1/messages/msg_{nowhere}"),
        "/console".to_owned(),
    ] {
        assert_eq!(status_of(&local, local.operator.token(), &path).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(status_of(&local, local.operator.token(), "/v1/orgs").await, StatusCode::OK);
    local.operator.post("/v1/orgs", &json!({ "name": "Another", "admin_name": "A" })).await.expect("an org");
    if let Store::Files = store {
        let cell = local.data().join("cells").join(format!("org_{nowhere}.db"));
        assert!(!cell.exists(), "the operator's reads make a cell");
        assert!(local.data().join("cells").read_dir().expect("cells").count() > 0, "tenants have cells");
    }
    local.stop().await;
}

async fn an_invited_person_comes_in_by_mail_and_the_staff_page_works_without_scripts(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let admin = session(&local, local.editor.token()).await;
    let fields = [("name", "Ina Invited"), ("role", "reviewer"), ("email", "ina@example.org")];
    assert_eq!(page(&local, &admin, "/console/staff", &fields).await.status(), StatusCode::SEE_OTHER);
    let link = local.mail.newest_link("ina@example.org").expect("a mail");
    let own = session(&local, &secret_in(&link)).await;
    assert_eq!(with_cookie(&local, &own, "/v1/programs").await, StatusCode::OK);
    let made = page(&local, &own, "/console/credentials", &[("kind", "api"), ("name", "Laptop")]).await;
    let text = made.text().await.expect("a page");
    let token = text
        .split("pk_api_")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a secret that is shown once");
    assert_eq!(status_of(&local, &format!("pk_api_{token}"), "/v1/programs").await, StatusCode::OK);
    let shown = http()
        .get(format!("{}/console/staff", local.url))
        .header("cookie", format!("preceptor_session={admin}"));
    let shown = shown.send().await.expect("an answer").text().await.expect("a page");
    assert!(
        shown.contains("Ina Invited") && !shown.contains("<script>") && !shown.contains(token),
        "no inline script, no secret"
    );
    let staff = local.editor.get("/v1/staff").await.expect("staff");
    let ina = list(&staff, "data")
        .iter()
        .find(|person| person["name"] == "Ina Invited")
        .expect("she is listed")
        .clone();
    assert_eq!((&ina["state"], &ina["has_address"]), (&json!("active"), &json!(true)));
    let path = format!("/console/staff/{}", ina["id"].as_str().expect("an id"));
    let changed =
        page(&local, &admin, &path, &[("action", "change"), ("name", "Ina"), ("role", "analyst")]).await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    let removed = page(&local, &admin, &path, &[("action", "remove"), ("reason", "left")]).await;
    assert_eq!(removed.status(), StatusCode::SEE_OTHER);
    let out = eventually("she is out", async || {
        (with_cookie(&local, &own, "/v1/programs").await == StatusCode::UNAUTHORIZED).then_some(())
    });
    tokio::time::timeout(SOON, out).await.expect("within five seconds");
    local.stop().await;
}

async fn lifetimes_are_checked_and_schemes_have_no_case(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = program(&local).await;
    let app = local.editor.app().await.expect("an app");
    for seconds in [0, -1, i64::MIN, 31 * 24 * 3600] {
        let body = json!({ "user_hash": "x", "lifetime_seconds": seconds });
        let (status, _) = post(&local, app.token(), &format!("/v1/programs/{program}/learners"), &body).await;
        assert_eq!(status, 400, "{seconds}");
    }
    let long = json!({ "kind": "api", "name": "x", "lifetime_seconds": 91 * 24 * 3600, "confirm": local.editor.token() });
    assert_eq!(post(&local, local.editor.token(), "/v1/credentials", &long).await.0, 400);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = http()
            .get(format!("{}/v1/staff", local.url))
            .header("authorization", format!("{scheme} {}", local.editor.token()));
        assert_eq!(request.send().await.expect("an answer").status(), StatusCode::OK, "{scheme}");
    }
    local.stop().await;
}
