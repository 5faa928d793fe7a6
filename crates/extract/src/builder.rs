//! Building an extracted text block by block.

use std::sync::Arc;

use super::budget::{Budget, heading};
use super::inline::Inlined;
use super::notes::{NoteKind, Notes};
use super::{Block, ExtractError, Extracted, Locator, Path, WordBox};

/// What a block costs besides its text.
const BLOCK: usize = 96;
/// What a box costs: it is kept as JSON.
const BOX: usize = 150;
/// What a reference to a heading costs.
const REFERENCE: usize = 16;

/// Collects blocks into one text, within a budget.
#[derive(Debug)]
pub(crate) struct Builder {
    out: Extracted,
    notes: Notes,
    budget: Budget,
}

impl Builder {
    /// An empty document that may cost what is left of `budget`.
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { out: Extracted::default(), notes: Notes::default(), budget: budget.clone() }
    }

    /// Adds a block, white space folded. Blocks without a letter or digit are left out. Returns where it starts.
    pub(crate) fn push(
        &mut self,
        text: &str,
        heading: &Arc<str>,
        locator: Locator,
    ) -> Result<Option<usize>, ExtractError> {
        let folded = super::fold(text);
        self.push_verbatim(&folded, heading, locator)
    }

    /// Adds a block, and notes what is missing from it.
    pub(crate) fn push_line(
        &mut self,
        line: &Inlined,
        heading: &Arc<str>,
        locator: Locator,
    ) -> Result<Option<usize>, ExtractError> {
        for (kind, detail) in &line.left_out {
            // Marks are so many that one wants their sum alone.
            let place = (*kind != NoteKind::ReferenceMark).then_some(&locator);
            self.notes.add(*kind, detail, place);
        }
        self.push_verbatim(&line.text, heading, locator)
    }

    /// Notes that something was left out.
    pub(crate) fn note(&mut self, kind: NoteKind, detail: &str, place: Option<&Locator>) {
        self.notes.add(kind, detail, place);
    }

    /// Adds a block that goes on with the paragraph before it.
    pub(crate) fn append(&mut self, text: &str, locator: Locator) -> Result<(), ExtractError> {
        let folded = super::fold(text);
        if says_something(&folded) {
            self.add(&folded, " ", Arc::default(), locator)?;
        }
        Ok(())
    }

    /// Adds a block as it is.
    pub(crate) fn push_verbatim(
        &mut self,
        text: &str,
        heading: &Arc<str>,
        locator: Locator,
    ) -> Result<Option<usize>, ExtractError> {
        if !says_something(text) {
            return Ok(None);
        }
        self.add(text, "\n\n", Arc::clone(heading), locator).map(Some)
    }

    fn add(
        &mut self,
        text: &str,
        separator: &str,
        heading: Arc<str>,
        locator: Locator,
    ) -> Result<usize, ExtractError> {
        let separator = if self.out.text.is_empty() { "" } else { separator };
        self.budget.text(separator.len() + text.len())?;
        self.budget.keep(BLOCK + self.cost(&heading, &locator))?;
        self.notes.add_holes(text, &locator);
        self.out.text.push_str(separator);
        let start = self.out.text.len();
        self.out.text.push_str(text);
        self.out.blocks.push(Block { range: start..self.out.text.len(), heading, locator });
        Ok(start)
    }

    /// What a block's place costs where the block before it does not refer to the same.
    fn cost(&self, heading: &Arc<str>, locator: &Locator) -> usize {
        let before = self.out.blocks.last();
        let own = before.is_none_or(|block| !Arc::ptr_eq(&block.heading, heading));
        let place = match (locator, before.map(|block| &block.locator)) {
            (Locator::Section(path), Some(Locator::Section(before))) if Arc::ptr_eq(path, before) => 0,
            (Locator::Section(path), _) => path.len() * REFERENCE,
            (Locator::Time { speaker, .. }, _) => speaker.len(),
            _ => 0,
        };
        place + if own { heading.len() } else { 0 }
    }

    /// Adds where runs of the text are drawn.
    pub(crate) fn add_boxes(&mut self, boxes: impl IntoIterator<Item = WordBox>) -> Result<(), ExtractError> {
        for word in boxes {
            self.budget.keep(BOX)?;
            self.out.boxes.push(word);
        }
        Ok(())
    }

    /// The document so far.
    pub(crate) fn document(&mut self) -> &mut Extracted {
        &mut self.out
    }

    /// The finished document.
    pub(crate) fn finish(self) -> Extracted {
        let Self { mut out, notes, .. } = self;
        out.left_out = notes.into_list();
        out.notes.extend(out.left_out.iter().map(ToString::to_string));
        out
    }
}

/// Whether a text has a letter, a digit, or a sign that changes what stands beside it: a caption may be nothing but `≤`.
fn says_something(text: &str) -> bool {
    let is_sign = |c: char| {
        matches!(c, '<' | '>' | '=' | '+' | '%' | '°' | '±' | '×' | '÷' | '−' | '↑' | '↓' | '→' | '√' | '∞')
            || ('≈'..='≿').contains(&c)
    };
    let is_one = |word: &str| word != ">>" && word.chars().count() <= 2 && word.chars().all(is_sign);
    text.chars().any(char::is_alphanumeric) || text.split_whitespace().any(is_one)
}

/// A path of headings by level, as documents number them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Headings {
    open: Vec<(u32, Arc<str>)>,
    /// The path as blocks refer to it, until a heading begins.
    path: Option<Path>,
    none: Arc<str>,
}

impl Headings {
    /// A heading of `level` begins; deeper ones end.
    pub(crate) fn enter(&mut self, level: u32, text: &str) {
        self.open.retain(|(open, _)| *open < level);
        self.open.push((level, heading(text)));
        self.path = None;
    }

    /// Headings from the outermost to the innermost.
    pub(crate) fn path(&mut self) -> Path {
        Arc::clone(
            self.path.get_or_insert_with(|| self.open.iter().map(|(_, text)| Arc::clone(text)).collect()),
        )
    }

    /// The innermost heading.
    pub(crate) fn nearest(&self) -> Arc<str> {
        Arc::clone(self.open.last().map_or(&self.none, |(_, text)| text))
    }
}

/// The heading of a table's rows: what stands above the table, and the names of its columns.
pub(crate) fn heading_of_rows(above: &str, columns: &str) -> Arc<str> {
    match (above, columns) {
        (above, "") => heading(above),
        ("", columns) => heading(columns),
        (above, columns) => heading(&format!("{above}: {columns}")),
    }
}
