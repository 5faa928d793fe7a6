//! What a process writes is for its own account: no other account of the machine may read it.

use std::io;
use std::path::{Path, PathBuf};

/// A folder that others may look into.
#[derive(Debug, thiserror::Error)]
pub enum OpenFolder {
    /// Its mode lets others in.
    #[error("{0} can be read by other accounts of this machine; run `chmod 700 {0}` and start again")]
    TooOpen(PathBuf),
    /// It cannot be looked at.
    #[error("{path} cannot be looked at: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// From now on every file and folder that this process makes is its account's alone, no matter who makes it: databases, their
/// logs, objects, downloads.
#[cfg(unix)]
pub fn write_privately() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Elsewhere files inherit what their folder allows.
#[cfg(not(unix))]
pub fn write_privately() {}

/// Refuses a folder that others may look into: it was made by someone else, or opened up since.
#[cfg(unix)]
pub fn refuse_open_folder(path: &Path) -> Result<(), OpenFolder> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)
        .map_err(|source| OpenFolder::Io { path: path.to_owned(), source })?
        .permissions()
        .mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(OpenFolder::TooOpen(path.to_owned())) }
}

/// Elsewhere the system has other means.
#[cfg(not(unix))]
pub fn refuse_open_folder(_path: &Path) -> Result<(), OpenFolder> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_private_and_an_open_folder_is_refused() {
        write_privately();
        let folder = std::env::temp_dir().join(format!("preceptor-private-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("file"), b"x").expect("a file");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("file"))), (0o700, 0o600));
        assert!(refuse_open_folder(&folder).is_ok());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).expect("a mode");
        let refused = refuse_open_folder(&folder).expect_err("others may look into it").to_string();
        assert!(refused.contains("chmod 700"), "{refused}");
        fs::remove_dir_all(&folder).expect("it is gone");
    }
}
