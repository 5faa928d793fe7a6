//! A keyed hash over every result of an attempt, and over every credit. Constraints see to it that a credit is earned, and
//! someone who can write the database can take them away: what this service scored and awarded is what the hash says.

pub(super) mod awards;

use std::collections::BTreeSet;
use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_keys::{KeyName, Keys, Purpose};
use preceptor_store::{Handle, TenantTx};
use sha2::{Digest as _, Sha256};

use super::Credits;
use crate::Error;
use crate::store::{attempts, award, awards as award_rows, result, result_seal};

/// Rows of before that are sealed in one transaction.
const PAGE: u64 = 1000;

/// The bytes that are hashed: every value with its length, so that no two results read the same.
fn canonical(row: &result::Model) -> Vec<u8> {
    // Taken apart, so that a new column cannot be forgotten.
    let result::Model {
        org_id,
        attempt_id,
        form_id,
        program_id,
        policy_id,
        threshold,
        items,
        content_verified_at,
        learner,
        started_at,
        completed_at,
        right_answers,
        passed,
        took,
        key_seen,
    } = row;
    let texts = [org_id, attempt_id, form_id, program_id, policy_id, learner, took];
    let numbers = [threshold, items, content_verified_at, started_at, completed_at, right_answers];
    let mut bytes = b"credits_result".to_vec();
    for text in texts {
        put(&mut bytes, text);
    }
    bytes.extend(numbers.into_iter().flat_map(|number| number.to_be_bytes()));
    bytes.extend([u8::from(*passed), u8::from(*key_seen)]);
    bytes
}

/// Adds a text with its length.
fn put(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_be_bytes());
    bytes.extend(text.as_bytes());
}

async fn tag(keys: &dyn Keys, org: OrgId, row: &result::Model) -> Result<[u8; 32], Error> {
    Ok(keys.hmac(KeyName::of_org(Purpose::Results, org), &canonical(row)).await?)
}

/// The seal of a result as it is now.
pub(super) async fn of(
    keys: &dyn Keys,
    org: OrgId,
    row: &result::Model,
) -> Result<result_seal::Model, Error> {
    Ok(result_seal::Model {
        org_id: row.org_id.clone(),
        attempt_id: row.attempt_id.clone(),
        seal: hex::encode(tag(keys, org, row).await?),
    })
}

/// Whether a stored seal is this one. Hashes are compared, so that the time it takes tells nothing of the seal.
fn is_same(stored: &str, tag: [u8; 32]) -> bool {
    hex::decode(stored).is_ok_and(|stored| Sha256::digest(stored) == Sha256::digest(tag))
}

impl Credits {
    /// How an attempt ended, as it was sealed when it was submitted: what credits are awarded for. An error when it was
    /// changed or made by hand.
    pub(super) async fn sealed_result(
        &self,
        tx: &TenantTx,
        attempt: &str,
    ) -> Result<Option<result::Model>, Error> {
        let Some(row) = attempts::result(tx, attempt).await? else { return Ok(None) };
        let stored = attempts::seal(tx, attempt).await?;
        let expected = tag(&*self.deps.keys, tx.org(), &row).await?;
        if stored.is_some_and(|stored| is_same(&stored.seal, expected)) {
            return Ok(Some(row));
        }
        Err(changed(tx.org(), attempt))
    }

    /// The result that an award rests on, as it was sealed: before a certificate is signed for it, and before it is told how
    /// it was earned.
    pub(super) async fn earned_by(
        &self,
        tx: &TenantTx,
        award: &award::Model,
    ) -> Result<result::Model, Error> {
        let result = self.sealed_result(tx, &award.attempt_id).await?;
        let own = result.filter(|result| rests_on(award, result));
        own.ok_or_else(|| changed(tx.org(), &award.attempt_id))
    }
}

/// Whether an award has of a result what it copied from it.
fn rests_on(award: &award::Model, result: &result::Model) -> bool {
    let of_award = (&award.learner, &award.program_id, &award.policy_id, &award.form_id);
    let of_result = (&result.learner, &result.program_id, &result.policy_id, &result.form_id);
    let times_of_award = (award.content_verified_at, award.started_at, award.quiz_completed_at);
    let times_of_result = (result.content_verified_at, result.started_at, result.completed_at);
    of_award == of_result && times_of_award == times_of_result && award.passed && result.passed
}

fn changed(org: OrgId, attempt: &str) -> Error {
    tracing::error!(
        alarm = "ROW_CHANGED_OUTSIDE",
        table = "credits_result",
        org.id = %org,
        id = attempt,
        "the result of an attempt is not the one that was sealed, and earns nothing"
    );
    Error::ResultChanged(attempt.to_owned())
}

/// Rows that may be there from before they had seals.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Earlier {
    /// Results of attempts.
    Results,
    /// Credits.
    Awards,
}

impl Earlier {
    /// What they are, for who runs this.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Results => "results of attempts",
            Self::Awards => "credits",
        }
    }
}

/// Seals the rows of an org that have no seal, as they are. May be interrupted and repeated.
pub(crate) async fn seal_earlier(
    store: &Handle,
    keys: &dyn Keys,
    org: OrgId,
    rows: Earlier,
) -> Result<u64, Error> {
    let scope = Arc::new(Scope::of_system(SystemActor::Credits, org));
    match rows {
        Earlier::Results => seal_results(store, keys, &scope).await,
        Earlier::Awards => seal_awards(store, keys, &scope).await,
    }
}

async fn seal_results(store: &Handle, keys: &dyn Keys, scope: &Arc<Scope>) -> Result<u64, Error> {
    let (mut after, mut sealed) = (String::new(), 0);
    loop {
        let page = attempts::results_after(&store.read(scope).await?, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sealed) };
        after.clone_from(&last.attempt_id);
        sealed += seal_page(store, keys, scope, page).await?;
    }
}

async fn seal_awards(store: &Handle, keys: &dyn Keys, scope: &Arc<Scope>) -> Result<u64, Error> {
    let (mut after, mut sealed) = (String::new(), 0);
    loop {
        let page = award_rows::all_after(&store.read(scope).await?, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sealed) };
        after.clone_from(&last.award.id);
        let bare: Vec<&award::Model> =
            page.iter().filter(|row| row.seal.is_none()).map(|row| &row.award).collect();
        if bare.is_empty() {
            continue;
        }
        let seals = awards::of(keys, scope.org(), &bare).await?;
        let tx = store.write(scope).await?;
        tx.insert_all(seals).await?;
        tx.commit().await?;
        sealed += bare.len() as u64;
    }
}

async fn seal_page(
    store: &Handle,
    keys: &dyn Keys,
    scope: &Arc<Scope>,
    page: Vec<result::Model>,
) -> Result<u64, Error> {
    let ids: Vec<String> = page.iter().map(|row| row.attempt_id.clone()).collect();
    let known = attempts::seals(&store.read(scope).await?, &ids).await?;
    let known: BTreeSet<String> = known.into_iter().map(|seal| seal.attempt_id).collect();
    let mut seals = Vec::new();
    for row in page.iter().filter(|row| !known.contains(&row.attempt_id)) {
        seals.push(of(keys, scope.org(), row).await?);
    }
    let sealed = seals.len() as u64;
    if sealed > 0 {
        let tx = store.write(scope).await?;
        tx.insert_all(seals).await?;
        tx.commit().await?;
    }
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result() -> result::Model {
        result::Model {
            org_id: "org_1".to_owned(),
            attempt_id: "att_1".to_owned(),
            form_id: "form_1".to_owned(),
            program_id: "prg_1".to_owned(),
            policy_id: "pubmed".to_owned(),
            threshold: 60,
            items: 3,
            content_verified_at: 1,
            learner: "ana".to_owned(),
            started_at: 2,
            completed_at: 3,
            right_answers: 0,
            passed: false,
            took: "submitted".to_owned(),
            key_seen: false,
        }
    }

    #[test]
    fn every_value_of_a_result_is_under_its_seal() {
        let changes: [fn(&mut result::Model); 15] = [
            |row| row.org_id.push('x'),
            |row| row.attempt_id.push('x'),
            |row| row.form_id.push('x'),
            |row| row.program_id.push('x'),
            |row| row.policy_id.push('x'),
            |row| row.threshold -= 1,
            |row| row.items += 1,
            |row| row.content_verified_at += 1,
            |row| row.learner.push('x'),
            |row| row.started_at += 1,
            |row| row.completed_at += 1,
            |row| row.right_answers += 1,
            |row| row.passed = true,
            |row| row.took.push('x'),
            |row| row.key_seen = true,
        ];
        let sealed = canonical(&result());
        for (number, change) in changes.into_iter().enumerate() {
            let mut row = result();
            change(&mut row);
            assert_ne!(canonical(&row), sealed, "change {number}");
        }
        let moved = result::Model { form_id: "form_1p".into(), program_id: "rg_1".into(), ..result() };
        assert_ne!(canonical(&moved), sealed, "a letter went from one value to the next");
    }

    #[test]
    fn only_the_seal_itself_is_the_same() {
        let tag = [7_u8; 32];
        assert!(is_same(&hex::encode(tag), tag));
        for other in [String::new(), "zz".to_owned(), hex::encode([8_u8; 32]), hex::encode([7_u8; 31])] {
            assert!(!is_same(&other, tag), "{other}");
        }
    }
}
