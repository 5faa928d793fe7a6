//! Who has seen which answers are right, and who takes a quiz: no one is both.
//!
//! What a person does with the quizzes of a program is a sequence of entries, each of which says whether they had seen
//! the key by then. An attempt and its result refer to an entry that had not; the tables refuse any other
//! (`store/0003_assessment.sql`). A program has one bank of items for all its quizzes, so the key is the program's.

use preceptor_core::Role;
use preceptor_store::{AuditEntry, StoreError, TenantTx};

use super::{Credits, program_id};
use crate::Error;
use crate::store::{attempts, taking};

/// What someone does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act<'a> {
    /// Sees which answers are right.
    SawKey,
    /// Begins this attempt.
    Began(&'a str),
    /// Submits it.
    Submitted(&'a str),
}

impl<'a> Act<'a> {
    const fn kind(self) -> &'static str {
        match self {
            Self::SawKey => "saw_key",
            Self::Began(_) => "began",
            Self::Submitted(_) => "submitted",
        }
    }

    const fn attempt(self) -> &'a str {
        match self {
            Self::SawKey => "",
            Self::Began(attempt) | Self::Submitted(attempt) => attempt,
        }
    }
}

/// Whether a person has seen the key of a program's items.
pub(super) async fn has_seen_key(tx: &TenantTx, program: &str, person: &str) -> Result<bool, Error> {
    Ok(attempts::newest_taking(tx, program, person).await?.is_some_and(|newest| newest.key_seen))
}

/// Adds an entry behind the newest one. Whether it may follow is for the database to say.
pub(super) async fn note(tx: &TenantTx, program: &str, act: Act<'_>) -> Result<(), Error> {
    let person = tx.scope().subject().to_owned();
    let newest = attempts::newest_taking(tx, program, &person).await?;
    let seen = newest.as_ref().is_some_and(|newest| newest.key_seen) || matches!(act, Act::SawKey);
    let row = taking::Model {
        org_id: tx.org_key(),
        program_id: program.to_owned(),
        learner: person,
        entry: newest.as_ref().map_or(1, |newest| newest.entry + 1),
        kind: act.kind().to_owned(),
        attempt_id: act.attempt().to_owned(),
        key_seen: seen,
        // The first entry has nothing before it and refers to itself.
        previous: newest.as_ref().map_or(1, |newest| newest.entry),
        previous_key_seen: newest.as_ref().map_or(seen, |newest| newest.key_seen),
        noted_at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}

/// Notes within a change that the one who makes it knows the key by it.
pub(super) async fn note_key_seen(tx: &mut TenantTx, program: &str, how: &'static str) -> Result<(), Error> {
    let person = tx.scope().subject().to_owned();
    if has_seen_key(tx, program, &person).await? {
        return Ok(());
    }
    note(tx, program, Act::SawKey).await?;
    tx.audit(AuditEntry::done("quiz.key_seen", person).in_program(program_id(program)?).fact("how", how))?;
    Ok(())
}

impl Credits {
    /// Notes that the caller is about to be shown the key of a program's items.
    pub(super) async fn note_reader(
        &self,
        scope: &std::sync::Arc<preceptor_core::Scope>,
        program: &str,
        how: &'static str,
    ) -> Result<(), Error> {
        if scope.role() == Role::System {
            return Ok(());
        }
        if has_seen_key(&self.deps.store.read(scope).await?, program, scope.subject()).await? {
            return Ok(());
        }
        let mut tx = self.deps.store.write(scope).await?;
        let noted = match note_key_seen(&mut tx, program, how).await {
            Ok(()) => tx.commit().await.map_err(Error::from),
            Err(error) => Err(error),
        };
        match noted {
            // Noted by another request of theirs at the same moment.
            Err(Error::Store(StoreError::Duplicate(_))) => Ok(()),
            noted => noted,
        }
    }
}
