//! The conventions of the API, from outside: problems, bodies, lists, conditions, preferences.

mod repeated;

use preceptor::client::{Client, Exchange, Watch as _};
use preceptor_testkit::{Local, Store};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{WARFARIN, list, markdown};

preceptor_testkit::on_both_stores! {
    every_error_is_a_problem_whatever_went_wrong
    a_body_is_an_object_and_everything_wrong_with_it_is_told
    ids_that_are_none_are_answered_like_those_of_no_one
    lists_are_walked_page_by_page_and_only_with_their_own_cursors
    a_change_is_made_to_the_state_that_was_read
    what_was_made_says_where_it_is
    a_stream_is_for_who_would_rather_have_one
}

/// An answer in full.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Asks past the client, and compares the answer with the document all the same.
struct Raw<'a> {
    local: &'a Local,
    http: reqwest::Client,
    token: String,
}

impl<'a> Raw<'a> {
    fn of(local: &'a Local, client: &Client) -> Self {
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { local, http, token: client.token().to_owned() }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http
            .request(method.parse().expect("a method"), format!("{}{path}", self.local.url))
            .bearer_auth(&self.token)
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("a request");
        let (method, path): (Method, String) = (request.method().clone(), request.url().path().to_owned());
        let response = self.http.execute(request).await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("a body").to_vec();
        self.local.contract.exchanged(&Exchange {
            method: &method,
            path: &path,
            status,
            headers: &headers,
            body: &body,
        });
        Answer { status, headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// Sends a body as it is.
    async fn post(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.request("POST", path).header("content-type", kind).body(body)).await
    }
}

/// A problem with everything that belongs to one.
fn problem(local: &Local, answer: &Answer, status: u16, code: &str) -> Value {
    let problem = answer.json();
    assert_eq!(
        (answer.status, problem["code"].as_str()),
        (status, Some(code)),
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(problem["type"], format!("{}/errors/{code}", local.config.gateway.public_url));
    assert_eq!(problem["status"], status);
    let id = problem["request_id"].as_str().expect("an id");
    assert!(id.starts_with("req_") && id == answer.header("x-request-id"), "{problem}");
    let detail = problem["detail"].as_str().expect("a detail");
    for jargon in ["deserialize", "struct ", "i32", "axum", "column 0"] {
        assert!(!detail.contains(jargon), "{detail}");
    }
    problem
}

async fn every_error_is_a_problem_whatever_went_wrong(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    for nowhere in ["/v1", "/v1/", "/v1/nothing", "/v1/programs/"] {
        problem(&local, &raw.get(nowhere).await, 404, "PATH_NOT_FOUND");
    }
    let refused = raw.send(raw.request("DELETE", "/v1/programs")).await;
    problem(&local, &refused, 405, "METHOD_NOT_ALLOWED");
    assert!(
        refused.header("allow").contains("GET") && refused.header("allow").contains("POST"),
        "{}",
        refused.header("allow")
    );
    let keyed = |method| {
        raw.request(method, "/v1/programs").header("idempotency-key", "used").json(&json!({"title": "Doses"}))
    };
    assert_eq!(raw.send(keyed("POST")).await.status, 201);
    problem(&local, &raw.send(keyed("PUT")).await, 405, "METHOD_NOT_ALLOWED");
    problem(&local, &raw.get(&format!("/v1/programs?x={}", "a".repeat(9000))).await, 414, "URI_TOO_LONG");
    for size in [20_000, 100_000] {
        let large = raw.request("GET", "/v1/programs").header("x-large", "a".repeat(size));
        problem(&local, &raw.send(large).await, 431, "HEADERS_TOO_LARGE");
    }
    let many = (0..150).fold(raw.request("GET", "/v1/programs"), |request, number| {
        request.header(format!("x-{number}"), "a")
    });
    problem(&local, &raw.send(many).await, 431, "HEADERS_TOO_LARGE");
    problem(
        &local,
        &raw.post("/v1/programs", "application/json", vec![b' '; 9 << 20]).await,
        413,
        "BODY_TOO_LARGE",
    );
    for unknown in ["/v1/programs?x=1", "/v1/credits?limit=5&x=1", "/v1/me/clinician?x=1", "/v1/audit/head?x"]
    {
        problem(&local, &raw.get(unknown).await, 400, "QUERY_INVALID");
    }
    let reviewer = Raw::of(&local, &local.reviewer);
    problem(&local, &reviewer.get("/v1/credentials?learner=learner_0").await, 403, "CAPABILITY_MISSING");
    let nobody = Raw { token: "nothing".to_owned(), ..Raw::of(&local, &local.editor) };
    let refused = nobody.get("/v1/programs?limit=0").await;
    problem(&local, &refused, 401, "CREDENTIAL_INVALID");
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    let refused = nobody.send(nobody.http.get(format!("{}/v1/credits", local.url))).await;
    problem(&local, &refused, 401, "CREDENTIAL_MISSING");
    let page = raw.get("/nowhere").await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(
        String::from_utf8_lossy(&page.body).contains(page.header("x-request-id")),
        "the page shows the id of the request"
    );
    local.stop().await;
}

async fn a_body_is_an_object_and_everything_wrong_with_it_is_told(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    let json_kind = "application/json";
    for kind in [
        "text/plain",
        "application/vnd.api+json",
        "application/merge-patch+json",
        "application/json; charset=latin1",
    ] {
        problem(&local, &raw.post("/v1/programs", kind, r#"{"title":"t"}"#).await, 415, "BODY_NOT_JSON");
    }
    for broken in ["", "{", "{\"title\":\"t\"} x", "title"] {
        problem(&local, &raw.post("/v1/programs", json_kind, broken).await, 400, "JSON_MALFORMED");
    }
    for no_object in [r#"["Array title"]"#, "7", "null", r#""title""#] {
        let told =
            problem(&local, &raw.post("/v1/programs", json_kind, no_object).await, 400, "INVALID_FIELD");
        assert_eq!(told["errors"][0]["pointer"], "");
    }
    let told = problem(
        &local,
        &raw.post("/v1/programs", json_kind, r#"{"title":"a","title":"b"}"#).await,
        400,
        "INVALID_FIELD",
    );
    assert_eq!(told["errors"][0]["pointer"], "/title");
    let wrong = r#"{"title":" ","objectives":["ok",7],"color":"red","summary":null}"#;
    let told = problem(&local, &raw.post("/v1/programs", json_kind, wrong).await, 400, "INVALID_FIELD");
    let pointers: Vec<_> =
        list(&told, "errors").iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!(pointers, ["/color", "/objectives/1", "/summary", "/title"]);
    for (path, body) in [
        ("/v1/staff", json!({ "name": "n", "role": "king" })),
        ("/v1/sign-in-links", json!({})),
        (
            "/v1/sign-in-links",
            json!({ "staff_id": "staff_00000000000000000000000000", "learner_token": "x" }),
        ),
        ("/v1/staff", json!({ "name": "n\u{0}", "role": "editor" })),
    ] {
        let answer = raw.send(raw.request("POST", path).json(&body)).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(!list(&answer.json(), "errors").is_empty(), "{path} {body}");
    }
    // What a service refuses is pointed at under the name that the document has.
    let mixed = json!({ "name": "\u{410}da", "role": "editor" });
    let answer = raw.send(raw.request("POST", "/v1/staff").json(&mixed)).await;
    let told = problem(&local, &answer, 400, "INVALID_FIELD");
    assert_eq!(told["errors"][0]["pointer"], "/name");
    assert_eq!(list(&raw.get("/v1/programs").await.json(), "data").len(), 0, "nothing was made of any of it");
    local.stop().await;
}

async fn ids_that_are_none_are_answered_like_those_of_no_one(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    let nobodys = "00000000000000000000000000";
    for (path, code) in [
        ("/v1/programs/{}", "PROGRAM_NOT_FOUND"),
        ("/v1/programs/{}/messages", "PROGRAM_NOT_FOUND"),
        ("/v1/programs/{}/report", "PROGRAM_NOT_FOUND"),
        ("/v1/sources/{}", "SOURCE_NOT_FOUND"),
        ("/v1/messages/{}", "MESSAGE_NOT_FOUND"),
        ("/v1/credits/{}", "CREDIT_NOT_FOUND"),
        ("/v1/generations/{}", "GENERATION_NOT_FOUND"),
    ] {
        let prefix = [
            ("programs", "prog"),
            ("sources", "src"),
            ("messages", "msg"),
            ("credits", "cred"),
            ("generations", "gen"),
        ];
        let prefix =
            prefix.iter().find(|(noun, _)| path.starts_with(&format!("/v1/{noun}"))).expect("a noun").1;
        let foreign = raw.get(&path.replace("{}", &format!("{prefix}_{nobodys}"))).await;
        let expected = problem(&local, &foreign, 404, code);
        for malformed in ["zz", "%FF", "%00", "prog_zz", "x_00000000000000000000000000", "a%2Fb"] {
            let told = problem(&local, &raw.get(&path.replace("{}", malformed)).await, 404, code);
            assert_eq!(told["detail"], expected["detail"], "nobody can tell the one from the other");
        }
    }
    for (path, body) in [
        ("messages", json!({ "question": "q" })),
        ("attempts", json!({ "form_id": format!("form_{nobodys}") })),
    ] {
        let answer = raw.send(raw.request("POST", &format!("/v1/programs/zz/{path}")).json(&body)).await;
        problem(&local, &answer, 404, "PROGRAM_NOT_FOUND");
    }
    for page in ["abc", "99999999999", "0", "-1", "1.5"] {
        let answer = raw.get(&format!("/v1/sources/src_{nobodys}/pages/{page}")).await;
        problem(&local, &answer, 404, "PAGE_NOT_FOUND");
    }
    local.stop().await;
}

async fn lists_are_walked_page_by_page_and_only_with_their_own_cursors(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    for number in 0..5 {
        local
            .editor
            .post("/v1/programs", &json!({ "title": format!("Program {number}") }))
            .await
            .expect("a program");
        local.editor.hire(&format!("Rita {number}"), "reviewer").await.expect("staff");
    }
    for path in ["/v1/programs", "/v1/staff"] {
        let all = local.editor.all(path).await.expect("everything");
        let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = raw.get(&format!("{path}?limit=2{next}")).await.json();
            assert!(list(&page, "data").len() <= 2);
            seen.extend(list(&page, "data").to_vec());
            pages += 1;
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
        }
        assert!(pages >= 3);
        assert_eq!(seen, all, "{path}: everything once, in order");
    }
    for path in ["/v1/programs", "/v1/staff", "/v1/accreditations", "/v1/credits", "/v1/clinicians"] {
        for limit in ["0", "-1", "101", "abc", "1.5", "1&limit=2", ""] {
            problem(&local, &raw.get(&format!("{path}?limit={limit}")).await, 400, "QUERY_INVALID");
        }
    }
    let cursor =
        raw.get("/v1/programs?limit=2").await.json()["next_cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(raw.get(&format!("/v1/programs?cursor={cursor}")).await.status, 200);
    let mut changed = cursor.clone().into_bytes();
    changed[5] = if changed[5] == b'A' { b'B' } else { b'A' };
    for wrong in [
        &cursor[..cursor.len() - 1],
        &cursor[..8],
        "MTp6eno",
        "zzz",
        std::str::from_utf8(&changed).expect("text"),
    ] {
        problem(&local, &raw.get(&format!("/v1/programs?cursor={wrong}")).await, 400, "CURSOR_INVALID");
    }
    problem(&local, &raw.get(&format!("/v1/staff?cursor={cursor}")).await, 400, "CURSOR_INVALID");
    let (other, _) = local.other_org("Other").await.expect("an org");
    problem(
        &local,
        &Raw::of(&local, &other).get(&format!("/v1/programs?cursor={cursor}")).await,
        400,
        "CURSOR_INVALID",
    );
    local.stop().await;
}

async fn a_change_is_made_to_the_state_that_was_read(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    let made = raw
        .send(raw.request("POST", "/v1/programs").json(&json!({ "title": "One", "objectives": ["Do it"] })))
        .await;
    let path = format!("/v1/programs/{}", made.json()["id"].as_str().expect("an id"));
    let tag = made.header("etag").to_owned();
    let change = async |condition: Option<&str>, body: Value| {
        let request = raw.request("PATCH", &path).json(&body);
        raw.send(if let Some(condition) = condition {
            request.header("if-match", condition)
        } else {
            request
        })
        .await
    };
    problem(&local, &change(None, json!({ "title": "Two" })).await, 428, "IF_MATCH_REQUIRED");
    problem(&local, &change(Some("1"), json!({ "title": "Two" })).await, 400, "IF_MATCH_INVALID");
    for nothing in [json!({}), json!({ "title": "One" })] {
        let same = change(Some(&tag), nothing).await;
        assert_eq!(
            (same.status, same.header("etag")),
            (200, tag.as_str()),
            "a change that changes nothing is none"
        );
    }
    let two = change(Some(&format!("\"999\", {tag}")), json!({ "title": "Two" })).await;
    assert_eq!(two.status, 200);
    assert_ne!(two.header("etag"), tag);
    assert_eq!(two.header("location"), "");
    let late = change(Some(&tag), json!({ "title": "Three" })).await;
    let told = problem(&local, &late, 412, "REVISION_CONFLICT");
    assert_eq!(late.header("etag"), two.header("etag"), "it says what state to read");
    assert!(
        told["errors"][0]["detail"].as_str().is_some_and(|detail| detail.contains("\"Two\"")),
        "it says what changed: {told}"
    );
    assert_eq!(
        change(Some(&format!("W/{}", two.header("etag"))), json!({ "title": "x" })).await.status,
        412,
        "a weak tag changes nothing"
    );
    let three = change(Some("*"), json!({ "title": "Three" })).await;
    assert_eq!(three.status, 200);
    let objectives = raw.get(&format!("{path}/objectives")).await;
    assert_eq!(objectives.header("etag"), three.header("etag"));
    let put = raw.request("PUT", &format!("{path}/objectives")).header("if-match", objectives.header("etag"));
    assert_eq!(raw.send(put.json(&json!({ "objectives": [{ "text": "Do that" }] }))).await.status, 200);
    let now = raw.get(&path).await;
    for known in [
        now.header("etag").to_owned(),
        format!("W/{}", now.header("etag")),
        "*".to_owned(),
        format!("\"0\", {}", now.header("etag")),
    ] {
        let answer = raw.send(raw.request("GET", &path).header("if-none-match", &known)).await;
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("etag")),
            (304, 0, now.header("etag")),
            "{known}"
        );
    }
    assert_eq!(raw.send(raw.request("GET", &path).header("if-none-match", "\"0\"")).await.status, 200);
    local.stop().await;
}

async fn what_was_made_says_where_it_is(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let raw = Raw::of(&local, &local.editor);
    let made = raw.send(raw.request("POST", "/v1/programs").json(&json!({ "title": "One" }))).await;
    let program = made.json()["id"].as_str().expect("an id").to_owned();
    let staff =
        raw.send(raw.request("POST", "/v1/staff").json(&json!({ "name": "Rita", "role": "reviewer" }))).await;
    let accreditation = json!({ "body": "accme", "provider": "Harbor", "valid_from": "2024-01-01", "valid_until": "2030-01-01" });
    let accredited = raw.send(raw.request("POST", "/v1/accreditations").json(&accreditation)).await;
    let learner = raw
        .send(
            raw.request("POST", &format!("/v1/programs/{program}/learners"))
                .json(&json!({ "user_hash": "x" })),
        )
        .await;
    for answer in [made, staff, accredited, learner] {
        assert_eq!(answer.status, 201);
        assert_eq!(raw.get(answer.header("location")).await.status, 200, "{}", answer.header("location"));
    }
    assert_eq!(
        raw.get(&format!("/v1/programs/{program}")).await.header("location"),
        "",
        "what is only read says nothing of it"
    );
    local.stop().await;
}

/// The quotations of a stream: each `sentence`, or all of its `closest`.
fn quoted(stream: &str) -> usize {
    let data = |event: &str| -> Vec<Value> {
        let lines: Vec<&str> = stream.lines().collect();
        let of_event = lines.windows(2).filter(|pair| pair[0] == format!("event: {event}"));
        let data = of_event.filter_map(|pair| pair[1].strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
    };
    let closest =
        data("closest").iter().map(|closest| closest["quotes"].as_array().map_or(0, Vec::len)).sum::<usize>();
    data("sentence").len() + closest
}

async fn a_stream_is_for_who_would_rather_have_one(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local
        .publish("Warfarin", &["Name the dose"], vec![markdown("warfarin.md", WARFARIN)])
        .await
        .expect("a program");
    let learner = local.learner(&program, "l1").await.expect("a learner");
    let raw = Raw::of(&local, &learner);
    let path = format!("/v1/programs/{program}/messages");
    let ask = async |accept: &str| {
        let request = raw.request("POST", &path).header("accept", accept);
        raw.send(request.json(&json!({ "question": "What is the usual starting dose of warfarin?" }))).await
    };
    for accept in ["text/event-stream", "application/json;q=0.5, text/event-stream"] {
        let answer = ask(accept).await;
        assert_eq!(answer.header("content-type"), "text/event-stream", "{accept}");
        let text = String::from_utf8(answer.body).expect("text");
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!((names.first(), names.last()), (Some(&"meta"), Some(&"done")), "{text}");
        let done: Value = serde_json::from_str(
            text.lines().rev().find_map(|line| line.strip_prefix("data: ")).expect("data"),
        )
        .expect("JSON");
        assert_eq!(done["usage"]["sentences"], quoted(&text), "{text}");
        assert!(done["usage"]["elapsed_ms"].as_i64().is_some_and(|elapsed| elapsed >= 0), "{done}");
    }
    for accept in ["application/json", "*/*", "text/event-stream;q=0", "application/json, text/event-stream"]
    {
        assert_eq!(ask(accept).await.header("content-type"), "application/json", "{accept}");
    }
    local.stop().await;
}
