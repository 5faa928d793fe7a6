//! The walls of a cell on PostgreSQL, with the rights that a service has and with those of an administrator.

use std::sync::Arc;
use std::time::Duration;

use preceptor_store::postgres::{self, inspect};
use preceptor_store::{Config, StoreError};
use preceptor_testkit::postgres::{Server, server};
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};

use crate::support::{Engine, LIBRARY, OFFICE, a_book, book, open, prepared, someone};

const SCHEMAS: [preceptor_store::Schema; 2] = [LIBRARY, OFFICE];

/// The cell as a role of ours sees it, past everything that the store does.
async fn as_role(config: &postgres::Config, of: &str) -> DatabaseConnection {
    let password =
        std::fs::read_to_string(config.secrets.join(format!("{of}.password"))).expect("a password");
    let url = config.cell.replace("postgres://", &format!("postgres://preceptor_{of}:{password}@"));
    Database::connect(sea_orm::ConnectOptions::new(url).max_connections(1).to_owned())
        .await
        .expect("it logs in")
}

async fn as_admin(server: &Server, config: &postgres::Config) -> DatabaseConnection {
    let url = server.admin_url(config.cell.rsplit('/').next().expect("a name"));
    Database::connect(sea_orm::ConnectOptions::new(url).max_connections(1).to_owned())
        .await
        .expect("it logs in")
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .expect("a query")
        .expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// A cell with a row of two tenants; their ids.
async fn two_tenants(server: &Arc<Server>) -> (Engine, String, String) {
    let engine = Engine::postgres(Arc::clone(server), 2).await;
    let mut orgs = Vec::new();
    for _ in 0..2 {
        let tx = engine.library.write(&someone()).await.expect("a transaction");
        tx.insert(a_book(&tx.org_key(), "one")).await.expect("a row");
        orgs.push(tx.org_key());
        tx.commit().await.expect("a commit");
    }
    let b = orgs.pop().expect("two");
    let a = orgs.pop().expect("two");
    (engine, a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_there_is_nothing_and_with_one_nothing_else() {
    let Some(server) = server("without_a_tenant_there_is_nothing_and_with_one_nothing_else") else { return };
    let (engine, a, b) = two_tenants(&server).await;
    let db = as_role(engine.postgres_config(), "library").await;
    assert_eq!(number(&db, "SELECT count(*) FROM library_book").await, 0);
    db.execute_unprepared("BEGIN").await.expect("a transaction");
    db.execute_unprepared(&format!("SELECT set_config('app.org', '{a}', true)")).await.expect("a tenant");
    assert_eq!(number(&db, "SELECT count(*) FROM library_book").await, 1);
    assert_eq!(number(&db, &format!("SELECT count(*) FROM library_book WHERE org_id = '{b}'")).await, 0);
    db.execute_unprepared("COMMIT").await.expect("an end");
    assert_eq!(
        number(&db, "SELECT count(*) FROM library_book").await,
        0,
        "the tenant ends with the transaction"
    );

    let refused = async |sql: &str, by: &str| {
        db.execute_unprepared("BEGIN").await.expect("a transaction");
        db.execute_unprepared(&format!("SELECT set_config('app.org', '{a}', true)")).await.expect("a tenant");
        let error = db.execute_unprepared(sql).await.expect_err(sql).to_string();
        assert!(error.contains(by), "{sql}: {error}");
        db.execute_unprepared("ROLLBACK").await.expect("an end");
    };
    let insert =
        |org: &str, id: &str| format!("INSERT INTO library_book VALUES ('{org}', '{id}', 'T{id}', 1, 1)");
    refused(&insert(&b, "two"), "row-level security").await;
    // Their book exists, and cannot be referred to: the reference carries the org.
    refused(&format!("INSERT INTO library_shelf VALUES ('{a}', 's', 'none')"), "library_shelf_book").await;
    refused(&format!("INSERT INTO library_shelf VALUES ('{b}', 's', 'one')"), "row-level security").await;
    for sql in [
        "UPDATE library_book SET pages = 5",
        "DELETE FROM library_book",
        "TRUNCATE library_book",
        "INSERT INTO library_book SELECT * FROM library_book ON CONFLICT (org_id, id) DO UPDATE SET pages = 5",
        "MERGE INTO library_book t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET pages = 5",
        "TRUNCATE library_shelf",
        "SELECT * FROM office_desk",
        "SELECT * FROM pg_authid",
        "SET ROLE preceptor_owner",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (x TEXT)",
        "CREATE TEMP TABLE mine (x TEXT)",
        "COPY library_book TO PROGRAM 'true'",
    ] {
        refused(sql, "permission denied").await;
    }
    for sql in [
        "ALTER TABLE library_book DISABLE ROW LEVEL SECURITY",
        "DROP TABLE library_book",
        "DROP POLICY only_the_tenant_s_rows ON library_book",
    ] {
        refused(sql, "must be owner").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn not_even_the_owner_changes_what_only_grows() {
    let Some(server) = server("not_even_the_owner_changes_what_only_grows") else { return };
    let (engine, a, _) = two_tenants(&server).await;
    let db = as_role(engine.postgres_config(), "migrator").await;
    for sql in
        ["UPDATE library_book SET pages = 5", "DELETE FROM library_book", "TRUNCATE library_book CASCADE"]
    {
        db.execute_unprepared("BEGIN; SET LOCAL ROLE preceptor_owner").await.expect("a transaction");
        db.execute_unprepared(&format!("SELECT set_config('app.org', '{a}', true)")).await.expect("a tenant");
        let error = db.execute_unprepared(sql).await.expect_err(sql).to_string();
        assert!(error.contains("append-only: library_book refuses"), "{error}");
        db.execute_unprepared("ROLLBACK").await.expect("an end");
    }
    // The owner is subject to row security as everyone is.
    assert_eq!(number(&db, "SELECT count(*) FROM library_book").await, 0);
}

/// Every way in which a wall can be missing, and the words of the finding.
const HOLES: [(&str, &str); 22] = [
    ("ALTER TABLE library_shelf DISABLE ROW LEVEL SECURITY", "forced row security"),
    ("ALTER TABLE library_shelf NO FORCE ROW LEVEL SECURITY", "forced row security"),
    ("DROP POLICY only_the_tenant_s_rows ON library_shelf", "policy of tenants"),
    ("CREATE POLICY another ON library_shelf USING (true)", "policy of tenants"),
    ("ALTER POLICY only_the_tenant_s_rows ON library_shelf USING (true)", "policy of tenants"),
    ("ALTER POLICY only_the_tenant_s_rows ON library_shelf WITH CHECK (true)", "policy of tenants"),
    ("ALTER POLICY only_the_tenant_s_rows ON library_shelf TO preceptor_library", "policy of tenants"),
    ("CREATE TABLE library_new (id TEXT PRIMARY KEY)", "org_id"),
    ("CREATE UNIQUE INDEX library_shelf_alone ON library_shelf (id)", "index that does not begin"),
    (
        "ALTER TABLE library_book ADD CONSTRAINT alone UNIQUE (id); ALTER TABLE library_shelf ADD CONSTRAINT past FOREIGN KEY (book_id) REFERENCES library_book (id)",
        "reference that does not begin",
    ),
    (
        "ALTER TABLE library_shelf DROP CONSTRAINT library_shelf_book; ALTER TABLE library_shelf ADD CONSTRAINT library_shelf_book FOREIGN KEY (org_id, book_id) REFERENCES library_book (org_id, id) ON DELETE CASCADE",
        "follows changes",
    ),
    ("GRANT UPDATE ON library_book TO preceptor_library", "preceptor_library may UPDATE"),
    ("GRANT TRUNCATE ON library_shelf TO preceptor_library", "preceptor_library may TRUNCATE"),
    ("GRANT SELECT ON library_shelf TO preceptor_office", "preceptor_office may SELECT"),
    ("GRANT SELECT ON library_shelf TO PUBLIC", "may SELECT"),
    ("ALTER TABLE library_book DISABLE TRIGGER library_book_only_grows", "tables that only grow"),
    ("ALTER TABLE library_book ENABLE TRIGGER library_book_only_grows", "tables that only grow"),
    ("DROP TRIGGER library_book_only_grows ON library_book", "tables that only grow"),
    ("CREATE VIEW seen AS SELECT * FROM library_book", "eyes of its owner"),
    (
        "CREATE FUNCTION anyone() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM library_book'",
        "nobody knows",
    ),
    ("ALTER TABLE library_shelf OWNER TO preceptor_library", "is not owned"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "open to everyone"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_without_one_of_its_walls_is_noticed() {
    let Some(server) = server("a_cell_without_one_of_its_walls_is_noticed") else { return };
    let (engine, ..) = two_tenants(&server).await;
    assert_eq!(inspect(engine.postgres_config(), &SCHEMAS).await.expect("an inspection"), []);
    engine.cells.close().await;
    for (hole, words) in HOLES {
        let config = prepared(&server, 1).await;
        open(&Config::Postgres(config.clone()), &SCHEMAS).await.expect("cells");
        let admin = as_admin(&server, &config).await;
        admin.execute_unprepared(hole).await.expect(hole);
        admin.close().await.expect("an end");
        let findings = inspect(&config, &SCHEMAS).await.expect("an inspection");
        assert!(findings.iter().any(|finding| finding.problem.contains(words)), "{hole}: {findings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_databases_are_checked_too() {
    // A server of its own: roles belong to all databases.
    let Ok(server) = Server::start(false) else {
        return preceptor_testkit::skip("roles_and_databases_are_checked_too", "no PostgreSQL");
    };
    let config = prepared(&server, 1).await;
    open(&Config::Postgres(config.clone()), &SCHEMAS).await.expect("cells");
    let admin = as_admin(&server, &config).await;
    let name = config.cell.rsplit('/').next().expect("a name");
    for (hole, mend) in [
        (
            "ALTER ROLE preceptor_library BYPASSRLS".to_owned(),
            "ALTER ROLE preceptor_library NOBYPASSRLS".to_owned(),
        ),
        ("ALTER ROLE preceptor_owner LOGIN".to_owned(), "ALTER ROLE preceptor_owner NOLOGIN".to_owned()),
        (
            "GRANT preceptor_owner TO preceptor_library".to_owned(),
            "REVOKE preceptor_owner FROM preceptor_library".to_owned(),
        ),
        (
            format!("GRANT CONNECT ON DATABASE {name} TO PUBLIC"),
            format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"),
        ),
    ] {
        admin.execute_unprepared(&hole).await.expect("a hole");
        assert_eq!(inspect(&config, &SCHEMAS).await.expect("an inspection").len(), 1, "{hole}");
        admin.execute_unprepared(&mend).await.expect("a wall");
        assert_eq!(inspect(&config, &SCHEMAS).await.expect("an inspection"), [], "{mend}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_the_migrator_s_password_only_checks() {
    let Some(server) = server("a_service_without_the_migrator_s_password_only_checks") else { return };
    let prepared = prepared(&server, 1).await;
    let folder = tempfile::tempdir().expect("a folder");
    for of in ["library", "office"] {
        let name = format!("{of}.password");
        std::fs::copy(prepared.secrets.join(&name), folder.path().join(&name)).expect("a copy");
    }
    let config = Config::Postgres(postgres::Config { secrets: folder.path().to_owned(), ..prepared.clone() });
    let open = async |config: &Config| open(config, &SCHEMAS).await;
    assert!(open(&config).await.is_err(), "nobody has migrated");
    open(&Config::Postgres(prepared)).await.expect("it migrates");
    open(&config).await.expect("it finds what it needs");

    let everyone = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("library.password"), everyone).expect("permissions");
    let refused = open(&config).await.expect_err("everyone can read the password").to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_killed_is_used_again_without_a_restart_of_ours() {
    let Ok(server) = Server::start(true) else {
        return preceptor_testkit::skip(
            "a_database_that_was_killed_is_used_again_without_a_restart_of_ours",
            "no PostgreSQL",
        );
    };
    let server = Arc::new(server);
    let engine = Engine::postgres(Arc::clone(&server), 2).await;
    let scope = someone();
    let write = async |id: &str| {
        let tx = engine.library.write(&scope).await?;
        tx.insert(a_book(&tx.org_key(), id)).await?;
        tx.commit().await
    };
    let mut acknowledged = 0;
    for round in 0..3 {
        for number in 0..10 {
            write(&format!("{round}-{number}")).await.expect("a row");
            acknowledged += 1;
        }
        server.kill().expect("it is killed");
        let away = write("away").await.expect_err("there is no server");
        assert!(matches!(away, StoreError::Unavailable(_)) && away.is_transient(), "{away:?}");
        server.resume().expect("it starts again");
        // A breaker may be open for a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let tx = engine.library.read(&scope).await.expect("a read");
        assert_eq!(tx.all(tx.find::<book::Entity>()).await.expect("rows").len(), acknowledged);
    }
}
