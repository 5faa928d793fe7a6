//! The log as people without an account see it, and a checker that no one here wrote.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use preceptor::client::{Client, id};
use preceptor_testkit::{Local, Store, skip};
use preceptor_tlog::{Hash, LogKey, Proof, check_consistency};
use serde_json::Value;

use crate::support::{Log, eventually};

preceptor_testkit::on_both_stores! {
    an_outsider_checks_the_log_without_an_account
    a_checker_of_others_accepts_the_log
}

/// The org's id and the client of no one.
async fn outsider(local: &Local) -> (String, Client) {
    let head = local.editor.get("/v1/audit/head").await.expect("a head");
    let org = id(&head, "origin").expect("a name").rsplit('/').next().expect("an org").to_owned();
    (org, local.editor.with_token(""))
}

async fn text(client: &Client, path: &str) -> String {
    String::from_utf8(client.download(path).await.unwrap_or_else(|error| panic!("{path}: {error}")))
        .expect("text")
}

/// Makes the log grow to more than `size` records.
async fn grow(local: &Local, size: u64) {
    let count = || async {
        local.editor.get("/v1/audit/head").await.expect("a head")["size"].as_u64().expect("a size")
    };
    while count().await <= size {
        let hire = |number: usize| {
            let editor = local.editor.clone();
            async move { editor.hire(&format!("Member {number}"), "auditor").await.expect("a member of staff") }
        };
        // So many at a time that no store is too busy for one of them.
        stream::iter((0..20).map(hire)).buffer_unordered(4).collect::<Vec<_>>().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn an_outsider_checks_the_log_without_an_account(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (org, nobody) = outsider(&local).await;
    let at = |path: &str| format!("/v1/logs/{org}/{path}");
    let key: LogKey = text(&nobody, &at("key")).await.trim().parse().expect("a key");
    let first = key.open(&text(&nobody, &at("checkpoint")).await).expect("a signed checkpoint");
    grow(&local, first.size + 10).await;
    let later = key.open(&text(&nobody, &at("checkpoint")).await).expect("a signed checkpoint");
    assert!(later.size > first.size);
    let joined = nobody
        .get(&at(&format!("consistency?from={}&to={}", first.size, later.size)))
        .await
        .expect("a proof");
    let hashes: Vec<Hash> = joined["hashes"].as_array().expect("hashes").iter().map(hash).collect();
    check_consistency(&first, &later, &hashes).expect("the log continues what it was");

    // A record that someone was given proves itself under a checkpoint that anyone can fetch.
    let log = Log::read(&local.editor).await;
    for index in [0, later.size / 2, later.size - 1] {
        let proof: Proof =
            text(&nobody, &at(&format!("inclusion?index={index}"))).await.parse().expect("a proof");
        assert!(proof.verify(&log.leaves[index as usize].0, &key).expect("it is in the log") >= later.size);
        assert!(proof.verify(b"something else", &key).is_err());
    }
    let schema = text(&nobody, "/v1/logs/record.proto").await;
    assert!(schema.contains("message AuditRecord"));

    // Hashes are for anyone, records are not.
    let tile = at(&format!("tile/0/000.p/{}", first.size));
    let hashes = nobody.download(&tile).await.expect("a tile");
    assert_eq!(
        hashes.chunks_exact(32).map(<[u8]>::to_vec).collect::<Vec<_>>(),
        log.leaves[..first.size as usize].iter().map(|leaf| leaf.1.clone()).collect::<Vec<_>>()
    );
    let entries = at(&format!("tile/entries/000.p/{}", first.size));
    let analyst = local.editor.hire("analyst", "analyst").await.expect("an analyst");
    let (stranger, _) = local.other_org("B").await.expect("an org");
    for refused in [&nobody, &analyst, &stranger] {
        assert!(refused.download(&entries).await.is_err());
    }
    assert!(local.editor.download(&entries).await.is_ok());
    for nothing in [
        "tile/0/999",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/0",
        "consistency?from=2&to=99999999",
        "inclusion?index=-1",
    ] {
        assert!(nobody.download(&at(nothing)).await.is_err(), "{nothing}");
    }
    let made_up = format!("org_{}", "1".repeat(26));
    assert!(nobody.download(&format!("/v1/logs/{made_up}/checkpoint")).await.is_err());
    if matches!(store, Store::Files) {
        assert!(!local.data().join("cells").join(format!("{made_up}.db")).exists(), "a question made an org");
    }
    local.stop().await;
}

fn hash(value: &Value) -> Hash {
    use base64::Engine as _;
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(value.as_str().expect("base 64")).expect("base 64");
    Hash(bytes.try_into().expect("32 bytes"))
}

/// `fsck` of transparency-dev's tessera: made once from the Go module proxy, and kept with the build.
fn fsck() -> Option<PathBuf> {
    const MODULE: &str = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4";
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tessera-fsck-1.0.4");
    let program = home.join("fsck");
    if program.is_file() {
        return Some(program);
    }
    let made =
        Command::new("go").args(["install", MODULE]).env("GOBIN", &home).env("GOFLAGS", "-mod=mod").output();
    (made.is_ok_and(|output| output.status.success()) && program.is_file()).then_some(program)
}

async fn a_checker_of_others_accepts_the_log(store: Store) {
    let Some(program) = fsck() else {
        return skip("a_checker_of_others_accepts_the_log", "tessera's fsck could not be made with go");
    };
    let local = store.mesh().await.expect("a mesh");
    // More than one full tile, so that tiles stand above tiles.
    grow(&local, 300).await;
    let (org, nobody) = outsider(&local).await;
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, text(&nobody, &format!("/v1/logs/{org}/key")).await.trim()).expect("a file");
    let check = |org: &str| {
        let mut command = Command::new(&program);
        command
            .arg("--storage_url")
            .arg(format!("{}/v1/logs/{org}/", local.url))
            .arg("--public_key")
            .arg(&key);
        command.args(["--bearer_token", local.editor.token(), "--ui=false", "--v=1"]);
        let output = command.output().expect("it runs");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let said = check(&org);
    println!("{said}");
    assert!(!said.contains("fsck failed") && said.contains("Completed ranges"), "{said}");
    // It does notice: with another log's name nothing is accepted.
    let (stranger, _) = local.other_org("B").await.expect("an org");
    let other = eventually("another log", async || {
        let head = stranger.get("/v1/audit/head").await.ok()?;
        (head["size"].as_u64()? > 0)
            .then(|| id(&head, "origin").expect("a name").rsplit('/').next().expect("an org").to_owned())
    })
    .await;
    assert!(check(&other).contains("fsck failed"));
    local.stop().await;
}
