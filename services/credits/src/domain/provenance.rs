//! "How was this credit earned?": the whole chain in one document.

use preceptor_core::{Capability, Timestamp};
use preceptor_proto::audit::v1 as audit;
use preceptor_proto::credentials::v1 as credentials;
use preceptor_proto::events::v1::AuditRecord;
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_rpc::Call;
use prost::Message as _;
use serde_json::{Value, json};

use super::awards::{CreditView, view};
use super::questions::Printed;
use super::shown::{self, Quoting};
use super::{Credits, rules};
use crate::Error;
use crate::error::Missing;
use crate::store::{
    accreditation, accreditation_decision, answer, attempts, award, certificate, form_source,
    offers as offer_rows, result,
};

/// An instant as the document writes it.
fn at(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}

impl Credits {
    /// The chain behind a credit, to its holder and to those who read the record.
    pub(crate) async fn provenance(&self, call: &Call, credit: &str) -> Result<Value, Error> {
        let scope = call.shared_scope();
        let tx = self.deps.store.read(&scope).await?;
        let award = self.visible(&tx, &scope, credit).await?;
        let result = self.earned_by(&tx, &award).await?;
        let credit = view(&tx, award).await?;
        let award = &credit.award;
        let missing = |what: &str| Error::Defect(format!("an award without its {what}"));
        let decision = match &award.accreditation_decision {
            Some(decision) => offer_rows::decision_of_id(&tx, decision).await?,
            None => None,
        };
        let answers = attempts::answers(&tx, std::slice::from_ref(&award.attempt_id)).await?;
        let sources = attempts::form_sources(&tx, &award.form_id).await?;
        let printed = self.printed(&tx, &award.form_id).await?;
        let attempt = attempts::get(&tx, &award.attempt_id).await?.ok_or_else(|| missing("attempt"))?;
        let versions = sources.iter().map(|source| &source.source_version_id).collect();
        let quoting = Quoting::new(&scope, attempts::suspended(&tx, versions).await?);
        drop(tx);
        if award.learner != scope.subject() {
            self.note_reader(&scope, &award.program_id, "provenance read").await?;
        }

        let credential = self.credential(call, award).await?;
        let reads_record = scope.grants(Capability::ReadAudit);
        let document = json!({
            "credit": credit_part(&credit),
            "accreditation": accreditation_part(&credit.accreditation, decision.as_ref()),
            "designation": designation_part(&credit),
            "sources": self.sources_part(call, &sources).await?,
            "quiz": quiz_part(&printed, &answers, &quoting),
            "attempt": attempt_part(&result, attempt.number),
            "evaluation": { "required": award.evaluation_required, "id": award.evaluation_id },
            "credential": credential_part(&credential, reads_record),
            "proof": self.proof_part(call, credit.certificate.as_ref()).await?,
            "records": self.records_part(call, &Links { credit: &credit, sources: &sources, printed: &printed, credential: &credential }, reads_record).await?,
        });
        Ok(shown::document(&scope, document))
    }

    /// What the log holds about every link, with the proof of each record. What names people's reasons is for those who
    /// read the record: a holder gets the records of what was theirs.
    async fn records_part(&self, call: &Call, links: &Links<'_>, reads_record: bool) -> Result<Value, Error> {
        let mut objects = links.of_holder();
        if reads_record {
            objects.extend(links.of_provider());
        }
        let request = audit::ProveObjectsRequest { objects };
        let found = self.audit.clone().prove_objects(call.request(request)?).await?.into_inner();
        let (proofs, unindexed) = (found.proofs, found.unindexed);
        let log = proofs.first().map(|proof| (proof.log_key.clone(), proof.size));
        let mut entries = Vec::with_capacity(proofs.len());
        for proof in proofs {
            let record = AuditRecord::decode(proof.record.as_slice())
                .map_err(|error| Error::Defect(error.to_string()))?;
            if links.concerns(&record) {
                entries.push(entry_part(&proof, &record));
            }
        }
        Ok(match log {
            Some((log_key, size)) => {
                json!({ "log_key": log_key, "log_size": size, "entries": entries, "unindexed": unindexed })
            }
            None => Value::Null,
        })
    }

    async fn sources_part(&self, call: &Call, sources: &[form_source::Model]) -> Result<Vec<Value>, Error> {
        let request = ingestion::ListVerificationsRequest {
            source_version_ids: sources.iter().map(|source| source.source_version_id.clone()).collect(),
            ..ingestion::ListVerificationsRequest::default()
        };
        let answer = self.ingestion.clone().list_verifications(call.request(request)?).await;
        let known = answer.map_err(super::not_found_as(Missing::Credit))?.into_inner().verifications;
        let part = |source: &form_source::Model| {
            let event = known.iter().find(|event| event.id == source.verification_id);
            let later = known.iter().filter(|event| {
                event.source_version_id == source.source_version_id && event.verified_at > source.verified_at
            });
            json!({
                "source_version_id": source.source_version_id,
                "verification_id": source.verification_id,
                "class": source.class,
                "verified_at": at(source.verified_at),
                "pmid": event.map(|event| event.pmid.clone()),
                "doi": event.map(|event| event.doi.clone()),
                "title": event.map(|event| event.title.clone()),
                "statement": event.map(|event| event.statement.clone()),
                "actor": event.map(|event| event.actor.clone()),
                "calls": event.map(|event| event.calls.iter().map(call_part).collect::<Vec<_>>()),
                "later": later.map(|event| json!({ "verdict": verdict(event.verdict), "at": at(event.verified_at) })).collect::<Vec<_>>(),
            })
        };
        Ok(sources.iter().map(part).collect())
    }

    /// What the award's credential rests on.
    async fn credential(&self, call: &Call, award: &award::Model) -> Result<Credential, Error> {
        let request = credentials::FindAssertionRequest {
            learner: award.learner.clone(),
            assertion_id: award.assertion_id.clone(),
            ..credentials::FindAssertionRequest::default()
        };
        let found = self.credentials.clone().find_assertion(call.request(request)?).await?.into_inner();
        let Some(assertion) = found.assertion else {
            return Err(Error::Defect("an award without its credential".into()));
        };
        Ok(Credential { assertion, checks: found.checks, name: found.name })
    }

    async fn proof_part(
        &self,
        call: &Call,
        certificate: Option<&certificate::Model>,
    ) -> Result<Value, Error> {
        let Some(certificate) = certificate else { return Ok(Value::Null) };
        let request = audit::ProveRequest { event_id: certificate.event_id.clone() };
        let proof = match self.audit.clone().prove(call.request(request)?).await {
            Ok(proof) => proof.into_inner(),
            Err(status) if status.code() == tonic::Code::NotFound => return Ok(Value::Null),
            Err(status) => return Err(status.into()),
        };
        Ok(json!({
            "certificate_id": certificate.id,
            "credential_sha256": certificate.credential_sha256,
            "signing_key": certificate.signing_key,
            "issued_at": at(certificate.issued_at),
            "leaf_index": proof.index,
            "log_size": proof.size,
            "log_key": proof.log_key,
            "inclusion_proof": proof.proof,
            "record": hex::encode(&proof.record),
        }))
    }
}

/// What a credential rests on.
struct Credential {
    assertion: credentials::Assertion,
    checks: Vec<credentials::Check>,
    name: String,
}

/// The links whose records are looked up in the log.
struct Links<'a> {
    credit: &'a CreditView,
    sources: &'a [form_source::Model],
    printed: &'a Printed,
    credential: &'a Credential,
}

impl Links<'_> {
    /// What the learner did or was given.
    fn of_holder(&self) -> Vec<String> {
        let award = &self.credit.award;
        let certificate = self.credit.certificate.as_ref().map(|certificate| certificate.id.clone());
        let own = [award.id.clone(), award.attempt_id.clone(), award.learner.clone()];
        own.into_iter().chain(award.evaluation_id.clone()).chain(certificate).collect()
    }

    /// What the provider did before.
    fn of_provider(&self) -> Vec<String> {
        let offer = &self.credit.offer;
        let terms = [offer.id.clone(), offer.accreditation_id.clone(), self.printed.form.id.clone()];
        let sources = self.sources.iter().map(|source| source.source_version_id.clone());
        terms
            .into_iter()
            .chain(sources)
            .chain(self.printed.items.iter().map(|item| item.version.id.clone()))
            .collect()
    }

    /// Whether a record is of this chain. Of a learner there are records about other credentials too.
    fn concerns(&self, record: &AuditRecord) -> bool {
        if record.object != self.credit.award.learner {
            return true;
        }
        let is = |fact: &str, id: &str| record.facts.get(fact).is_some_and(|value| value == id);
        is("assertion", &self.credential.assertion.id)
            || self.credential.checks.iter().any(|check| is("check", &check.id))
    }
}

fn entry_part(proof: &audit::InclusionProof, record: &AuditRecord) -> Value {
    json!({ "action": record.action, "object": record.object, "actor": record.actor, "occurred_at": at(record.occurred_at),
        "leaf_index": proof.index, "record": hex::encode(&proof.record), "inclusion_proof": proof.proof })
}

fn credential_part(credential: &Credential, reads_record: bool) -> Value {
    let assertion = &credential.assertion;
    let check = |check: &credentials::Check| {
        json!({ "id": check.id, "method": check.method, "passed": check.passed, "detail": check.detail,
            "evidence_sha256": check.evidence_sha256, "actor": check.actor, "checked_at": at(check.checked_at) })
    };
    json!({
        "assertion_id": assertion.id,
        "profession": rules::PROFESSIONS.get((assertion.profession - 1).max(0) as usize),
        "level": assertion.level,
        "method": assertion.method,
        "valid_from": at(assertion.valid_from),
        "valid_until": at(assertion.valid_until),
        "asserted_at": at(assertion.asserted_at),
        "checks": credential.checks.iter().map(check).collect::<Vec<_>>(),
        // A name is for the person themselves; the record speaks of pseudonyms.
        "name": if reads_record { Value::Null } else { credential.name.clone().into() },
    })
}

fn verdict(verdict: i32) -> &'static str {
    use ingestion::Verdict as V;
    match V::try_from(verdict).unwrap_or_default() {
        V::Verified => "verified",
        V::Erratum => "erratum",
        V::ExpressionOfConcern => "expression_of_concern",
        V::PartiallyRetracted => "partially_retracted",
        V::Retracted => "retracted",
        V::RetractedAndRepublished => "retracted_and_republished",
        V::Unverifiable | V::Unspecified => "unverifiable",
    }
}

fn call_part(call: &ingestion::RegistryCall) -> Value {
    json!({ "registry": call.registry, "request": call.request, "status": call.status, "sha256": call.sha256,
        "finding": call.finding, "called_at": at(call.called_at) })
}

fn credit_part(credit: &CreditView) -> Value {
    let award = &credit.award;
    json!({
        "id": award.id,
        "learner": award.learner,
        "program_id": award.program_id,
        "credit_type": award.credit_type,
        "credit_name": credit.credit_name,
        "amount": rules::amount(award.quarters),
        "recognition": award.recognition,
        "issued_at": at(award.issued_at),
        "quiz_completed_at": at(award.quiz_completed_at),
        "content_verified_at": at(award.content_verified_at),
        "ledger_entry": award.entry,
        "voided": credit.void.as_ref().map(|void| json!({ "by": void.actor, "reason": void.reason, "at": at(void.entered_at) })),
        "annotations": credit.annotations.iter().map(|note| json!({ "text": note.text, "at": at(note.noted_at) })).collect::<Vec<_>>(),
    })
}

/// The accreditation, and what was known of it when the credit was awarded.
fn accreditation_part(row: &accreditation::Model, decision: Option<&accreditation_decision::Model>) -> Value {
    json!({ "id": row.id, "body": row.body, "provider": row.provider, "status": row.status, "valid_from": at(row.valid_from),
        "valid_until": at(row.valid_until), "recorded_by": row.recorded_by, "recorded_at": at(row.recorded_at),
        "provider_number": row.provider_number, "confirmed": decision.is_some(),
        "confirmed_at": decision.map(|decision| at(decision.decided_at)) })
}

fn designation_part(credit: &CreditView) -> Value {
    let offer = &credit.offer;
    json!({
        "id": offer.id,
        "activity": offer.activity_title,
        "format": offer.activity_format,
        "maximum": rules::amount(offer.designated_quarters),
        "opens_at": at(offer.opens_at),
        "terminates_at": at(offer.terminates_at),
        "source_classes": offer.policy_id.split('+').collect::<Vec<_>>(),
        "accreditation_statement": offer.accreditation_statement,
        "designation_statement": offer.designation_statement,
        "statements_sha256": offer.statements_sha256,
        "rules": offer.rules,
        "designated_by": offer.designated_by,
        "designated_at": at(offer.designated_at),
    })
}

fn attempt_part(result: &result::Model, number: i64) -> Value {
    json!({
        "id": result.attempt_id,
        "number": number,
        "threshold_percent": result.threshold,
        "right_answers": result.right_answers,
        "items": result.items,
        "passed": result.passed,
        "started_at": at(result.started_at),
        "completed_at": at(result.completed_at),
    })
}

fn quiz_part(printed: &Printed, answers: &[answer::Model], quoting: &Quoting) -> Value {
    let item = |(view, answer): (&super::items::ItemView, &answer::Model)| {
        let chosen = view.options.iter().find(|option| option.option == answer.option);
        let decision = view.decision.as_ref();
        json!({
            "item_version_id": view.version.id,
            "sha256": view.version.sha256,
            "source_version_id": view.version.source_version_id,
            "stem": view.version.stem,
            "options": view.options.iter().map(|option| option.text.clone()).collect::<Vec<_>>(),
            "chosen": chosen.map(|option| option.text.clone()),
            "correct": answer.correct == 1,
            "passages": quoting.passages(view),
            "notice": quoting.notice(view),
            "author": view.version.author,
            "reviewer": decision.map(|decision| decision.reviewer.clone()),
            "approved_at": decision.map(|decision| at(decision.decided_at)),
        })
    };
    let form = &printed.form;
    json!({
        "form_id": form.id,
        "number": form.number,
        "sha256": form.sha256,
        "threshold_percent": form.threshold,
        "frozen_by": form.frozen_by,
        "frozen_at": at(form.frozen_at),
        "items": printed.items.iter().zip(answers).map(item).collect::<Vec<_>>(),
    })
}
