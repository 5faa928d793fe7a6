//! What the measurements in docs/adr/ are taken on.

use super::extract::{self, Limits, Locator, MediaType};

/// The text of every page of a PDF, as ingestion reads it.
pub fn page_texts(pdf: &[u8]) -> Result<Vec<String>, String> {
    let limits = Limits { file_bytes: u64::MAX, unpacked_bytes: u64::MAX, text_bytes: usize::MAX, pages: usize::MAX };
    let extracted = extract::extract(MediaType::Pdf, pdf, &limits).map_err(|error| error.to_string())?;
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
