//! What staff saw when they looked something up: free text that names people, sealed beside the check it belongs to.
//!
//! The seal names the check, so that the evidence of two checks cannot be exchanged, and the check keeps a keyed hash of
//! the text, which is compared when it is read. The hash is keyed because the text is short and the record of the check
//! stays: without the key, nobody can try out what was seen.

use std::collections::BTreeMap;

use preceptor_core::Scope;
use preceptor_core::id::{CheckId, OrgId};
use preceptor_keys::{DataKey, KeyName, Keys, Purpose};
use preceptor_store::TenantTx;
use subtle::ConstantTimeEq as _;

use super::Clinicians;
use crate::Error;
use crate::store::{check, evidence};

const LONGEST: usize = 2000;
/// Shown in the place of evidence that is not what the check recorded.
const NOT_AS_RECORDED: &str = "what was seen is not what was recorded with this check; look it up again";

/// Evidence, sealed for a check that is about to be recorded.
pub(super) struct Sealed {
    /// The id of that check.
    pub(super) check: String,
    wrapped_key: Vec<u8>,
    sealed: Vec<u8>,
    pub(super) keyed_hash: String,
}

/// Where the text is, for the cipher and for its hash.
fn place(org: OrgId, learner: &str, check: &str) -> String {
    format!("{org}/credentials_evidence/sealed/{learner}/{check}")
}

/// A text of 1 to `most` characters.
pub(super) fn checked(field: &'static str, text: &str, most: usize) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(Error::field(
            field,
            format!("say where it was looked up and what was seen, in at most {most} characters"),
        ));
    }
    Ok(text.to_owned())
}

async fn keyed_hash(keys: &dyn Keys, org: OrgId, place: &str, text: &[u8]) -> Result<String, Error> {
    let message = [place.as_bytes(), b"\n", text].concat();
    Ok(hex::encode(keys.hmac(KeyName::of_org(Purpose::BlindIndex, org), &message).await?))
}

impl Sealed {
    pub(super) async fn of(keys: &dyn Keys, org: OrgId, learner: &str, text: &str) -> Result<Self, Error> {
        let text = checked("evidence", text, LONGEST)?;
        let check = CheckId::generate().to_string();
        let place = place(org, learner, &check);
        let (key, wrapped_key) = DataKey::make(keys, org, learner).await?;
        let sealed = key.seal(&place, text.as_bytes())?;
        Ok(Self {
            keyed_hash: keyed_hash(keys, org, &place, text.as_bytes()).await?,
            check,
            wrapped_key,
            sealed,
        })
    }

    pub(super) async fn keep(self, tx: &TenantTx, check: &check::Model) -> Result<(), Error> {
        let row = evidence::Model {
            org_id: tx.org_key(),
            check_id: check.id.clone(),
            learner: check.learner.clone(),
            wrapped_key: self.wrapped_key,
            sealed: self.sealed,
        };
        Ok(tx.insert(row).await?)
    }
}

/// The text of a row, if it is the one that its check recorded.
async fn opened(
    keys: &dyn Keys,
    org: OrgId,
    row: &evidence::Model,
    checks: &[check::Model],
) -> Result<Option<String>, Error> {
    let place = place(org, &row.learner, &row.check_id);
    let key = DataKey::open(keys, org, &row.learner, &row.wrapped_key).await?;
    let Ok(text) = key.unseal(&place, &row.sealed) else { return Ok(None) };
    let hash = keyed_hash(keys, org, &place, &text).await?;
    let recorded =
        checks.iter().find(|check| check.id == row.check_id).map(|check| check.evidence_sha256.as_bytes());
    let is_recorded = recorded.is_some_and(|recorded| bool::from(recorded.ct_eq(hash.as_bytes())));
    Ok(is_recorded.then(|| String::from_utf8_lossy(&text).into_owned()))
}

impl Clinicians {
    /// What was seen, by the number of the check: for the person and for the admin who checks them.
    pub(super) async fn evidence(
        &self,
        scope: &Scope,
        rows: Vec<evidence::Model>,
        checks: &[check::Model],
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut seen = BTreeMap::new();
        for row in rows {
            let text = opened(&*self.deps.keys, scope.org(), &row, checks).await?;
            if text.is_none() {
                tracing::error!(check.id = row.check_id, "evidence is not what its check recorded");
            }
            seen.insert(row.check_id, text.unwrap_or_else(|| NOT_AS_RECORDED.to_owned()));
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::Secret;
    use preceptor_keys::Keyring;

    use super::*;

    fn check_of(sealed: &Sealed) -> check::Model {
        check::Model {
            org_id: String::new(),
            id: sealed.check.clone(),
            learner: "u_a".into(),
            statement: 1,
            method: "primary_source".into(),
            outcome: "passed".into(),
            detail: String::new(),
            evidence_sha256: sealed.keyed_hash.clone(),
            actor: String::new(),
            checked_at: 0,
        }
    }

    fn row(sealed: &Sealed, check: &str) -> evidence::Model {
        evidence::Model {
            org_id: String::new(),
            check_id: check.to_owned(),
            learner: "u_a".into(),
            wrapped_key: sealed.wrapped_key.clone(),
            sealed: sealed.sealed.clone(),
        }
    }

    #[tokio::test]
    async fn evidence_belongs_to_one_check_and_is_what_that_check_recorded() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keyring::open(&folder.path().join("keys"), &Secret::new("p")).expect("a keyring");
        let org = OrgId::generate();
        let first = Sealed::of(&keys, org, "u_a", "Active").await.expect("evidence");
        let second = Sealed::of(&keys, org, "u_a", "Revoked").await.expect("evidence");
        let mut checks = [check_of(&first), check_of(&second)];
        let read = async |row: evidence::Model, checks: &[check::Model]| {
            opened(&keys, org, &row, checks).await.expect("an answer")
        };
        assert_eq!(read(row(&first, &first.check), &checks).await.as_deref(), Some("Active"));
        assert_eq!(
            read(row(&second, &first.check), &checks).await,
            None,
            "the evidence of another check of the same person"
        );
        checks[0].evidence_sha256 = second.keyed_hash.clone();
        assert_eq!(
            read(row(&first, &first.check), &checks).await,
            None,
            "another text than the one on record"
        );
        let plain = hex::encode(<sha2::Sha256 as sha2::Digest>::digest("Active"));
        assert_ne!(first.keyed_hash, plain, "nobody can try out what was seen");
    }
}
