//! Plain text: paragraphs separated by empty lines.

use std::sync::Arc;

use super::budget::Budget;
use super::{Builder, ExtractError, Extracted, Locator, Path};

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let mut builder = Builder::new(budget);
    let (heading, path) = (Arc::default(), Path::default());
    for paragraph in paragraphs(text) {
        builder.push(&paragraph, &heading, Locator::Section(Arc::clone(&path)))?;
    }
    Ok(builder.finish())
}

/// The paragraphs of a text: lines up to an empty line, or one of nothing but spaces.
pub(crate) fn paragraphs(text: &str) -> Vec<String> {
    let normalized = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = normalized.split('\n').collect();
    lines
        .split(|line| line.trim().is_empty())
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::budget;

    #[test]
    fn paragraphs_become_blocks() {
        let extracted =
            extract("One line\nand its end.\r\n \t\r\n---\r\n\r\nAnother.", &budget()).expect("a text");
        assert_eq!(extracted.text, "One line and its end.\n\nAnother.");
        assert_eq!(extracted.blocks.len(), 2);
        assert_eq!(&extracted.text[extracted.blocks[1].range.clone()], "Another.");
    }
}
