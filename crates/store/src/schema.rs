//! A service's tables, and how they come into a database.
//!
//! Migrations are plain SQL in the dialect that SQLite and PostgreSQL share (`TEXT`, `BIGINT`, `BOOLEAN`, `BYTEA`,
//! `REAL` for `f32`), with `ALTER TABLE … ADD CONSTRAINT` as PostgreSQL has it. Each is applied once, in its own transaction, and remembered with the hash of its
//! text: a database that was built from another text is refused rather than guessed at.

use hex::ToHex as _;
use preceptor_core::Timestamp;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement, TransactionTrait};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, alter, append_only, outbox, postgres};

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Unique within the service; the order of the list is the order of application.
    pub name: &'static str,
    /// Statements separated by `;` at the end of a line.
    pub sql: &'static str,
    /// Tables of this step that may only grow.
    pub append_only: &'static [&'static str],
}

/// The tables of one service.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The prefix of every table of the service.
    pub service: &'static str,
    /// All steps, oldest first.
    pub migrations: &'static [Migration],
}

#[derive(FromQueryResult)]
struct Applied {
    name: String,
    sha256: String,
}

impl Schema {
    /// Brings `db` up to date with this schema.
    pub(crate) async fn apply(&self, db: &DatabaseConnection, now: Timestamp) -> Result<(), StoreError> {
        let table = migrations_table(self.service);
        db.execute_unprepared(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)"
        ))
        .await?;
        let applied = self.applied(db, &table).await?;
        for migration in &self.steps() {
            let sha256: String = Sha256::digest(migration.sql.as_bytes()).encode_hex();
            match applied.iter().find(|row| row.name == migration.name) {
                Some(row) if row.sha256 == sha256 => {}
                Some(_) => {
                    return Err(StoreError::Migration(format!(
                        "{}: migration {} in the database is not the one this version of Preceptor knows; use the version that wrote it",
                        self.service, migration.name
                    )));
                }
                None => apply_one(db, self.service, migration, &sha256, now).await?,
            }
        }
        Ok(())
    }

    /// The tables that may only grow.
    pub fn append_only(&self) -> impl Iterator<Item = &'static str> {
        self.migrations.iter().flat_map(|migration| migration.append_only.iter().copied())
    }

    /// What every service has, and then its own.
    fn steps(&self) -> Vec<Step> {
        let step = |migration: &Migration| Step {
            name: migration.name,
            sql: migration.sql.to_owned(),
            append_only: migration.append_only.to_vec(),
        };
        let common = [outbox::migration(self.service), outbox::seals(self.service)];
        common.into_iter().chain(self.migrations.iter().map(step)).collect()
    }

    /// The steps that were not applied to `db`.
    pub(crate) async fn missing(&self, db: &DatabaseConnection) -> Result<Vec<&'static str>, StoreError> {
        let applied = self.applied(db, &migrations_table(self.service)).await?;
        Ok(self
            .steps()
            .iter()
            .map(|step| step.name)
            .filter(|name| !applied.iter().any(|row| row.name == *name))
            .collect())
    }

    async fn applied(&self, db: &DatabaseConnection, table: &str) -> Result<Vec<Applied>, StoreError> {
        let query =
            Query::select().columns(["name", "sha256"].map(Alias::new)).from(Alias::new(table)).to_owned();
        Ok(Applied::find_by_statement(db.get_database_backend().build(&query)).all(db).await?)
    }
}

/// The table that remembers what was applied.
pub(crate) fn migrations_table(service: &str) -> String {
    format!("{service}_migrations")
}

/// A migration whose text may have been made for a service.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) sql: String,
    pub(crate) append_only: Vec<&'static str>,
}

async fn apply_one(
    db: &DatabaseConnection,
    service: &str,
    step: &Step,
    sha256: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tx = db.begin().await?;
    // First of all, so that of two processes that bring the same tables up to date one waits here for the other.
    let insert = Query::insert()
        .into_table(Alias::new(migrations_table(service)))
        .columns(["name", "sha256", "applied_at"].map(Alias::new))
        .values_panic([Expr::value(step.name), Expr::value(sha256), Expr::value(now.micros())])
        .on_conflict(OnConflict::column(Alias::new("name")).do_nothing().to_owned())
        .to_owned();
    if tx.execute(&insert).await?.rows_affected() == 0 {
        return Ok(tx.rollback().await?);
    }
    for statement in statements(&step.sql) {
        match tx.get_database_backend() {
            DbBackend::Postgres => tx.execute_unprepared(statement).await.map(|_| ())?,
            _ => alter::run(&tx, statement).await?,
        }
    }
    match tx.get_database_backend() {
        DbBackend::Postgres => postgres::hand_over(&tx, service, step).await?,
        _ => append_only::guard(&tx, &step.append_only).await?,
    }
    Ok(tx.commit().await?)
}

/// The statements of a migration: separated by a semicolon at the end of a line.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n")
        .map(|statement| statement.trim().trim_end_matches(';'))
        .filter(|statement| !statement.is_empty())
}

/// A statement for SQLite with positional values.
pub(crate) fn sqlite(sql: &str, values: impl IntoIterator<Item = sea_orm::Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

/// A filter on the org of a table that every service has.
pub(crate) fn org_is(org: &str) -> sea_orm::sea_query::SimpleExpr {
    Expr::col(Alias::new("org_id")).eq(org)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_split_at_line_ends() {
        let sql = "CREATE TABLE a (x TEXT CHECK (x <> ';'));\n\nCREATE TABLE b (y TEXT);\n";
        assert_eq!(
            statements(sql).collect::<Vec<_>>(),
            ["CREATE TABLE a (x TEXT CHECK (x <> ';'))", "CREATE TABLE b (y TEXT)"]
        );
    }

    /// Two processes meet the same new database.
    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_that_make_the_same_tables_one_waits_for_the_other() {
        const TABLE: &str =
            "CREATE TABLE probe_a (org_id TEXT NOT NULL, x TEXT NOT NULL, PRIMARY KEY (org_id, x));\n";
        const SCHEMA: Schema = Schema {
            service: "probe",
            migrations: &[Migration { name: "0001_a", sql: TABLE, append_only: &["probe_a"] }],
        };
        for _ in 0..8 {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("cell.db");
            let one = crate::sqlite::open(&path, 1).await.expect("a database");
            let other = crate::sqlite::open(&path, 1).await.expect("the same");
            let now = Timestamp::from_micros(1);
            let (first, second) =
                tokio::join!(SCHEMA.apply(&one.writer, now), SCHEMA.apply(&other.writer, now));
            first.expect("the first makes them");
            second.expect("the other finds them");
            one.close().await;
            other.close().await;
        }
    }
}
