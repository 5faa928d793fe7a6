//! What is kept of a verdict, and what follows from it: the event, the requests behind it, quarantine, a task.

use std::collections::BTreeSet;

use preceptor_core::id::{RegistryCallId, TaskId, VerificationId};
use preceptor_proto::events::v1::SourceVerified;
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::programs::program_id;
use super::readable;
use crate::Error;
use crate::registries::{Article, CallRecord, Verdict};
use crate::store::{
    quarantine, registry_call, source_version, sources, surveillance, task, verification, verifications,
};

/// Content words of the registry's title that have to be in the document.
const TITLE_FOUND: f64 = 0.6;
/// Where in a document its title is looked for, in passages.
const TITLE_PASSAGES: u64 = 8;

pub(super) fn event(
    tx: &TenantTx,
    version: &source_version::Model,
    class: &str,
    verdict: Verdict,
) -> verification::Model {
    verification::Model {
        org_id: tx.org_key(),
        id: VerificationId::generate().to_string(),
        program_id: version.program_id.clone(),
        source_id: version.source_id.clone(),
        source_version_id: version.id.clone(),
        class: class.to_owned(),
        pmid: String::new(),
        doi: String::new(),
        verdict: verdict.name().to_owned(),
        counts: verdict.counts(),
        title: String::new(),
        metadata: "{}".to_owned(),
        statement: String::new(),
        approval_id: None,
        approved: None,
        actor: tx.scope().subject().to_owned(),
        verified_at: tx.now().micros(),
    }
}

pub(super) fn registry_event(
    tx: &TenantTx,
    version: &source_version::Model,
    watched: &surveillance::Model,
    article: Option<&Article>,
    verdict: Verdict,
) -> verification::Model {
    let class = article.map_or(if watched.pmid.is_empty() { "crossref" } else { "pubmed" }, |article| {
        article.registry.name()
    });
    let base = event(tx, version, class, verdict);
    let Some(article) = article else {
        return verification::Model {
            pmid: watched.pmid.clone(),
            doi: watched.doi.clone(),
            statement: "no registry has this article".into(),
            ..base
        };
    };
    let or = |found: &str, stated: &str| if found.is_empty() { stated.to_owned() } else { found.to_owned() };
    let differs = verdict == Verdict::Unverifiable;
    verification::Model {
        pmid: or(&article.pmid, &watched.pmid),
        doi: or(&article.doi, &watched.doi),
        title: article.title.clone(),
        metadata: serde_json::json!({ "journal": article.journal, "year": article.year, "markers": article.markers }).to_string(),
        statement: if differs {
            "the registry's article of this identifier has another title than the document".into()
        } else {
            String::new()
        },
        ..base
    }
}

/// Whether a document is the article that a registry names: most words of the title stand at its beginning.
pub(super) async fn is_about(
    tx: &TenantTx,
    version: &source_version::Model,
    article: &Article,
) -> Result<bool, Error> {
    let words = |text: &str| {
        let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3);
        split.map(str::to_lowercase).collect::<BTreeSet<String>>()
    };
    let wanted = words(without_notice(&article.title));
    let mut beginning = format!("{} {}", version.title, version.file_name);
    let readable = readable::for_platform(tx, version)?;
    for passage in sources::passages(tx, &readable, 0, TITLE_PASSAGES).await? {
        beginning.push(' ');
        beginning.push_str(&passage.heading);
        beginning.push(' ');
        beginning.push_str(&passage.text);
    }
    let found = wanted.intersection(&words(&beginning)).count();
    Ok(!wanted.is_empty() && found as f64 / wanted.len() as f64 >= TITLE_FOUND)
}

/// A title without what publishers put before it, such as "RETRACTED:".
fn without_notice(title: &str) -> &str {
    match title.split_once(':') {
        Some((notice, rest))
            if ["RETRACTED", "WITHDRAWN", "RETRACTION"]
                .iter()
                .any(|word| notice.to_uppercase().starts_with(word)) =>
        {
            rest
        }
        _ => title,
    }
}

pub(super) fn call_rows(
    tx: &TenantTx,
    version: &str,
    verification: &str,
    calls: Vec<CallRecord>,
) -> Vec<registry_call::Model> {
    let row = |call: CallRecord| registry_call::Model {
        org_id: tx.org_key(),
        id: RegistryCallId::generate().to_string(),
        source_version_id: version.to_owned(),
        verification_id: verification.to_owned(),
        registry: call.registry.to_owned(),
        request: call.request,
        status: call.status,
        sha256: hex::encode(Sha256::digest(&call.body)),
        body: call.body,
        finding: call.finding,
        called_at: call.called_at,
    };
    calls.into_iter().map(row).collect()
}

/// Keeps a verification, with everything that follows from it.
pub(super) async fn keep(
    tx: &mut TenantTx,
    version: &source_version::Model,
    row: verification::Model,
    calls: Vec<CallRecord>,
) -> Result<(), Error> {
    let previous = verifications::newest(tx, &version.id).await?;
    let calls = call_rows(tx, &version.id, &row.id, calls);
    let program = program_id(&version.program_id)?;
    let hashes: Vec<String> = calls.iter().map(|call| call.sha256.clone()).collect();
    tx.insert(row.clone()).await?;
    verifications::keep_calls(tx, calls).await?;
    let entry =
        AuditEntry::done("source.verified", &version.id).in_program(program).fact("verification", &row.id);
    let entry = entry
        .fact("class", &row.class)
        .fact("verdict", &row.verdict)
        .fact("pmid", &row.pmid)
        .fact("doi", &row.doi);
    tx.audit(entry.fact("calls_sha256", hashes.join(",")))?;

    let verdict = Verdict::of_name(&row.verdict).ok_or_else(|| Error::Defect("an unknown verdict".into()))?;
    let retracted = verdict.is_retraction();
    let newly = retracted && verifications::quarantine(tx, &version.id).await?.is_none();
    if newly {
        let quarantined = quarantine::Model {
            org_id: tx.org_key(),
            source_version_id: version.id.clone(),
            program_id: version.program_id.clone(),
            source_id: version.source_id.clone(),
            verification_id: row.id.clone(),
            verdict: row.verdict.clone(),
            quarantined_at: tx.now().micros(),
        };
        tx.insert(quarantined).await?;
        tx.audit(
            AuditEntry::done("source.quarantined", &version.id)
                .in_program(program)
                .fact("verdict", &row.verdict),
        )?;
    }
    if !verdict.counts() {
        open_task(tx, version, verdict).await?;
    }
    let told = SourceVerified {
        program_id: version.program_id.clone(),
        source_id: version.source_id.clone(),
        source_version_id: version.id.clone(),
        verification_id: row.id,
        verdict: row.verdict,
        previous: previous.map(|row| row.verdict).unwrap_or_default(),
        quarantined: retracted,
    };
    tx.emit("source.verified", &told)?;
    Ok(())
}

async fn open_task(tx: &TenantTx, version: &source_version::Model, verdict: Verdict) -> Result<(), Error> {
    let what = match verdict {
        Verdict::Unverifiable => {
            "could not be verified: no registry has an article of this identifier and title. Correct the identifier, or have a reviewer attest the source."
        }
        Verdict::ExpressionOfConcern => {
            "is under an expression of concern. Decide whether the program still relies on it."
        }
        _ => {
            "was retracted. It is no longer served and its quizzes are closed; credits that were earned stay valid and say so. Replace it and publish again."
        }
    };
    let name = if version.title.is_empty() { &version.file_name } else { &version.title };
    let row = task::Model {
        org_id: tx.org_key(),
        id: TaskId::generate().to_string(),
        program_id: version.program_id.clone(),
        source_id: version.source_id.clone(),
        kind: format!("source_{}", verdict.name()),
        text: format!("“{name}” {what}"),
        opened_at: tx.now().micros(),
        closed_at: None,
        closed_by: String::new(),
        outcome: String::new(),
    };
    Ok(tx.insert(row).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_publishers_put_before_a_title_is_none_of_it() {
        for noticed in [
            "RETRACTED: Doses of warfarin",
            "Retracted Article: Doses of warfarin",
            "WITHDRAWN: Doses of warfarin",
        ] {
            assert_eq!(without_notice(noticed).trim(), "Doses of warfarin");
        }
        for own in ["Doses of warfarin: a trial", "Retracted articles and their readers"] {
            assert_eq!(without_notice(own), own);
        }
    }
}
