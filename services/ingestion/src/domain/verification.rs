//! What is found out about sources: by registries, by reviewers, and again every day.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::OrgId;
use preceptor_core::{Capability, Scope, SystemActor};
use preceptor_store::{AuditEntry, TenantTx};

use super::findings::{call_rows, event, is_about, keep, registry_event};
use super::programs::program_id;
use super::uploads::SourceView;
use super::{Content, bounded, check_reach, readable, sees_drafts, shown};
use crate::Error;
use crate::registries::{Asked, Verdict};
use crate::store::{
    programs, registry_call, source_version, sources, surveillance, task, verification, verifications,
};

const MOST_STATEMENT: usize = 2000;
/// An organization with nothing due is looked at again after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Registries that gave no answer are asked again after this long.
const TRY_AGAIN: Duration = Duration::from_secs(15 * 60);
/// Versions that are checked in one go.
const BATCH: u64 = 50;

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
            Way::Pmid(pmid) => watch(&mut tx, &version, &number(&pmid)?, "").await?,
            Way::Doi(doi) => watch(&mut tx, &version, "", &identifier(&doi)?).await?,
        }
        let view = self.source_view(&tx, source, version).await?;
        tx.commit().await?;
        self.due.add(scope.org());
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
            let (row, _) = sources::newest(&tx, source).await?;
            check_reach(scope, &row.program_id).map_err(|_| Error::SourceNotFound)?;
            verifications::versions_of(&tx, source).await?
        } else {
            // What is known of drafts is the provider's.
            vec![readable::see(&tx, scope, source, "").await?.version.id]
        };
        let mut views = Vec::new();
        for row in verifications::of_versions(&tx, &ids).await? {
            if check_reach(scope, &row.program_id).is_ok() {
                let calls = verifications::calls(&tx, &row.id).await?;
                let view = VerificationView { row, calls };
                // Credits read by version, and decide themselves what a holder is shown of the evidence.
                views.push(if source.is_empty() { view } else { shown::verification(scope, view) });
            }
        }
        Ok(views)
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
        let (row, _) = sources::newest(&tx, source).await?;
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

    /// Waits until a version may be due somewhere, and for a while at most.
    pub(crate) async fn due_orgs(&self) -> Result<BTreeSet<OrgId>, Error> {
        // Looked at every half minute even when nobody asked: what is due by the clock tells nobody.
        let asked = tokio::time::timeout(LOOK_AGAIN.min(self.config.recheck_every()), self.due.all()).await;
        let mut orgs: BTreeSet<OrgId> = asked.unwrap_or_default().into_iter().collect();
        orgs.extend(self.deps.store.known_orgs().await?);
        Ok(orgs)
    }

    /// Asks about every version of an org that is due. Returns how many were asked about.
    pub(crate) async fn check_due(&self, org: OrgId) -> Result<usize, Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org));
        let due = {
            let tx = self.deps.store.read(&scope).await?;
            verifications::due(&tx, tx.now().micros(), BATCH).await?
        };
        let key = if due.is_empty() { None } else { self.open_registry_key(&scope).await? };
        for row in &due {
            let asked = self.registries.ask(&row.pmid, &row.doi, key.as_ref()).await;
            self.conclude(&scope, row, asked).await?;
        }
        Ok(due.len())
    }

    /// Records what came of a question.
    async fn conclude(
        &self,
        scope: &Arc<Scope>,
        watched: &surveillance::Model,
        asked: Asked,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let Some(current) = verifications::watched(&tx, &watched.source_version_id).await? else {
            return Ok(());
        };
        let version = sources::version(&tx, &watched.source_version_id).await?;
        if asked.try_again {
            // On record, and asked again: a registry that is down proves nothing.
            verifications::keep_calls(&tx, call_rows(&tx, &version.id, "", asked.calls)).await?;
            verifications::postpone(&tx, &current, TRY_AGAIN).await?;
            return Ok(tx.commit().await?);
        }
        let verdict = match &asked.article {
            None => Verdict::Unverifiable,
            // The identifier was found to be right before: a retraction counts whatever became of the title.
            Some(article) if article.verdict.is_retraction() && was_found(&current) => article.verdict,
            Some(article) if !is_about(&tx, &version, article).await? => Verdict::Unverifiable,
            Some(article) => article.verdict,
        };
        // What is still as it was is no news: the calls are kept, and a new event only when something changed.
        if current.verdict == verdict.name() && current.checked_at > 0 {
            verifications::keep_calls(&tx, call_rows(&tx, &version.id, "", asked.calls)).await?;
        } else {
            let row = registry_event(&tx, &version, &current, asked.article.as_ref(), verdict);
            keep(&mut tx, &version, row, asked.calls).await?;
        }
        verifications::checked(&tx, &current, verdict, self.config.recheck_every()).await?;
        Ok(tx.commit().await?)
    }
}

/// Whether the registry's article was found to be this source under the identifier that is watched.
fn was_found(watched: &surveillance::Model) -> bool {
    Verdict::of_name(&watched.verdict).is_some_and(|verdict| verdict != Verdict::Unverifiable)
}

/// Has a version watched under an identifier, beginning now.
async fn watch(
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
    Ok(())
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
