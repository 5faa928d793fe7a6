//! Secrets: the key of tokens can be replaced while everyone works, and no log tells one.

use std::process::{Command, Stdio};

use preceptor::client::{Client, id};
use preceptor_core::Secret;
use preceptor_testkit::Store;
use serde_json::json;

use crate::support::{SendsForm as _, eventually, list};

preceptor_testkit::on_both_stores! {
    the_key_of_tokens_is_replaced_while_everyone_goes_on
}

async fn the_key_of_tokens_is_replaced_while_everyone_goes_on(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program = local.editor.post("/v1/programs", &json!({ "title": "Doses" })).await.expect("a program");
    let path = format!("/v1/programs/{}", id(&program, "id").expect("an id"));
    let refused = local
        .editor
        .post("/v1/signing-keys/rotate", &json!({}))
        .await
        .expect_err("not the admin of an org")
        .to_string();
    assert!(refused.contains("CAPABILITY_MISSING"), "{refused}");
    let mut signing = String::new();
    for number in 2..=4 {
        let rotated = local.operator.post("/v1/signing-keys/rotate", &json!({})).await.expect("another key");
        let ids: Vec<&str> = list(&rotated, "key_ids").iter().filter_map(|id| id.as_str()).collect();
        assert!(
            ids.len() == 2 && ids[0].ends_with(&format!(".{number}")),
            "the new one and the one before: {rotated}"
        );
        assert!(signing.is_empty() || ids[1] == signing, "{rotated}");
        signing = ids[0].to_owned();
        // A credential that no one exchanged yet gets a token of the new key; known ones go on with theirs.
        let hired =
            local.editor.hire(&format!("Editor {number}"), "editor").await.expect("a member of staff");
        hired.get(&path).await.expect("a token of the new key is accepted at once");
        local.editor.get(&path).await.expect("the old one goes on");
    }
    local.stop().await;
}

/// Everything that no one may find in a log.
async fn used_secrets(started: &Started, printed: &str, folder: &std::path::Path) -> Vec<String> {
    let admin = &started.admin;
    let program = admin.post("/v1/programs", &json!({ "title": "Doses" })).await.expect("a program");
    let program = id(&program, "id").expect("an id");
    let editor = admin.hire("Edith", "editor").await.expect("an editor");
    editor.get("/v1/programs").await.expect("programs");
    let operator = printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("operator "))
        .expect("the operator's token")
        .trim()
        .to_owned();
    admin.with_token(&operator).get("/v1/orgs").await.expect("orgs");
    let key = "0123456789abcdef0123456789abcdef0123";
    admin.put("/v1/registry-keys/pubmed", &json!({ "api_key": key })).await.expect("a key");
    let _ = admin.get(&format!("/v1/programs/{program}")).await.expect("the program");
    let mut secrets = vec![admin.token().to_owned(), editor.token().to_owned(), operator, key.to_owned()];
    let learner = admin.learner(&program, "ana").await.expect("a learner");
    learner.get("/v1/programs").await.expect("programs");
    secrets.extend([learner.token().to_owned(), admin.app().await.expect("an app").token().to_owned()]);
    secrets.extend(signed_in(&started.url, admin).await);
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().contains("passphrase") {
            secrets.push(std::fs::read_to_string(entry.path()).expect("a passphrase").trim().to_owned());
        }
    }
    secrets
}

/// Signs in by a link, and opens a page; returns the secret of the link and that of the session.
async fn signed_in(url: &str, admin: &Client) -> [String; 2] {
    let staff = admin.get("/v1/staff").await.expect("staff");
    let own = list(&staff, "data").iter().find(|member| member["role"] == "admin").expect("the admin");
    let link = admin.post("/v1/sign-in-links", &json!({ "staff_id": own["id"] })).await.expect("a link");
    let link = id(&link, "url").expect("a url").split('#').nth(1).expect("a secret").to_owned();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let http = http.expect("a client");
    let form = http.post(format!("{url}/sign-in")).header("sec-fetch-site", "same-origin");
    let answer = form.fields(&[("secret", &link)]).send().await.expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair");
    let page = http.get(format!("{url}/console")).header("cookie", cookie).send().await.expect("an answer");
    assert_eq!(page.status(), 200);
    [link, cookie.split_once('=').expect("a value").1.to_owned()]
}

/// A process of the binary, its log, and what it printed.
struct Started {
    process: std::process::Child,
    printed: std::path::PathBuf,
    log: std::path::PathBuf,
    url: String,
    admin: Client,
}

/// Starts the binary with a filter of logs.
async fn started(folder: &std::path::Path, filter: &str) -> Started {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let (printed, log, data) =
        (folder.join("printed"), folder.join(format!("log-{filter}")), folder.join("data"));
    let process = Command::new(env!("CARGO_BIN_EXE_preceptor"))
        .args(["up", "--no-model", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(&data)
        .env("PRECEPTOR__TELEMETRY__FILTER", filter)
        .stdin(Stdio::null())
        .stdout(std::fs::OpenOptions::new().create(true).append(true).open(&printed).expect("a file"))
        .stderr(std::fs::File::create(&log).expect("a file"))
        .current_dir(folder)
        .spawn()
        .expect("the binary starts");
    let url = format!("http://127.0.0.1:{port}");
    let admin = eventually("the start", async || {
        let token =
            std::fs::read_to_string(data.join("admin.token")).ok().filter(|token| !token.is_empty())?;
        let client = Client::new(&url, Secret::new(token.trim())).ok()?;
        let ready = std::fs::read_to_string(&printed).ok()?.contains("operator ");
        (ready && client.get("/v1/programs").await.is_ok()).then_some(client)
    })
    .await;
    Started { process, printed, log, url, admin }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_as_fine_as_they_are_asked_for_and_hold_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut fine = started(folder.path(), "trace").await;
    let printed = std::fs::read_to_string(&fine.printed).expect("what was printed");
    let secrets = used_secrets(&fine, &printed, &folder.path().join("data")).await;
    fine.process.kill().expect("an end");
    fine.process.wait().expect("an end");
    let told = std::fs::read_to_string(&fine.log).expect("a log");
    assert!(told.contains("INFO"), "the finest filter leaves nothing out: {told}");
    assert!(secrets.len() >= 8);
    for secret in &secrets {
        let held = told.lines().find(|line| line.contains(secret.as_str()));
        assert!(held.is_none(), "a secret is in the log: {held:?}");
    }
    // Tokens inside of the deployment are JSON, signed: each begins with this.
    let token = told.lines().find(|line| line.contains("eyJ"));
    assert!(token.is_none(), "a token is in the log: {token:?}");

    let mut coarse = started(folder.path(), "error").await;
    coarse.process.kill().expect("an end");
    coarse.process.wait().expect("an end");
    let told = std::fs::read_to_string(&coarse.log).expect("a log");
    assert!(!told.contains("INFO") && !told.contains("WARN"), "and the coarsest all but errors: {told}");
}
