//! Captions that roll: the screen keeps lines that were read already, and what is new comes below them.

use super::{RawCue, Said};

/// Captions further apart do not roll into each other.
const LONGEST_GAP_MS: i64 = 100;
/// Words that a line must share with the one before it to be the same line going on.
const FEWEST_WORDS: usize = 3;

/// Lines that a screen shows at once.
const MOST_LINES: usize = 8;

/// What every caption says that the one before it did not.
pub(super) fn news(cues: &[&RawCue], lines: &[Vec<Vec<Said>>]) -> Vec<Vec<Said>> {
    let mut shown: &[Vec<Said>] = &[];
    let mut shown_end = i64::MIN;
    let mut all = Vec::with_capacity(cues.len());
    for (cue, lines) in cues.iter().zip(lines) {
        let rolls = cue.start_ms.saturating_sub(shown_end) <= LONGEST_GAP_MS
            && cue.start_ms.saturating_sub(shown_end) >= -LONGEST_GAP_MS * 100;
        let kept = if rolls { kept(shown, lines) } else { 0 };
        let mut new: Vec<Said> = join(&lines[kept..]);
        if rolls
            && kept == 0
            && let (Some(before), Some(first)) = (shown.last().and_then(|line| line.last()), new.first_mut())
            && let Some(rest) = goes_on(before, first)
        {
            first.text = rest;
        }
        new.retain(|said| !said.text.is_empty());
        all.push(new);
        if !lines.is_empty() {
            (shown, shown_end) = (lines, cue.end_ms);
        }
    }
    all
}

/// How many lines at the top were at the bottom before.
fn kept(before: &[Vec<Said>], lines: &[Vec<Said>]) -> usize {
    let most = before.len().min(lines.len()).min(MOST_LINES);
    (1..=most).rev().find(|&count| before[before.len() - count..] == lines[..count]).unwrap_or(0)
}

/// What a line says beyond the line before it, where it is that line painted further.
fn goes_on(before: &Said, line: &Said) -> Option<String> {
    let rest = line.text.strip_prefix(before.text.as_str())?;
    let words = before.text.split_whitespace().count();
    (before.speaker == line.speaker && words >= FEWEST_WORDS && rest.starts_with(' '))
        .then(|| rest.trim_start().to_owned())
}

/// The lines of a caption as what each voice says.
fn join(lines: &[Vec<Said>]) -> Vec<Said> {
    let mut joined: Vec<Said> = Vec::new();
    for said in lines.iter().flatten() {
        match joined.last_mut() {
            Some(before) if before.speaker == said.speaker => {
                before.text.push(' ');
                before.text.push_str(&said.text);
            }
            _ => joined.push(said.clone()),
        }
    }
    joined
}
