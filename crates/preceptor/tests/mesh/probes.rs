//! What the one who runs a process relies on: readiness that says what is missing, TLS that is really TLS, and sign-ins on
//! record.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use preceptor::config::Config;
use preceptor::engines::Sharing;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_rpc::ServiceName;
use preceptor_testkit::{Store, skip};
use prost::Message as _;
use serde_json::Value;

use crate::support::{Log, SendsForm as _, eventually};

preceptor_testkit::on_both_stores! {
    who_signed_in_and_out_and_who_could_not_is_on_record
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// Settings of a deployment in a folder of its own.
fn config(folder: &Path) -> Config {
    let mut config = Config { data: folder.join("data"), ..Config::default() };
    config.gateway.listen = ([127, 0, 0, 1], 0).into();
    config
}

/// Whether a process says that it is ready, and how one of its parts is.
async fn readiness(url: &str, part: &str) -> (u16, String) {
    let response = reqwest::get(format!("{url}/readyz")).await.expect("an answer");
    let status = response.status().as_u16();
    let said: Value = response.json().await.expect("JSON");
    assert_eq!(said["ready"], status == 200, "{said}");
    (status, format!("{} {}", said["parts"][part]["state"], said["parts"][part]["reason"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_a_service_that_it_needs_is_not_ready_until_that_service_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.mesh.secret = Some(Secret::new("0123456789abcdef0123456789abcdef"));
    for service in ServiceName::ALL {
        config.mesh.addresses.insert(service.name().to_owned(), free_address());
    }
    let (apart, mut others) = (ServiceName::Analytics, ServiceName::ALL.to_vec());
    others.retain(|service| *service != apart);
    let plan = |services| Plan { services, listens: true, sharing: Sharing::WithOtherProcesses };
    let mesh = Box::pin(Mesh::start(config.clone(), plan(others), None)).await.expect("a mesh");
    let url = format!("http://{}", mesh.address.expect("an address"));
    let is = async |status: u16, state: &str| {
        let found = readiness(&url, apart.name()).await;
        (found.0 == status && found.1.contains(state)).then_some(found)
    };
    eventually("it says what is missing", async || is(503, "down").await).await;
    // Without the model it serves, and says what it does without.
    let (_, model) = readiness(&url, "model").await;
    assert!(model.contains("degraded") && model.contains("preceptor models pull"), "{model}");
    let other = Box::pin(Mesh::start(config, plan(vec![apart]), None)).await.expect("the service");
    eventually("it is ready", async || is(200, "ready").await).await;
    other.stop().await;
    eventually("it says so again", async || is(503, "down").await).await;
    mesh.stop().await;
}

/// A certificate for this machine, and its key.
fn certificate(folder: &Path) -> Option<preceptor_edge::tls::Files> {
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]);
    command.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    // By default it would be one of an authority, which no client takes for a server's.
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.arg("-out").arg(&certificate).arg("-keyout").arg(&key).stderr(Stdio::null());
    let made = command.status().is_ok_and(|status| status.success());
    made.then_some(preceptor_edge::tls::Files { certificate, key })
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_sessions_and_browsers_are_bound_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(files) = certificate(folder.path()) else {
        return skip("over_tls_sessions_and_browsers_are_bound_to_it", "openssl is not on this machine");
    };
    let root = std::fs::read(&files.certificate).expect("a certificate");
    let mut config = config(folder.path());
    config.gateway.tls = Some(files);
    config.gateway.public_url = "https://localhost".into();
    let mesh = Box::pin(Mesh::start(config, Plan::whole(), None)).await.expect("a mesh");
    let address = mesh.address.expect("an address");
    let token = mesh.first_start.as_ref().expect("a first start").admin_token.expose().to_owned();
    let root = reqwest::Certificate::from_pem(&root).expect("a certificate");
    let client = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let trusting = client().add_root_certificate(root).build().expect("a client");

    let form = trusting.post(format!("https://{address}/sign-in")).header("sec-fetch-site", "same-origin");
    let answer = form.fields(&[("secret", token.as_str())]).send().await.expect("an answer");
    let header = |name: &str| {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    assert_eq!(answer.status(), 303, "signed in");
    let cookie = header("set-cookie");
    for part in ["__Host-preceptor_session=", "Secure", "HttpOnly", "Path=/", "SameSite="] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain="), "{cookie}");
    assert!(header("strict-transport-security").contains("max-age="), "HSTS");
    // The cookie of plain HTTP is none here, and plain HTTP is not spoken at all.
    let session = cookie.split(['=', ';']).nth(1).expect("a session").to_owned();
    let with = async |name: &str| {
        let page =
            trusting.get(format!("https://{address}/console")).header("cookie", format!("{name}={session}"));
        page.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(with("__Host-preceptor_session").await, 200);
    assert_ne!(with("preceptor_session").await, 200);
    let stranger = client().build().expect("a client");
    assert!(stranger.get(format!("https://{address}/healthz")).send().await.is_err(), "an unknown issuer");
    assert!(stranger.get(format!("http://{address}/healthz")).send().await.is_err(), "plain HTTP");
    mesh.stop().await;
}

async fn who_signed_in_and_out_and_who_could_not_is_on_record(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let sign_in = async |secret: &str| {
        let form = http.post(format!("{}/sign-in", local.url)).header("sec-fetch-site", "same-origin");
        form.fields(&[("secret", secret)]).send().await.expect("an answer")
    };
    let answer = sign_in(local.reviewer.token()).await;
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .expect("a cookie")
        .split(';')
        .next()
        .expect("a pair")
        .to_owned();
    let out = http.post(format!("{}/sign-out", local.url)).header("sec-fetch-site", "same-origin");
    assert_eq!(out.header("cookie", &cookie).send().await.expect("an answer").status(), 303);
    // A credential of the org that is over: whose door it was tried at is known, so its org sees it.
    let staff = local.editor.get("/v1/staff").await.expect("staff");
    let reviewer =
        staff["data"].as_array().expect("staff").iter().find(|person| person["role"] == "reviewer");
    let reviewer = reviewer.expect("a reviewer")["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/staff/{reviewer}/credentials");
    let ended = http.delete(format!("{}{path}", local.url)).bearer_auth(local.editor.token()).send().await;
    assert!(ended.expect("an answer").status().is_success(), "its credentials end");
    assert_eq!(sign_in(local.reviewer.token()).await.status(), 401);

    let on_record = async |action: &str, outcome: &str| {
        let log = Log::read(&local.editor).await;
        let records =
            log.leaves.iter().map(|(leaf, _)| AuditRecord::decode(leaf.as_slice()).expect("a record"));
        records.into_iter().find(|record| record.action == action && record.outcome == outcome)
    };
    eventually("the sign-in", async || on_record("session.opened", "done").await).await;
    eventually("the sign-out", async || on_record("session.ended", "done").await).await;
    eventually("the refusal", async || on_record("session.opened", "refused").await).await;
    local.stop().await;
}
