//! What the key of a log signed last, remembered outside the database that holds the log.
//!
//! Who can write the tables of a log can rewrite all of it, hashes and head included. A signer that looks at the tables
//! alone would put its signature under that. With this memory it can demand proof that what it signs continues what it
//! signed before.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use preceptor_core::id::OrgId;
use serde::{Deserialize, Serialize};

use crate::keyring::private_file;
use crate::{KeyError, KeyName, Keys, Purpose};

/// The head of a log that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// The name of the log.
    pub origin: String,
    /// How many records it held.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
}

/// Why the memory did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It cannot be read or written now.
    #[error("the memory of the signer is not available: {0}")]
    Unavailable(String),
    /// What is stored was changed, or is of another log.
    #[error("the memory of the signer was changed by someone else")]
    Damaged,
    /// Another process signed meanwhile: look again.
    #[error("another process signed meanwhile")]
    Moved,
    /// It was asked to go back, which it never does.
    #[error("{next} records cannot follow the {last} that were signed")]
    Backwards {
        /// The size that is remembered.
        last: u64,
        /// The size that was to follow.
        next: u64,
    },
}

impl From<KeyError> for MemoryError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::BadCiphertext => Self::Damaged,
            KeyError::Unavailable(why) => Self::Unavailable(why),
            KeyError::NotRotated => Self::Unavailable(error.to_string()),
        }
    }
}

/// Remembers the last signed head of each log. It is shared by all processes that sign, outlives them, and only moves
/// forward. [`crate::conformance::remember`] is the suite that every one passes.
#[async_trait]
pub trait SignerMemory: Send + Sync + fmt::Debug {
    /// What was signed last for this log.
    async fn last(&self, log: OrgId) -> Result<Option<SignedHead>, MemoryError>;

    /// Puts `next` in the place of `last`, durably. [`MemoryError::Moved`] when `last` is no longer the last, so that of
    /// two processes that looked at the same time one looks again.
    async fn advance(
        &self,
        log: OrgId,
        last: Option<&SignedHead>,
        next: &SignedHead,
    ) -> Result<(), MemoryError>;

    /// Forgets a log, whether or not what is remembered can be read: for the operator, after a restore. The signer never
    /// asks for it.
    async fn forget(&self, log: OrgId) -> Result<(), MemoryError>;
}

/// The embedded memory: one small sealed file per log, in a folder beside the keyring.
pub struct SealedMemory {
    folder: Arc<Path>,
    keys: Arc<dyn Keys>,
}

impl fmt::Debug for SealedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedMemory").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl SealedMemory {
    /// The memory in `folder`, sealed under keys of the engine. The folder is made when something is remembered.
    pub fn new(folder: PathBuf, keys: Arc<dyn Keys>) -> Self {
        Self { folder: folder.into(), keys }
    }

    fn path(&self, log: OrgId) -> PathBuf {
        self.folder.join(log.to_string())
    }

    async fn open(&self, log: OrgId, sealed: Option<Vec<u8>>) -> Result<Option<SignedHead>, MemoryError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = self.keys.unwrap(key_of(log), &sealed, context(log).as_bytes()).await?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| MemoryError::Damaged)
    }
}

fn key_of(log: OrgId) -> KeyName {
    KeyName::of_org(Purpose::SignedHeads, log)
}

fn context(log: OrgId) -> String {
    format!("signed-head/{log}")
}

fn unavailable(error: impl fmt::Display) -> MemoryError {
    MemoryError::Unavailable(error.to_string())
}

/// Runs file work off the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, MemoryError> {
    tokio::task::spawn_blocking(work).await.map_err(unavailable)?.map_err(unavailable)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the turn of a log among all processes; it ends with the file.
fn turn(folder: &Path, log: OrgId) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    let turn = private_file(&folder.join(format!("{log}.lock")))?;
    turn.lock()?;
    Ok(turn)
}

/// Puts the file in its place whole, or not at all, and for good.
fn replace(folder: &Path, path: &Path, sealed: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut out = private_file(&beside)?;
    out.write_all(sealed)?;
    out.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

#[async_trait]
impl SignerMemory for SealedMemory {
    async fn last(&self, log: OrgId) -> Result<Option<SignedHead>, MemoryError> {
        let path = self.path(log);
        let sealed = blocking(move || read(&path)).await?;
        self.open(log, sealed).await
    }

    async fn advance(
        &self,
        log: OrgId,
        last: Option<&SignedHead>,
        next: &SignedHead,
    ) -> Result<(), MemoryError> {
        let (folder, path) = (Arc::clone(&self.folder), self.path(log));
        let (turn, sealed) = {
            let (folder, path) = (Arc::clone(&folder), path.clone());
            blocking(move || Ok((turn(&folder, log)?, read(&path)?))).await?
        };
        let known = self.open(log, sealed).await?;
        if known.as_ref() != last {
            return Err(MemoryError::Moved);
        }
        if let Some(last) = last
            && (last.origin != next.origin
                || next.size < last.size
                || (next.size == last.size && next.root != last.root))
        {
            return Err(MemoryError::Backwards { last: last.size, next: next.size });
        }
        let content = serde_json::to_vec(next).map_err(unavailable)?;
        let sealed = self.keys.wrap(key_of(log), &content, context(log).as_bytes()).await?;
        blocking(move || {
            replace(&folder, &path, &sealed)?;
            drop(turn);
            Ok(())
        })
        .await
    }

    async fn forget(&self, log: OrgId) -> Result<(), MemoryError> {
        let (folder, path) = (Arc::clone(&self.folder), self.path(log));
        blocking(move || {
            let turn = turn(&folder, log)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            File::open(&folder)?.sync_all()?;
            drop(turn);
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::Secret;

    use super::*;
    use crate::{Keyring, conformance};

    fn memory(folder: &Path) -> SealedMemory {
        let keys = Keyring::open(&folder.join("keys"), &Secret::new("p")).expect("a keyring");
        SealedMemory::new(folder.join("signed-heads"), Arc::new(keys))
    }

    fn head(size: u64) -> SignedHead {
        SignedHead { origin: "audit.example/one".into(), size, root: [size as u8; 32] }
    }

    #[tokio::test]
    async fn the_sealed_memory_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        conformance::remember(&memory(folder.path())).await;
    }

    #[tokio::test]
    async fn it_outlives_the_process_and_is_shared_between_two() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = OrgId::generate();
        let (one, other) = (memory(folder.path()), memory(folder.path()));
        one.advance(log, None, &head(3)).await.expect("the first");
        assert_eq!(other.last(log).await.expect("it is remembered"), Some(head(3)));
        other.advance(log, Some(&head(3)), &head(5)).await.expect("the next");
        assert!(matches!(one.advance(log, Some(&head(3)), &head(4)).await, Err(MemoryError::Moved)));
    }

    #[tokio::test]
    async fn a_changed_file_and_that_of_another_log_are_found_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = memory(folder.path());
        let (log, other) = (OrgId::generate(), OrgId::generate());
        memory.advance(log, None, &head(3)).await.expect("the first");
        memory.advance(other, None, &head(9)).await.expect("the first");
        let path = memory.path(log);
        fs::copy(memory.path(other), &path).expect("a copy");
        assert!(matches!(memory.last(log).await, Err(MemoryError::Damaged)));
        fs::write(&path, b"{}").expect("a file");
        assert!(matches!(memory.last(log).await, Err(MemoryError::Damaged)));
        memory.forget(log).await.expect("it is forgotten all the same");
        assert_eq!(memory.last(log).await.expect("an answer"), None);
    }
}
