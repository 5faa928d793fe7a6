//! Plain text: paragraphs separated by empty lines.

use std::sync::Arc;

use super::budget::Budget;
use super::{Builder, ExtractError, Extracted, Locator, Path};

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let mut builder = Builder::new(budget);
    let (heading, path) = (Arc::default(), Path::default());
    let normalized = text.replace("\r\n", "\n");
    for paragraph in normalized.split("\n\n") {
        builder.push(paragraph, &heading, Locator::Section(Arc::clone(&path)))?;
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::budget;

    #[test]
    fn paragraphs_become_blocks() {
        let extracted =
            extract("One line\nand its end.\r\n\r\n---\r\n\r\nAnother.", &budget()).expect("a text");
        assert_eq!(extracted.text, "One line and its end.\n\nAnother.");
        assert_eq!(extracted.blocks.len(), 2);
        assert_eq!(&extracted.text[extracted.blocks[1].range.clone()], "Another.");
    }
}
