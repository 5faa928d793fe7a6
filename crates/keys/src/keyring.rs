//! The embedded key engine: one sealed file.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{fmt, fs, io};

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_core::Secret;
use preceptor_runtime::tally;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{KeyError, KeyName, Keys, PublicKey, Purpose, Signature, Wrapped};

/// OWASP's floor for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet, 2023).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).expect("not zero");
const KEY_LEN: usize = 32;
const SALT_LEN: usize = 16;

/// A keyring that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read or written.
    #[error("keyring {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("keyring {0} can be read by others; set its mode to 0600")]
    TooOpen(PathBuf),
    /// The passphrase is not the one it was sealed under, or the file was changed.
    #[error("keyring {0} does not open with this passphrase, or was changed")]
    Sealed(PathBuf),
}

/// The file as it is stored. The salt is in the clear, the keys are not.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedFile {
    version: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

type Seeds = BTreeMap<String, String>;

/// Keys in a file of mode 0600, sealed with AES-256-GCM under a passphrase. Every key is derived from one 32-byte seed
/// of its own, so that a new purpose needs no new file format.
pub struct Keyring {
    path: PathBuf,
    salt: [u8; SALT_LEN],
    sealing_key: RandomizedNonceKey,
    seeds: Mutex<Seeds>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Opens the keyring at `path`, or makes an empty one.
    pub fn open(path: &Path, passphrase: &Secret) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io { path: path.to_owned(), source };
        let sealed = || OpenError::Sealed(path.to_owned());
        let _turn = turn(path).map_err(io_error)?;
        let Some(stored) = stored(path)? else {
            let mut salt = [0; SALT_LEN];
            rand::fill(&mut salt).map_err(|_| sealed())?;
            let sealing_key = sealing_key(passphrase, &salt).ok_or_else(sealed)?;
            let keyring = Self { path: path.to_owned(), salt, sealing_key, seeds: Mutex::default() };
            keyring.save(&Seeds::new()).map_err(io_error)?;
            return Ok(keyring);
        };
        refuse_open_mode(path)?;
        let salt: [u8; SALT_LEN] =
            STANDARD.decode(&stored.salt).ok().and_then(|salt| salt.try_into().ok()).ok_or_else(sealed)?;
        let sealing_key = sealing_key(passphrase, &salt).ok_or_else(sealed)?;
        let keyring = Self { path: path.to_owned(), salt, sealing_key, seeds: Mutex::default() };
        let seeds = keyring.unseal(&stored).ok_or_else(sealed)?;
        Ok(Self { seeds: Mutex::new(seeds), ..keyring })
    }

    /// The seeds of the file.
    fn unseal(&self, stored: &SealedFile) -> Option<Seeds> {
        let nonce: [u8; NONCE_LEN] = STANDARD.decode(&stored.nonce).ok()?.try_into().ok()?;
        let mut content = Zeroizing::new(STANDARD.decode(&stored.sealed).ok()?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plain = self.sealing_key.open_in_place(nonce, Aad::from(self.salt), &mut content).ok()?;
        serde_json::from_slice(plain).ok()
    }

    /// Writes a new file beside the old one and puts it in its place, so that a crash leaves one of the two.
    fn save(&self, seeds: &Seeds) -> io::Result<()> {
        let mut content = Zeroizing::new(serde_json::to_vec(seeds)?);
        let nonce = self
            .sealing_key
            .seal_in_place_append_tag(Aad::from(self.salt), &mut *content)
            .map_err(|_| io::Error::other("sealing failed"))?;
        let file = SealedFile {
            version: 1,
            salt: STANDARD.encode(self.salt),
            nonce: STANDARD.encode(nonce.as_ref()),
            sealed: STANDARD.encode(&*content),
        };
        let beside = self.path.with_extension("new");
        let mut out = private_file(&beside)?;
        out.write_all(&serde_json::to_vec(&file)?)?;
        out.sync_all()?;
        fs::rename(&beside, &self.path)
    }

    /// The seed of `key`, made and saved when it is first asked for by any process that shares the file.
    fn seed(&self, key: KeyName) -> Result<Zeroizing<[u8; KEY_LEN]>, KeyError> {
        self.seed_of(key, 1)
    }

    /// The newest version of `key`; they are counted from 1.
    fn newest(&self, key: KeyName) -> u32 {
        let seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest = 1;
        while seeds.contains_key(&stored_name(key, newest + 1)) {
            newest += 1;
        }
        newest
    }

    /// The seed of one version of `key`.
    fn seed_of(&self, key: KeyName, version: u32) -> Result<Zeroizing<[u8; KEY_LEN]>, KeyError> {
        let unavailable = |cause: &dyn fmt::Display| KeyError::Unavailable(cause.to_string());
        let mut seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        let name = stored_name(key, version);
        let mut seed = Zeroizing::new([0; KEY_LEN]);
        if let Some(known) = seeds.get(&name) {
            seed.copy_from_slice(&decoded(known)?);
            return Ok(seed);
        }
        // What others saved since must stay: a seed that is lost is a key that is lost, with everything under it.
        let _turn = turn(&self.path).map_err(|error| unavailable(&error))?;
        if let Some(stored) = stored(&self.path).map_err(|error| unavailable(&error))? {
            *seeds = self
                .unseal(&stored)
                .ok_or_else(|| unavailable(&"the keyring was changed by someone else"))?;
        }
        if let Some(known) = seeds.get(&name) {
            seed.copy_from_slice(&decoded(known)?);
            return Ok(seed);
        }
        rand::fill(&mut *seed).map_err(|error| unavailable(&error))?;
        let mut next = seeds.clone();
        next.insert(name, STANDARD.encode(*seed));
        self.save(&next).map_err(|error| unavailable(&error))?;
        *seeds = next;
        Ok(seed)
    }

    fn pair(&self, key: KeyName, version: u32) -> Result<(String, Ed25519KeyPair), KeyError> {
        let seed = self.seed_of(key, version)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed)
            .map_err(|error| KeyError::Unavailable(error.to_string()))?;
        Ok((format!("{key}.{version}"), pair))
    }

    fn tagging_key(&self, key: KeyName) -> Result<hmac::Key, KeyError> {
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &*self.seed(key)?))
    }

    fn wrapping_key(&self, key: KeyName) -> Result<RandomizedNonceKey, KeyError> {
        RandomizedNonceKey::new(&AES_256_GCM, &*self.seed(key)?)
            .map_err(|error| KeyError::Unavailable(error.to_string()))
    }
}

/// A seed as it is used.
fn decoded(seed: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = STANDARD.decode(seed).ok().filter(|bytes| bytes.len() == KEY_LEN);
    bytes.map(Zeroizing::new).ok_or_else(|| KeyError::Unavailable("damaged seed".into()))
}

/// Takes the turn of the file among all processes; it ends with what is returned.
fn turn(path: &Path) -> io::Result<fs::File> {
    let turn = private_file(&path.with_extension("lock"))?;
    turn.lock()?;
    Ok(turn)
}

/// The file as it is now, if there is one.
fn stored(path: &Path) -> Result<Option<SealedFile>, OpenError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| OpenError::Sealed(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path: path.to_owned(), source }),
    }
}

/// The name of a version in the file: the first has the name of the key.
fn stored_name(key: KeyName, version: u32) -> String {
    if version == 1 { key.to_string() } else { format!("{key}.{version}") }
}

fn sealing_key(passphrase: &Secret, salt: &[u8]) -> Option<RandomizedNonceKey> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt, passphrase.expose().as_bytes(), &mut *key);
    RandomizedNonceKey::new(&AES_256_GCM, &*key).ok()
}

#[cfg(unix)]
pub(crate) fn private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
pub(crate) fn private_file(path: &Path) -> io::Result<fs::File> {
    fs::File::create(path)
}

#[cfg(unix)]
fn refuse_open_mode(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })?
        .permissions()
        .mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(OpenError::TooOpen(path.to_owned())) }
}

#[cfg(not(unix))]
fn refuse_open_mode(_path: &Path) -> Result<(), OpenError> {
    Ok(())
}

#[async_trait]
impl Keys for Keyring {
    async fn sign(&self, key: KeyName, message: &[u8]) -> Result<Signature, KeyError> {
        tally::key_call();
        let (key_id, pair) = self.pair(key, self.newest(key))?;
        Ok(Signature { key_id, bytes: pair.sign(message).as_ref().to_vec() })
    }

    async fn public_keys(&self, key: KeyName) -> Result<Vec<PublicKey>, KeyError> {
        tally::key_call();
        let newest = self.newest(key);
        let accepted = newest.saturating_sub(1).max(1)..=newest;
        let public = |version| {
            let (key_id, pair) = self.pair(key, version)?;
            Ok(PublicKey { key_id, bytes: pair.public_key().as_ref().to_vec() })
        };
        accepted.rev().map(public).collect()
    }

    async fn rotate(&self, key: KeyName) -> Result<String, KeyError> {
        if key.purpose() != Purpose::ScopeTokens {
            return Err(KeyError::NotRotated);
        }
        // The first version has to be there before there is a second.
        self.seed_of(key, 1)?;
        Ok(self.pair(key, self.newest(key) + 1)?.0)
    }

    async fn hmac(&self, key: KeyName, message: &[u8]) -> Result<[u8; 32], KeyError> {
        tally::key_call();
        Ok(tag(&self.tagging_key(key)?, message))
    }

    async fn hmac_all(&self, key: KeyName, messages: &[Vec<u8>]) -> Result<Vec<[u8; 32]>, KeyError> {
        tally::key_call();
        let key = self.tagging_key(key)?;
        Ok(messages.iter().map(|message| tag(&key, message)).collect())
    }

    async fn wrap(&self, key: KeyName, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyError> {
        tally::key_call();
        let mut content = plaintext.to_vec();
        let nonce = self
            .wrapping_key(key)?
            .seal_in_place_append_tag(Aad::from(context), &mut content)
            .map_err(|error| KeyError::Unavailable(error.to_string()))?;
        Ok([nonce.as_ref().as_slice(), &content].concat())
    }

    async fn unwrap(&self, key: KeyName, ciphertext: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyError> {
        tally::key_call();
        opened(&self.wrapping_key(key)?, Wrapped { ciphertext, context })
    }

    async fn unwrap_all(&self, key: KeyName, wrapped: &[Wrapped<'_>]) -> Result<Vec<Vec<u8>>, KeyError> {
        tally::key_call();
        let key = self.wrapping_key(key)?;
        wrapped.iter().map(|one| opened(&key, *one)).collect()
    }
}

fn tag(key: &hmac::Key, message: &[u8]) -> [u8; 32] {
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(key, message).as_ref());
    tag
}

fn opened(key: &RandomizedNonceKey, wrapped: Wrapped<'_>) -> Result<Vec<u8>, KeyError> {
    let (nonce, sealed) = wrapped.ciphertext.split_at_checked(NONCE_LEN).ok_or(KeyError::BadCiphertext)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::BadCiphertext)?;
    let mut content = Zeroizing::new(sealed.to_vec());
    let plain = key
        .open_in_place(nonce, Aad::from(wrapped.context), &mut content)
        .map_err(|_| KeyError::BadCiphertext)?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    const NAME: KeyName = KeyName::of_deployment(Purpose::ScopeTokens);

    fn open(path: &Path, passphrase: &str) -> Result<Keyring, OpenError> {
        Keyring::open(path, &Secret::new(passphrase))
    }

    #[tokio::test]
    async fn the_keyring_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        conformance::run(&open(&folder.path().join("keys"), "p").expect("a keyring")).await;
    }

    #[tokio::test]
    async fn keys_survive_a_restart_and_need_the_passphrase() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let before = open(&path, "right").expect("a keyring").public_keys(NAME).await.expect("a key");
        let after = open(&path, "right").expect("the same keyring").public_keys(NAME).await.expect("a key");
        assert_eq!(before, after);
        assert!(matches!(open(&path, "wrong"), Err(OpenError::Sealed(_))));
    }

    #[tokio::test]
    async fn two_processes_that_share_the_file_have_the_same_keys_and_lose_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        let (one, other) =
            (open(&path, "p").expect("a keyring"), open(&path, "p").expect("the same keyring"));
        let org = || KeyName::of_org(Purpose::AuditLog, preceptor_core::id::OrgId::generate());
        let (first, second) = (org(), org());
        let key = async |keyring: &Keyring, name| keyring.public_keys(name).await.expect("a key");
        let of_one = key(&one, first).await;
        let of_other = key(&other, second).await;
        assert_eq!([key(&other, first).await, key(&one, second).await], [of_one.clone(), of_other.clone()]);
        let after = open(&path, "p").expect("the same keyring");
        assert_eq!(
            [key(&after, first).await, key(&after, second).await],
            [of_one, of_other],
            "a key was lost"
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_private_and_refused_when_it_is_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys");
        open(&path, "p").expect("a keyring").sign(NAME, b"m").await.expect("a signature");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
        assert!(matches!(open(&path, "p"), Err(OpenError::TooOpen(_))));
    }
}
