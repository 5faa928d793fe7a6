//! Building an extracted text block by block.

use super::{Block, Extracted, Locator};

/// Collects blocks into one text.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    out: Extracted,
}

impl Builder {
    /// Adds a block, white space folded. Blocks without a letter or digit are left out. Returns where it starts.
    pub(crate) fn push(&mut self, text: &str, heading: &str, locator: Locator) -> Option<usize> {
        let folded = super::fold(text);
        self.push_verbatim(&folded, heading, locator)
    }

    /// Adds a block that goes on with the paragraph before it.
    pub(crate) fn append(&mut self, text: &str, locator: Locator) {
        let folded = super::fold(text);
        if !folded.chars().any(char::is_alphanumeric) {
            return;
        }
        if !self.out.text.is_empty() {
            self.out.text.push(' ');
        }
        let start = self.out.text.len();
        self.out.text.push_str(&folded);
        self.out.blocks.push(Block { range: start..self.out.text.len(), heading: String::new(), locator });
    }

    /// Adds a block as it is.
    pub(crate) fn push_verbatim(&mut self, text: &str, heading: &str, locator: Locator) -> Option<usize> {
        if !text.chars().any(char::is_alphanumeric) {
            return None;
        }
        if !self.out.text.is_empty() {
            self.out.text.push_str("\n\n");
        }
        let start = self.out.text.len();
        self.out.text.push_str(text);
        self.out.blocks.push(Block { range: start..self.out.text.len(), heading: heading.to_owned(), locator });
        Some(start)
    }

    /// The document so far.
    pub(crate) fn document(&mut self) -> &mut Extracted {
        &mut self.out
    }

    /// The finished document.
    pub(crate) fn finish(self) -> Extracted {
        self.out
    }
}

/// A path of headings by level, as documents number them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Headings(Vec<(u32, String)>);

impl Headings {
    /// A heading of `level` begins; deeper ones end.
    pub(crate) fn enter(&mut self, level: u32, text: String) {
        self.0.retain(|(open, _)| *open < level);
        self.0.push((level, text));
    }

    /// Headings from the outermost to the innermost.
    pub(crate) fn path(&self) -> Vec<String> {
        self.0.iter().map(|(_, text)| text.clone()).collect()
    }

    /// The innermost heading.
    pub(crate) fn nearest(&self) -> &str {
        self.0.last().map_or("", |(_, text)| text)
    }
}
