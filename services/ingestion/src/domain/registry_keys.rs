//! An org's own key for PubMed: ten requests a second that it shares with no one.

use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, Secret};
use preceptor_keys::DataKey;
use preceptor_store::AuditEntry;

use super::Content;
use crate::Error;
use crate::registries::key_fingerprint;
use crate::store::{registry_key, verifications};

/// The only registry that takes keys.
const PUBMED: &str = "pubmed";

/// Where the sealed key is, for the cipher.
fn place(org: OrgId) -> String {
    format!("{org}/ingestion_registry_key/sealed/{PUBMED}")
}

/// A key as NCBI makes them: letters and digits.
fn acceptable(key: &str) -> bool {
    (16..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Content {
    /// Keeps the org's key, in place of the one before.
    pub(crate) async fn set_registry_key(
        &self,
        scope: &Arc<Scope>,
        key: &Secret,
    ) -> Result<registry_key::Model, Error> {
        let key = Secret::new(key.expose().trim());
        if !acceptable(key.expose()) {
            return Err(Error::InvalidField {
                field: "api_key",
                what: "must be a key as NCBI shows it: 36 letters and digits",
            });
        }
        let (data_key, wrapped_key) = DataKey::make(&*self.deps.keys, scope.org(), PUBMED).await?;
        let sealed = data_key.seal(&place(scope.org()), key.expose().as_bytes())?;
        let mut tx = self.deps.store.write(scope).await?;
        let row = registry_key::Model {
            org_id: tx.org_key(),
            registry: PUBMED.to_owned(),
            wrapped_key,
            sealed,
            fingerprint: key_fingerprint(&key),
            set_by: scope.subject().to_owned(),
            set_at: tx.now().micros(),
        };
        verifications::forget_key(&tx, PUBMED).await?;
        tx.insert(row.clone()).await?;
        tx.audit(AuditEntry::done("registry_key.set", PUBMED).fact("fingerprint", &row.fingerprint))?;
        tx.commit().await?;
        Ok(row)
    }

    /// Forgets the org's key: its questions go out under the deployment's again.
    pub(crate) async fn remove_registry_key(&self, scope: &Arc<Scope>) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        if verifications::forget_key(&tx, PUBMED).await? {
            tx.audit(AuditEntry::done("registry_key.removed", PUBMED))?;
        }
        Ok(tx.commit().await?)
    }

    /// What is known of the org's key, without the key.
    pub(crate) async fn registry_key(
        &self,
        scope: &Arc<Scope>,
    ) -> Result<Option<registry_key::Model>, Error> {
        verifications::key(&self.deps.store.read(scope).await?, PUBMED).await
    }

    /// The org's key, for asking.
    pub(super) async fn open_registry_key(&self, scope: &Arc<Scope>) -> Result<Option<Secret>, Error> {
        let Some(row) = self.registry_key(scope).await? else { return Ok(None) };
        let data_key = DataKey::open(&*self.deps.keys, scope.org(), PUBMED, &row.wrapped_key).await?;
        let key = data_key.unseal(&place(scope.org()), &row.sealed)?;
        Ok(Some(Secret::new(
            String::from_utf8(key).map_err(|_| Error::Defect("a sealed key is not text".into()))?,
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_form_that_ncbi_gives_it() {
        assert!(acceptable("abcdef0123456789abcdef0123456789ABCD"));
        for wrong in ["", "short", "abcdef0123456789&api_key=x", "abcdef 0123456789 abcdef"] {
            assert!(!acceptable(wrong), "{wrong}");
        }
    }
}
