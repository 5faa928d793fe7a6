//! When a source loses its standing: its quizzes close, and the credits that rest on it say so and stay valid.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::AnnotationId;
use preceptor_proto::events::v1::SourceVerified;
use preceptor_store::AuditEntry;

use super::{Credits, program_id};
use crate::Error;
use crate::store::{annotation, attempts, awards, suspension};

/// A verdict in words.
fn words(verdict: &str) -> &str {
    match verdict {
        "retracted" => "was retracted",
        "partially_retracted" => "was retracted in part",
        "retracted_and_republished" => "was retracted and republished",
        "expression_of_concern" => "is under an expression of concern",
        "unverifiable" => "can no longer be found in its registry",
        _ => "changed its status",
    }
}

impl Credits {
    /// Takes in what was found out about a source version.
    pub(crate) async fn note_verdict(&self, scope: &Arc<Scope>, event: &str, verified: &SourceVerified) -> Result<(), Error> {
        if !verified.quarantined {
            return Ok(());
        }
        let mut tx = self.deps.store.write(scope).await?;
        if !tx.first_sight(event).await? {
            return Ok(());
        }
        let program = program_id(&verified.program_id)?;
        if awards::suspension(&tx, &verified.source_version_id).await?.is_none() {
            let row = suspension::Model {
                org_id: tx.org_key(),
                source_version_id: verified.source_version_id.clone(),
                verification_id: verified.verification_id.clone(),
                verdict: verified.verdict.clone(),
                suspended_at: tx.now().micros(),
            };
            tx.insert(row).await?;
            let entry = AuditEntry::done("quiz.suspended", &verified.source_version_id).in_program(program);
            tx.audit(entry.fact("verdict", &verified.verdict).fact("verification", &verified.verification_id))?;
        }
        let forms = attempts::forms_on(&tx, &verified.source_version_id).await?;
        for award in awards::of_forms(&tx, &forms).await? {
            let row = annotation::Model {
                org_id: tx.org_key(),
                id: AnnotationId::generate().to_string(),
                award_id: award.id.clone(),
                kind: "source_status".to_owned(),
                source_version_id: verified.source_version_id.clone(),
                verification_id: verified.verification_id.clone(),
                text: format!(
                    "A source of this activity {} after the credit was earned. The credit remains valid.",
                    words(&verified.verdict)
                ),
                noted_at: tx.now().micros(),
            };
            tx.insert(row).await?;
            let entry = AuditEntry::done("credit.annotated", &award.id).in_program(program);
            tx.audit(entry.fact("verdict", &verified.verdict).fact("verification", &verified.verification_id))?;
        }
        Ok(tx.commit().await?)
    }
}
