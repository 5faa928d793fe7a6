//! Markdown: headings, paragraphs, list items, table rows with their header, and the HTML that people write in it.

use std::sync::Arc;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::budget::Budget;
use super::builder::{Headings, heading_of_rows};
use super::html::{self, Marked, Part};
use super::notes::{self, NoteKind};
use super::{Builder, ExtractError, Extracted, Locator, table};

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::new(budget);
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        reader.take(event, &text[range])?;
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
    /// Front matter: read past.
    Ignored,
    /// A block of HTML.
    Html(String),
}

struct Reader<'b> {
    builder: Builder,
    budget: &'b Budget,
    headings: Headings,
    inside: Inside,
    line: Marked,
    /// Whether the picture at hand has words of its own.
    picture_has_words: bool,
    /// The footnote that begins, until its first text.
    footnote: Option<String>,
    /// Cells of the row at hand.
    cells: Vec<String>,
    /// Cells of the header of the table at hand.
    header: Vec<String>,
    /// What its rows have as their heading: made for the first of them, and shared by all.
    heading_of_rows: Option<Arc<str>>,
}

impl<'b> Reader<'b> {
    fn new(budget: &'b Budget) -> Self {
        Self {
            builder: Builder::new(budget),
            budget,
            headings: Headings::default(),
            inside: Inside::default(),
            line: Marked::default(),
            picture_has_words: false,
            footnote: None,
            cells: Vec::new(),
            header: Vec::new(),
            heading_of_rows: None,
        }
    }

    fn take(&mut self, event: Event<'_>, source: &str) -> Result<(), ExtractError> {
        match event {
            Event::Start(tag) => self.start(&tag, source)?,
            Event::End(tag) => self.end(tag, source)?,
            Event::Text(text) | Event::Code(text) if self.inside != Inside::Ignored => self.text(&text),
            Event::Html(html) => match &mut self.inside {
                Inside::Html(block) => block.push_str(&html),
                _ => self.inline_html(&html),
            },
            Event::InlineHtml(html) => self.inline_html(&html),
            // A footnote may hold a condition: its mark stays.
            Event::FootnoteReference(label) => self.line.line().mark(&label),
            Event::SoftBreak | Event::HardBreak => self.line.space(),
            Event::Rule => self.flush()?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(label) = self.footnote.take() {
            self.line.line().mark(&label);
            self.line.space();
        }
        self.picture_has_words |= !text.trim().is_empty();
        self.line.text(text);
    }

    /// A tag inside a line. What HTML does not know is text: `<drug>` is a blank that someone left to fill in.
    fn inline_html(&mut self, html: &str) {
        if html.starts_with("<!") || html.starts_with("<?") {
            return;
        }
        let known = html::Tag::read(html).is_some_and(|(tag, _)| self.line.tag(&tag));
        if !known {
            self.line.text(html);
        }
    }

    fn start(&mut self, tag: &Tag<'_>, source: &str) -> Result<(), ExtractError> {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush()?;
                self.inside = Inside::Heading(*level as u32);
            }
            Tag::MetadataBlock(_) => self.inside = Inside::Ignored,
            Tag::HtmlBlock => {
                self.flush()?;
                self.inside = Inside::Html(String::new());
            }
            Tag::TableHead => {
                self.flush()?;
                self.cells.clear();
            }
            Tag::TableRow => self.cells.clear(),
            Tag::Image { .. } => self.picture_has_words = false,
            // One tilde is a sign for "about" to most who write it.
            Tag::Strikethrough if source.starts_with("~~") => self.line.strike(),
            Tag::Strikethrough => self.line.text("~"),
            Tag::FootnoteDefinition(label) => {
                self.flush()?;
                self.footnote = Some(label.to_string());
            }
            // An item may hold further lists: what stood before them is a block of its own.
            Tag::Paragraph | Tag::Item | Tag::List(_) | Tag::CodeBlock(_) | Tag::BlockQuote(_) => {
                self.flush()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, tag: TagEnd, source: &str) -> Result<(), ExtractError> {
        match tag {
            TagEnd::Heading(_) => {
                let line = self.line.finish();
                if let Inside::Heading(level) = std::mem::take(&mut self.inside) {
                    self.heading(level, &line.text);
                }
            }
            TagEnd::MetadataBlock(_) => {
                self.line = Marked::default();
                self.inside = Inside::Body;
            }
            TagEnd::HtmlBlock => {
                if let Inside::Html(block) = std::mem::take(&mut self.inside) {
                    self.html(&block)?;
                }
            }
            TagEnd::Image => self.picture(),
            TagEnd::Strikethrough if source.starts_with("~~") => self.line.end_strike(),
            TagEnd::Strikethrough => self.line.text("~"),
            TagEnd::TableCell => self.cell(),
            TagEnd::TableHead => self.header = std::mem::take(&mut self.cells),
            TagEnd::TableRow => self.row()?,
            TagEnd::Table => {
                self.header.clear();
                self.heading_of_rows = None;
            }
            TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::BlockQuote(_)
            | TagEnd::FootnoteDefinition => self.flush()?,
            _ => {}
        }
        Ok(())
    }

    fn picture(&mut self) {
        let place = Locator::Section(self.headings.path());
        if self.picture_has_words {
            self.builder.note(NoteKind::Picture, "", Some(&place));
        } else {
            self.line.text(notes::PICTURE);
        }
    }

    fn cell(&mut self) {
        let line = self.line.finish();
        let place = Locator::Section(self.headings.path());
        for (kind, detail) in &line.left_out {
            self.builder.note(*kind, detail, Some(&place));
        }
        self.cells.push(line.text);
    }

    fn heading(&mut self, level: u32, text: &str) {
        if text.is_empty() {
            return;
        }
        if level == 1 && self.builder.document().title.is_none() {
            self.builder.document().title = Some(text.to_owned());
        }
        self.headings.enter(level, text);
    }

    /// A row says what its columns are, so that it can be understood and found alone.
    fn row(&mut self) -> Result<(), ExtractError> {
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

    fn html(&mut self, block: &str) -> Result<(), ExtractError> {
        for part in html::block(block) {
            let place = Locator::Section(self.headings.path());
            match part {
                Part::Heading(level, line) => self.heading(level, &line.text),
                Part::Line(line) if line.text == notes::PICTURE => {
                    self.builder.note(NoteKind::Picture, "", Some(&place));
                }
                Part::Line(line) => {
                    self.builder.push_line(&line, &self.headings.nearest(), place)?;
                }
                Part::Table(rows) => {
                    for row in table::read(&rows, &self.headings.nearest(), self.budget)? {
                        self.builder.push(&row.text, &row.heading, place.clone())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ExtractError> {
        let line = self.line.finish();
        let place = Locator::Section(self.headings.path());
        if line.text == notes::PICTURE {
            // A picture that stands by itself is no hole.
            self.builder.note(NoteKind::Picture, "", Some(&place));
            return Ok(());
        }
        self.builder.push_line(&line, &self.headings.nearest(), place)?;
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
    fn html_strikes_and_footnotes_are_read_by_the_rule() {
        let text = "Give ~~50~~ 5 mg<sup>2</sup> of <drug> if a <b and c> d[^1], ~10 mg or <s>not</s> <b>now</b>.<br>Then\n\n\
                    [^1]: In *adults*.\n\n<table><tr><th>Drug</th><th>Dose</th></tr><tr><td rowspan=2>A &amp; B</td><td>5<br>mg</td></tr>\
                    <tr><td>&le; 10 mg</td></tr></table>\n\n<!-- not shown -->\n\n![](x.png)\n\n<div>Do <span hidden>not</span> stop</div>\n";
        let extracted = extract(text, &budget()).expect("a text");
        assert_eq!(
            extracted.text.split("\n\n").collect::<Vec<_>>(),
            [
                "Give 5 mg^2 of <drug> if a <b and c> d [1], ~10 mg or now. Then",
                "[1] In adults.",
                "A & B | 5 mg",
                "A & B | ≤ 10 mg",
                "Do stop",
            ]
        );
        assert_eq!(&*extracted.blocks[2].heading, "Drug | Dose");
        let kinds: Vec<_> = extracted.left_out.iter().map(|note| (note.kind, note.detail.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (NoteKind::StruckText, "50"),
                (NoteKind::StruckText, "not"),
                (NoteKind::Picture, ""),
                (NoteKind::HiddenText, "not"),
            ]
        );
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
