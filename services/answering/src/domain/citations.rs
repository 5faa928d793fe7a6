//! Citations: where exactly a quotation stands.

use std::ops::Range;

use preceptor_core::id::CitationId;
use preceptor_proto::answering::v1::Citation;
use preceptor_proto::ingestion::v1::locator::At;
use preceptor_proto::ingestion::v1::{Locator, Passage, TimeRange};
use preceptor_proto::retrieval::v1::Hit;

use super::compose::sentences;

/// Sources that a refusal offers.
const OFFERED: usize = 5;

/// Cites `range` of a passage.
pub(crate) fn cite(passage: &Passage, range: Range<usize>) -> Citation {
    Citation {
        id: CitationId::generate().to_string(),
        passage_id: passage.id.clone(),
        source_id: passage.source_id.clone(),
        source_version_id: passage.source_version_id.clone(),
        source_title: passage.source_title.clone(),
        external_id: passage.external_id.clone(),
        heading: passage.heading.clone(),
        locator: locator(passage, &range),
        start: passage.start + range.start as i64,
        end: passage.start + range.end as i64,
        quote: passage.text.get(range).unwrap_or_default().to_owned(),
    }
}

/// The passage's locator; for speech, narrowed to the cues that say the quotation.
fn locator(passage: &Passage, range: &Range<usize>) -> Option<Locator> {
    let overlaps = |start: u32, end: u32| (start as usize) < range.end && (end as usize) > range.start;
    let mut cues = passage.cues.iter().filter(|cue| overlaps(cue.start, cue.end));
    let Some(first) = cues.next() else { return passage.locator.clone() };
    let end_ms = cues.next_back().unwrap_or(first).end_ms;
    let time = TimeRange { start_ms: first.start_ms, end_ms, speaker: first.speaker.clone() };
    Some(Locator { at: Some(At::Time(time)) })
}

/// The closest sources, best first, each with its best passage's opening sentence.
pub(crate) fn offers(hits: &[Hit]) -> Vec<Citation> {
    let mut offered: Vec<Citation> = Vec::new();
    for passage in hits.iter().filter_map(|hit| hit.passage.as_ref()) {
        if offered.len() == OFFERED {
            break;
        }
        if offered.iter().all(|citation| citation.source_id != passage.source_id) {
            let opening = sentences(passage).next().unwrap_or(0..passage.text.len());
            offered.push(cite(passage, opening));
        }
    }
    offered
}

#[cfg(test)]
mod tests {
    use preceptor_proto::ingestion::v1::Cue;

    use super::*;

    #[test]
    fn speech_is_cited_at_the_moment_of_the_quotation() {
        let cue =
            |start, end, start_ms, end_ms| Cue { start, end, start_ms, end_ms, speaker: "Dr. Lee".into() };
        let passage = Passage {
            text: "One thing. Another thing. A third.".into(),
            start: 100,
            cues: vec![
                cue(0, 10, 0, 2000),
                cue(11, 18, 2000, 3000),
                cue(19, 25, 3000, 4500),
                cue(26, 34, 4500, 6000),
            ],
            ..Passage::default()
        };
        let citation = cite(&passage, 11..25);
        assert_eq!((citation.quote.as_str(), citation.start, citation.end), ("Another thing.", 111, 125));
        let Some(At::Time(time)) = citation.locator.and_then(|locator| locator.at) else { panic!("a time") };
        assert_eq!((time.start_ms, time.end_ms), (2000, 4500));
    }

    #[test]
    fn a_refusal_offers_each_source_once() {
        let hit = |source: &str| Hit {
            passage: Some(Passage { source_id: source.into(), text: "A.".into(), ..Passage::default() }),
            ..Hit::default()
        };
        let hits: Vec<_> = ["a", "a", "b", "c", "b", "d", "e", "f"].into_iter().map(hit).collect();
        let sources: Vec<_> = offers(&hits).into_iter().map(|citation| citation.source_id).collect();
        assert_eq!(sources, ["a", "b", "c", "d", "e"]);
    }
}
