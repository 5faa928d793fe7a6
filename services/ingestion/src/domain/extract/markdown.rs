//! Markdown: headings, paragraphs, list items, table rows with their header.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::builder::Headings;
use super::{Builder, Extracted, Locator};

pub(crate) fn extract(text: &str) -> Extracted {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, options) {
        reader.take(event);
    }
    reader.flush();
    reader.builder.finish()
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

#[derive(Default)]
struct Reader {
    builder: Builder,
    headings: Headings,
    inside: Inside,
    text: String,
    /// Cells of the row at hand.
    cells: Vec<String>,
    /// Cells of the header of the table at hand.
    header: Vec<String>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) if self.inside != Inside::Ignored => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.text.push(' '),
            Event::Rule => self.flush(),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.inside = Inside::Heading(*level as u32);
            }
            Tag::MetadataBlock(_) | Tag::HtmlBlock => self.inside = Inside::Ignored,
            Tag::TableHead => {
                self.flush();
                self.cells.clear();
                self.inside = Inside::TableHead;
            }
            Tag::TableRow => {
                self.cells.clear();
                self.inside = Inside::TableRow;
            }
            // An item may hold further lists: what stood before them is a block of its own.
            Tag::Paragraph | Tag::Item | Tag::List(_) | Tag::CodeBlock(_) | Tag::BlockQuote(_) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
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
            TagEnd::TableRow => self.row(),
            TagEnd::Table => self.header.clear(),
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::BlockQuote(_) => self.flush(),
            _ => {}
        }
    }

    fn heading(&mut self, level: u32, text: String) {
        if text.is_empty() {
            return;
        }
        if level == 1 && self.builder.document().title.is_none() {
            self.builder.document().title = Some(text.clone());
        }
        self.headings.enter(level, text);
    }

    /// A row says what its columns are, so that it can be understood and found alone.
    fn row(&mut self) {
        self.inside = Inside::Body;
        let row = self.cells.join(" | ");
        let header = self.header.join(" | ");
        let heading = match (self.headings.nearest(), header.as_str()) {
            (nearest, "") => nearest.to_owned(),
            ("", header) => header.to_owned(),
            (nearest, header) => format!("{nearest}: {header}"),
        };
        self.builder.push(&row, &heading, Locator::Section(self.headings.path()));
        self.cells.clear();
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.builder.push(&text, self.headings.nearest(), Locator::Section(self.headings.path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---\ntitle: x\n---\n# Dosing\nStart *low*.\nGo slow.\n\n## Renal\n- halve the dose\n- check `eGFR`\n\n\
                        | Stage | Dose |\n|--|--|\n| 3 | 5 mg |\n| 4 | 2.5 mg |\n\n<!-- hidden -->\n\n# Other\nEnd.";

    #[test]
    fn headings_lists_and_tables_keep_their_places() {
        let extracted = extract(TEXT);
        let blocks: Vec<_> = extracted.blocks.iter().map(|block| (&extracted.text[block.range.clone()], block.heading.as_str())).collect();
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
        assert_eq!(extracted.blocks[1].locator, Locator::Section(vec!["Dosing".into(), "Renal".into()]));
    }
}
