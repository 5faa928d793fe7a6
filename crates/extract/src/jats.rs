//! JATS XML: title, abstract, sections, figure captions, table rows with their header.

use std::sync::Arc;

use super::budget::{Budget, heading as shared};
use super::builder::Headings;
use super::xml::{self, Element};
use super::{Builder, ExtractError, Extracted, Locator};

/// Inline elements that are no part of the sentence they stand in.
const SKIPPED: [&str; 8] =
    ["fn", "graphic", "inline-graphic", "object-id", "alternatives", "tex-math", "table-wrap", "fig"];

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let root = xml::parse(text)?;
    if root.name != "article" {
        return Err(ExtractError::Malformed(format!(
            "its root element is <{}>; JATS articles begin with <article>",
            root.name
        )));
    }
    let mut reader = Reader { builder: Builder::new(budget), headings: Headings::default() };
    let meta = root.at(&["front", "article-meta"]);
    let title = meta
        .and_then(|meta| meta.at(&["title-group", "article-title"]))
        .map(|title| super::fold(&title.text_without(&SKIPPED)));
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        reader.builder.document().title = Some(title);
    }
    if let Some(meta) = meta {
        for part in meta.elements().filter(|element| element.name == "abstract") {
            reader.section(part, 1, &abstract_title(part))?;
        }
    }
    if let Some(body) = root.child("body") {
        reader.content(body, 0)?;
    }
    Ok(reader.builder.finish())
}

fn abstract_title(part: &Element) -> String {
    let own = part.child("title").map(Element::text).filter(|title| !title.is_empty());
    own.unwrap_or_else(|| match part.attribute("abstract-type") {
        Some("summary") => "Summary".to_owned(),
        _ => "Abstract".to_owned(),
    })
}

struct Reader {
    builder: Builder,
    headings: Headings,
}

impl Reader {
    fn locator(&mut self) -> Locator {
        Locator::Section(self.headings.path())
    }

    /// Adds a block under the innermost heading.
    fn push(&mut self, text: &str) -> Result<(), ExtractError> {
        let locator = self.locator();
        self.builder.push(text, &self.headings.nearest(), locator)?;
        Ok(())
    }

    fn section(&mut self, section: &Element, level: u32, title: &str) -> Result<(), ExtractError> {
        let before = self.headings.clone();
        if !title.is_empty() {
            self.headings.enter(level, title);
        }
        self.content(section, level)?;
        self.headings = before;
        Ok(())
    }

    fn content(&mut self, parent: &Element, level: u32) -> Result<(), ExtractError> {
        for element in parent.elements() {
            match element.name.as_str() {
                "sec" => {
                    let title = element.child("title").map(Element::text).unwrap_or_default();
                    self.section(element, level + 1, &title)?;
                }
                "p" | "disp-quote" | "verse-group" | "preformat" => self.paragraph(element)?,
                "list" | "def-list" => self.list(element)?,
                "table-wrap" => self.table(element)?,
                "fig" | "supplementary-material" | "boxed-text" | "media" => {
                    self.captioned(element, level)?;
                }
                "fig-group" | "table-wrap-group" | "list-item" | "statement" => {
                    self.content(element, level)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A paragraph; lists, tables and figures inside it follow it as blocks of their own.
    fn paragraph(&mut self, paragraph: &Element) -> Result<(), ExtractError> {
        let mut skipped = SKIPPED.to_vec();
        skipped.extend(["list", "def-list"]);
        let text = paragraph.text_without(&skipped);
        self.push(&text)?;
        for element in paragraph.elements() {
            match element.name.as_str() {
                "list" | "def-list" => self.list(element)?,
                "table-wrap" => self.table(element)?,
                "fig" => self.captioned(element, 0)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&mut self, list: &Element) -> Result<(), ExtractError> {
        for item in
            list.elements().filter(|element| matches!(element.name.as_str(), "list-item" | "def-item"))
        {
            let nested = item.elements().any(|element| element.name == "list");
            if nested {
                self.content(item, 0)?;
            } else {
                self.push(&item.text_without(&SKIPPED))?;
            }
        }
        Ok(())
    }

    /// A figure, box or supplement: its label and caption, then what it holds.
    fn captioned(&mut self, element: &Element, level: u32) -> Result<(), ExtractError> {
        let label = element.child("label").map(Element::text).unwrap_or_default();
        let caption = element.child("caption").map(caption_text).unwrap_or_default();
        if element.name == "boxed-text" {
            let title = element.at(&["caption", "title"]).map_or(label, Element::text);
            return self.section(element, level + 1, &title);
        }
        self.push(&format!("{label} {caption}"))
    }

    /// A table: every row is a block that keeps the label and the header row as its heading.
    fn table(&mut self, wrap: &Element) -> Result<(), ExtractError> {
        let label = wrap.child("label").map(Element::text).unwrap_or_default();
        let caption = wrap.child("caption").map(caption_text).unwrap_or_default();
        let before = self.headings.clone();
        let name = super::fold(&format!("{label} {caption}"));
        if !name.is_empty() {
            self.headings.enter(u32::MAX, &name);
        }
        for table in wrap.descendants("table") {
            self.rows(table, &name)?;
        }
        let heading = shared(&name);
        for note in wrap.child("table-wrap-foot").into_iter().flat_map(|foot| foot.descendants("p")) {
            let locator = self.locator();
            self.builder.push(&note.text(), &heading, locator)?;
        }
        self.headings = before;
        Ok(())
    }

    fn rows(&mut self, table: &Element, name: &str) -> Result<(), ExtractError> {
        let above = shared(name);
        let mut heading = Arc::clone(&above);
        for row in table.descendants("tr") {
            let cells: Vec<_> =
                row.elements().filter(|cell| matches!(cell.name.as_str(), "td" | "th")).collect();
            let text = cells.iter().map(|cell| cell.text()).collect::<Vec<_>>().join(" | ");
            if !cells.is_empty() && cells.iter().all(|cell| cell.name == "th") {
                heading =
                    if text.is_empty() { Arc::clone(&above) } else { shared(&format!("{name}: {text}")) };
                continue;
            }
            let locator = self.locator();
            self.builder.push(&text, &heading, locator)?;
        }
        Ok(())
    }
}

fn caption_text(caption: &Element) -> String {
    caption.elements().map(|part| super::fold(&part.text_without(&SKIPPED))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{budget, path};

    const ARTICLE: &str = "<article><front><article-meta><title-group><article-title>On <italic>things</italic></article-title></title-group>\
        <abstract><p>Short.</p></abstract></article-meta></front><body><sec><title>Methods</title><p>We did<xref>1</xref> it.\
        <list><list-item><p>first</p></list-item></list></p><sec><title>Dose</title><table-wrap><label>Table 1</label><caption><title>Doses.</title></caption>\
        <table><thead><tr><th>Drug</th><th>mg</th></tr></thead><tbody><tr><th>A</th><td>5</td></tr></tbody></table></table-wrap></sec></sec></body>\
        <back><ref-list><ref>not read</ref></ref-list></back></article>";

    #[test]
    fn sections_lists_and_tables_keep_their_places() {
        let extracted = extract(ARTICLE, &budget()).expect("an article");
        let blocks: Vec<_> = extracted
            .blocks
            .iter()
            .map(|block| (&extracted.text[block.range.clone()], &*block.heading, block.locator.clone()))
            .collect();
        let section = |headings: &[&str]| Locator::Section(path(headings));
        assert_eq!(
            blocks,
            [
                ("Short.", "Abstract", section(&["Abstract"])),
                ("We did1 it.", "Methods", section(&["Methods"])),
                ("first", "Methods", section(&["Methods"])),
                ("A | 5", "Table 1 Doses.: Drug | mg", section(&["Methods", "Dose", "Table 1 Doses."])),
            ]
        );
        assert_eq!(extracted.title.as_deref(), Some("On things"));
    }

    #[test]
    fn another_kind_of_xml_is_refused() {
        assert!(matches!(extract("<html/>", &budget()), Err(ExtractError::Malformed(_))));
    }
}
