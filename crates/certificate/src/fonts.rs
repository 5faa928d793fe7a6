//! The fonts of certificates: those of this binary and those of folders that the operator names.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Files that a folder may hold, and how deep.
const MOST_FILES: usize = 4096;
const DEEPEST: usize = 6;
/// Fonts of all Chinese, Japanese and Korean characters are some 20 MB.
const LARGEST_FILE: u64 = 64 << 20;
/// Where Debian and its relatives keep the Noto fonts.
const NOTO: [&str; 2] = ["/usr/share/fonts/truetype/noto", "/usr/share/fonts/opentype/noto"];

/// Scripts of many names, each with a letter of it.
const SCRIPTS: [(&str, char); 25] = [
    ("Latin", 'a'),
    ("Greek", 'α'),
    ("Cyrillic", 'я'),
    ("Armenian", 'ա'),
    ("Georgian", 'ა'),
    ("Hebrew", 'א'),
    ("Arabic", 'ب'),
    ("Devanagari", 'क'),
    ("Bengali", 'ক'),
    ("Gujarati", 'ક'),
    ("Gurmukhi", 'ਕ'),
    ("Odia", 'କ'),
    ("Tamil", 'க'),
    ("Telugu", 'క'),
    ("Kannada", 'ಕ'),
    ("Malayalam", 'ക'),
    ("Sinhala", 'ක'),
    ("Thai", 'ก'),
    ("Lao", 'ກ'),
    ("Khmer", 'ក'),
    ("Burmese", 'က'),
    ("Ethiopic", 'አ'),
    ("Chinese", '中'),
    ("Japanese", 'あ'),
    ("Korean", '한'),
];

/// Characters that no font draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprintable(pub Vec<char>);

impl fmt::Display for Unprintable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_NAMED: usize = 10;
        let named = self.0.iter().take(MOST_NAMED).map(|sign| {
            let shown = if sign.is_control() || turns(*sign) { String::new() } else { format!("{sign} ") };
            let point = format!("U+{:04X}", u32::from(*sign));
            if shown.is_empty() { point } else { format!("{shown}({point})") }
        });
        f.write_str(&named.collect::<Vec<_>>().join(", "))?;
        if self.0.len() > MOST_NAMED { write!(f, " and {} more", self.0.len() - MOST_NAMED) } else { Ok(()) }
    }
}

/// One font, read when it is used first.
struct Face {
    origin: Origin,
    font: OnceLock<Option<Font>>,
}

enum Origin {
    Own(Font),
    File(PathBuf, u32),
}

/// Every font that certificates may use.
pub struct Fonts {
    book: LazyHash<FontBook>,
    faces: Vec<Face>,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts").field("faces", &self.faces.len()).finish_non_exhaustive()
    }
}

static OWN: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let files: [&'static [u8]; 4] = [
        include_bytes!("../fonts/LibertinusSerif-Regular.otf"),
        include_bytes!("../fonts/LibertinusSerif-Semibold.otf"),
        include_bytes!("../fonts/LibertinusSerif-Italic.otf"),
        include_bytes!("../fonts/DejaVuSans.ttf"),
    ];
    let fonts: Vec<Font> = files.into_iter().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    assert!(fonts.len() >= files.len(), "a font of this binary cannot be read");
    fonts
});

impl Fonts {
    /// The fonts of this binary: Latin, Greek, Cyrillic, Arabic, Hebrew and some others.
    pub fn own() -> Arc<Self> {
        static FONTS: LazyLock<Arc<Fonts>> = LazyLock::new(|| Arc::new(Fonts::with(Vec::new())));
        Arc::clone(&FONTS)
    }

    /// Where a system that has the Noto fonts keeps them.
    pub fn usual_folders() -> Vec<PathBuf> {
        NOTO.map(PathBuf::from).into()
    }

    /// The same and those of `folders`; a folder that does not exist holds none.
    pub fn of_folders(folders: &[PathBuf]) -> Arc<Self> {
        let mut files = BTreeSet::new();
        for folder in folders {
            collect(folder, DEEPEST, &mut files);
        }
        Arc::new(Self::with(files.into_iter().flat_map(|file| faces_of(&file)).collect()))
    }

    fn with(others: Vec<(FontInfo, PathBuf, u32)>) -> Self {
        let mut infos: Vec<FontInfo> = OWN.iter().map(|font| font.info().clone()).collect();
        let mut faces: Vec<Face> = OWN
            .iter()
            .map(|font| Face { origin: Origin::Own(font.clone()), font: OnceLock::new() })
            .collect();
        for (info, path, index) in others {
            infos.push(info);
            faces.push(Face { origin: Origin::File(path, index), font: OnceLock::new() });
        }
        Self { book: LazyHash::new(FontBook::from_infos(infos)), faces }
    }

    pub(crate) const fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        let face = self.faces.get(index)?;
        let read = || match &face.origin {
            Origin::Own(font) => Some(font.clone()),
            Origin::File(path, index) => Font::new(Bytes::new(std::fs::read(path).ok()?), *index),
        };
        face.font.get_or_init(read).clone()
    }

    /// Whether a certificate can show a text as it is. A sign that no font has, that is no sign, or that turns the text
    /// around it is named.
    pub fn can_print(&self, text: &str) -> Result<(), Unprintable> {
        let missing: BTreeSet<char> = text.chars().filter(|sign| !self.draws(*sign)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Unprintable(missing.into_iter().collect())) }
    }

    /// Scripts of many names that certificates cannot show: anyone who runs this should know before anyone is refused.
    pub fn missing_scripts(&self) -> Vec<&'static str> {
        SCRIPTS.iter().filter(|(_, letter)| !self.draws(*letter)).map(|(name, _)| *name).collect()
    }

    fn draws(&self, sign: char) -> bool {
        let drawn = || {
            (0..self.faces.len())
                .filter_map(|index| self.book.info(index))
                .any(|info| info.coverage.contains(sign as u32))
        };
        !sign.is_control() && !turns(sign) && (sign.is_whitespace() || joins(sign) || drawn())
    }
}

/// Signs that change the direction of what follows.
const fn turns(sign: char) -> bool {
    matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Signs without a shape that some scripts need between letters.
const fn joins(sign: char) -> bool {
    matches!(sign, '\u{200c}' | '\u{200d}')
}

fn collect(folder: &Path, deeper: usize, files: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = path.extension().map(|kind| kind.to_string_lossy().to_lowercase()).unwrap_or_default();
        if path.is_dir() && deeper > 0 {
            collect(&path, deeper - 1, files);
        } else if files.len() < MOST_FILES && matches!(kind.as_str(), "ttf" | "otf" | "ttc" | "otc") {
            files.insert(path);
        }
    }
}

fn faces_of(file: &Path) -> Vec<(FontInfo, PathBuf, u32)> {
    let small = std::fs::metadata(file).is_ok_and(|data| data.len() <= LARGEST_FILE);
    let Some(data) = small.then(|| std::fs::read(file).ok()).flatten() else { return Vec::new() };
    let infos = FontInfo::iter(&data).zip(0..);
    infos.map(|(info, index)| (info, file.to_owned(), index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_or_turns_the_text_is_named() {
        let fonts = Fonts::own();
        assert_eq!(fonts.can_print("Zoë Müller-Łukasz, MD ™ · דנה · ليلى"), Ok(()));
        let missing = fonts.can_print("a\u{202e}b\u{7}漢🩺漢").expect_err("some");
        assert_eq!(missing.0, ['\u{7}', '\u{202e}', '漢', '🩺']);
        assert_eq!(missing.to_string(), "U+0007, U+202E, 漢 (U+6F22), 🩺 (U+1FA7A)");
    }

    #[test]
    fn a_folder_of_fonts_adds_to_those_of_the_binary() {
        let folder = std::env::temp_dir().join(format!("preceptor-fonts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("a.ttf"), include_bytes!("../fonts/DejaVuSans.ttf")).expect("a file");
        std::fs::write(folder.join("broken.otf"), b"no font").expect("a file");
        let fonts = Fonts::of_folders(std::slice::from_ref(&folder));
        assert_eq!(fonts.faces.len(), OWN.len() + 1);
        assert!(fonts.font(OWN.len()).is_some() && fonts.font(OWN.len() + 1).is_none());
        let missing = fonts.missing_scripts();
        assert!(missing.contains(&"Chinese") && !missing.contains(&"Arabic"), "{missing:?}");
        std::fs::remove_dir_all(folder).expect("it is removed");
    }
}
