//! Recall and false alarms over labeled texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::scan;

/// The least share of texts with a kind of identifier that must be found.
const LEAST_RECALL: f64 = 0.97;
/// The same for names, which only their context tells.
const LEAST_RECALL_OF_NAMES: f64 = 0.85;
/// The largest share of texts without identifiers that may be taken for some.
const MOST_FALSE_ALARMS: f64 = 0.01;

/// Kinds that are judged in each set of the labeled texts.
const JUDGED: [(&str, &[&str]); 2] = [
    ("clinical", &["US_SSN", "MRN", "DATE_OF_BIRTH", "CONTACT", "PERSON"]),
    ("generic", &["US_SSN", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS", "IP_ADDRESS"]),
];

/// A text with what it holds.
#[derive(Debug, Deserialize)]
struct Labeled {
    set: String,
    text: String,
    spans: Vec<Span>,
}

#[derive(Debug, Deserialize)]
struct Span {
    kind: String,
}

/// A question that holds nothing.
#[derive(Debug, Deserialize)]
struct Question {
    question: String,
}

/// One figure, and what it must be.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How many of the texts the guard stopped.
    pub stopped: usize,
    /// The texts.
    pub of: usize,
    /// The bar, and whether it is a floor.
    bar: (f64, bool),
}

impl Figure {
    /// Whether the figure is on the right side of its bar. Nothing measured is nothing shown.
    pub fn holds(&self) -> bool {
        let share = self.stopped as f64 / self.of.max(1) as f64;
        self.of > 0 && if self.bar.1 { share >= self.bar.0 } else { share <= self.bar.0 }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.stopped as f64 / self.of.max(1) as f64;
        let (word, verdict) = (
            if self.bar.1 { "least" } else { "most" },
            if self.holds() { "" } else { "   ON THE WRONG SIDE" },
        );
        write!(
            f,
            "{:34} {:5} of {:5}  {share:.3}  {word} {:.2}{verdict}",
            self.name, self.stopped, self.of, self.bar.0
        )
    }
}

fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), number + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

/// Measures the guard on a folder with `phi/`, `natural/` and `asks/`. `wrong` is told of every text that was judged
/// wrongly.
pub fn run(data: &Path, mut wrong: impl FnMut(&str, &str)) -> anyhow::Result<Vec<Figure>> {
    let labeled: Vec<Labeled> = lines(&data.join("phi/phi.jsonl"))?;
    let mut figures = recall(&labeled, &mut wrong);
    let clean = labeled.iter().filter(|text| text.set == "clean").map(|text| text.text.clone());
    figures.push(false_alarms("clean texts", clean.collect(), &mut wrong));
    let natural: Vec<Question> = lines(&data.join("natural/questions.jsonl"))?;
    figures.push(false_alarms(
        "natural",
        natural.into_iter().map(|question| question.question).collect(),
        &mut wrong,
    ));
    for set in ["topic", "one500", "hard", "section", "languages"] {
        let questions: Vec<Question> = lines(&data.join(format!("asks/{set}.questions.jsonl")))?;
        let texts = questions.into_iter().map(|question| question.question).collect();
        figures.push(false_alarms(&format!("asks {set}"), texts, &mut wrong));
    }
    Ok(figures)
}

fn recall(labeled: &[Labeled], wrong: &mut impl FnMut(&str, &str)) -> Vec<Figure> {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for text in labeled {
        let Some((set, kinds)) = JUDGED.iter().find(|(set, _)| *set == text.set) else { continue };
        let stopped = !scan(&text.text).is_empty();
        let held: BTreeSet<&str> = text.spans.iter().map(|span| span.kind.as_str()).collect();
        for kind in kinds.iter().filter(|kind| held.contains(**kind)) {
            let count = counts.entry((set, kind)).or_default();
            count.0 += usize::from(stopped);
            count.1 += 1;
            if !stopped {
                wrong(kind, &text.text);
            }
        }
    }
    let figure = |((set, kind), (stopped, of)): ((&str, &str), (usize, usize))| {
        let least = if kind == "PERSON" { LEAST_RECALL_OF_NAMES } else { LEAST_RECALL };
        Figure { name: format!("{set} {kind}"), stopped, of, bar: (least, true) }
    };
    counts.into_iter().map(figure).collect()
}

fn false_alarms(name: &str, texts: Vec<String>, wrong: &mut impl FnMut(&str, &str)) -> Figure {
    let alarms = texts.iter().filter(|text| !scan(text).is_empty());
    let stopped = alarms.inspect(|text| wrong(name, text)).count();
    Figure {
        name: format!("false alarms, {name}"),
        stopped,
        of: texts.len(),
        bar: (MOST_FALSE_ALARMS, false),
    }
}
