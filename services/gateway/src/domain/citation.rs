//! Citations in words, and the links that open them.

use preceptor_proto::answering::v1::Citation;
use preceptor_proto::ingestion::v1::Locator;
use preceptor_proto::ingestion::v1::locator::At;

use super::time::clock;

/// Where a citation points, as a reader would say it: `slide 12`, `page 3`, `at 4:05, Dr. Lee`, `Methods › Dose`.
pub(crate) fn place(locator: Option<&Locator>) -> String {
    match locator.and_then(|locator| locator.at.as_ref()) {
        Some(At::Page(page)) => format!("page {page}"),
        Some(At::Slide(slide)) if slide.notes => format!("slide {}, speaker notes", slide.number),
        Some(At::Slide(slide)) => format!("slide {}", slide.number),
        Some(At::Time(time)) if time.speaker.is_empty() => format!("at {}", clock(time.start_ms)),
        Some(At::Time(time)) => format!("at {}, {}", clock(time.start_ms), time.speaker),
        Some(At::Section(section)) => section.path.join(" › "),
        None => String::new(),
    }
}

/// The full name of a citation: where it points and in which source.
pub(crate) fn name(citation: &Citation) -> String {
    let place = place(citation.locator.as_ref());
    // A document's own title is often its outermost heading: once is enough.
    let prefix = format!("{} › ", citation.source_title);
    let place =
        place.strip_prefix(&prefix).unwrap_or(if place == citation.source_title { "" } else { &place });
    let mut letters = place.chars();
    match letters.next() {
        Some(first) => format!("{}{}, {}", first.to_uppercase(), letters.as_str(), citation.source_title),
        None => citation.source_title.clone(),
    }
}

/// The page that opens the source at the quote.
pub(crate) fn link(citation: &Citation) -> String {
    format!(
        "/sources/{}?version={}&from={}&to={}#quote",
        citation.source_id, citation.source_version_id, citation.start, citation.end
    )
}

#[cfg(test)]
mod tests {
    use preceptor_proto::ingestion::v1::{Section, Slide, TimeRange};

    use super::*;

    fn locator(at: At) -> Locator {
        Locator { at: Some(at) }
    }

    #[test]
    fn places_read_as_people_say_them() {
        let cases = [
            (At::Page(3), "page 3"),
            (At::Slide(Slide { number: 12, notes: true }), "slide 12, speaker notes"),
            (
                At::Time(TimeRange { start_ms: 245_000, end_ms: 250_000, speaker: "Dr. Lee".into() }),
                "at 4:05, Dr. Lee",
            ),
            (At::Section(Section { path: vec!["Methods".into(), "Dose".into()] }), "Methods › Dose"),
        ];
        for (at, words) in cases {
            assert_eq!(place(Some(&locator(at))), words);
        }
        let citation = Citation {
            source_title: "Imaging AI".into(),
            locator: Some(locator(At::Page(3))),
            ..Citation::default()
        };
        assert_eq!(name(&citation), "Page 3, Imaging AI");
    }
}
