//! What staff saw when they looked something up: free text that names people, sealed beside the check it belongs to.

use std::collections::BTreeMap;

use preceptor_core::Scope;
use preceptor_core::id::OrgId;
use preceptor_keys::{DataKey, Keys};
use preceptor_store::TenantTx;
use sha2::{Digest as _, Sha256};

use super::Clinicians;
use crate::Error;
use crate::store::{check, evidence};

const LONGEST: usize = 2000;

/// Evidence, sealed before the check that it belongs to has a number.
pub(super) struct Sealed {
    wrapped_key: Vec<u8>,
    sealed: Vec<u8>,
    pub(super) sha256: String,
}

/// Where the text is, for the cipher.
fn place(org: OrgId, learner: &str) -> String {
    format!("{org}/credentials_evidence/sealed/{learner}")
}

impl Sealed {
    pub(super) async fn of(keys: &dyn Keys, org: OrgId, learner: &str, text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(Error::field("evidence", "say where it was looked up and what was seen, in at most 2000 characters"));
        }
        let (key, wrapped_key) = DataKey::make(keys, org, learner).await?;
        Ok(Self { wrapped_key, sealed: key.seal(&place(org, learner), text.as_bytes())?, sha256: hex::encode(Sha256::digest(text)) })
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

impl Clinicians {
    /// What was seen, by the number of the check: for the person and for the admin who checks them.
    pub(super) async fn evidence(&self, scope: &Scope, rows: Vec<evidence::Model>) -> Result<BTreeMap<String, String>, Error> {
        let mut seen = BTreeMap::new();
        for row in rows {
            let key = DataKey::open(&*self.deps.keys, scope.org(), &row.learner, &row.wrapped_key).await?;
            let text = key.unseal(&place(scope.org(), &row.learner), &row.sealed)?;
            seen.insert(row.check_id, String::from_utf8_lossy(&text).into_owned());
        }
        Ok(seen)
    }
}
