//! Sequences of statements, and what becomes of them.

use std::collections::BTreeMap;

use preceptor_testkit::Dice;

use super::attack::{Attack, Focus, Outcome, Placed, SPARE};
use super::engine::{Engine, Row};
use super::throw::{Fate, Thrown};

/// Rounds between two fresh beginnings.
const ROUNDS: u64 = 100;

impl Attack {
    pub(super) fn insertion(&self, (table, row): &Placed, verb: &str) -> Thrown {
        let columns: Vec<&str> =
            self.tables[*table].columns.iter().map(|column| column.name.as_str()).collect();
        let sql = format!(
            "{verb} INTO {} ({}) VALUES ({})",
            self.tables[*table].name,
            columns.join(", "),
            row.join(", ")
        );
        Thrown { table: *table, sql, row: Some(row.clone()), tampers: false, written: None }
    }

    /// A row to begin with: of the table that the attack is about, or an award that rests on one.
    fn beginning(&self, dice: &mut Dice, focus: Option<&Focus>) -> Placed {
        let award = self.place("credits_award").expect("a table");
        let table = match focus {
            Some(focus) if dice.roll(2) == 0 => focus.table,
            _ if dice.roll(3) > 0 => award,
            _ => dice.roll(self.tables.len()),
        };
        let table = if self.rows[table].is_empty() { award } else { table };
        (table, dice.pick(&self.rows[table]).clone())
    }

    /// Whether offers, items and forms are copied too: always when the attack is about them.
    fn deeply(&self, dice: &mut Dice, focus: Option<&Focus>) -> bool {
        let attempts = self.place("credits_attempt").expect("a table");
        focus.is_some_and(|focus| focus.table < attempts) || dice.roll(3) == 0
    }

    /// A copy, changed in a place or two, or not at all.
    fn changed_copy(&mut self, dice: &mut Dice, focus: Option<&Focus>) -> Vec<Placed> {
        let beginning = self.beginning(dice, focus);
        let mut copy = self.copy(&beginning, self.deeply(dice, focus));
        let changes = [0, 1, 1, 1, 1, 1, 2, 2][dice.roll(8)];
        for _ in 0..changes {
            self.change(dice, &mut copy, focus);
        }
        copy
    }

    /// A copy, and a row of it once more: exactly, or under an id of its own.
    fn repeated(&mut self, dice: &mut Dice, focus: Option<&Focus>) -> Vec<Placed> {
        let beginning = self.beginning(dice, focus);
        let mut copy = self.copy(&beginning, self.deeply(dice, focus));
        let about = |(_, (table, _)): &(usize, &Placed)| focus.is_none_or(|focus| focus.table == *table);
        let candidates: Vec<usize> = copy.iter().enumerate().filter(about).map(|(at, _)| at).collect();
        let (table, mut again) =
            copy[if candidates.is_empty() { copy.len() - 1 } else { *dice.pick(&candidates) }].clone();
        // Another row under the key of this one.
        if dice.roll(3) == 0 {
            let key = &self.tables[table].primary().columns;
            let other = dice.pick(&self.rows[table]);
            for ((column, value), another) in self.tables[table].columns.iter().zip(&mut again).zip(other) {
                if !key.contains(&column.name) {
                    value.clone_from(another);
                }
            }
        }
        for _ in 0..dice.roll(4) {
            self.change_one(dice, &mut again, table);
        }
        if dice.roll(3) > 0 {
            for (column, value) in self.tables[table].columns.iter().zip(&mut again) {
                if ["id", "code"].contains(&column.name.as_str()) {
                    self.fresh += 1;
                    *value = format!("'new_{}'", self.fresh);
                }
            }
        }
        copy.push((table, again));
        copy
    }

    /// Changes whatever column of a row.
    fn change_one(&self, dice: &mut Dice, row: &mut Row, table: usize) {
        let at = dice.roll(self.tables[table].columns.len());
        let bundle = [(table, row.clone())];
        row[at] = self.other(dice, &self.tables[table].columns[at], &row[at], &bundle);
    }

    /// An award for someone who may have earned it or not: whatever result, offer, credential and evaluation.
    fn claim(&mut self, dice: &mut Dice) -> Vec<Placed> {
        let place = |name: &str| self.place(name).expect("a table");
        let (result, offer, award, ledger) = (
            place("credits_result"),
            place("credits_offer"),
            place("credits_award"),
            place("credits_ledger"),
        );
        let (evaluation, recognition) = (place("credits_evaluation"), place("credits_recognition"));
        let original = dice.pick(&self.rows[result]).clone();
        let learner = original[self.at(result, "learner")].clone();
        let evaluated =
            self.rows[evaluation].iter().find(|row| row[self.at(evaluation, "learner")] == learner).cloned();
        let mut rows = self.copy(&(result, original), false);
        if let Some(evaluated) = evaluated.filter(|_| dice.roll(4) > 0) {
            rows.extend(self.copy(&(evaluation, evaluated), false).pop());
        }
        let passed =
            rows.iter().find(|(table, _)| *table == result).map(|(_, row)| row.clone()).expect("a result");
        let mut facts: BTreeMap<String, String> = BTreeMap::new();
        let mut learn = |names: Vec<&str>, row: &Row, ours: &dyn Fn(&str) -> Option<String>| {
            facts
                .extend(names.iter().zip(row).filter_map(|(name, value)| Some((ours(name)?, value.clone()))));
        };
        let names = |table: usize| {
            self.tables[table].columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>()
        };
        let chosen = dice.pick(&self.rows[offer]).clone();
        learn(names(offer), &chosen, &|name| Some(if name == "id" { "offer_id" } else { name }.to_owned()));
        learn(names(result), &passed, &|name| {
            Some(if name == "completed_at" { "quiz_completed_at" } else { name }.to_owned())
        });
        if let Some((_, row)) = rows.iter().find(|(table, _)| *table == evaluation) {
            learn(names(evaluation), row, &|name| (name == "id").then(|| "evaluation_id".to_owned()));
        }
        let (columns, assertions) = &self.others["credentials_assertion"];
        let whose = columns.iter().position(|column| column.name == "learner").expect("a column");
        let own: Vec<&Row> =
            assertions.iter().filter(|row| row[whose] == passed[self.at(result, "learner")]).collect();
        let assertion = if own.is_empty() { dice.pick(assertions) } else { *dice.pick(&own) };
        let assertion_names = columns.iter().map(|column| column.name.as_str()).collect();
        learn(assertion_names, assertion, &|name| {
            Some(if name == "id" { "assertion_id" } else { name }.to_owned())
        });
        let given = self.rows[recognition].iter().find(|row| {
            row[self.at(recognition, "offer_id")] == facts["offer_id"]
                && row[self.at(recognition, "profession")] == facts["profession"]
        });
        facts.extend(
            given.map(|row| ("recognition".to_owned(), row[self.at(recognition, "recognition")].clone())),
        );
        self.fresh += 1;
        facts.extend(
            [
                ("id", format!("'new_{}'", self.fresh)),
                ("award_id", format!("'new_{}'", self.fresh)),
                ("entry", "1".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        facts.extend(
            [
                ("kind", "'award'"),
                ("entry_kind", "'award'"),
                ("previous", "NULL"),
                ("previous_award_id", "NULL"),
                ("quarters", "1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        facts.insert("issued_at".into(), facts["quiz_completed_at"].clone());
        if !rows.iter().any(|(table, _)| *table == evaluation) {
            facts.insert("evaluation_id".into(), "NULL".into());
        }
        for table in [ledger, award] {
            let mut row = self.rows[table][0].clone();
            for (column, value) in self.tables[table].columns.iter().zip(&mut row) {
                if let Some(fact) = facts.get(&column.name) {
                    value.clone_from(fact);
                }
            }
            rows.push((table, row));
        }
        if dice.roll(3) == 0 {
            self.change(
                dice,
                &mut rows,
                Some(&Focus {
                    table: award,
                    columns: names(award).into_iter().map(str::to_owned).collect(),
                    added: false,
                }),
            );
        }
        rows
    }

    /// An award that points at the entry of its own void.
    fn phantom(&mut self, dice: &mut Dice) -> Vec<Placed> {
        let (award, ledger) =
            (self.place("credits_award").expect("a table"), self.place("credits_ledger").expect("a table"));
        let original = dice.pick(&self.rows[award]).clone();
        let mut copy = self.copy(&(award, original), false);
        let (_, mut row) = copy.pop().expect("the award comes last");
        let entry: i64 = row[self.at(award, "entry")].parse().expect("a number");
        let Some(own) = copy.iter().rposition(|(table, _)| *table == ledger) else { return copy };
        let mut void = copy[own].1.clone();
        for (column, value) in [
            ("previous", entry.to_string()),
            ("previous_award_id", void[self.at(ledger, "award_id")].clone()),
            ("entry", (entry + 1).to_string()),
            ("kind", "'void'".to_owned()),
            ("reason", "'phantom'".to_owned()),
        ] {
            let at = self.at(ledger, column);
            void[at] = value;
        }
        let (at_entry, at_kind) = (self.at(award, "entry"), self.at(award, "entry_kind"));
        row[at_entry] = (entry + 1).to_string();
        "'void'".clone_into(&mut row[at_kind]);
        copy.extend([(ledger, void), (award, row)]);
        copy
    }

    /// A row without one of those that it rests on.
    fn orphaned(&mut self, dice: &mut Dice, focus: &Focus) -> Vec<Placed> {
        let original = dice.pick(&self.rows[focus.table]).clone();
        let mut copy = self.copy(&(focus.table, original), false);
        let (table, row) = copy.pop().expect("the row comes last");
        let references: Vec<_> = self.tables[table].references().collect();
        if !references.is_empty() {
            let (own, parent, of) = *dice.pick(&references);
            let parent = self.place(parent);
            let wanted: Vec<(usize, &String)> = parent.map_or_else(Vec::new, |parent| {
                of.iter().zip(own).map(|(of, own)| (self.at(parent, of), &row[self.at(table, own)])).collect()
            });
            copy.retain(|(other, values)| {
                Some(*other) != parent || !wanted.iter().all(|(at, value)| values[*at] == **value)
            });
        }
        copy.push((table, row));
        if dice.roll(2) == 0 {
            self.change(dice, &mut copy, Some(focus));
        }
        copy
    }

    /// Someone sees the key and begins all the same: the entry of that says so, or hides it.
    fn after_the_key(&mut self, dice: &mut Dice) -> Vec<Placed> {
        let taking = self.place("credits_taking").expect("a table");
        let original = dice.pick(&self.rows[taking]).clone();
        let mut copy = self.copy(&(taking, original), false);
        let last = copy.last().expect("the row comes last").1.clone();
        let entry: i64 = last[self.at(taking, "entry")].parse().expect("a number");
        let seen_before = last[self.at(taking, "key_seen")].clone();
        let says_so = if dice.roll(2) == 0 { "true" } else { "false" };
        self.fresh += 1;
        let attempt = format!("'new_{}'", self.fresh);
        for (entry, kind, attempt, key_seen, previous_key_seen) in [
            (entry + 1, "'saw_key'", "''", "true", seen_before.as_str()),
            (entry + 2, "'began'", attempt.as_str(), says_so, says_so),
        ] {
            let mut row = last.clone();
            for (column, value) in [
                ("entry", entry.to_string().as_str()),
                ("kind", kind),
                ("attempt_id", attempt),
                ("key_seen", key_seen),
                ("previous", (entry - 1).to_string().as_str()),
                ("previous_key_seen", previous_key_seen),
            ] {
                value.clone_into(&mut row[self.at(taking, column)]);
            }
            copy.push((taking, row));
        }
        copy
    }

    /// A change of what is there: by an update, a deletion, or a row in the place of another.
    fn tampering(
        &self,
        dice: &mut Dice,
        focus: Option<&Focus>,
        replaces: bool,
        fresh: &[Placed],
    ) -> Option<Thrown> {
        let mut table = focus.map_or_else(|| dice.roll(self.tables.len()), |focus| focus.table);
        let mut row = (!self.rows[table].is_empty()).then(|| dice.pick(&self.rows[table]).clone())?;
        // What was just written is referred to by no one.
        let written =
            fresh.iter().rposition(|(own, _)| *own == table || focus.is_none()).filter(|_| dice.roll(2) == 0);
        if let Some(place) = written {
            (table, row) = fresh[place].clone();
        }
        let known = &self.tables[table];
        let key: Vec<String> = known
            .primary()
            .columns
            .iter()
            .map(|column| format!("{column} = {}", row[self.at(table, column)]))
            .collect();
        let at = dice.roll(known.columns.len());
        let (name, column) = (known.name.clone(), known.columns[at].clone());
        // Even a change into the same is one.
        let value = if dice.roll(2) == 0 {
            row[at].clone()
        } else {
            self.other(dice, &column, &row[at], &[(table, row.clone())])
        };
        let tampers = known.grows;
        let sql = match dice.roll(3) {
            0 => format!("DELETE FROM {name} WHERE {}", key.join(" AND ")),
            1 if replaces => {
                let in_its_place = !known.primary().columns.contains(&column.name) || value == row[at];
                let mut changed = row;
                changed[at] = value;
                return Some(Thrown {
                    tampers: tampers && in_its_place,
                    written,
                    row: None,
                    ..self.insertion(&(table, changed), "INSERT OR REPLACE")
                });
            }
            _ => format!("UPDATE {name} SET {} = {value} WHERE {}", column.name, key.join(" AND ")),
        };
        Some(Thrown { table, sql, row: None, tampers, written })
    }

    fn sequence(&mut self, dice: &mut Dice, focus: Option<&Focus>, replaces: bool) -> Vec<Thrown> {
        let added = focus.filter(|focus| focus.added);
        let rows = match (added, dice.roll(12)) {
            (Some(focus), 6 | 7) => self.orphaned(dice, focus),
            (Some(_), 8 | 9) => self.after_the_key(dice),
            (_, 0 | 1) => self.repeated(dice, focus),
            (_, 2) => self.phantom(dice),
            (_, 3) => Vec::new(),
            (_, 4 | 5) => self.claim(dice),
            _ => self.changed_copy(dice, focus),
        };
        let mut thrown: Vec<Thrown> = rows.iter().map(|row| self.insertion(row, "INSERT")).collect();
        if rows.is_empty() || dice.roll(6) == 0 {
            thrown.extend(self.tampering(dice, focus, replaces, &rows));
        }
        thrown
    }

    /// Throws sequences until something does not hold. A few are looked at and undone together.
    pub(super) async fn run(
        &mut self,
        engine: &Engine,
        seed: u64,
        sequences: u64,
        focus: Option<&Focus>,
    ) -> Outcome {
        let mut dice = Dice::new(seed);
        let mut outcome = Outcome::default();
        for round in 1..=sequences.div_ceil(SPARE as u64) {
            // What lacks a guard lacks it within its transaction.
            if focus.is_none() && round % ROUNDS == 0 {
                engine.refresh(&self.tables).await;
            }
            engine.begin().await;
            let mut thrown = Vec::new();
            let mut broken = None;
            for turn in 0..SPARE {
                self.turn = turn;
                let sequence = self.sequence(&mut dice, focus, engine.replaces());
                let fates = engine.throw(&self.tables, &sequence).await;
                for (one, fate) in sequence.iter().zip(&fates) {
                    // What was not accepted before cannot be taken away.
                    let was_there = one.written.is_none_or(|place| fates[place] == Fate::Accepted);
                    broken = broken.or(outcome.note(one, fate, was_there));
                }
                thrown.extend(sequence.into_iter().map(|one| one.sql));
            }
            if broken.is_none() {
                broken = engine.broken().await;
            }
            engine.undo().await;
            if let Some(broken) = broken {
                outcome.broken = Some((broken, thrown));
                return outcome;
            }
        }
        outcome
    }
}

impl Outcome {
    /// Counts a statement; returns what is wrong with what became of it.
    fn note(&mut self, one: &Thrown, fate: &Fate, was_there: bool) -> Option<String> {
        self.statements += 1;
        match fate {
            Fate::Idle => None,
            Fate::Accepted => {
                self.accepted += 1;
                (one.tampers && was_there).then(|| format!("a row was changed or taken away by {}", one.sql))
            }
            Fate::Refused(name) => {
                *self.refusals.entry(name.clone()).or_default() += 1;
                None
            }
            Fate::Unnamed(words) => Some(format!("refused without a name: {words} by {}", one.sql)),
        }
    }
}
