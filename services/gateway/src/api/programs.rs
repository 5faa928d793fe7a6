//! Programs, objectives, publication, withdrawal.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_core::Kind;
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{Program, program_view};
use super::{Json, PageQuery, Query};
use crate::Edge;
use crate::domain::cursor;
use crate::error::{ApiError, Problem};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update))
        .routes(routes!(objectives, set_objectives))
        .routes(routes!(publish))
        .routes(routes!(withdraw))
}

/// A program to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProgram {
    #[schema(example = "Safe use of anticoagulants")]
    title: String,
    #[serde(default)]
    summary: String,
    /// Learning objectives, each a sentence that begins with a verb.
    #[serde(default)]
    #[schema(example = json!(["Adjust the dose to kidney function"]))]
    objectives: Vec<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramChange {
    title: Option<String>,
    summary: Option<String>,
}

/// All objectives of a program, in order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveList {
    objectives: Vec<ObjectiveEntry>,
}

/// An objective: with the id of one that stays, without for a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveEntry {
    #[serde(default)]
    id: String,
    #[schema(example = "Recognise the signs of bleeding")]
    text: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Goes to the audit log.
    #[schema(example = "Content reviewed by the planning committee")]
    pub(crate) reason: String,
}

/// A page of programs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProgramPage {
    data: Vec<Program>,
    next_cursor: Option<String>,
}

/// The objectives of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObjectivePage {
    data: Vec<super::view::Objective>,
}

fn shown(status: StatusCode, program: proto::Program) -> Response {
    let etag = format!("\"{}\"", program.revision);
    let location = format!("/v1/programs/{}", program.id);
    (status, [(header::ETAG, etag), (header::LOCATION, location)], axum::Json(program_view(program))).into_response()
}

/// The revision that `If-Match` names.
fn revision(headers: &HeaderMap) -> Result<i64, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) else {
        let detail = "send If-Match with the ETag that you read, so that nobody's change is lost";
        return Err(ApiError::new(Kind::FailedPrecondition, "IF_MATCH_REQUIRED", detail).with_status(StatusCode::PRECONDITION_REQUIRED));
    };
    value
        .trim_matches('"')
        .parse()
        .map_err(|_| ApiError::new(Kind::InvalidInput, "IF_MATCH_INVALID", "If-Match must be an ETag of this resource"))
}

/// A conflict of revisions is 412 in HTTP.
fn precondition(status: tonic::Status) -> ApiError {
    let error = ApiError::from(status);
    if error.code() == "REVISION_CONFLICT" { error.with_status(StatusCode::PRECONDITION_FAILED) } else { error }
}

/// Lists programs, newest first.
#[utoipa::path(get, path = "/v1/programs", operation_id = "listPrograms", tag = "Programs", params(PageQuery),
    responses((status = 200, body = ProgramPage), (status = 401, body = Problem)))]
async fn list(State(edge): State<Edge>, identity: Identity, Query(page): Query<PageQuery>) -> Result<Json<ProgramPage>, ApiError> {
    let request = proto::ListProgramsRequest { limit: page.limit()?, after: cursor::decode(page.cursor.as_deref())? };
    let listed = edge.ingestion.clone().list_programs(identity.request(request)?).await?.into_inner();
    Ok(Json(ProgramPage { next_cursor: cursor::encode(&listed.next), data: listed.programs.into_iter().map(program_view).collect() }))
}

/// Creates a program.
#[utoipa::path(post, path = "/v1/programs", operation_id = "createProgram", tag = "Programs", request_body = NewProgram,
    responses((status = 201, body = Program), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn create(State(edge): State<Edge>, identity: Identity, Json(new): Json<NewProgram>) -> Result<Response, ApiError> {
    let request = proto::CreateProgramRequest { title: new.title, summary: new.summary, objectives: new.objectives };
    let program = edge.ingestion.clone().create_program(identity.request(request)?).await?.into_inner();
    Ok(shown(StatusCode::CREATED, program))
}

impl Edge {
    /// A program as this subject sees it.
    pub(crate) async fn program(&self, identity: &Identity, id: &str) -> Result<proto::Program, ApiError> {
        let request = proto::GetProgramRequest { program_id: id.to_owned() };
        Ok(self.ingestion.clone().get_program(identity.request(request)?).await?.into_inner())
    }
}

/// Reads a program.
#[utoipa::path(get, path = "/v1/programs/{id}", operation_id = "getProgram", tag = "Programs", params(("id" = String, Path)),
    responses((status = 200, body = Program), (status = 404, body = Problem)))]
async fn get(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(shown(StatusCode::OK, edge.program(&identity, &id).await?))
}

/// Changes title and summary.
#[utoipa::path(patch, path = "/v1/programs/{id}", operation_id = "updateProgram", tag = "Programs",
    params(("id" = String, Path), ("if-match" = String, Header, description = "The ETag that was read")), request_body = ProgramChange,
    responses((status = 200, body = Program), (status = 412, body = Problem)))]
async fn update(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(change): Json<ProgramChange>,
) -> Result<Response, ApiError> {
    let known = edge.program(&identity, &id).await?;
    let request = proto::UpdateProgramRequest {
        program_id: id,
        title: change.title.unwrap_or(known.title),
        summary: change.summary.unwrap_or(known.summary),
        revision: revision(&headers)?,
    };
    let program = edge.ingestion.clone().update_program(identity.request(request)?).await.map_err(precondition)?.into_inner();
    Ok(shown(StatusCode::OK, program))
}

/// Lists the objectives of a program.
#[utoipa::path(get, path = "/v1/programs/{id}/objectives", operation_id = "listObjectives", tag = "Programs", params(("id" = String, Path)),
    responses((status = 200, body = ObjectivePage), (status = 404, body = Problem)))]
async fn objectives(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<ObjectivePage>, ApiError> {
    Ok(Json(ObjectivePage { data: program_view(edge.program(&identity, &id).await?).objectives }))
}

/// Replaces the objectives of a program; they freeze with the next publication.
#[utoipa::path(put, path = "/v1/programs/{id}/objectives", operation_id = "setObjectives", tag = "Programs",
    params(("id" = String, Path), ("if-match" = String, Header, description = "The ETag that was read")), request_body = ObjectiveList,
    responses((status = 200, body = Program), (status = 412, body = Problem)))]
async fn set_objectives(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(list): Json<ObjectiveList>,
) -> Result<Response, ApiError> {
    let objectives = list.objectives.into_iter().map(|entry| proto::Objective { id: entry.id, text: entry.text }).collect();
    let request = proto::SetObjectivesRequest { program_id: id, objectives, revision: revision(&headers)? };
    let program = edge.ingestion.clone().set_objectives(identity.request(request)?).await.map_err(precondition)?.into_inner();
    Ok(shown(StatusCode::OK, program))
}

/// Freezes the approved sources and objectives as a version, which becomes visible once it is indexed: poll the program.
#[utoipa::path(post, path = "/v1/programs/{id}/publish", operation_id = "publishProgram", tag = "Programs", params(("id" = String, Path)),
    request_body = Reason, responses((status = 202, body = Program), (status = 409, body = Problem)))]
async fn publish(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Result<Response, ApiError> {
    let request = proto::PublishProgramRequest { program_id: id, reason: why.reason };
    let program = edge.ingestion.clone().publish_program(identity.request(request)?).await?.into_inner();
    Ok(shown(StatusCode::ACCEPTED, program))
}

/// Takes the published version away from learners, in one step.
#[utoipa::path(post, path = "/v1/programs/{id}/withdraw", operation_id = "withdrawProgram", tag = "Programs", params(("id" = String, Path)),
    request_body = Reason, responses((status = 200, body = Program), (status = 409, body = Problem)))]
async fn withdraw(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Result<Response, ApiError> {
    let request = proto::WithdrawProgramRequest { program_id: id, reason: why.reason };
    let program = edge.ingestion.clone().withdraw_program(identity.request(request)?).await?.into_inner();
    Ok(shown(StatusCode::OK, program))
}
