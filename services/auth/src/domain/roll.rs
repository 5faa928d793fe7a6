//! The roll of an org: which row of each member of staff is the newest, and which credentials were revoked.
//!
//! A seal shows that a row was written by this service, and not that it is the newest one. So the seals of all staff stand on
//! a roll, which is sealed too and counts its revisions, and the newest revision is remembered outside of the database. An old
//! row that is put back is not the one on the roll; an old roll is not the one that is remembered.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::Timestamp;
use preceptor_core::id::OrgId;
use preceptor_keys::{KeyError, MemoryError, SignedHead, SignerMemory};
use preceptor_store::{ControlTx, StoreError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};

use super::kinds::Kind;
use super::{Accounts, seals};
use crate::Error;
use crate::store::{credential, org, roll, staff};

/// How often it is looked again while others change it.
const TRIES: usize = 8;

/// What is on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Roll {
    /// The seal of every member's row.
    staff: BTreeMap<String, String>,
    /// Credentials that were revoked, and when they would have ended.
    revoked: BTreeMap<String, i64>,
}

impl Roll {
    /// A line for each entry.
    fn read(content: &str) -> Option<Self> {
        let mut roll = Self::default();
        for line in content.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["staff", id, seal] => {
                    roll.staff.insert(id.to_owned(), seal.to_owned());
                }
                ["revoked", id, ends] => {
                    roll.revoked.insert(id.to_owned(), ends.parse().ok()?);
                }
                _ => return None,
            }
        }
        Some(roll)
    }

    fn content(&self) -> String {
        let mut content = String::new();
        // Writing into a text does not fail.
        for (id, seal) in &self.staff {
            let _ = writeln!(content, "staff {id} {seal}");
        }
        for (id, ends) in &self.revoked {
            let _ = writeln!(content, "revoked {id} {ends}");
        }
        content
    }

    /// This is the row of a member from now on.
    pub(super) fn enter(&mut self, member: &staff::Model) {
        self.staff.insert(member.id.clone(), member.seal.clone());
    }

    /// This credential was revoked; those that would have ended by now are forgotten.
    pub(super) fn strike(&mut self, row: &credential::Model, now: Timestamp) {
        self.revoked.retain(|_, ends| *ends > now.micros());
        self.revoked.insert(row.id.clone(), row.expires_at);
    }

    /// Whether this is the newest row of its member.
    pub(super) fn holds(&self, member: &staff::Model) -> bool {
        self.staff.get(&member.id) == Some(&member.seal)
    }

    /// Those of the rows that are the newest. The others were put back: the roll is as new as they are.
    pub(super) fn retain(&self, rows: &mut Vec<staff::Model>) {
        rows.retain(|row| {
            let holds = self.holds(row);
            if !holds {
                alarm(&row.org_id, OLD_ROW);
            }
            holds
        });
    }

    /// Whether a credential was revoked.
    pub(super) fn has_struck(&self, row: &credential::Model) -> bool {
        self.revoked.contains_key(&row.id)
    }
}

const OLD_ROW: &str = "an old row of a member of staff was put back, and opens nothing";

fn alarm(org: &str, what: &str) {
    tracing::error!(alarm = "ROW_PUT_BACK", org, "{what}");
}

/// Whether the roll of its org names a credential of this kind once it is revoked. Links are used up within their hour and
/// sessions end when idle: an old row of theirs opens nothing for long.
pub(super) fn is_struck(kind: &str) -> bool {
    matches!(Kind::of_name(kind), Some(Kind::Api | Kind::Service | Kind::Operator | Kind::Learner))
}

/// The rolls as this process has seen them, and the memory of all processes.
#[derive(Debug)]
pub(super) struct Rolls {
    memory: Arc<dyn SignerMemory>,
    known: Mutex<HashMap<OrgId, Known>>,
}

/// The newest row that was seen of a roll.
#[derive(Debug, Clone)]
struct Known {
    revision: i64,
    seal: String,
    roll: Arc<Roll>,
}

impl Rolls {
    pub(super) fn new(memory: Arc<dyn SignerMemory>) -> Arc<Self> {
        Arc::new(Self { memory, known: Mutex::default() })
    }

    fn known(&self, org: OrgId) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&org).cloned()
    }

    fn keep(&self, org: OrgId, known: Known) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(org, known);
    }

    /// The newest revision that any process has seen. It is asked for before the row is read, which is then as new at least.
    async fn last(&self, org: OrgId) -> Result<Option<SignedHead>, Error> {
        self.memory.last(org).await.map_err(memory_error)
    }
}

fn memory_error(error: MemoryError) -> Error {
    match error {
        MemoryError::Unavailable(why) => KeyError::Unavailable(why).into(),
        MemoryError::Moved => Error::Store(StoreError::Busy),
        MemoryError::Damaged | MemoryError::Backwards { .. } => {
            tracing::error!(alarm = "ROW_PUT_BACK", %error, "what is remembered of a roll cannot be used");
            Error::CredentialInvalid
        }
    }
}

/// A row as it is remembered.
fn head(org: OrgId, row: &roll::Model) -> Result<SignedHead, Error> {
    let root = hex::decode(&row.seal).ok().and_then(|seal| seal.try_into().ok());
    let root = root.ok_or(Error::Defect("the seal of a roll cannot be read"))?;
    Ok(SignedHead { origin: format!("staff-roll/{org}"), size: row.revision.unsigned_abs(), root })
}

/// Refuses a roll that is older than one that was seen before.
fn no_older(last: Option<&SignedHead>, next: &SignedHead) -> Result<(), Error> {
    let is_older = |last: &SignedHead| {
        last.origin != next.origin
            || last.size > next.size
            || (last.size == next.size && last.root != next.root)
    };
    if last.is_some_and(is_older) {
        alarm(
            &next.origin,
            "an old roll was put back; no one on it is admitted until the operator has looked",
        );
        return Err(Error::CredentialInvalid);
    }
    Ok(())
}

fn by_org(org: OrgId) -> Select<roll::Entity> {
    roll::Entity::find_by_id(org.to_string())
}

impl Accounts {
    /// The roll of an org as it is now.
    pub(super) async fn roll(&self, org: OrgId) -> Result<Arc<Roll>, Error> {
        for _ in 0..TRIES {
            let known = self.rolls.known(org);
            let row = self.deps.control.one(by_org(org)).await?;
            if let (Some(known), Some(row)) = (known, &row)
                && (known.revision, &known.seal) == (row.revision, &row.seal)
            {
                return Ok(known.roll);
            }
            match self.look_again(org).await {
                Err(Error::Store(StoreError::Busy)) => {}
                looked => return looked,
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// Holds the row of a roll against what is remembered, and remembers it.
    async fn look_again(&self, org: OrgId) -> Result<Arc<Roll>, Error> {
        let last = self.rolls.last(org).await?;
        let Some(row) = self.deps.control.one(by_org(org)).await? else {
            return self.first_roll(org).await;
        };
        let row = seals::open(&*self.deps.keys, row).await?;
        let next = head(org, &row)?;
        no_older(last.as_ref(), &next)?;
        if last.as_ref() != Some(&next) {
            self.rolls.memory.advance(org, last.as_ref(), &next).await.map_err(memory_error)?;
        }
        let roll = Roll::read(&row.content).ok_or(Error::Defect("a roll cannot be read"))?;
        let known = Known { revision: row.revision, seal: row.seal, roll: Arc::new(roll) };
        self.rolls.keep(org, known.clone());
        Ok(known.roll)
    }

    /// The roll of an org that had none, which is one from before there were any.
    async fn first_roll(&self, org: OrgId) -> Result<Arc<Roll>, Error> {
        let tx = self.deps.control.write().await?;
        self.change_roll(&tx, org, |_| {}).await?;
        tx.commit().await?;
        // What was written is read like any other.
        Err(Error::Store(StoreError::Busy))
    }

    /// The staff of a selection, by rows that are as they were sealed, and the newest.
    pub(super) async fn newest(
        &self,
        org: OrgId,
        select: Select<staff::Entity>,
    ) -> Result<Vec<staff::Model>, Error> {
        for _ in 0..TRIES {
            let roll = self.roll(org).await?;
            let rows = self.deps.control.all(select.clone()).await?;
            let mut rows = seals::all_intact(&*self.deps.keys, rows).await?;
            // No one was changed between the two looks.
            if Arc::ptr_eq(&roll, &self.roll(org).await?) {
                roll.retain(&mut rows);
                return Ok(rows);
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// What it means that the row of a member is not on the roll: someone changed it between two looks, or put it back.
    pub(super) async fn misfit(&self, org: OrgId, roll: &Arc<Roll>) -> Error {
        match self.roll(org).await {
            Ok(newest) if Arc::ptr_eq(&newest, roll) => {
                alarm(&org.to_string(), OLD_ROW);
                Error::CredentialInvalid
            }
            Ok(_) => Error::Store(StoreError::Busy),
            Err(error) => error,
        }
    }

    /// Raises the alarm when a revoked credential does not say so itself.
    pub(super) async fn look_at_struck(&self, row: &credential::Model) -> Result<(), Error> {
        let stored = credential::Entity::find_by_id((row.org_id.clone(), row.id.clone()));
        if self.deps.control.one(stored).await?.is_none_or(|stored| stored.revoked_at.is_none()) {
            alarm(&row.org_id, "the row of a revoked credential was put back, and opens nothing");
        }
        Ok(())
    }

    /// Remembers what was changed and committed, so that it cannot be taken back from then on.
    pub(super) async fn settle(&self, org: OrgId) {
        if let Err(error) = self.roll(org).await {
            tracing::error!(%error, %org, "the newest roll is not remembered yet");
        }
    }

    /// The roll within a transaction that has the turn of its org.
    pub(super) async fn roll_in(&self, tx: &ControlTx, org: OrgId) -> Result<Roll, Error> {
        Ok(self.open_roll(tx, org).await?.1)
    }

    /// Changes the roll with what is changed in the same transaction.
    pub(super) async fn change_roll(
        &self,
        tx: &ControlTx,
        org: OrgId,
        change: impl FnOnce(&mut Roll) + Send,
    ) -> Result<(), Error> {
        self.turn(tx, org).await?;
        let (revision, mut roll) = self.open_roll(tx, org).await?;
        change(&mut roll);
        self.write_roll(tx, org, revision, revision.unwrap_or_default() + 1, &roll).await
    }

    /// The revision of the stored roll, if there is one, and what is on it.
    async fn open_roll(&self, tx: &ControlTx, org: OrgId) -> Result<(Option<i64>, Roll), Error> {
        let last = self.rolls.last(org).await?;
        let Some(row) = tx.one(by_org(org)).await? else {
            if last.is_some() {
                alarm(
                    &org.to_string(),
                    "a roll was taken away; no one on it is admitted until the operator has looked",
                );
                return Err(Error::CredentialInvalid);
            }
            return Ok((None, self.present(tx, org).await?));
        };
        let row = seals::open(&*self.deps.keys, row).await?;
        no_older(last.as_ref(), &head(org, &row)?)?;
        let roll = Roll::read(&row.content).ok_or(Error::Defect("a roll cannot be read"))?;
        Ok((Some(row.revision), roll))
    }

    /// The roll as the rows are at present.
    async fn present(&self, tx: &ControlTx, org: OrgId) -> Result<Roll, Error> {
        let rows = tx.all(staff::Entity::find().filter(staff::Column::OrgId.eq(org.to_string()))).await?;
        let mut roll = Roll::default();
        for member in seals::all_intact(&*self.deps.keys, rows).await? {
            roll.enter(&member);
        }
        let revoked = credential::Entity::find()
            .filter(credential::Column::OrgId.eq(org.to_string()))
            .filter(credential::Column::RevokedAt.is_not_null())
            .filter(credential::Column::ExpiresAt.gt(tx.now().micros()));
        let revoked = seals::all_intact(&*self.deps.keys, tx.all(revoked).await?).await?;
        for row in revoked.iter().filter(|row| is_struck(&row.kind)) {
            roll.strike(row, tx.now());
        }
        Ok(roll)
    }

    async fn write_roll(
        &self,
        tx: &ControlTx,
        org: OrgId,
        old: Option<i64>,
        revision: i64,
        roll: &Roll,
    ) -> Result<(), Error> {
        let row =
            roll::Model { org_id: org.to_string(), revision, content: roll.content(), seal: String::new() };
        let row = seals::seal(&*self.deps.keys, row).await?;
        let Some(old) = old else { return Ok(tx.insert(row).await?) };
        let update = roll::Entity::update_many()
            .col_expr(roll::Column::Revision, Expr::value(row.revision))
            .col_expr(roll::Column::Content, Expr::value(row.content))
            .col_expr(roll::Column::Seal, Expr::value(row.seal))
            .filter(roll::Column::OrgId.eq(&row.org_id))
            .filter(roll::Column::Revision.eq(old));
        if tx.update(update).await? == 1 { Ok(()) } else { Err(Error::Store(StoreError::Busy)) }
    }

    /// Has the roll begin again with the rows as they are, when it is not the one that is remembered: after a restore, on the
    /// word of the one who has the machine.
    pub(super) async fn begin_roll_again(&self, tx: &ControlTx, org: OrgId) -> Result<(), Error> {
        self.turn(tx, org).await?;
        match self.open_roll(tx, org).await {
            Err(Error::CredentialInvalid) => {}
            other => return other.map(drop),
        }
        let last = match self.rolls.memory.last(org).await {
            Err(MemoryError::Damaged) => {
                self.rolls.memory.forget(org).await.map_err(memory_error)?;
                None
            }
            last => last.map_err(memory_error)?,
        };
        let stored = tx.one(by_org(org)).await?.map(|row| row.revision);
        let newest = stored.unwrap_or_default().max(last.map_or(0, |last| last.size.cast_signed()));
        tracing::warn!(%org, "the roll of the staff begins again with the rows as they are");
        let roll = self.present(tx, org).await?;
        self.write_roll(tx, org, stored, newest + 1, &roll).await
    }

    /// Those who change staff and lasting credentials of one org take turns.
    pub(super) async fn turn(&self, tx: &ControlTx, org: OrgId) -> Result<(), Error> {
        let turn = org::Entity::update_many()
            .col_expr(org::Column::Plan, Expr::col(org::Column::Plan))
            .filter(org::Column::Id.eq(org.to_string()));
        tx.update(turn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roll_is_read_as_it_was_written_and_nothing_else_is_one() {
        let mut roll = Roll::default();
        roll.staff.insert("staff_1".into(), "ab".into());
        roll.revoked.insert("key_1".into(), 7);
        assert_eq!(Roll::read(&roll.content()), Some(roll));
        assert_eq!(Roll::read(""), Some(Roll::default()));
        for wrong in ["staff a", "revoked a b", "x y z", "staff a b c"] {
            assert_eq!(Roll::read(wrong), None, "{wrong}");
        }
    }
}
