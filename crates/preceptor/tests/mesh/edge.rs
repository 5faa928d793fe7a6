//! What strangers, the slow and the greedy meet before they meet anything else; and clients that go away.

mod uploads;

use std::time::Duration;

use preceptor::client::id;
use preceptor_testkit::{Dice, Local, Store};
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

preceptor_testkit::on_both_stores! {
    a_client_that_goes_away_changes_nothing
}

/// A connection to the mesh, to speak over by hand.
async fn connect(local: &Local) -> TcpStream {
    TcpStream::connect(local.url.trim_start_matches("http://")).await.expect("a connection")
}

/// The head of a write by hand.
fn head(path: &str, token: &str, rest: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{rest}\r\n")
}

/// Megabytes that this process has in memory.
fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of the process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("a number") >> 10
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_upload_is_told_so_before_a_byte_is_read() {
    let local = Local::start(None).await.expect("a mesh");
    let program =
        id(&local.editor.post("/v1/programs", &json!({ "title": "P" })).await.expect("a program"), "id")
            .expect("an id");
    let learner = local.learner(&program, "l").await.expect("a learner");
    for (path, key) in [
        (format!("/v1/programs/{program}/sources"), ""),
        (format!("/v1/programs/{program}/sources"), "idempotency-key: k\r\n"),
        (format!("/v1/programs/{program}/publish"), ""),
    ] {
        let mut stream = connect(&local).await;
        // With this header the client waits until it is asked for its body.
        let rest = format!(
            "{key}expect: 100-continue\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 900000\r\n"
        );
        stream.write_all(head(&path, learner.token(), &rest).as_bytes()).await.expect("it is sent");
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 403", "{path}: nobody asked for the body");
    }

    let before = resident_mib();
    let send = async || {
        let mut stream = connect(&local).await;
        let rest =
            format!("content-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n", 95 << 20);
        let path = format!("/v1/programs/{program}/sources");
        stream.write_all(head(&path, learner.token(), &rest).as_bytes()).await.expect("it is sent");
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..95 {
            if stream.write_all(&piece).await.is_err() {
                break;
            }
        }
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 403");
    };
    futures::future::join_all((0..8).map(|_| send())).await;
    let grown = resident_mib().saturating_sub(before);
    assert!(grown < 60, "memory grew by {grown} MiB");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_by_their_route_with_and_without_a_key() {
    let local = Local::start(None).await.expect("a mesh");
    let http = reqwest::Client::new();
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(2 << 20));
    for key in [None, Some("k")] {
        let mut request = http.post(format!("{}/v1/programs", local.url)).bearer_auth(local.editor.token());
        request = request.header("content-type", "application/json").body(large.clone());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.json::<serde_json::Value>().await.expect("JSON")["code"], "BODY_TOO_LARGE");
    }
    // Without an announcement it is noticed on the way.
    let mut stream = connect(&local).await;
    let rest = "content-type: application/json\r\ntransfer-encoding: chunked\r\n";
    stream.write_all(head("/v1/programs", local.editor.token(), rest).as_bytes()).await.expect("it is sent");
    let piece = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..40 {
        if stream.write_all(&piece).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413");
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_by_address_before_they_are_looked_at() {
    let local = Local::start_with(None, |config| {
        config.gateway.sign_ins_per_minute = 5;
        config.gateway.look_ups_per_minute = 5;
        config.gateway.refusals_per_minute = 5;
    });
    let local = local.await.expect("a mesh");
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let url = |path: &str| format!("{}{path}", local.url);
    let sign_in = async || {
        let request = http.post(url("/sign-in")).header("sec-fetch-site", "same-origin");
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body("secret=pk_link_wrong");
        request.send().await.expect("an answer")
    };
    let look_up = async || {
        http.get(url(&format!("/v1/certificates/{}", "0".repeat(31)))).send().await.expect("an answer")
    };
    let wrong =
        async || http.get(url("/v1/programs")).bearer_auth("pk_wrong").send().await.expect("an answer");
    for _ in 0..5 {
        assert_ne!(sign_in().await.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(look_up().await.status(), StatusCode::NOT_FOUND);
        assert_eq!(wrong().await.status(), StatusCode::UNAUTHORIZED);
    }
    let known =
        http.get(url("/v1/programs")).bearer_auth(local.editor.token()).send().await.expect("an answer");
    assert_eq!(known.status(), StatusCode::OK, "whoever was known at this address goes on");
    for (what, response) in
        [("sign-ins", sign_in().await), ("look-ups", look_up().await), ("credentials", wrong().await)]
    {
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{what}");
        for header in ["retry-after", "ratelimit", "ratelimit-policy"] {
            assert!(response.headers().contains_key(header), "{what}: {header}");
        }
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_exactly_one_host() {
    let local = Local::start(None).await.expect("a mesh");
    for (hosts, status) in [("host: x\r\n", "200"), ("", "400"), ("host: x\r\nhost: y\r\n", "400")] {
        let mut stream = connect(&local).await;
        let request = format!("GET /healthz HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{hosts:?}: {answer}");
        assert_eq!(answer.contains("HOST_INVALID"), status == "400", "{answer}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_how_its_limits_stand() {
    let local = Local::start(None).await.expect("a mesh");
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let long = format!("/v1/programs?x={}", "a".repeat(9000));
    let (token, wrong) = (Some(local.editor.token()), Some("pk_wrong"));
    for (method, path, token) in [
        ("GET", "/v1/programs", token),
        ("GET", "/v1/programs/zz", token),
        ("GET", "/v1/programs", None),
        ("GET", "/v1/programs", wrong),
        ("POST", "/v1/programs", wrong),
        ("GET", "/v1/nothing", None),
        ("GET", "/v1/nothing", token),
        ("GET", "/v1/nothing", wrong),
        ("DELETE", "/v1/programs", token),
        ("GET", &long, token),
        ("GET", "/console", token),
        ("GET", "/reference", None),
        ("GET", "/openapi.json", None),
        // A made-up credential is counted where it comes from, also where no one looks at it.
        ("GET", "/reference", wrong),
        ("GET", "/openapi.json", wrong),
        ("GET", "/nothing", wrong),
    ] {
        let request = http.request(method.parse().expect("a method"), format!("{}{path}", local.url));
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers());
        assert!(headers.contains_key("ratelimit"), "{method} {path}: {status} {headers:?}");
    }
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_configured_origins_use_the_api_with_tokens_only() {
    let local = Local::start_with(None, |config| {
        config.gateway.cors_origins = vec!["https://learn.example.org".into()];
    });
    let local = local.await.expect("a mesh");
    let http = reqwest::Client::new();
    let ask = async |origin: &str, path: &str, preflight: bool| {
        let method = if preflight { reqwest::Method::OPTIONS } else { reqwest::Method::GET };
        let request = http.request(method, format!("{}{path}", local.url)).header("origin", origin);
        let request = if preflight {
            request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization")
        } else {
            request.bearer_auth(local.editor.token())
        };
        request.send().await.expect("an answer")
    };
    let named = |response: &reqwest::Response| response.headers().get("access-control-allow-origin").cloned();
    for preflight in [true, false] {
        let response = ask("https://learn.example.org", "/v1/programs", preflight).await;
        assert!(response.status().is_success(), "{}", response.status());
        assert_eq!(named(&response).expect("the origin"), "https://learn.example.org");
        assert!(
            !response.headers().contains_key("access-control-allow-credentials"),
            "cookies are never taken along"
        );
        assert_eq!(named(&ask("https://evil.example", "/v1/programs", preflight).await), None);
        assert_eq!(
            named(&ask("https://learn.example.org", "/console", preflight).await),
            None,
            "pages are for ourselves"
        );
    }
    let refused = http
        .get(format!("{}/v1/programs", local.url))
        .header("origin", "https://learn.example.org")
        .send()
        .await;
    let refused = refused.expect("an answer");
    assert_eq!(
        (refused.status(), named(&refused).is_some()),
        (StatusCode::UNAUTHORIZED, true),
        "problems can be read too"
    );
    local.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_no_text_has_are_refused() {
    let local = Local::start(None).await.expect("a mesh");
    let http = reqwest::Client::new();
    for query in
        ["from=-9223372036854775808&to=5", "from=5&to=-1", "from=99999999999999999999", "from=4294967296"]
    {
        let url = format!("{}/sources/src_00000000000000000000000000?{query}", local.url);
        let response = http
            .get(url)
            .bearer_auth(local.editor.token())
            .send()
            .await
            .expect("an answer, and no closed connection");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    local.stop().await;
}

/// How often a socket is reset; the hostile load resets more.
const RESETS: usize = 200;

/// Sockets are reset at random moments.
async fn a_client_that_goes_away_changes_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let mut dice = Dice::new(7);
    let http = reqwest::Client::new();
    for number in 0..RESETS {
        let body = format!("{{\"title\":\"Program {number}\"}}");
        let rest = format!(
            "content-type: application/json\r\nidempotency-key: key-{number}\r\ncontent-length: {}\r\n",
            body.len()
        );
        let mut stream = connect(&local).await;
        stream
            .write_all((head("/v1/programs", local.editor.token(), &rest) + &body).as_bytes())
            .await
            .expect("it is sent");
        tokio::time::sleep(Duration::from_micros(dice.roll(12_000) as u64)).await;
        // Without this the end would be a polite one.
        stream.set_zero_linger().expect("a reset");
        drop(stream);
        let again = async || {
            let request = http.post(format!("{}/v1/programs", local.url)).bearer_auth(local.editor.token());
            let request = request
                .header("idempotency-key", format!("key-{number}"))
                .header("content-type", "application/json");
            request.body(body.clone()).send().await.expect("an answer")
        };
        let mut response = again().await;
        for _ in 0..100 {
            if response.status() != StatusCode::CONFLICT {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            response = again().await;
        }
        assert_eq!(response.status(), StatusCode::CREATED, "the key of program {number} is stuck");
    }
    let programs = local.editor.all("/v1/programs").await.expect("programs");
    assert_eq!(programs.len(), RESETS, "each exists once");
    local.stop().await;
}
