//! The providers whose keys someone on this machine trusts: `issuers.toml` in the data folder, as `known_hosts` is for
//! servers. A certificate can only say by itself that one key signed all of it; whose key that is has to be known before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use preceptor_certificate::IssuerKey;

use crate::private_file::PrivateFile;

const FILE: &str = "issuers.toml";

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was remembered as this provider's.
    Trusted,
    /// Other keys were remembered for this provider.
    Other,
    /// Nothing was remembered for this provider.
    Unknown,
}

/// The file. A provider has several keys after it changed them.
#[derive(Debug)]
pub(crate) struct Issuers {
    file: PrivateFile,
    keys: BTreeMap<String, BTreeSet<String>>,
}

impl Issuers {
    /// Reads the file; none is an empty one.
    pub(crate) fn read(data: &Path) -> anyhow::Result<Self> {
        let file = PrivateFile::at(data.join(FILE));
        let keys = file.read_toml("list of keys by provider")?;
        Ok(Self { file, keys })
    }

    pub(crate) fn standing(&self, provider: &str, key: &IssuerKey) -> Standing {
        match self.keys.get(provider) {
            Some(keys) if keys.contains(&key.multikey()) => Standing::Trusted,
            Some(_) => Standing::Other,
            None => Standing::Unknown,
        }
    }

    /// Trusts a key of a provider from now on.
    pub(crate) fn remember(&mut self, provider: &str, key: &IssuerKey) -> anyhow::Result<()> {
        self.keys.entry(provider.to_owned()).or_default().insert(key.multikey());
        self.file.write_toml(&self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_key_is_trusted_for_its_provider_only_and_after_a_change_the_old_one_still_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = [IssuerKey::new([1; 32]), IssuerKey::new([2; 32])];
        let mut issuers = Issuers::read(folder.path()).expect("none yet");
        assert_eq!(issuers.standing("Harbor", &first), Standing::Unknown);
        issuers.remember("Harbor", &first).expect("it is written");
        assert_eq!(issuers.standing("Harbor", &second), Standing::Other);
        issuers.remember("Harbor", &second).expect("it is written");
        let issuers = Issuers::read(folder.path()).expect("what was written");
        assert_eq!([&first, &second].map(|key| issuers.standing("Harbor", key)), [Standing::Trusted; 2]);
        assert_eq!(issuers.standing("Harbour", &first), Standing::Unknown);
    }
}
