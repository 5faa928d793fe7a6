//! What is thrown at the tables: copies of what the mesh wrote, whole with everything they rest on, and then changed in
//! one place or two.
//!
//! A copy under new ids is as good as its original, so it is accepted; whatever is refused is refused for its change. A
//! change is a single cell, a fact wherever it is written in the copy, or another parent.

use std::collections::BTreeMap;

use preceptor_testkit::Dice;

use super::engine::{Engine, Row};
use super::tables::{Column, Holds, Table};

/// Learners who do not exist, for each of whom copies of all credentials stand ready.
pub(super) const SPARE: usize = 24;

/// What the ids of one of them end in.
pub(super) fn spare(number: usize) -> String {
    format!("_spare{number}")
}

/// Columns that hold one fact under different names.
const ALIASES: [(&str, &str); 9] = [
    ("quiz_completed_at", "completed_at"),
    ("accreditation_from", "valid_from"),
    ("accreditation_until", "valid_until"),
    ("entry_kind", "kind"),
    ("took", "kind"),
    ("previous_key_seen", "key_seen"),
    ("previous_right", "right_so_far"),
    ("right_answers", "right_so_far"),
    ("content_verified_at", "verified_at"),
];

fn fact(column: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == column).map_or(column, |(_, fact)| fact)
}

/// A row with the place of its table.
pub(super) type Placed = (usize, Row);

/// What a sequence is about, when it is not about everything.
#[derive(Debug, Clone)]
pub(super) struct Focus {
    pub(super) table: usize,
    pub(super) columns: Vec<String>,
    /// Whether it is about what keeps those who saw the key from taking a quiz.
    pub(super) added: bool,
}

/// Everything that can be thrown.
pub(super) struct Attack {
    pub(super) tables: Vec<Table>,
    /// What the mesh wrote, by table.
    pub(super) rows: Vec<Vec<Row>>,
    /// Rows of other services that ours refer to, by table name: their columns and values.
    pub(super) others: BTreeMap<String, (Vec<Column>, Vec<Row>)>,
    pub(super) fresh: u64,
    /// Whose turn it is to be copied for.
    pub(super) turn: usize,
}

/// What became of the sequences.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) statements: u64,
    pub(super) accepted: u64,
    /// How often each name refused.
    pub(super) refusals: BTreeMap<String, u64>,
    /// What no longer held, and after which statements.
    pub(super) broken: Option<(String, Vec<String>)>,
}

impl Attack {
    /// Reads what the mesh wrote.
    pub(super) async fn read(engine: &Engine, tables: Vec<Table>, others: &[(&str, Vec<Column>)]) -> Self {
        let mut rows = Vec::new();
        for table in &tables {
            rows.push(engine.rows(&table.name, &table.columns).await);
        }
        let mut read = BTreeMap::new();
        for (name, columns) in others {
            read.insert((*name).to_owned(), (columns.clone(), engine.rows(name, columns).await));
        }
        Self { tables, rows, others: read, fresh: 0, turn: 0 }
    }

    pub(super) fn place(&self, table: &str) -> Option<usize> {
        self.tables.iter().position(|known| known.name == table)
    }

    pub(super) fn at(&self, table: usize, column: &str) -> usize {
        self.tables[table].columns.iter().position(|known| known.name == column).expect("a column")
    }

    /// The options and passages of an item: without them it is none.
    fn with_siblings(&self, row: &Placed, found: &mut Vec<Placed>) {
        let Some(items) = self.place("credits_item_version").filter(|items| *items == row.0) else { return };
        let id = &row.1[self.at(items, "id")];
        for name in ["credits_item_option", "credits_item_passage"] {
            let Some(place) = self.place(name) else { continue };
            let at = self.at(place, "item_version_id");
            found
                .extend(self.rows[place].iter().filter(|own| own[at] == *id).map(|own| (place, own.clone())));
        }
    }

    /// The rows that a row rests on within credits, parents first, each once; and the row itself.
    fn with_parents(&self, row: &Placed, found: &mut Vec<Placed>) {
        let (table, values) = row;
        if found.contains(row) {
            return;
        }
        for (columns, parent, parent_columns) in self.tables[*table].references() {
            let Some(parent) = self.place(parent) else { continue };
            let wanted: Vec<(usize, &String)> = columns
                .iter()
                .zip(parent_columns)
                .map(|(own, of)| (self.at(parent, of), &values[self.at(*table, own)]))
                .collect();
            let fits = |candidate: &&Row| wanted.iter().all(|(at, value)| candidate[*at] == **value);
            let parents: Vec<Placed> =
                self.rows[parent].iter().filter(fits).map(|row| (parent, row.clone())).collect();
            for parent in parents.into_iter().filter(|parent| parent != row) {
                self.with_parents(&parent, found);
            }
        }
        if found.contains(row) {
            return;
        }
        found.push(row.clone());
        self.with_siblings(row, found);
    }

    /// A copy of a row and of what it rests on, under new ids and for a learner who has nothing yet. A shallow copy rests on
    /// the offers, items and forms that are there.
    pub(super) fn copy(&mut self, row: &Placed, deep: bool) -> Vec<Placed> {
        let mut bundle = Vec::new();
        self.with_parents(row, &mut bundle);
        // The row itself comes last.
        bundle.retain(|placed| placed != row);
        bundle.push(row.clone());
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        // Who took which quiz is a person's own, like the attempt that refers to it.
        let attempts = self.place("credits_taking").expect("a table");
        // A policy is one row for all.
        let shared = |table: usize| {
            ["credits_policy", "credits_policy_class"].contains(&self.tables[table].name.as_str())
        };
        bundle.retain(|(table, _)| *table == row.0 || (!shared(*table) && (deep || *table >= attempts)));
        for (table, values) in &bundle {
            let name = self.tables[*table].name.as_str();
            for (column, value) in self.tables[*table].columns.iter().zip(values) {
                let is_own_id = ["id", "award_id", "item_id", "code"].contains(&column.name.as_str())
                    || (name == "credits_suspension" && column.name == "source_version_id");
                if is_own_id && value != "NULL" && !renamed.contains_key(value) {
                    self.fresh += 1;
                    renamed.insert(value.clone(), format!("'new_{}'", self.fresh));
                }
                if ["learner", "assertion_id"].contains(&column.name.as_str()) && value != "NULL" {
                    renamed.insert(
                        value.clone(),
                        format!("{}{}'", value.trim_end_matches('\''), spare(self.turn)),
                    );
                }
            }
        }
        self.fresh += 1;
        let number = (1000 + self.fresh).to_string();
        for (table, values) in &mut bundle {
            for (column, value) in self.tables[*table].columns.iter().zip(values.iter_mut()) {
                if let Some(new) = renamed.get(value) {
                    value.clone_from(new);
                } else if column.name == "number" && self.tables[*table].name == "credits_form" {
                    value.clone_from(&number);
                }
            }
        }
        bundle
    }

    /// Another value for a cell.
    pub(super) fn other(&self, dice: &mut Dice, column: &Column, value: &str, bundle: &[Placed]) -> String {
        if dice.roll(10) == 0 {
            return "NULL".to_owned();
        }
        match column.holds {
            Holds::Truth => if value == "true" { "false" } else { "true" }.to_owned(),
            Holds::Bytes => "NULL".to_owned(),
            Holds::Number => {
                let number: i64 = value.parse().unwrap_or_default();
                // Near itself, or near another number of the copy: the edges of every rule.
                let numbers: Vec<i64> =
                    bundle.iter().flat_map(|(_, row)| row).filter_map(|value| value.parse().ok()).collect();
                match dice.roll(8) {
                    0 => (number + 1).to_string(),
                    1 => (number - 1).to_string(),
                    2 => (number.saturating_mul(2) + 7).to_string(),
                    3 => (*dice.pick(&["0", "-1", "0.3", "1", "2", "101", "401", "9999999999999999"]))
                        .to_owned(),
                    _ if numbers.is_empty() => "1".to_owned(),
                    _ => (*dice.pick(&numbers) + dice.roll(3) as i64 - 1).to_string(),
                }
            }
            Holds::Text => {
                let texts: Vec<&String> =
                    bundle.iter().flat_map(|(_, row)| row).filter(|value| value.starts_with('\'')).collect();
                let known: Vec<&String> = self
                    .tables
                    .iter()
                    .zip(&self.rows)
                    .filter_map(|(table, rows)| {
                        Some((table.columns.iter().position(|known| known.name == column.name)?, rows))
                    })
                    .flat_map(|(at, rows)| rows.iter().map(move |row| &row[at]))
                    .collect();
                match dice.roll(6) {
                    0 => "'nobody'".to_owned(),
                    1 => "''".to_owned(),
                    2 if !texts.is_empty() => (*dice.pick(&texts)).clone(),
                    _ if known.is_empty() => "'nobody'".to_owned(),
                    _ => (*dice.pick(&known)).clone(),
                }
            }
        }
    }

    /// Which row of a copy is changed, and in which column.
    fn aim(&self, dice: &mut Dice, bundle: &[Placed], focus: Option<&Focus>) -> Option<(usize, usize)> {
        let fits = |(_, (table, _)): &(usize, &Placed)| focus.is_none_or(|focus| focus.table == *table);
        let rows: Vec<usize> = bundle.iter().enumerate().filter(fits).map(|(at, _)| at).collect();
        if rows.is_empty() {
            return None;
        }
        let row = *dice.pick(&rows);
        let table = &self.tables[bundle[row].0];
        let columns: Vec<usize> = (0..table.columns.len())
            .filter(|at| table.columns[*at].name != "org_id")
            .filter(|at| focus.is_none_or(|focus| focus.columns.contains(&table.columns[*at].name)))
            .collect();
        (!columns.is_empty()).then(|| (row, *dice.pick(&columns)))
    }

    /// Changes one thing about a copy.
    pub(super) fn change(&self, dice: &mut Dice, bundle: &mut [Placed], focus: Option<&Focus>) {
        let Some((row, at)) = self.aim(dice, bundle, focus) else { return };
        let (table, values) = bundle[row].clone();
        let column = self.tables[table].columns[at].clone();
        let way = dice.roll(10);
        if way < 3 && self.give_another_parent(dice, bundle, row, &column.name) {
            return;
        }
        let value = self.other(dice, &column, &values[at], bundle);
        if way < 6 {
            bundle[row].1[at] = value;
            return;
        }
        self.replace_everywhere(bundle, &column.name, &values[at], &value);
    }

    /// Writes a fact anew wherever the copy holds it.
    fn replace_everywhere(&self, bundle: &mut [Placed], column: &str, old: &str, new: &str) {
        for (table, values) in bundle {
            for (known, cell) in self.tables[*table].columns.iter().zip(values.iter_mut()) {
                if fact(&known.name) == fact(column) && cell == old {
                    new.clone_into(cell);
                }
            }
        }
    }

    /// Has a row refer to another parent by every column of one of its references, wherever the copy writes those facts.
    fn give_another_parent(&self, dice: &mut Dice, bundle: &mut [Placed], row: usize, column: &str) -> bool {
        let table = bundle[row].0;
        let own: Vec<_> = self.tables[table]
            .references()
            .filter(|(columns, ..)| columns.iter().any(|own| own == column))
            .collect();
        if own.is_empty() {
            return false;
        }
        let (columns, parent, parent_columns) = *dice.pick(&own);
        let (parent_names, rows): (Vec<&str>, &[Row]) = if let Some(place) = self.place(parent) {
            (
                self.tables[place].columns.iter().map(|column| column.name.as_str()).collect(),
                &self.rows[place],
            )
        } else {
            let Some((columns, rows)) = self.others.get(parent) else { return false };
            (columns.iter().map(|column| column.name.as_str()).collect(), rows)
        };
        if rows.is_empty() {
            return false;
        }
        // Rather one of the same learner: with another one, everything is wrong at once.
        let learner = |names: &[&str], row: &Row| {
            names.iter().position(|name| *name == "learner").map(|at| row[at].clone())
        };
        let own_names: Vec<&str> =
            self.tables[table].columns.iter().map(|column| column.name.as_str()).collect();
        let wanted = learner(&own_names, &bundle[row].1);
        let same: Vec<&Row> = rows.iter().filter(|row| learner(&parent_names, row) == wanted).collect();
        let other = if same.is_empty() || dice.roll(4) == 0 { dice.pick(rows) } else { *dice.pick(&same) };
        let everywhere = dice.roll(2) == 0;
        for (own, of) in columns.iter().zip(parent_columns) {
            let at = self.at(table, own);
            let Some(value) =
                parent_names.iter().position(|name| name == of).map(|place| other[place].clone())
            else {
                continue;
            };
            let old = std::mem::replace(&mut bundle[row].1[at], value.clone());
            if everywhere && old != value && !["org_id", "program_id"].contains(&own.as_str()) {
                self.replace_everywhere(bundle, own, &old, &value);
            }
        }
        true
    }
}
