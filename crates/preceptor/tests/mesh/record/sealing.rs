//! Someone with the database, and without the keys, changes what is signed later, or what is found of it.

use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor::config::Config;
use preceptor::journey::Answers;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_testkit::{Local, Store};
use prost::Message as _;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use super::rewriting::{Tables, audit, head, issued, org_of, run, settled, texts, verify, verify_at};
use crate::credits::{Course, clinician, code, course};
use crate::support::{Log, eventually, list};

preceptor_testkit::on_both_stores! {
    a_failed_attempt_that_was_changed_by_hand_earns_nothing
    no_certificate_is_signed_for_a_result_that_was_changed_by_hand
    a_credit_that_was_changed_by_hand_is_neither_shown_nor_signed_for
    a_credit_that_was_made_by_hand_counts_for_nothing
    an_org_that_was_renamed_by_hand_is_let_in_no_more
    a_record_that_the_index_lacks_is_shown_all_the_same_and_told
    a_record_that_was_changed_on_its_way_is_not_sent_and_the_others_are
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
    let client = client_of(&mesh, token);
    (mesh, client)
}

fn client_of(mesh: &Mesh, token: &str) -> Client {
    let url = format!("http://{}", mesh.address.expect("an address"));
    Client::new(&url, Secret::new(token.to_owned())).expect("a client")
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

/// Waits until the certificates of an org are made: what is missed by then is looked for with the next credit only.
async fn printed(tables: &Tables, org: &str) {
    let count = format!("SELECT CAST(count(*) AS TEXT) FROM credits_print_job WHERE org_id = '{org}'");
    let rested = async {
        while texts(&tables.db, &count).await != ["0"] {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), rested).await.expect("the certificates are made");
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
        printed(&tables, &org).await;
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

/// That nothing of a credit is shown as one, to its holder and to those who read the record, and no file handed out.
async fn counts_for_nothing(local: &Local, holder: &Client, course: &Course, credit: &str) {
    let path = format!("/v1/credits/{credit}");
    for client in [holder, &local.editor] {
        for path in [path.clone(), format!("{path}/provenance")] {
            assert_eq!(code(client.get(&path).await), "AWARD_CHANGED", "{path}");
        }
        let listed = client.all("/v1/credits").await.expect("a list");
        assert!(listed.iter().all(|row| row["id"] != credit), "{listed:?}");
    }
    for file in ["certificate", "badge"] {
        let refused = holder.download(&format!("{path}/{file}")).await.expect_err("no file");
        assert!(refused.to_string().contains("AWARD_CHANGED"), "{file}: {refused}");
    }
    let attempts = format!("/v1/programs/{}/learner-attempts", course.program);
    let shown = local.editor.all(&attempts).await.expect("attempts");
    assert!(
        !shown.is_empty() && shown.iter().all(|attempt| !attempt.to_string().contains(credit)),
        "{shown:?}"
    );
}

/// How many certificates are signed for a credit.
async fn signed(tables: &Tables, credit: &str) -> String {
    let count = format!("SELECT CAST(count(*) AS TEXT) FROM credits_certificate WHERE award_id = '{credit}'");
    let [count] = texts(&tables.db, &count).await;
    count
}

async fn a_credit_that_was_changed_by_hand_is_neither_shown_nor_signed_for(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let (ana, credit, attempt) = certified(&local, &course, "ana").await;
    let org = org_of(&head(&local.editor).await);
    let tables = Tables::open(&local, &store, &org).await;
    free(&tables, &CERTIFICATES).await;
    free(&tables, &["credits_award", "credits_award_seal"]).await;
    let set = async |values: &str| {
        let own = format!("org_id = '{org}' AND id = '{credit}'");
        run(&tables.db, &format!("UPDATE credits_award SET {values} WHERE {own}")).await;
    };
    for (change, back) in [
        ("profession = 'nurse'", "profession = 'physician'"),
        (
            "accreditation_confirmed = TRUE, accreditation_decision = 'acd_1'",
            "accreditation_confirmed = FALSE, accreditation_decision = NULL",
        ),
        ("quarters = quarters - 1", "quarters = quarters + 1"),
    ] {
        set(change).await;
        counts_for_nothing(&local, &ana, &course, &credit).await;
        set(back).await;
        let read = ana.get(&format!("/v1/credits/{credit}")).await.expect("it is as it was");
        assert_eq!(read["amount"], 0.75);
    }

    // Before its certificate is signed: those that are missing are made together with the next one.
    printed(&tables, &org).await;
    for table in CERTIFICATES {
        run(&tables.db, &format!("DELETE FROM {table} WHERE org_id = '{org}'")).await;
    }
    set("quarters = quarters - 1").await;
    certified(&local, &course, "ben").await;
    counts_for_nothing(&local, &ana, &course, &credit).await;
    assert_eq!(signed(&tables, &credit).await, "0");
    printed(&tables, &org).await;
    set("quarters = quarters + 1").await;
    certified(&local, &course, "cleo").await;
    assert_eq!(signed(&tables, &credit).await, "1", "it is as it was awarded");

    // Taking the seal away has no credit sealed anew, at a start neither.
    run(
        &tables.db,
        &format!("DELETE FROM credits_award_seal WHERE org_id = '{org}' AND award_id = '{credit}'"),
    )
    .await;
    counts_for_nothing(&local, &ana, &course, &credit).await;
    tables.db.close().await.expect("it closes");
    let (config, token) = (local.config.clone(), ana.token().to_owned());
    let admin = local.editor.token().to_owned();
    local.mesh.stop().await;
    let (mesh, ana) = start_again(config, &token).await;
    let path = format!("/v1/credits/{credit}");
    assert_eq!(code(ana.get(&path).await), "AWARD_CHANGED");
    let attempt = json!({ "id": attempt });
    assert_eq!(code(ana.claim(&attempt, &course.offer, 0.75).await), "AWARD_CHANGED");

    // It can be ended, and what was earned is claimed again.
    let reason = json!({ "reason": "Changed outside the product" });
    let ended = client_of(&mesh, &admin).post(&format!("{path}/void"), &reason).await.expect("it is void");
    assert_eq!(ended["state"], "voided");
    let anew = ana.claim(&attempt, &course.offer, 0.75).await.expect("a credit");
    ana.certificate(&id(&anew, "id").expect("an id")).await.expect("a certificate");
    mesh.stop().await;
}

/// Makes a credit out of another one, for a passed attempt that no one claimed.
async fn make_by_hand(tables: &Tables, credit: &str, attempt: &str) -> String {
    // What a constraint compares is as it has to be: nothing but the seal is missing.
    let alike = "credit_type, entry, entry_kind, offer_id, policy_id, designated_quarters, opens_at, terminates_at, \
        evaluation_required, minimum_level, accreditation_from, accreditation_until, evaluation_id, assertion_id, profession, level, \
        valid_from, valid_until, recognition, quarters, accreditation_decision, accreditation_confirmed";
    let earned = "org_id, learner, program_id, form_id, content_verified_at, started_at, passed";
    let of = |alias: &str, columns: &str| {
        columns.split(',').map(|column| format!("{alias}.{}", column.trim())).collect::<Vec<_>>().join(", ")
    };
    let last = if credit.ends_with('z') { 'y' } else { 'z' };
    let made = format!("{}{last}", &credit[..credit.len() - 1]);
    let from = format!(
        "FROM credits_award a, credits_result r WHERE a.id = '{credit}' AND r.attempt_id = '{attempt}' AND r.org_id = a.org_id"
    );
    let entry = "org_id, learner, program_id, credit_type, entry, kind, award_id, actor, reason, entered_at";
    run(
        &tables.db,
        &format!(
            "INSERT INTO credits_ledger ({entry}) SELECT a.org_id, r.learner, r.program_id, a.credit_type, 1, 'award', '{made}', \
             r.learner, '', r.completed_at {from}"
        ),
    )
    .await;
    run(
        &tables.db,
        &format!(
            "INSERT INTO credits_award (id, attempt_id, quiz_completed_at, issued_at, {earned}, {alike}) \
             SELECT '{made}', r.attempt_id, r.completed_at, r.completed_at, {}, {} {from}",
            of("r", earned),
            of("a", alike)
        ),
    )
    .await;
    made
}

async fn a_credit_that_was_made_by_hand_counts_for_nothing(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let course = course(&local, json!({})).await;
    let (_, credit, _) = certified(&local, &course, "ana").await;
    let ben = clinician(&local, &course.program, "ben").await;
    let passed = ben.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let attempt = id(&passed, "id").expect("an id");
    let org = org_of(&head(&local.editor).await);
    let tables = Tables::open(&local, &store, &org).await;
    free(&tables, &["credits_ledger", "credits_award"]).await;
    let made = make_by_hand(&tables, &credit, &attempt).await;

    counts_for_nothing(&local, &ben, &course, &made).await;
    assert_eq!(code(ben.claim(&passed, &course.offer, 0.75).await), "AWARD_CHANGED");
    certified(&local, &course, "cleo").await;
    assert_eq!(signed(&tables, &made).await, "0");

    // A page is full without it, and the next one goes on behind it.
    let newest = local.editor.get("/v1/credits?limit=1").await.expect("a page");
    let next = newest["next_cursor"].as_str().expect("there is more");
    let oldest = local.editor.get(&format!("/v1/credits?limit=1&cursor={next}")).await.expect("a page");
    assert_eq!(
        (list(&newest, "data").len(), list(&oldest, "data")[0]["id"] == credit),
        (1, true),
        "{oldest}"
    );

    let reason = json!({ "reason": "Made outside the product" });
    local.editor.post(&format!("/v1/credits/{made}/void"), &reason).await.expect("it is void");
    let credit = ben.claim(&passed, &course.offer, 0.75).await.expect("a credit");
    ben.certificate(&id(&credit, "id").expect("an id")).await.expect("a certificate");
    counts_for_nothing(&local, &ben, &course, &made).await;
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

    let missing = of_credit.len().to_string();
    let (config, admin, token) =
        (local.config.clone(), local.editor.token().to_owned(), learner.token().to_owned());
    local.mesh.stop().await;
    completed_from_what_was_signed(&config, &tables, &org).await;
    let (mesh, admin_client) = start_again(config, &admin).await;
    let url = format!("http://{}", mesh.address.expect("an address"));
    let (ended, said) = verify_at(&url, &admin, nowhere.path(), &[]);
    assert_eq!(ended, Some(0), "{said}");
    let told = client_of(&mesh, &token).get(&path).await.expect("the chain");
    assert_eq!(places(&told, &credit), of_credit);
    assert_eq!(told["records"]["unindexed"], json!([]));
    let done = eventually("it is on the record", async || {
        let records = Log::read(&admin_client).await.leaves.into_iter();
        let mut records =
            records.map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
        records.find(|record| record.action == "log.reindexed")
    })
    .await;
    assert_eq!((done.facts["records"].as_str(), done.reason.as_str()), (&*missing, "deleted by hand"));
    mesh.stop().await;
}

/// Completes the index of a log: not from a record that was changed, then from what was signed, and then there is nothing left.
async fn completed_from_what_was_signed(config: &Config, tables: &Tables, org: &str) {
    let complete = || audit(config, "reindex", &["--org", org, "--reason", "deleted by hand"]);
    let first = format!("org_id = '{org}' AND idx = 0");
    run(&tables.db, &format!("CREATE TEMPORARY TABLE kept AS SELECT record FROM audit_leaf WHERE {first}"))
        .await;
    let second = format!("SELECT record FROM audit_leaf WHERE org_id = '{org}' AND idx = 1");
    run(&tables.db, &format!("UPDATE audit_leaf SET record = ({second}) WHERE {first}")).await;
    let said = complete();
    assert!(said.contains("do not give the root that was signed"), "{said}");
    run(&tables.db, &format!("UPDATE audit_leaf SET record = (SELECT record FROM kept) WHERE {first}")).await;
    let said = complete();
    assert!(said.contains("and names now: "), "{said}");
    let said = complete();
    assert!(said.contains("lacks no record"), "{said}");
}

/// What the process says of its outboxes.
async fn readiness(local: &Local) -> String {
    let ready = reqwest::get(format!("{}/readyz", local.url)).await.expect("an answer");
    ready.text().await.expect("a text")
}

/// Looks until the log holds a record of an action on an object.
async fn recorded(local: &Local, action: &str, object: Option<&str>) {
    eventually(action, async || {
        let log = Log::read(&local.editor).await.leaves.into_iter();
        let mut records = log.map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
        records.find(|record| record.action == action && object.is_none_or(|object| record.object == object))
    })
    .await;
}

async fn a_record_that_was_changed_on_its_way_is_not_sent_and_the_others_are(store: Store) {
    const STOPPED: &str = "one was changed outside the product";
    let local = store.mesh().await.expect("a mesh");
    let program = async |title: &str| {
        let made = local.editor.post("/v1/programs", &json!({ "title": title })).await.expect("a program");
        id(&made, "id").expect("an id")
    };
    let first = program("First").await;
    recorded(&local, "program.created", Some(&first)).await;
    let org = org_of(&settled(&local.editor).await);
    assert!(!readiness(&local).await.contains(STOPPED));

    // The newest record of the service, as if it were not sent yet: in another form, and then as it was.
    let tables = Tables::open(&local, &store, &org).await;
    let newest = format!(
        "org_id = '{org}' AND stream = 'audit' AND sequence = (SELECT sequence FROM ingestion_outbox_head WHERE org_id = '{org}' AND stream = 'audit')"
    );
    let [row] = texts(&tables.db, &format!("SELECT event_id FROM ingestion_outbox WHERE {newest}")).await;
    let set = async |values: &str| {
        let own = format!("org_id = '{org}' AND event_id = '{row}'");
        run(&tables.db, &format!("UPDATE ingestion_outbox SET {values} WHERE {own}")).await;
    };
    set("sent = FALSE, topic = 'source'").await;
    let second = program("Second").await;
    eventually("it is told", async || readiness(&local).await.contains(STOPPED).then_some(())).await;
    // Records of other services go on.
    local.editor.hire("analyst", "analyst").await.expect("an analyst");
    recorded(&local, "staff.created", None).await;
    let log = Log::read(&local.editor).await.leaves.into_iter();
    let mut records = log.map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
    assert!(!records.any(|record| record.object == second), "what comes behind it waits");

    set("topic = 'audit'").await;
    let third = program("Third").await;
    for made in [second, third] {
        recorded(&local, "program.created", Some(&made)).await;
    }
    eventually("it is told", async || (!readiness(&local).await.contains(STOPPED)).then_some(())).await;
    local.stop().await;
}
