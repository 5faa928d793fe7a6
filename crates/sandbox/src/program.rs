//! Which binary children run.

use std::path::{Path, PathBuf};

use crate::child;

/// The name of the binary that can do the work of every service.
const BINARY: &str = "preceptor";

/// The binary that children run: the one that `configured` names, this process's own when it can do the work, or the one
/// beside it, which is where tests find it. There is no other way: work is never done in this process.
pub fn program(configured: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(program) = configured {
        return Ok(program.to_owned());
    }
    let own = std::env::current_exe()
        .map_err(|error| format!("this process cannot tell which binary it runs: {error}"))?;
    if child::can_be_one() {
        return Ok(itself(own));
    }
    beside(&own).ok_or_else(|| {
        format!(
            "no {BINARY} binary beside {}: files are read by a child process of it; build it (`cargo build -p preceptor`), or name it in sandbox.program",
            own.display()
        )
    })
}

/// This process's binary. The kernel's own link to it stays right when the file is replaced by a newer version.
#[cfg(target_os = "linux")]
fn itself(_own: PathBuf) -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

#[cfg(not(target_os = "linux"))]
fn itself(own: PathBuf) -> PathBuf {
    own
}

/// The binary in the folder of `own` or the one above it: test binaries are in `deps` of the folder of binaries.
fn beside(own: &Path) -> Option<PathBuf> {
    own.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(format!("{BINARY}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}
