//! What is found out about sources, and what editors have to look at because of it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt as _;
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::sources::download;
use super::values;
use super::view::{Source, source_view};
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
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
    #[schema(example = "22663011", pattern = "^[1-9][0-9]{0,7}$")]
    pmid: Option<String>,
    /// A DOI, in any usual form.
    #[schema(
        example = "10.1371/journal.pmed.1001518",
        max_length = 300,
        pattern = "^\\s*(https://doi\\.org/|http://dx\\.doi\\.org/|doi:)?10\\.[^\\s/\"]+/[^\\s\"]+\\s*$"
    )]
    doi: Option<String>,
    /// A reviewer's statement about an approved source.
    attestation: Option<Attestation>,
}

/// A reviewer answers for a source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attestation {
    /// `provider_attested` is the provider's own material, after peer review.
    #[schema(example = "provider_attested", value_type = values::AttestedClass)]
    class: String,
    /// On what the content rests.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "Reviewed by two cardiologists against the 2026 guideline"
    )]
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
    pub(crate) called_at: String,
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
    #[schema(value_type = values::SourceClass)]
    pub(crate) class: &'static str,
    #[schema(value_type = values::Verdict)]
    pub(crate) verdict: &'static str,
    /// Whether quizzes for credit may ask about it.
    pub(crate) counts: bool,
    pub(crate) pmid: String,
    pub(crate) doi: String,
    /// As the registry has it.
    pub(crate) title: String,
    pub(crate) statement: String,
    pub(crate) actor: String,
    pub(crate) verified_at: String,
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
        called_at: instant(call.called_at),
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
        verified_at: instant(row.verified_at),
        calls: row.calls.into_iter().map(call_view).collect(),
    }
}

/// Everything that was said about a source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerificationList {
    data: Vec<Verification>,
    next_cursor: Option<String>,
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
    pub(crate) opened_at: String,
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
        opened_at: instant(task.opened_at),
        closed_at: rfc3339(task.closed_at),
        closed_by: task.closed_by,
        outcome: task.outcome,
    }
}

/// The tasks of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskList {
    data: Vec<Task>,
    next_cursor: Option<String>,
}

/// What was decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskOutcome {
    #[schema(min_length = 1, max_length = 2000, example = "Replaced by the republished article")]
    outcome: String,
}

/// Has a source verified against PubMed and Crossref, or by a reviewer. Registries are asked in the background: poll the source.
#[utoipa::path(post, path = "/v1/sources/{id}/verifications", operation_id = "verifySource", tag = "Verification", params(("id" = String, Path)),
    request_body = NewVerification, responses((status = 202, body = Source)))]
async fn verify(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewVerification>,
) -> Result<Response, ApiError> {
    let source = source_view(edge.verify_source(&identity, id, new).await?);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/sources/{}", source.id))], Json(source))
        .into_response())
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
    pub(crate) async fn verify_source(
        &self,
        identity: &Identity,
        source: String,
        new: NewVerification,
    ) -> Result<proto::Source, ApiError> {
        use proto::verify_source_request::By;
        let by = match (new.pmid, new.doi, new.attestation) {
            (Some(pmid), None, None) => By::Pmid(pmid),
            (None, Some(doi), None) => By::Doi(doi),
            (None, None, Some(attestation)) => {
                let class = match attestation.class.as_str() {
                    "guideline" => proto::SourceClass::Guideline,
                    "provider_attested" => proto::SourceClass::ProviderAttested,
                    _ => {
                        return Err(ApiError::field(
                            "/attestation/class",
                            "must be guideline or provider_attested",
                        ));
                    }
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
#[utoipa::path(get, path = "/v1/sources/{id}/verifications", operation_id = "listVerifications", tag = "Verification", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = VerificationList)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<VerificationList>, ApiError> {
    let request = proto::ListVerificationsRequest { source_id: id, source_version_ids: Vec::new() };
    let listed = edge.ingestion.clone().list_verifications(identity.request(request)?).await?.into_inner();
    let (rows, next_cursor) = page.of(&edge, listed.verifications, |row| row.id.clone()).await?;
    Ok(Json(VerificationList {
        data: rows.into_iter().map(verification_view).collect(),
        next_cursor,
        notice: NLM_NOTICE,
    }))
}

/// Requests to registries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallPage {
    data: Vec<RegistryCall>,
    next_cursor: Option<String>,
}

/// Lists every request to a registry about a source, those of daily checks too, newest first.
#[utoipa::path(get, path = "/v1/sources/{id}/registry-calls", operation_id = "listRegistryCalls", tag = "Verification",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = CallPage)))]
async fn calls(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<CallPage>, ApiError> {
    let request =
        proto::ListRegistryCallsRequest { source_id: id, limit: page.limit, before: page.after.clone() };
    let listed = edge.ingestion.clone().list_registry_calls(identity.request(request)?).await?.into_inner();
    let next_cursor = page.next(&edge, &listed.next).await?;
    Ok(Json(CallPage { data: listed.calls.into_iter().map(call_view).collect(), next_cursor }))
}

/// Downloads exactly what came back from a registry.
#[utoipa::path(get, path = "/v1/registry-calls/{id}/answer", operation_id = "getRegistryAnswer", tag = "Verification", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
async fn answer(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let request = identity.request(proto::GetRegistryAnswerRequest { call_id: id.clone() })?;
    let chunks = edge.ingestion.clone().get_registry_answer(request).await?.into_inner();
    Ok(download(&id, chunks.map(|part| part.map(|part| Bytes::from(part.chunk)))))
}

/// Lists what an editor of a program has to look at, open tasks first.
#[utoipa::path(get, path = "/v1/programs/{id}/tasks", operation_id = "listTasks", tag = "Verification", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = TaskList)))]
async fn tasks(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<TaskList>, ApiError> {
    let (data, next_cursor) =
        page.of(&edge, edge.tasks(&identity, &id).await?, |task| task.id.clone()).await?;
    Ok(Json(TaskList { data, next_cursor }))
}

/// Closes a task, with what was decided.
#[utoipa::path(post, path = "/v1/tasks/{id}/close", operation_id = "closeTask", tag = "Verification", params(("id" = String, Path)),
    request_body = TaskOutcome, responses((status = 200, body = Task)))]
async fn close(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decided): Json<TaskOutcome>,
) -> Result<Json<Task>, ApiError> {
    let request = proto::CloseTaskRequest { task_id: id, outcome: decided.outcome };
    Ok(Json(task_view(edge.ingestion.clone().close_task(identity.request(request)?).await?.into_inner())))
}
