//! Plain text: paragraphs separated by empty lines.

use super::{Builder, Extracted, Locator};

pub(crate) fn extract(text: &str) -> Extracted {
    let mut builder = Builder::default();
    let normalised = text.replace("\r\n", "\n");
    for paragraph in normalised.split("\n\n") {
        builder.push(paragraph, "", Locator::Section(Vec::new()));
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_become_blocks() {
        let extracted = extract("One line\nand its end.\r\n\r\n---\r\n\r\nAnother.");
        assert_eq!(extracted.text, "One line and its end.\n\nAnother.");
        assert_eq!(extracted.blocks.len(), 2);
        assert_eq!(&extracted.text[extracted.blocks[1].range.clone()], "Another.");
    }
}
