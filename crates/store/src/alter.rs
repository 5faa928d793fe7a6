//! `ALTER TABLE … ADD CONSTRAINT` on SQLite.
//!
//! PostgreSQL has the statement; SQLite keeps a table's definition as text and describes how a constraint is added to it
//! without building the table again (sqlite.org/lang_altertable.html, section 7): the text is changed and the schema read
//! again. As on PostgreSQL, the rows that are there have to fulfill the new constraint.

use sea_orm::ConnectionTrait;
use sea_orm::Statement;

use crate::StoreError;
use crate::schema::sqlite;

/// A constraint to be added, as a statement of a migration says it.
#[derive(Debug, PartialEq, Eq)]
struct Addition<'a> {
    table: &'a str,
    /// `CONSTRAINT name …`.
    constraint: &'a str,
}

impl<'a> Addition<'a> {
    fn of(statement: &'a str) -> Option<Self> {
        let (table, constraint) = statement.strip_prefix("ALTER TABLE ")?.split_once(" ADD CONSTRAINT ")?;
        // The keyword is a part of the definition's text.
        let at = statement.len() - constraint.len() - "CONSTRAINT ".len();
        Some(Self { table: table.trim(), constraint: statement[at..].trim() })
    }
}

/// Whether a statement is about row security, which a file has no need of: it holds the rows of one org.
fn is_row_security(statement: &str) -> bool {
    statement.starts_with("ALTER TABLE ") && statement.ends_with("FORCE ROW LEVEL SECURITY")
}

/// Runs a statement of a migration on a file; comments before it are none of its text.
pub(crate) async fn run(db: &impl ConnectionTrait, statement: &str) -> Result<(), StoreError> {
    let bare = without_comments(statement);
    if is_row_security(bare) {
        return Ok(());
    }
    match Addition::of(bare) {
        Some(addition) => add(db, &addition).await,
        None => Ok(db.execute_unprepared(statement).await.map(|_| ())?),
    }
}

/// A statement without the lines of comment before it.
fn without_comments(mut statement: &str) -> &str {
    while statement.starts_with("--") {
        statement = statement.split_once('\n').map_or("", |(_, rest)| rest.trim_start());
    }
    statement
}

async fn add(db: &impl ConnectionTrait, addition: &Addition<'_>) -> Result<(), StoreError> {
    let failed =
        |why: &str| StoreError::Migration(format!("{}: {why}: {}", addition.table, addition.constraint));
    let find =
        sqlite("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [addition.table.into()]);
    let row = db.query_one_raw(find).await?.ok_or_else(|| failed("no such table"))?;
    let definition: String = row.try_get("", "sql")?;
    let extended = extended(&definition, addition.constraint).ok_or_else(|| failed("no list of columns"))?;
    let version = db
        .query_one_raw(sqlite("PRAGMA schema_version", []))
        .await?
        .ok_or_else(|| failed("no version of the schema"))?;
    let version: i64 = version.try_get_by_index(0)?;
    db.execute_unprepared("PRAGMA writable_schema = ON").await?;
    let update = "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?";
    db.execute_raw(sqlite(update, [extended.into(), addition.table.into()])).await?;
    db.execute_unprepared(&format!("PRAGMA schema_version = {}", version + 1)).await?;
    db.execute_unprepared("PRAGMA writable_schema = RESET").await?;
    if db
        .query_one_raw(breaking(addition).ok_or_else(|| failed("neither a check nor a foreign key"))?)
        .await?
        .is_some()
    {
        return Err(failed("rows that are there do not fulfill it"));
    }
    Ok(())
}

/// The definition with one more constraint, in a line of its own.
fn extended(definition: &str, constraint: &str) -> Option<String> {
    let body = definition.trim_end().strip_suffix(')')?.trim_end();
    Some(format!("{body},\n    {constraint}\n)"))
}

/// Finds a row that breaks the constraint.
fn breaking(addition: &Addition<'_>) -> Option<Statement> {
    let (_, rest) = addition.constraint.strip_prefix("CONSTRAINT ")?.split_once(' ')?;
    if rest.starts_with("FOREIGN KEY") {
        return Some(sqlite(
            &format!("SELECT 1 FROM pragma_foreign_key_check('{}') LIMIT 1", addition.table),
            [],
        ));
    }
    let condition = rest.strip_prefix("CHECK")?;
    Some(sqlite(&format!("SELECT 1 FROM {} WHERE NOT {condition} LIMIT 1", addition.table), []))
}

#[cfg(test)]
mod tests {
    use sea_orm::{Database, TransactionTrait as _};

    use super::*;

    async fn tables() -> sea_orm::DatabaseConnection {
        let db =
            Database::connect(sea_orm::ConnectOptions::new("sqlite::memory:").max_connections(1).to_owned())
                .await
                .expect("a database");
        for sql in [
            "CREATE TABLE p (a TEXT NOT NULL, b BIGINT NOT NULL, CONSTRAINT p_key PRIMARY KEY (a, b))",
            "CREATE TABLE c (a TEXT NOT NULL, CONSTRAINT c_key PRIMARY KEY (a))",
            "INSERT INTO p VALUES ('x', 1)",
            "INSERT INTO c VALUES ('x')",
        ] {
            db.execute_unprepared(sql).await.expect("a table");
        }
        db
    }

    const COLUMN: &str = "ALTER TABLE c ADD COLUMN b BIGINT NOT NULL DEFAULT 1";
    const REFERENCE: &str = "-- Why.\nALTER TABLE c ADD CONSTRAINT c_of_p FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE RESTRICT";
    const CHECK: &str = "ALTER TABLE c ADD CONSTRAINT c_small CHECK (b < 3)";

    #[tokio::test]
    async fn an_added_constraint_refuses_rows_from_then_on() {
        let db = tables().await;
        let tx = db.begin().await.expect("a transaction");
        for statement in [COLUMN, REFERENCE, CHECK, "ALTER TABLE c NO FORCE ROW LEVEL SECURITY"] {
            run(&tx, statement).await.expect(statement);
        }
        tx.commit().await.expect("an end");
        db.execute_unprepared("INSERT INTO p VALUES ('y', 3), ('z', 2)").await.expect("parents");
        db.execute_unprepared("INSERT INTO c VALUES ('z', 2)").await.expect("a row that fulfills both");
        for wrong in ["INSERT INTO c VALUES ('q', 1)", "INSERT INTO c VALUES ('y', 3)"] {
            assert!(db.execute_unprepared(wrong).await.is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn rows_that_break_it_refuse_the_constraint() {
        let db = tables().await;
        let tx = db.begin().await.expect("a transaction");
        run(&tx, "ALTER TABLE c ADD COLUMN b BIGINT NOT NULL DEFAULT 9").await.expect("a column");
        assert!(run(&tx, REFERENCE).await.is_err());
        assert!(run(&tx, CHECK).await.is_err());
        assert!(run(&tx, "ALTER TABLE c ADD CONSTRAINT c_once UNIQUE (b)").await.is_err(), "not that way");
    }
}
