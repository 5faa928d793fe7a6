//! Signing, HMAC and key wrapping behind one small trait.
//!
//! A service names a key and never sees it. [`Keyring`] is the embedded engine, the only one so far: one sealed
//! file of mode 0600. The trait is cut to what the transit engines of Vault and OpenBao offer, so that one of them can
//! take its place. [`conformance`] is the suite that every engine passes.
//!
//! Beside the keys stands the memory of the signer of logs: see [`SignerMemory`].
//!
//! This crate does not decide who may use which key: callers build names from a verified scope.

pub mod conformance;
mod data_key;
mod keyring;
mod memory;
mod once;
mod stream;

use std::fmt;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use preceptor_core::{Fault, Kind};

pub use data_key::DataKey;
pub use keyring::{Keyring, OpenError};
pub use memory::{MemoryError, SealedMemory, SignedHead, SignerMemory};
pub use once::Once;
pub use stream::{StreamKey, TAG_LEN};

/// What a key is for. A key made for one purpose is of no use for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Signs scope tokens.
    ScopeTokens,
    /// Turns a provider's learner identifiers into pseudonyms.
    Pseudonyms,
    /// Hashes credentials, so that a stolen table opens nothing.
    Credentials,
    /// Seals rows of accounts, so that one that was changed by hand opens nothing.
    Accounts,
    /// Wraps data keys.
    DataKeys,
    /// Signs an org's certificates.
    Certificates,
    /// Signs the checkpoints of an org's log.
    AuditLog,
    /// Finds a row again by a text that is not stored as it is, such as a number of a person.
    BlindIndex,
    /// Signs the cursors of lists.
    Cursors,
    /// Seals what the key of an org's log signed last.
    SignedHeads,
    /// Seals results of attempts and credits, so that one that was changed by hand earns nothing.
    Results,
    /// Seals what waits in outboxes, so that nothing is sent that was not committed.
    Outboxes,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::ScopeTokens => "scope-tokens",
            Self::Pseudonyms => "pseudonyms",
            Self::Credentials => "credentials",
            Self::Accounts => "accounts",
            Self::DataKeys => "data-keys",
            Self::Certificates => "certificates",
            Self::AuditLog => "audit-log",
            Self::BlindIndex => "blind-index",
            Self::Cursors => "cursors",
            Self::SignedHeads => "signed-heads",
            Self::Results => "results",
            Self::Outboxes => "outboxes",
        }
    }
}

/// The name of a key: a purpose, inside one org or for the whole deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyName {
    purpose: Purpose,
    org: Option<OrgId>,
}

impl KeyName {
    /// What it is for.
    pub const fn purpose(self) -> Purpose {
        self.purpose
    }

    /// The key of the deployment for `purpose`.
    pub const fn of_deployment(purpose: Purpose) -> Self {
        Self { purpose, org: None }
    }

    /// The key of one org for `purpose`.
    pub const fn of_org(purpose: Purpose, org: OrgId) -> Self {
        Self { purpose, org: Some(org) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.purpose.name())?;
        self.org.map_or(Ok(()), |org| write!(f, "-{org}"))
    }
}

/// An Ed25519 signature and the version of the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Names the key and its version; goes into a token's header.
    pub key_id: String,
    /// 64 bytes.
    pub bytes: Vec<u8>,
}

/// A public key that verifies signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Names the key and its version.
    pub key_id: String,
    /// 32 bytes.
    pub bytes: Vec<u8>,
}

/// Why a key operation failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The engine cannot be reached or is sealed.
    #[error("the key engine is not available: {0}")]
    Unavailable(String),
    /// Keys of this purpose are known outside of the deployment, or open what was sealed before.
    #[error("keys of this purpose are not rotated")]
    NotRotated,
    /// The ciphertext was not made by this key, or was changed.
    #[error("this ciphertext does not open with that key")]
    BadCiphertext,
}

impl KeyError {
    /// The fault for callers that have nothing more specific to say. What failed is in the log.
    pub fn to_fault(&self) -> Fault {
        tracing::error!(error = %self, "the key engine failed");
        Fault::new(
            Kind::Unavailable,
            "KEYS_UNAVAILABLE",
            "the key engine is not reachable; try again in a moment",
        )
    }
}

/// A wrapped data key, with what it is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Wrapped<'a> {
    /// What [`Keys::wrap`] made.
    pub ciphertext: &'a [u8],
    /// Under which context.
    pub context: &'a [u8],
}

/// The key engine. A key comes into being when it is first used.
#[async_trait]
pub trait Keys: Send + Sync + fmt::Debug {
    /// Signs with Ed25519 (RFC 8032).
    async fn sign(&self, key: KeyName, message: &[u8]) -> Result<Signature, KeyError>;

    /// The public keys whose signatures are accepted, newest first.
    async fn public_keys(&self, key: KeyName) -> Result<Vec<PublicKey>, KeyError>;

    /// Makes a new version of a signing key, which signs from now on. The version before it is named still, older ones are
    /// not: a key that was stolen is retired by doing this twice. Returns the id of the new version.
    async fn rotate(&self, key: KeyName) -> Result<String, KeyError>;

    /// HMAC-SHA-256.
    async fn hmac(&self, key: KeyName, message: &[u8]) -> Result<[u8; 32], KeyError>;

    /// Encrypts a data key, bound to `context`.
    async fn wrap(&self, key: KeyName, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Decrypts what [`wrap`](Self::wrap) made, under the same context.
    async fn unwrap(&self, key: KeyName, ciphertext: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// HMAC-SHA-256 of each message, in their order. An engine behind a network takes them in one request.
    async fn hmac_all(&self, key: KeyName, messages: &[Vec<u8>]) -> Result<Vec<[u8; 32]>, KeyError> {
        let mut tags = Vec::with_capacity(messages.len());
        for message in messages {
            tags.push(self.hmac(key, message).await?);
        }
        Ok(tags)
    }

    /// Decrypts what [`wrap`](Self::wrap) made, each under its own context, in their order; one that does not open is an
    /// error of all. An engine behind a network takes them in one request.
    async fn unwrap_all(&self, key: KeyName, wrapped: &[Wrapped<'_>]) -> Result<Vec<Vec<u8>>, KeyError> {
        let mut opened = Vec::with_capacity(wrapped.len());
        for one in wrapped {
            opened.push(self.unwrap(key, one.ciphertext, one.context).await?);
        }
        Ok(opened)
    }
}
