//! The one rule by which every reader turns what stands inside a line into text.
//!
//! A power stays a power (`10^9`, never `109`), a reference mark is no part of the sentence that it stands in, breaks and
//! the ends of blocks are spaces, and what cannot be read leaves a placeholder that one can see. [`clean`] is the last
//! step of every text, heading and title: one composed form (NFC), ligatures as the letters that they join, white space
//! folded.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::notes::{NoteKind, SIGN};
use super::scripts;

/// What stands inside a line, piece by piece.
#[derive(Debug, Default, Clone)]
pub(crate) struct Inline {
    pieces: Vec<Piece>,
    left_out: Vec<LeftOut>,
}

/// Something that is not in the text, and what it was.
pub(crate) type LeftOut = (NoteKind, String);

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Superscript(String),
    Subscript(String),
    /// A number or a name that refers to a list of references.
    Reference(String),
    /// A mark that refers to a footnote.
    Mark(String),
}

/// A finished line, and what is missing from it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Inlined {
    pub(crate) text: String,
    pub(crate) left_out: Vec<LeftOut>,
}

impl Inline {
    /// Text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// A break, or the end of a block: words on both sides are words of their own.
    pub(crate) fn space(&mut self) {
        self.text(" ");
    }

    /// Raised text: a power, an isotope, an ordinal, or a mark.
    pub(crate) fn superscript(&mut self, text: &str) {
        match self.pieces.last_mut() {
            // Programs cut `10<sup>-</sup><sup>3</sup>` into pieces of one format.
            Some(Piece::Superscript(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Superscript(text.to_owned())),
        }
    }

    /// Lowered text.
    pub(crate) fn subscript(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Subscript(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Subscript(text.to_owned())),
        }
    }

    /// A reference to the literature.
    pub(crate) fn reference(&mut self, text: &str) {
        self.pieces.push(Piece::Reference(text.to_owned()));
    }

    /// A reference to a footnote, which may hold a condition: it stays, apart from the word before it.
    pub(crate) fn mark(&mut self, text: &str) {
        self.pieces.push(Piece::Mark(text.to_owned()));
    }

    /// A placeholder for what cannot be read.
    pub(crate) fn hole(&mut self, placeholder: &'static str) {
        self.text(placeholder);
    }

    /// Something that leaves no trace in the text.
    pub(crate) fn leave_out(&mut self, kind: NoteKind, detail: &str) {
        self.left_out.push((kind, clean(detail)));
    }

    /// The finished line.
    pub(crate) fn finish(self) -> Inlined {
        let Self { pieces, mut left_out } = self;
        let mut out = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            let next = || pieces.get(at + 1).and_then(Piece::first);
            match piece {
                Piece::Text(text) if is_between_references(&pieces, at, text) => {}
                Piece::Text(text) => out.push_str(text),
                Piece::Subscript(text) => scripts::push_subscript(&mut out, &clean(text), next()),
                Piece::Superscript(text) => {
                    let text = clean(text);
                    if scripts::push_superscript(&mut out, &text, next()) == scripts::Read::Reference {
                        left_out.push((NoteKind::ReferenceMark, String::new()));
                    }
                }
                Piece::Mark(text) => scripts::push_mark(&mut out, &clean(text)),
                Piece::Reference(text) => {
                    let text = clean(text);
                    if scripts::is_apart(&out, &text) {
                        out.push_str(&text);
                    } else {
                        scripts::close_gap(&mut out, next());
                        left_out.push((NoteKind::ReferenceMark, String::new()));
                    }
                }
            }
        }
        Inlined { text: clean(&out), left_out }
    }
}

impl Piece {
    fn first(&self) -> Option<char> {
        match self {
            Self::Text(text) | Self::Superscript(text) | Self::Subscript(text) => text.chars().next(),
            Self::Reference(_) | Self::Mark(_) => None,
        }
    }
}

/// Whether a text is what separates two references, as the comma of `12,13`.
fn is_between_references(pieces: &[Piece], at: usize, text: &str) -> bool {
    let is_number = |piece: Option<&Piece>| matches!(piece, Some(Piece::Reference(text)) if scripts::is_reference_number(text));
    let separates = !text.is_empty() && text.chars().all(|c| matches!(c, ',' | ';' | '-' | '–' | ' '));
    let apart = at.checked_sub(2).and_then(|before| match pieces.get(before) {
        Some(Piece::Text(text)) => text.trim_end().chars().next_back(),
        _ => None,
    });
    separates
        && !matches!(apart, Some('[' | '('))
        && at > 0
        && is_number(pieces.get(at - 1))
        && is_number(pieces.get(at + 1))
}

/// A text in one form: NFC, ligatures as letters, no signs that only steer a line breaker or the direction of writing,
/// placeholders for what has no character, runs of white space as one space.
pub(crate) fn clean(text: &str) -> String {
    let plain = text.bytes().all(|byte| matches!(byte, 0x20..0x7f | b'\t'..=b'\r'));
    let text = if plain { Cow::Borrowed(text) } else { Cow::Owned(one_form(text)) };
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn one_form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t'..='\r' | ' '..='~' => out.push(character),
            // Soft hyphen, zero-width space, word joiner, byte order mark; controls of the direction of writing.
            '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            // What Windows programs call Latin-1.
            '\u{91}' | '\u{92}' => out.push('’'),
            '\u{93}' => out.push('“'),
            '\u{94}' => out.push('”'),
            '\u{96}' => out.push('–'),
            '\u{97}' => out.push('—'),
            // Bullets of the fonts that office programs draw them with.
            '\u{f0b7}' => out.push('•'),
            '\u{f0a7}' => out.push('▪'),
            '\u{f0d8}' => out.push('➢'),
            '\u{f0fc}' => out.push('✓'),
            // Ligatures, and Hebrew and Arabic letters by their shape.
            '\u{fb00}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => out.extend(character.nfkc()),
            _ if is_no_character(character) => {
                if !out.ends_with(SIGN) {
                    out.push_str(SIGN);
                }
            }
            _ => out.push(character),
        }
    }
    out.nfc().collect()
}

/// Whether a code point says nothing: controls, private use, non-characters, and what stands for them.
fn is_no_character(character: char) -> bool {
    let code = u32::from(character);
    (character.is_control() && !character.is_whitespace())
        || character == char::REPLACEMENT_CHARACTER
        || matches!(code, 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff | 0xfdd0..=0xfdef)
        || code & 0xfffe == 0xfffe
}

/// The character that an entity of HTML and of the DTDs of journals names, without `&` and `;`.
pub(crate) fn entity(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else { return named(name) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|&character| character != '\0').map(|character| character.to_string().into())
}

/// The character of a name. The names are those of the Markdown parser, which has all of HTML's: the table of the XML
/// parser is wrong for Greek, Cyrillic and most accents (`&alpha;` is `;` in it).
fn named(name: &str) -> Option<Cow<'static, str>> {
    match name {
        "amp" => return Some("&".into()),
        "lt" => return Some("<".into()),
        "gt" => return Some(">".into()),
        "quot" => return Some("\"".into()),
        "apos" => return Some("'".into()),
        "nbsp" => return Some("\u{a0}".into()),
        _ => {}
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let source = format!("&{name};");
    pulldown_cmark::Parser::new(&source).find_map(|event| match event {
        pulldown_cmark::Event::Text(text) if *text != source && !text.starts_with('&') => {
            Some(Cow::Owned(text.to_string()))
        }
        _ => None,
    })
}

/// Replaces every entity that has a name; what only looks like one stays. Once: `&amp;lt;` is `&lt;`.
pub(crate) fn decode_entities(text: &str) -> Cow<'_, str> {
    const LONGEST_NAME: usize = 40;
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|&end| end <= LONGEST_NAME);
        if let Some((end, character)) = end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            out.push_str(&character);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_one_form() {
        for (text, right) in [
            ("the eﬃcacy of ﬂuconazole was conﬁrmed", "the efficacy of fluconazole was confirmed"),
            ("Cafe\u{301} \u{2126}", "Café Ω"),
            ("is \u{f0a3} 30", "is [sign that cannot be read] 30"),
            ("a\u{fffd}\u{fffd}b", "a[sign that cannot be read]b"),
            ("in\u{ad}hibi\u{200b}tor\u{202e}", "inhibitor"),
            ("  5\u{a0}mg\t\n x ", "5 mg x"),
            ("50 × 10⁹/L ≥ 5 µg", "50 × 10⁹/L ≥ 5 µg"),
            ("\u{f0b7} first", "• first"),
        ] {
            assert_eq!(clean(text), right);
            assert_eq!(clean(&clean(text)), right, "once and for all");
        }
    }

    #[test]
    fn entities_are_decoded_once() {
        for (text, right) in [
            ("Ren&eacute;e O&#39;Neil", "Renée O'Neil"),
            ("&amp;lt;5 &ge; 80 &alpha;&#x2264;", "&lt;5 ≥ 80 α≤"),
            ("&Scaron;&mu;g &plusmn;&thinsp;5 &Delta;&minus;&deg;", "Šμg ±\u{2009}5 Δ−°"),
            ("AT&T; R&D & 5 < 6 &nosuch;", "AT&T; R&D & 5 < 6 &nosuch;"),
            ("&#0;&", "&#0;&"),
        ] {
            assert_eq!(decode_entities(text), right);
        }
    }

    #[test]
    fn references_leave_their_sentence_and_are_counted() {
        let mut line = Inline::default();
        line.text("Mortality was lower with heparin.");
        line.reference("12");
        line.text(",");
        line.reference("13");
        line.text(" As said [");
        line.reference("4");
        line.text("] by ");
        line.reference("Smith 2019");
        line.text(" and others");
        line.reference("7");
        line.text(" too.");
        let line = line.finish();
        assert_eq!(line.text, "Mortality was lower with heparin. As said [4] by Smith 2019 and others too.");
        assert_eq!(line.left_out.len(), 3);
    }
}
