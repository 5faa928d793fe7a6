//! The walls of the cell that the mesh really has, found by reflection and taken away one at a time: every loss is noticed.

use std::sync::Arc;

use preceptor_store::postgres::inspect_on;
use preceptor_testkit::Store;
use preceptor_testkit::postgres::{Server, server};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};

use super::world;
use crate::support::list;

/// The cell as its administrator, on one connection.
async fn as_admin(server: &Server, cell: &str) -> DatabaseConnection {
    let url = server.admin_url(cell.rsplit('/').next().expect("a name"));
    Database::connect(ConnectOptions::new(url).max_connections(1).sqlx_logging(false).to_owned())
        .await
        .expect("it logs in")
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// The rows of a query that gives texts.
async fn texts(db: &DatabaseConnection, sql: &str, columns: usize) -> Vec<Vec<String>> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.iter()
        .map(|row| (0..columns).map(|at| row.try_get_by_index(at).expect("a text")).collect())
        .collect()
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let rows = texts(db, &format!("SELECT ({sql})::text"), 1).await;
    rows[0][0].parse().expect("a number")
}

/// Every table with rows of orgs, with its columns but the org.
async fn tables(db: &DatabaseConnection) -> Vec<(String, String)> {
    let sql = "SELECT c.relname::text, coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> 'org_id'), '') \
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'preceptor_org' \
        GROUP BY c.relname HAVING bool_or(a.attname = 'org_id') ORDER BY c.relname";
    let rows = texts(db, sql, 2).await;
    rows.into_iter().map(|mut row| (row.remove(0), row.remove(0))).collect()
}

/// Where a service meets rows of another org, or misses its own. Every look is undone.
async fn crossings(
    db: &DatabaseConnection,
    table: &(String, String),
    own: &str,
    foreign: &str,
) -> Vec<String> {
    let (name, columns) = table;
    let role = format!("preceptor_{}", name.split('_').next().expect("a service"));
    let there = number(db, &format!("SELECT count(*) FROM {name} WHERE org_id = '{own}'")).await;
    let mut found = Vec::new();
    run(db, &format!("SAVEPOINT look; SET LOCAL ROLE {role}; SELECT set_config('app.org', '', true)")).await;
    if number(db, &format!("SELECT count(*) FROM {name}")).await > 0 {
        found.push(format!("{name} shows rows without a tenant"));
    }
    run(db, &format!("SELECT set_config('app.org', '{own}', true)")).await;
    if number(db, &format!("SELECT count(*) FROM {name} WHERE org_id <> '{own}'")).await > 0 {
        found.push(format!("{name} shows rows of another org"));
    }
    if number(db, &format!("SELECT count(*) FROM {name}")).await < there {
        found.push(format!("{name} hides the tenant's own rows"));
    }
    let comma = if columns.is_empty() { "" } else { ", " };
    let forged = format!(
        "INSERT INTO {name} (org_id{comma}{columns}) SELECT '{foreign}'{comma}{columns} FROM {name} WHERE org_id = '{own}' LIMIT 1"
    );
    let outcome = db.execute_unprepared(&forged).await;
    if there > 0 && !outcome.is_err_and(|error| error.to_string().contains("row-level security")) {
        found.push(format!("{name} takes a row for another org"));
    }
    run(db, "ROLLBACK TO look; RELEASE look").await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_service_meets_rows_of_another_org_and_the_loss_of_any_policy_is_noticed() {
    let Some(server) = server("no_service_meets_rows_of_another_org_and_the_loss_of_any_policy_is_noticed")
    else {
        return;
    };
    let local = Store::Postgres(Arc::clone(&server)).mesh().await.expect("a mesh");
    world(&local).await;
    let orgs = local.operator.get("/v1/orgs").await.expect("orgs");
    let ids: Vec<&str> = list(&orgs, "data").iter().filter_map(|org| org["id"].as_str()).collect();
    let cell = local.config.database.cell.clone().expect("a database");
    assert_eq!(preceptor::database::inspect(&local.config).await.expect("an inspection"), []);
    let db = as_admin(&server, &cell).await;
    run(&db, "BEGIN").await;
    let tables = tables(&db).await;
    let (mut filled, mut losses) = (0, 0);
    for table in &tables {
        for (own, foreign) in [(ids[0], ids[1]), (ids[1], ids[0])] {
            assert_eq!(crossings(&db, table, own, foreign).await, Vec::<String>::new());
        }
        let name = &table.0;
        if number(&db, &format!("SELECT count(DISTINCT org_id) FROM {name}")).await < 2 {
            continue;
        }
        filled += 1;
        for loss in [
            format!("ALTER POLICY only_the_tenant_s_rows ON {name} USING (true)"),
            format!("ALTER POLICY only_the_tenant_s_rows ON {name} WITH CHECK (true)"),
            format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY"),
            format!("DROP POLICY only_the_tenant_s_rows ON {name}"),
        ] {
            run(&db, &format!("SAVEPOINT loss; {loss}")).await;
            assert!(!crossings(&db, table, ids[1], ids[0]).await.is_empty(), "{loss} was not noticed");
            run(&db, "ROLLBACK TO loss; RELEASE loss").await;
            losses += 1;
        }
    }
    assert!(tables.len() > 60 && filled > 50, "{filled} of {} tables have rows of both orgs", tables.len());
    println!("{} tables, 0 crossings; {losses} lost policies, each noticed", tables.len());
    run(&db, "ROLLBACK").await;
    local.stop().await;
}

/// Statements that take the org out of a key, a reference or an index, by reflection.
async fn narrowed(db: &DatabaseConnection) -> Vec<String> {
    let keys = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE; ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, \
        k.conrelid::regclass, k.conname, replace(pg_get_constraintdef(k.oid), '(org_id, ', '(')) FROM pg_constraint k \
        WHERE k.contype IN ('p', 'u') AND k.connamespace = 'public'::regnamespace AND pg_get_constraintdef(k.oid) LIKE '%(org_id, %'";
    // A reference needs a key of what it refers to.
    let references = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I; CREATE UNIQUE INDEX narrowed ON %s (%s); ALTER TABLE %s ADD CONSTRAINT %I %s', \
        k.conrelid::regclass, k.conname, k.confrelid::regclass, \
        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY o.place) FROM unnest(k.confkey) WITH ORDINALITY o(number, place) \
         JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = o.number WHERE a.attname <> 'org_id'), \
        k.conrelid::regclass, k.conname, replace(pg_get_constraintdef(k.oid), '(org_id, ', '(')) FROM pg_constraint k \
        WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace";
    let indexes = "SELECT format('DROP INDEX %s CASCADE; %s', i.indexrelid::regclass, replace(pg_get_indexdef(i.indexrelid), '(org_id, ', '(')) \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace \
        AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))";
    let mut statements = Vec::new();
    for sql in [keys, references, indexes] {
        statements.extend(texts(db, sql, 1).await.into_iter().flatten());
    }
    statements
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_the_org_in_any_key_or_reference_is_noticed() {
    let Some(server) = server("the_loss_of_the_org_in_any_key_or_reference_is_noticed") else { return };
    // A cell without rows: anything can be a key there.
    let config = Store::Postgres(Arc::clone(&server)).prepared().await.expect("databases");
    preceptor::database::migrate(&config).await.expect("tables");
    let db = as_admin(&server, config.database.cell.as_ref().expect("a database")).await;
    let schemas = preceptor::engines::schemas();
    assert_eq!(inspect_on(&db, &schemas).await.expect("an inspection"), []);
    let statements = narrowed(&db).await;
    assert!(statements.len() > 150, "{} keys, references and indexes", statements.len());
    for statement in &statements {
        run(&db, &format!("BEGIN; {statement}")).await;
        assert!(
            !inspect_on(&db, &schemas).await.expect("an inspection").is_empty(),
            "{statement} was not noticed"
        );
        run(&db, "ROLLBACK").await;
    }
    println!("{} keys, references and indexes without the org, each noticed", statements.len());
}
