//! Submitting and deciding. No one decides on their own work; the database says the same.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::display::seen_lines;
use preceptor_core::id::ApprovalId;
use preceptor_store::AuditEntry;

use super::programs::program_id;
use super::uploads::SourceView;
use super::{Content, check_reach};
use crate::Error;
use crate::store::{approval, sources};

const MOST_REASON: usize = 2000;

impl Content {
    pub(crate) async fn submit(&self, scope: &Arc<Scope>, source: &str) -> Result<SourceView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let (source, version) = sources::newest(&tx, source).await?;
        check_reach(scope, &source.program_id).map_err(|_| Error::SourceNotFound)?;
        sources::change_state(&tx, &version, "draft", "in_review").await?;
        tx.audit(
            AuditEntry::done("source.submitted", &version.id).in_program(program_id(&source.program_id)?),
        )?;
        let version = sources::version(&tx, &version.id).await?;
        let view = self.source_view(&tx, source, version).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn decide(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        approve: bool,
        reason: &str,
    ) -> Result<SourceView, Error> {
        let reason = seen_lines(reason);
        if reason.chars().count() > MOST_REASON || (!approve && reason.is_empty()) {
            return Err(Error::InvalidField {
                field: "reason",
                what: "a rejection needs one, of at most 2000 characters",
            });
        }
        let mut tx = self.deps.store.write(scope).await?;
        let (source, version) = sources::newest(&tx, source).await?;
        check_reach(scope, &source.program_id).map_err(|_| Error::SourceNotFound)?;
        let program = program_id(&source.program_id)?;
        if version.author == scope.subject() {
            let entry = AuditEntry::refused("source.approved", &version.id, "AUTHOR_CANNOT_DECIDE")
                .in_program(program);
            tx.audit(entry)?;
            tx.commit().await?;
            return Err(Error::AuthorCannotDecide);
        }
        sources::change_state(&tx, &version, "in_review", if approve { "approved" } else { "rejected" })
            .await?;
        let decision = approval::Model {
            org_id: tx.org_key(),
            id: ApprovalId::generate().to_string(),
            source_version_id: version.id.clone(),
            author: version.author.clone(),
            reviewer: scope.subject().to_owned(),
            approved: approve,
            reason: reason.clone(),
            decided_at: tx.now().micros(),
        };
        tx.insert(decision.clone()).await?;
        let action = if approve { "source.approved" } else { "source.rejected" };
        let entry = AuditEntry::done(action, &version.id).in_program(program).because(reason);
        tx.audit(
            entry
                .fact("approval", &decision.id)
                .fact("author", &decision.author)
                .fact("sha256", &version.sha256),
        )?;
        let version = sources::version(&tx, &version.id).await?;
        let view = self.source_view(&tx, source, version).await?;
        tx.commit().await?;
        Ok(view)
    }
}
