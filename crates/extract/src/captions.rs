//! WebVTT and SRT: captions with their times and speakers.

use std::sync::Arc;

use super::budget::Budget;
use super::{Builder, ExtractError, Extracted, Locator};

/// A longer silence begins a new paragraph.
const LONGEST_BREATH_MS: i64 = 2_000;

/// A caption.
#[derive(Debug, PartialEq, Eq)]
struct Cue {
    start_ms: i64,
    end_ms: i64,
    speaker: String,
    text: String,
}

pub(crate) fn extract(text: &str, budget: &Budget) -> Result<Extracted, ExtractError> {
    let normalized = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut builder = Builder::new(budget);
    let no_heading = Arc::default();
    let mut cues = 0_usize;
    let mut before: Option<Cue> = None;
    for group in normalized.split("\n\n") {
        let Some(cue) = cue(group)? else { continue };
        cues += 1;
        let locator =
            Locator::Time { start_ms: cue.start_ms, end_ms: cue.end_ms, speaker: cue.speaker.clone() };
        if before.as_ref().is_some_and(|before| goes_on(before, &cue)) {
            builder.append(&cue.text, locator)?;
        } else {
            builder.push(&cue.text, &no_heading, locator)?;
        }
        before = Some(cue);
    }
    if cues == 0 {
        return Err(ExtractError::Malformed("it has no captions with times".into()));
    }
    Ok(builder.finish())
}

/// Captions cut sentences where the screen is full: the same speaker going on is the same paragraph.
fn goes_on(before: &Cue, cue: &Cue) -> bool {
    before.speaker == cue.speaker && cue.start_ms - before.end_ms < LONGEST_BREATH_MS
}

/// Reads one group of lines: headers, notes and styles are no captions.
fn cue(group: &str) -> Result<Option<Cue>, ExtractError> {
    let mut lines = group.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let Some(first) = lines.peek() else { return Ok(None) };
    let is_block = |word: &str| {
        first.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', ':']))
    };
    if ["WEBVTT", "NOTE", "STYLE", "REGION"].into_iter().any(is_block) {
        return Ok(None);
    }
    // An identifier may stand before the times.
    let timing = loop {
        match lines.next() {
            Some(line) if line.contains("-->") => break line,
            Some(_) => {}
            None => return Ok(None),
        }
    };
    let bad = || ExtractError::Malformed(format!("the caption times {timing:?} cannot be read"));
    let (start, rest) = timing.split_once("-->").ok_or_else(bad)?;
    // WebVTT puts settings behind the end.
    let end = rest.split_whitespace().next().ok_or_else(bad)?;
    let (start_ms, end_ms) = (time(start.trim()).ok_or_else(bad)?, time(end).ok_or_else(bad)?);
    if end_ms < start_ms {
        return Err(bad());
    }
    let (speaker, text) = spoken(&lines.collect::<Vec<_>>().join(" "));
    Ok(Some(Cue { start_ms, end_ms, speaker, text }))
}

/// `[hh:]mm:ss.mmm`, with a comma in SRT.
fn time(text: &str) -> Option<i64> {
    let (clock, millis) = text.split_once(['.', ','])?;
    if millis.len() != 3 {
        return None;
    }
    let mut seconds = 0_i64;
    for part in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse::<u32>().ok()?.into())?;
    }
    seconds.checked_mul(1000)?.checked_add(millis.parse::<u32>().ok()?.into())
}

/// Takes tags out of a caption and the speaker out of its voice tag or of a leading `NAME:`.
fn spoken(text: &str) -> (String, String) {
    let mut speaker = String::new();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(length) = rest[open..].find('>') else { break };
        plain.push_str(&rest[..open]);
        let tag = &rest[open + 1..open + length];
        if let Some(name) =
            tag.strip_prefix('v').and_then(|tag| tag.split_once(' ')).map(|(_, name)| name.trim())
            && speaker.is_empty()
        {
            name.clone_into(&mut speaker);
        }
        rest = &rest[open + length + 1..];
    }
    plain.push_str(rest);
    let plain = plain.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ");
    if speaker.is_empty()
        && let Some((name, said)) = plain.split_once(": ")
        && is_name(name)
    {
        return (name.trim().to_owned(), said.to_owned());
    }
    (speaker, plain)
}

/// Whether the words before a colon name a speaker: `DR ADA LEE:` or `>> Moderator:`, and not the start of a sentence.
fn is_name(text: &str) -> bool {
    let name = text.trim_start_matches(['>', '-', ' ']);
    let marked = name.len() < text.len();
    let capitals = name.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
    !name.is_empty() && name.split_whitespace().count() <= 4 && (capitals || marked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::budget;

    fn cues(text: &str) -> Vec<(String, Locator)> {
        let extracted = extract(text, &budget()).expect("captions");
        extracted
            .blocks
            .iter()
            .map(|block| (extracted.text[block.range.clone()].to_owned(), block.locator.clone()))
            .collect()
    }

    fn at(start_ms: i64, end_ms: i64, speaker: &str) -> Locator {
        Locator::Time { start_ms, end_ms, speaker: speaker.into() }
    }

    #[test]
    fn webvtt_with_voices_settings_and_notes() {
        let text = "WEBVTT - a title\n\nNOTE nothing\n\nintro\n00:02.500 --> 00:04.000 align:start\n<v Dr. Lee>Take <i>two</i> &amp; call.\n\n\
                    01:00:00.000 --> 01:00:01.250\nplain";
        assert_eq!(
            cues(text),
            [
                ("Take two & call.".into(), at(2500, 4000, "Dr. Lee")),
                ("plain".into(), at(3_600_000, 3_601_250, ""))
            ]
        );
    }

    #[test]
    fn srt_with_commas_and_names() {
        let text = "1\r\n00:00:01,000 --> 00:00:02,000\r\nDR LEE: Good morning.\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nNote this: eat.";
        assert_eq!(
            cues(text),
            [
                ("Good morning.".into(), at(1000, 2000, "DR LEE")),
                ("Note this: eat.".into(), at(3000, 4000, ""))
            ]
        );
    }

    #[test]
    fn broken_times_are_an_error() {
        for timing in ["00:01 --> 00:02.000", "x --> y", "00:05.000 --> 00:01.000", "00:00.000 -->"] {
            assert!(extract(&format!("WEBVTT\n\n{timing}\ntext"), &budget()).is_err(), "{timing}");
        }
        assert!(extract("WEBVTT\n\nNOTE only", &budget()).is_err());
    }
}
