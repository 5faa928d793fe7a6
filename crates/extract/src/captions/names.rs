//! Speakers whose name stands before what they say: `Name: text`.
//!
//! A word and a colon may as well begin a sentence ("Warning: do not …"), and a heading that is taken for a speaker is lost
//! from the quote. So a name must be marked (`>> Anna:`), bear a title (`DR LEE:`), or come again and again in its file.

use std::collections::HashMap;

use super::Said;

/// Words that head a remark and name no person.
const NO_NAMES: [&str; 46] = [
    "note",
    "notes",
    "warning",
    "caution",
    "important",
    "reminder",
    "remember",
    "step",
    "dose",
    "dosing",
    "doses",
    "case",
    "question",
    "answer",
    "slide",
    "table",
    "figure",
    "option",
    "point",
    "points",
    "example",
    "part",
    "effects",
    "effect",
    "indication",
    "indications",
    "contraindication",
    "contraindications",
    "treatment",
    "diagnosis",
    "summary",
    "conclusion",
    "conclusions",
    "background",
    "result",
    "results",
    "method",
    "methods",
    "key",
    "side",
    "take",
    "bottom",
    "first",
    "second",
    "third",
    "finally",
];
/// Titles that only people bear.
const TITLES: [&str; 8] = ["dr", "prof", "professor", "doctor", "mr", "mrs", "ms", "nurse"];
/// Words of a name that are written small.
const PARTICLES: [&str; 12] = ["de", "van", "von", "der", "den", "al", "bin", "da", "di", "la", "le", "el"];
const MOST_WORDS: usize = 5;
/// A name that comes so often is a speaker.
const OFTEN: usize = 3;

/// The names that a file puts before what is said.
pub(super) struct Names {
    known: HashMap<String, usize>,
    /// Whether most captions begin with a name of several words.
    habit: bool,
}

impl Names {
    pub(super) fn of(cues: &[Vec<Vec<Said>>]) -> Self {
        let mut known: HashMap<String, usize> = HashMap::new();
        let (mut captions, mut named) = (0_usize, 0_usize);
        for said in cues.iter().filter_map(|lines| lines.first()?.first()) {
            captions += 1;
            if let Some((name, _)) = split(&said.text) {
                // One word may as well be an abbreviation: "ECG: …".
                named += usize::from(name.contains(' '));
                *known.entry(name.to_lowercase()).or_default() += 1;
            }
        }
        Self { known, habit: named >= 2 && named * 3 >= captions * 2 }
    }

    /// Takes the speaker out of what is said, where it begins with one.
    pub(super) fn take(&self, said: Said) -> Said {
        if !said.speaker.is_empty() {
            return said;
        }
        let Some((name, text)) = split(&said.text) else { return said };
        let marked = said.text.starts_with(">>");
        let titled = name
            .split_whitespace()
            .next()
            .is_some_and(|word| TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str()));
        let often = self.known.get(&name.to_lowercase()).is_some_and(|&times| times >= OFTEN);
        if marked || titled || often || (self.habit && name.contains(' ')) {
            return Said { speaker: name.to_owned(), text: text.to_owned() };
        }
        said
    }
}

/// The name that a text begins with, and what is said.
fn split(text: &str) -> Option<(&str, &str)> {
    let (before, said) = text.split_once(": ")?;
    let name = before.trim_start_matches(['>', '-', ' ']).trim();
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_name = |word: &&str| {
        let lower = word.to_lowercase();
        let capital = word.starts_with(char::is_uppercase)
            || word.starts_with(|c: char| c.is_alphabetic() && !c.is_lowercase());
        let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '\'' | '’' | '-'));
        letters && (capital || PARTICLES.contains(&lower.as_str())) && !NO_NAMES.contains(&lower.as_str())
    };
    let is_all = !words.is_empty() && words.len() <= MOST_WORDS && words.iter().all(is_name);
    (is_all && !said.trim().is_empty()).then_some((name, said))
}
