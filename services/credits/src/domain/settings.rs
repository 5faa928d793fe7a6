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

/// What holds for all certificates of an org.
#[derive(Debug)]
pub(crate) struct SettingsView {
    /// The paper that it chose; nothing where the rules of its accrediting body decide.
    pub(crate) paper: Option<setting::Model>,
    /// Scripts of which they can show no name.
    pub(crate) unprintable_scripts: Vec<&'static str>,
}

impl Credits {
    fn settings_view(&self, paper: Option<setting::Model>) -> SettingsView {
        SettingsView { paper, unprintable_scripts: self.deps.fonts.missing_scripts() }
    }

    /// What holds for all certificates of the org.
    pub(crate) async fn settings(&self, scope: &Arc<Scope>) -> Result<SettingsView, Error> {
        let tx = self.deps.store.read(scope).await?;
        Ok(self.settings_view(settings::get(&tx, PAPER).await?))
    }

    /// Chooses the paper of the org's certificates, or leaves it to the rules again.
    pub(crate) async fn choose_paper(
        &self,
        scope: &Arc<Scope>,
        paper: Option<Paper>,
    ) -> Result<SettingsView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let known = settings::get(&tx, PAPER).await?;
        if known.as_ref().map(|row| row.value.as_str()) == paper.map(Paper::name) {
            return Ok(self.settings_view(known));
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
        Ok(self.settings_view(chosen))
    }
}
