//! Statements on their way into the tables, and what the tables say.

use rusqlite::Connection;

use super::engine::{Engine, Row};
use super::tables::{Kind, Table};

/// A statement with what it is about.
pub(super) struct Thrown {
    pub(super) table: usize,
    pub(super) sql: String,
    /// The row, for insertions.
    pub(super) row: Option<Row>,
    /// Whether it changes or takes away what has to stay as it is.
    pub(super) tampers: bool,
    /// The statement of the same sequence that wrote what it tampers with.
    pub(super) written: Option<usize>,
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was accepted and changed something.
    Accepted,
    /// It was accepted, and there was nothing to change.
    Idle,
    /// It was refused by what has this name.
    Refused(String),
    /// It was refused, and no one can say by what.
    Unnamed(String),
}

/// Runs statements one after the other with the rights of the one who calls it, and says of each what became of it.
pub(super) const THROW: &str = "CREATE SCHEMA IF NOT EXISTS chain; GRANT USAGE ON SCHEMA chain TO PUBLIC; \
    CREATE OR REPLACE FUNCTION chain.throw(statements text[]) RETURNS text LANGUAGE plpgsql AS $body$ \
    DECLARE one text; outcomes text[] := '{}'; changed bigint; state text; by_constraint text; by_table text; by_column text; words text; \
    BEGIN FOREACH one IN ARRAY statements LOOP BEGIN EXECUTE one; GET DIAGNOSTICS changed = ROW_COUNT; outcomes := outcomes || changed::text; \
    EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, by_constraint = CONSTRAINT_NAME, by_table = TABLE_NAME, \
    by_column = COLUMN_NAME, words = MESSAGE_TEXT; outcomes := outcomes || concat_ws('|', state, by_constraint, by_table, by_column, words); \
    END; END LOOP; RETURN array_to_string(outcomes, E'\\x01'); END $body$";

impl Engine {
    /// Throws statements one after the other.
    pub(super) async fn throw(&self, tables: &[Table], thrown: &[Thrown]) -> Vec<Fate> {
        let Self::File { db, .. } = self else { return self.throw_at_server(thrown).await };
        let mut fates = Vec::with_capacity(thrown.len());
        for one in thrown {
            let fate = match db.execute(&one.sql, []) {
                Ok(0) => Fate::Idle,
                Ok(_) => Fate::Accepted,
                Err(error) => fate_at_file(db, &words(&error), &tables[one.table], one.row.as_ref()),
            };
            fates.push(fate);
        }
        fates
    }

    async fn throw_at_server(&self, thrown: &[Thrown]) -> Vec<Fate> {
        let quoted: Vec<String> = thrown.iter().map(|one| format!("$q${}$q$", one.sql)).collect();
        let outcomes =
            self.texts(&format!("SELECT chain.throw(ARRAY[{}]::text[])", quoted.join(", ")), 1).await;
        let fates: Vec<Fate> =
            outcomes[0][0].split('\x01').filter(|outcome| !outcome.is_empty()).map(fate_at_server).collect();
        assert_eq!(fates.len(), thrown.len());
        fates
    }
}

/// SQLite names checks. Of a key it says which columns it has, and of a reference nothing: the one whose parent is missing
/// refused.
fn fate_at_file(db: &Connection, text: &str, table: &Table, row: Option<&Row>) -> Fate {
    for named in ["CHECK constraint failed: ", "NOT NULL constraint failed: "] {
        if let Some(name) = text.strip_prefix(named) {
            return Fate::Refused(name.to_owned());
        }
    }
    if text.contains("refuses replacement") {
        return Fate::Refused(table.primary().name.clone());
    }
    if text.contains("append-only: ") {
        return Fate::Refused("append_only".into());
    }
    if let Some(columns) = text.strip_prefix("UNIQUE constraint failed: ") {
        let columns: Vec<&str> = columns.split(", ").filter_map(|column| column.rsplit('.').next()).collect();
        let key = table.constraints.iter().find(|one| matches!(&one.kind, Kind::Key(own) if *own == columns));
        return Fate::Refused(
            key.map_or_else(|| format!("the index of {}", table.name), |one| one.name.clone()),
        );
    }
    if text != "FOREIGN KEY constraint failed" {
        return Fate::Unnamed(text.to_owned());
    }
    // No one may change or take away what others refer to.
    let Some(row) = row else { return Fate::Refused("foreign key".into()) };
    without_parent(db, table, row).map_or_else(|| Fate::Unnamed(text.to_owned()), Fate::Refused)
}

fn without_parent(db: &Connection, table: &Table, row: &Row) -> Option<String> {
    for constraint in &table.constraints {
        let Kind::Reference { columns, parent, parent_columns } = &constraint.kind else { continue };
        let value = |name: &String| {
            &row[table.columns.iter().position(|column| column.name == *name).expect("a column")]
        };
        if columns.iter().any(|column| value(column) == "NULL") {
            continue;
        }
        let wanted: Vec<String> =
            columns.iter().zip(parent_columns).map(|(own, of)| format!("{of} = {}", value(own))).collect();
        let found = db.query_row(
            &format!("SELECT EXISTS (SELECT 1 FROM {parent} WHERE {})", wanted.join(" AND ")),
            [],
            |row| row.get::<_, bool>(0),
        );
        if !found.expect("a look") {
            return Some(constraint.name.clone());
        }
    }
    None
}

/// What SQLite said, without what stands around it.
fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        other => other.to_string(),
    }
}

fn fate_at_server(outcome: &str) -> Fate {
    let parts: Vec<&str> = outcome.splitn(5, '|').collect();
    match parts[..] {
        ["0"] => Fate::Idle,
        [_] => Fate::Accepted,
        ["23505" | "23503" | "23514" | "23001", name, ..] if !name.is_empty() => {
            Fate::Refused(name.to_owned())
        }
        ["23502", _, table, column, _] => Fate::Refused(format!("{table}.{column}")),
        ["42501", ..] => Fate::Refused("privilege".into()),
        ["P0001", .., words] if words.starts_with("append-only: ") => Fate::Refused("append_only".into()),
        _ => Fate::Unnamed(outcome.to_owned()),
    }
}
