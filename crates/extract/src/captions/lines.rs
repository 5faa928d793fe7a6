//! From lines to captions: the parsers of WebVTT (W3C, "WebVTT parser algorithm") and of SRT.

use super::{Found, RawCue};

const ARROW: &str = "-->";

/// Reads WebVTT. Blocks end at an empty line or before a line with an arrow, as in browsers.
pub(super) fn webvtt(text: &str) -> Vec<Found> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let mut found = Vec::new();
    let mut at = 0;
    if lines.first().is_some_and(|first| first.starts_with("WEBVTT")) {
        // The header goes on to the first empty line, or to the first caption.
        at = 1;
        while at < lines.len() && !lines[at].is_empty() && !lines[at].contains(ARROW) {
            at += 1;
        }
    }
    // A line of spaces ends no block by the rules, but people mean one by it where a time follows.
    for line in &mut lines {
        if line.contains(ARROW) {
            *line = line.trim();
        }
    }
    while at < lines.len() {
        let (next, block) = webvtt_block(&lines, at);
        found.extend(block);
        at = next;
    }
    found
}

/// One block from `start` on: where the next one begins, and what this one is.
fn webvtt_block(lines: &[&str], start: usize) -> (usize, Option<Found>) {
    let mut cue: Option<RawCue> = None;
    let mut seen_arrow = false;
    let mut buffer: Vec<&str> = Vec::new();
    let mut at = start;
    while let Some(&line) = lines.get(at) {
        let number = at - start;
        if line.contains(ARROW) {
            if seen_arrow || number > 1 {
                break;
            }
            seen_arrow = true;
            // What stood before it was its identifier.
            buffer.clear();
            cue = timing(line, webvtt_time)
                .filter(|(start_ms, end_ms)| start_ms <= end_ms)
                .map(|(start_ms, end_ms)| RawCue { start_ms, end_ms, lines: Vec::new() });
        } else if line.is_empty() {
            at += 1;
            break;
        } else {
            buffer.push(line);
        }
        at += 1;
    }
    let words = || buffer.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned();
    let block = match cue {
        Some(cue) => {
            Some(Found::Cue(RawCue { lines: buffer.iter().map(|&line| line.to_owned()).collect(), ..cue }))
        }
        None if seen_arrow => Some(Found::Bad(words())),
        None if is_definition(&buffer) || words().is_empty() => None,
        None => Some(Found::Bad(words())),
    };
    (at, block)
}

/// Comments, styles and regions.
fn is_definition(block: &[&str]) -> bool {
    let Some(first) = block.first() else { return true };
    ["NOTE", "STYLE", "REGION"].into_iter().any(|word| {
        first.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', ':']))
    })
}

/// The times of a line; WebVTT puts settings behind the end.
fn timing(line: &str, time: impl Fn(&str) -> Option<i64>) -> Option<(i64, i64)> {
    let (start, rest) = line.split_once(ARROW)?;
    let end = rest.split_whitespace().next()?;
    Some((time(start.trim())?, time(end)?))
}

/// `[h…h:]mm:ss.mmm` of WebVTT.
fn webvtt_time(text: &str) -> Option<i64> {
    let (clock, millis) = text.split_once('.')?;
    if millis.len() != 3 {
        return None;
    }
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => ("0", minutes, seconds),
        [hours, minutes, seconds] if !hours.is_empty() => (hours, minutes, seconds),
        _ => return None,
    };
    if minutes.len() != 2 || seconds.len() != 2 {
        return None;
    }
    milliseconds(digits(hours)?, digits(minutes)?, digits(seconds)?, digits(millis)?)
}

/// `h…h:mm:ss,mmm` of SRT, as programs write it: hours with any number of digits or none, a stop for the comma, and a
/// fraction of one to three digits or none.
fn srt_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once([',', '.']).unwrap_or((text, "0"));
    if !(1..=3).contains(&fraction.len()) {
        return None;
    }
    let parts: Vec<&str> = clock.split(':').map(str::trim).collect();
    let (hours, minutes, seconds) = match parts[..] {
        [minutes, seconds] => ("0", minutes, seconds),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    if minutes.len() > 2 || seconds.len() > 2 {
        return None;
    }
    let scale = [100, 10, 1][fraction.len() - 1];
    milliseconds(digits(hours)?, digits(minutes)?, digits(seconds)?, digits(fraction)? * scale)
}

fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn milliseconds(hours: i64, minutes: i64, seconds: i64, millis: i64) -> Option<i64> {
    (minutes < 60 && seconds < 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

/// Whether a line of SRT stands where times stand: it has an arrow, and a number or nothing before it.
fn is_timing(line: &str) -> bool {
    line.split_once(ARROW).is_some_and(|(before, _)| {
        before.trim().chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | ',' | '.' | ' ' | '-'))
    })
}

/// Reads SRT. A caption goes on to the next times, so that an empty line inside it cuts nothing off.
pub(super) fn srt(text: &str) -> Vec<Found> {
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    let times: Vec<usize> = (0..lines.len()).filter(|&at| is_timing(lines[at])).collect();
    let mut found = Vec::new();
    let mut number: Option<u64> = None;
    // What stands before the first times is its number, or belongs to no caption.
    let first = times.first().copied().unwrap_or(lines.len());
    let (before, counter) = without_counter(&lines[..first], None);
    if let Some(stray) = words(before) {
        found.push(Found::Bad(stray));
    }
    number = counter.or(number);
    for (index, &at) in times.iter().enumerate() {
        let last = index + 1 == times.len();
        let end = times.get(index + 1).copied().unwrap_or(lines.len());
        let inside = &lines[at + 1..end];
        let (inside, counter) = if last { (inside, None) } else { without_counter(inside, number) };
        let text: Vec<String> =
            inside.iter().filter(|line| !line.is_empty()).map(|&line| line.to_owned()).collect();
        let cue = timing(lines[at], srt_time).filter(|(start_ms, end_ms)| start_ms <= end_ms);
        found.push(match cue {
            Some((start_ms, end_ms)) => Found::Cue(RawCue { start_ms, end_ms, lines: text }),
            None => Found::Bad(text.join(" ")),
        });
        number = counter;
    }
    found
}

fn words(lines: &[&str]) -> Option<String> {
    let words = lines.iter().copied().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    // A `WEBVTT` above SRT is a header that its author kept.
    (!words.is_empty() && !words.starts_with("WEBVTT")).then_some(words)
}

/// The lines without the number of the caption that follows them, and that number.
///
/// A last line of digits is that number where an empty line or nothing stands before it, or where it counts on from
/// `before`; otherwise it is something that was said.
fn without_counter<'a, 'b>(lines: &'a [&'b str], before: Option<u64>) -> (&'a [&'b str], Option<u64>) {
    let Some((last, rest)) = lines.split_last() else { return (lines, None) };
    let Ok(counter) = last.parse::<u64>() else { return (lines, None) };
    let apart = rest.last().is_none_or(|line| line.is_empty());
    let counts_on = before.is_some_and(|before| before.checked_add(1) == Some(counter));
    if apart || counts_on { (rest, Some(counter)) } else { (lines, None) }
}
