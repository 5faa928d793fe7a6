//! Passages and their parts as they are stored.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::passage;
use crate::Error;
use preceptor_extract::Locator;
use preceptor_extract::{Cue, Passage};

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
            Locator::Section(path) => Self::Section(path.iter().map(ToString::to_string).collect()),
        }
    }
}

impl From<StoredLocator> for Locator {
    fn from(stored: StoredLocator) -> Self {
        match stored {
            StoredLocator::Page(page) => Self::Page(page),
            StoredLocator::Slide { number, notes } => Self::Slide { number, notes },
            StoredLocator::Time { start_ms, end_ms, speaker } => Self::Time { start_ms, end_ms, speaker },
            StoredLocator::Section(path) => Self::Section(path.into_iter().map(Into::into).collect()),
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Defect(format!("a stored passage cannot be read: {error}")))
}

/// A passage as it is stored, without its text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    start: u64,
    end: u64,
    heading: String,
    locator: String,
    sentences: String,
    cues: String,
}

/// Writes a passage down.
pub(crate) fn written(passage: &Passage) -> Result<Written, serde_json::Error> {
    let sentences: Vec<_> = passage.sentences.iter().map(|range| (range.start, range.end)).collect();
    Ok(Written {
        start: passage.range.start as u64,
        end: passage.range.end as u64,
        heading: passage.heading.to_string(),
        locator: serde_json::to_string(&StoredLocator::from(&passage.locator))?,
        sentences: serde_json::to_string(&sentences)?,
        cues: serde_json::to_string(&passage.cues)?,
    })
}

/// A passage of `text` as a row.
pub(crate) fn row(
    org: &str,
    version: &str,
    id: String,
    ordinal: usize,
    text: &str,
    passage: Written,
) -> Result<passage::Model, Error> {
    let range = passage.start as usize..passage.end as usize;
    let outside = || Error::Defect("a passage lies outside its text".into());
    Ok(passage::Model {
        org_id: org.to_owned(),
        source_version_id: version.to_owned(),
        ordinal: ordinal as i64,
        id,
        heading: passage.heading,
        text: text.get(range).ok_or_else(outside)?.to_owned(),
        start_byte: passage.start.cast_signed(),
        end_byte: passage.end.cast_signed(),
        locator: passage.locator,
        sentences: passage.sentences,
        cues: passage.cues,
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
