//! What is found out about sources, and what editors have to look at because of it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sources::download;
use super::view::{Source, source_view};
use super::{Json, PageQuery, Query};
use crate::Edge;
use crate::domain::cursor;
use crate::domain::time::rfc3339;
use crate::error::{ApiError, Problem};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(list, verify))
        .routes(routes!(calls))
        .routes(routes!(answer))
        .routes(routes!(tasks))
        .routes(routes!(close))
}

/// How a source is to be verified: by exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVerification {
    /// A PubMed number.
    #[schema(example = "22663011")]
    pmid: Option<String>,
    /// A DOI, in any usual form.
    doi: Option<String>,
    /// A reviewer's statement about an approved source.
    attestation: Option<Attestation>,
}

/// A reviewer answers for a source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attestation {
    /// `guideline` or `provider_attested` (the provider's own material, after peer review).
    #[schema(example = "provider_attested")]
    class: String,
    /// On what the content rests.
    #[schema(example = "Reviewed by two cardiologists against the 2026 guideline")]
    statement: String,
}

/// A request to a registry. What came back is kept byte for byte, at `GET /v1/registry-calls/{id}/answer`; here is its hash.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RegistryCall {
    #[schema(example = "call_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(example = "pubmed")]
    pub(crate) registry: String,
    pub(crate) request: String,
    pub(crate) status: i32,
    pub(crate) sha256: String,
    pub(crate) finding: String,
    pub(crate) called_at: Option<String>,
    pub(crate) source_version_id: String,
    /// The event that it led to; empty when nothing had changed.
    pub(crate) verification_id: String,
}

/// One immutable event: what was found out about a source version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Verification {
    #[schema(example = "ver_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) source_version_id: String,
    /// `pubmed`, `crossref`, `guideline` or `provider_attested`.
    pub(crate) class: &'static str,
    /// `verified`, `erratum`, `expression_of_concern`, `partially_retracted`, `retracted`, `retracted_and_republished` or
    /// `unverifiable`.
    pub(crate) verdict: &'static str,
    /// Whether quizzes for credit may ask about it.
    pub(crate) counts: bool,
    pub(crate) pmid: String,
    pub(crate) doi: String,
    /// As the registry has it.
    pub(crate) title: String,
    pub(crate) statement: String,
    pub(crate) actor: String,
    pub(crate) verified_at: Option<String>,
    pub(crate) calls: Vec<RegistryCall>,
}

const fn class_name(class: proto::SourceClass) -> &'static str {
    match class {
        proto::SourceClass::Pubmed => "pubmed",
        proto::SourceClass::Crossref => "crossref",
        proto::SourceClass::Guideline => "guideline",
        proto::SourceClass::ProviderAttested => "provider_attested",
        proto::SourceClass::Unspecified => "",
    }
}

const fn verdict_name(verdict: proto::Verdict) -> &'static str {
    match verdict {
        proto::Verdict::Verified => "verified",
        proto::Verdict::Erratum => "erratum",
        proto::Verdict::ExpressionOfConcern => "expression_of_concern",
        proto::Verdict::PartiallyRetracted => "partially_retracted",
        proto::Verdict::Retracted => "retracted",
        proto::Verdict::RetractedAndRepublished => "retracted_and_republished",
        proto::Verdict::Unverifiable | proto::Verdict::Unspecified => "unverifiable",
    }
}

fn call_view(call: proto::RegistryCall) -> RegistryCall {
    RegistryCall {
        id: call.id,
        registry: call.registry,
        request: call.request,
        status: call.status,
        sha256: call.sha256,
        finding: call.finding,
        called_at: rfc3339(call.called_at),
        source_version_id: call.source_version_id,
        verification_id: call.verification_id,
    }
}

pub(crate) fn verification_view(row: proto::Verification) -> Verification {
    Verification {
        class: class_name(row.class()),
        verdict: verdict_name(row.verdict()),
        id: row.id,
        source_version_id: row.source_version_id,
        counts: row.counts,
        pmid: row.pmid,
        doi: row.doi,
        title: row.title,
        statement: row.statement,
        actor: row.actor,
        verified_at: rfc3339(row.verified_at),
        calls: row.calls.into_iter().map(call_view).collect(),
    }
}

/// Everything that was said about a source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerificationList {
    data: Vec<Verification>,
    /// Shown with data of PubMed, as NCBI asks.
    notice: &'static str,
}

/// NCBI asks that its disclaimer is evident to users (NBK25497).
pub(crate) const NLM_NOTICE: &str = "Data of PubMed come from the U.S. National Library of Medicine, which does not endorse this product; see \
     https://www.ncbi.nlm.nih.gov/home/about/policies/";

/// Something an editor has to look at.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Task {
    #[schema(example = "task_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) source_id: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) opened_at: Option<String>,
    pub(crate) closed_at: Option<String>,
    pub(crate) closed_by: String,
    pub(crate) outcome: String,
}

pub(crate) fn task_view(task: proto::Task) -> Task {
    Task {
        id: task.id,
        source_id: task.source_id,
        kind: task.kind,
        text: task.text,
        opened_at: rfc3339(task.opened_at),
        closed_at: rfc3339(task.closed_at),
        closed_by: task.closed_by,
        outcome: task.outcome,
    }
}

/// The tasks of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    data: Vec<Task>,
}

/// What was decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    #[schema(example = "Replaced by the republished article")]
    outcome: String,
}

/// Has a source verified against PubMed and Crossref, or by a reviewer. Registries are asked in the background: poll the source.
#[utoipa::path(post, path = "/v1/sources/{id}/verifications", operation_id = "verifySource", tag = "Verification", params(("id" = String, Path)),
    request_body = NewVerification, responses((status = 202, body = Source), (status = 400, body = Problem), (status = 409, body = Problem)))]
async fn verify(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewVerification>,
) -> Result<Response, ApiError> {
    let source = source_view(edge.verify_source(&identity, id, new).await?);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/sources/{}", source.id))], axum::Json(source)).into_response())
}

impl NewVerification {
    /// By a number or a DOI, whichever the text is.
    pub(crate) fn of_identifier(text: &str) -> Self {
        let text = text.trim().to_owned();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        Self { pmid: is_number.then(|| text.clone()), doi: (!is_number).then_some(text), attestation: None }
    }

    /// By a reviewer's statement.
    pub(crate) fn of_statement(class: String, statement: String) -> Self {
        Self { pmid: None, doi: None, attestation: Some(Attestation { class, statement }) }
    }
}

impl Edge {
    pub(crate) async fn verify_source(&self, identity: &Identity, source: String, new: NewVerification) -> Result<proto::Source, ApiError> {
        use proto::verify_source_request::By;
        let by = match (new.pmid, new.doi, new.attestation) {
            (Some(pmid), None, None) => By::Pmid(pmid),
            (None, Some(doi), None) => By::Doi(doi),
            (None, None, Some(attestation)) => {
                let class = match attestation.class.as_str() {
                    "guideline" => proto::SourceClass::Guideline,
                    "provider_attested" => proto::SourceClass::ProviderAttested,
                    _ => return Err(ApiError::field("/attestation/class", "must be guideline or provider_attested")),
                };
                By::Attestation(proto::Attestation { class: class.into(), statement: attestation.statement })
            }
            _ => return Err(ApiError::field("", "give exactly one of pmid, doi and attestation")),
        };
        let request = proto::VerifySourceRequest { source_id: source, by: Some(by) };
        Ok(self.ingestion.clone().verify_source(identity.request(request)?).await?.into_inner())
    }

    pub(crate) async fn tasks(&self, identity: &Identity, program: &str) -> Result<Vec<Task>, ApiError> {
        let request = proto::ListTasksRequest { program_id: program.to_owned() };
        let listed = self.ingestion.clone().list_tasks(identity.request(request)?).await?.into_inner();
        Ok(listed.tasks.into_iter().map(task_view).collect())
    }
}

/// Lists everything that was found out about a source, newest first.
#[utoipa::path(get, path = "/v1/sources/{id}/verifications", operation_id = "listVerifications", tag = "Verification", params(("id" = String, Path)),
    responses((status = 200, body = VerificationList), (status = 404, body = Problem)))]
async fn list(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<VerificationList>, ApiError> {
    let request = proto::ListVerificationsRequest { source_id: id, source_version_ids: Vec::new() };
    let listed = edge.ingestion.clone().list_verifications(identity.request(request)?).await?.into_inner();
    Ok(Json(VerificationList { data: listed.verifications.into_iter().map(verification_view).collect(), notice: NLM_NOTICE }))
}

/// Requests to registries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallPage {
    data: Vec<RegistryCall>,
    next_cursor: Option<String>,
}

/// Lists every request to a registry about a source, those of daily checks too, newest first.
#[utoipa::path(get, path = "/v1/sources/{id}/registry-calls", operation_id = "listRegistryCalls", tag = "Verification",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = CallPage), (status = 404, body = Problem)))]
async fn calls(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<CallPage>, ApiError> {
    let request = proto::ListRegistryCallsRequest { source_id: id, limit: page.limit()?, before: cursor::decode(page.cursor.as_deref())? };
    let listed = edge.ingestion.clone().list_registry_calls(identity.request(request)?).await?.into_inner();
    Ok(Json(CallPage { data: listed.calls.into_iter().map(call_view).collect(), next_cursor: cursor::encode(&listed.next) }))
}

/// Downloads exactly what came back from a registry.
#[utoipa::path(get, path = "/v1/registry-calls/{id}/answer", operation_id = "getRegistryAnswer", tag = "Verification", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Problem)))]
async fn answer(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Response, ApiError> {
    let request = identity.request(proto::GetRegistryAnswerRequest { call_id: id.clone() })?;
    let chunks = edge.ingestion.clone().get_registry_answer(request).await?.into_inner();
    Ok(download(&id, chunks.map(|part| part.map(|part| Bytes::from(part.chunk)))))
}

/// Lists what an editor of a program has to look at, open tasks first.
#[utoipa::path(get, path = "/v1/programs/{id}/tasks", operation_id = "listTasks", tag = "Verification", params(("id" = String, Path)),
    responses((status = 200, body = TaskList), (status = 404, body = Problem)))]
async fn tasks(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<TaskList>, ApiError> {
    Ok(Json(TaskList { data: edge.tasks(&identity, &id).await? }))
}

/// Closes a task, with what was decided.
#[utoipa::path(post, path = "/v1/tasks/{id}/close", operation_id = "closeTask", tag = "Verification", params(("id" = String, Path)),
    request_body = Outcome, responses((status = 200, body = Task), (status = 404, body = Problem)))]
async fn close(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decided): Json<Outcome>,
) -> Result<Json<Task>, ApiError> {
    let request = proto::CloseTaskRequest { task_id: id, outcome: decided.outcome };
    Ok(Json(task_view(edge.ingestion.clone().close_task(identity.request(request)?).await?.into_inner())))
}
