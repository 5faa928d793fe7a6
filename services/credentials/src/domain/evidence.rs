//! What staff saw when they looked something up: free text that names people, sealed beside the check it belongs to.
//!
//! The seal names the check, so that the evidence of two checks cannot be exchanged, and the check keeps a keyed hash of
//! the text, which is compared when it is read. The hash is keyed because the text is short and the record of the check
//! stays: without the key, no one can try out what was seen.

use std::collections::{BTreeMap, HashMap};

use preceptor_core::display::seen_lines;
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
    let text = seen_lines(text);
    if text.is_empty() || text.chars().count() > most {
        return Err(Error::field(
            field,
            format!("say where it was looked up and what was seen, in at most {most} characters"),
        ));
    }
    Ok(text)
}

/// What is hashed of a text.
fn message(place: &str, text: &[u8]) -> Vec<u8> {
    [place.as_bytes(), b"\n", text].concat()
}

async fn keyed_hash(keys: &dyn Keys, org: OrgId, place: &str, text: &[u8]) -> Result<String, Error> {
    Ok(hex::encode(keys.hmac(KeyName::of_org(Purpose::BlindIndex, org), &message(place, text)).await?))
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

/// The text of each row, if it is the one that its check recorded; with two calls of the key engine for all of them.
async fn opened(
    keys: &dyn Keys,
    org: OrgId,
    rows: &[evidence::Model],
    checks: &HashMap<&str, &check::Model>,
) -> Result<Vec<Option<String>>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let stored: Vec<(&str, &[u8])> =
        rows.iter().map(|row| (row.learner.as_str(), row.wrapped_key.as_slice())).collect();
    let places: Vec<String> = rows.iter().map(|row| place(org, &row.learner, &row.check_id)).collect();
    let opened = DataKey::open_all(keys, org, &stored).await?;
    let texts = opened.iter().zip(rows).zip(&places);
    let texts: Vec<Option<Vec<u8>>> =
        texts.map(|((key, row), place)| key.unseal(place, &row.sealed).ok()).collect();
    let messages: Vec<Vec<u8>> = texts
        .iter()
        .zip(&places)
        .map(|(text, place)| message(place, text.as_deref().unwrap_or_default()))
        .collect();
    let hashes = keys.hmac_all(KeyName::of_org(Purpose::BlindIndex, org), &messages).await?;
    let recorded = |((row, text), hash): ((&evidence::Model, Option<Vec<u8>>), [u8; 32])| {
        let recorded = checks.get(row.check_id.as_str())?.evidence_sha256.as_bytes();
        let is_recorded = bool::from(recorded.ct_eq(hex::encode(hash).as_bytes()));
        text.filter(|_| is_recorded).map(|text| String::from_utf8_lossy(&text).into_owned())
    };
    Ok(rows.iter().zip(texts).zip(hashes).map(recorded).collect())
}

impl Clinicians {
    /// What was seen, by learner and the number of the check: for the person and for the admin who checks them.
    pub(super) async fn evidence(
        &self,
        org: OrgId,
        rows: Vec<evidence::Model>,
        checks: &HashMap<String, Vec<check::Model>>,
    ) -> Result<HashMap<String, BTreeMap<String, String>>, Error> {
        let checks = checks.values().flatten().map(|check| (check.id.as_str(), check)).collect();
        let texts = opened(&*self.deps.keys, org, &rows, &checks).await?;
        let mut seen: HashMap<String, BTreeMap<String, String>> = HashMap::new();
        for (row, text) in rows.into_iter().zip(texts) {
            if text.is_none() {
                tracing::error!(check.id = row.check_id, "evidence is not what its check recorded");
            }
            let of_learner = seen.entry(row.learner).or_default();
            of_learner.insert(row.check_id, text.unwrap_or_else(|| NOT_AS_RECORDED.to_owned()));
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
            let checks = checks.iter().map(|check| (check.id.as_str(), check)).collect();
            opened(&keys, org, &[row], &checks).await.expect("an answer").remove(0)
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
