//! What a reader left out or could not make out, counted and with its place.
//!
//! Nothing is lost in silence: whatever a reader does not turn into text becomes a [`Note`], and where it leaves a hole
//! inside a sentence, a placeholder that one can see stands in its place.

use std::fmt;

use super::Locator;

/// What stands for a sign that has no character: a glyph without Unicode, an entity that nothing declares.
pub(crate) const SIGN: &str = "[sign that cannot be read]";
/// What stands for a formula that could not be written in one line.
pub(crate) const FORMULA: &str = "[formula that cannot be read]";
/// What stands for a picture inside a sentence.
pub(crate) const PICTURE: &str = "[picture that cannot be read]";
/// What stands for a caption whose times are broken, where it interrupts a sentence.
pub(crate) const CAPTION: &str = "[caption that cannot be read]";

/// Every placeholder, with the kind of note that it makes.
const PLACEHOLDERS: [(&str, NoteKind); 4] = [
    (SIGN, NoteKind::UnreadableSign),
    (FORMULA, NoteKind::UnreadableFormula),
    (PICTURE, NoteKind::InlinePicture),
    (CAPTION, NoteKind::CaptionHole),
];

/// More different notes than a person reads; what comes after is counted under one.
const MOST: usize = 200;
/// Characters of what a note quotes.
const LONGEST_DETAIL: usize = 80;

/// Why something is missing from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NoteKind {
    /// An element that this reader does not know; its text, if it has any, is not in the document.
    UnknownElement,
    /// A sign that has no character. Its placeholder is in the text.
    UnreadableSign,
    /// A formula that could not be written in one line. Its placeholder is in the text.
    UnreadableFormula,
    /// A picture inside a sentence. Its placeholder is in the text.
    InlinePicture,
    /// A caption with broken times inside a sentence. Its placeholder is in the text.
    CaptionHole,
    /// A picture that stands by itself.
    Picture,
    /// A chart: its values are not in the text.
    Chart,
    /// A diagram: its words are in the text, its arrows are not.
    Diagram,
    /// An object of another program.
    EmbeddedObject,
    /// Words that the page or the show does not paint.
    HiddenText,
    /// A slide that is not shown.
    HiddenSlide,
    /// Words that are struck through.
    StruckText,
    /// A number that refers to a list of references.
    ReferenceMark,
    /// A list of references, an acknowledgment or the like.
    BackMatter,
    /// A caption that does not follow the rules of its format.
    BadCaption,
    /// A block of HTML.
    HtmlBlock,
    /// A line that repeats on most pages.
    RunningHead,
    /// A page without text.
    SilentPage,
    /// Text that no picture can confirm: the layer that text recognition laid over a scan.
    RecognizedText,
    /// Notes beyond those that are listed.
    More,
}

impl NoteKind {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownElement => "unknown_element",
            Self::UnreadableSign => "unreadable_sign",
            Self::UnreadableFormula => "unreadable_formula",
            Self::InlinePicture => "inline_picture",
            Self::CaptionHole => "caption_hole",
            Self::Picture => "picture",
            Self::Chart => "chart",
            Self::Diagram => "diagram",
            Self::EmbeddedObject => "embedded_object",
            Self::HiddenText => "hidden_text",
            Self::HiddenSlide => "hidden_slide",
            Self::StruckText => "struck_text",
            Self::ReferenceMark => "reference_mark",
            Self::BackMatter => "back_matter",
            Self::BadCaption => "bad_caption",
            Self::HtmlBlock => "html_block",
            Self::RunningHead => "running_head",
            Self::SilentPage => "silent_page",
            Self::RecognizedText => "recognized_text",
            Self::More => "more",
        }
    }

    /// What happened, for people: after a number, and the same for one and for many.
    const fn words(self) -> &'static str {
        match self {
            Self::UnknownElement => "element(s) of a kind that is not read were left out",
            Self::UnreadableSign => "sign(s) without a character were replaced by a placeholder",
            Self::UnreadableFormula => "formula(s) were replaced by a placeholder",
            Self::InlinePicture => "picture(s) inside a sentence were replaced by a placeholder",
            Self::CaptionHole => "caption(s) with broken times were replaced by a placeholder",
            Self::Picture => "picture(s) were left out",
            Self::Chart => "chart(s) were left out",
            Self::Diagram => "diagram(s) were read without their arrows",
            Self::EmbeddedObject => "embedded object(s) were left out",
            Self::HiddenText => "piece(s) of text that the page does not show were left out",
            Self::HiddenSlide => "slide(s) that the show leaves out were not read",
            Self::StruckText => "piece(s) of struck-through text were left out",
            Self::ReferenceMark => "reference mark(s) were taken out of sentences",
            Self::BackMatter => "part(s) behind the article were left out",
            Self::BadCaption => "caption(s) with broken times were left out",
            Self::HtmlBlock => "block(s) of HTML were left out",
            Self::RunningHead => "running head(s) and page number(s) were left out",
            Self::SilentPage => "page(s) hold no text",
            Self::RecognizedText => "page(s) were read from a text recognition layer",
            Self::More => "further note(s) are not listed",
        }
    }
}

/// Something that a reader left out or could not make out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Why it is missing.
    pub kind: NoteKind,
    /// What it was, as far as one can say: the name of an element, the words that were left out.
    pub detail: String,
    /// Where it was; `None` where the note is about the document as a whole.
    pub place: Option<Locator>,
    /// How many there were.
    pub count: u32,
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.count, self.kind.words())?;
        match &self.place {
            Some(Locator::Page(page)) => write!(out, " on page {page}")?,
            Some(Locator::Slide { number, notes: false }) => write!(out, " on slide {number}")?,
            Some(Locator::Slide { number, notes: true }) => write!(out, " in the notes of slide {number}")?,
            Some(Locator::Time { start_ms, .. }) => {
                let seconds = start_ms / 1000;
                write!(out, " at {}:{:02}", seconds / 60, seconds % 60)?;
            }
            Some(Locator::Section(path)) if !path.is_empty() => {
                write!(out, " in \u{201c}{}\u{201d}", path.join(" > "))?;
            }
            Some(Locator::Section(_)) | None => {}
        }
        if self.detail.is_empty() { Ok(()) } else { write!(out, ": {}", self.detail) }
    }
}

/// Whether `text` has a hole: something that stood there could not be read.
///
/// Such a sentence is never quoted as if it were whole, and nothing is asked about it.
pub fn has_hole(text: &str) -> bool {
    PLACEHOLDERS.iter().any(|(placeholder, _)| text.contains(placeholder))
}

/// The notes of a document, alike ones counted together.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    listed: Vec<Note>,
}

impl Notes {
    /// Counts one more of a kind.
    pub(crate) fn add(&mut self, kind: NoteKind, detail: &str, place: Option<&Locator>) {
        let detail = cut(detail);
        let same =
            |note: &&mut Note| note.kind == kind && note.place.as_ref() == place && note.detail == detail;
        // Notes of one place come together: the newest are alike, if any are.
        if let Some(note) = self.listed.iter_mut().rev().take(MOST).find(same) {
            note.count = note.count.saturating_add(1);
        } else if self.listed.len() < MOST {
            self.listed.push(Note { kind, detail, place: place.cloned(), count: 1 });
        } else if let Some(last) = self.listed.last_mut().filter(|note| note.kind == NoteKind::More) {
            last.count = last.count.saturating_add(1);
        } else {
            self.listed.push(Note { kind: NoteKind::More, detail: String::new(), place: None, count: 1 });
        }
    }

    /// Counts the placeholders of a text.
    pub(crate) fn add_holes(&mut self, text: &str, place: &Locator) {
        for (placeholder, kind) in PLACEHOLDERS {
            for _ in text.matches(placeholder) {
                self.add(kind, "", Some(place));
            }
        }
    }

    /// All notes, in the order in which they were made.
    pub(crate) fn into_list(self) -> Vec<Note> {
        self.listed
    }
}

/// A detail that a person can read: one line, cut visibly.
fn cut(detail: &str) -> String {
    let detail = super::fold(detail);
    match detail.char_indices().nth(LONGEST_DETAIL) {
        None => detail,
        Some((end, _)) => format!("{}\u{2026}", &detail[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_notes_are_counted_and_too_many_are_bounded() {
        let mut notes = Notes::default();
        for _ in 0..3 {
            notes.add(NoteKind::Picture, "", Some(&Locator::Page(2)));
        }
        assert_eq!(notes.listed[0].to_string(), "3 picture(s) were left out on page 2");
        for page in 0..2_000 {
            notes.add(NoteKind::Chart, "", Some(&Locator::Page(page)));
        }
        let list = notes.into_list();
        assert_eq!(list.len(), MOST + 1);
        assert_eq!(list.iter().map(|note| note.count).sum::<u32>(), 2_003, "none is lost");
    }

    #[test]
    fn every_placeholder_is_a_hole_and_makes_a_note() {
        for (placeholder, kind) in PLACEHOLDERS {
            let text = format!("the limit is {placeholder} 30");
            assert!(has_hole(&text));
            let mut notes = Notes::default();
            notes.add_holes(&text, &Locator::Page(1));
            assert_eq!(notes.into_list().iter().map(|note| note.kind).collect::<Vec<_>>(), [kind]);
        }
        assert!(!has_hole("the limit is 30"));
    }
}
