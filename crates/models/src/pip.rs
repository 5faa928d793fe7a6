//! Packages from the index that the pip of this machine uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Downloads the wheel of a package (`name` or `name==version`) into `folder`, which holds no other, and returns its path.
/// Nothing of the package runs. The error says what pip said.
pub fn download(package: &str, folder: &Path) -> Result<PathBuf, String> {
    const WAYS: [&[&str]; 3] = [&["python3", "-m", "pip"], &["pip3"], &["pip"]];
    const OPTIONS: [&str; 7] = [
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
    ];
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut last = "no pip on this machine".to_owned();
    for way in WAYS {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(OPTIONS).arg(folder).arg(package);
        match command.output() {
            Ok(output) if output.status.success() => return wheel_in(folder),
            Ok(output) => String::from_utf8_lossy(&output.stderr)
                .lines()
                .last()
                .unwrap_or("pip failed")
                .clone_into(&mut last),
            Err(_) => {}
        }
    }
    Err(last)
}

fn wheel_in(folder: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut wheels = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "whl"));
    wheels.next().ok_or_else(|| "it brought no wheel".to_owned())
}
