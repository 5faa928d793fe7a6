//! What text is painted on: text in the color of its ground is not shown.

use std::collections::HashMap;

use super::{Element, ExtractError, Package};

/// A color as slides name it: `RRGGBB`, in capitals.
type Color = String;

/// The color behind a text, where one can say which it is.
#[derive(Debug, Clone)]
pub(super) struct Ground(Option<Color>);

impl Ground {
    /// A ground that one cannot name: nothing on it is taken for hidden.
    pub(super) const fn unknown() -> Self {
        Self(None)
    }

    /// The ground of a slide: its own, else that of its layout, else that of the master, else white.
    pub(super) fn of(
        slide: &Element,
        relationships: &HashMap<String, (String, String)>,
        package: &mut Package<'_>,
    ) -> Result<Self, ExtractError> {
        if let Some(background) = background(slide) {
            return Ok(Self(solid(background)));
        }
        let part_of = |relationships: &HashMap<String, (String, String)>, kind: &str| {
            relationships.values().find(|(of, _)| of == kind).map(|(_, target)| target.clone())
        };
        let Some(layout) = part_of(relationships, "slideLayout") else {
            return Ok(Self(Some("FFFFFF".into())));
        };
        // A theme may color everything: only a deck without one is surely white.
        let Some(element) = package.xml(&layout)? else { return Ok(Self::unknown()) };
        Ok(Self(background(&element).and_then(solid)))
    }

    /// The ground of the text in a shape: its own fill, or what it lies on.
    pub(super) fn below(&self, shape: &Element) -> Self {
        let Some(properties) = shape.child("spPr") else { return self.clone() };
        let fills = ["solidFill", "gradFill", "blipFill", "pattFill"];
        if properties.elements().any(|fill| fills.contains(&fill.name.as_str())) {
            return Self(solid(properties));
        }
        // A style of the theme may fill it.
        if shape.child("style").is_some() && properties.child("noFill").is_none() {
            return Self::unknown();
        }
        self.clone()
    }

    /// Whether text of this format has the color of the ground.
    pub(super) fn hides(&self, format: Option<&Element>) -> bool {
        let own = format.and_then(solid);
        matches!((&self.0, own), (Some(ground), Some(own)) if *ground == own)
    }
}

fn background(slide: &Element) -> Option<&Element> {
    let background = slide.at(&["cSld", "bg"])?;
    Some(background.child("bgPr").unwrap_or(background))
}

/// The color of a solid fill that names it.
fn solid(element: &Element) -> Option<Color> {
    let color = element.at(&["solidFill", "srgbClr"])?;
    // A color that is changed further is another one.
    color.elements().next().is_none().then(|| color.attribute("val").map(str::to_ascii_uppercase)).flatten()
}
