//! Something that a deployment does once, and never again whatever its tables say.
//!
//! Rows that were there before they had a seal are sealed as they are, at the first start with a version that knows seals.
//! Whether that was done cannot be asked of the tables: who can write them would take a seal away and have the row sealed
//! anew. So it is remembered where signers remember what they signed.

use std::sync::Arc;

use preceptor_core::id::OrgId;

use crate::{MemoryError, SignedHead, SignerMemory};

/// Remembers outside the database that something was done.
#[derive(Debug, Clone)]
pub struct Once {
    memory: Arc<dyn SignerMemory>,
    what: &'static str,
}

impl Once {
    /// What is named `what` is remembered in a memory of its own.
    pub fn new(memory: Arc<dyn SignerMemory>, what: &'static str) -> Self {
        Self { memory, what }
    }

    /// Whether it was done. A memory of something else is [`MemoryError::Damaged`], and never taken for a "no".
    pub async fn is_done(&self) -> Result<bool, MemoryError> {
        match self.memory.last(OrgId::PLATFORM).await? {
            None => Ok(false),
            Some(known) if known == self.mark() => Ok(true),
            Some(_) => Err(MemoryError::Damaged),
        }
    }

    /// Remembers it for good. Doing so again changes nothing.
    pub async fn done(&self) -> Result<(), MemoryError> {
        match self.memory.advance(OrgId::PLATFORM, None, &self.mark()).await {
            // Another process was as far.
            Err(MemoryError::Moved) if self.is_done().await? => Ok(()),
            outcome => outcome,
        }
    }

    fn mark(&self) -> SignedHead {
        SignedHead { origin: self.what.to_owned(), size: 1, root: [0; 32] }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use preceptor_core::Secret;

    use super::*;
    use crate::{Keyring, SealedMemory};

    fn once(folder: &Path, what: &'static str) -> Once {
        let keys = Keyring::open(&folder.join("keys"), &Secret::new("p")).expect("a keyring");
        Once::new(Arc::new(SealedMemory::new(folder.join("once"), Arc::new(keys))), what)
    }

    #[tokio::test]
    async fn what_was_done_stays_done_in_every_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (once(folder.path(), "seals"), once(folder.path(), "seals"));
        assert!(!one.is_done().await.expect("an answer"));
        one.done().await.expect("it is remembered");
        other.done().await.expect("again is the same");
        assert!(other.is_done().await.expect("an answer"));
        assert!(once(folder.path(), "seals").is_done().await.expect("an answer"), "after a start");
    }

    #[tokio::test]
    async fn a_mark_that_cannot_be_read_is_not_taken_for_none() {
        let folder = tempfile::tempdir().expect("a folder");
        once(folder.path(), "other").done().await.expect("it is remembered");
        let seals = once(folder.path(), "seals");
        assert!(matches!(seals.is_done().await, Err(MemoryError::Damaged)));
        assert!(matches!(seals.done().await, Err(MemoryError::Damaged)));
        fs::write(folder.path().join("once").join(OrgId::PLATFORM.to_string()), b"{}").expect("a file");
        assert!(matches!(seals.is_done().await, Err(MemoryError::Damaged)));
    }
}
