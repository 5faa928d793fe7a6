//! What an org chooses for its certificates: the paper.

use std::sync::Arc;

use preceptor_certificate::Paper;
use preceptor_core::Scope;
use preceptor_store::{AuditEntry, TenantTx};

use super::Credits;
use crate::Error;
use crate::store::{setting, settings};

const PAPER: &str = "paper";

/// The paper that an org chose, if it chose one.
pub(super) async fn paper(tx: &TenantTx) -> Result<Option<Paper>, Error> {
    Ok(settings::get(tx, PAPER).await?.and_then(|row| Paper::of_name(&row.value)))
}

impl Credits {
    /// What the org chose; nothing where the rules of its accrediting body decide.
    pub(crate) async fn settings(&self, scope: &Arc<Scope>) -> Result<Option<setting::Model>, Error> {
        settings::get(&self.deps.store.read(scope).await?, PAPER).await
    }

    /// Chooses the paper of the org's certificates, or leaves it to the rules again.
    pub(crate) async fn choose_paper(
        &self,
        scope: &Arc<Scope>,
        paper: Option<Paper>,
    ) -> Result<Option<setting::Model>, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let known = settings::get(&tx, PAPER).await?;
        if known.as_ref().map(|row| row.value.as_str()) == paper.map(Paper::name) {
            return Ok(known);
        }
        settings::forget(&tx, PAPER).await?;
        let chosen = paper.map(|paper| setting::Model {
            org_id: tx.org_key(),
            name: PAPER.to_owned(),
            value: paper.name().to_owned(),
            set_by: scope.subject().to_owned(),
            set_at: tx.now().micros(),
        });
        if let Some(row) = &chosen {
            tx.insert(row.clone()).await?;
        }
        tx.audit(
            AuditEntry::done("certificate_settings.set", PAPER)
                .fact("paper", paper.map_or("usual", Paper::name)),
        )?;
        tx.commit().await?;
        Ok(chosen)
    }
}
