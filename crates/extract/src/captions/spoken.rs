//! What is said in a caption: tags taken out, voices told apart, entities decoded once.

use super::super::inline::{clean, decode_entities};
use super::{Format, RawCue, Said};

/// The tags of WebVTT, and of SRT.
const WEBVTT_TAGS: [&str; 8] = ["c", "i", "b", "u", "ruby", "rt", "v", "lang"];
const SRT_TAGS: [&str; 6] = ["i", "b", "u", "s", "font", "c"];

/// The lines of every caption: each a list of what one voice says in it.
pub(super) fn voices(cues: &[&RawCue], format: Format) -> Vec<Vec<Vec<Said>>> {
    cues.iter().map(|cue| lines(cue, format)).collect()
}

fn lines(cue: &RawCue, format: Format) -> Vec<Vec<Said>> {
    // A voice goes on over the end of a line.
    let mut speaker = String::new();
    let lines = cue.lines.iter().map(|line| line_of(line, &mut speaker, format));
    lines.filter(|line| !line.is_empty()).collect()
}

fn line_of(line: &str, speaker: &mut String, format: Format) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((tag, length)) = tag(rest, format) else {
            let sign = rest.chars().next().map_or(1, char::len_utf8);
            text.push_str(&rest[..sign]);
            rest = &rest[sign..];
            continue;
        };
        match tag {
            Tag::Voice(name) => {
                push(&mut said, speaker, &mut text);
                *speaker = clean(&decode_entities(name));
            }
            Tag::EndOfVoice => {
                push(&mut said, speaker, &mut text);
                speaker.clear();
            }
            Tag::Break => text.push(' '),
            Tag::Other => {}
        }
        rest = &rest[length..];
    }
    text.push_str(rest);
    push(&mut said, speaker, &mut text);
    said
}

fn push(said: &mut Vec<Said>, speaker: &str, text: &mut String) {
    let text = clean(&decode_entities(&std::mem::take(text)));
    if !text.is_empty() {
        said.push(Said { speaker: speaker.to_owned(), text });
    }
}

enum Tag<'a> {
    Voice(&'a str),
    EndOfVoice,
    Break,
    Other,
}

/// The tag that `text` begins with, and its length. What is no tag of the format is text: `<3.5` is a comparison.
fn tag(text: &str, format: Format) -> Option<(Tag<'_>, usize)> {
    if let Some(style) = text.strip_prefix("{\\") {
        // Positions of another format that players of SRT know.
        return (format == Format::Srt).then(|| style.find('}')).flatten().map(|end| (Tag::Other, end + 3));
    }
    let inside = text.strip_prefix('<')?;
    let end = inside.find('>')?;
    let (length, inside) = (end + 2, &inside[..end]);
    if inside.contains('<') {
        return None;
    }
    if is_time(inside) {
        return Some((Tag::Other, length));
    }
    let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |inside| (true, inside));
    let name_end = inside.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(inside.len());
    let (name, behind) = inside.split_at(name_end);
    let name = name.to_ascii_lowercase();
    if name == "br" && behind.trim_matches([' ', '/']).is_empty() {
        return Some((Tag::Break, length));
    }
    let (known, follows) = match format {
        Format::WebVtt => {
            (WEBVTT_TAGS.contains(&name.as_str()), behind.is_empty() || behind.starts_with(['.', ' ', '\t']))
        }
        // Only a font has anything behind its name, and that has a value.
        Format::Srt => {
            let attributes = name == "font" && behind.contains('=');
            (SRT_TAGS.contains(&name.as_str()), behind.trim_matches([' ', '/']).is_empty() || attributes)
        }
    };
    // `<b and c>` compares; only a voice, a class and a language say something behind their name.
    let says = matches!(name.as_str(), "v" | "lang" | "font") || !behind.trim_end().contains([' ', '\t']);
    if !known || !follows || !says {
        return None;
    }
    Some(match (name.as_str(), closes) {
        ("v", true) => (Tag::EndOfVoice, length),
        ("v", false) => (Tag::Voice(behind.split_once([' ', '\t']).map_or("", |(_, name)| name)), length),
        _ => (Tag::Other, length),
    })
}

/// Whether a tag is a time, as captions that are painted word by word have.
fn is_time(text: &str) -> bool {
    text.contains(':')
        && text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
}
