//! What is shown to whom. Learners see what a source and a program teach and how they stand; who of the staff did what,
//! why, and what is still a draft, is the provider's.

use preceptor_core::{Capability, Scope};

use super::programs::ProgramView;
use super::sees_drafts;
use super::uploads::SourceView;
use super::verification::VerificationView;

/// A source without what only staff see.
pub(super) fn source(scope: &Scope, mut view: SourceView) -> SourceView {
    if sees_drafts(scope) {
        return view;
    }
    view.version.author.clear();
    view.version.problem_code.clear();
    view.version.problem_message.clear();
    view.version.notes.clear();
    view.version.submitted_at = None;
    view.progress = None;
    if let Some(approval) = &mut view.approval {
        approval.id.clear();
        approval.reviewer.clear();
        approval.reason.clear();
    }
    if let Some(row) = view.standing.verification.take() {
        let calls = std::mem::take(&mut view.standing.calls);
        let shown = verification(scope, VerificationView { row, calls });
        view.standing.verification = Some(shown.row);
    }
    view
}

/// A verification without who made it and what was asked.
pub(super) fn verification(scope: &Scope, mut view: VerificationView) -> VerificationView {
    if sees_drafts(scope) || scope.grants(Capability::ReadAudit) {
        return view;
    }
    view.row.actor.clear();
    view.row.statement.clear();
    view.row.approval_id = None;
    view.calls.clear();
    view
}

/// A program without drafts and names of staff.
pub(super) fn program(scope: &Scope, mut view: ProgramView) -> ProgramView {
    if sees_drafts(scope) || scope.grants(Capability::ReadInsight) {
        return view;
    }
    view.program.created_by.clear();
    view.pending = None;
    view.counts.clear();
    view
}
