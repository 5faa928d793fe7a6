//! Rows that were changed by hand.

use preceptor_core::Role;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};

use super::{World, refused};
use crate::Error;
use crate::domain::{Accounts, Door, State};

async fn open(world: &World) -> DatabaseConnection {
    let path = world.folder.path().join("control.db");
    // One connection: its settings and its temporary tables stay.
    let options = ConnectOptions::new(format!("sqlite://{}", path.display()))
        .max_connections(1)
        .sqlx_logging(false)
        .to_owned();
    Database::connect(options).await.expect("the file opens")
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

/// Tries every column of the row behind a secret, one at a time, with values that the table takes.
async fn every_change_is_noticed(world: &World, table: &str, which: &str, secret: &str, door: Door) -> usize {
    let db = open(world).await;
    run(&db, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").await;
    let columns = texts(&db, &format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')")).await;
    let mut tried = 0;
    for column in columns.iter().filter(|column| !column.starts_with("secret_hash")) {
        let (column, kind) = column.split_once(' ').expect("a name and a type");
        let changed = if kind == "BIGINT" {
            format!("coalesce({column}, 0) + 1")
        } else {
            format!("coalesce({column}, '') || 'x'")
        };
        run(&db, &format!("CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {which}")).await;
        run(&db, &format!("UPDATE {table} SET {column} = {changed} WHERE {which}")).await;
        assert!(refused(world.at(secret, door).await), "{table}.{column} was changed by hand");
        let changed = format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM kept) OR id IN (SELECT id || 'x' FROM kept)"
        );
        run(&db, &format!("{changed}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")).await;
        world.at(secret, door).await.expect("as it was");
        tried += 1;
    }
    tried
}

#[tokio::test]
async fn a_row_that_was_changed_by_hand_opens_nothing() {
    let world = World::new().await;
    let app = world.app().await;
    let learner = world.learner(&app, None).await;
    let session = world.session(&world.admin).await.expect("a session");
    let tried =
        every_change_is_noticed(&world, "auth_credential", "kind = 'learner'", &learner, Door::Header).await
            + every_change_is_noticed(&world, "auth_credential", "kind = 'session'", &session, Door::Cookie)
                .await
            + every_change_is_noticed(&world, "auth_staff", "role = 'admin'", &world.admin, Door::Header)
                .await;
    assert!(tried > 35, "{tried} changes");
}

#[tokio::test]
async fn a_member_who_was_changed_by_hand_is_in_no_list_and_no_admin_that_counts() {
    let world = World::new().await;
    let (second, _) = world.hire(Role::Admin).await;
    let scope = world.admin().await;
    assert_eq!(world.accounts.list_staff(&scope).await.expect("staff").len(), 2);
    run(&open(&world).await, &format!("UPDATE auth_staff SET display_name = 'Else' WHERE id = '{second}'"))
        .await;
    let listed = world.accounts.list_staff(&scope).await.expect("staff");
    assert_eq!(listed.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), [scope.subject()]);
    assert!(matches!(world.accounts.member(&scope, &second).await, Err(Error::StaffNotFound)));
    let own = scope.subject().to_owned();
    let suspended = world.accounts.set_staff_state(&scope, &own, State::Suspended, "leaves").await;
    assert!(matches!(suspended, Err(Error::LastAdmin)), "the other one cannot get in");
}

/// The tables of accounts as they are now, for later.
async fn copied(db: &DatabaseConnection) {
    for table in TABLES {
        run(db, &format!("CREATE TEMP TABLE old_{table} AS SELECT * FROM {table}")).await;
    }
}

/// Puts rows back as they were copied.
async fn put_back(db: &DatabaseConnection, tables: &[&str], which: &str) {
    run(db, "PRAGMA foreign_keys = OFF").await;
    for table in tables {
        let put = format!("INSERT INTO {table} SELECT * FROM old_{table} WHERE {which}");
        run(db, &format!("DELETE FROM {table} WHERE {which}; {put}")).await;
    }
}

const TABLES: [&str; 3] = ["auth_staff", "auth_credential", "auth_roll"];

#[tokio::test]
async fn an_old_row_that_is_put_back_opens_nothing() {
    let world = World::new().await;
    let (second, token) = world.hire(Role::Admin).await;
    let admin = world.admin().await;
    let extra = world.accounts.create_api_token(&admin, "extra", None, &world.admin).await.expect("a token");
    let db = open(&world).await;
    copied(&db).await;

    world.accounts.change_staff(&admin, &second, None, Some(Role::Editor)).await.expect("an editor");
    put_back(&db, &["auth_staff"], &format!("id = '{second}'")).await;
    assert!(refused(world.at(&token, Door::Header).await), "the row of the admin that they were");
    let listed = world.accounts.list_staff(&admin).await.expect("staff");
    assert!(listed.iter().all(|member| member.id != second), "{listed:?}");

    let id = extra.row.id.clone();
    world.accounts.revoke_credential(&admin, id.parse().expect("an id")).await.expect("revoked");
    put_back(&db, &["auth_credential"], &format!("id = '{id}'")).await;
    assert!(refused(world.at(extra.secret.expose(), Door::Header).await), "the row before it was revoked");
    world.at(&world.admin, Door::Header).await.expect("others go on");
}

#[tokio::test]
async fn an_old_roll_that_is_put_back_with_its_rows_lets_no_one_in_until_the_operator_says_so() {
    let world = World::new().await;
    let (second, token) = world.hire(Role::Admin).await;
    let admin = world.admin().await;
    let db = open(&world).await;
    copied(&db).await;
    let suspended = world.accounts.set_staff_state(&admin, &second, State::Suspended, "leaves").await;
    suspended.expect("suspended");
    put_back(&db, &TABLES, "true").await;
    let restarted = Accounts::new(world.accounts.deps.clone(), world.accounts.config.clone());
    for accounts in [&world.accounts, &restarted] {
        for secret in [&token, &world.admin] {
            assert!(refused(accounts.exchange(secret, Door::Header).await), "an old roll");
        }
    }
    run(&db, "DELETE FROM auth_roll").await;
    assert!(refused(restarted.exchange(&world.admin, Door::Header).await), "no roll at all");

    let (_, issued) = restarted.let_admin_in(admin.org()).await.expect("whoever has the machine");
    for secret in [issued.secret.expose(), &world.admin] {
        world.at(secret, Door::Header).await.expect("the rows as they are now");
    }
}

#[tokio::test]
async fn the_parent_of_a_credential_cannot_be_changed_by_hand_either() {
    let world = World::new().await;
    let app = world.app().await;
    let learner = world.learner(&app, None).await;
    run(&open(&world).await, "UPDATE auth_credential SET expires_at = expires_at + 1 WHERE kind = 'service'")
        .await;
    assert!(refused(world.at(&learner, Door::Header).await));
}

#[tokio::test]
async fn the_insider_s_way_to_an_admin_is_closed() {
    let world = World::new().await;
    let app = world.app().await;
    let learner = world.learner(&app, None).await;
    let db = open(&world).await;
    let admin = texts(&db, "SELECT id FROM auth_staff WHERE role = 'admin'").await.remove(0);
    run(
        &db,
        &format!(
            "UPDATE auth_credential SET staff_id = '{admin}', program_id = NULL, subject = '{admin}', epoch = 1 WHERE kind = 'learner'"
        ),
    )
    .await;
    assert!(refused(world.at(&learner, Door::Header).await));
}
