//! What a file is: its name says one thing, its bytes another, and both must agree.

use std::path::Path;

use super::ExtractError;

/// A kind of file that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// Plain text.
    Plain,
    /// Markdown, as CommonMark has it, with tables.
    Markdown,
    /// PDF.
    Pdf,
    /// A PowerPoint deck.
    Pptx,
    /// A journal article in JATS XML.
    Jats,
    /// Captions in WebVTT.
    WebVtt,
    /// Captions in SRT.
    Srt,
    /// Sections made by another program, in JSON.
    Sections,
}

const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];
const ZIP: &[u8] = b"PK\x03\x04";

impl MediaType {
    const ALL: [Self; 8] = [
        Self::Plain,
        Self::Markdown,
        Self::Pdf,
        Self::Pptx,
        Self::Jats,
        Self::WebVtt,
        Self::Srt,
        Self::Sections,
    ];

    /// The IANA name, or ours where there is none.
    pub const fn name(self) -> &'static str {
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
    pub fn of_name(name: &str) -> Option<Self> {
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
    pub fn declared(file_name: &str, media_type: &str) -> Result<Self, ExtractError> {
        match media_type {
            "" | "application/octet-stream" => Self::of_extension(file_name).ok_or(ExtractError::Unsupported),
            name => {
                Self::of_name(name).or_else(|| Self::of_extension(file_name)).ok_or(ExtractError::Unsupported)
            }
        }
    }

    /// Checks the content against what it is said to be.
    #[cfg(test)]
    pub(crate) fn check(self, content: &[u8]) -> Result<(), ExtractError> {
        let mut sniffer = Sniffer::new(self);
        sniffer.take(content)?;
        sniffer.finish()
    }

    /// What the first bytes of a file say about it.
    fn check_head(self, head: &[u8]) -> Result<(), ExtractError> {
        if head.starts_with(OLE) {
            // Office encrypts by wrapping the archive into an OLE file.
            return Err(if self == Self::Pptx {
                ExtractError::Encrypted
            } else {
                self.mismatch("an old or encrypted Office file")
            });
        }
        let is_pdf = head[..head.len().min(1024)].windows(5).any(|window| window == b"%PDF-");
        let is_zip = head.starts_with(ZIP);
        match self {
            Self::Pdf if !is_pdf => Err(self.mismatch(if is_zip { "a ZIP archive" } else { "not a PDF" })),
            Self::Pptx if !is_zip => Err(self.mismatch(if is_pdf { "a PDF" } else { "not a PPTX" })),
            Self::Pdf | Self::Pptx => Ok(()),
            _ if is_pdf => Err(self.mismatch("a PDF")),
            _ if is_zip => Err(self.mismatch("a ZIP archive")),
            _ => Ok(()),
        }
    }

    const fn is_text(self) -> bool {
        !matches!(self, Self::Pdf | Self::Pptx)
    }

    /// What the beginning of a text says about it.
    fn check_start(self, start: &str, has_arrow: bool) -> Result<(), ExtractError> {
        let start = start.trim_start_matches('\u{feff}').trim_start();
        match self {
            Self::Jats if !start.starts_with('<') => Err(self.mismatch("not XML")),
            Self::WebVtt if !start.starts_with("WEBVTT") => Err(self.mismatch("not WebVTT")),
            Self::Srt if !has_arrow => Err(self.mismatch("not SRT")),
            Self::Plain | Self::Markdown if start.starts_with("<?xml") => Err(self.mismatch("XML")),
            _ => Ok(()),
        }
    }

    fn mismatch(self, found: &'static str) -> ExtractError {
        ExtractError::Mismatch { named: self.words().to_owned(), found: found.to_owned() }
    }

    /// What its pictures are.
    pub const fn picture_type(self) -> &'static str {
        if matches!(self, Self::Pptx) { "image/svg+xml" } else { "image/png" }
    }

    /// Whether its pages can be drawn.
    pub const fn has_pictures(self) -> bool {
        matches!(self, Self::Pdf | Self::Pptx)
    }
}

/// Bytes of a file by which its kind is told.
const HEAD: usize = 4096;

/// Checks a file as it comes in: the first bytes before the rest, and every byte of a text.
#[derive(Debug)]
pub struct Sniffer {
    media: MediaType,
    head: Vec<u8>,
    /// Whether the head was looked at.
    is_known: bool,
    /// The end of the piece before that may belong to a character of the next.
    carried: Vec<u8>,
    has_arrow: bool,
}

impl Sniffer {
    /// For a file of this kind.
    pub fn new(media: MediaType) -> Self {
        Self { media, head: Vec::new(), is_known: false, carried: Vec::new(), has_arrow: false }
    }

    /// Looks at the next piece.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), ExtractError> {
        if self.head.len() < HEAD {
            self.head.extend_from_slice(&piece[..piece.len().min(HEAD - self.head.len())]);
            if self.head.len() == HEAD {
                self.look()?;
            }
        }
        if self.media.is_text() { self.take_text(piece) } else { Ok(()) }
    }

    /// Whether it was what it is said to be.
    pub fn finish(mut self) -> Result<(), ExtractError> {
        if self.head.is_empty() {
            return Err(ExtractError::Empty);
        }
        self.look()?;
        if !self.media.is_text() {
            return Ok(());
        }
        // A character that was begun and never ended.
        if std::str::from_utf8(&self.carried).is_err() {
            return Err(ExtractError::NotUtf8);
        }
        let start = match std::str::from_utf8(&self.head) {
            Ok(start) => start,
            // The head may end within a character.
            Err(error) => std::str::from_utf8(&self.head[..error.valid_up_to()]).unwrap_or_default(),
        };
        self.media.check_start(start, self.has_arrow)
    }

    fn look(&mut self) -> Result<(), ExtractError> {
        if std::mem::replace(&mut self.is_known, true) { Ok(()) } else { self.media.check_head(&self.head) }
    }

    fn take_text(&mut self, piece: &[u8]) -> Result<(), ExtractError> {
        if piece.contains(&0) {
            // What is told of the head comes first: it names what the file is.
            self.look()?;
            return Err(self.media.mismatch("binary"));
        }
        let mut bytes = std::mem::take(&mut self.carried);
        bytes.extend_from_slice(piece);
        self.has_arrow |= bytes.windows(3).any(|window| window == b"-->");
        let whole = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => {
                self.look()?;
                return Err(ExtractError::NotUtf8);
            }
        };
        // Two more than what is not whole, for an arrow across pieces; they are whole characters of one byte or left out.
        let ascii = bytes[..whole].iter().rev().take(2).take_while(|byte| byte.is_ascii()).count();
        self.carried = bytes.split_off(whole - ascii);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_verdict() {
        let files: [(&str, &[u8]); 7] = [
            ("a.md", "# Käse – und „Brot“ – über alles".as_bytes()),
            ("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"),
            ("b.srt", b"no cue"),
            ("a.txt", b"caf\xc3"),
            ("b.txt", b"ok \xff"),
            ("c.txt", b"a\0b"),
            ("a.pdf", b"junk %PDF-1.7"),
        ];
        for (name, content) in files {
            let media = MediaType::declared(name, "").expect("a kind");
            let whole = media.check(content).map_err(|error| error.code());
            for size in 1..5 {
                let mut sniffer = Sniffer::new(media);
                let taken = content.chunks(size).try_for_each(|piece| sniffer.take(piece));
                let pieces = taken.and_then(|()| sniffer.finish()).map_err(|error| error.code());
                assert_eq!(pieces, whole, "{name} in pieces of {size}");
            }
        }
    }

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
