//! WebVTT and SRT: captions with their times and speakers.
//!
//! Lines are read by the rules of the formats, never by where empty lines happen to be: a caption whose times are broken
//! is left out and named, and the file goes on. Captions that roll are read once.

use std::sync::Arc;

use super::budget::Budget;
use super::notes::{self, NoteKind};
use super::{Builder, ExtractError, Extracted, Locator};

mod lines;
mod names;
mod rolling;
mod spoken;

/// A longer silence begins a new paragraph.
const LONGEST_BREATH_MS: i64 = 2_000;

/// Which rules a file follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    WebVtt,
    Srt,
}

/// A caption as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RawCue {
    start_ms: i64,
    end_ms: i64,
    lines: Vec<String>,
}

/// What stands in a file, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Cue(RawCue),
    /// A caption whose times cannot be read, or a text without times: what it says.
    Bad(String),
}

/// What one voice says in a caption.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    speaker: String,
    text: String,
}

/// The paragraph at hand.
#[derive(Debug, Default)]
struct Before {
    end_ms: i64,
    speaker: String,
    /// The words that it ends with.
    text: String,
    /// The place of its last caption.
    place: Option<Locator>,
}

pub(crate) fn extract(text: &str, format: Format, budget: &Budget) -> Result<Extracted, ExtractError> {
    let normalized = text.replace("\r\n", "\n").replace('\r', "\n");
    let found = match format {
        Format::WebVtt => lines::webvtt(&normalized),
        Format::Srt => lines::srt(&normalized),
    };
    let mut writer = Writer { builder: Builder::new(budget), before: Before::default(), hole: None };
    let cues: Vec<&RawCue> = found
        .iter()
        .filter_map(|found| match found {
            Found::Cue(cue) => Some(cue),
            Found::Bad(_) => None,
        })
        .collect();
    if cues.is_empty() {
        return Err(ExtractError::Malformed("it has no captions with times that can be read".into()));
    }
    let voices = spoken::voices(&cues, format);
    let names = names::Names::of(&voices);
    let mut news = rolling::news(&cues, &voices).into_iter();
    for part in &found {
        match part {
            Found::Bad(words) => writer.bad(words),
            Found::Cue(cue) => {
                for said in news.next().unwrap_or_default() {
                    writer.push(cue, names.take(said))?;
                }
            }
        }
    }
    Ok(writer.builder.finish())
}

struct Writer {
    builder: Builder,
    before: Before,
    /// A caption that could not be read since the last one that could, and its words.
    hole: Option<String>,
}

impl Writer {
    fn bad(&mut self, words: &str) {
        self.builder.note(NoteKind::BadCaption, words, self.before.place.as_ref());
        if !words.is_empty() {
            self.hole = Some(words.to_owned());
        }
    }

    fn push(&mut self, cue: &RawCue, said: Said) -> Result<(), ExtractError> {
        let Said { speaker, text } = said;
        let locator = Locator::Time { start_ms: cue.start_ms, end_ms: cue.end_ms, speaker: speaker.clone() };
        let hole = self.hole.take();
        // Captions cut sentences where the screen is full: the same speaker going on is the same paragraph.
        let goes_on = self.before.place.is_some()
            && self.before.speaker == speaker
            && cue.start_ms - self.before.end_ms < LONGEST_BREATH_MS;
        let inside = hole.as_deref().is_some_and(|words| interrupts(&self.before.text, words));
        match self.before.place.clone() {
            Some(place) if inside => {
                self.builder.append(notes::CAPTION, place)?;
                self.builder.append(&text, locator.clone())?;
            }
            _ if goes_on && hole.is_none() => self.builder.append(&text, locator.clone())?,
            _ => {
                self.builder.push(&text, &Arc::default(), locator.clone())?;
            }
        }
        self.before = Before { end_ms: cue.end_ms, speaker, text, place: Some(locator) };
        Ok(())
    }
}

/// Whether words that could not be read stood inside a sentence: the one before them had not ended, and they are more
/// than a stray word.
fn interrupts(before: &str, words: &str) -> bool {
    let ended = before.trim_end().ends_with(['.', '!', '?', '…', '"', '”', ':']);
    !before.is_empty()
        && !ended
        && (words.trim().contains(' ') || words.contains(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
