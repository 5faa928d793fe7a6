//! What a file is: its name says one thing, its bytes another, and both must agree.

use std::path::Path;

use super::{ExtractError, text};

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    Plain,
    Markdown,
    Pdf,
    Pptx,
    Jats,
    WebVtt,
    Srt,
    /// Sections made by another program, in JSON.
    Sections,
}

const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];
const ZIP: &[u8] = b"PK\x03\x04";

impl MediaType {
    const ALL: [Self; 8] = [Self::Plain, Self::Markdown, Self::Pdf, Self::Pptx, Self::Jats, Self::WebVtt, Self::Srt, Self::Sections];

    /// The IANA name, or ours where there is none.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Pdf => "application/pdf",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Jats => "application/jats+xml",
            Self::WebVtt => "text/vtt",
            Self::Srt => "application/x-subrip",
            Self::Sections => "application/vnd.preceptor.sections+json",
        }
    }

    /// The kind of that name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let name = name.split(';').next().unwrap_or_default().trim();
        match name {
            "application/xml" | "text/xml" => Some(Self::Jats),
            _ => Self::ALL.into_iter().find(|media| media.name() == name),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Plain => "plain text",
            Self::Markdown => "Markdown",
            Self::Pdf => "PDF",
            Self::Pptx => "PPTX",
            Self::Jats => "XML",
            Self::WebVtt => "WebVTT",
            Self::Srt => "SRT",
            Self::Sections => "JSON sections",
        }
    }

    fn of_extension(file_name: &str) -> Option<Self> {
        let extension = Path::new(file_name).extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "txt" | "text" => Self::Plain,
            "md" | "markdown" => Self::Markdown,
            "pdf" => Self::Pdf,
            "pptx" => Self::Pptx,
            "xml" | "nxml" | "jats" => Self::Jats,
            "vtt" => Self::WebVtt,
            "srt" => Self::Srt,
            "json" => Self::Sections,
            _ => return None,
        })
    }

    /// What the name and the caller say the file is; the caller wins.
    pub(crate) fn declared(file_name: &str, media_type: &str) -> Result<Self, ExtractError> {
        match media_type {
            "" | "application/octet-stream" => Self::of_extension(file_name).ok_or(ExtractError::Unsupported),
            name => Self::of_name(name).or_else(|| Self::of_extension(file_name)).ok_or(ExtractError::Unsupported),
        }
    }

    /// Checks the content against what it is said to be.
    pub(crate) fn check(self, content: &[u8]) -> Result<(), ExtractError> {
        if content.is_empty() {
            return Err(ExtractError::Empty);
        }
        if content.starts_with(OLE) {
            // Office encrypts by wrapping the archive into an OLE file.
            return Err(if self == Self::Pptx { ExtractError::Encrypted } else { self.mismatch("an old or encrypted Office file") });
        }
        let head = &content[..content.len().min(1024)];
        let is_pdf = head.windows(5).any(|window| window == b"%PDF-");
        let is_zip = content.starts_with(ZIP);
        match self {
            Self::Pdf if !is_pdf => Err(self.mismatch(if is_zip { "a ZIP archive" } else { "not a PDF" })),
            Self::Pptx if !is_zip => Err(self.mismatch(if is_pdf { "a PDF" } else { "not a PPTX" })),
            Self::Pdf | Self::Pptx => Ok(()),
            _ if is_pdf => Err(self.mismatch("a PDF")),
            _ if is_zip => Err(self.mismatch("a ZIP archive")),
            _ => self.check_text(content),
        }
    }

    fn check_text(self, content: &[u8]) -> Result<(), ExtractError> {
        let text = text(content)?;
        if text.contains('\0') {
            return Err(self.mismatch("binary"));
        }
        let start = text.trim_start();
        match self {
            Self::Jats if !start.starts_with('<') => Err(self.mismatch("not XML")),
            Self::WebVtt if !start.starts_with("WEBVTT") => Err(self.mismatch("not WebVTT")),
            Self::Srt if !start.contains("-->") => Err(self.mismatch("not SRT")),
            Self::Plain | Self::Markdown if start.starts_with("<?xml") => Err(self.mismatch("XML")),
            _ => Ok(()),
        }
    }

    fn mismatch(self, found: &'static str) -> ExtractError {
        ExtractError::Mismatch { named: self.words(), found }
    }

    /// What its pictures are.
    pub(crate) const fn picture_type(self) -> &'static str {
        if matches!(self, Self::Pptx) { "image/svg+xml" } else { "image/png" }
    }

    /// Whether its pages can be drawn.
    pub(crate) const fn has_pictures(self) -> bool {
        matches!(self, Self::Pdf | Self::Pptx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, content: &[u8]) -> Result<MediaType, &'static str> {
        let media = MediaType::declared(name, "").map_err(|error| error.code())?;
        media.check(content).map(|()| media).map_err(|error| error.code())
    }

    #[test]
    fn honest_files_pass() {
        assert_eq!(check("a.TXT", b"words"), Ok(MediaType::Plain));
        assert_eq!(check("a.pdf", b"junk\n%PDF-1.7"), Ok(MediaType::Pdf));
        assert_eq!(check("a.vtt", "\u{feff}WEBVTT\n".as_bytes()), Ok(MediaType::WebVtt));
    }

    #[test]
    fn lying_files_are_caught() {
        let lies: [(&str, &[u8], &str); 9] = [
            ("slides.txt", b"%PDF-1.7 ...", "FILE_TYPE_MISMATCH"),
            ("slides.md", b"PK\x03\x04...", "FILE_TYPE_MISMATCH"),
            ("slides.pdf", b"PK\x03\x04...", "FILE_TYPE_MISMATCH"),
            ("slides.pptx", b"%PDF-1.7", "FILE_TYPE_MISMATCH"),
            ("slides.pptx", OLE, "FILE_ENCRYPTED"),
            ("article.xml", b"{}", "FILE_TYPE_MISMATCH"),
            ("text.txt", b"a\0b", "FILE_TYPE_MISMATCH"),
            ("text.txt", b"\xff\xfe", "FILE_NOT_UTF8"),
            ("text.txt", b"", "FILE_EMPTY"),
        ];
        for (name, content, code) in lies {
            assert_eq!(check(name, content), Err(code), "{name}");
        }
        assert_eq!(check("tool.exe", b"MZ"), Err("FILE_TYPE_UNSUPPORTED"));
    }
}
