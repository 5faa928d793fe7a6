//! Copies of providers' lists of voided certificates: `status-lists` in the data folder, so that a certificate can be checked
//! offline against the newest list that was seen.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use preceptor_certificate::status::StatusList;
use preceptor_core::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::engines::write_private;

const FOLDER: &str = "status-lists";

/// The copies.
#[derive(Debug)]
pub(crate) struct StatusLists {
    folder: PathBuf,
}

impl StatusLists {
    pub(crate) fn of(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    /// One file for each list, under a name that any address can have.
    fn path(&self, url: &str) -> PathBuf {
        self.folder.join(format!("{}.json", hex::encode(Sha256::digest(url))))
    }

    /// The copy of a list, if it was remembered.
    pub(crate) fn find(&self, url: &str) -> anyhow::Result<Option<StatusList>> {
        let path = self.path(url);
        match std::fs::read(&path) {
            Ok(file) => Ok(Some(
                StatusList::read(&file).with_context(|| format!("{} cannot be used", path.display()))?,
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Keeps a copy, unless a newer one is kept.
    pub(crate) fn remember(&self, list: &StatusList, file: &str) -> anyhow::Result<bool> {
        if self.find(&list.url)?.is_some_and(|known| date(&known) > date(list)) {
            return Ok(false);
        }
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("{} cannot be made", self.folder.display()))?;
        write_private(&self.path(&list.url), file)?;
        Ok(true)
    }
}

fn date(list: &StatusList) -> Option<Timestamp> {
    list.made_at.parse().ok()
}
