//! What stands inside a line of an article.

use super::notes::{self, NoteKind};
use super::{BLOCKS, Element, Inline, Inlined, Node};
use crate::math;

/// Inline elements that say nothing of their own.
const SILENT: [&str; 6] = ["object-id", "index-term", "alt-text", "long-desc", "permissions", "sec-meta"];
/// Elements whose text is a block, and thus words of its own.
const PARAGRAPHS: [&str; 12] =
    ["p", "title", "subtitle", "list-item", "def-item", "term", "def", "verse-line", "td", "th", "tr", "sec"];

/// The text of an element as a line.
pub(super) fn line(element: &Element) -> Inlined {
    let mut out = Inline::default();
    inline(element, &mut out);
    out.finish()
}

/// The text of an element, for headings and labels.
pub(super) fn words(element: &Element) -> String {
    line(element).text
}

/// Adds what an element holds.
pub(super) fn inline(element: &Element, out: &mut Inline) {
    for node in &element.children {
        match node {
            Node::Text(text) => out.text(text),
            Node::Element(element) => part(element, out),
        }
    }
}

/// Adds what an element holds besides its label.
pub(super) fn without_label(element: &Element, out: &mut Inline) {
    for node in &element.children {
        match node {
            Node::Text(text) => out.text(text),
            Node::Element(element) if element.name == "label" => {}
            Node::Element(element) => part(element, out),
        }
    }
}

/// Adds an element of a line.
pub(super) fn part(element: &Element, out: &mut Inline) {
    match element.name.as_str() {
        "sup" => superscript(element, out),
        "sub" => out.subscript(&words(element)),
        "break" => out.space(),
        "xref" => reference(element, out),
        "fn" => out.mark(&element.child("label").map(words).unwrap_or_default()),
        "strike" => out.leave_out(NoteKind::StruckText, &words(element)),
        "styled-content" => styled(element, out),
        "inline-formula" | "disp-formula" | "chem-struct" | "chem-struct-wrap" | "math" | "tex-math" => {
            formula(element, out);
        }
        "alternatives" => alternatives(element, out),
        "inline-graphic" | "graphic" | "inline-media" => {
            let text = element.child("alt-text").map(words).filter(|text| !text.is_empty());
            match text {
                Some(text) => out.text(&text),
                None => out.hole(notes::PICTURE),
            }
        }
        "private-char" => out.hole(notes::SIGN),
        name if SILENT.contains(&name) => {}
        name if PARAGRAPHS.contains(&name) || BLOCKS.contains(&name) || name == "label" => {
            out.space();
            inline(element, out);
            out.space();
        }
        _ => inline(element, out),
    }
}

/// Raised text: what of it refers to something is no power.
fn superscript(element: &Element, out: &mut Inline) {
    let references = element.descendants("xref");
    let text = element.text();
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let referring: usize = references.iter().map(|reference| letters(&reference.text())).sum();
    let is_mark = |element: &Element| element.attribute("ref-type").is_some_and(is_footnote);
    if references.is_empty() || referring < letters(&text) {
        out.superscript(&text);
    } else if references.iter().any(|reference| is_mark(reference)) {
        out.mark(&text);
    } else {
        out.reference(&text);
    }
}

fn is_footnote(kind: &str) -> bool {
    matches!(kind, "fn" | "table-fn" | "corresp" | "aff")
}

fn reference(element: &Element, out: &mut Inline) {
    let text = words(element);
    match element.attribute("ref-type") {
        // The raised text that holds the mark says nothing more.
        Some("bibr") | None => out.reference(text.trim_start_matches('^')),
        Some(kind) if is_footnote(kind) => out.mark(text.trim_start_matches('^')),
        Some(_) => inline(element, out),
    }
}

fn styled(element: &Element, out: &mut Inline) {
    let style = ["style", "style-type"].iter().filter_map(|name| element.attribute(name)).collect::<String>();
    let style = style.to_ascii_lowercase().replace(' ', "");
    if style.contains("line-through") || style.contains("strike") {
        out.leave_out(NoteKind::StruckText, &words(element));
    } else if style.contains("display:none") || style.contains("hidden") {
        out.leave_out(NoteKind::HiddenText, &words(element));
    } else {
        inline(element, out);
    }
}

/// A formula: its MathML in one line, else its TeX, else its own text, else a placeholder.
fn formula(element: &Element, out: &mut Inline) {
    let named = |name: &str| {
        if element.name == name { vec![element] } else { element.descendants(name) }
    };
    let is_display = element.name.starts_with("disp-");
    if is_display {
        out.space();
    }
    if let Some(label) = element.child("label") {
        out.text(&words(label));
        out.space();
    }
    let (math, tex) = (named("math"), named("tex-math"));
    let linear = math.first().and_then(|math| math::mathml(math));
    let linear = linear.or_else(|| math::tex(&tex.first()?.text_without(&[])));
    let drawn =
        !element.descendants("graphic").is_empty() || !element.descendants("inline-graphic").is_empty();
    match linear {
        Some(text) => out.text(&text),
        None if math.is_empty() && tex.is_empty() && !drawn => without_label(element, out),
        None => out.hole(notes::FORMULA),
    }
    if is_display {
        out.space();
    }
}

/// The same thing in several forms: the one that is text.
fn alternatives(element: &Element, out: &mut Inline) {
    let is_formula = |part: &&Element| matches!(part.name.as_str(), "math" | "tex-math");
    if element.elements().any(|part| is_formula(&part)) {
        return formula(element, out);
    }
    let is_picture = |part: &&Element| matches!(part.name.as_str(), "graphic" | "inline-graphic" | "media");
    let best = element.elements().find(|part| !is_picture(part)).or_else(|| element.elements().next());
    if let Some(best) = best {
        part(best, out);
    }
}
