//! When a source loses its standing: its quizzes close, and the credits that rest on it say so and stay valid.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::AnnotationId;
use preceptor_proto::events::v1::SourceVerified;
use preceptor_store::{AuditEntry, TenantTx};

use super::{Credits, program_id};
use crate::Error;
use crate::store::{annotation, attempts, award, awards, suspension};

/// A verdict in words.
fn words(verdict: &str) -> &'static str {
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
    pub(crate) async fn note_verdict(
        &self,
        scope: &Arc<Scope>,
        event: &str,
        verified: &SourceVerified,
    ) -> Result<(), Error> {
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
            tx.audit(
                entry.fact("verdict", &verified.verdict).fact("verification", &verified.verification_id),
            )?;
        }
        let forms = attempts::forms_on(&tx, &verified.source_version_id).await?;
        let finding = Finding {
            version: &verified.source_version_id,
            verification: &verified.verification_id,
            verdict: &verified.verdict,
            noted_at: tx.now().micros(),
        };
        for award in awards::of_forms(&tx, &forms).await? {
            annotate(&mut tx, &award, finding).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What was found out about a source version.
#[derive(Clone, Copy)]
struct Finding<'a> {
    version: &'a str,
    verification: &'a str,
    verdict: &'a str,
    noted_at: i64,
}

impl Finding<'_> {
    /// The finding in words, for the holder of a credit. Quizzes that were under way could be finished.
    fn remark(&self, award: &award::Model) -> String {
        let when = if award.quiz_completed_at < self.noted_at {
            "after the quiz was taken"
        } else {
            "while the quiz was being taken"
        };
        format!("A source of this activity {} {when}. The credit remains valid.", words(self.verdict))
    }
}

/// Has a credit say that a source of it lost its standing.
async fn annotate(
    tx: &mut TenantTx,
    award: &award::Model,
    finding: Finding<'_>,
) -> Result<annotation::Model, Error> {
    let row = annotation::Model {
        org_id: tx.org_key(),
        id: AnnotationId::generate().to_string(),
        award_id: award.id.clone(),
        kind: "source_status".to_owned(),
        source_version_id: finding.version.to_owned(),
        verification_id: finding.verification.to_owned(),
        text: finding.remark(award),
        noted_at: tx.now().micros(),
    };
    tx.insert(row.clone()).await?;
    let entry = AuditEntry::done("credit.annotated", &award.id).in_program(program_id(&award.program_id)?);
    tx.audit(entry.fact("verdict", finding.verdict).fact("verification", finding.verification))?;
    Ok(row)
}

/// The remarks that a new credit begins with: its quiz was begun before a source of it lost its standing.
pub(super) async fn annotate_new(
    tx: &mut TenantTx,
    award: &award::Model,
) -> Result<Vec<annotation::Model>, Error> {
    let suspended = awards::suspensions(tx).await?;
    if suspended.is_empty() {
        return Ok(Vec::new());
    }
    let sources = attempts::form_sources(tx, &award.form_id).await?;
    let mut remarks = Vec::new();
    for row in suspended
        .iter()
        .filter(|row| sources.iter().any(|source| source.source_version_id == row.source_version_id))
    {
        let finding = Finding {
            version: &row.source_version_id,
            verification: &row.verification_id,
            verdict: &row.verdict,
            noted_at: row.suspended_at,
        };
        remarks.push(annotate(tx, award, finding).await?);
    }
    Ok(remarks)
}
