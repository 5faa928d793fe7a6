//! Sources as they are shown: each with its newest version.

use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_store::TenantTx;

use super::extraction::READING;
use super::readable::{self, Seen};
use super::{Content, check_reach, shown};
use crate::Error;
use crate::store::{
    approval, programs, registry_call, source, source_version, sources, verification, verifications,
};

/// A source with its newest version.
#[derive(Debug)]
pub(crate) struct SourceView {
    pub(crate) source: source::Model,
    pub(crate) version: source_version::Model,
    pub(crate) approval: Option<approval::Model>,
    /// Pages read, of how many, while it is being read.
    pub(crate) progress: Option<(u64, u64)>,
    pub(crate) standing: Standing,
}

/// What was found out about a version.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    pub(crate) verification: Option<verification::Model>,
    pub(crate) calls: Vec<registry_call::Model>,
    pub(crate) is_being_verified: bool,
    pub(crate) is_quarantined: bool,
}

impl Content {
    pub(crate) async fn source(&self, scope: &Arc<Scope>, id: &str) -> Result<SourceView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let Seen { source, version, .. } = readable::see(&tx, scope, id, "").await?;
        Ok(shown::source(scope, self.source_view(&tx, source, version).await?))
    }

    pub(crate) async fn list_sources(
        &self,
        scope: &Arc<Scope>,
        program: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<SourceView>, Error> {
        check_reach(scope, program)?;
        let tx = self.deps.store.read(scope).await?;
        programs::get(&tx, program).await?;
        let after = (!after.is_empty()).then_some(after);
        let rows = sources::list(&tx, program, after, limit).await?;
        let seen = readable::see_all(&tx, scope, program, rows).await?;
        let approvals =
            sources::approvals(&tx, seen.iter().map(|(_, version)| version.id.clone()).collect()).await?;
        let unread = seen
            .iter()
            .filter(|(_, version)| version.state == "extracting")
            .map(|(_, version)| version.id.clone())
            .collect::<Vec<_>>();
        let mut progress = self.jobs.progress(&tx, READING, &unread).await?;
        let mut views = Vec::with_capacity(seen.len());
        for (source, version) in seen {
            let approval =
                approvals.iter().find(|approval| approval.source_version_id == version.id).cloned();
            let progress = progress.remove(&version.id);
            let standing = standing(&tx, &version.id).await?;
            views.push(shown::source(scope, SourceView { source, version, approval, progress, standing }));
        }
        Ok(views)
    }

    /// How far the reading of a version is.
    async fn reading_progress(
        &self,
        tx: &TenantTx,
        version: &source_version::Model,
    ) -> Result<Option<(u64, u64)>, Error> {
        if version.state != "extracting" {
            return Ok(None);
        }
        Ok(self.jobs.progress(tx, READING, std::slice::from_ref(&version.id)).await?.remove(&version.id))
    }

    pub(super) async fn source_view(
        &self,
        tx: &TenantTx,
        source: source::Model,
        version: source_version::Model,
    ) -> Result<SourceView, Error> {
        let approval = sources::approval(tx, &version.id).await?;
        let progress = self.reading_progress(tx, &version).await?;
        let standing = standing(tx, &version.id).await?;
        Ok(SourceView { source, version, approval, progress, standing })
    }
}

/// What was found out about a version.
pub(super) async fn standing(tx: &TenantTx, version: &str) -> Result<Standing, Error> {
    let verification = verifications::newest(tx, version).await?;
    Ok(Standing {
        is_being_verified: verifications::watched(tx, version)
            .await?
            .is_some_and(|watched| watched.checked_at == 0),
        is_quarantined: verifications::quarantine(tx, version).await?.is_some(),
        calls: match &verification {
            Some(row) => verifications::calls(tx, &row.id).await?,
            None => Vec::new(),
        },
        verification,
    })
}
