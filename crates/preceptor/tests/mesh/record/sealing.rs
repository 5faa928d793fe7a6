//! Someone with the database, and without the keys, changes what is signed later, or what is found of it.

use preceptor::client::{Client, id};
use preceptor::config::Config;
use preceptor::journey::Answers;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_testkit::{Local, Store};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use super::rewriting::{Tables, head, issued, org_of, run, settled, texts, verify};
use crate::credits::{Course, clinician, code, course};
use crate::support::{eventually, list};

preceptor_testkit::on_both_stores! {
    a_failed_attempt_that_was_changed_by_hand_earns_nothing
    no_certificate_is_signed_for_a_result_that_was_changed_by_hand
    an_org_that_was_renamed_by_hand_is_let_in_no_more
    a_record_that_the_index_lacks_is_shown_all_the_same_and_told
}

/// Where certificates are, each table before those that it refers to.
const CERTIFICATES: [&str; 4] =
    ["credits_certificate_sheet", "credits_certificate_file", "credits_status_entry", "credits_certificate"];

/// Has nothing refuse what is done to these tables: neither triggers nor references.
async fn free(tables: &Tables, names: &[&str]) {
    tables.unlock(names).await;
    let references = if tables.db.get_database_backend() == DbBackend::Postgres {
        "SET session_replication_role = replica"
    } else {
        "PRAGMA foreign_keys = OFF"
    };
    run(&tables.db, references).await;
}

/// The deployment with what is stored, and a client for a token of before.
async fn start_again(config: Config, token: &str) -> (Mesh, Client) {
    let mesh = Mesh::start(config, Plan::whole(), None).await.expect("it starts again");
    let url = format!("http://{}", mesh.address.expect("an address"));
    let client = Client::new(&url, Secret::new(token.to_owned())).expect("a client");
    (mesh, client)
}

async fn a_failed_attempt_that_was_changed_by_hand_earns_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let learner = clinician(&local, &course.program, "ana").await;
    let failed = learner.take_quiz(&course.program, &course.items, Answers::Wrong).await.expect("an attempt");
    assert_eq!(code(learner.claim(&failed, &course.offer, 0.5).await), "ATTEMPT_NOT_PASSED");

    let org = org_of(&head(&local.editor).await);
    let tables = Tables::open(&local, &store, &org).await;
    free(&tables, &["credits_result", "credits_result_seal"]).await;
    let attempt = format!("org_id = '{org}' AND attempt_id = '{}'", id(&failed, "id").expect("an id"));
    let passed = "UPDATE credits_result SET passed = TRUE, right_answers = items";
    run(&tables.db, &format!("{passed} WHERE {attempt}")).await;
    assert_eq!(code(learner.claim(&failed, &course.offer, 0.5).await), "RESULT_CHANGED");
    run(&tables.db, &format!("DELETE FROM credits_result_seal WHERE {attempt}")).await;
    assert_eq!(code(learner.claim(&failed, &course.offer, 0.5).await), "RESULT_CHANGED");
    tables.db.close().await.expect("it closes");

    // What was not sealed when this deployment began to seal is never sealed.
    let (config, token) = (local.config.clone(), learner.token().to_owned());
    local.mesh.stop().await;
    let (mesh, learner) = start_again(config, &token).await;
    assert_eq!(code(learner.claim(&failed, &course.offer, 0.5).await), "RESULT_CHANGED");
    mesh.stop().await;
}

/// A learner with a credit and its certificate, the credit, and the attempt that it was earned by.
async fn certified(local: &Local, course: &Course, name: &str) -> (Client, String, String) {
    let learner = clinician(local, &course.program, name).await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.75).await.expect("a credit");
    let credit = id(&credit, "id").expect("an id");
    learner.certificate(&credit).await.expect("a certificate");
    (learner, credit, id(&attempt, "id").expect("an id"))
}

async fn no_certificate_is_signed_for_a_result_that_was_changed_by_hand(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let (ana, credit, attempt) = certified(&local, &course, "ana").await;
    let org = org_of(&head(&local.editor).await);
    let tables = Tables::open(&local, &store, &org).await;
    free(&tables, &CERTIFICATES).await;
    free(&tables, &["credits_result"]).await;
    let take_away = async || {
        for table in CERTIFICATES {
            run(&tables.db, &format!("DELETE FROM {table} WHERE org_id = '{org}'")).await;
        }
    };

    // Those that are missing are made together with the next one.
    take_away().await;
    certified(&local, &course, "ben").await;
    ana.certificate(&credit).await.expect("it is made anew");

    take_away().await;
    let changed = "UPDATE credits_result SET right_answers = right_answers - 1";
    run(&tables.db, &format!("{changed} WHERE org_id = '{org}' AND attempt_id = '{attempt}'")).await;
    certified(&local, &course, "cleo").await;
    let refused =
        ana.download(&format!("/v1/credits/{credit}/certificate")).await.expect_err("no certificate");
    assert!(refused.to_string().contains("RESULT_CHANGED"), "{refused}");
    local.stop().await;
}

/// The tables of accounts, with no wall in between.
async fn accounts(local: &Local, store: &Store) -> DatabaseConnection {
    let url = match store {
        Store::Files => format!("sqlite://{}", local.data().join("control.db").display()),
        Store::Postgres(server) => {
            let control = local.config.database.control.clone().expect("a database");
            server.admin_url(control.rsplit('/').next().expect("a name"))
        }
    };
    let options = ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned();
    Database::connect(options).await.expect("it opens")
}

async fn an_org_that_was_renamed_by_hand_is_let_in_no_more(store: Store) {
    const READ: &str = "/v1/audit/head";
    let local = store.mesh().await.expect("a mesh");
    let org = org_of(&head(&local.editor).await);
    let db = accounts(&local, &store).await;
    let [name, seal] = texts(&db, &format!("SELECT name, seal FROM auth_org WHERE id = '{org}'")).await;
    run(&db, &format!("UPDATE auth_org SET name = 'Another Provider' WHERE id = '{org}'")).await;
    let changed = |outcome: anyhow::Result<Value>| {
        outcome.err().filter(|error| error.to_string().contains("ACCOUNT_ROW_CHANGED"))
    };
    eventually("no one is let in", async || changed(local.editor.get(READ).await)).await;

    // Taking the seal away has no row sealed anew, at a start neither.
    run(&db, &format!("UPDATE auth_org SET seal = '' WHERE id = '{org}'")).await;
    let (config, token) = (local.config.clone(), local.editor.token().to_owned());
    local.mesh.stop().await;
    let (mesh, editor) = start_again(config, &token).await;
    eventually("no one is let in", async || changed(editor.get(READ).await)).await;

    run(&db, &format!("UPDATE auth_org SET name = '{name}', seal = '{seal}' WHERE id = '{org}'")).await;
    eventually("the row is as it was", async || editor.get(READ).await.ok()).await;
    db.close().await.expect("it closes");
    mesh.stop().await;
}

/// The places in the log of what a document shows of an object.
fn places(told: &Value, object: &str) -> Vec<u64> {
    let of_object = list(&told["records"], "entries").iter().filter(|entry| entry["object"] == object);
    of_object.map(|entry| entry["leaf_index"].as_u64().expect("a place")).collect()
}

async fn a_record_that_the_index_lacks_is_shown_all_the_same_and_told(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (learner, credit, _) = issued(&local).await;
    let org = org_of(&settled(&local.editor).await);
    let path = format!("/v1/credits/{credit}/provenance");
    let whole = learner.get(&path).await.expect("the chain");
    let of_credit = places(&whole, &credit);
    assert!(!of_credit.is_empty() && list(&whole["records"], "unindexed").is_empty(), "{whole}");

    // As many rows as before, and the ones of the credit name the first records of the log.
    let tables = Tables::open(&local, &store, &org).await;
    run(&tables.db, &format!("DELETE FROM audit_object WHERE org_id = '{org}' AND object = '{credit}'"))
        .await;
    for place in 0..of_credit.len() {
        let row = format!("('{org}', '{credit}', {place})");
        run(&tables.db, &format!("INSERT INTO audit_object (org_id, object, idx) VALUES {row}")).await;
    }
    let told = learner.get(&path).await.expect("the chain");
    assert_eq!(places(&told, &credit), of_credit, "the records are shown");
    assert_eq!(told["records"]["unindexed"], json!(of_credit), "and what is missing is told");
    let ready =
        reqwest::get(format!("{}/readyz", local.url)).await.expect("an answer").text().await.expect("text");
    assert!(ready.contains("an index of records was changed"), "{ready}");
    let nowhere = tempfile::tempdir().expect("a folder");
    let (ended, said) = verify(&local, nowhere.path(), &[]);
    let named = of_credit.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    assert!(
        ended == Some(1)
            && said.contains("consistent in itself")
            && said.contains(&format!("lacks {} of the records ({named})", of_credit.len())),
        "{said}"
    );
    local.stop().await;
}
