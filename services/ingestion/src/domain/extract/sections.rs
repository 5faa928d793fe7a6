//! Documents that come as sections already: `{"title", "sections": [{"heading", "text"}]}`.

use serde::Deserialize;

use super::{Builder, ExtractError, Extracted, Locator};

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

pub(crate) fn extract(content: &[u8]) -> Result<Extracted, ExtractError> {
    let document: SectionedDocument =
        serde_json::from_slice(content).map_err(|error| ExtractError::Malformed(format!("it is not a sectioned document ({error})")))?;
    let mut builder = Builder::default();
    let title = super::fold(&document.title);
    if !title.is_empty() {
        builder.document().title = Some(title);
    }
    for section in &document.sections {
        let heading = super::fold(&section.heading);
        let path = if heading.is_empty() { Vec::new() } else { vec![heading.clone()] };
        for paragraph in section.text.replace("\r\n", "\n").split("\n\n") {
            builder.push(paragraph, &heading, Locator::Section(path.clone()));
        }
    }
    Ok(builder.finish())
}
