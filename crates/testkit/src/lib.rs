//! What tests share.
//!
//! A test that cannot run here says so with [`skip`]: the reason is printed and counted by `cargo xtask test`. Nothing is
//! skipped in silence.

#[cfg(feature = "mesh")]
pub mod contract;
#[cfg(feature = "mesh")]
pub mod local;
pub mod postgres;
pub mod tools;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[cfg(feature = "mesh")]
pub use local::{Local, Store};

/// Names the file that skips are written to, one a line.
pub const SKIP_LOG: &str = "PRECEPTOR_SKIP_LOG";
/// Names the folder of the embedding model.
pub const MODEL: &str = "PRECEPTOR_TEST_MODEL";

/// What the test runner hands over in the environment.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration of their own")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Numbers that look random and repeat themselves (xorshift64*): a failure can be seen again.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides.max(1)
    }

    /// One of several.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// Says that `test` does not run here, and why.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    let Some(log) = environment(SKIP_LOG) else { return };
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
    let folder = environment(MODEL)
        .map_or_else(|| project().join(".preceptor/models/all-MiniLM-L6-v2"), PathBuf::from);
    if folder.join("model.safetensors").is_file() {
        return Some(folder);
    }
    skip(test, "the embedding model is not on this machine; `preceptor models pull` gets it");
    None
}
