//! Passages and their parts as they are stored.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::passage;
use crate::Error;
use crate::domain::extract::Locator;
use crate::domain::passages::{Cue, Passage};

/// A locator as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum StoredLocator {
    Page(u32),
    Slide { number: u32, notes: bool },
    Time { start_ms: i64, end_ms: i64, speaker: String },
    Section(Vec<String>),
}

impl From<&Locator> for StoredLocator {
    fn from(locator: &Locator) -> Self {
        match locator.clone() {
            Locator::Page(page) => Self::Page(page),
            Locator::Slide { number, notes } => Self::Slide { number, notes },
            Locator::Time { start_ms, end_ms, speaker } => Self::Time { start_ms, end_ms, speaker },
            Locator::Section(path) => Self::Section(path),
        }
    }
}

impl From<StoredLocator> for Locator {
    fn from(stored: StoredLocator) -> Self {
        match stored {
            StoredLocator::Page(page) => Self::Page(page),
            StoredLocator::Slide { number, notes } => Self::Slide { number, notes },
            StoredLocator::Time { start_ms, end_ms, speaker } => Self::Time { start_ms, end_ms, speaker },
            StoredLocator::Section(path) => Self::Section(path),
        }
    }
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Defect(error.to_string()))
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Defect(format!("a stored passage cannot be read: {error}")))
}

/// A passage as a row.
pub(crate) fn row(org: &str, version: &str, id: String, ordinal: usize, text: &str, passage: &Passage) -> Result<passage::Model, Error> {
    let sentences: Vec<_> = passage.sentences.iter().map(|range| (range.start, range.end)).collect();
    Ok(passage::Model {
        org_id: org.to_owned(),
        source_version_id: version.to_owned(),
        ordinal: ordinal as i64,
        id,
        heading: passage.heading.clone(),
        text: text[passage.range.clone()].to_owned(),
        start_byte: passage.range.start as i64,
        end_byte: passage.range.end as i64,
        locator: json(&StoredLocator::from(&passage.locator))?,
        sentences: json(&sentences)?,
        cues: json(&passage.cues)?,
    })
}

/// What a row holds besides its text.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) locator: Locator,
    pub(crate) sentences: Vec<Range<usize>>,
    pub(crate) cues: Vec<Cue>,
}

/// Reads the parts of a row.
pub(crate) fn parts(row: &passage::Model) -> Result<Parts, Error> {
    let sentences: Vec<(usize, usize)> = read(&row.sentences)?;
    Ok(Parts {
        locator: read::<StoredLocator>(&row.locator)?.into(),
        sentences: sentences.into_iter().map(|(start, end)| start..end).collect(),
        cues: read(&row.cues)?,
    })
}
