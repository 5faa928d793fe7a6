//! Rows that were changed by hand.

use std::fmt::Debug;
use std::time::Duration;

use preceptor_core::Role;
use preceptor_rpc::ServiceName;
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

fn changed<T: Debug>(outcome: Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::RowChanged))
}

/// The service as the next start finds it.
async fn start_again(world: &World) -> Accounts {
    let accounts = Accounts::new(world.accounts.deps.clone(), world.accounts.config.clone());
    assert!(accounts.bootstrap().await.expect("a start").is_none(), "there is an org already");
    accounts
}

/// Changes one column of the one row of a selection, looks, and puts the row back.
async fn with_change<T>(
    db: &DatabaseConnection,
    (table, which): (&str, &str),
    change: &str,
    look: impl AsyncFnOnce() -> T,
) -> T {
    run(db, &format!("CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {which}")).await;
    run(db, &format!("UPDATE {table} SET {change} WHERE {which}")).await;
    let seen = look().await;
    run(db, "PRAGMA foreign_keys = OFF").await;
    run(
        db,
        &format!(
            "DELETE FROM {table} WHERE {which}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"
        ),
    )
    .await;
    seen
}

#[tokio::test]
async fn an_org_that_was_changed_by_hand_is_neither_named_nor_let_in() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (org, db) = (admin.org().to_string(), open(&world).await);
    let row = format!("id = '{org}'");
    for change in [
        "name = 'Another'",
        "plan = 'unlimited'",
        "default_app_id = default_app_id || 'x'",
        "created_at = created_at + 1",
        "seal = ''",
    ] {
        with_change(&db, ("auth_org", row.as_str()), change, async || {
            for accounts in [&world.accounts, &start_again(&world).await] {
                assert!(changed(accounts.org_name(&admin, &org).await), "{change}");
                assert!(changed(accounts.exchange(&world.admin, Door::Header).await), "{change}");
                let token = accounts.system_token(ServiceName::Credits, admin.org()).await;
                assert!(changed(token), "{change}");
                assert!(accounts.list_orgs().await.expect("orgs").is_empty(), "{change}");
            }
        })
        .await;
        world.at(&world.admin, Door::Header).await.expect("as it was");
    }
    assert_eq!(world.accounts.list_orgs().await.expect("orgs").len(), 1);
}

#[tokio::test]
async fn a_number_that_was_changed_by_hand_is_held_and_freed_by_no_org() {
    let world = World::new().await;
    let operator = world.scope(&world.operator).await;
    let one = world.admin().await.org().to_string();
    let (other, ..) = world.accounts.create_org("Another", "Admin").await.expect("an org");
    let (one, other) = (one.as_str(), other.id.as_str());
    let hold = async |org: &str| world.accounts.hold_provider_number(&operator, org, "ACCME", "01234").await;
    let release = async |org: &str| world.accounts.release_provider_number(org, "ACCME", "1234").await;
    hold(one).await.expect("it is free");
    let db = open(&world).await;
    let moved = format!("org_id = '{other}'");
    for change in [moved.as_str(), "released_at = held_at", "held_by = 'someone'", "seal = ''"] {
        with_change(&db, ("auth_provider_number", "number = '1234'"), change, async || {
            start_again(&world).await;
            for org in [one, other] {
                assert!(changed(hold(org).await) && changed(release(org).await), "{change}");
            }
        })
        .await;
        hold(one).await.expect("again is the same");
        assert!(matches!(hold(other).await, Err(Error::ProviderNumberTaken)));
    }
    release(other).await.expect("it is not theirs, and stays held");
    assert!(matches!(hold(other).await, Err(Error::ProviderNumberTaken)));
    release(one).await.expect("it is theirs");
    world.advance(Duration::from_secs(1));
    hold(other).await.expect("it is free");
    assert!(matches!(hold(one).await, Err(Error::ProviderNumberTaken)));
}

#[tokio::test]
async fn rows_from_before_there_were_seals_are_sealed_once() {
    let world = World::new().await;
    let (admin, operator) = (world.admin().await, world.scope(&world.operator).await);
    let org = admin.org().to_string();
    let held = async || world.accounts.hold_provider_number(&operator, &org, "ACCME", "1234").await;
    held().await.expect("it is free");
    let db = open(&world).await;
    let without_seals = "UPDATE auth_org SET seal = ''; UPDATE auth_provider_number SET seal = ''";
    run(&db, without_seals).await;
    std::fs::remove_dir_all(world.folder.path().join("sealed-before")).expect("a folder");
    assert!(changed(held().await), "nothing is sealed on the way");
    start_again(&world).await;
    world.at(&world.admin, Door::Header).await.expect("sealed at the start");
    held().await.expect("sealed at the start");

    run(&db, without_seals).await;
    start_again(&world).await;
    assert!(changed(held().await), "never again");
    assert!(changed(world.at(&world.admin, Door::Header).await), "never again");
    let renewed = world.accounts.renew_operator().await;
    assert!(changed(renewed), "nor on the way to a new token");
}
