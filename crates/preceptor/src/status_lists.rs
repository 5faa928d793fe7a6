//! Copies of providers' lists of voided certificates: `status-lists` in the data folder, so that a certificate can be checked
//! offline against the newest list that was seen.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use preceptor_certificate::status::StatusList;
use preceptor_core::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::private_file::PrivateFile;

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
    fn file(&self, url: &str) -> PrivateFile {
        PrivateFile::at(self.folder.join(format!("{}.json", hex::encode(Sha256::digest(url)))))
    }

    /// The copy of a list, if it was remembered.
    pub(crate) fn find(&self, url: &str) -> anyhow::Result<Option<StatusList>> {
        let file = self.file(url);
        let Some(bytes) = file.read()? else { return Ok(None) };
        let list = StatusList::read(&bytes);
        list.map(Some).with_context(|| format!("{} cannot be used", file.path().display()))
    }

    /// Keeps a copy, unless a newer one is kept.
    pub(crate) fn remember(&self, list: &StatusList, file: &str) -> anyhow::Result<bool> {
        if self.find(&list.url)?.is_some_and(|known| date(&known) > date(list)) {
            return Ok(false);
        }
        self.file(&list.url).write(file)?;
        Ok(true)
    }
}

fn date(list: &StatusList) -> Option<Timestamp> {
    list.made_at.parse().ok()
}
