//! HTML inside other text: tags inside a line, and blocks of Markdown that are HTML.

use super::inline::{Inline, Inlined, decode_entities};
use super::notes::{self, NoteKind};
use super::table::{Cell, Row};

/// What a tag does to the line that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It says how something looks.
    None,
    Break,
    Superscript,
    Subscript,
    Struck,
    /// What is in it is not shown.
    Hidden,
    Picture,
}

/// A tag as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    closes: bool,
    /// Whether it closes itself.
    empty: bool,
}

const INLINE: [&str; 25] = [
    "b", "i", "em", "strong", "u", "span", "a", "code", "small", "mark", "kbd", "abbr", "cite", "q", "font",
    "big", "tt", "var", "samp", "dfn", "ins", "wbr", "bdi", "label", "time",
];
const BLOCKS: [&str; 40] = [
    "br",
    "hr",
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "center",
    "section",
    "article",
    "aside",
    "header",
    "footer",
    "main",
    "nav",
    "details",
    "summary",
    "blockquote",
    "pre",
    "figure",
    "figcaption",
    "address",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "caption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "body",
];
/// Elements whose content is no text of the document.
const NO_TEXT: [&str; 9] =
    ["script", "style", "template", "svg", "math", "iframe", "object", "video", "audio"];
/// Tags that may be open at once; further ones change nothing.
const DEEPEST: usize = 64;
/// Elements without an end.
const VOID: [&str; 5] = ["br", "hr", "img", "wbr", "input"];

impl<'a> Tag<'a> {
    /// The tag that a text begins with, and its length in bytes.
    pub(crate) fn read(text: &'a str) -> Option<(Self, usize)> {
        let inside = text.strip_prefix('<')?;
        let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let end = end_of_tag(inside)?;
        let length = text.len() - inside.len() + end + 1;
        let inside = &inside[..end];
        let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(name_end);
        let attributes = attributes.trim();
        // `<b and c>` compares two values: an attribute of HTML has a value, or is one of few.
        let are_attributes = attributes.is_empty()
            || attributes.contains('=')
            || matches!(attributes, "hidden" | "open" | "reversed" | "nowrap");
        are_attributes.then_some((Self { name, attributes, closes, empty }, length))
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        let lower = self.attributes.to_ascii_lowercase();
        let mut from = 0;
        while let Some(found) = lower[from..].find(name) {
            let at = from + found;
            from = at + name.len();
            let starts = at == 0 || lower.as_bytes()[at - 1].is_ascii_whitespace();
            let Some(value) = self.attributes[from..].trim_start().strip_prefix('=').filter(|_| starts)
            else {
                continue;
            };
            let value = value.trim_start();
            return Some(match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
                _ => value.split_whitespace().next().unwrap_or_default(),
            });
        }
        None
    }

    fn effect(&self) -> Option<Effect> {
        let style = self.attribute("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
        let hidden = self.attributes.split_whitespace().any(|word| word.eq_ignore_ascii_case("hidden"))
            || style.contains("display:none")
            || style.contains("visibility:hidden");
        Some(match () {
            () if self.is(&NO_TEXT) || (hidden && !self.closes) => Effect::Hidden,
            () if self.is(&["sup"]) => Effect::Superscript,
            () if self.is(&["sub"]) => Effect::Subscript,
            () if self.is(&["s", "del", "strike"]) || style.contains("line-through") => Effect::Struck,
            () if self.is(&["img"]) => Effect::Picture,
            () if self.is(&BLOCKS) => Effect::Break,
            () if self.is(&INLINE) => Effect::None,
            () => return None,
        })
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    const LONGEST: usize = 4_000;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(LONGEST) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'<') => return None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// A line with the tags that are open in it.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    line: Inline,
    open: Vec<(String, Effect)>,
    /// Words that are struck or hidden, until their tag closes.
    aside: String,
    /// Whether they are hidden rather than struck.
    is_hidden: bool,
}

impl Marked {
    /// Text inside the tags that are open.
    pub(crate) fn text(&mut self, text: &str) {
        match self.open.iter().rev().map(|(_, effect)| *effect).max_by_key(|effect| weight(*effect)) {
            Some(effect @ (Effect::Struck | Effect::Hidden)) => {
                self.is_hidden = effect == Effect::Hidden;
                self.aside.push_str(text);
            }
            Some(Effect::Superscript) => self.line.superscript(text),
            Some(Effect::Subscript) => self.line.subscript(text),
            _ => self.line.text(text),
        }
    }

    /// A break or the end of a block.
    pub(crate) fn space(&mut self) {
        self.text(" ");
    }

    /// The line itself, for what readers know better.
    pub(crate) fn line(&mut self) -> &mut Inline {
        &mut self.line
    }

    /// Opens what strikes through.
    pub(crate) fn strike(&mut self) {
        self.open.push(("~~".to_owned(), Effect::Struck));
    }

    /// Closes what strikes through.
    pub(crate) fn end_strike(&mut self) {
        self.close("~~");
    }

    /// A tag. False where HTML has no such tag: then it is text.
    pub(crate) fn tag(&mut self, tag: &Tag<'_>) -> bool {
        let Some(effect) = tag.effect() else { return false };
        match effect {
            Effect::Break => self.space(),
            Effect::Picture if !tag.closes => {
                let words = tag.attribute("alt").unwrap_or_default().trim();
                if words.is_empty() {
                    self.text(notes::PICTURE);
                } else {
                    self.text(&decode_entities(words));
                }
            }
            _ => {}
        }
        if tag.closes {
            self.close(&tag.name.to_ascii_lowercase());
        } else if !tag.empty && !tag.is(&VOID) && self.open.len() < DEEPEST {
            self.open.push((tag.name.to_ascii_lowercase(), effect));
        }
        true
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|(open, _)| open == name) {
            self.open.truncate(at);
        }
        self.flush_aside();
    }

    fn flush_aside(&mut self) {
        let is_aside = |effect| matches!(effect, Effect::Struck | Effect::Hidden);
        if self.aside.is_empty() || self.open.iter().any(|(_, effect)| is_aside(*effect)) {
            return;
        }
        let words = std::mem::take(&mut self.aside);
        if !words.trim().is_empty() {
            let kind = if self.is_hidden { NoteKind::HiddenText } else { NoteKind::StruckText };
            self.line.leave_out(kind, &words);
        }
        self.line.text(" ");
    }

    /// The finished line; tags that were left open end with it.
    pub(crate) fn finish(&mut self) -> Inlined {
        self.open.clear();
        self.flush_aside();
        std::mem::take(&mut self.line).finish()
    }
}

const fn weight(effect: Effect) -> u8 {
    match effect {
        Effect::Hidden => 4,
        Effect::Struck => 3,
        Effect::Superscript | Effect::Subscript => 2,
        Effect::None | Effect::Break | Effect::Picture => 1,
    }
}

/// A part of a block of HTML.
#[derive(Debug)]
pub(crate) enum Part {
    Line(Inlined),
    Heading(u32, Inlined),
    Table(Vec<Row>),
}

/// Reads a block of HTML.
pub(crate) fn block(html: &str) -> Vec<Part> {
    let mut reader = BlockReader::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.text(&rest[..at]);
        rest = &rest[at..];
        let skipped = ["<!--", "<![CDATA[", "<!", "<?"].into_iter().find(|start| rest.starts_with(start));
        if let Some(start) = skipped {
            let end = match start {
                "<!--" => "-->",
                "<![CDATA[" => "]]>",
                _ => ">",
            };
            rest = rest[start.len()..].split_once(end).map_or("", |(_, behind)| behind);
            continue;
        }
        if let Some((tag, length)) = Tag::read(rest) {
            reader.tag(&tag, &rest[..length]);
            rest = &rest[length..];
        } else {
            reader.text("<");
            rest = &rest[1..];
        }
    }
    reader.text(rest);
    reader.end_table();
    reader.flush();
    reader.parts
}

#[derive(Debug, Default)]
struct BlockReader {
    parts: Vec<Part>,
    line: Marked,
    rows: Option<Vec<Row>>,
    cell: Option<Cell>,
    in_head: bool,
}

impl BlockReader {
    fn text(&mut self, text: &str) {
        self.line.text(&decode_entities(text));
    }

    fn flush(&mut self) {
        let line = self.line.finish();
        if !line.text.is_empty() || !line.left_out.is_empty() {
            self.parts.push(Part::Line(line));
        }
    }

    fn tag(&mut self, tag: &Tag<'_>, source: &str) {
        let name = tag.name.to_ascii_lowercase();
        match (name.as_str(), tag.closes) {
            ("table", closes) => {
                self.end_table();
                self.flush();
                self.rows = (!closes).then(Vec::new);
            }
            ("thead", closes) => self.in_head = !closes,
            ("tr", closes) if self.rows.is_some() => {
                self.end_cell();
                if let Some(rows) = self.rows.as_mut().filter(|_| !closes) {
                    rows.push(Row { cells: Vec::new(), is_head: self.in_head });
                }
            }
            ("td" | "th", closes) if self.rows.is_some() => {
                self.end_cell();
                let number = |name| tag.attribute(name).and_then(|value| value.trim().parse().ok());
                self.cell = (!closes).then(|| Cell {
                    text: String::new(),
                    rows: number("rowspan").unwrap_or(1),
                    columns: number("colspan").unwrap_or(1),
                    is_header: name == "th",
                });
            }
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", false) => self.flush(),
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", true) => {
                let line = self.line.finish();
                self.parts.push(Part::Heading(u32::from(name.as_bytes()[1] - b'0'), line));
            }
            ("p" | "div" | "li" | "summary" | "details" | "blockquote" | "dd" | "dt", _)
                if self.rows.is_none() =>
            {
                self.flush();
            }
            _ if !self.line.tag(tag) => self.text(source),
            _ => {}
        }
    }

    fn end_table(&mut self) {
        if self.rows.is_some() {
            self.end_cell();
            self.parts.extend(self.rows.take().map(Part::Table));
        }
    }

    fn end_cell(&mut self) {
        let Some(rows) = self.rows.as_mut() else { return };
        let line = self.line.finish();
        match (self.cell.take(), rows.last_mut()) {
            (Some(cell), Some(row)) => row.cells.push(Cell { text: line.text, ..cell }),
            // A caption, or text that stands outside of any cell.
            _ if !line.text.is_empty() => self.parts.push(Part::Line(line)),
            _ => {}
        }
    }
}
