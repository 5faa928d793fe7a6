//! Blocks to passages: the smallest units of retrieval.
//!
//! Neighboring blocks of one place (a section, a page, a slide, a stretch of talk) form a run. A short run is one
//! passage; a long one is cut between sentences into windows of about equal length, so that each fits the embedding
//! model and says one thing. A passage keeps its heading and its locator, and it is a byte range of the extracted text.

use std::ops::Range;
use std::sync::Arc;

use super::sentences::sentences;
use super::{Block, Budget, ExtractError, Extracted, Locator};

/// The length that windows aim at, in words. Measured in docs/adr/0005-search-and-refusals.md.
const AIM: usize = 110;
/// Runs up to this many words stay whole.
const LONGEST: usize = 160;
/// A window of speech is shorter: its citation opens a moment.
const AIM_OF_SPEECH: usize = 70;
const LONGEST_OF_SPEECH: usize = 100;
/// A single sentence longer than this is cut between words.
const LONGEST_SENTENCE: usize = 200;
const CUT_SENTENCE: usize = 150;

/// A run of text with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Bytes of the extracted text.
    pub range: Range<usize>,
    /// The nearest heading above it.
    pub heading: Arc<str>,
    /// Where it is.
    pub locator: Locator,
    /// Sentences, in bytes from the passage's start.
    pub sentences: Vec<Range<usize>>,
    /// For speech: who says what when, in bytes from the passage's start.
    pub cues: Vec<Cue>,
}

/// A caption inside a passage.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cue {
    /// Where it begins, in bytes of the passage.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// When it begins, in milliseconds from the start of the recording.
    pub start_ms: i64,
    /// When it ends.
    pub end_ms: i64,
    /// Who speaks; empty where the file does not say.
    pub speaker: String,
}

/// What a passage costs besides what it repeats of its place.
const PASSAGE: usize = 200;

/// Cuts a document into passages, as far as `budget` goes: every passage is stored with its heading and its place.
pub fn passages(document: &Extracted, budget: &Budget) -> Result<Vec<Passage>, ExtractError> {
    let mut passages = Vec::new();
    for run in document.blocks.chunk_by(same_run) {
        let cut = cut(&document.text, run);
        if passages.len() + cut.len() > budget.most_passages() {
            return Err(ExtractError::TooCostly);
        }
        for passage in &cut {
            budget.keep(PASSAGE + passage.heading.len() + length(&passage.locator))?;
        }
        passages.extend(cut);
    }
    Ok(passages)
}

/// Bytes of a place as it is stored.
fn length(locator: &Locator) -> usize {
    match locator {
        Locator::Section(path) => path.iter().map(|heading| heading.len()).sum(),
        Locator::Time { speaker, .. } => speaker.len(),
        Locator::Page(_) | Locator::Slide { .. } => 0,
    }
}

/// Whether two neighboring blocks belong to one run.
fn same_run(a: &Block, b: &Block) -> bool {
    match (&a.locator, &b.locator) {
        (Locator::Time { .. }, Locator::Time { .. }) => true,
        (Locator::Slide { number: x, notes: m }, Locator::Slide { number: y, notes: n }) => {
            x == y && m == n && a.heading == b.heading
        }
        (one, other) => one == other && a.heading == b.heading,
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn cut(text: &str, run: &[Block]) -> Vec<Passage> {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return Vec::new() };
    let whole = first.range.start..last.range.end;
    let is_speech = matches!(first.locator, Locator::Time { .. });
    let (aim, longest) = if is_speech { (AIM_OF_SPEECH, LONGEST_OF_SPEECH) } else { (AIM, LONGEST) };
    windows(&text[whole.clone()], aim, longest)
        .into_iter()
        .map(|window| passage(text, whole.start + window.start..whole.start + window.end, run))
        .collect()
}

fn passage(text: &str, range: Range<usize>, run: &[Block]) -> Passage {
    // Blocks lie in order and none inside another: those of the window stand side by side.
    let first = run.partition_point(|block| block.range.end <= range.start);
    let last = run.partition_point(|block| block.range.start < range.end);
    let inside = &run[first.min(last)..last];
    let first = inside.first().unwrap_or(&run[0]);
    let cues: Vec<Cue> = inside.iter().filter_map(|block| cue(block, &range)).collect();
    let locator = match (cues.iter().map(|cue| cue.start_ms).min(), cues.iter().map(|cue| cue.end_ms).max()) {
        (Some(start_ms), Some(end_ms)) => Locator::Time { start_ms, end_ms, speaker: common_speaker(&cues) },
        _ => first.locator.clone(),
    };
    Passage {
        sentences: sentences(&text[range.clone()]),
        range,
        heading: Arc::clone(&first.heading),
        locator,
        cues,
    }
}

fn cue(block: &Block, range: &Range<usize>) -> Option<Cue> {
    let Locator::Time { start_ms, end_ms, speaker } = &block.locator else { return None };
    let start = block.range.start.max(range.start) - range.start;
    let end = block.range.end.min(range.end) - range.start;
    Some(Cue {
        start: start as u32,
        end: end as u32,
        start_ms: *start_ms,
        end_ms: *end_ms,
        speaker: speaker.clone(),
    })
}

/// The speaker of all cues, or no one when there are several.
fn common_speaker(cues: &[Cue]) -> String {
    match cues.split_first() {
        Some((first, rest)) if rest.iter().all(|cue| cue.speaker == first.speaker) => first.speaker.clone(),
        _ => String::new(),
    }
}

/// Windows of about `aim` words that begin and end with sentences; runs up to `longest` words stay whole.
fn windows(text: &str, aim: usize, longest: usize) -> Vec<Range<usize>> {
    let sentences = sentences(text);
    let (Some(first), Some(last)) = (sentences.first(), sentences.last()) else { return Vec::new() };
    let total: usize = sentences.iter().map(|sentence| words(&text[sentence.clone()])).sum();
    if total <= longest {
        return vec![first.start..last.end];
    }
    let goal = total as f64 / total.div_ceil(aim) as f64;
    let mut windows: Vec<Range<usize>> = Vec::new();
    let mut open: Option<(Range<usize>, f64)> = None;
    for sentence in sentences {
        let length = words(&text[sentence.clone()]) as f64;
        open = match open {
            Some((window, so_far)) if so_far + length / 2.0 <= goal => {
                Some((window.start..sentence.end, so_far + length))
            }
            full => {
                windows.extend(full.map(|(window, _)| window));
                Some((sentence, length))
            }
        };
    }
    windows.extend(open.map(|(window, _)| window));
    windows.into_iter().flat_map(|window| cut_monster(text, window)).collect()
}

/// Cuts a window that no sentence divides, between words.
fn cut_monster(text: &str, window: Range<usize>) -> Vec<Range<usize>> {
    let inside = &text[window.clone()];
    let places: Vec<Range<usize>> = inside
        .split_whitespace()
        .map(|word| {
            // A word of `split_whitespace` is a slice of `inside`.
            let start = window.start + (word.as_ptr() as usize - inside.as_ptr() as usize);
            start..start + word.len()
        })
        .collect();
    if places.len() <= LONGEST_SENTENCE {
        return vec![window];
    }
    places.chunks(CUT_SENTENCE).filter_map(|words| Some(words.first()?.start..words.last()?.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;
    use crate::tests::{budget, path};

    fn section(name: &str) -> Locator {
        Locator::Section(path(&[name]))
    }

    fn document(blocks: &[(&str, &str, Locator)]) -> Extracted {
        let mut builder = Builder::new(&budget());
        for (text, heading, locator) in blocks {
            builder.push(text, &Arc::from(*heading), locator.clone()).expect("within the budget");
        }
        builder.finish()
    }

    fn passages(document: &Extracted) -> Vec<Passage> {
        super::passages(document, &budget()).expect("within the budget")
    }

    #[test]
    fn a_short_section_is_one_passage_with_its_heading() {
        let document = document(&[
            ("First paragraph. It goes on.", "Dosing", section("Dosing")),
            ("Second paragraph.", "Dosing", section("Dosing")),
            ("Elsewhere.", "Other", section("Other")),
        ]);
        let passages = passages(&document);
        assert_eq!(passages.len(), 2);
        let first = &passages[0];
        assert_eq!(&document.text[first.range.clone()], "First paragraph. It goes on.\n\nSecond paragraph.");
        assert_eq!((&*first.heading, first.sentences.len()), ("Dosing", 3));
        let text = &document.text[first.range.clone()];
        assert_eq!(&text[first.sentences[2].clone()], "Second paragraph.");
    }

    #[test]
    fn a_long_section_is_cut_between_sentences_into_even_windows() {
        let text: String =
            (0..60).map(|number| format!("Sentence number {number} has seven words. ")).collect();
        let document = document(&[(&text, "Long", section("Long"))]);
        let passages = passages(&document);
        let lengths: Vec<_> =
            passages.iter().map(|passage| words(&document.text[passage.range.clone()])).collect();
        assert!(lengths.iter().all(|&length| (80..=LONGEST).contains(&length)), "{lengths:?}");
        assert!(passages.iter().all(|passage| document.text[passage.range.clone()].ends_with("words.")));
    }

    #[test]
    fn a_monster_is_cut_between_words() {
        let document = document(&[(&"word ".repeat(500), "", section("x"))]);
        assert_eq!(
            passages(&document).iter().map(|p| words(&document.text[p.range.clone()])).collect::<Vec<_>>(),
            [150, 150, 150, 50]
        );
    }

    #[test]
    fn speech_keeps_its_moments() {
        let mut builder = Builder::new(&budget());
        for second in 0..40 {
            let speaker = if second < 20 { "Ann" } else { "Bob" };
            let locator = Locator::Time {
                start_ms: second * 1000,
                end_ms: second * 1000 + 900,
                speaker: speaker.into(),
            };
            builder
                .push(&format!("At {second} something is said."), &Arc::default(), locator)
                .expect("within the budget");
        }
        let document = builder.finish();
        let passages = passages(&document);
        assert!(passages.len() >= 2);
        let first = &passages[0];
        assert_eq!(
            first.locator,
            Locator::Time {
                start_ms: 0,
                end_ms: first.cues.last().expect("cues").end_ms,
                speaker: "Ann".into()
            }
        );
        let text = &document.text[first.range.clone()];
        let cue = &first.cues[3];
        assert_eq!(&text[cue.start as usize..cue.end as usize], "At 3 something is said.");
        assert_eq!(cue.start_ms, 3000);
    }

    #[test]
    fn a_window_has_the_place_of_the_block_that_it_begins_in() {
        let mut builder = Builder::new(&budget());
        for number in 0..400 {
            let locator = Locator::Time { start_ms: number, end_ms: number + 1, speaker: String::new() };
            builder.push(&format!("word{number}"), &Arc::default(), locator).expect("within the budget");
        }
        let document = builder.finish();
        let passages = passages(&document);
        assert!(passages.len() > 2);
        for passage in &passages {
            let text = &document.text[passage.range.clone()];
            assert_eq!(passage.cues.len(), text.split_whitespace().count(), "every block of it and no other");
            let first = text.split_whitespace().next().expect("a word").trim_start_matches("word");
            assert_eq!(passage.cues[0].start_ms.to_string(), first);
        }
    }

    #[test]
    fn more_passages_than_a_document_of_its_size_has_are_refused() {
        let small = Budget::of(&crate::Limits {
            file_bytes: 1 << 30,
            unpacked_bytes: 0,
            text_bytes: 1 << 20,
            pages: 1,
        });
        let mut builder = Builder::new(&budget());
        for number in 0..6_000 {
            let name = number.to_string();
            builder.push("x", &Arc::from(name.as_str()), section(&name)).expect("within the budget");
        }
        assert_eq!(super::passages(&builder.finish(), &small), Err(ExtractError::TooCostly));
    }
}
