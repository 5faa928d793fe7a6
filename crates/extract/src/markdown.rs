//! Markdown: headings, paragraphs, list items, table rows with their header.

use std::sync::Arc;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::budget::Budget;
use super::builder::{Headings, heading_of_rows};
use super::{Builder, ExtractError, Extracted, Locator};

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::new(budget);
    for event in Parser::new_ext(text, options) {
        reader.take(event)?;
    }
    reader.flush()?;
    Ok(reader.builder.finish())
}

/// What the text at hand belongs to.
#[derive(Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Body,
    Heading(u32),
    /// Front matter, raw HTML: read past.
    Ignored,
    TableHead,
    TableRow,
}

struct Reader {
    builder: Builder,
    headings: Headings,
    inside: Inside,
    text: String,
    /// Cells of the row at hand.
    cells: Vec<String>,
    /// Cells of the header of the table at hand.
    header: Vec<String>,
    /// What its rows have as their heading: made for the first of them, and shared by all.
    heading_of_rows: Option<Arc<str>>,
}

impl Reader {
    fn new(budget: &Budget) -> Self {
        Self {
            builder: Builder::new(budget),
            headings: Headings::default(),
            inside: Inside::default(),
            text: String::new(),
            cells: Vec::new(),
            header: Vec::new(),
            heading_of_rows: None,
        }
    }

    fn take(&mut self, event: Event<'_>) -> Result<(), ExtractError> {
        match event {
            Event::Start(tag) => self.start(&tag)?,
            Event::End(tag) => self.end(tag)?,
            Event::Text(text) | Event::Code(text) if self.inside != Inside::Ignored => {
                self.text.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Rule => self.flush()?,
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'_>) -> Result<(), ExtractError> {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush()?;
                self.inside = Inside::Heading(*level as u32);
            }
            Tag::MetadataBlock(_) | Tag::HtmlBlock => self.inside = Inside::Ignored,
            Tag::TableHead => {
                self.flush()?;
                self.cells.clear();
                self.inside = Inside::TableHead;
            }
            Tag::TableRow => {
                self.cells.clear();
                self.inside = Inside::TableRow;
            }
            // An item may hold further lists: what stood before them is a block of its own.
            Tag::Paragraph | Tag::Item | Tag::List(_) | Tag::CodeBlock(_) | Tag::BlockQuote(_) => {
                self.flush()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ExtractError> {
        match tag {
            TagEnd::Heading(_) => {
                let text = super::fold(&std::mem::take(&mut self.text));
                if let Inside::Heading(level) = std::mem::take(&mut self.inside) {
                    self.heading(level, text);
                }
            }
            TagEnd::MetadataBlock(_) | TagEnd::HtmlBlock => {
                self.text.clear();
                self.inside = Inside::Body;
            }
            TagEnd::TableCell => self.cells.push(super::fold(&std::mem::take(&mut self.text))),
            TagEnd::TableHead => {
                self.header = std::mem::take(&mut self.cells);
                self.inside = Inside::Body;
            }
            TagEnd::TableRow => self.row()?,
            TagEnd::Table => {
                self.header.clear();
                self.heading_of_rows = None;
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::BlockQuote(_) => self.flush()?,
            _ => {}
        }
        Ok(())
    }

    fn heading(&mut self, level: u32, text: String) {
        if text.is_empty() {
            return;
        }
        if level == 1 && self.builder.document().title.is_none() {
            self.builder.document().title = Some(text.clone());
        }
        self.headings.enter(level, &text);
    }

    /// A row says what its columns are, so that it can be understood and found alone.
    fn row(&mut self) -> Result<(), ExtractError> {
        self.inside = Inside::Body;
        let row = self.cells.join(" | ");
        let heading = match &self.heading_of_rows {
            Some(heading) => Arc::clone(heading),
            None => heading_of_rows(&self.headings.nearest(), &self.header.join(" | ")),
        };
        self.builder.push(&row, &heading, Locator::Section(self.headings.path()))?;
        self.heading_of_rows = Some(heading);
        self.cells.clear();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        self.builder.push(&text, &self.headings.nearest(), Locator::Section(self.headings.path()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{budget, path};

    const TEXT: &str = "---\ntitle: x\n---\n# Dosing\nStart *low*.\nGo slow.\n\n## Renal\n- halve the dose\n- check `eGFR`\n\n\
                        | Stage | Dose |\n|--|--|\n| 3 | 5 mg |\n| 4 | 2.5 mg |\n\n<!-- hidden -->\n\n# Other\nEnd.";

    #[test]
    fn headings_lists_and_tables_keep_their_places() {
        let extracted = extract(TEXT, &budget()).expect("a text");
        let blocks: Vec<_> = extracted
            .blocks
            .iter()
            .map(|block| (&extracted.text[block.range.clone()], &*block.heading))
            .collect();
        assert_eq!(
            blocks,
            [
                ("Start low. Go slow.", "Dosing"),
                ("halve the dose", "Renal"),
                ("check eGFR", "Renal"),
                ("3 | 5 mg", "Renal: Stage | Dose"),
                ("4 | 2.5 mg", "Renal: Stage | Dose"),
                ("End.", "Other"),
            ]
        );
        assert_eq!(extracted.title.as_deref(), Some("Dosing"));
        assert_eq!(extracted.blocks[1].locator, Locator::Section(path(&["Dosing", "Renal"])));
    }

    #[test]
    fn what_every_row_repeats_is_stored_once() {
        let text =
            format!("# Doses\n\n| {} | b |\n|--|--|\n{}", "h".repeat(1 << 20), "| a | b |\n".repeat(20_000));
        let extracted = extract(&text, &budget()).expect("a table");
        let (first, last) = (&extracted.blocks[0], &extracted.blocks[19_999]);
        assert!(Arc::ptr_eq(&first.heading, &last.heading), "one heading for all rows");
        assert!(first.heading.len() < 600, "{} bytes", first.heading.len());
        let (Locator::Section(one), Locator::Section(other)) = (&first.locator, &last.locator) else {
            panic!("sections")
        };
        assert!(Arc::ptr_eq(one, other), "one path for all rows");
    }

    #[test]
    fn a_document_of_headings_meets_its_budget() {
        let small = Budget::of(&crate::Limits {
            file_bytes: 1 << 30,
            unpacked_bytes: 0,
            text_bytes: 1 << 16,
            pages: 1,
        });
        let text: String =
            (0..20_000).map(|number| format!("# {number}{}\n\na\n\n", "h".repeat(400))).collect();
        assert_eq!(extract(&text, &small), Err(ExtractError::TooCostly));
    }
}
