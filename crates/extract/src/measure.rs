//! What measurements and fitting see of reading: the very code that reads uploads.

use std::ops::Range;

use bytes::Bytes;

use super::passages::{Passage, passages};
use super::{Budget, Extracted, Limits, Locator, MediaType};

const UNLIMITED: Limits =
    Limits { file_bytes: u64::MAX, unpacked_bytes: u64::MAX, text_bytes: usize::MAX, pages: usize::MAX };

fn read(media: MediaType, content: &[u8], budget: &Budget) -> Result<Extracted, String> {
    let content = Bytes::copy_from_slice(content);
    super::extract(media, &content, &UNLIMITED, budget, &mut |_, _| {}).map_err(|error| error.to_string())
}

/// A passage of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageText {
    /// What stands above it.
    pub heading: String,
    /// Its text.
    pub text: String,
    /// Its sentences, in bytes of the text.
    pub sentences: Vec<Range<usize>>,
}

/// The passages of a sectioned document, as an upload of it would give.
pub fn passages_of_sections(document: &[u8]) -> Result<Vec<PassageText>, String> {
    passages_of(MediaType::Sections, document)
}

/// The passages of a file, as an upload under this name would give.
pub fn passages_of_file(name: &str, content: &[u8]) -> Result<Vec<PassageText>, String> {
    passages_of(MediaType::declared(name, "").map_err(|error| error.to_string())?, content)
}

fn passages_of(media: MediaType, content: &[u8]) -> Result<Vec<PassageText>, String> {
    let budget = Budget::of(&UNLIMITED);
    let extracted = read(media, content, &budget)?;
    let text = |passage: &Passage| extracted.text[passage.range.clone()].to_owned();
    let passages = passages(&extracted, &budget).map_err(|error| error.to_string())?.into_iter();
    Ok(passages
        .map(|passage| PassageText {
            text: text(&passage),
            heading: passage.heading.to_string(),
            sentences: passage.sentences,
        })
        .collect())
}

/// The text of every page of a PDF, as ingestion reads it.
pub fn page_texts(pdf: &[u8]) -> Result<Vec<String>, String> {
    let extracted = read(MediaType::Pdf, pdf, &Budget::of(&UNLIMITED))?;
    let mut pages = vec![String::new(); extracted.pages as usize];
    for block in &extracted.blocks {
        if let Locator::Page(number) = block.locator
            && let Some(page) = pages.get_mut(number as usize - 1)
        {
            page.push_str(&extracted.text[block.range.clone()]);
            page.push('\n');
        }
    }
    Ok(pages)
}
