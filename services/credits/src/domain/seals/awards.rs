//! A keyed hash over every value of a credit, made by the claim. A credit that was made or changed by hand is not shown, and
//! nothing is signed for it, however well it fits the tables.

use preceptor_core::id::OrgId;
use preceptor_keys::{KeyName, Keys, Purpose};
use preceptor_store::TenantTx;

use super::{is_same, put};
use crate::Error;
use crate::domain::Credits;
use crate::store::awards::Stored;
use crate::store::{award, award_seal};

/// The bytes that are hashed: every value with its length, so that no two credits read the same.
fn canonical(row: &award::Model) -> Vec<u8> {
    // Taken apart, so that a new column cannot be forgotten.
    let award::Model {
        org_id,
        id,
        learner,
        program_id,
        credit_type,
        entry,
        entry_kind,
        offer_id,
        policy_id,
        designated_quarters,
        opens_at,
        terminates_at,
        evaluation_required,
        minimum_level,
        accreditation_from,
        accreditation_until,
        attempt_id,
        form_id,
        content_verified_at,
        started_at,
        quiz_completed_at,
        passed,
        evaluation_id,
        assertion_id,
        profession,
        level,
        valid_from,
        valid_until,
        recognition,
        quarters,
        issued_at,
        accreditation_decision,
        accreditation_confirmed,
    } = row;
    let whose = [org_id, id, learner, program_id, credit_type, entry_kind, offer_id, policy_id];
    let earned = [attempt_id, form_id, assertion_id, profession, recognition];
    let terms = [designated_quarters, opens_at, terminates_at, minimum_level];
    let times = [accreditation_from, accreditation_until, content_verified_at, valid_from, valid_until];
    let facts = [entry, started_at, quiz_completed_at, level, quarters, issued_at];
    let mut bytes = b"credits_award".to_vec();
    for text in whose.into_iter().chain(earned) {
        put(&mut bytes, text);
    }
    bytes.extend(terms.into_iter().chain(times).chain(facts).flat_map(|number| number.to_be_bytes()));
    bytes.extend([evaluation_required, passed, accreditation_confirmed].map(|truth| u8::from(*truth)));
    for text in [evaluation_id, accreditation_decision] {
        bytes.push(u8::from(text.is_some()));
        put(&mut bytes, text.as_deref().unwrap_or_default());
    }
    bytes
}

/// The seals of credits as they are now.
pub(super) async fn of(
    keys: &dyn Keys,
    org: OrgId,
    rows: &[&award::Model],
) -> Result<Vec<award_seal::Model>, Error> {
    let read: Vec<Vec<u8>> = rows.iter().map(|row| canonical(row)).collect();
    let tags = keys.hmac_all(KeyName::of_org(Purpose::Results, org), &read).await?;
    let seal = |(row, tag): (&&award::Model, [u8; 32])| award_seal::Model {
        org_id: row.org_id.clone(),
        award_id: row.id.clone(),
        seal: hex::encode(tag),
    };
    Ok(rows.iter().zip(tags).map(seal).collect())
}

/// Those of the credits that are as they were sealed; the others are told to who runs this.
pub(in crate::domain) async fn intact(
    keys: &dyn Keys,
    org: OrgId,
    rows: Vec<Stored>,
) -> Result<Vec<award::Model>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let read: Vec<Vec<u8>> = rows.iter().map(|row| canonical(&row.award)).collect();
    let tags = keys.hmac_all(KeyName::of_org(Purpose::Results, org), &read).await?;
    let sealed = |(row, tag): (Stored, [u8; 32])| {
        let holds = row.seal.is_some_and(|seal| is_same(&seal, tag));
        if !holds {
            complain(org, &row.award.id);
        }
        holds.then_some(row.award)
    };
    Ok(rows.into_iter().zip(tags).filter_map(sealed).collect())
}

fn complain(org: OrgId, award: &str) {
    tracing::error!(
        alarm = "ROW_CHANGED_OUTSIDE",
        table = "credits_award",
        org.id = %org,
        id = award,
        "a credit is not the one that was sealed when it was awarded, and counts for nothing"
    );
}

impl Credits {
    /// Keeps the seal of a credit that was made in this transaction.
    pub(in crate::domain) async fn seal_award(&self, tx: &TenantTx, row: &award::Model) -> Result<(), Error> {
        let seals = of(&*self.deps.keys, tx.org(), &[row]).await?;
        Ok(tx.insert_all(seals).await?)
    }

    /// A credit that was read, if it is as it was sealed when it was awarded. An error when it was changed or made by hand.
    pub(in crate::domain) async fn intact_award(
        &self,
        org: OrgId,
        stored: Stored,
    ) -> Result<award::Model, Error> {
        let id = stored.award.id.clone();
        let intact = intact(&*self.deps.keys, org, vec![stored]).await?.pop();
        intact.ok_or(Error::AwardChanged(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn award() -> award::Model {
        award::Model {
            org_id: "org_1".to_owned(),
            id: "cred_1".to_owned(),
            learner: "ana".to_owned(),
            program_id: "prg_1".to_owned(),
            credit_type: "ama_pra_1".to_owned(),
            entry: 1,
            entry_kind: "award".to_owned(),
            offer_id: "off_1".to_owned(),
            policy_id: "pubmed".to_owned(),
            designated_quarters: 4,
            opens_at: 1,
            terminates_at: 9,
            evaluation_required: false,
            minimum_level: 1,
            accreditation_from: 1,
            accreditation_until: 9,
            attempt_id: "att_1".to_owned(),
            form_id: "form_1".to_owned(),
            content_verified_at: 1,
            started_at: 2,
            quiz_completed_at: 3,
            passed: true,
            evaluation_id: None,
            assertion_id: "asr_1".to_owned(),
            profession: "physician".to_owned(),
            level: 1,
            valid_from: 1,
            valid_until: 9,
            recognition: "credit".to_owned(),
            quarters: 3,
            issued_at: 4,
            accreditation_decision: None,
            accreditation_confirmed: false,
        }
    }

    #[test]
    fn every_value_of_a_credit_is_under_its_seal() {
        let changes: [fn(&mut award::Model); 33] = [
            |row| row.org_id.push('x'),
            |row| row.id.push('x'),
            |row| row.learner.push('x'),
            |row| row.program_id.push('x'),
            |row| row.credit_type.push('x'),
            |row| row.entry += 1,
            |row| row.entry_kind.push('x'),
            |row| row.offer_id.push('x'),
            |row| row.policy_id.push('x'),
            |row| row.designated_quarters += 1,
            |row| row.opens_at += 1,
            |row| row.terminates_at += 1,
            |row| row.evaluation_required = true,
            |row| row.minimum_level += 1,
            |row| row.accreditation_from += 1,
            |row| row.accreditation_until += 1,
            |row| row.attempt_id.push('x'),
            |row| row.form_id.push('x'),
            |row| row.content_verified_at += 1,
            |row| row.started_at += 1,
            |row| row.quiz_completed_at += 1,
            |row| row.passed = false,
            |row| row.evaluation_id = Some(String::new()),
            |row| row.assertion_id.push('x'),
            |row| row.profession.push('x'),
            |row| row.level += 1,
            |row| row.valid_from += 1,
            |row| row.valid_until += 1,
            |row| row.recognition.push('x'),
            |row| row.quarters += 1,
            |row| row.issued_at += 1,
            |row| row.accreditation_decision = Some(String::new()),
            |row| row.accreditation_confirmed = true,
        ];
        let sealed = canonical(&award());
        for (number, change) in changes.into_iter().enumerate() {
            let mut row = award();
            change(&mut row);
            assert_ne!(canonical(&row), sealed, "change {number}");
        }
        let moved = award::Model { attempt_id: "att_1f".into(), form_id: "orm_1".into(), ..award() };
        assert_ne!(canonical(&moved), sealed, "a letter went from one value to the next");
    }
}
