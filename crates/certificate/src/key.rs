//! The issuer's key under the name that credentials use: `did:key:z6Mk…`.

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

/// Multicodec `ed25519-pub`, as a variable-length integer.
const ED25519_PUB: [u8; 2] = [0xed, 0x01];
/// A multibase text of a key or a signature is shorter than this.
const LONGEST: usize = 128;

/// A raw Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IssuerKey([u8; 32]);

impl IssuerKey {
    /// The key of these bytes.
    pub const fn new(raw: [u8; 32]) -> Self {
        Self(raw)
    }

    /// The raw bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as a multibase text, `z6Mk…`: the part that people compare.
    pub fn multikey(&self) -> String {
        multibase(&[ED25519_PUB.as_slice(), &self.0].concat())
    }

    /// The verification method of this key: nothing has to be looked up to resolve it.
    pub fn method(&self) -> String {
        format!("{self}#{}", self.multikey())
    }

    /// The key of a `did:key` or of a verification method of one.
    pub fn of_did(text: &str) -> Option<Self> {
        let did = text.strip_prefix("did:key:")?;
        let (key, fragment) = did.split_once('#').unwrap_or((did, did));
        (key == fragment).then(|| Self::of_multikey(key)).flatten()
    }

    /// The key of `z6Mk…`.
    pub fn of_multikey(text: &str) -> Option<Self> {
        of_multibase(text)?.strip_prefix(ED25519_PUB.as_slice())?.try_into().ok().map(Self)
    }

    /// Whether this key signed `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Display for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did:key:{}", self.multikey())
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Base 58 in its Bitcoin alphabet, marked as such.
pub(crate) fn multibase(bytes: &[u8]) -> String {
    format!("z{}", bs58::encode(bytes).into_string())
}

/// The bytes of a multibase text of that kind.
pub(crate) fn of_multibase(text: &str) -> Option<Vec<u8>> {
    bs58::decode(text.strip_prefix('z').filter(|text| text.len() <= LONGEST)?).into_vec().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_name_that_the_standards_give_it() {
        // The key pair of the W3C's test vectors for eddsa-rdfc-2022.
        let raw =
            hex::decode("b00d8d938e7f773d51565aad36a623f5344f7f5d1960f9cf3e8e12620ea2810f").expect("hex");
        let key = IssuerKey::new(raw.try_into().expect("32 bytes"));
        assert_eq!(key.multikey(), "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2");
        assert_eq!(IssuerKey::of_did(&key.method()), Some(key));
        assert_eq!(IssuerKey::of_did("did:web:example.org"), None);
    }
}
