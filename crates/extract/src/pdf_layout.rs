//! From glyphs with places to lines, tables, paragraphs and headings.
//!
//! Glyphs come in the order in which the page draws them, which in documents made by people is close to reading order.
//! They become words and lines by distance. Where lines stand side by side, they are the rows of a table or the columns of
//! a text, and are read as such in whatever order they were drawn. Lines become paragraphs by leading, and a line that is
//! larger than the body text heads what follows. Running heads and page numbers, which repeat at the same place, are left
//! out and counted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::budget::{Budget, heading as shared};
use super::builder::heading_of_rows;
use super::notes::{NoteKind, SIGN};
use super::{Builder, ExtractError, Extracted, Locator, WordBox};

mod grid;
mod heads;
mod hyphens;
mod lines;

use grid::Unit;
pub(crate) use lines::Glyph;
use lines::{Line, Word};

/// The upper part of a slide, in which its title stands.
const TITLE_BAND: f32 = 0.35;
/// Lines whose baselines are this many sizes apart still belong together.
const LEADING: f32 = 1.75;
/// A heading is this much larger than the body text.
const HEADING_RATIO: f32 = 1.12;
/// Longer lines are no headings.
const LONGEST_HEADING: usize = 160;

#[derive(Debug)]
struct PageLines {
    width: f32,
    height: f32,
    lines: Vec<Line>,
}

impl PageLines {
    fn is_slide(&self) -> bool {
        self.width > self.height
    }
}

/// All pages of a document.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pages: Vec<PageLines>,
    notes: Vec<(NoteKind, String, Option<Locator>)>,
}

/// What a page reads as, part by part.
enum Part<'a> {
    Paragraph(&'a [Line]),
    /// The rows of a table, each a list of cells.
    Table(&'a [Vec<Vec<Line>>]),
}

impl Layout {
    /// Adds the next page.
    pub(crate) fn add_page(&mut self, width: f32, height: f32, glyphs: Vec<Glyph>) {
        let read = lines::lines(glyphs);
        let place = Locator::Page(self.pages.len() as u32 + 1);
        for _ in 0..read.references {
            self.notes.push((NoteKind::ReferenceMark, String::new(), None));
        }
        for _ in 0..read.unreadable {
            self.note(NoteKind::UnreadableSign, "", &place);
        }
        self.pages.push(PageLines { width, height, lines: read.lines });
    }

    /// Notes something about a page.
    pub(crate) fn note(&mut self, kind: NoteKind, detail: &str, place: &Locator) {
        self.notes.push((kind, detail.to_owned(), Some(place.clone())));
    }

    /// The document.
    pub(crate) fn finish(mut self, budget: &Budget) -> Result<Extracted, ExtractError> {
        let all = self.body_size();
        let dropped = heads::drop_running_heads(&mut self.pages, all * HEADING_RATIO);
        // Of some decks the running heads are most of the text.
        let body = self.body_size();
        let mut writer = Writer {
            out: Builder::new(budget),
            heading: Arc::default(),
            body,
            vocabulary: hyphens::vocabulary(self.pages.iter().flat_map(|page| &page.lines)),
        };
        for (kind, detail, place) in &self.notes {
            writer.out.note(*kind, detail, place.as_ref());
        }
        for words in &dropped {
            writer.out.note(NoteKind::RunningHead, words, None);
        }
        let mut silent = Vec::new();
        let pages = self.pages.len();
        for (index, page) in self.pages.into_iter().enumerate() {
            let number = index as u32 + 1;
            if page.is_slide() {
                // A slide begins anew; an article's section goes on.
                writer.heading = Arc::default();
            }
            let before = writer.out.document().blocks.len();
            writer.page(page, number)?;
            if writer.out.document().blocks.len() == before {
                silent.push(number);
            }
        }
        writer.out.document().pages = pages as u32;
        if silent.len() < pages {
            for number in silent {
                writer.out.note(NoteKind::SilentPage, "", Some(&Locator::Page(number)));
            }
        }
        Ok(writer.out.finish())
    }

    /// The size of most of the text.
    fn body_size(&self) -> f32 {
        let mut sizes: HashMap<u32, usize> = HashMap::new();
        for line in self.pages.iter().flat_map(|page| &page.lines) {
            // In steps of half a point.
            *sizes.entry((line.size * 2.0).round() as u32).or_default() += line.chars();
        }
        sizes
            .into_iter()
            .max_by_key(|&(size, chars)| (chars, size))
            .map_or(0.0, |(size, _)| size as f32 / 2.0)
    }
}

/// Lines to paragraphs: lines of one size, one below the other and under each other.
fn paragraphs(lines: &[Line]) -> impl Iterator<Item = Part<'_>> {
    lines.chunk_by(belongs).map(Part::Paragraph)
}

/// The parts of a page in reading order; on a slide the title first, which many programs draw last.
fn parts<'a>((width, height): (f32, f32), units: &'a [Unit], body: f32) -> Vec<Part<'a>> {
    let mut ordered: Vec<Part<'a>> = Vec::new();
    for unit in units {
        match unit {
            Unit::Text(lines) => ordered.extend(paragraphs(lines)),
            Unit::Table(rows) => ordered.push(Part::Table(rows)),
        }
    }
    if width <= height {
        return ordered;
    }
    let size = |lines: &[Line]| lines.iter().map(|line| line.size).fold(0.0, f32::max);
    let titles = ordered.iter().enumerate().filter_map(|(place, part)| match part {
        Part::Paragraph(lines) => {
            let at_top = lines.first().is_some_and(|line| line.baseline < height * TITLE_BAND);
            (at_top && size(lines) >= body * HEADING_RATIO).then(|| (place, size(lines)))
        }
        Part::Table(_) => None,
    });
    let largest = titles.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i))).map(|(place, _)| place);
    if let Some(place) = largest {
        let title = ordered.remove(place);
        ordered.insert(0, title);
    }
    ordered
}

fn belongs(above: &Line, below: &Line) -> bool {
    let size = above.size.max(below.size);
    let down = below.baseline - above.baseline;
    let same_size = (above.size - below.size).abs() < 0.15 * size;
    let under = below.x() < above.end() && above.x() < below.end().max(below.x() + size);
    let item = below.words.first().is_some_and(|word| is_bullet(&word.text));
    let turned = above.angle != below.angle;
    same_size && under && !item && !turned && down > 0.3 * size && down < LEADING * size
}

fn is_bullet(word: &str) -> bool {
    matches!(
        word,
        "•" | "◦"
            | "▪"
            | "▫"
            | "–"
            | "—"
            | "-"
            | "*"
            | "○"
            | "●"
            | "■"
            | "□"
            | "o"
            | "»"
            | "›"
            | "→"
            | "➢"
            | "✓"
    ) || word
        .strip_suffix(['.', ')'])
        .is_some_and(|number| number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A text that is put together from lines, and where each of its words is drawn.
#[derive(Default)]
struct Text<'a> {
    text: String,
    places: Vec<(usize, usize, &'a Line, &'a Word)>,
}

impl<'a> Text<'a> {
    /// Adds a line; a word that was divided at the end of the line before is one word again.
    fn add(&mut self, line: &'a Line, vocabulary: &HashSet<String>) {
        let next = line.words.first().map_or("", |word| word.text.as_str());
        let joint = hyphens::joint(&self.text, next, vocabulary);
        if joint == hyphens::Joint::Divided {
            self.text.pop();
            if let Some((_, end, ..)) = self.places.last_mut() {
                *end = self.text.len().min(*end);
            }
        }
        for (position, word) in line.words.iter().enumerate() {
            if !self.text.is_empty() && (position > 0 || joint == hyphens::Joint::Apart) {
                self.text.push(' ');
            }
            let start = self.text.len();
            self.text.push_str(&word.text);
            self.places.push((start, self.text.len(), line, word));
        }
    }
}

struct Writer {
    out: Builder,
    heading: Arc<str>,
    body: f32,
    /// The words of the document, to tell divided words from compounds.
    vocabulary: HashSet<String>,
}

impl Writer {
    fn page(&mut self, page: PageLines, number: u32) -> Result<(), ExtractError> {
        let size = (page.width, page.height);
        let units = grid::units(page.lines);
        for part in parts(size, &units, self.body) {
            match part {
                Part::Paragraph(lines) => self.paragraph(size, number, lines)?,
                Part::Table(rows) => self.table(size, number, rows)?,
            }
        }
        Ok(())
    }

    fn paragraph(&mut self, page: (f32, f32), number: u32, lines: &[Line]) -> Result<(), ExtractError> {
        let mut text = Text::default();
        for line in lines {
            text.add(line, &self.vocabulary);
        }
        let size = lines.iter().map(|line| line.size).fold(0.0, f32::max);
        let is_heading = size >= self.body * HEADING_RATIO
            && text.text.chars().count() <= LONGEST_HEADING
            && text.text.replace(SIGN, "").chars().any(char::is_alphabetic);
        if is_heading {
            if self.out.document().title.is_none() {
                self.out.document().title = Some(super::fold(&text.text));
            }
            self.heading = shared(&super::fold(&text.text));
        }
        // A heading heads itself too, so that it stays with what follows it.
        let heading = Arc::clone(&self.heading);
        self.write(page, number, &text, &heading)
    }

    /// Every row is a block of its own, below the row that names its columns.
    fn table(&mut self, page: (f32, f32), number: u32, rows: &[Vec<Vec<Line>>]) -> Result<(), ExtractError> {
        let mut heading = Arc::clone(&self.heading);
        let mut columns = String::new();
        for (at, row) in rows.iter().enumerate() {
            let mut text = Text::default();
            if let [first, others @ ..] = &row[..]
                && others.iter().all(Vec::is_empty)
            {
                // A name across the table: its rows are below it.
                for line in first {
                    text.add(line, &self.vocabulary);
                }
                self.write(page, number, &text, &heading_of_rows(&self.heading, &columns))?;
                let above = [&*self.heading, text.text.as_str()].into_iter().filter(|part| !part.is_empty());
                heading = heading_of_rows(&above.collect::<Vec<_>>().join(", "), &columns);
                continue;
            }
            for (column, cell) in row.iter().enumerate() {
                if column > 0 {
                    text.text.push_str(" |");
                }
                for line in cell {
                    text.add(line, &self.vocabulary);
                }
            }
            self.write(page, number, &text, &heading)?;
            let names_columns = at == 0 && row.iter().all(|cell| !cell.is_empty() && !is_value(cell));
            if names_columns {
                columns = text.text;
                heading = heading_of_rows(&self.heading, &columns);
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        (width, height): (f32, f32),
        number: u32,
        text: &Text<'_>,
        heading: &Arc<str>,
    ) -> Result<(), ExtractError> {
        // White space was folded while joining, so that offsets are those of the words.
        let Some(base) = self.out.push_verbatim(&text.text, heading, Locator::Page(number))? else {
            return Ok(());
        };
        self.out.add_boxes(text.places.iter().filter(|(start, end, ..)| start < end).map(
            |&(start, end, line, word)| {
                let (left, top, right, bottom) = line.place(word);
                WordBox {
                    page: number,
                    start: (base + start) as u64,
                    end: (base + end) as u64,
                    x: left / width,
                    y: top / height,
                    width: (right - left) / width,
                    height: (bottom - top) / height,
                }
            },
        ))
    }
}

/// Whether a cell says a value rather than a name.
fn is_value(cell: &[Line]) -> bool {
    let first = cell.first().and_then(|line| line.words.first());
    first.is_some_and(|word| {
        word.text
            .trim_start_matches(['<', '>', '≤', '≥', '~', '±', '-', '−'])
            .starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
