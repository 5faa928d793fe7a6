//! From glyphs with places to lines, paragraphs and headings.
//!
//! Glyphs come in the order in which the page draws them, which in documents made by people is close to reading order.
//! They become words and lines by distance, lines become paragraphs by leading, and a line that is larger than the body
//! text heads what follows. Running heads and page numbers, which repeat at the same place, are left out.

use std::collections::HashMap;
use std::sync::Arc;

use super::budget::{Budget, heading as shared};
use super::{Builder, ExtractError, Extracted, Locator, WordBox};

/// A gap of this share of the size separates words.
const WORD_GAP: f32 = 0.18;
/// The upper part of a slide, in which its title stands.
const TITLE_BAND: f32 = 0.35;
/// A gap of this many sizes separates columns and cells.
const COLUMN_GAP: f32 = 2.5;
/// Lines whose baselines are this many sizes apart still belong together.
const LEADING: f32 = 1.75;
/// A heading is this much larger than the body text.
const HEADING_RATIO: f32 = 1.12;
/// Longer lines are no headings.
const LONGEST_HEADING: usize = 160;
/// The share of the page's height at its top and bottom where running heads live.
const MARGIN: f32 = 0.09;

/// A glyph, in points from the top left of its page.
#[derive(Debug, Clone)]
pub(crate) struct Glyph {
    pub(crate) text: String,
    pub(crate) x: f32,
    pub(crate) end: f32,
    pub(crate) baseline: f32,
    pub(crate) size: f32,
    /// Whether it runs from left to right.
    pub(crate) level: bool,
}

#[derive(Debug, Clone)]
struct Word {
    text: String,
    x: f32,
    end: f32,
}

#[derive(Debug, Clone)]
struct Line {
    words: Vec<Word>,
    baseline: f32,
    size: f32,
    level: bool,
}

impl Line {
    fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn x(&self) -> f32 {
        self.words.first().map_or(0.0, |word| word.x)
    }

    fn end(&self) -> f32 {
        self.words.last().map_or(0.0, |word| word.end)
    }

    fn chars(&self) -> usize {
        self.words.iter().map(|word| word.text.chars().count()).sum()
    }
}

#[derive(Debug)]
struct PageLines {
    width: f32,
    height: f32,
    lines: Vec<Line>,
}

/// All pages of a document.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pages: Vec<PageLines>,
}

impl Layout {
    /// Adds the next page.
    pub(crate) fn add_page(&mut self, width: f32, height: f32, glyphs: Vec<Glyph>) {
        self.pages.push(PageLines { width, height, lines: lines(glyphs) });
    }

    /// The document.
    pub(crate) fn finish(mut self, budget: &Budget) -> Result<Extracted, ExtractError> {
        self.drop_running_heads();
        let body = self.body_size();
        let mut out = Builder::new(budget);
        let mut heading: Arc<str> = Arc::default();
        let mut silent = Vec::new();
        for (index, page) in self.pages.iter().enumerate() {
            let number = index as u32 + 1;
            if page.width > page.height {
                // A slide begins anew; an article's section goes on.
                heading = Arc::default();
            }
            let before = out.document().blocks.len();
            for paragraph in in_reading_order(page, body) {
                add_paragraph(&mut out, &mut heading, page, number, body, paragraph)?;
            }
            if out.document().blocks.len() == before {
                silent.push(number.to_string());
            }
        }
        let document = out.document();
        document.pages = self.pages.len() as u32;
        if !silent.is_empty() && silent.len() < self.pages.len() {
            document.notes.push(format!("no text was found on page {}", silent.join(", ")));
        }
        Ok(out.finish())
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

    /// Leaves out lines that stand at the same place of most pages, numbers aside.
    fn drop_running_heads(&mut self) {
        if self.pages.len() < 4 {
            return;
        }
        let mut seen: HashMap<(String, i32), usize> = HashMap::new();
        for page in &self.pages {
            for line in page.lines.iter().filter(|line| in_margin(page, line)) {
                *seen.entry(running_key(line)).or_default() += 1;
            }
        }
        let most = self.pages.len().div_ceil(2);
        for page in &mut self.pages {
            let lines = std::mem::take(&mut page.lines);
            page.lines = lines
                .into_iter()
                .filter(|line| {
                    !in_margin(page, line) || seen.get(&running_key(line)).copied().unwrap_or(0) < most
                })
                .collect();
        }
    }
}

fn in_margin(page: &PageLines, line: &Line) -> bool {
    line.baseline < page.height * MARGIN || line.baseline > page.height * (1.0 - MARGIN)
}

fn running_key(line: &Line) -> (String, i32) {
    let text = line.text().chars().filter(|c| !c.is_ascii_digit()).collect();
    (text, (line.baseline / 6.0).round() as i32)
}

/// Glyphs to lines: a new line begins where the baseline moves or the next glyph is far away.
fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut drawn: Option<Glyph> = None;
    let mut space = false;
    for glyph in glyphs {
        let blank = glyph.text.chars().all(char::is_whitespace);
        if let Some(before) = &drawn {
            let size = before.size.max(glyph.size);
            let gap = glyph.x - before.end;
            // Bold made by drawing twice, a little apart.
            let twice = glyph.text == before.text
                && (glyph.x - before.x).abs() < 0.15 * size
                && (glyph.baseline - before.baseline).abs() < 0.15 * size;
            if twice {
                continue;
            }
            let same_line = (glyph.baseline - before.baseline).abs() < 0.45 * size
                && glyph.level == before.level
                && glyph.level;
            let backwards = gap < -0.6 * size;
            if same_line && !backwards && gap < COLUMN_GAP * size {
                space |= blank || gap > WORD_GAP * size;
                if !blank && let Some(line) = lines.last_mut() {
                    add_glyph(line, &glyph, space);
                    space = false;
                }
                if !blank || gap >= 0.0 {
                    drawn = Some(glyph);
                }
                continue;
            }
        }
        space = false;
        if !blank {
            let word = Word { text: glyph.text.clone(), x: glyph.x, end: glyph.end };
            lines.push(Line {
                words: vec![word],
                baseline: glyph.baseline,
                size: glyph.size,
                level: glyph.level,
            });
            drawn = Some(glyph);
        }
    }
    join_fragments(lines)
}

fn add_glyph(line: &mut Line, glyph: &Glyph, new_word: bool) {
    // Superscripts are smaller and must not make their line small.
    line.size = line.size.max(glyph.size);
    match line.words.last_mut() {
        Some(word) if !new_word => {
            word.text.push_str(&glyph.text);
            word.end = glyph.end.max(word.end);
        }
        _ => line.words.push(Word { text: glyph.text.clone(), x: glyph.x, end: glyph.end }),
    }
}

/// Text that runs vertically comes as one fragment per glyph: joins neighbors drawn one after the other.
fn join_fragments(lines: Vec<Line>) -> Vec<Line> {
    let mut joined: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        if let Some(before) = joined.last_mut()
            && !before.level
            && !line.level
            && (line.x() - before.x()).abs() < 0.5 * line.size
            && let (Some(word), Some(next)) = (before.words.last_mut(), line.words.first())
        {
            word.text.push_str(&next.text);
            continue;
        }
        joined.push(line);
    }
    joined
}

/// Lines to paragraphs: lines of one size, one below the other and under each other.
fn paragraphs(lines: &[Line]) -> Vec<&[Line]> {
    lines.chunk_by(belongs).collect()
}

/// The paragraphs of a page as they were drawn; on a slide the title first, which many programs draw last.
fn in_reading_order(page: &PageLines, body: f32) -> Vec<&[Line]> {
    let mut ordered = paragraphs(&page.lines);
    if page.width <= page.height {
        return ordered;
    }
    let size = |paragraph: &&[Line]| paragraph.iter().map(|line| line.size).fold(0.0, f32::max);
    let at_top =
        |paragraph: &&[Line]| paragraph.first().is_some_and(|line| line.baseline < page.height * TITLE_BAND);
    let titles = ordered
        .iter()
        .enumerate()
        .filter(|(_, paragraph)| at_top(paragraph) && size(paragraph) >= body * HEADING_RATIO);
    let largest =
        titles.max_by(|(i, a), (j, b)| size(a).total_cmp(&size(b)).then(j.cmp(i))).map(|(place, _)| place);
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
    same_size && under && !item && down > 0.3 * size && down < LEADING * size
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
            | "\u{f0b7}"
            | "\u{f0a7}"
            | "\u{f0d8}"
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

fn add_paragraph(
    out: &mut Builder,
    heading: &mut Arc<str>,
    page: &PageLines,
    number: u32,
    body: f32,
    paragraph: &[Line],
) -> Result<(), ExtractError> {
    let mut text = String::new();
    let mut places: Vec<(usize, usize, &Line, f32, f32)> = Vec::new();
    for line in paragraph {
        // A word divided at the end of a line is one word again.
        let divided = text.ends_with('-')
            && !text.ends_with(" -")
            && line.words.first().is_some_and(|word| word.text.starts_with(char::is_lowercase));
        if divided {
            text.pop();
        }
        for (position, word) in line.words.iter().enumerate() {
            if !text.is_empty() && !(divided && position == 0) {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(&word.text);
            places.push((start, text.len(), line, word.x, word.end));
        }
    }
    let size = paragraph.iter().map(|line| line.size).fold(0.0, f32::max);
    let is_heading = size >= body * HEADING_RATIO
        && text.chars().count() <= LONGEST_HEADING
        && text.chars().any(char::is_alphabetic);
    if is_heading {
        if out.document().title.is_none() {
            out.document().title = Some(super::fold(&text));
        }
        *heading = shared(&super::fold(&text));
    }
    // White space was folded while joining, so that offsets are those of the words.
    // A heading heads itself too, so that it stays with what follows it.
    let Some(base) = out.push_verbatim(&text, heading, Locator::Page(number))? else { return Ok(()) };
    out.add_boxes(places.into_iter().map(|(start, end, line, x, right)| WordBox {
        page: number,
        start: (base + start) as u64,
        end: (base + end) as u64,
        x: x / page.width,
        y: (line.baseline - line.size * 0.82) / page.height,
        width: (right - x) / page.width,
        height: line.size * 1.05 / page.height,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::budget;

    fn line(text: &str, x: f32, baseline: f32, size: f32) -> Vec<Glyph> {
        text.char_indices()
            .map(|(index, c)| {
                let x = x + index as f32 * size * 0.5;
                Glyph { text: c.to_string(), x, end: x + size * 0.5, baseline, size, level: true }
            })
            .collect()
    }

    fn page(lines: &[Vec<Glyph>]) -> Vec<Glyph> {
        lines.concat()
    }

    #[test]
    fn words_paragraphs_headings_and_boxes() {
        let mut layout = Layout::default();
        let glyphs = page(&[
            line("The heading", 50.0, 60.0, 20.0),
            line("A first line that is long enough and ends with a divi-", 50.0, 100.0, 10.0),
            line("ded word.", 50.0, 112.0, 10.0),
            line("Another paragraph.", 50.0, 150.0, 10.0),
        ]);
        layout.add_page(400.0, 600.0, glyphs);
        let extracted = layout.finish(&budget()).expect("a document");
        let blocks: Vec<_> = extracted
            .blocks
            .iter()
            .map(|block| (&extracted.text[block.range.clone()], &*block.heading))
            .collect();
        assert_eq!(
            blocks,
            [
                ("The heading", "The heading"),
                ("A first line that is long enough and ends with a divided word.", "The heading"),
                ("Another paragraph.", "The heading"),
            ]
        );
        let word = extracted
            .boxes
            .iter()
            .find(|word| &extracted.text[word.start as usize..word.end as usize] == "Another")
            .expect("a box");
        assert!(
            (word.x - 50.0 / 400.0).abs() < 1e-3
                && word.y < 150.0 / 600.0
                && word.y + word.height > 150.0 / 600.0
        );
    }

    #[test]
    fn a_slide_begins_with_its_title_even_when_that_is_drawn_last() {
        let mut layout = Layout::default();
        let glyphs = page(&[
            line("• None to declare", 60.0, 200.0, 18.0),
            line("and more of it here", 60.0, 222.0, 18.0),
            line("DISCLOSURES", 60.0, 60.0, 36.0),
        ]);
        layout.add_page(960.0, 540.0, glyphs);
        let read = layout.finish(&budget()).expect("a document");
        assert!(read.text.starts_with("DISCLOSURES"), "{}", read.text);
        assert_eq!(&*read.blocks[1].heading, "DISCLOSURES");
    }

    #[test]
    fn running_heads_are_left_out() {
        let mut layout = Layout::default();
        for number in 1..=5 {
            let text = format!("Text of page {number} itself.");
            let foot = format!("Journal of Things {number}");
            layout.add_page(
                400.0,
                600.0,
                page(&[line(&text, 50.0, 300.0, 10.0), line(&foot, 50.0, 590.0, 8.0)]),
            );
        }
        let extracted = layout.finish(&budget()).expect("a document");
        assert!(!extracted.text.contains("Journal"), "{}", extracted.text);
        assert_eq!(extracted.blocks.len(), 5);
    }

    #[test]
    fn a_page_without_text_is_noted() {
        let mut layout = Layout::default();
        layout.add_page(400.0, 600.0, line("words", 50.0, 300.0, 10.0));
        layout.add_page(400.0, 600.0, Vec::new());
        assert_eq!(layout.finish(&budget()).expect("a document").notes, ["no text was found on page 2"]);
    }
}
