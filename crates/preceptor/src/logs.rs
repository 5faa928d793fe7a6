//! The logs that someone on this machine has seen: `logs.toml` in the data folder, with the key of each and the newest
//! checkpoint that was verified. What a log shows later is compared with it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::private_file::PrivateFile;

const FILE: &str = "logs.toml";

/// What is remembered of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Remembered {
    /// Its verifier key.
    pub(crate) key: String,
    /// The newest checkpoint that was verified, a signed note.
    pub(crate) checkpoint: String,
}

/// The file, by the name of the log.
#[derive(Debug)]
pub(crate) struct Logs {
    file: PrivateFile,
    known: BTreeMap<String, Remembered>,
}

impl Logs {
    /// Reads the file; none is an empty one.
    pub(crate) fn read(data: &Path) -> anyhow::Result<Self> {
        let file = PrivateFile::at(data.join(FILE));
        let known = file.read_toml("list of logs")?;
        Ok(Self { file, known })
    }

    pub(crate) fn of(&self, origin: &str) -> Option<&Remembered> {
        self.known.get(origin)
    }

    /// Remembers the newest checkpoint of a log.
    pub(crate) fn remember(&mut self, origin: &str, remembered: Remembered) -> anyhow::Result<()> {
        self.known.insert(origin.to_owned(), remembered);
        self.file.write_toml(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_there_the_next_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut logs = Logs::read(folder.path()).expect("none yet");
        assert_eq!(logs.of("audit.example/one"), None);
        let seen =
            Remembered { key: "k".into(), checkpoint: "audit.example/one\n3\nAAAA\n\n— x y\n".into() };
        logs.remember("audit.example/one", seen.clone()).expect("it is written");
        assert_eq!(Logs::read(folder.path()).expect("what was written").of("audit.example/one"), Some(&seen));
        std::fs::write(folder.path().join(FILE), "x = 1").expect("a file");
        assert!(Logs::read(folder.path()).is_err(), "what cannot be read is not taken for nothing");
    }
}
