//! Small files in the data folder that are for their owner alone: read whole, and replaced whole.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engines::write_private;

/// A file that may not be there yet.
#[derive(Debug)]
pub(crate) struct PrivateFile(PathBuf);

impl PrivateFile {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What it holds; nothing when it is not there.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Vec<u8>>> {
        match std::fs::read(&self.0) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", self.0.display())),
        }
    }

    /// Puts a text in the place of what it held. A crash leaves one of the two.
    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        if let Some(folder) = self.0.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let beside = self.0.with_extension("new");
        write_private(&beside, text)?;
        std::fs::rename(&beside, &self.0).with_context(|| format!("{} cannot be written", self.0.display()))
    }

    /// The value that it holds as TOML, the default one when it is not there. `what` says what it should be.
    pub(crate) fn read_toml<T: DeserializeOwned + Default>(&self, what: &str) -> anyhow::Result<T> {
        let Some(bytes) = self.read()? else { return Ok(T::default()) };
        let wrong = || format!("{} is not a {what}", self.0.display());
        toml::from_str(&String::from_utf8(bytes).with_context(wrong)?).with_context(wrong)
    }

    /// Keeps a value as TOML.
    pub(crate) fn write_toml<T: Serialize>(&self, value: &T) -> anyhow::Result<()> {
        self.write(&toml::to_string(value)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_is_private_replaced_whole_and_never_taken_for_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = PrivateFile::at(folder.path().join("inner").join("list.toml"));
        assert_eq!(file.read().expect("it is not there"), None);
        let value = BTreeMap::from([("a".to_owned(), 1)]);
        file.write_toml(&BTreeMap::from([("longer".to_owned(), 12_345_678)])).expect("it is written");
        file.write_toml(&value).expect("it is written");
        assert_eq!(file.read_toml::<BTreeMap<String, i64>>("list").expect("what was written"), value);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(file.path()).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "for its owner alone");
        }
        for wrong in [b"a = ".as_slice(), b"\xff".as_slice()] {
            std::fs::write(file.path(), wrong).expect("a file");
            let error = file.read_toml::<BTreeMap<String, i64>>("list").expect_err("no list").to_string();
            assert!(error.ends_with("is not a list"), "{error}");
        }
    }
}
