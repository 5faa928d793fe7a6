//! A key of one person's data: made once, kept wrapped under a key of the org. Destroying the wrapped key destroys the
//! data, wherever copies of it are.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use preceptor_core::id::OrgId;
use zeroize::Zeroizing;

use crate::{KeyError, KeyName, Keys, Purpose, Wrapped};

/// Bytes of an AES-256 key.
const KEY_LEN: usize = 32;

/// An opened data key.
pub struct DataKey(RandomizedNonceKey);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([redacted])")
    }
}

impl DataKey {
    /// Makes a key for `owner` inside an org; returns it opened, and as it is stored.
    pub async fn make(keys: &dyn Keys, org: OrgId, owner: &str) -> Result<(Self, Vec<u8>), KeyError> {
        let mut raw = Zeroizing::new([0; KEY_LEN]);
        rand::fill(&mut *raw).map_err(|error| KeyError::Unavailable(error.to_string()))?;
        let wrapped = keys.wrap(KeyName::of_org(Purpose::DataKeys, org), &*raw, owner.as_bytes()).await?;
        Ok((Self::of_raw(&*raw)?, wrapped))
    }

    /// Opens the stored key of `owner`.
    pub async fn open(keys: &dyn Keys, org: OrgId, owner: &str, wrapped: &[u8]) -> Result<Self, KeyError> {
        let raw = Zeroizing::new(
            keys.unwrap(KeyName::of_org(Purpose::DataKeys, org), wrapped, owner.as_bytes()).await?,
        );
        Self::of_raw(&raw)
    }

    /// Opens stored keys, each of its owner, in their order and with one call of the engine; none for no key.
    pub async fn open_all(
        keys: &dyn Keys,
        org: OrgId,
        stored: &[(&str, &[u8])],
    ) -> Result<Vec<Self>, KeyError> {
        if stored.is_empty() {
            return Ok(Vec::new());
        }
        let wrapped: Vec<_> = stored
            .iter()
            .map(|(owner, wrapped)| Wrapped { ciphertext: wrapped, context: owner.as_bytes() })
            .collect();
        let raw = keys.unwrap_all(KeyName::of_org(Purpose::DataKeys, org), &wrapped).await?;
        raw.into_iter().map(|raw| Self::of_raw(&Zeroizing::new(raw))).collect()
    }

    fn of_raw(raw: &[u8]) -> Result<Self, KeyError> {
        RandomizedNonceKey::new(&AES_256_GCM, raw).map(Self).map_err(|_| KeyError::BadCiphertext)
    }

    /// Encrypts with AES-256-GCM, bound to the place that `place` names: org, table, column, row.
    pub fn seal(&self, place: &str, plaintext: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut content = plaintext.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place), &mut content);
        let nonce = nonce.map_err(|error| KeyError::Unavailable(error.to_string()))?;
        Ok([nonce.as_ref().as_slice(), &content].concat())
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    pub fn unseal(&self, place: &str, ciphertext: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (nonce, sealed) = ciphertext.split_at_checked(NONCE_LEN).ok_or(KeyError::BadCiphertext)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::BadCiphertext)?;
        let mut content = Zeroizing::new(sealed.to_vec());
        let plain = self
            .0
            .open_in_place(nonce, Aad::from(place), &mut content)
            .map_err(|_| KeyError::BadCiphertext)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::Secret;

    use super::*;
    use crate::Keyring;

    #[tokio::test]
    async fn a_sealed_field_opens_in_its_own_place_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keyring::open(&folder.path().join("keys"), &Secret::new("test")).expect("keys");
        let org = OrgId::generate();
        let (key, wrapped) = DataKey::make(&keys, org, "u_1").await.expect("a key");
        let sealed = key.seal("org/table/column/1", b"Ada").expect("a ciphertext");
        let opened = DataKey::open(&keys, org, "u_1", &wrapped).await.expect("the key");
        assert_eq!(opened.unseal("org/table/column/1", &sealed).expect("the text"), b"Ada");
        assert!(opened.unseal("org/table/column/2", &sealed).is_err(), "another row");
        assert!(DataKey::open(&keys, org, "u_2", &wrapped).await.is_err(), "another person");
        assert!(DataKey::open(&keys, OrgId::generate(), "u_1", &wrapped).await.is_err(), "another org");
        let (_, second) = DataKey::make(&keys, org, "u_2").await.expect("a key");
        let both: [(&str, &[u8]); 2] = [("u_2", &second), ("u_1", &wrapped)];
        let opened = DataKey::open_all(&keys, org, &both).await.expect("both keys");
        assert_eq!(opened[1].unseal("org/table/column/1", &sealed).expect("the text"), b"Ada");
        let exchanged: [(&str, &[u8]); 2] = [("u_1", &second), ("u_2", &wrapped)];
        assert!(DataKey::open_all(&keys, org, &exchanged).await.is_err(), "each is its owner's");
    }
}
