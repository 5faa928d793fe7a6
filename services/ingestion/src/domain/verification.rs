//! What is found out about sources: by registries, by reviewers, and again every day.

use std::sync::Arc;

use preceptor_core::{Capability, Scope};
use preceptor_store::{AuditEntry, TenantTx};

use super::findings::{event, keep};
use super::programs::program_id;
use super::uploads::SourceView;
use super::{Content, bounded, check_reach, readable, sees_drafts, shown};
use crate::Error;
use crate::registries::Verdict;
use crate::store::{
    programs, registry_call, source_version, sources, surveillance, task, verification, verifications,
};

const MOST_STATEMENT: usize = 2000;

/// How a source is to be verified.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Pmid(String),
    Doi(String),
    /// A reviewer's statement: the class and the words.
    Attestation(&'static str, String),
}

/// A verification with the requests behind it.
#[derive(Debug, Clone)]
pub(crate) struct VerificationView {
    pub(crate) row: verification::Model,
    pub(crate) calls: Vec<registry_call::Model>,
}

fn number(pmid: &str) -> Result<String, Error> {
    let pmid = pmid.trim();
    let acceptable = (1..=8).contains(&pmid.len())
        && pmid.bytes().all(|byte| byte.is_ascii_digit())
        && !pmid.starts_with('0');
    if acceptable {
        Ok(pmid.to_owned())
    } else {
        Err(Error::InvalidField { field: "pmid", what: "must be a PubMed number of 1 to 8 digits" })
    }
}

fn identifier(doi: &str) -> Result<String, Error> {
    let doi = doi.trim();
    let doi = ["https://doi.org/", "http://dx.doi.org/", "doi:"]
        .iter()
        .find_map(|prefix| doi.strip_prefix(prefix))
        .unwrap_or(doi)
        .to_lowercase();
    let acceptable = doi.starts_with("10.")
        && doi.contains('/')
        && doi.len() <= 300
        && !doi.contains(|c: char| c.is_whitespace() || c == '"');
    if acceptable {
        Ok(doi)
    } else {
        Err(Error::InvalidField { field: "doi", what: "must be a DOI such as 10.1371/journal.pmed.1001518" })
    }
}

impl Content {
    /// Has a source verified. Registries are asked off the request path.
    pub(crate) async fn verify(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        way: Way,
    ) -> Result<SourceView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let (source, version) = sources::newest(&tx, source).await?;
        check_reach(scope, &source.program_id).map_err(|_| Error::SourceNotFound)?;
        if version.state == "extracting" || version.state == "failed" {
            return Err(Error::WrongState { state: version.state, needed: "read" });
        }
        match way {
            Way::Attestation(class, statement) => self.attest(&mut tx, &version, class, &statement).await?,
            Way::Pmid(pmid) => self.watch(&mut tx, &version, &number(&pmid)?, "").await?,
            Way::Doi(doi) => self.watch(&mut tx, &version, "", &identifier(&doi)?).await?,
        }
        let view = self.source_view(&tx, source, version).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// A reviewer answers for an approved guideline, or for the provider's own material after peer review.
    async fn attest(
        &self,
        tx: &mut TenantTx,
        version: &source_version::Model,
        class: &'static str,
        statement: &str,
    ) -> Result<(), Error> {
        let scope = tx.scope().clone();
        if !scope.grants(Capability::ApproveContent) || version.author == scope.subject() {
            return Err(Error::AuthorCannotDecide);
        }
        let statement = bounded(
            "statement",
            statement,
            MOST_STATEMENT,
            "say on what the content rests, in at most 2000 characters",
        )?;
        let approval = sources::approval(tx, &version.id).await?.filter(|approval| approval.approved);
        let approval = approval.ok_or_else(|| Error::WrongState {
            state: version.state.replace('_', " "),
            needed: "approved",
        })?;
        let row = verification::Model {
            statement,
            approval_id: Some(approval.id),
            approved: Some(true),
            ..event(tx, version, class, Verdict::Verified)
        };
        keep(tx, version, row, Vec::new()).await
    }

    /// Everything that was said about a source, or about these versions; newest first.
    pub(crate) async fn verifications(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        version_ids: Vec<String>,
    ) -> Result<Vec<VerificationView>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let reads_record = sees_drafts(scope) || scope.grants(Capability::ReadAudit);
        let ids = if source.is_empty() {
            version_ids
        } else if reads_record {
            let row = sources::get(&tx, source).await?;
            check_reach(scope, &row.program_id).map_err(|_| Error::SourceNotFound)?;
            verifications::versions_of(&tx, source).await?
        } else {
            // What is known of drafts is the provider's.
            vec![readable::see(&tx, scope, source, "").await?.version.id]
        };
        let mut rows = verifications::of_versions(&tx, &ids).await?;
        rows.retain(|row| check_reach(scope, &row.program_id).is_ok());
        let mut calls = verifications::calls(&tx, rows.iter().map(|row| row.id.clone()).collect()).await?;
        let view = |row: verification::Model| {
            let calls = calls.remove(&row.id).unwrap_or_default();
            let view = VerificationView { row, calls };
            // Credits read by version, and decide themselves what a holder is shown of the evidence.
            if source.is_empty() { view } else { shown::verification(scope, view) }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Every request to a registry about a source, those of daily checks too; newest first, without what came back.
    pub(crate) async fn registry_calls(
        &self,
        scope: &Arc<Scope>,
        source: &str,
        before: &str,
        limit: u64,
    ) -> Result<Vec<registry_call::Model>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = sources::get(&tx, source).await?;
        check_reach(scope, &row.program_id).map_err(|_| Error::SourceNotFound)?;
        verifications::calls_about(&tx, &verifications::versions_of(&tx, source).await?, before, limit).await
    }

    /// One request with exactly what came back.
    pub(crate) async fn registry_call(
        &self,
        scope: &Arc<Scope>,
        id: &str,
    ) -> Result<registry_call::Model, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = verifications::call(&tx, id).await?.ok_or(Error::RegistryCallNotFound)?;
        let version = sources::version(&tx, &row.source_version_id).await?;
        check_reach(scope, &version.program_id).map_err(|_| Error::RegistryCallNotFound)?;
        Ok(row)
    }

    pub(crate) async fn tasks(&self, scope: &Arc<Scope>, program: &str) -> Result<Vec<task::Model>, Error> {
        check_reach(scope, program)?;
        let tx = self.deps.store.read(scope).await?;
        programs::get(&tx, program).await?;
        verifications::tasks(&tx, program).await
    }

    pub(crate) async fn close_task(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        outcome: &str,
    ) -> Result<task::Model, Error> {
        let outcome =
            bounded("outcome", outcome, MOST_STATEMENT, "say what was decided, in at most 2000 characters")?;
        let mut tx = self.deps.store.write(scope).await?;
        let row = verifications::task(&tx, id).await?.ok_or(Error::TaskNotFound)?;
        check_reach(scope, &row.program_id).map_err(|_| Error::TaskNotFound)?;
        if row.closed_at.is_some() {
            return Ok(row);
        }
        verifications::close_task(&tx, id, &outcome).await?;
        tx.audit(
            AuditEntry::done("task.closed", id).in_program(program_id(&row.program_id)?).because(outcome),
        )?;
        let row = verifications::task(&tx, id).await?.ok_or(Error::TaskNotFound)?;
        tx.commit().await?;
        Ok(row)
    }
}

impl Content {
    /// Has a version watched under an identifier, beginning now.
    async fn watch(
        &self,
        tx: &mut TenantTx,
        version: &source_version::Model,
        pmid: &str,
        doi: &str,
    ) -> Result<(), Error> {
        let before = verifications::watched(tx, &version.id)
            .await?
            .filter(|before| before.pmid == pmid && before.doi == doi);
        let row = surveillance::Model {
            org_id: tx.org_key(),
            source_version_id: version.id.clone(),
            program_id: version.program_id.clone(),
            source_id: version.source_id.clone(),
            pmid: pmid.to_owned(),
            doi: doi.to_owned(),
            // The same question again does not forget what was found.
            verdict: before.map(|before| before.verdict).unwrap_or_default(),
            next_check_at: tx.now().micros(),
            checked_at: 0,
        };
        verifications::watch(tx, row).await?;
        let entry = AuditEntry::done("source.verification_requested", &version.id)
            .in_program(program_id(&version.program_id)?);
        tx.audit(entry.fact("pmid", pmid).fact("doi", doi))?;
        self.queue_check(tx, &version.id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_taken_in_every_usual_form() {
        assert_eq!(number(" 22663011 ").expect("a number"), "22663011");
        assert!(number("PMC123").is_err() && number("0").is_err() && number("123456789").is_err());
        for doi in [
            "10.1371/journal.PMED.1001518",
            "https://doi.org/10.1371/journal.pmed.1001518",
            "doi:10.1371/journal.pmed.1001518",
        ] {
            assert_eq!(identifier(doi).expect("a DOI"), "10.1371/journal.pmed.1001518");
        }
        assert!(
            identifier("11.1/x").is_err() && identifier("10.1 /x").is_err() && identifier("10.1371").is_err()
        );
    }
}
