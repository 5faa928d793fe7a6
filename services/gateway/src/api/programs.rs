//! Programs, objectives, publication, withdrawal.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::view::{Program, program_view};
use crate::Edge;
use crate::domain::conditional::{IfMatch, tag, unless_known};
use crate::error::{ApiError, FieldProblem};
use crate::extract::{Json, Path};
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
    #[schema(example = "Safe use of anticoagulants", min_length = 1, max_length = 300, format = "line")]
    title: String,
    #[serde(default)]
    #[schema(
        example = "Dose, interactions and bleeding, from three current sources",
        max_length = 4000,
        format = "lines"
    )]
    summary: String,
    /// Learning objectives, each a sentence that begins with a verb.
    #[serde(default)]
    #[schema(max_items = 50, value_type = Vec<NewObjective>, example = json!(["Adjust the dose to kidney function"]))]
    objectives: Vec<String>,
}

/// A learning objective in words.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 500, format = "lines")]
#[expect(dead_code, reason = "describes a text")]
pub(crate) struct NewObjective(String);

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProgramChange {
    #[schema(example = "Safe use of anticoagulants", min_length = 1, max_length = 300, format = "line")]
    title: Option<String>,
    #[schema(
        example = "Dose, interactions and bleeding, from three current sources",
        max_length = 4000,
        format = "lines"
    )]
    summary: Option<String>,
}

/// All objectives of a program, in order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveList {
    #[schema(max_items = 50)]
    objectives: Vec<ObjectiveEntry>,
}

/// An objective: with the id of one that stays, without for a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectiveEntry {
    #[serde(default)]
    #[schema(example = "", pattern = "^(obj_[0-7][0-9a-hjkmnp-tv-z]{25})?$")]
    id: String,
    #[schema(
        example = "Recognize the signs of bleeding",
        min_length = 1,
        max_length = 500,
        format = "lines"
    )]
    text: String,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Goes to the audit log.
    #[schema(min_length = 1, max_length = 2000, example = "Content reviewed by the planning committee")]
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
    next_cursor: Option<String>,
}

fn shown(status: StatusCode, program: proto::Program) -> Response {
    let etag = tag(program.revision);
    let location = format!("/v1/programs/{}", program.id);
    let mut response = (status, [(header::ETAG, etag)], Json(program_view(program))).into_response();
    if matches!(status, StatusCode::CREATED | StatusCode::ACCEPTED)
        && let Ok(location) = location.parse()
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A change that was meant for another state: says what the parts are that it was about, and which state to read.
fn changed_since(program: &proto::Program, wanted: &[&str]) -> ApiError {
    let now = |field: &&str| {
        let value = match *field {
            "title" => serde_json::Value::from(program.title.clone()),
            "summary" => program.summary.clone().into(),
            _ => program.objectives.iter().map(|objective| objective.text.clone()).collect::<Vec<_>>().into(),
        };
        FieldProblem {
            pointer: format!("/{field}"),
            detail: format!("is {value} in revision {}", program.revision),
        }
    };
    let detail = format!(
        "the program was changed since you read it: it is at revision {}{}; read it again and repeat your change",
        program.revision,
        crate::domain::time::rfc3339(program.updated_at)
            .map(|time| format!(" of {time}"))
            .unwrap_or_default()
    );
    ApiError::new(preceptor_core::Kind::Conflict, "REVISION_CONFLICT", detail)
        .with_status(StatusCode::PRECONDITION_FAILED)
        .with_etag(tag(program.revision))
        .with_fields(wanted.iter().map(now).collect())
}

impl Edge {
    /// The program that a change is meant for, if it is still in the state that was read.
    async fn program_to_change(
        &self,
        identity: &Identity,
        id: &str,
        headers: &HeaderMap,
        wanted: &[&str],
    ) -> Result<proto::Program, ApiError> {
        let condition = IfMatch::of(headers)?;
        let known = self.program(identity, id).await?;
        if condition.holds(&tag(known.revision)) { Ok(known) } else { Err(changed_since(&known, wanted)) }
    }

    /// Someone else's change came between the look and ours.
    async fn precondition(
        &self,
        identity: &Identity,
        id: &str,
        wanted: &[&str],
        status: tonic::Status,
    ) -> ApiError {
        let error = ApiError::from(status);
        if error.code() != "REVISION_CONFLICT" {
            return error;
        }
        match self.program(identity, id).await {
            Ok(program) => changed_since(&program, wanted),
            Err(_) => error.with_status(StatusCode::PRECONDITION_FAILED),
        }
    }
}

/// Lists programs, newest first.
#[utoipa::path(get, path = "/v1/programs", operation_id = "listPrograms", tag = "Programs", params(PageQuery),
    responses((status = 200, body = ProgramPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    page: Page,
) -> Result<Json<ProgramPage>, ApiError> {
    let request = proto::ListProgramsRequest { limit: page.limit, after: page.after.clone() };
    let listed = edge.ingestion.clone().list_programs(identity.request(request)?).await?.into_inner();
    let next_cursor = page.next(&edge, &listed.next).await?;
    Ok(Json(ProgramPage { next_cursor, data: listed.programs.into_iter().map(program_view).collect() }))
}

/// Creates a program.
#[utoipa::path(post, path = "/v1/programs", operation_id = "createProgram", tag = "Programs", request_body = NewProgram,
    responses((status = 201, body = Program)))]
async fn create(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewProgram>,
) -> Result<Response, ApiError> {
    let request =
        proto::CreateProgramRequest { title: new.title, summary: new.summary, objectives: new.objectives };
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
    responses((status = 200, body = Program)))]
async fn get(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(unless_known(&headers, shown(StatusCode::OK, edge.program(&identity, &id).await?)))
}

/// Changes title and summary.
#[utoipa::path(patch, path = "/v1/programs/{id}", operation_id = "updateProgram", tag = "Programs",
    params(("id" = String, Path), ("if-match" = String, Header, description = "The ETag that was read")), request_body = ProgramChange,
    responses((status = 200, body = Program)))]
async fn update(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(change): Json<ProgramChange>,
) -> Result<Response, ApiError> {
    let named = [("title", change.title.is_some()), ("summary", change.summary.is_some())];
    let wanted: Vec<&str> =
        named.into_iter().filter(|(_, is_named)| *is_named).map(|(field, _)| field).collect();
    let known = edge.program_to_change(&identity, &id, &headers, &wanted).await?;
    let request = proto::UpdateProgramRequest {
        program_id: id.clone(),
        title: change.title.unwrap_or(known.title),
        summary: change.summary.unwrap_or(known.summary),
        revision: known.revision,
    };
    match edge.ingestion.clone().update_program(identity.request(request)?).await {
        Ok(program) => Ok(shown(StatusCode::OK, program.into_inner())),
        Err(status) => Err(edge.precondition(&identity, &id, &wanted, status).await),
    }
}

/// Lists the objectives of a program.
#[utoipa::path(get, path = "/v1/programs/{id}/objectives", operation_id = "listObjectives", tag = "Programs", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = ObjectivePage)))]
async fn objectives(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let program = edge.program(&identity, &id).await?;
    let etag = tag(program.revision);
    let (data, next_cursor) =
        page.of(&edge, program_view(program).objectives, |objective| objective.id.clone()).await?;
    Ok(unless_known(
        &headers,
        ([(header::ETAG, etag)], Json(ObjectivePage { data, next_cursor })).into_response(),
    ))
}

/// Replaces the objectives of a program; they freeze with the next publication.
#[utoipa::path(put, path = "/v1/programs/{id}/objectives", operation_id = "setObjectives", tag = "Programs",
    params(("id" = String, Path), ("if-match" = String, Header, description = "The ETag that was read")), request_body = ObjectiveList,
    responses((status = 200, body = Program)))]
async fn set_objectives(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(list): Json<ObjectiveList>,
) -> Result<Response, ApiError> {
    let known = edge.program_to_change(&identity, &id, &headers, &["objectives"]).await?;
    let objectives = list
        .objectives
        .into_iter()
        .map(|entry| proto::Objective { id: entry.id, text: entry.text })
        .collect();
    let request =
        proto::SetObjectivesRequest { program_id: id.clone(), objectives, revision: known.revision };
    match edge.ingestion.clone().set_objectives(identity.request(request)?).await {
        Ok(program) => Ok(shown(StatusCode::OK, program.into_inner())),
        Err(status) => Err(edge.precondition(&identity, &id, &["objectives"], status).await),
    }
}

/// Freezes the approved sources and objectives as a version, which becomes visible once it is indexed: poll the program.
#[utoipa::path(post, path = "/v1/programs/{id}/publish", operation_id = "publishProgram", tag = "Programs", params(("id" = String, Path)),
    request_body = Reason, responses((status = 202, body = Program)))]
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
    request_body = Reason, responses((status = 200, body = Program)))]
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
