//! Domain to contract.

use preceptor_proto::ingestion::v1 as proto;
use preceptor_proto::ingestion::v1::locator::At;

use crate::domain::{
    ContentOfSource, DocumentView, PassageView, ProgramView, SourceView, VerificationView, VersionPage,
};
use crate::registries::Verdict;
use crate::store::{approval, programs::StateCount, registry_call, registry_key, task};
use preceptor_extract::Cue;
use preceptor_extract::Locator;

/// Where the next page begins, when this one is full.
pub(super) fn next<T>(rows: &[T], limit: u64, id: impl Fn(&T) -> &String) -> String {
    let full = rows.len() as u64 >= limit;
    rows.last().filter(|_| full).map(|row| id(row).clone()).unwrap_or_default()
}

pub(super) fn program(view: ProgramView) -> proto::Program {
    let ProgramView { program, objectives, published, pending, counts } = view;
    let waits = pending.as_ref().is_some_and(|pending| pending.problem.is_empty());
    let state = match (waits, &published, program.withdrawn) {
        (true, _, _) => proto::ProgramState::Indexing,
        (false, Some(_), _) => proto::ProgramState::Published,
        (false, None, true) => proto::ProgramState::Withdrawn,
        (false, None, false) => proto::ProgramState::Draft,
    };
    let (visible, version) =
        published.map_or((None, None), |(visible, version)| (Some(visible), Some(version)));
    proto::Program {
        id: program.id,
        app_id: program.app_id,
        title: program.title,
        summary: program.summary,
        state: state.into(),
        revision: program.revision,
        objectives: objectives
            .into_iter()
            .map(|row| proto::Objective { id: row.id, text: row.text })
            .collect(),
        published_version_id: version.as_ref().map(|version| version.id.clone()).unwrap_or_default(),
        published_version_number: version.map_or(0, |version| version.number),
        published_at: visible.map_or(0, |visible| visible.published_at),
        created_at: program.created_at,
        updated_at: program.updated_at,
        indexed: pending.as_ref().map_or(0, |pending| pending.done),
        to_index: pending.as_ref().map_or(0, |pending| pending.total),
        sources: Some(source_counts(&counts)),
        created_by: program.created_by,
        index_problem: pending.map(|pending| pending.problem).unwrap_or_default(),
    }
}

fn source_counts(counts: &[StateCount]) -> proto::SourceCounts {
    let of = |state: &str| counts.iter().find(|count| count.state == state).map_or(0, |count| count.count);
    proto::SourceCounts {
        extracting: of("extracting"),
        failed: of("failed"),
        draft: of("draft"),
        in_review: of("in_review"),
        approved: of("approved"),
        rejected: of("rejected"),
    }
}

fn source_state(name: &str) -> proto::SourceState {
    match name {
        "extracting" => proto::SourceState::Extracting,
        "failed" => proto::SourceState::Failed,
        "draft" => proto::SourceState::Draft,
        "in_review" => proto::SourceState::InReview,
        "approved" => proto::SourceState::Approved,
        "rejected" => proto::SourceState::Rejected,
        _ => proto::SourceState::Unspecified,
    }
}

pub(super) fn source(view: SourceView) -> proto::Source {
    let SourceView { source, version, approval, progress, standing } = view;
    let (done, total) = progress.unwrap_or((1, 1));
    let progress = proto::Progress {
        stage: if version.state == "extracting" { "reading" } else { "done" }.to_owned(),
        done: done.cast_signed(),
        total: total.cast_signed(),
    };
    let problem = (!version.problem_code.is_empty()).then(|| proto::Problem {
        // Versions that were stopped before the code had its final spelling are shown with it.
        code: version.problem_code.replace("CANCELLED", "CANCELED"),
        message: version.problem_message.clone(),
    });
    proto::Source {
        id: source.id,
        program_id: source.program_id,
        version_id: version.id,
        version_number: version.number,
        title: if version.title.is_empty() { version.file_name.clone() } else { version.title },
        file_name: version.file_name,
        media_type: version.media_type,
        external_id: source.external_id.unwrap_or_default(),
        state: source_state(&version.state).into(),
        progress: Some(progress),
        problem,
        author: version.author,
        size_bytes: version.size_bytes,
        sha256: version.sha256,
        pages: version.pages,
        passages: version.passages,
        approval: approval.map(encode_approval),
        created_at: version.created_at,
        submitted_at: version.submitted_at.unwrap_or(0),
        notes: serde_json::from_str(&version.notes).unwrap_or_default(),
        verifying: standing.is_being_verified,
        quarantined: standing.is_quarantined,
        verification: standing
            .verification
            .map(|row| verification(VerificationView { row, calls: standing.calls })),
    }
}

fn source_class(name: &str) -> proto::SourceClass {
    match name {
        "pubmed" => proto::SourceClass::Pubmed,
        "crossref" => proto::SourceClass::Crossref,
        "guideline" => proto::SourceClass::Guideline,
        "provider_attested" => proto::SourceClass::ProviderAttested,
        _ => proto::SourceClass::Unspecified,
    }
}

fn verdict(name: &str) -> proto::Verdict {
    match Verdict::of_name(name) {
        Some(Verdict::Verified) => proto::Verdict::Verified,
        Some(Verdict::Erratum) => proto::Verdict::Erratum,
        Some(Verdict::ExpressionOfConcern) => proto::Verdict::ExpressionOfConcern,
        Some(Verdict::PartiallyRetracted) => proto::Verdict::PartiallyRetracted,
        Some(Verdict::Retracted) => proto::Verdict::Retracted,
        Some(Verdict::RetractedAndRepublished) => proto::Verdict::RetractedAndRepublished,
        Some(Verdict::Unverifiable) => proto::Verdict::Unverifiable,
        None => proto::Verdict::Unspecified,
    }
}

pub(super) fn registry_key(row: registry_key::Model) -> proto::RegistryKey {
    proto::RegistryKey { fingerprint: row.fingerprint, set_by: row.set_by, set_at: row.set_at }
}

pub(super) fn registry_call(call: registry_call::Model) -> proto::RegistryCall {
    proto::RegistryCall {
        id: call.id,
        registry: call.registry,
        request: call.request,
        status: call.status as i32,
        sha256: call.sha256,
        finding: call.finding,
        called_at: call.called_at,
        source_version_id: call.source_version_id,
        verification_id: call.verification_id,
    }
}

pub(super) fn verification(view: VerificationView) -> proto::Verification {
    let row = view.row;
    proto::Verification {
        id: row.id,
        source_id: row.source_id,
        source_version_id: row.source_version_id,
        class: source_class(&row.class).into(),
        pmid: row.pmid,
        doi: row.doi,
        verdict: verdict(&row.verdict).into(),
        counts: row.counts,
        title: row.title,
        statement: row.statement,
        actor: row.actor,
        verified_at: row.verified_at,
        approval_id: row.approval_id.unwrap_or_default(),
        calls: view.calls.into_iter().map(registry_call).collect(),
    }
}

pub(super) fn task(row: task::Model) -> proto::Task {
    proto::Task {
        id: row.id,
        program_id: row.program_id,
        source_id: row.source_id,
        kind: row.kind,
        text: row.text,
        opened_at: row.opened_at,
        closed_at: row.closed_at.unwrap_or_default(),
        closed_by: row.closed_by,
        outcome: row.outcome,
    }
}

pub(super) fn content(source: ContentOfSource) -> proto::ReadContentResponse {
    proto::ReadContentResponse {
        source_id: source.source.source_id.clone(),
        source_version_id: source.source.source_version_id.clone(),
        source_title: source.source.title.clone(),
        quarantined: source.standing.is_quarantined,
        verification: source
            .standing
            .verification
            .map(|row| verification(VerificationView { row, calls: source.standing.calls })),
        passages: source.passages.into_iter().map(passage).collect(),
        program_title: source.program_title,
    }
}

fn encode_approval(row: approval::Model) -> proto::Approval {
    proto::Approval {
        id: row.id,
        approved: row.approved,
        reviewer: row.reviewer,
        reason: row.reason,
        decided_at: row.decided_at,
    }
}

fn locator(locator: Locator) -> proto::Locator {
    let at = match locator {
        Locator::Page(page) => At::Page(page.cast_signed()),
        Locator::Slide { number, notes } => At::Slide(proto::Slide { number: number.cast_signed(), notes }),
        Locator::Time { start_ms, end_ms, speaker } => {
            At::Time(proto::TimeRange { start_ms, end_ms, speaker })
        }
        Locator::Section(path) => {
            At::Section(proto::Section { path: path.iter().map(ToString::to_string).collect() })
        }
    };
    proto::Locator { at: Some(at) }
}

fn cue(cue: Cue) -> proto::Cue {
    proto::Cue {
        start: cue.start,
        end: cue.end,
        start_ms: cue.start_ms,
        end_ms: cue.end_ms,
        speaker: cue.speaker,
    }
}

pub(super) fn passage(view: PassageView) -> proto::Passage {
    let PassageView { row, parts, source } = view;
    proto::Passage {
        id: row.id,
        source_id: source.source_id.clone(),
        source_version_id: source.source_version_id.clone(),
        source_title: source.title.clone(),
        external_id: source.external_id.clone(),
        ordinal: row.ordinal as i32,
        heading: row.heading,
        text: row.text,
        locator: Some(locator(parts.locator)),
        start: row.start_byte,
        end: row.end_byte,
        sentence_starts: parts.sentences.iter().map(|range| range.start as u32).collect(),
        sentence_ends: parts.sentences.iter().map(|range| range.end as u32).collect(),
        cues: parts.cues.into_iter().map(cue).collect(),
    }
}

pub(super) fn document(view: DocumentView) -> proto::Document {
    proto::Document {
        source: Some(source(view.source)),
        text: view.text,
        passages: view.passages.into_iter().map(passage).collect(),
        pictures: view.pictures as i32,
        boxes: view
            .boxes
            .into_iter()
            .map(|word| proto::WordBox {
                page: word.page.cast_signed(),
                start: word.start.cast_signed(),
                end: word.end.cast_signed(),
                x: word.x,
                y: word.y,
                width: word.width,
                height: word.height,
            })
            .collect(),
        program_title: view.program_title,
    }
}

pub(super) fn version_page(page: VersionPage) -> proto::StreamVersionResponse {
    let passages = page.passages.into_iter().map(passage).collect();
    match page.version {
        Some(version) => proto::StreamVersionResponse {
            passages,
            program_id: version.program_id,
            program_title: version.title,
            app_id: version.app_id,
            total: version.passages,
        },
        None => proto::StreamVersionResponse { passages, ..proto::StreamVersionResponse::default() },
    }
}
