//! Tables that may only grow.
//!
//! On SQLite three triggers per table refuse changes: one for updates, one for deletes, and one before inserts that
//! refuses a key which is already there, because `INSERT OR REPLACE` otherwise overwrites a row past both others.

use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::StoreError;
use crate::error::REPLACEMENT;
use crate::schema::sqlite;

#[derive(FromQueryResult)]
struct Column {
    name: String,
    pk: i32,
}

/// Puts the triggers on `tables`.
pub(crate) async fn guard(db: &impl ConnectionTrait, tables: &[&str]) -> Result<(), StoreError> {
    for table in tables {
        for statement in guards(db, table).await? {
            db.execute_unprepared(&statement).await?;
        }
    }
    Ok(())
}

/// The triggers that guard `table`.
async fn guards(db: &impl ConnectionTrait, table: &str) -> Result<Vec<String>, StoreError> {
    let columns =
        Column::find_by_statement(sqlite(&format!("SELECT name, pk FROM pragma_table_info('{table}')"), []))
            .all(db)
            .await?;
    let same_key = columns
        .iter()
        .filter(|column| column.pk > 0)
        .map(|column| format!("old_row.{0} = NEW.{0}", column.name))
        .collect::<Vec<_>>()
        .join(" AND ");
    if same_key.is_empty() {
        return Err(StoreError::Migration(format!("append-only table {table} needs a primary key")));
    }
    let refuse = |verb: &str| format!("SELECT RAISE(ABORT, 'append-only: {table} refuses {verb}');");
    Ok(vec![
        format!("CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {} END", refuse("update")),
        format!("CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {} END", refuse("delete")),
        format!(
            "CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} \
             WHEN EXISTS (SELECT 1 FROM {table} AS old_row WHERE {same_key}) BEGIN {} END",
            format!("SELECT RAISE(ABORT, 'append-only: {table} {REPLACEMENT}');")
        ),
    ])
}
