//! The chain against the one who holds the rights of the credits service: random statements run as they come, and no credit
//! comes out that was not earned. That the attack is a strong one is shown by taking guards away, one at a time: then it
//! succeeds.

mod attack;
mod engine;
mod invariants;
mod links;
mod sequence;
mod tables;
mod throw;
mod world;

use std::path::Path;

use preceptor_testkit::Store;

use attack::{Attack, Focus, Outcome};
use engine::{Engine, Home, file_without};
use links::an_award_without_any_one_link_fails_in_sql;
use tables::{Kind, Table, indexes, tables};

/// Sequences that the whole schema stands.
const SEQUENCES: u64 = 100_000;
/// Sequences within which a missing guard has to be noticed.
const UNTIL_NOTICED: u64 = 30_000;

preceptor_testkit::on_both_stores! {
    no_sequence_of_statements_makes_a_credit_that_was_not_earned
    the_attack_notices_the_loss_of_any_guard
    an_award_without_any_one_link_fails_in_sql
}

async fn no_sequence_of_statements_makes_a_credit_that_was_not_earned(store: Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, org) = world::lived(store, folder.path()).await;
    let engine = home.open(&org).await;
    engine.start().await;
    assert_eq!(engine.broken().await, None, "what the mesh wrote holds");
    let mut attack = Attack::read(&engine, tables(), &world::others()).await;
    for (table, rows) in attack.tables.iter().zip(&attack.rows) {
        assert!(!rows.is_empty(), "{} is empty", table.name);
    }
    let Outcome { statements, accepted, refusals, broken } =
        attack.run(&engine, 0x5EED, SEQUENCES, None).await;
    assert_eq!(broken, None);
    assert!(accepted > statements / 10, "{accepted} of {statements} were accepted: the attack comes close");
    println!(
        "{SEQUENCES} sequences, {statements} statements, {accepted} accepted, 0 credits that were not earned; refused by {} guards: {refusals:#?}",
        refusals.len()
    );
}

/// Something that can be taken away.
#[derive(Debug, Clone)]
struct Guard {
    table: usize,
    name: String,
    loss: Loss,
    columns: Vec<String>,
    /// Whether it is one of those that keep the one who saw the key from taking a quiz.
    added: bool,
}

#[derive(Debug, Clone)]
enum Loss {
    /// A constraint, by its line.
    Constraint(String),
    /// That a column is never empty.
    NotNull { line: String, instead: String },
    /// A unique index.
    Index,
    /// A trigger on a table that only grows.
    Trigger,
}

/// Every guard of the tables: constraints, columns of constraints that are never empty, unique indexes.
fn guards(tables: &[Table]) -> Vec<Guard> {
    let mut guards = Vec::new();
    for (place, table) in tables.iter().enumerate() {
        let guard = |name: &str, columns: &[String], loss, added| Guard {
            table: place,
            name: name.to_owned(),
            loss,
            columns: columns.to_vec(),
            added,
        };
        guards.extend(
            table
                .constraints
                .iter()
                .map(|one| guard(&one.name, &one.columns, Loss::Constraint(one.line.clone()), one.added)),
        );
        let referring = |added: bool| {
            let references = table
                .constraints
                .iter()
                .filter(move |one| matches!(one.kind, Kind::Reference { .. }) && (added || !one.added));
            references.flat_map(|one| &one.columns).collect::<Vec<&String>>()
        };
        let (all, of_the_chain) = (referring(true), referring(false));
        for column in table
            .columns
            .iter()
            .filter(|column| !column.may_be_null && column.name != "org_id" && all.contains(&&column.name))
        {
            let loss =
                Loss::NotNull { line: column.line.clone(), instead: column.line.replace(" NOT NULL", "") };
            guards.push(guard(
                &format!("{}.{}", table.name, column.name),
                std::slice::from_ref(&column.name),
                loss,
                !of_the_chain.contains(&&column.name),
            ));
        }
    }
    for (name, sql) in indexes() {
        let table =
            tables.iter().position(|table| sql.contains(&format!(" ON {} ", table.name))).expect("a table");
        let columns = tables[table]
            .columns
            .iter()
            .map(|column| column.name.clone())
            .filter(|column| sql.contains(column.as_str()))
            .collect();
        guards.push(Guard { table, name, loss: Loss::Index, columns, added: false });
    }
    guards
}

async fn the_attack_notices_the_loss_of_any_guard(store: Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, org) = world::lived(store, folder.path()).await;
    let whole = home.open(&org).await;
    whole.start().await;
    let mut attack = Attack::read(&whole, tables(), &world::others()).await;
    let mut guards = guards(&attack.tables);
    match home {
        Home::File(_) => guards.extend(triggers(&attack.tables)),
        // A column of a primary key is never empty there, whatever its own line says.
        Home::Server { .. } => guards.retain(|guard| {
            let key = &attack.tables[guard.table].primary().columns;
            !matches!(guard.loss, Loss::NotNull { .. })
                || !guard.columns.iter().any(|column| key.contains(column))
        }),
    }
    drop(whole);
    let mut standing = Vec::new();
    for guard in &guards {
        let focus = Focus { table: guard.table, columns: guard.columns.clone(), added: guard.added };
        let engine = without(&home, &org, &attack.tables, guard, folder.path()).await;
        let outcome = attack.run(&engine, 7, UNTIL_NOTICED, Some(&focus)).await;
        if outcome.broken.is_none() {
            standing.push(guard.name.clone());
        }
    }
    assert_eq!(standing, Vec::<String>::new(), "guards that nothing noticed the loss of");
    println!("{} guards, each noticed when it is gone", guards.len());
}

/// The triggers of files. Their fellow for `INSERT OR REPLACE` is one of two walls: the other is a setting of the
/// connection, which is taken away with it.
fn triggers(tables: &[Table]) -> Vec<Guard> {
    let grow = tables.iter().enumerate().filter(|(_, table)| table.grows);
    grow.flat_map(|(place, table)| {
        ["no_update", "no_delete", "no_replace"].map(|what| Guard {
            table: place,
            name: format!("{}_{what}", table.name),
            loss: Loss::Trigger,
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            added: false,
        })
    })
    .collect()
}

/// The tables without a guard, within a transaction.
async fn without(home: &Home, org: &str, tables: &[Table], guard: &Guard, folder: &Path) -> Engine {
    let table = &tables[guard.table].name;
    match home {
        Home::File(path) => {
            let open = folder.join("open.db");
            let (others, line) = match &guard.loss {
                // The trigger against replacement refuses what the key refuses.
                Loss::Constraint(line) if line.contains(" PRIMARY KEY ") && tables[guard.table].grows => {
                    (vec![format!("{table}_no_replace")], Some((table.as_str(), line.as_str(), None)))
                }
                Loss::Constraint(line) => (Vec::new(), Some((table.as_str(), line.as_str(), None))),
                Loss::NotNull { line, instead } => {
                    (Vec::new(), Some((table.as_str(), line.as_str(), Some(instead.as_str()))))
                }
                Loss::Index | Loss::Trigger => (vec![guard.name.clone()], None),
            };
            file_without(path, &others, line, &open);
            let engine = Engine::file(&open);
            if guard.name.ends_with("_no_replace") {
                engine.run("PRAGMA recursive_triggers = off").await;
            }
            engine.start().await;
            engine
        }
        Home::Server { .. } => {
            let engine = home.open(org).await;
            engine.start().await;
            match &guard.loss {
                Loss::Constraint(_) => {
                    engine.run(&format!("ALTER TABLE {table} DROP CONSTRAINT {} CASCADE", guard.name)).await;
                }
                Loss::NotNull { .. } => {
                    let column = guard.columns.first().expect("a column");
                    engine.run(&format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")).await;
                }
                Loss::Index => engine.run(&format!("DROP INDEX {}", guard.name)).await,
                Loss::Trigger => unreachable!("the triggers of a server have grants beside them"),
            }
            engine
        }
    }
}

#[test]
fn the_tables_are_read_as_they_are() {
    let tables = tables();
    assert_eq!(tables.len(), 25);
    let award = tables.iter().find(|table| table.name == "credits_award").expect("a table");
    assert!(award.constraints.iter().any(|one| one.name == "credits_award_passed"
        && one.kind == Kind::Check
        && one.columns == ["passed"]));
    assert_eq!(award.references().count(), 6);
    assert_eq!(award.primary().columns, ["org_id", "id"]);
    assert_eq!(indexes().len(), 1);
}

/// What was added to the chain later is taken away too.
#[test]
fn every_named_constraint_is_a_guard() {
    let tables = tables();
    let guards = guards(&tables);
    let added: Vec<&Guard> = guards.iter().filter(|guard| guard.added).collect();
    for table in &tables {
        for constraint in &table.constraints {
            assert!(guards.iter().any(|guard| guard.name == constraint.name), "{}", constraint.name);
        }
    }
    for name in ["credits_taking_without_the_key", "credits_attempt_taking", "credits_result_key_unseen"] {
        assert!(added.iter().any(|guard| guard.name == name), "{name}: {added:#?}");
    }
    assert!(triggers(&tables).iter().any(|guard| guard.name == "credits_taking_no_update"));
}
