//! What the API shows of things: stable JSON shapes, made from the contracts of the services. Programs and sources are here,
//! messages and what they cite in [`answers`].

mod answers;

use preceptor_proto::ingestion::v1 as ingestion;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::time::{instant, rfc3339};

pub(crate) use answers::{
    Closest, Done, Message, Meta, Passage, Refusal, Sentence, alignment_view, closest_view, done_view,
    message_view, meta_view, outcome_of, passage_view, refusal_view, sentence_view,
};

/// A learning objective.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Objective {
    #[schema(example = "obj_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(example = "Adjust the dose to kidney function")]
    pub(crate) text: String,
}

/// How many of a program's sources are in which state.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct SourceCounts {
    pub(crate) extracting: i64,
    pub(crate) failed: i64,
    pub(crate) draft: i64,
    pub(crate) in_review: i64,
    pub(crate) approved: i64,
    pub(crate) rejected: i64,
}

/// A version that learners see.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PublishedVersion {
    #[schema(example = "progv_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(example = 1)]
    pub(crate) number: i64,
    pub(crate) published_at: String,
}

/// How far the index of a frozen version is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Indexing {
    /// Passages done.
    pub(crate) done: i64,
    /// Passages in all.
    pub(crate) total: i64,
    /// Why it cannot go on; empty when all is well.
    pub(crate) problem: String,
}

/// A program.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Program {
    #[schema(example = "prog_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(example = "Safe use of anticoagulants")]
    pub(crate) title: String,
    pub(crate) summary: String,
    #[schema(example = "published", value_type = super::values::ProgramState)]
    pub(crate) state: &'static str,
    /// Raised by every change; also the ETag.
    pub(crate) revision: i64,
    pub(crate) objectives: Vec<Objective>,
    pub(crate) published: Option<PublishedVersion>,
    pub(crate) indexing: Option<Indexing>,
    pub(crate) sources: SourceCounts,
    pub(crate) created_by: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

const fn program_state(state: ingestion::ProgramState) -> &'static str {
    match state {
        ingestion::ProgramState::Indexing => "indexing",
        ingestion::ProgramState::Published => "published",
        ingestion::ProgramState::Withdrawn => "withdrawn",
        ingestion::ProgramState::Draft | ingestion::ProgramState::Unspecified => "draft",
    }
}

pub(crate) fn program_view(program: ingestion::Program) -> Program {
    let state = program.state();
    let counts = program.sources.unwrap_or_default();
    let waits = state == ingestion::ProgramState::Indexing || !program.index_problem.is_empty();
    Program {
        state: program_state(state),
        objectives: program
            .objectives
            .into_iter()
            .map(|objective| Objective { id: objective.id, text: objective.text })
            .collect(),
        published: (!program.published_version_id.is_empty()).then(|| PublishedVersion {
            id: program.published_version_id.clone(),
            number: program.published_version_number,
            published_at: instant(program.published_at),
        }),
        indexing: waits.then(|| Indexing {
            done: program.indexed,
            total: program.to_index,
            problem: program.index_problem.clone(),
        }),
        sources: SourceCounts {
            extracting: counts.extracting,
            failed: counts.failed,
            draft: counts.draft,
            in_review: counts.in_review,
            approved: counts.approved,
            rejected: counts.rejected,
        },
        id: program.id,
        title: program.title,
        summary: program.summary,
        revision: program.revision,
        created_by: program.created_by,
        created_at: instant(program.created_at),
        updated_at: instant(program.updated_at),
    }
}

/// How far a file is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Progress {
    #[schema(example = "reading", value_type = super::values::ProgressStage)]
    pub(crate) stage: String,
    pub(crate) done: i64,
    pub(crate) total: i64,
}

/// Why work that was done in the background failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WorkProblem {
    #[schema(example = "FILE_ENCRYPTED")]
    pub(crate) code: String,
    /// What happened and what to do.
    pub(crate) message: String,
}

/// A reviewer's decision.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Decision {
    #[schema(example = "appr_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) approved: bool,
    pub(crate) reviewer: String,
    pub(crate) reason: String,
    pub(crate) decided_at: String,
}

/// A source with its newest version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Source {
    #[schema(example = "src_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    pub(crate) version_id: String,
    pub(crate) version_number: i64,
    pub(crate) title: String,
    pub(crate) file_name: String,
    #[schema(example = "application/pdf")]
    pub(crate) media_type: String,
    /// The caller's own name for it.
    pub(crate) external_id: String,
    /// The newest verification of this version.
    pub(crate) verification: Option<super::verifications::Verification>,
    /// Whether a registry is being asked at this moment.
    pub(crate) verifying: bool,
    /// Whether it was retracted: learners then see no text and no pictures of it.
    pub(crate) quarantined: bool,
    #[schema(example = "draft", value_type = super::values::SourceState)]
    pub(crate) state: &'static str,
    pub(crate) progress: Progress,
    pub(crate) problem: Option<WorkProblem>,
    pub(crate) author: String,
    pub(crate) size_bytes: i64,
    pub(crate) sha256: String,
    pub(crate) pages: i64,
    pub(crate) passages: i64,
    pub(crate) decision: Option<Decision>,
    pub(crate) created_at: String,
    pub(crate) submitted_at: Option<String>,
    /// What the reader should know about the extraction.
    pub(crate) notes: Vec<String>,
}

const fn source_state(state: ingestion::SourceState) -> &'static str {
    match state {
        ingestion::SourceState::Failed => "failed",
        ingestion::SourceState::Draft => "draft",
        ingestion::SourceState::InReview => "in_review",
        ingestion::SourceState::Approved => "approved",
        ingestion::SourceState::Rejected => "rejected",
        ingestion::SourceState::Extracting | ingestion::SourceState::Unspecified => "extracting",
    }
}

pub(crate) fn source_view(source: ingestion::Source) -> Source {
    let progress = source.progress.clone().unwrap_or_default();
    Source {
        state: source_state(source.state()),
        progress: Progress { stage: progress.stage, done: progress.done, total: progress.total },
        problem: source.problem.map(|problem| WorkProblem { code: problem.code, message: problem.message }),
        decision: source.approval.map(|approval| Decision {
            id: approval.id,
            approved: approval.approved,
            reviewer: approval.reviewer,
            reason: approval.reason,
            decided_at: instant(approval.decided_at),
        }),
        id: source.id,
        program_id: source.program_id,
        version_id: source.version_id,
        version_number: source.version_number,
        title: source.title,
        file_name: source.file_name,
        media_type: source.media_type,
        external_id: source.external_id,
        verification: source.verification.map(super::verifications::verification_view),
        verifying: source.verifying,
        quarantined: source.quarantined,
        author: source.author,
        size_bytes: source.size_bytes,
        sha256: source.sha256,
        pages: source.pages,
        passages: source.passages,
        created_at: instant(source.created_at),
        submitted_at: rfc3339(source.submitted_at),
        notes: source.notes,
    }
}
