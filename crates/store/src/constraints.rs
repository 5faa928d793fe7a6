//! Which constraint refused a row.
//!
//! PostgreSQL names it in every refusal. SQLite names checks only: of a foreign key it says that one failed, of a unique
//! key which columns it has. The names stand in the table's own definition, so they are read from there, and for a
//! foreign key the parents are looked up.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IdenStatic as _, Iterable as _, Value,
};

use crate::StoreError;
use crate::error::{FOREIGN_KEY, REPLACEMENT, UNIQUE};
use crate::schema::sqlite;

/// A row by column name.
type Row = BTreeMap<&'static str, Value>;

/// The values of rows, kept while they are on their way into the database.
pub(crate) fn values<E: EntityTrait>(rows: &[E::ActiveModel]) -> Vec<Row> {
    let value =
        |row: &E::ActiveModel, column: E::Column| Some((column.as_str(), row.get(column).into_value()?));
    rows.iter().map(|row| E::Column::iter().filter_map(|column| value(row, column)).collect()).collect()
}

/// The error of an insert into `E`'s table, with the name of the constraint where it can be found.
pub(crate) async fn explain<E: EntityTrait>(
    db: &impl ConnectionTrait,
    error: DbErr,
    rows: &[Row],
) -> StoreError {
    let error = StoreError::from(error);
    if db.get_database_backend() != DbBackend::Sqlite {
        return error;
    }
    let table = E::default();
    let Ok(definition) = definition(db, table.table_name()).await else { return error };
    match &error {
        StoreError::Refused(what) if what == FOREIGN_KEY => {
            missing_parent(db, &definition, table.table_name(), rows).await.map_or(error, StoreError::Refused)
        }
        StoreError::Duplicate(what) if what.contains(REPLACEMENT) => match primary_key(&definition) {
            Some(name) => StoreError::Duplicate(name.to_owned()),
            None => error,
        },
        StoreError::Duplicate(what) => {
            match what.split_once(UNIQUE).and_then(|(_, columns)| unique_name(&definition, columns)) {
                Some(name) => StoreError::Duplicate(name.to_owned()),
                None => error,
            }
        }
        _ => error,
    }
}

async fn definition(db: &impl ConnectionTrait, table: &str) -> Result<String, StoreError> {
    let statement = sqlite("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [table.into()]);
    let row = db
        .query_one_raw(statement)
        .await?
        .ok_or_else(|| StoreError::Unavailable(format!("no table {table}")))?;
    Ok(row.try_get("", "sql")?)
}

#[derive(Debug, PartialEq, Eq)]
struct ForeignKey<'a> {
    name: &'a str,
    columns: Vec<&'a str>,
    parent: &'a str,
    parent_columns: Vec<&'a str>,
}

/// The column names between the next pair of brackets, and what stands before them.
fn columns(text: &str) -> Option<(&str, Vec<&str>, &str)> {
    let (before, rest) = text.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    Some((before.trim(), inside.split(',').map(str::trim).collect(), after))
}

/// The named constraints of a definition: their names and what follows.
fn constraints(definition: &str) -> impl Iterator<Item = (&str, &str)> {
    definition.split("CONSTRAINT ").skip(1).filter_map(|constraint| constraint.split_once(' '))
}

fn foreign_keys(definition: &str) -> impl Iterator<Item = ForeignKey<'_>> {
    constraints(definition).filter_map(|(name, rest)| {
        let (_, own, rest) = columns(rest.strip_prefix("FOREIGN KEY")?)?;
        let (parent, parent_columns, _) = columns(rest.trim_start().strip_prefix("REFERENCES")?)?;
        Some(ForeignKey { name, columns: own, parent, parent_columns })
    })
}

/// The name of the primary key.
fn primary_key(definition: &str) -> Option<&str> {
    constraints(definition).find(|(_, rest)| rest.starts_with("PRIMARY KEY")).map(|(name, _)| name)
}

/// The unique or primary key on exactly `failed`, in SQLite's own words: `table.a, table.b`.
fn unique_name<'a>(definition: &'a str, failed: &str) -> Option<&'a str> {
    let failed: Vec<&str> = failed
        .trim_end_matches(')')
        .split(',')
        .filter_map(|column| column.trim().rsplit('.').next())
        .collect();
    constraints(definition)
        .find(|(_, rest)| {
            (rest.starts_with("UNIQUE") || rest.starts_with("PRIMARY KEY"))
                && columns(rest).is_some_and(|(_, own, _)| own == failed)
        })
        .map(|(name, _)| name)
}

/// The first foreign key that points at nothing.
async fn missing_parent(
    db: &impl ConnectionTrait,
    definition: &str,
    table: &str,
    rows: &[Row],
) -> Option<String> {
    for key in foreign_keys(definition) {
        for row in rows {
            let Some(wanted) = key.columns.iter().map(|column| row.get(column)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let matches = |candidate: &Row| {
                key.parent_columns
                    .iter()
                    .zip(&wanted)
                    .all(|(column, value)| candidate.get(column) == Some(value))
            };
            // A row may point at itself or at one that comes with it.
            if wanted.iter().any(|value| is_null(value)) || (key.parent == table && rows.iter().any(matches))
            {
                continue;
            }
            let mut parent =
                Query::select().expr(Expr::value(1)).from(Alias::new(key.parent)).limit(1).to_owned();
            for (column, value) in key.parent_columns.iter().zip(wanted) {
                parent.and_where(Expr::col(Alias::new(*column)).eq(value.clone()));
            }
            if db.query_one(&parent).await.ok()?.is_none() {
                return Some(key.name.to_owned());
            }
        }
    }
    None
}

/// Whether a value is SQL's NULL.
fn is_null(value: &Value) -> bool {
    *value == value.as_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "CREATE TABLE c (org_id TEXT NOT NULL, a TEXT, CONSTRAINT c_once UNIQUE (org_id, a),\n \
        CONSTRAINT c_parent FOREIGN KEY (org_id, a) REFERENCES p (org_id, id) ON UPDATE RESTRICT, CONSTRAINT c_named CHECK (a <> ''))";

    #[test]
    fn names_are_read_from_the_definition() {
        let keys: Vec<_> = foreign_keys(DEFINITION).collect();
        let expected = ForeignKey {
            name: "c_parent",
            columns: vec!["org_id", "a"],
            parent: "p",
            parent_columns: vec!["org_id", "id"],
        };
        assert_eq!(keys, [expected]);
        assert_eq!(unique_name(DEFINITION, " c.org_id, c.a"), Some("c_once"));
        assert_eq!(unique_name(DEFINITION, " c.org_id"), None);
    }

    #[test]
    fn a_null_is_recognized() {
        assert!(is_null(&Value::String(None)) && !is_null(&Value::from("x")));
    }
}
