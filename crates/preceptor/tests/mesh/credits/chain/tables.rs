//! The tables of credits, read from their own text: what can be thrown at them, and what can be taken away.

use std::collections::BTreeMap;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Number,
    Truth,
    Bytes,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) holds: Holds,
    pub(super) may_be_null: bool,
    /// The line of the table's text.
    pub(super) line: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Check,
    Key(Vec<String>),
    Reference { columns: Vec<String>, parent: String, parent_columns: Vec<String> },
}

/// Something that a table refuses rows by.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) name: String,
    /// The line of the table's text.
    pub(super) line: String,
    pub(super) kind: Kind,
    /// The columns that it speaks of.
    pub(super) columns: Vec<String>,
    /// Whether a later migration added it to the chain.
    pub(super) added: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    /// Whether rows may only be added.
    pub(super) grows: bool,
}

impl Table {
    pub(super) fn references(&self) -> impl Iterator<Item = (&[String], &str, &[String])> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            Kind::Reference { columns, parent, parent_columns } => {
                Some((columns.as_slice(), parent.as_str(), parent_columns.as_slice()))
            }
            _ => None,
        })
    }

    /// The primary key.
    pub(super) fn primary(&self) -> &Constraint {
        self.constraints.iter().find(|constraint| constraint.line.contains(" PRIMARY KEY ")).expect("a key")
    }
}

/// The names between the next brackets, and what follows them.
fn names(text: &str) -> (Vec<String>, &str) {
    let (inside, after) = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("brackets");
    (inside.split(',').map(|name| name.trim().to_owned()).collect(), after)
}

fn constraint(line: &str, columns: &[Column]) -> Constraint {
    let (name, rest) =
        line.strip_prefix("CONSTRAINT ").and_then(|rest| rest.split_once(' ')).expect("a name");
    let kind = if rest.starts_with("CHECK") {
        Kind::Check
    } else if rest.starts_with("FOREIGN KEY") {
        let (own, after) = names(rest);
        let parent = after
            .trim()
            .strip_prefix("REFERENCES ")
            .and_then(|rest| rest.split(' ').next())
            .expect("a parent")
            .to_owned();
        Kind::Reference { columns: own, parent, parent_columns: names(after).0 }
    } else {
        Kind::Key(names(rest).0)
    };
    let spoken_of = match &kind {
        Kind::Check => {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let words: Vec<&str> = rest.split(|c: char| !is_word(c)).collect();
            columns
                .iter()
                .map(|column| column.name.clone())
                .filter(|name| words.contains(&name.as_str()))
                .collect()
        }
        Kind::Key(columns) | Kind::Reference { columns, .. } => columns.clone(),
    };
    Constraint { name: name.to_owned(), line: line.to_owned(), kind, columns: spoken_of, added: false }
}

fn column(line: &str) -> Column {
    let mut words = line.split(' ');
    let (name, holds) = (words.next().expect("a name").to_owned(), words.next().expect("a type"));
    let holds = match holds {
        "BIGINT" => Holds::Number,
        "BOOLEAN" => Holds::Truth,
        "BYTEA" => Holds::Bytes,
        _ => Holds::Text,
    };
    Column { name, holds, may_be_null: !line.contains("NOT NULL"), line: line.to_owned() }
}

fn table(definition: &str, grows: &[&str]) -> Table {
    let (name, body) = definition.split_once(" (\n").expect("a table");
    let lines =
        body.lines().map(|line| line.trim().trim_end_matches(',')).take_while(|line| !line.starts_with(')'));
    let (constraints, columns): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.starts_with("CONSTRAINT "));
    let columns: Vec<Column> = columns.into_iter().map(column).collect();
    Table {
        constraints: constraints.into_iter().map(|line| constraint(line, &columns)).collect(),
        grows: grows.contains(&name),
        name: name.to_owned(),
        columns,
    }
}

/// The table of who took which quiz, which attempts refer to.
const TAKING: &str = "credits_taking";

/// All tables of the chain, each after those that it refers to, with what later migrations added to them.
pub(super) fn tables() -> Vec<Table> {
    let named = |name: &str| {
        preceptor_credits::SCHEMA.migrations.iter().find(|step| step.name == name).expect("a step")
    };
    let (chain, later) = (named("0001_credits"), named("0003_assessment"));
    let made = |migration: &preceptor_store::Migration| -> Vec<Table> {
        migration
            .sql
            .split("CREATE TABLE ")
            .skip(1)
            .map(|definition| table(definition, migration.append_only))
            .collect()
    };
    let mut tables = made(chain);
    let mut taking = made(later).into_iter().find(|table| table.name == TAKING).expect("a table");
    for one in &mut taking.constraints {
        one.added = true;
    }
    let attempts = tables.iter().position(|table| table.name == "credits_attempt").expect("a table");
    tables.insert(attempts, taking);
    for table in &mut tables {
        extend(table, later.sql);
    }
    tables
}

/// What concerns who may take a quiz is added to attempts and results; other tables got columns that have a default.
fn extend(table: &mut Table, sql: &str) {
    if !["credits_attempt", "credits_result"].contains(&table.name.as_str()) {
        return;
    }
    let prefix = format!("ALTER TABLE {} ADD ", table.name);
    for statement in
        sql.lines().filter_map(|line| line.strip_prefix(&prefix)).map(|line| line.trim_end_matches(';'))
    {
        match statement.strip_prefix("COLUMN ") {
            Some(definition) => table.columns.push(column(definition)),
            None => {
                table.constraints.push(Constraint { added: true, ..constraint(statement, &table.columns) });
            }
        }
    }
}

/// The unique indexes beside the tables: their names and their text.
pub(super) fn indexes() -> BTreeMap<String, String> {
    let lines = preceptor_credits::SCHEMA.migrations[0].sql.lines();
    let unique = lines.filter(|line| line.starts_with("CREATE UNIQUE INDEX "));
    unique
        .map(|line| {
            (line.split(' ').nth(3).expect("a name").to_owned(), line.trim_end_matches(';').to_owned())
        })
        .collect()
}
