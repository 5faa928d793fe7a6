//! The real sets that things are fitted and measured on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A program with its sources.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Program {
    pub(crate) program: String,
    #[serde(default, alias = "focus")]
    pub(crate) title: String,
    pub(crate) sources: Vec<Source>,
    #[serde(default)]
    pub(crate) objectives: Vec<Objective>,
}

/// One document.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Source {
    pub(crate) id: String,
    #[serde(default, alias = "question")]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) passages: Vec<Section>,
    /// The alignment set writes a document without sections.
    #[serde(default)]
    pub(crate) text: Option<String>,
}

/// A section of a document.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Section {
    pub(crate) section: String,
    pub(crate) text: String,
}

/// A learning objective.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Objective {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A question with what is right.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Question {
    pub(crate) qid: String,
    pub(crate) program: String,
    pub(crate) variant: String,
    pub(crate) question: String,
    pub(crate) in_scope: bool,
    pub(crate) gold: Option<String>,
}

/// A message with the objective that is right.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Aligned {
    pub(crate) id: String,
    pub(crate) program: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) focus: String,
    pub(crate) gold: Option<String>,
    pub(crate) objectives: Vec<Objective>,
}

/// Programs with questions.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) programs: Vec<Program>,
    pub(crate) questions: Vec<Question>,
}

/// The sets of `asks/`.
pub(crate) const SETS: [&str; 5] = ["topic", "one500", "hard", "section", "languages"];

/// The lines of a JSONL file.
pub(crate) fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read; name the data with --data", path.display()))?;
    let parse = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), number + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(parse).collect()
}

impl Set {
    /// Reads a set of `asks/`.
    pub(crate) fn read(data: &Path, name: &str) -> anyhow::Result<Self> {
        let path = |kind: &str| data.join("asks").join(format!("{name}.{kind}.jsonl"));
        Ok(Self {
            name: name.to_owned(),
            programs: lines(&path("programs"))?,
            questions: lines(&path("questions"))?,
        })
    }
}

#[derive(Serialize)]
struct Document<'a> {
    title: &'a str,
    sections: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    heading: &'a str,
    text: &'a str,
}

impl Source {
    /// The sections of the document.
    pub(crate) fn sections(&self) -> Vec<Section> {
        match &self.text {
            Some(text) => {
                vec![Section { section: self.title.clone().unwrap_or_default(), text: text.clone() }]
            }
            None => self.passages.clone(),
        }
    }

    /// The document as a file that ingestion reads.
    pub(crate) fn document(&self) -> anyhow::Result<Vec<u8>> {
        let sections = self.sections();
        let parts =
            sections.iter().map(|section| Part { heading: &section.section, text: &section.text }).collect();
        Ok(serde_json::to_vec(&Document {
            title: self.title.as_deref().unwrap_or_default(),
            sections: parts,
        })?)
    }
}

/// Groups by a key, in order of the keys.
pub(crate) fn group<T, K: Ord>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for item in items {
        groups.entry(key(&item)).or_default().push(item);
    }
    groups
}
