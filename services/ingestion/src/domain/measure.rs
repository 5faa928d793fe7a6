//! What measurements and fitting see of ingestion: the very code that reads uploads.

use std::ops::Range;

use super::extract::{self, Limits, Locator, MediaType};
use super::passages::passages;

const UNLIMITED: Limits = Limits { file_bytes: u64::MAX, unpacked_bytes: u64::MAX, text_bytes: usize::MAX, pages: usize::MAX };

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
    let extracted = extract::extract(MediaType::Sections, document, &UNLIMITED).map_err(|error| error.to_string())?;
    let text = |passage: &super::passages::Passage| extracted.text[passage.range.clone()].to_owned();
    let passages = passages(&extracted).into_iter();
    Ok(passages.map(|passage| PassageText { text: text(&passage), heading: passage.heading, sentences: passage.sentences }).collect())
}

/// The text of every page of a PDF, as ingestion reads it.
pub fn page_texts(pdf: &[u8]) -> Result<Vec<String>, String> {
    let extracted = extract::extract(MediaType::Pdf, pdf, &UNLIMITED).map_err(|error| error.to_string())?;
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
