//! Documents that come as sections already: `{"title", "sections": [{"heading", "text"}]}`.

use std::sync::Arc;

use serde::Deserialize;

use super::budget::{Budget, heading};
use super::plain::paragraphs;
use super::{Builder, ExtractError, Extracted, Locator, Path};

/// A document cut into sections by its author.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionedDocument {
    /// The document's title.
    #[serde(default)]
    title: String,
    /// Its sections, in reading order.
    sections: Vec<SectionText>,
}

/// One section.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionText {
    /// Its heading; empty for none.
    #[serde(default)]
    heading: String,
    /// Its text; empty lines separate paragraphs.
    text: String,
}

pub(crate) fn extract(content: &[u8], budget: &Budget) -> Result<Extracted, ExtractError> {
    let document: SectionedDocument = serde_json::from_slice(content)
        .map_err(|error| ExtractError::Malformed(format!("it is not a sectioned document ({error})")))?;
    let mut builder = Builder::new(budget);
    let title = super::fold(&document.title);
    if !title.is_empty() {
        builder.document().title = Some(title);
    }
    for section in &document.sections {
        let heading = heading(&super::fold(&section.heading));
        let path: Path = if heading.is_empty() { Path::default() } else { [Arc::clone(&heading)].into() };
        for paragraph in paragraphs(&section.text) {
            builder.push(&paragraph, &heading, Locator::Section(Arc::clone(&path)))?;
        }
    }
    Ok(builder.finish())
}
