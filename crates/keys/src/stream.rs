//! Large content under a key of its own, piece by piece: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár,
//! "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015) over AES-256-GCM.
//!
//! Every piece is bound to its place, and the last one to being the last: pieces that are swapped, repeated, left out or
//! cut off at the end do not open. A key seals one content only, so its nonces are counted and never repeat.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use preceptor_core::id::OrgId;
use zeroize::Zeroizing;

use crate::{KeyError, KeyName, Keys, Purpose};

/// Bytes of an AES-256 key.
const KEY_LEN: usize = 32;
/// What sealing adds to a piece.
pub const TAG_LEN: usize = 16;

/// Seals or opens the pieces of one content, in their order.
pub struct StreamKey {
    key: LessSafeKey,
    /// Names the content; pieces open under the same name only.
    place: String,
    next: u32,
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey([redacted])")
    }
}

impl StreamKey {
    /// Makes a key for the content that `place` names inside an org; returns it opened, and as it is stored.
    pub async fn make(keys: &dyn Keys, org: OrgId, place: &str) -> Result<(Self, Vec<u8>), KeyError> {
        let mut raw = Zeroizing::new([0; KEY_LEN]);
        rand::fill(&mut *raw).map_err(|error| KeyError::Unavailable(error.to_string()))?;
        let wrapped = keys.wrap(KeyName::of_org(Purpose::DataKeys, org), &*raw, place.as_bytes()).await?;
        Ok((Self::of_raw(&*raw, place)?, wrapped))
    }

    /// Opens the stored key of the content that `place` names.
    pub async fn open(keys: &dyn Keys, org: OrgId, place: &str, wrapped: &[u8]) -> Result<Self, KeyError> {
        let raw = Zeroizing::new(
            keys.unwrap(KeyName::of_org(Purpose::DataKeys, org), wrapped, place.as_bytes()).await?,
        );
        Self::of_raw(&raw, place)
    }

    fn of_raw(raw: &[u8], place: &str) -> Result<Self, KeyError> {
        let key = UnboundKey::new(&AES_256_GCM, raw).map_err(|_| KeyError::BadCiphertext)?;
        Ok(Self { key: LessSafeKey::new(key), place: place.to_owned(), next: 0 })
    }

    /// The nonce of the next piece: its number, and whether it is the last.
    fn nonce(&mut self, is_last: bool) -> Result<Nonce, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 5..NONCE_LEN - 1].copy_from_slice(&self.next.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(is_last);
        self.next = self
            .next
            .checked_add(1)
            .ok_or_else(|| KeyError::Unavailable("the content is too long".to_owned()))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    /// Seals the next piece; it grows by [`TAG_LEN`].
    pub fn seal(&mut self, piece: &[u8], is_last: bool) -> Result<Vec<u8>, KeyError> {
        let nonce = self.nonce(is_last)?;
        let mut content = Vec::with_capacity(piece.len() + TAG_LEN);
        content.extend_from_slice(piece);
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::from(self.place.as_bytes()), &mut content);
        sealed.map_err(|error| KeyError::Unavailable(error.to_string()))?;
        Ok(content)
    }

    /// Opens the next piece in place; returns how long it is.
    pub fn unseal(&mut self, piece: &mut [u8], is_last: bool) -> Result<usize, KeyError> {
        let nonce = self.nonce(is_last)?;
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(self.place.as_bytes()), piece)
            .map_err(|_| KeyError::BadCiphertext)?;
        Ok(plain.len())
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::Secret;

    use super::*;
    use crate::Keyring;

    #[tokio::test]
    async fn pieces_open_in_their_order_and_place_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = Keyring::open(&folder.path().join("keys"), &Secret::new("test")).expect("keys");
        let org = OrgId::generate();
        let (mut key, wrapped) = StreamKey::make(&keys, org, "here").await.expect("a key");
        let sealed = [key.seal(b"one", false), key.seal(b"two", false), key.seal(b"three", true)]
            .map(|piece| piece.expect("sealed"));
        let opens = async |place: &str, pieces: &[(usize, bool)]| {
            let mut key = StreamKey::open(&keys, org, place, &wrapped).await?;
            for (number, is_last) in pieces {
                key.unseal(&mut sealed[*number].clone(), *is_last)?;
            }
            Ok::<_, KeyError>(())
        };
        assert!(opens("here", &[(0, false), (1, false), (2, true)]).await.is_ok());
        for wrong in [
            [(1, false), (0, false), (2, true)],
            [(0, false), (0, false), (2, true)],
            [(0, false), (1, true), (2, true)],
        ] {
            assert!(opens("here", &wrong).await.is_err(), "{wrong:?}");
        }
        assert!(opens("here", &[(0, false), (1, true)]).await.is_err(), "cut off");
        assert!(opens("there", &[(0, false)]).await.is_err(), "another place");
    }
}
