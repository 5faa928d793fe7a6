//! Someone with the database, and without the keys, makes a whole log anew.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use preceptor::client::{Client, id};
use preceptor::config::Config;
use preceptor::journey::Answers;
use preceptor::mesh::{Mesh, Plan};
use preceptor_core::Secret;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_testkit::postgres::Server;
use preceptor_testkit::{Local, Store};
use prost::Message as _;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
    TransactionTrait as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::credits::{clinician, code, course};
use crate::support::{Log, eventually};

preceptor_testkit::on_both_stores! {
    a_rewritten_log_is_signed_by_no_one_and_found_by_anyone_who_kept_a_checkpoint
    a_shortened_log_and_a_lost_memory_are_refused
    a_raised_counter_hides_no_record
}

type Hash = [u8; 32];

fn hash_of(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

/// The tables of an org's log, with no wall in between.
pub(super) struct Tables {
    pub(super) db: DatabaseConnection,
    org: String,
}

impl Tables {
    pub(super) async fn open(local: &Local, store: &Store, org: &str) -> Self {
        let url = match store {
            Store::Files => {
                format!("sqlite://{}", local.data().join("cells").join(format!("{org}.db")).display())
            }
            Store::Postgres(server) => admin_url(server, local),
        };
        let options = ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned();
        let tables = Self { db: Database::connect(options).await.expect("it opens"), org: org.to_owned() };
        tables.unlock(&["audit_leaf", "audit_node", "audit_object"]).await;
        tables
    }

    /// Takes away what refuses changes of tables that may only grow.
    pub(super) async fn unlock(&self, tables: &[&str]) {
        if self.db.get_database_backend() == DbBackend::Postgres {
            for table in tables {
                run(&self.db, &format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await;
            }
            return;
        }
        let tables = tables.join("', '");
        let triggers =
            format!("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('{tables}')");
        let rows = self
            .db
            .query_all_raw(Statement::from_string(DbBackend::Sqlite, triggers))
            .await
            .expect("triggers");
        for row in rows {
            let name: String = row.try_get_by_index(0).expect("a name");
            run(&self.db, &format!("DROP TRIGGER {name}")).await;
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex = hex(bytes);
        if self.db.get_database_backend() == DbBackend::Postgres {
            format!("'\\x{hex}'::bytea")
        } else {
            format!("X'{hex}'")
        }
    }

    async fn records(&self, tx: &impl ConnectionTrait) -> Vec<Vec<u8>> {
        let sql = format!("SELECT record FROM audit_leaf WHERE org_id = '{}' ORDER BY idx", self.org);
        let rows =
            tx.query_all_raw(Statement::from_string(tx.get_database_backend(), sql)).await.expect("records");
        rows.iter().map(|row| row.try_get_by_index(0).expect("a record")).collect()
    }

    /// Changes the records and makes every hash of the log anew, at one moment: a record that arrives meanwhile is
    /// appended before or after, and never to half of it.
    async fn rewrite(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let tx = self.db.begin().await.expect("a transaction");
        // Anyone who appends begins with the counters of the producers.
        let lock = if tx.get_database_backend() == DbBackend::Postgres {
            "LOCK TABLE audit_producer IN ACCESS EXCLUSIVE MODE"
        } else {
            "UPDATE audit_producer SET last_sequence = last_sequence"
        };
        run(&tx, lock).await;
        let mut records = self.records(&tx).await;
        change(&mut records);
        self.replace(&tx, &records).await;
        tx.commit().await.expect("it is committed");
    }

    async fn replace(&self, tx: &impl ConnectionTrait, records: &[Vec<u8>]) {
        let org = &self.org;
        let mut level: Vec<Hash> = records.iter().map(|record| hash_of(&[&[0], record])).collect();
        for (index, (record, leaf)) in records.iter().zip(&level).enumerate() {
            let (record, leaf) = (self.bytes(record), self.bytes(leaf));
            run(tx, &format!("UPDATE audit_leaf SET record = {record}, leaf_hash = {leaf} WHERE org_id = '{org}' AND idx = {index}"))
                .await;
        }
        run(tx, &format!("DELETE FROM audit_leaf WHERE org_id = '{org}' AND idx >= {}", records.len())).await;
        run(tx, &format!("DELETE FROM audit_node WHERE org_id = '{org}'")).await;
        // The roots of the perfect subtrees at the right edge, the smallest first.
        let mut edge = Vec::new();
        for height in 1_u32.. {
            if level.len() % 2 == 1 {
                edge.push(level[level.len() - 1]);
            }
            level = level.chunks_exact(2).map(|pair| hash_of(&[&[1], &pair[0], &pair[1]])).collect();
            if level.is_empty() {
                break;
            }
            for (place, hash) in level.iter().enumerate() {
                let hash = self.bytes(hash);
                run(tx, &format!("INSERT INTO audit_node (org_id, level, place, hash) VALUES ('{org}', {height}, {place}, {hash})")).await;
            }
        }
        let root = edge[1..].iter().fold(edge[0], |right, left| hash_of(&[&[1], left, &right]));
        let frontier: Vec<u8> = edge.iter().rev().flatten().copied().collect();
        let (root, frontier, size) = (self.bytes(&root), self.bytes(&frontier), records.len());
        run(tx, &format!(
            "UPDATE audit_head SET size = {size}, root = {root}, frontier = {frontier} WHERE org_id = '{org}'"
        ))
        .await;
    }
}

pub(super) async fn run(db: &impl ConnectionTrait, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// The texts of the one row of a selection.
pub(super) async fn texts<const N: usize>(db: &impl ConnectionTrait, sql: &str) -> [String; N] {
    let select = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(select).await.expect("an answer").expect("a row");
    std::array::from_fn(|column| row.try_get_by_index(column).expect("a text"))
}

/// Works on what the signer remembers of a log while it cannot sign: it takes the same lock.
fn while_nothing_is_signed<T>(memory: &Path, work: impl FnOnce() -> T) -> T {
    let turn =
        File::options().write(true).open(memory.with_extension("lock")).expect("the lock of the memory");
    turn.lock().expect("the turn of the log");
    work()
}

fn admin_url(server: &Server, local: &Local) -> String {
    let cell = local.config.database.cell.clone().expect("a database");
    server.admin_url(cell.rsplit('/').next().expect("a name"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn head(client: &Client) -> Value {
    client.get("/v1/audit/head").await.expect("a head")
}

/// The head, once nothing is on its way into the log any more.
pub(super) async fn settled(client: &Client) -> Value {
    eventually("the log is at rest", async || {
        let before = head(client).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        Some(head(client).await).filter(|after| after["size"] == before["size"])
    })
    .await
}

pub(super) fn org_of(head: &Value) -> String {
    id(head, "origin").expect("a name").rsplit('/').next().expect("an org").to_owned()
}

/// `preceptor audit verify` as a process: how it ended, and what it said.
pub(super) fn verify(local: &Local, data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    verify_at(&local.url, local.editor.token(), data, arguments)
}

/// The same of a server, with the token of someone who reads the record.
pub(super) fn verify_at(url: &str, token: &str, data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_preceptor"));
    command
        .arg("--data")
        .arg(data)
        .args(["audit", "verify", "--server", url, "--token", token])
        .args(arguments);
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A credit with its certificate, and the client of the one who holds it.
pub(super) async fn issued(local: &Local) -> (Client, String, Vec<u8>) {
    let course = course(local, json!({})).await;
    let learner = clinician(local, &course.program, "ana").await;
    let attempt =
        learner.take_quiz(&course.program, &course.items, Answers::Right).await.expect("an attempt");
    let credit = learner.claim(&attempt, &course.offer, 0.75).await.expect("a credit");
    let credit = id(&credit, "id").expect("an id");
    let pdf = learner.certificate(&credit).await.expect("a certificate");
    (learner, credit, pdf)
}

/// The same record with another object, as long as it was.
fn forged(record: &[u8]) -> Vec<u8> {
    let mut record = AuditRecord::decode(record).expect("a record");
    record.outcome = "refused".into();
    record.encode_to_vec()
}

async fn a_rewritten_log_is_signed_by_no_one_and_found_by_anyone_who_kept_a_checkpoint(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let (learner, credit, pdf) = issued(&local).await;
    let kept = tempfile::tempdir().expect("a folder");
    let before = settled(&local.editor).await;
    let (checkpoint, certificate) = (kept.path().join("checkpoint"), kept.path().join("certificate.pdf"));
    std::fs::write(&checkpoint, id(&before, "checkpoint").expect("a note")).expect("a file");
    std::fs::write(&certificate, &pdf).expect("a file");
    let [checkpoint, certificate] =
        [&checkpoint, &certificate].map(|path| path.to_str().expect("a path").to_owned());
    let nowhere = tempfile::tempdir().expect("a folder");
    let (ended, said) = verify(&local, nowhere.path(), &[]);
    assert!(
        ended == Some(0)
            && said.contains("consistent in itself")
            && said.contains("Nothing from outside was compared"),
        "{said}"
    );
    let (ended, said) =
        verify(&local, kept.path(), &["--against", &checkpoint, "--against", &certificate, "--remember"]);
    assert!(
        ended == Some(0)
            && said.matches("It continues the checkpoint").count() == 2
            && !said.contains("Nothing from outside"),
        "{said}"
    );
    let (ended, said) = verify(&local, kept.path(), &[]);
    assert!(ended == Some(0) && said.contains("(remembered)"), "{said}");
    assert_eq!(verify(&local, kept.path(), &["--against", "/nowhere"]).0, Some(69), "nothing was found out");

    let org = org_of(&before);
    let tables = Tables::open(&local, &store, &org).await;
    tables
        .rewrite(|records| {
            let victim = records.len() / 3;
            records[victim] = forged(&records[victim]);
        })
        .await;

    // Anyone who remembers what was signed signs nothing of it, and says so wherever it is asked.
    assert_eq!(code(local.editor.get("/v1/audit/head").await), "LOG_INCONSISTENT");
    assert!(local.editor.download(&format!("/v1/logs/{org}/checkpoint")).await.is_err());
    assert!(
        learner.certificate(&credit).await.is_err_and(|error| error.to_string().contains("LOG_INCONSISTENT"))
    );
    let ready =
        reqwest::get(format!("{}/readyz", local.url)).await.expect("an answer").text().await.expect("text");
    assert!(ready.contains("not the one that was signed"), "{ready}");
    let (ended, said) = verify(&local, nowhere.path(), &["--against", &checkpoint]);
    assert!(ended == Some(1) && said.contains("REFUSED"), "{said}");

    // Someone who also has the keys and takes the memory away begins another log: it is consistent in itself, and every
    // checkpoint and certificate that anyone kept shows what was done.
    std::fs::remove_dir_all(local.data().join("signed-heads")).expect("a folder");
    run(&tables.db, &format!("DELETE FROM audit_signed WHERE org_id = '{org}'")).await;
    let after = head(&local.editor).await;
    assert!(after["size"].as_u64() >= before["size"].as_u64() && after["root"] != before["root"], "{after}");
    let (ended, said) = verify(&local, nowhere.path(), &[]);
    assert!(ended == Some(0) && said.contains("Nothing from outside was compared"), "{said}");
    for witness in [&checkpoint, &certificate] {
        let (ended, said) = verify(&local, nowhere.path(), &["--against", witness]);
        assert!(ended == Some(1) && said.contains("are not the ones that it names"), "{witness}: {said}");
    }
    let (ended, said) = verify(&local, kept.path(), &[]);
    assert!(ended == Some(1) && said.contains("remembered"), "{said}");
    assert!(
        learner.certificate(&credit).await.is_err_and(|error| error.to_string().contains("LOG_INCONSISTENT")),
        "a certificate is a witness"
    );
    local.stop().await;
}

async fn a_shortened_log_and_a_lost_memory_are_refused(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let longer_than = async |size: u64| {
        let longer = |head: &Value| head["size"].as_u64() > Some(size);
        eventually("more records", async || Some(head(&local.editor).await).filter(longer)).await
    };
    let first = longer_than(2).await;
    let org = org_of(&first);
    let memory = local.data().join("signed-heads").join(&org);
    let old = while_nothing_is_signed(&memory, || std::fs::read(&memory).expect("it is remembered"));
    // Records of before may still arrive. This head covers at least as many as the memory above.
    let covered = head(&local.editor).await["size"].as_u64().expect("a size");
    local.editor.hire("analyst", "analyst").await.expect("an analyst");
    longer_than(covered).await;

    // The memory is put back to what it was: the tables show a younger signature.
    let young = while_nothing_is_signed(&memory, || {
        let young = std::fs::read(&memory).expect("it is remembered");
        std::fs::write(&memory, &old).expect("a file");
        young
    });
    assert_eq!(code(local.editor.get("/v1/audit/head").await), "LOG_INCONSISTENT");
    std::fs::remove_file(&memory).expect("a file");
    assert_eq!(code(local.editor.get("/v1/audit/head").await), "LOG_INCONSISTENT");
    std::fs::write(&memory, b"{}").expect("a file");
    assert_eq!(code(local.editor.get("/v1/audit/head").await), "LOG_INCONSISTENT");
    std::fs::write(&memory, &young).expect("a file");
    let mended = local.editor.get("/v1/audit/head").await.expect("what is mended is signed again");

    let tables = Tables::open(&local, &store, &org).await;
    let signed = mended["size"].as_u64().expect("a size") as usize;
    // The last record that a signature covers goes, with all that came after it.
    tables.rewrite(|records| records.truncate(signed - 1)).await;
    assert_eq!(code(local.editor.get("/v1/audit/head").await), "LOG_INCONSISTENT");
    tables.db.close().await.expect("it closes");

    // The operator restored it so, and says it. That is on the record, and the log is signed again.
    let (config, token) = (local.config.clone(), local.editor.token().to_owned());
    local.mesh.stop().await;
    let said = audit(&config, "begin-again", &["--org", &org, "--reason", "restored from Tuesday"]);
    assert!(said.contains("signed again"), "{said}");
    let mesh = Mesh::start(config, Plan::whole(), None).await.expect("it starts again");
    let url = format!("http://{}", mesh.address.expect("an address"));
    let admin = Client::new(&url, Secret::new(token)).expect("a client");
    eventually("it is on the record", async || {
        let log = Log::read(&admin).await;
        let records =
            log.leaves.iter().map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
        records
            .into_iter()
            .find(|record| record.action == "log.begun_again" && record.facts["signed_before"].contains(&org))
    })
    .await;
    mesh.stop().await;
}

async fn a_raised_counter_hides_no_record(store: Store) {
    let local = store.mesh().await.expect("a mesh");
    let before = settled(&local.editor).await;
    let tables = Tables::open(&local, &store, &org_of(&before)).await;
    run(
        &tables.db,
        &format!("UPDATE audit_producer SET last_sequence = 1000000 WHERE org_id = '{}'", tables.org),
    )
    .await;
    let nowhere = tempfile::tempdir().expect("a folder");
    let (ended, said) = verify(&local, nowhere.path(), &[]);
    assert!(ended == Some(1) && said.contains("REFUSED") && said.contains("counted"), "{said}");

    local.editor.hire("analyst", "analyst").await.expect("an analyst");
    eventually("the record is in the log all the same", async || {
        let log = Log::read(&local.editor).await;
        let new = log.leaves.iter().skip(before["size"].as_u64().expect("a size") as usize);
        let mut records = new.map(|(record, _)| AuditRecord::decode(record.as_slice()).expect("a record"));
        records.find(|record| record.action == "staff.created")
    })
    .await;
    let ready =
        reqwest::get(format!("{}/readyz", local.url)).await.expect("an answer").text().await.expect("text");
    assert!(ready.contains("a counter of records was changed"), "{ready}");
    local.stop().await;
}

/// A command of `preceptor audit` as a process, on what is stored: what it said.
pub(super) fn audit(config: &Config, command: &str, arguments: &[&str]) -> String {
    let arguments = [&["audit", command][..], arguments].concat();
    let mut command = Command::new(env!("CARGO_BIN_EXE_preceptor"));
    command.arg("--data").arg(&config.data).args(arguments);
    for (name, value) in [("CELL", &config.database.cell), ("CONTROL", &config.database.control)] {
        command.envs(value.iter().map(|value| (format!("PRECEPTOR__DATABASE__{name}"), value)));
    }
    command.envs(config.database.secrets.iter().map(|secrets| ("PRECEPTOR__DATABASE__SECRETS", secrets)));
    let output = command.output().expect("it runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
