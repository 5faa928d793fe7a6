//! What is personal stays with whom it belongs to: on disk, in caches, in what learners are shown, in what is printed.

mod content;
mod names;

use std::collections::BTreeSet;
use std::path::Path;

use preceptor::client::{Client, id};
use preceptor::mesh::{Mesh, Plan};
use preceptor_proto::DESCRIPTORS;
use preceptor_rpc::Policies;
use preceptor_testkit::{Local, Store};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use serde_json::json;

use crate::support::{WARFARIN, markdown};

preceptor_testkit::on_both_stores! {
    nothing_that_names_a_person_is_on_disk_in_plain_text
    patient_data_in_any_free_text_of_a_learner_is_refused_by_kind_and_not_repeated
    no_answer_may_be_kept_by_a_cache
}

/// What a learner writes that no guard can know to be personal.
const ASKED: &str = "What is the usual starting dose of warfarin after quuxalot surgery?";
const COMMENT: &str = "Wobblefrotz would have liked a table here";
const CHANGE: &str = "I will order the snarkometer test earlier";
/// What a client took for a key, which no guard reads.
const KEY: &str = "Zyxwvut SSN 123-45-6789";

fn contains(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return contains(&path, needle);
        }
        std::fs::read(&path).is_ok_and(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
    })
}

fn evaluation(change: &str) -> serde_json::Value {
    json!({ "ratings": { "objectives_met": 5, "free_of_bias": 5, "will_change_practice": 4, "overall": 5 }, "change": change })
}

/// Sends a write twice under a key that names a patient: the second is answered as the first.
async fn repeat(url: &str, client: &Client) {
    let mut replayed = Vec::new();
    for _ in 0..2 {
        let request = reqwest::Client::new().post(format!("{url}/v1/programs"));
        let request = request.json(&json!({ "title": "Other doses" }));
        let request = request.bearer_auth(client.token()).header("idempotency-key", KEY);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        replayed.push(answer.headers().contains_key("idempotency-replayed"));
    }
    assert_eq!(replayed, [false, true]);
}

async fn nothing_that_names_a_person_is_on_disk_in_plain_text(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let answer = learner.ask(&program, ASKED).await.expect("an answer");
    let message = id(&answer, "message_id").expect("an id");
    let feedback = json!({ "helpful": false, "comment": COMMENT });
    learner.post(&format!("/v1/messages/{message}/feedback"), &feedback).await.expect("feedback");
    learner
        .post(&format!("/v1/programs/{program}/evaluations"), &evaluation(CHANGE))
        .await
        .expect("an evaluation");

    repeat(&local.url, &local.editor).await;

    // The words are there for those who may read them …
    let listed = local.editor.all(&format!("/v1/programs/{program}/messages")).await.expect("messages");
    let shown = listed.iter().find(|shown| shown["id"] == json!(message)).expect("the message");
    assert_eq!(shown["question"], ASKED);
    assert!(shown["feedback"].as_str().is_some_and(|said| said.contains(COMMENT)), "{shown}");

    // … and in no file: not in tables, their logs, the bus, or objects.
    let data = local.data();
    for words in ["quuxalot", "Wobblefrotz", "snarkometer", "Zyxwvut"] {
        assert!(!contains(&data, words.as_bytes()), "{words} is on disk");
    }
    for words in ["Warfarin in practice", "Stop warfarin when the INR"] {
        assert!(!contains(&data.join("objects"), words.as_bytes()), "{words} is in an object");
    }
    is_private(&data);
    local.stop().await;
}

/// Every file is of mode 0600 and every folder of mode 0700.
#[cfg(unix)]
fn is_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o777);
    assert_eq!(mode(folder).expect("a folder"), 0o700, "{}", folder.display());
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            is_private(&path);
        } else if let Ok(mode) = mode(&path) {
            // Files of the tables come and go while the mesh is running.
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        }
    }
}

#[cfg(not(unix))]
fn is_private(_folder: &Path) {}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_others_may_look_into_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let mut config = Store::Files.prepared().await.expect("a configuration");
    config.data.clone_from(&data);
    config.gateway.listen = ([127, 0, 0, 1], 0).into();
    let refused = Mesh::start(config, Plan::whole(), None).await.expect_err("others may look into it");
    assert!(format!("{refused:#}").contains("chmod 700"), "{refused:#}");
    assert_eq!(std::fs::read_dir(&data).expect("a folder").count(), 0, "nothing was written");
}

async fn patient_data_in_any_free_text_of_a_learner_is_refused_by_kind_and_not_repeated(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let answer =
        learner.ask(&program, "What is the usual starting dose of warfarin?").await.expect("an answer");
    let message = id(&answer, "message_id").expect("an id");
    for (text, kind) in [
        ("John Smith, SSN 123\u{2011}45\u{2011}6789, found it useful", "a social security number"),
        ("useful for my patient, Zenobia Quark", "a person's name"),
        ("she was born 3 April 1956", "a date of birth"),
        ("her mrn is 5260181", "a record number"),
    ] {
        let feedback = learner
            .post(&format!("/v1/messages/{message}/feedback"), &json!({ "helpful": true, "comment": text }))
            .await;
        let evaluated = learner.post(&format!("/v1/programs/{program}/evaluations"), &evaluation(text)).await;
        for refused in [feedback, evaluated] {
            let said = refused.expect_err("it was kept").to_string();
            assert!(said.contains("PHI_DETECTED") && said.contains(kind), "{said}");
            assert!(
                !said.contains("6789") && !said.contains("Zenobia") && !said.contains("5260181"),
                "{said}"
            );
        }
        let asked = learner.ask(&program, text).await.expect("a refusal");
        assert_eq!(asked["refusal"]["code"], "PHI_DETECTED", "{text}");
        assert!(asked["refusal"]["message"].as_str().is_some_and(|said| said.contains(kind)), "{asked}");
    }
    for words in ["Zenobia", "5260181"] {
        assert!(!contains(&local.data(), words.as_bytes()), "{words} is on disk");
    }
    local.stop().await;
}

async fn no_answer_may_be_kept_by_a_cache(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let program =
        local.publish("Warfarin", &[], vec![markdown("warfarin.md", WARFARIN)]).await.expect("a program");
    let learner = local.learner(&program, "l").await.expect("a learner");
    let http = reqwest::Client::new();
    let streamed = http
        .post(format!("{}/v1/programs/{program}/messages", local.url))
        .bearer_auth(learner.token())
        .header("accept", "text/event-stream")
        .json(&json!({ "question": "What is the usual starting dose of warfarin?" }));
    let document = http
        .get(format!("{}/v1/sources/{}/document", local.url, source(&local, &program).await))
        .bearer_auth(learner.token());
    for request in [streamed, document] {
        let response = request.send().await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
        assert_eq!(response.headers()["cache-control"], "private, no-store", "{}", response.url());
    }
    local.stop().await;
}

/// The first source of a program, as staff see it.
async fn source(local: &Local, program: &str) -> String {
    let sources = local.editor.all(&format!("/v1/programs/{program}/sources")).await.expect("sources");
    id(&sources[0], "id").expect("an id")
}

/// A client of a member of staff, or of a learner.
async fn client(local: &Local, program: &str, role: &str) -> Client {
    match role {
        "learner" => local.learner(program, "reader").await,
        "admin" => Ok(local.editor.clone()),
        role => local.editor.hire(role, role).await,
    }
    .expect("a client")
}

/// Texts of requests that a learner may send: what each is. A new one fails the test below until it is listed, and free
/// text is listed only when it passes the guard.
const TEXTS: &[(&str, &[&str])] = &[
    // Ids, cursors, names of choices and hashes: looked up or compared, and refused when they are none.
    (
        "names",
        &[
            "program_id",
            "source_id",
            "source_version_id",
            "source_version_ids",
            "program_version_id",
            "passage_ids",
            "message_id",
            "session_id",
            "attempt_id",
            "offer_id",
            "credit_id",
            "item_id",
            "after",
            "before",
            "code",
            "objects",
            "event_id",
            "learner",
            "assertion_id",
            "form_id",
            "org_id",
            "staff_id",
            "paper",
        ],
    ),
    // Statements about oneself: structured, checked, sealed, and personal on purpose.
    (
        "statements",
        &[
            "name",
            "degree",
            "email",
            "license_number",
            "license_board",
            "specialty",
            "npi",
            "licensed_since",
            "license_expires",
            "profession",
        ],
    ),
    // Free text: one type in front of every store.
    ("guarded", &["question", "comment", "change"]),
    // Credentials, and checkpoints with their signatures: verified as such.
    ("proofs", &["learner_token", "confirm", "note"]),
    // Words of a search that are compared and not kept.
    ("unkept", &["terms"]),
];

fn texts(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        match field.kind() {
            Kind::String if !field.is_map() => {
                found.insert(field.name().to_owned());
            }
            Kind::Message(inner) if !field.is_map() => texts(&inner, seen, found),
            _ => {}
        }
    }
}

#[test]
fn every_text_that_a_learner_may_send_is_known_for_what_it_is() {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("descriptors");
    let policies = Policies::of_contracts().expect("policies");
    let mut found = BTreeSet::new();
    for service in pool.services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            if policies
                .get(&path)
                .is_some_and(|policy| policy.any_of.contains(&preceptor_core::Capability::Learn))
            {
                texts(&method.input(), &mut BTreeSet::new(), &mut found);
            }
        }
    }
    let known: BTreeSet<&str> = TEXTS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let unknown: Vec<_> = found.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(found.contains("question") && found.contains("comment") && found.contains("change"), "{found:?}");
    assert!(unknown.is_empty(), "say what these are, and have free text pass the guard: {unknown:?}");
}
