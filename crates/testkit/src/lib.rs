//! What tests share.
//!
//! A test that cannot run here says so with [`skip`]: the reason is printed and counted by `cargo xtask test`. Nothing is
//! skipped in silence.

#[cfg(feature = "mesh")]
pub mod local;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[cfg(feature = "mesh")]
pub use local::Local;

/// Names the file that skips are written to, one a line.
pub const SKIP_LOG: &str = "PRECEPTOR_SKIP_LOG";
/// Names the folder of the embedding model.
pub const MODEL: &str = "PRECEPTOR_TEST_MODEL";

/// Says that `test` does not run here, and why.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    #[expect(clippy::disallowed_methods, reason = "the test runner hands the file over in the environment")]
    let Ok(log) = std::env::var(SKIP_LOG) else { return };
    let file = OpenOptions::new().create(true).append(true).open(log);
    if let Ok(mut file) = file {
        // A skip that cannot be counted was printed at least.
        let _ = writeln!(file, "{test}: {reason}");
    }
}

/// The project's folder.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The real inputs beside the project, or a skip of `test`.
pub fn shared_data(test: &str) -> Option<PathBuf> {
    let folder = project().join("../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    skip(test, "the real inputs (../shared/data) are not beside the project");
    None
}

/// The folder of the embedding model, or a skip of `test`.
pub fn model(test: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the test runner hands the folder over in the environment")]
    let named = std::env::var(MODEL).ok().map(PathBuf::from);
    let folder = named.unwrap_or_else(|| project().join(".preceptor/models/all-MiniLM-L6-v2"));
    if folder.join("model.safetensors").is_file() {
        return Some(folder);
    }
    skip(test, "the embedding model is not on this machine; `preceptor models pull` gets it");
    None
}
