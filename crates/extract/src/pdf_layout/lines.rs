//! From glyphs to words and lines: powers recognized, both directions of writing, whatever way the text is turned.

use std::collections::HashMap;

use super::super::inline::clean;
use super::super::notes::SIGN;
use super::super::scripts::{self, Read};

/// A gap of this share of the size separates words.
const WORD_GAP: f32 = 0.18;
/// A gap of this many sizes separates columns and cells.
const COLUMN_GAP: f32 = 2.5;

/// Ways in which the text of one page may be turned; what is turned otherwise is a drawing.
const MOST_FRAMES: usize = 32;

/// A glyph, in points from the top left of its page.
#[derive(Debug, Clone)]
pub(crate) struct Glyph {
    pub(crate) text: String,
    pub(crate) x: f32,
    /// Where it ends, along its own direction.
    pub(crate) end: f32,
    pub(crate) baseline: f32,
    pub(crate) size: f32,
    /// How it is turned, in radians; 0 for text that runs from left to right.
    pub(crate) angle: f32,
}

#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) x: f32,
    pub(super) end: f32,
}

/// A line, in a frame that is turned as its text is.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) words: Vec<Word>,
    pub(super) baseline: f32,
    pub(super) size: f32,
    pub(super) angle: f32,
    /// When it was drawn.
    pub(super) order: usize,
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn x(&self) -> f32 {
        self.words.iter().map(|word| word.x).fold(f32::INFINITY, f32::min)
    }

    pub(super) fn end(&self) -> f32 {
        self.words.iter().map(|word| word.end).fold(f32::NEG_INFINITY, f32::max)
    }

    pub(super) fn chars(&self) -> usize {
        self.words.iter().map(|word| word.text.chars().count()).sum()
    }

    /// Where a word of the line is on its page: left, top, right, bottom.
    pub(super) fn place(&self, word: &Word) -> (f32, f32, f32, f32) {
        let (top, bottom) = (self.baseline - self.size * 0.82, self.baseline + self.size * 0.23);
        if self.angle == 0.0 {
            return (word.x, top, word.end, bottom);
        }
        let (sin, cos) = self.angle.sin_cos();
        let corners = [(word.x, top), (word.end, top), (word.x, bottom), (word.end, bottom)];
        let turned = corners.map(|(x, y)| (x * cos - y * sin, x * sin + y * cos));
        let least = |of: fn(&(f32, f32)) -> f32| turned.iter().map(of).fold(f32::INFINITY, f32::min);
        let most = |of: fn(&(f32, f32)) -> f32| turned.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        (least(|corner| corner.0), least(|corner| corner.1), most(|corner| corner.0), most(|corner| corner.1))
    }
}

/// The lines of a page.
#[derive(Debug, Default)]
pub(super) struct PageText {
    pub(super) lines: Vec<Line>,
    /// Reference marks that were taken out of them.
    pub(super) references: usize,
    /// Lines of nothing but signs without a character, which were left out.
    pub(super) unreadable: usize,
}

/// A glyph in its line.
#[derive(Debug, Clone)]
struct Mark {
    glyph: Glyph,
    /// Whether a space stands to the left of it.
    space: bool,
}

/// A line whose glyphs are not words yet.
#[derive(Debug)]
struct Draft {
    marks: Vec<Mark>,
    order: usize,
    rtl: bool,
}

/// Glyphs to lines: a new line begins where the baseline moves or the next glyph is far away.
pub(super) fn lines(glyphs: Vec<Glyph>) -> PageText {
    let mut out = PageText::default();
    let mut frames: Vec<(f32, Vec<Glyph>)> = Vec::new();
    for glyph in without_doubles(glyphs) {
        // Text that is turned differently is read apart: an axis label, a watermark, a table set sideways.
        let same = frames.iter().position(|(angle, _)| (angle - glyph.angle).abs() < 0.02);
        let at = same.unwrap_or(frames.len());
        if at == MOST_FRAMES {
            out.unreadable += 1;
            continue;
        }
        if same.is_none() {
            frames.push((glyph.angle, Vec::new()));
        }
        let (angle, glyphs) = &mut frames[at];
        glyphs.push(turned(glyph, *angle));
    }
    // What runs from left to right comes first.
    frames.sort_by_key(|(angle, _)| *angle != 0.0);
    let mut order = 0;
    for (angle, glyphs) in frames {
        for mut draft in drafts(glyphs) {
            draft.order = order;
            order += 1;
            let line = draft.finish(angle, &mut out.references);
            if line.words.is_empty() {
                continue;
            }
            if line.text().replace(SIGN, "").trim().is_empty() {
                out.unreadable += 1;
            } else {
                out.lines.push(line);
            }
        }
    }
    out
}

/// A glyph in the frame of text that is turned by `angle`.
fn turned(glyph: Glyph, angle: f32) -> Glyph {
    if angle == 0.0 {
        return glyph;
    }
    let (sin, cos) = angle.sin_cos();
    let x = glyph.x * cos + glyph.baseline * sin;
    let baseline = glyph.baseline * cos - glyph.x * sin;
    Glyph { x, end: x + (glyph.end - glyph.x), baseline, ..glyph }
}

/// Bold and shadows are made by drawing twice, a little apart: every glyph once.
fn without_doubles(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    const CELL: f32 = 3.0;
    let cell = |value: f32| (value / CELL).floor() as i32;
    let mut seen: HashMap<(i32, i32), Vec<usize>> = HashMap::new();
    let mut kept: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let (column, row) = (cell(glyph.x), cell(glyph.baseline));
        let is_double = |other: &Glyph| {
            let near = 0.15 * glyph.size.max(other.size);
            other.text == glyph.text
                && (glyph.x - other.x).abs() < near
                && (glyph.baseline - other.baseline).abs() < near
        };
        let blank = glyph.text.trim().is_empty();
        let around = (-1..=1).flat_map(|x| (-1..=1).map(move |y| (x, y)));
        let double = !blank
            && around
                .filter_map(|(x, y)| seen.get(&(column.saturating_add(x), row.saturating_add(y))))
                // So many glyphs at one place are a drawing.
                .any(|numbers| numbers.iter().rev().take(16).any(|&number| is_double(&kept[number])));
        if !double {
            seen.entry((column, row)).or_default().push(kept.len());
            kept.push(glyph);
        }
    }
    kept
}

/// Letters that are written from right to left.
fn is_rtl(character: char) -> bool {
    matches!(u32::from(character), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff)
}

fn drafts(glyphs: Vec<Glyph>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut drawn: Option<Glyph> = None;
    let mut space = false;
    for glyph in glyphs {
        let blank = glyph.text.chars().all(char::is_whitespace);
        let rtl = glyph.text.chars().any(is_rtl);
        if let Some(before) = &drawn {
            let size = before.size.max(glyph.size);
            let gap = glyph.x - before.end;
            let same_line = (glyph.baseline - before.baseline).abs() < 0.45 * size;
            let onward = gap >= -0.6 * size && gap < COLUMN_GAP * size;
            // Drawn as it is written: each glyph to the left of the one before.
            let leftward = before.x - glyph.end;
            let in_rtl = rtl || drafts.last().is_some_and(|draft| draft.rtl);
            let back = in_rtl && !onward && leftward >= -0.6 * size && leftward < COLUMN_GAP * size;
            if same_line && (onward || back) {
                space |= blank || (if back { leftward } else { gap }) > WORD_GAP * size;
                if !blank && let Some(draft) = drafts.last_mut() {
                    if back && let Some(last) = draft.marks.last_mut() {
                        last.space |= space;
                    }
                    draft.rtl |= rtl;
                    draft.marks.push(Mark { glyph: glyph.clone(), space: space && !back });
                    space = false;
                }
                if !blank || back || gap >= 0.0 {
                    drawn = Some(glyph);
                }
                continue;
            }
        }
        space = false;
        if !blank {
            drafts.push(Draft { marks: vec![Mark { glyph: glyph.clone(), space: false }], order: 0, rtl });
            drawn = Some(glyph);
        }
    }
    drafts
}

/// How a glyph stands to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Normal,
    Raised,
    Lowered,
}

impl Draft {
    /// The size and baseline of the line itself: of the largest glyphs that are no few.
    fn base(&self) -> (f32, f32) {
        let mut groups: HashMap<(i32, i32), usize> = HashMap::new();
        for mark in &self.marks {
            let key = ((mark.glyph.size * 2.0).round() as i32, (mark.glyph.baseline * 2.0).round() as i32);
            *groups.entry(key).or_default() += 1;
        }
        let most = groups.iter().max_by_key(|&(key, count)| (*count, *key));
        let enough = (self.marks.len() / 5).max(1);
        let largest = groups
            .iter()
            .filter(|&(_, &count)| count >= enough)
            .max_by_key(|&(&(size, baseline), &count)| (size, count, baseline));
        let ((size, baseline), _) = largest.or(most).map_or(((0, 0), 0), |(key, count)| (*key, *count));
        (size as f32 / 2.0, baseline as f32 / 2.0)
    }

    fn finish(mut self, angle: f32, references: &mut usize) -> Line {
        let (size, baseline) = self.base();
        if self.rtl {
            self.marks.sort_by(|one, other| one.glyph.x.total_cmp(&other.glyph.x));
        }
        let script = |glyph: &Glyph| {
            let raised = baseline - glyph.baseline;
            let small = glyph.size < 0.85 * size;
            match () {
                () if raised > 0.28 * size || (small && raised > 0.1 * size) => Script::Raised,
                () if raised < -0.28 * size || (small && raised < -0.05 * size) => Script::Lowered,
                () => Script::Normal,
            }
        };
        // The size of a line is that of its capitals, whatever small ones it has.
        let normal =
            self.marks.iter().map(|mark| &mark.glyph).filter(|glyph| script(glyph) == Script::Normal);
        let largest = normal.map(|glyph| glyph.size).fold(size, f32::max);
        let mut line = Line { words: Vec::new(), baseline, size: largest.max(0.5), angle, order: self.order };
        let mut out = String::new();
        let mut words: Vec<&[Mark]> = Vec::new();
        let mut start = 0;
        for at in 1..=self.marks.len() {
            if at == self.marks.len() || self.marks[at].space {
                words.push(&self.marks[start..at]);
                start = at;
            }
        }
        for word in &words {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            let begins = out.len();
            let mut behind = 0;
            for run in word.chunk_by(|one, other| script(&one.glyph) == script(&other.glyph)) {
                behind += run.len();
                let text: String = run.iter().map(|mark| mark.glyph.text.as_str()).collect();
                let next = word.get(behind).and_then(|mark| mark.glyph.text.chars().next());
                match script(&run[0].glyph) {
                    Script::Normal => out.push_str(&clean(&text)),
                    Script::Lowered => scripts::push_subscript(&mut out, &clean(&text), next),
                    Script::Raised => {
                        let read = scripts::push_superscript(&mut out, &clean(&text), next);
                        *references += usize::from(read == Read::Reference);
                    }
                }
            }
            let text = clean(out.get(begins..).unwrap_or_default());
            let (x, end) = extent(word);
            if !text.is_empty() {
                line.words.push(Word { text, x, end });
            }
        }
        if self.rtl {
            logical(&mut line.words);
        } else if let Some(first) = line.words.first_mut()
            && is_private(&self.marks[0].glyph.text)
            && first.text == SIGN
        {
            // A sign of a font of signs at the start of a line is a bullet, whatever it looks like.
            "•".clone_into(&mut first.text);
        }
        line
    }
}

fn is_private(text: &str) -> bool {
    text.chars().all(|character| matches!(u32::from(character), 0xe000..=0xf8ff))
}

fn extent(marks: &[Mark]) -> (f32, f32) {
    let x = marks.iter().map(|mark| mark.glyph.x).fold(f32::INFINITY, f32::min);
    let end = marks.iter().map(|mark| mark.glyph.end).fold(f32::NEG_INFINITY, f32::max);
    (x, end.max(x))
}

/// Words as they lie from left to right to words as they are read from right to left. Numbers and words of other scripts
/// keep their direction.
fn logical(words: &mut [Word]) {
    words.reverse();
    for word in words.iter_mut() {
        if word.text.chars().any(is_rtl) {
            word.text = turned_word(&word.text);
        }
    }
    // A phrase of another script runs from left to right inside the line.
    let foreign = |word: &Word| word.text.chars().any(char::is_alphabetic) && !word.text.chars().any(is_rtl);
    let mut at = 0;
    while at < words.len() {
        let length = words[at..].iter().take_while(|word| foreign(word)).count();
        words[at..at + length].reverse();
        at += length.max(1);
    }
}

/// A word read from its right end, except for the numbers and Latin letters in it.
fn turned_word(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let is_left = |c: char| c.is_ascii_alphanumeric();
    let mut out = String::with_capacity(word.len());
    let mut end = letters.len();
    while end > 0 {
        if is_left(letters[end - 1]) {
            let joins = |at: usize| {
                is_left(letters[at])
                    || (at > 0
                        && at + 1 < end
                        && matches!(letters[at], '.' | ',' | '-' | '/' | '%')
                        && is_left(letters[at - 1]))
            };
            let mut start = end - 1;
            while start > 0 && joins(start - 1) {
                start -= 1;
            }
            out.extend(&letters[start..end]);
            end = start;
        } else {
            // Marks that combine with a letter stay behind it.
            let mut start = end - 1;
            while start > 0 && is_combining(letters[start]) {
                start -= 1;
            }
            out.push(mirrored(letters[start]));
            out.extend(&letters[start + 1..end]);
            end = start;
        }
    }
    out
}

fn is_combining(character: char) -> bool {
    matches!(u32::from(character), 0x591..=0x5bd | 0x5bf | 0x5c1..=0x5c2 | 0x610..=0x61a | 0x64b..=0x65f | 0x670)
}

const fn mirrored(character: char) -> char {
    match character {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        other => other,
    }
}
