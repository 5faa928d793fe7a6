//! Files to text with places.
//!
//! Every reader turns a file into one [`Extracted`]: a text, blocks of it that each know where they came from, and for
//! paged media where every word is drawn. Places are data of a block from extraction on; nothing is inferred later.
//! Reading is bounded in size, depth and number, and a file that cannot be read says why and what to do. Then [`passages`]
//! cuts the text into what search finds.
//!
//! Everything here is a pure function of bytes: no files, no network, no clock. `tests/mutations.rs` runs every reader on a
//! kept corpus and on damaged copies of it.

mod budget;
mod builder;
mod captions;
mod html;
mod inline;
mod jats;
mod markdown;
mod math;
mod measure;
mod notes;
mod passages;
mod pdf;
mod pdf_layout;
mod plain;
mod pptx;
mod scripts;
mod sections;
mod sentences;
mod slide_svg;
mod sniff;
mod table;
pub mod xml;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use budget::Budget;
pub use measure::{PassageText, page_texts, passages_of_file, passages_of_sections};
pub use notes::{Note, NoteKind, has_hole};
pub use passages::{Cue, Passage, passages};
pub use sniff::{MediaType, Sniffer};

pub(crate) use builder::Builder;

/// Limits of what is read.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Bytes of everything inside an archive, unpacked.
    pub unpacked_bytes: u64,
    /// Bytes of extracted text.
    pub text_bytes: usize,
    /// Pages or slides.
    pub pages: usize,
}

/// Headings from the outermost to the innermost: stored once, and referred to by every block below them.
pub type Path = Arc<[Arc<str>]>;

/// Where a block is, in the terms of its own medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// A page, counted from 1.
    Page(u32),
    /// A slide, counted from 1, or its speaker notes.
    Slide {
        /// The number of the slide.
        number: u32,
        /// Whether this is what the speaker notes say.
        notes: bool,
    },
    /// A stretch of a recording.
    Time {
        /// When it begins, in milliseconds from the start of the recording.
        start_ms: i64,
        /// When it ends.
        end_ms: i64,
        /// Who speaks; empty where the file does not say.
        speaker: String,
    },
    /// The headings above it.
    Section(Path),
}

/// A run of the extracted text that belongs together: a paragraph, a list item, a table row, a caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Bytes of the extracted text.
    pub range: Range<usize>,
    /// What stands above it: the nearest heading, and for a table row the header row.
    pub heading: Arc<str>,
    /// Where it is.
    pub locator: Locator,
}

/// A run of extracted text and where it is drawn, in fractions of the page's width and height from the top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordBox {
    /// The page, counted from 1.
    pub page: u32,
    /// Where the run begins, in bytes of the extracted text.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The left edge.
    pub x: f32,
    /// The upper edge.
    pub y: f32,
    /// How wide it is.
    pub width: f32,
    /// How high it is.
    pub height: f32,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extracted {
    /// The document's own title, if it has one.
    pub title: Option<String>,
    /// All text, blocks separated by empty lines.
    pub text: String,
    /// Blocks in reading order.
    pub blocks: Vec<Block>,
    /// Pages or slides; 0 for media without.
    pub pages: u32,
    /// Where words are drawn.
    pub boxes: Vec<WordBox>,
    /// What was left out or could not be made out, in words: for the author and the reviewer.
    pub notes: Vec<String>,
    /// The same as data.
    pub left_out: Vec<Note>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ExtractError {
    /// It has more bytes than a file may have.
    #[error("the file is larger than {limit_mib} MiB; split it, or ask an operator to raise the limit")]
    TooLarge {
        /// The bound, in MiB.
        limit_mib: u64,
    },
    /// There is no reader for it.
    #[error(
        "this kind of file is not supported; send plain text, Markdown, PDF, PPTX, JATS XML, WebVTT or SRT"
    )]
    Unsupported,
    /// Its name says one thing and its bytes another.
    #[error("the file is named {named} but its content is {found}; name it after what it is")]
    Mismatch {
        /// The kind that its name stands for.
        named: String,
        /// The kind that it is.
        found: String,
    },
    /// A password is needed.
    #[error("the file is encrypted; save it without a password and send it again")]
    Encrypted,
    /// It does not follow its format.
    #[error(
        "the file is damaged or not what it says: {0}; open it in the program that made it, save it anew and send it again"
    )]
    Malformed(String),
    /// There is no text in it.
    #[error("the file holds no text; if it is a scan, run text recognition on it first")]
    Empty,
    /// What is inside is more than may be unpacked.
    #[error("the file unpacks to more than {limit_mib} MiB; it was not opened")]
    ExpandsTooMuch {
        /// The bound, in MiB.
        limit_mib: u64,
    },
    /// Its XML declares entities.
    #[error("the XML declares entities of its own, which is not accepted; save it without a DOCTYPE subset")]
    Entities,
    /// It has more pages than a file may have.
    #[error("the file has more than {limit} pages; split it")]
    TooManyPages {
        /// The bound.
        limit: usize,
    },
    /// It is a text in another encoding.
    #[error("the text is not UTF-8; save it as UTF-8 and send it again")]
    NotUtf8,
    /// It takes more than one file may take.
    #[error(
        "reading this file takes more time or memory than one file may; split it into smaller files and send those"
    )]
    TooCostly,
    /// This service failed on it again and again.
    #[error(
        "the file could not be read because of a failure of this service, time and again; upload it anew later, or tell the operator"
    )]
    GivenUp,
}

impl ExtractError {
    /// The stable reason code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "FILE_TOO_LARGE",
            Self::Unsupported => "FILE_TYPE_UNSUPPORTED",
            Self::Mismatch { .. } => "FILE_TYPE_MISMATCH",
            Self::Encrypted => "FILE_ENCRYPTED",
            Self::Malformed(_) => "FILE_MALFORMED",
            Self::Empty => "FILE_EMPTY",
            Self::ExpandsTooMuch { .. } => "FILE_EXPANDS_TOO_MUCH",
            Self::Entities => "FILE_HAS_ENTITIES",
            Self::TooManyPages { .. } => "FILE_TOO_MANY_PAGES",
            Self::NotUtf8 => "FILE_NOT_UTF8",
            Self::TooCostly => "FILE_TOO_COSTLY",
            Self::GivenUp => "FILE_NOT_READ",
        }
    }
}

/// Reads a file of a known type within `budget`; `progress` is told how many pages of how many are read.
pub fn extract(
    media: MediaType,
    content: &Bytes,
    limits: &Limits,
    budget: &Budget,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Extracted, ExtractError> {
    if content.len() as u64 > limits.file_bytes {
        return Err(ExtractError::TooLarge { limit_mib: limits.file_bytes >> 20 });
    }
    let extracted = match media {
        MediaType::Plain => plain::extract(text(content)?, budget)?,
        MediaType::Markdown => markdown::extract(text(content)?, budget)?,
        MediaType::Pdf => pdf::extract(content, limits, budget, progress)?,
        MediaType::Pptx => pptx::extract(content, limits, budget, progress)?,
        MediaType::Jats => jats::extract(text(content)?, budget)?,
        MediaType::WebVtt => captions::extract(text(content)?, captions::Format::WebVtt, budget)?,
        MediaType::Srt => captions::extract(text(content)?, captions::Format::Srt, budget)?,
        MediaType::Sections => sections::extract(content, budget)?,
    };
    if extracted.blocks.is_empty() {
        return Err(ExtractError::Empty);
    }
    Ok(extracted)
}

/// Draws one page or slide.
pub fn picture(
    media: MediaType,
    content: &Bytes,
    page: u32,
    limits: &Limits,
) -> Result<Picture, ExtractError> {
    let budget = Budget::of(limits);
    match media {
        MediaType::Pdf => pdf::picture(content, page, &budget),
        MediaType::Pptx => pptx::picture(content, page, limits, &budget),
        _ => Err(ExtractError::Unsupported),
    }
}

/// A page as a picture.
#[derive(Debug)]
pub struct Picture {
    /// What the bytes are.
    pub media_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// The text of a file that must be UTF-8, without its byte order mark.
fn text(content: &[u8]) -> Result<&str, ExtractError> {
    let text = std::str::from_utf8(content).map_err(|_| ExtractError::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Text as it is kept: one form of every character, and every run of white space one space.
fn fold(text: &str) -> String {
    inline::clean(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A budget that no test of what is read comes near.
    pub(crate) fn budget() -> Budget {
        Budget::of(&Limits { file_bytes: 1 << 30, unpacked_bytes: 1 << 30, text_bytes: 1 << 30, pages: 1000 })
    }

    /// A path of headings.
    pub(crate) fn path(headings: &[&str]) -> Path {
        headings.iter().map(|heading| Arc::from(*heading)).collect()
    }
}
