//! Files to text with places.
//!
//! Every reader turns a file into one [`Extracted`]: a text, blocks of it that each know where they came from, and for
//! paged media where every word is drawn. Places are data of a block from extraction on; nothing is inferred later.
//! Reading is bounded in size, depth and number, and a file that cannot be read says why and what to do.

mod budget;
mod builder;
mod captions;
mod jats;
mod markdown;
mod pdf;
mod pdf_layout;
mod plain;
mod pptx;
mod sections;
mod slide_svg;
mod sniff;
pub(crate) mod xml;

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub(crate) use budget::Budget;
pub(crate) use builder::Builder;
pub(crate) use sniff::{MediaType, Sniffer};

/// Limits of what is read.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Bytes of a file.
    pub(crate) file_bytes: u64,
    /// Bytes of everything inside an archive, unpacked.
    pub(crate) unpacked_bytes: u64,
    /// Bytes of extracted text.
    pub(crate) text_bytes: usize,
    /// Pages or slides.
    pub(crate) pages: usize,
}

/// Headings from the outermost to the innermost: stored once, and referred to by every block below them.
pub(crate) type Path = Arc<[Arc<str>]>;

/// Where a block is, in the terms of its own medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Locator {
    /// A page, counted from 1.
    Page(u32),
    /// A slide, counted from 1, or its speaker notes.
    Slide { number: u32, notes: bool },
    /// A stretch of a recording.
    Time { start_ms: i64, end_ms: i64, speaker: String },
    /// The headings above it.
    Section(Path),
}

/// A run of the extracted text that belongs together: a paragraph, a list item, a table row, a caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Bytes of the extracted text.
    pub(crate) range: Range<usize>,
    /// What stands above it: the nearest heading, and for a table row the header row.
    pub(crate) heading: Arc<str>,
    /// Where it is.
    pub(crate) locator: Locator,
}

/// A run of extracted text and where it is drawn, in fractions of the page's width and height from the top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WordBox {
    pub(crate) page: u32,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) height: f32,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Extracted {
    /// The document's own title, if it has one.
    pub(crate) title: Option<String>,
    /// All text, blocks separated by empty lines.
    pub(crate) text: String,
    /// Blocks in reading order.
    pub(crate) blocks: Vec<Block>,
    /// Pages or slides; 0 for media without.
    pub(crate) pages: u32,
    /// Where words are drawn.
    pub(crate) boxes: Vec<WordBox>,
    /// What the reader should know: pages without text, for instance.
    pub(crate) notes: Vec<String>,
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum ExtractError {
    #[error("the file is larger than {limit_mib} MiB; split it, or ask an operator to raise the limit")]
    TooLarge { limit_mib: u64 },
    #[error(
        "this kind of file is not supported; send plain text, Markdown, PDF, PPTX, JATS XML, WebVTT or SRT"
    )]
    Unsupported,
    #[error("the file is named {named} but its content is {found}; name it after what it is")]
    Mismatch { named: String, found: String },
    #[error("the file is encrypted; save it without a password and send it again")]
    Encrypted,
    #[error(
        "the file is damaged or not what it says: {0}; open it in the program that made it, save it anew and send it again"
    )]
    Malformed(String),
    #[error("the file holds no text; if it is a scan, run text recognition on it first")]
    Empty,
    #[error("the file unpacks to more than {limit_mib} MiB; it was not opened")]
    ExpandsTooMuch { limit_mib: u64 },
    #[error("the XML declares entities of its own, which is not accepted; save it without a DOCTYPE subset")]
    Entities,
    #[error("the file has more than {limit} pages; split it")]
    TooManyPages { limit: usize },
    #[error("the text is not UTF-8; save it as UTF-8 and send it again")]
    NotUtf8,
    #[error(
        "reading this file takes more time or memory than one file may; split it into smaller files and send those"
    )]
    TooCostly,
    #[error(
        "the file could not be read because of a failure of this service, time and again; upload it anew later, or tell the operator"
    )]
    GivenUp,
}

impl ExtractError {
    /// The stable reason code.
    pub(crate) const fn code(&self) -> &'static str {
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
pub(crate) fn extract(
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
        MediaType::WebVtt | MediaType::Srt => captions::extract(text(content)?, budget)?,
        MediaType::Sections => sections::extract(content, budget)?,
    };
    if extracted.blocks.is_empty() {
        return Err(ExtractError::Empty);
    }
    Ok(extracted)
}

/// Draws one page or slide.
pub(crate) fn picture(
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
pub(crate) struct Picture {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The text of a file that must be UTF-8, without its byte order mark.
fn text(content: &[u8]) -> Result<&str, ExtractError> {
    let text = std::str::from_utf8(content).map_err(|_| ExtractError::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Folds every run of white space to one space.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
