//! The source viewer: the page, slide, transcript or section itself, the quotation highlighted.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use preceptor_core::Fault;
use preceptor_proto::ingestion::v1::locator::At;
use preceptor_proto::ingestion::v1::{Document, Passage};
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::domain::citation::place;
use crate::domain::time::clock;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::identity::Identity;

/// Which part of which version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    #[serde(default)]
    version: String,
    /// Offsets into the text: no text of ours is longer than they can be.
    #[serde(default)]
    from: u32,
    #[serde(default)]
    to: u32,
    page: Option<i32>,
}

#[derive(Template)]
#[template(path = "source.html")]
struct SourcePage {
    frame: Frame,
    program_id: String,
    program_title: String,
    title: String,
    file_name: String,
    version_number: i64,
    reviewed: Option<String>,
    /// Whether it was retracted. Learners get this instead of the content, staff beside it.
    retracted: bool,
    has_content: bool,
    place: String,
    view: View,
}

/// A source as it is shown.
pub(super) struct View {
    pub(super) source_id: String,
    pub(super) version_id: String,
    /// The page that is shown as a picture, for paged media.
    pub(super) picture: Option<Picture>,
    /// The text, in blocks.
    pub(super) blocks: Vec<Block>,
}

pub(super) struct Picture {
    /// What the medium calls it: page or slide.
    pub(super) noun: &'static str,
    pub(super) page: i32,
    pub(super) pages: i32,
    /// Where the quotation is drawn, in thousandths of the page.
    pub(super) marks: Vec<Mark>,
}

pub(super) struct Mark {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

/// A passage as it is shown.
pub(super) struct Block {
    /// What stands above it, unless it stands above the one before too.
    pub(super) heading: Option<String>,
    /// The moment in a recording.
    pub(super) time: Option<String>,
    pub(super) before: String,
    pub(super) quoted: String,
    pub(super) after: String,
    /// Whether this is the first block with quoted text: where the page opens.
    pub(super) opens: bool,
}

#[derive(Template)]
#[template(path = "replaced.html")]
struct ReplacedPage {
    frame: Frame,
    source_id: String,
    /// The title of the version that is published now; none when the source is no longer part of its program.
    title: Option<String>,
}

/// What a link to a version that was published before leads to: that it was replaced, and by which.
async fn replaced(edge: &Edge, identity: &Identity, id: String) -> Result<Html<String>, PageError> {
    let current = edge.document(identity, id.clone(), String::new()).await;
    let title = current.ok().and_then(|document| document.source).map(|source| source.title);
    html(&ReplacedPage { frame: Frame::of(identity), source_id: id, title })
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Query(span): Query<Span>,
) -> Result<Response, PageError> {
    let mut document = match edge.document(&identity, id.clone(), span.version.clone()).await {
        Err(error) if error.code() == "SOURCE_REPLACED" => {
            return Ok((error.status(), replaced(&edge, &identity, id).await?).into_response());
        }
        document => document?,
    };
    let source = document.source.take().ok_or_else(|| ApiError::from(Fault::internal()))?;
    let (from, to) = (i64::from(span.from), i64::from(span.to));
    let cited =
        document.passages.iter().find(|passage| passage.start <= from && from < passage.end && to > from);
    let page = SourcePage {
        frame: Frame::of(&identity),
        program_id: source.program_id.clone(),
        program_title: document.program_title.clone(),
        retracted: source.quarantined,
        has_content: !document.passages.is_empty(),
        place: cited.map(|passage| place(passage.locator.as_ref())).unwrap_or_default(),
        reviewed: source
            .approval
            .as_ref()
            .filter(|approval| approval.approved && !source.quarantined)
            .and_then(|approval| crate::domain::time::rfc3339(approval.decided_at)),
        view: view(&document, source.id.clone(), source.version_id.clone(), from..to, span.page),
        title: source.title,
        file_name: source.file_name,
        version_number: source.version_number,
    };
    Ok(html(&page)?.into_response())
}

/// The page of a passage, in paged media.
fn page_of(passage: &Passage) -> Option<i32> {
    match passage.locator.as_ref()?.at.as_ref()? {
        At::Page(page) => Some(*page),
        At::Slide(slide) => Some(slide.number),
        _ => None,
    }
}

/// What is shown of a document: paged media one page at a time, the others whole.
pub(super) fn view(
    document: &Document,
    source_id: String,
    version_id: String,
    quote: std::ops::Range<i64>,
    page: Option<i32>,
) -> View {
    let overlaps = |start: i64, end: i64| start < quote.end && end > quote.start;
    let cited_page =
        document.passages.iter().find(|passage| overlaps(passage.start, passage.end)).and_then(page_of);
    let picture = (document.pictures > 0).then(|| {
        let page = page.or(cited_page).unwrap_or(1).clamp(1, document.pictures);
        let boxes = document.boxes.iter().filter(|word| word.page == page && overlaps(word.start, word.end));
        let mark = |word: &preceptor_proto::ingestion::v1::WordBox| Mark {
            x: word.x * 1000.0 - 2.0,
            y: word.y * 1000.0 - 2.0,
            width: word.width * 1000.0 + 4.0,
            height: word.height * 1000.0 + 4.0,
        };
        let is_slides = document.passages.iter().any(|passage| {
            matches!(passage.locator.as_ref().and_then(|at| at.at.as_ref()), Some(At::Slide(_)))
        });
        Picture {
            noun: if is_slides { "Slide" } else { "Page" },
            page,
            pages: document.pictures,
            marks: boxes.map(mark).collect(),
        }
    });
    let shown = document
        .passages
        .iter()
        .filter(|passage| picture.as_ref().is_none_or(|picture| page_of(passage) == Some(picture.page)));
    View { source_id, version_id, blocks: blocks(shown, &quote), picture }
}

fn blocks<'a>(passages: impl Iterator<Item = &'a Passage>, quote: &std::ops::Range<i64>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut above = String::new();
    let mut opened = false;
    for passage in passages {
        let heading =
            (passage.heading != above && !passage.heading.is_empty()).then(|| passage.heading.clone());
        above.clone_from(&passage.heading);
        // A heading that the text itself begins with is not shown twice.
        let heading = heading.filter(|heading| !passage.text.starts_with(heading.as_str()));
        for (index, part) in parts(passage).into_iter().enumerate() {
            let text = passage.text.get(part.range.clone()).unwrap_or_default();
            let at = passage.start + part.range.start as i64;
            let (from, to) = (clip(text, quote.start - at), clip(text, quote.end - at));
            let (from, to) = if quote.end > quote.start && from < to { (from, to) } else { (0, 0) };
            let opens = to > from && !opened;
            opened |= opens;
            blocks.push(Block {
                heading: if index == 0 { heading.clone() } else { None },
                time: part.time,
                before: text[..from].to_owned(),
                quoted: text[from..to].to_owned(),
                after: text[to..].to_owned(),
                opens,
            });
        }
    }
    blocks
}

struct Part {
    range: std::ops::Range<usize>,
    time: Option<String>,
}

/// A passage of speech falls into its cues; any other is one part.
fn parts(passage: &Passage) -> Vec<Part> {
    if passage.cues.is_empty() {
        return vec![Part { range: 0..passage.text.len(), time: None }];
    }
    let said = |cue: &preceptor_proto::ingestion::v1::Cue| {
        let moment = clock(cue.start_ms);
        if cue.speaker.is_empty() { moment } else { format!("{moment} {}", cue.speaker) }
    };
    passage
        .cues
        .iter()
        .map(|cue| Part { range: cue.start as usize..cue.end as usize, time: Some(said(cue)) })
        .collect()
}

/// A byte offset inside `text`, at the nearest character boundary below.
fn clip(text: &str, offset: i64) -> usize {
    let offset = usize::try_from(offset.max(0)).unwrap_or(0).min(text.len());
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use preceptor_proto::ingestion::v1::Cue;

    use super::*;

    #[test]
    fn the_quotation_is_split_out_of_its_passage() {
        let passage = Passage {
            heading: "Dose".into(),
            text: "One é two. Three.".into(),
            start: 10,
            end: 28,
            ..Passage::default()
        };
        let blocks = blocks([passage].iter(), &(14..17));
        assert_eq!(
            (blocks[0].before.as_str(), blocks[0].quoted.as_str(), blocks[0].after.as_str()),
            ("One ", "é ", "two. Three.")
        );
        assert!(blocks[0].opens && blocks[0].heading.as_deref() == Some("Dose"));
    }

    #[test]
    fn speech_is_shown_cue_by_cue() {
        let cue = |start, end, start_ms| Cue {
            start,
            end,
            start_ms,
            end_ms: start_ms + 1000,
            speaker: "Dr. Lee".into(),
        };
        let passage = Passage {
            text: "One. Two.".into(),
            end: 9,
            cues: vec![cue(0, 4, 0), cue(5, 9, 61_000)],
            ..Passage::default()
        };
        let blocks = blocks([passage].iter(), &(5..9));
        assert_eq!(blocks[1].time.as_deref(), Some("1:01 Dr. Lee"));
        assert_eq!((blocks[0].quoted.as_str(), blocks[1].quoted.as_str()), ("", "Two."));
    }
}
