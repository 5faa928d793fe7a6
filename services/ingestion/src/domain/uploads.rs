//! Sources as they are shown: each with its newest version.

use std::collections::HashMap;
use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_store::TenantTx;

use super::extraction::READING;
use super::readable::{self, Seen};
use super::{Content, check_reach, shown};
use crate::Error;
use crate::store::verifications::{Marked, Marks};
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
        let after = (!after.is_empty()).then_some(after);
        let rows = sources::list(&tx, program, after, limit).await?;
        if rows.is_empty() {
            // A program without sources, or none.
            programs::get(&tx, program).await?;
        }
        let seen = readable::see_all(&tx, scope, program, rows).await?;
        let views = self.source_views(&tx, seen).await?;
        Ok(views.into_iter().map(|view| shown::source(scope, view)).collect())
    }

    pub(super) async fn source_view(
        &self,
        tx: &TenantTx,
        source: source::Model,
        version: source_version::Model,
    ) -> Result<SourceView, Error> {
        let marked = verifications::marked(tx, vec![version.id.clone()]).await?.pop();
        let marks = marked.ok_or(Error::SourceNotFound)?.marks;
        let view = self.source_views(tx, vec![(source, Marked { version, marks })]).await?.pop();
        view.ok_or_else(|| Error::Defect("a source without its view".into()))
    }

    /// Sources, each at one version, with everything that is shown of them.
    async fn source_views(
        &self,
        tx: &TenantTx,
        seen: Vec<(source::Model, Marked)>,
    ) -> Result<Vec<SourceView>, Error> {
        if seen.is_empty() {
            return Ok(Vec::new());
        }
        let versions = || seen.iter().map(|(_, marked)| &marked.version);
        let ids: Vec<String> = versions().map(|version| version.id.clone()).collect();
        let unread: Vec<String> = versions()
            .filter(|version| version.state == "extracting")
            .map(|version| version.id.clone())
            .collect();
        let mut progress = self.jobs.progress(tx, READING, &unread).await?;
        let mut standings = standings(tx, versions_with_marks(seen.iter().map(|(_, marked)| marked))).await?;
        let mut approvals: HashMap<String, approval::Model> = sources::approvals(tx, ids)
            .await?
            .into_iter()
            .map(|approval| (approval.source_version_id.clone(), approval))
            .collect();
        let view = |(source, Marked { version, .. }): (source::Model, Marked)| SourceView {
            approval: approvals.remove(&version.id),
            progress: progress.remove(&version.id),
            standing: standings.remove(&version.id).unwrap_or_default(),
            source,
            version,
        };
        Ok(seen.into_iter().map(view).collect())
    }
}

/// The ids of versions with their marks.
pub(super) fn versions_with_marks<'a>(marked: impl Iterator<Item = &'a Marked>) -> Vec<(String, Marks)> {
    marked.map(|marked| (marked.version.id.clone(), marked.marks)).collect()
}

/// What was found out about versions, by version.
pub(super) async fn standings(
    tx: &TenantTx,
    versions: Vec<(String, Marks)>,
) -> Result<HashMap<String, Standing>, Error> {
    let ids: Vec<String> = versions.iter().map(|(id, _)| id.clone()).collect();
    let mut newest: HashMap<String, verification::Model> = verifications::newest_of(tx, &ids)
        .await?
        .into_iter()
        .map(|row| (row.source_version_id.clone(), row))
        .collect();
    let mut calls = verifications::calls(tx, newest.values().map(|row| row.id.clone()).collect()).await?;
    let standing = |(id, marks): (String, Marks)| {
        let verification = newest.remove(&id);
        let calls = verification.as_ref().and_then(|row| calls.remove(&row.id)).unwrap_or_default();
        let Marks { is_being_verified, is_quarantined } = marks;
        (id, Standing { verification, calls, is_being_verified, is_quarantined })
    };
    Ok(versions.into_iter().map(standing).collect())
}
