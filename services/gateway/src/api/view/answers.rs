//! Messages, what they cite, and where it stands.

use preceptor_proto::answering::v1 as answering;
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_proto::ingestion::v1::locator::At;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::values;
use crate::domain::citation;
use crate::domain::time::instant;

/// Where a passage is, in the terms of its own medium.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Locator {
    /// A page, counted from 1.
    Page { page: i32 },
    /// A slide, counted from 1, or its speaker notes.
    Slide { slide: i32, notes: bool },
    /// A stretch of a recording.
    Time { start_ms: i64, end_ms: i64, speaker: String },
    /// Headings from the outermost to the innermost.
    Section { path: Vec<String> },
}

fn locator_view(locator: Option<ingestion::Locator>) -> Option<Locator> {
    Some(match locator?.at? {
        At::Page(page) => Locator::Page { page },
        At::Slide(slide) => Locator::Slide { slide: slide.number, notes: slide.notes },
        At::Time(time) => {
            Locator::Time { start_ms: time.start_ms, end_ms: time.end_ms, speaker: time.speaker }
        }
        At::Section(section) => Locator::Section { path: section.path },
    })
}

/// A citation of an exact passage, slide or moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Citation {
    #[schema(example = "cit_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) source_id: String,
    pub(crate) source_version_id: String,
    pub(crate) passage_id: String,
    pub(crate) source_title: String,
    /// The provider's own name for the source.
    pub(crate) external_id: String,
    pub(crate) heading: String,
    pub(crate) locator: Option<Locator>,
    /// Verbatim from the source.
    pub(crate) quote: String,
    /// Byte offsets of the quote in the extracted text of the source version.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// The citation in words.
    #[schema(example = "Slide 12, Evaluation of imaging AI")]
    pub(crate) name: String,
    /// The page that opens the source at the quote.
    pub(crate) url: String,
}

pub(crate) fn citation_view(citation: answering::Citation) -> Citation {
    Citation {
        name: citation::name(&citation),
        url: citation::link(&citation),
        locator: locator_view(citation.locator),
        id: citation.id,
        source_id: citation.source_id,
        source_version_id: citation.source_version_id,
        passage_id: citation.passage_id,
        source_title: citation.source_title,
        external_id: citation.external_id,
        heading: citation.heading,
        quote: citation.quote,
        start: citation.start,
        end: citation.end,
    }
}

/// A passage of a source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Passage {
    #[schema(example = "psg_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) locator: Option<Locator>,
    /// Byte offsets in the extracted text.
    pub(crate) start: i64,
    pub(crate) end: i64,
}

pub(crate) fn passage_view(passage: ingestion::Passage) -> Passage {
    Passage {
        id: passage.id,
        heading: passage.heading,
        text: passage.text,
        locator: locator_view(passage.locator),
        start: passage.start,
        end: passage.end,
    }
}

/// A word that the program does not know, and what was searched for instead.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Correction {
    #[schema(example = "anticoaglants")]
    pub(crate) from: String,
    #[schema(example = "anticoagulants")]
    pub(crate) to: String,
}

/// What a message begins with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Meta {
    #[schema(example = "msg_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) message_id: String,
    /// Send it along with the next question of the conversation.
    pub(crate) session_id: String,
    pub(crate) program_version_id: String,
    pub(crate) version_number: i64,
    pub(crate) corrections: Vec<Correction>,
    /// True when no embedding model is loaded and only words were compared.
    pub(crate) lexical_only: bool,
}

pub(crate) fn meta_view(meta: answering::Meta) -> Meta {
    Meta {
        message_id: meta.message_id,
        session_id: meta.session_id,
        program_version_id: meta.program_version_id,
        version_number: meta.version_number,
        corrections: corrections(meta.corrections),
        lexical_only: meta.lexical_only,
    }
}

fn corrections(corrections: Vec<preceptor_proto::retrieval::v1::Correction>) -> Vec<Correction> {
    corrections
        .into_iter()
        .map(|correction| Correction { from: correction.from, to: correction.to })
        .collect()
}

/// A sentence of an answer, verbatim from its source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
}

pub(crate) fn sentence_view(sentence: answering::Sentence) -> Sentence {
    Sentence { text: sentence.text, citations: sentence.citations.into_iter().map(citation_view).collect() }
}

/// What comes closest when the program may not hold the answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Closest {
    /// Says that these may not answer the question.
    pub(crate) message: String,
    /// Best first, each verbatim from its source.
    #[schema(max_items = 3)]
    pub(crate) quotes: Vec<Sentence>,
}

pub(crate) fn closest_view(closest: answering::Closest) -> Closest {
    Closest { message: closest.message, quotes: closest.quotes.into_iter().map(sentence_view).collect() }
}

/// The word for what became of a question.
pub(crate) const fn outcome_of(closest: bool, refused: bool) -> &'static str {
    match (refused, closest) {
        (true, _) => "declined",
        (false, true) => "closest",
        (false, false) => "answered",
    }
}

/// Why nothing is quoted, and where to look.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[schema(example = "NOT_IN_PROGRAM", value_type = values::RefusalCode)]
    pub(crate) code: String,
    pub(crate) message: String,
    /// The closest sources, best first.
    pub(crate) sources: Vec<Citation>,
}

pub(crate) fn refusal_view(refusal: answering::Refusal) -> Refusal {
    Refusal {
        code: refusal.code,
        message: refusal.message,
        sources: refusal.sources.into_iter().map(citation_view).collect(),
    }
}

/// How an answer ends.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Done {
    /// Probability that the program holds the answer, 0 to 1, calibrated.
    #[schema(example = 0.93, minimum = 0, maximum = 1)]
    pub(crate) confidence: f32,
    #[schema(example = "high", value_type = values::ConfidenceLabel)]
    pub(crate) confidence_label: String,
    /// How many passages were considered.
    pub(crate) considered: i32,
    /// What the answer took.
    pub(crate) usage: Usage,
}

/// What an answer took.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Passages that were compared with the question.
    pub(crate) passages_considered: i32,
    /// Sentences and passages that are quoted.
    pub(crate) sentences: i32,
    /// Milliseconds from the question to its end.
    pub(crate) elapsed_ms: i64,
}

pub(crate) fn done_view(done: answering::Done, sentences: usize, elapsed: std::time::Duration) -> Done {
    let usage = Usage {
        passages_considered: done.considered,
        sentences: sentences as i32,
        elapsed_ms: elapsed.as_millis() as i64,
    };
    Done {
        confidence: done.confidence,
        confidence_label: done.confidence_label,
        considered: done.considered,
        usage,
    }
}

/// A question with its answer, as it is on record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) session_id: String,
    pub(crate) program_id: String,
    pub(crate) program_version_id: String,
    /// The learner's pseudonym.
    pub(crate) subject: String,
    /// Empty when it was withheld.
    pub(crate) question: String,
    /// True when the question held data that identifies a patient, and was not kept.
    pub(crate) quarantined: bool,
    #[schema(example = "answered", value_type = values::MessageOutcome)]
    pub(crate) outcome: &'static str,
    pub(crate) sentences: Vec<Sentence>,
    pub(crate) closest: Option<Closest>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) confidence: f32,
    pub(crate) corrections: Vec<Correction>,
    pub(crate) composer: String,
    pub(crate) feedback: String,
    pub(crate) asked_at: String,
    /// Sources that were retracted after this answer quoted them.
    pub(crate) notices: Vec<Notice>,
    /// The objective it is about, once it is classified.
    pub(crate) alignment: Option<Alignment>,
}

/// What became of a source after an answer quoted it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Notice {
    pub(crate) source_version_id: String,
    #[schema(example = "retracted", value_type = values::Verdict)]
    pub(crate) verdict: String,
    pub(crate) text: String,
    pub(crate) noted_at: String,
}

fn notice_view(notice: answering::Notice) -> Notice {
    Notice {
        source_version_id: notice.source_version_id,
        verdict: notice.verdict,
        text: notice.text,
        noted_at: instant(notice.noted_at),
    }
}

/// Which objective a message is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Alignment {
    /// Empty when it fits none.
    pub(crate) objective_id: String,
    pub(crate) objective: String,
    /// Probability that this is right, calibrated.
    pub(crate) confidence: f32,
    /// Probability that the message is about the program at all.
    pub(crate) about_program: f32,
}

pub(crate) fn alignment_view(row: preceptor_proto::alignment::v1::Classification) -> Alignment {
    Alignment {
        objective_id: row.objective_id,
        objective: row.objective_text,
        confidence: row.confidence,
        about_program: row.about_program,
    }
}

pub(crate) fn message_view(message: answering::Message, alignment: Option<Alignment>) -> Message {
    Message {
        outcome: outcome_of(
            message.outcome() == answering::Outcome::Closest,
            message.outcome() == answering::Outcome::Declined,
        ),
        id: message.id,
        session_id: message.session_id,
        program_id: message.program_id,
        program_version_id: message.program_version_id,
        subject: message.subject,
        question: message.question,
        quarantined: message.quarantined,
        sentences: message.sentences.into_iter().map(sentence_view).collect(),
        closest: message.closest.map(closest_view),
        refusal: message.refusal.map(refusal_view),
        confidence: message.confidence,
        corrections: corrections(message.corrections),
        composer: message.composer,
        feedback: message.feedback,
        asked_at: instant(message.asked_at),
        notices: message.notices.into_iter().map(notice_view).collect(),
        alignment,
    }
}
