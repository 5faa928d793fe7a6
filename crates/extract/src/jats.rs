//! JATS XML: title, abstract, sections, figure captions, table rows with their header.

use super::budget::{Budget, heading as shared};
use super::builder::Headings;
use super::inline::{Inline, Inlined};
use super::notes::{self, NoteKind};
use super::xml::{self, Element, Node};
use super::{Builder, ExtractError, Extracted, Locator, table};

mod cells;
mod text;

use text::{inline, line, words};

/// What stands in a paragraph as a block of its own.
const BLOCKS: [&str; 13] = [
    "list",
    "def-list",
    "table-wrap",
    "table-wrap-group",
    "fig",
    "fig-group",
    "boxed-text",
    "disp-quote",
    "verse-group",
    "preformat",
    "supplementary-material",
    "media",
    "statement",
];
/// What a section has beside its content.
const BESIDE: [&str; 8] =
    ["title", "label", "subtitle", "object-id", "sec-meta", "kwd-group", "permissions", "alt-title"];

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let root = xml::parse(text)?;
    if root.name != "article" {
        return Err(ExtractError::Malformed(format!(
            "its root element is <{}>; JATS articles begin with <article>",
            root.name
        )));
    }
    let mut reader = Reader { builder: Builder::new(budget), budget, headings: Headings::default() };
    let meta = root.at(&["front", "article-meta"]);
    let title = meta.and_then(|meta| meta.at(&["title-group", "article-title"])).map(words);
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        reader.builder.document().title = Some(title);
    }
    for part in meta.into_iter().flat_map(Element::elements) {
        match part.name.as_str() {
            "abstract" => reader.section(part, 1, &abstract_title(part))?,
            "trans-abstract" => reader.leave_out(part),
            _ => {}
        }
    }
    for part in root.elements() {
        match part.name.as_str() {
            "body" | "floats-group" => reader.content(part, 0)?,
            "back" => part.elements().for_each(|part| reader.leave_out(part)),
            "sub-article" | "response" => reader.leave_out(part),
            _ => {}
        }
    }
    Ok(reader.builder.finish())
}

fn abstract_title(part: &Element) -> String {
    let own = part.child("title").map(words).filter(|title| !title.is_empty());
    own.unwrap_or_else(|| match part.attribute("abstract-type") {
        Some("summary") => "Summary".to_owned(),
        _ => "Abstract".to_owned(),
    })
}

struct Reader<'b> {
    builder: Builder,
    budget: &'b Budget,
    headings: Headings,
}

impl Reader<'_> {
    fn locator(&mut self) -> Locator {
        Locator::Section(self.headings.path())
    }

    /// Adds a block under the innermost heading.
    fn push(&mut self, line: &Inlined) -> Result<(), ExtractError> {
        let locator = self.locator();
        self.builder.push_line(line, &self.headings.nearest(), locator)?;
        Ok(())
    }

    /// Notes a part that is no part of the text.
    fn leave_out(&mut self, part: &Element) {
        if !part.text_without(&[]).trim().is_empty() {
            let title = part.child("title").map(words).filter(|title| !title.is_empty());
            let title = title.unwrap_or_else(|| part.name.clone());
            self.builder.note(NoteKind::BackMatter, &title, None);
        }
    }

    fn note(&mut self, kind: NoteKind, detail: &str) {
        let locator = self.locator();
        self.builder.note(kind, detail, Some(&locator));
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
        parent.elements().try_for_each(|element| self.block(element, level))
    }

    fn block(&mut self, element: &Element, level: u32) -> Result<(), ExtractError> {
        match element.name.as_str() {
            "sec" | "app" | "glossary" => {
                let title = element.child("title").map(words).unwrap_or_default();
                self.section(element, level + 1, &title)
            }
            "p" | "preformat" | "attrib" | "verse-line" => self.paragraph(element, level),
            "disp-quote" | "verse-group"
                if element.child("p").is_none() && element.child("verse-line").is_none() =>
            {
                self.paragraph(element, level)
            }
            "disp-formula" | "disp-formula-group" | "chem-struct-wrap" => {
                let mut formula = Inline::default();
                text::part(element, &mut formula);
                self.push(&formula.finish())
            }
            "list" | "def-list" => self.list(element, level),
            "table-wrap" => self.table(element),
            "fig" | "supplementary-material" | "boxed-text" | "media" => self.captioned(element, level),
            "graphic" => {
                self.note(NoteKind::Picture, "");
                Ok(())
            }
            "fig-group" | "table-wrap-group" | "list-item" | "statement" | "disp-quote" | "verse-group"
            | "app-group" | "fn-group" | "caption" | "speech" => self.content(element, level),
            "fn" => self.footnote(element),
            "ref-list" => {
                self.leave_out(element);
                Ok(())
            }
            name if BESIDE.contains(&name) => Ok(()),
            name => {
                if !element.text_without(&[]).trim().is_empty() {
                    self.note(NoteKind::UnknownElement, name);
                }
                Ok(())
            }
        }
    }

    /// A paragraph; lists, tables and figures inside it are blocks of their own at their place, footnotes follow it.
    fn paragraph(&mut self, paragraph: &Element, level: u32) -> Result<(), ExtractError> {
        let mut at_hand = Inline::default();
        for node in &paragraph.children {
            match node {
                Node::Text(text) => at_hand.text(text),
                Node::Element(element) if BLOCKS.contains(&element.name.as_str()) => {
                    self.push(&std::mem::take(&mut at_hand).finish())?;
                    self.block(element, level)?;
                }
                Node::Element(element) => text::part(element, &mut at_hand),
            }
        }
        self.push(&at_hand.finish())?;
        let inside = |child: &&Element| !BLOCKS.contains(&child.name.as_str());
        for child in paragraph.elements().filter(inside) {
            let notes = if child.name == "fn" { vec![child] } else { child.descendants("fn") };
            notes.into_iter().try_for_each(|note| self.footnote(note))?;
        }
        Ok(())
    }

    /// A footnote, which begins with its mark.
    fn footnote(&mut self, note: &Element) -> Result<(), ExtractError> {
        let mut text = Inline::default();
        if let Some(label) = note.child("label") {
            text.mark(&words(label));
            text.space();
        }
        for part in note.elements().filter(|part| part.name != "label") {
            inline(part, &mut text);
            text.space();
        }
        self.push(&text.finish())
    }

    fn list(&mut self, list: &Element, level: u32) -> Result<(), ExtractError> {
        if let Some(title) = list.child("title") {
            self.push(&line(title))?;
        }
        for item in list.elements().filter(|item| matches!(item.name.as_str(), "list-item" | "def-item")) {
            if item.name == "def-item" {
                let mut text = Inline::default();
                for (at, part) in item.elements().enumerate() {
                    if at > 0 {
                        text.text(": ");
                    }
                    inline(part, &mut text);
                }
                self.push(&text.finish())?;
                continue;
            }
            // The label of an item is what others refer to; it stands before its text.
            let mut at_hand = Inline::default();
            for part in item.elements() {
                match part.name.as_str() {
                    "label" | "title" => {
                        inline(part, &mut at_hand);
                        at_hand.space();
                    }
                    "p" if !part.elements().any(|inside| BLOCKS.contains(&inside.name.as_str())) => {
                        inline(part, &mut at_hand);
                        self.push(&std::mem::take(&mut at_hand).finish())?;
                        part.descendants("fn").into_iter().try_for_each(|note| self.footnote(note))?;
                    }
                    _ => {
                        self.push(&std::mem::take(&mut at_hand).finish())?;
                        self.block(part, level)?;
                    }
                }
            }
            self.push(&at_hand.finish())?;
        }
        Ok(())
    }

    /// A figure, box or supplement: its label and caption, then what it holds.
    fn captioned(&mut self, element: &Element, level: u32) -> Result<(), ExtractError> {
        let label = element.child("label").map(words).unwrap_or_default();
        if element.name == "boxed-text" {
            let title =
                element.at(&["caption", "title"]).or_else(|| element.child("title")).map_or(label, words);
            return self.section(element, level + 1, &title);
        }
        let mut text = Inline::default();
        text.text(&label);
        text.space();
        if let Some(caption) = element.child("caption") {
            inline(caption, &mut text);
        }
        self.push(&text.finish())?;
        if element.elements().any(|part| matches!(part.name.as_str(), "graphic" | "alternatives" | "media")) {
            self.note(NoteKind::Picture, &label);
        }
        Ok(())
    }

    /// A table: every row is a block that keeps the label and the header row as its heading.
    fn table(&mut self, wrap: &Element) -> Result<(), ExtractError> {
        let label = wrap.child("label").map(words).unwrap_or_default();
        let caption = wrap.child("caption").map(words).unwrap_or_default();
        let before = self.headings.clone();
        let name = super::fold(&format!("{label} {caption}"));
        if !name.is_empty() {
            self.headings.enter(u32::MAX, &name);
        }
        let tables = wrap.descendants("table");
        if tables.is_empty() {
            let kind = if wrap.descendants("tgroup").is_empty() {
                NoteKind::Picture
            } else {
                NoteKind::UnknownElement
            };
            self.note(kind, &name);
        }
        for table in tables {
            let (rows, left_out) = cells::rows(table);
            for (kind, detail) in left_out {
                self.note(kind, &detail);
            }
            for row in table::read(&rows, &name, self.budget)? {
                let locator = self.locator();
                self.builder.push(&row.text, &row.heading, locator)?;
            }
        }
        let heading = shared(&name);
        for part in wrap.child("table-wrap-foot").into_iter().flat_map(Element::elements) {
            let footnotes = if part.name == "fn-group" { part.elements().collect() } else { vec![part] };
            for note in footnotes {
                let mut text = Inline::default();
                if let Some(label) = note.child("label") {
                    text.mark(&words(label));
                    text.space();
                }
                text::without_label(note, &mut text);
                let locator = self.locator();
                self.builder.push_line(&text.finish(), &heading, locator)?;
            }
        }
        self.headings = before;
        Ok(())
    }
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
                ("We did it.", "Methods", section(&["Methods"])),
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

    fn texts(body: &str) -> (Vec<String>, Extracted) {
        let article = format!("<article><body><sec><title>S</title>{body}</sec></body></article>");
        let read = extract(&article, &budget()).expect("an article");
        (read.text.split("\n\n").map(str::to_owned).collect(), read)
    }

    #[test]
    fn what_stands_in_a_line_follows_the_rule() {
        let (read, document) = texts(
            "<p>Fell below 50 × 10<sup>9</sup>/L<sup>a</sup> with heparin.<sup><xref ref-type='bibr'>12</xref>,<xref ref-type='bibr'>13</xref></sup> \
             See Table <xref ref-type='table'>1</xref> and [<xref ref-type='bibr'>4</xref>] and Smith <xref ref-type='bibr'>et al.</xref>,\
             <break/>H<sub>2</sub>O, <strike>50</strike> 5 mg if it is <inline-formula><mml:math><mml:mo>≤</mml:mo><mml:mn>30</mml:mn></mml:math></inline-formula> \
             or <inline-formula><tex-math>\\cancel{5}</tex-math></inline-formula>.<fn><label>*</label><p>In adults.</p></fn></p>\
             <disp-formula><label>(1)</label><mml:math><mml:mi>CL</mml:mi><mml:mo>=</mml:mo><mml:mn>72</mml:mn></mml:math></disp-formula>\
             <odd><p>left</p></odd>",
        );
        assert_eq!(
            read,
            [
                "Fell below 50 × 10^9/L [a] with heparin. See Table 1 and [4] and Smith et al., H2O, 5 mg if it is ≤ 30 or \
                 [formula that cannot be read]. [*]",
                "[*] In adults.",
                "(1) CL = 72",
            ]
        );
        let kinds: Vec<_> = document.left_out.iter().map(|note| (note.kind, note.count)).collect();
        assert_eq!(
            kinds,
            [
                (NoteKind::StruckText, 1),
                (NoteKind::ReferenceMark, 1),
                (NoteKind::UnreadableFormula, 1),
                (NoteKind::UnknownElement, 1)
            ]
        );
    }

    #[test]
    fn a_merged_cell_and_its_footnote_are_read() {
        let (read, document) = texts(
            "<table-wrap><label>Table 1</label><table><thead><tr><th>Class</th><th>Drug</th><th>Dose</th></tr></thead><tbody>\
             <tr><td rowspan='2'>Statins</td><td>Atorvastatin</td><td>40 mg<sup><xref ref-type='table-fn'>a</xref></sup></td></tr>\
             <tr><td>Rosuvastatin</td><td>20<break/>mg</td></tr></tbody></table>\
             <table-wrap-foot><fn><label>a</label><p>10 mg if frail.</p></fn></table-wrap-foot></table-wrap>",
        );
        assert_eq!(
            read,
            ["Statins | Atorvastatin | 40 mg [a]", "Statins | Rosuvastatin | 20 mg", "[a] 10 mg if frail."]
        );
        assert_eq!(&*document.blocks[1].heading, "Table 1: Class | Drug | Dose");
    }
}
