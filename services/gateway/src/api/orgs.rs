//! Orgs, staff, learners and the secrets that prove them.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::issue_sign_in_link_request::Who;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::values;
use crate::Edge;
use crate::domain::time::instant;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(orgs, create_org))
        .routes(routes!(staff, create_staff))
        .routes(routes!(issue_learner_token))
        .routes(routes!(issue_sign_in_link))
}

/// An org.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Org {
    #[schema(example = "org_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    id: String,
    name: String,
}

/// All orgs of the deployment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrgList {
    data: Vec<Org>,
    next_cursor: Option<String>,
}

/// An org to create, with its first admin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrg {
    #[schema(example = "Northwind Medical Education", min_length = 1, max_length = 200)]
    name: String,
    #[schema(example = "Ada Admin", min_length = 1, max_length = 200)]
    admin_name: String,
}

/// A new org with the token of its admin, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedOrg {
    org: Org,
    admin: Staff,
    admin_token: String,
}

/// A member of staff.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Staff {
    #[schema(example = "staff_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    id: String,
    name: String,
    #[schema(example = "reviewer", value_type = values::StaffRole)]
    role: String,
    created_at: String,
}

/// All staff of the org.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaffList {
    data: Vec<Staff>,
    next_cursor: Option<String>,
}

/// A member of staff to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStaff {
    #[schema(example = "Rita Reviewer", min_length = 1, max_length = 200)]
    name: String,
    #[schema(example = "reviewer", value_type = values::StaffRole)]
    role: String,
}

/// A new member of staff with their token, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedStaff {
    staff: Staff,
    token: String,
}

/// A learner to admit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLearner {
    /// Your own pseudonym for the learner; it is hashed under the org's key and never kept.
    #[schema(example = "b7f3c1", min_length = 1, max_length = 256)]
    user_hash: String,
    /// How long the token lives; a default applies when left out.
    #[schema(example = 3600, minimum = 1)]
    lifetime_seconds: Option<i64>,
}

/// A learner's token for one program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LearnerToken {
    token: String,
    subject: String,
    expires_at: String,
}

/// Who a link signs in: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    staff_id: Option<String>,
    #[schema(min_length = 1, max_length = 4096)]
    learner_token: Option<String>,
}

/// A link that signs a person in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// Opens signed in.
    #[schema(format = "uri")]
    url: String,
    expires_at: String,
}

/// What was made, and where it is.
fn made(location: String, body: impl Serialize) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response()
}

fn org(org: proto::Org) -> Org {
    Org { id: org.id, name: org.name }
}

fn member(staff: proto::Staff) -> Staff {
    Staff { id: staff.id, name: staff.display_name, role: staff.role, created_at: instant(staff.created_at) }
}

/// Lists the orgs of the deployment, for its operator.
#[utoipa::path(get, path = "/v1/orgs", operation_id = "listOrgs", tag = "Organisation", params(PageQuery),
    responses((status = 200, body = OrgList)))]
async fn orgs(State(edge): State<Edge>, identity: Identity, page: Page) -> Result<Json<OrgList>, ApiError> {
    let listed = edge.auth.clone().list_orgs(identity.request(proto::ListOrgsRequest {})?).await?.into_inner();
    let (rows, next_cursor) = page.of(&edge, listed.orgs, |row| row.id.clone()).await?;
    Ok(Json(OrgList { data: rows.into_iter().map(org).collect(), next_cursor }))
}

/// Creates an org with its first admin.
#[utoipa::path(post, path = "/v1/orgs", operation_id = "createOrg", tag = "Organisation", request_body = NewOrg,
    responses((status = 201, body = CreatedOrg)))]
async fn create_org(State(edge): State<Edge>, identity: Identity, Json(new): Json<NewOrg>) -> Result<Response, ApiError> {
    let request = proto::CreateOrgRequest { name: new.name, admin_name: new.admin_name };
    let created = edge.auth.clone().create_org(identity.request(request)?).await?.into_inner();
    let created = CreatedOrg {
        org: org(created.org.unwrap_or_default()),
        admin: member(created.admin.unwrap_or_default()),
        admin_token: created.admin_token,
    };
    Ok(made(format!("/v1/orgs#{}", created.org.id), created))
}

/// Lists the staff of the org.
#[utoipa::path(get, path = "/v1/staff", operation_id = "listStaff", tag = "Organisation", params(PageQuery),
    responses((status = 200, body = StaffList)))]
async fn staff(State(edge): State<Edge>, identity: Identity, page: Page) -> Result<Json<StaffList>, ApiError> {
    let listed = edge.auth.clone().list_staff(identity.request(proto::ListStaffRequest {})?).await?.into_inner();
    let (rows, next_cursor) = page.of(&edge, listed.staff, |row| row.id.clone()).await?;
    Ok(Json(StaffList { data: rows.into_iter().map(member).collect(), next_cursor }))
}

/// Adds a member of staff and issues their token.
#[utoipa::path(post, path = "/v1/staff", operation_id = "createStaff", tag = "Organisation", request_body = NewStaff,
    responses((status = 201, body = CreatedStaff)))]
async fn create_staff(State(edge): State<Edge>, identity: Identity, Json(new): Json<NewStaff>) -> Result<Response, ApiError> {
    let request = proto::CreateStaffRequest { display_name: new.name, role: new.role };
    let created = edge.auth.clone().create_staff(identity.request(request)?).await?.into_inner();
    let created = CreatedStaff { staff: member(created.staff.unwrap_or_default()), token: created.token };
    Ok(made(format!("/v1/staff#{}", created.staff.id), created))
}

/// Issues a token for one learner in one program.
#[utoipa::path(post, path = "/v1/programs/{id}/learners", operation_id = "issueLearnerToken", tag = "Organisation", params(("id" = String, Path)),
    request_body = NewLearner, responses((status = 201, body = LearnerToken)))]
async fn issue_learner_token(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewLearner>,
) -> Result<Response, ApiError> {
    edge.program(&identity, &id).await?;
    let request = proto::IssueLearnerTokenRequest {
        program_id: id.clone(),
        user_hash: new.user_hash,
        lifetime_seconds: new.lifetime_seconds.unwrap_or_default(),
    };
    let issued = edge.auth.clone().issue_learner_token(identity.request(request)?).await?.into_inner();
    let token = LearnerToken { token: issued.token, subject: issued.subject, expires_at: instant(issued.expires_at) };
    // What the token opens: it can be shown to nobody again itself.
    Ok(made(format!("/v1/programs/{id}"), token))
}

/// Makes a link that signs a member of staff or a learner in.
#[utoipa::path(post, path = "/v1/sign-in-links", operation_id = "issueSignInLink", tag = "Organisation", request_body = NewLink,
    responses((status = 201, body = Link)))]
async fn issue_sign_in_link(State(edge): State<Edge>, identity: Identity, Json(new): Json<NewLink>) -> Result<Response, ApiError> {
    let who = match (new.staff_id, new.learner_token) {
        (Some(staff), None) => Who::StaffId(staff),
        (None, Some(token)) => Who::LearnerToken(token),
        _ => return Err(ApiError::field("", "name either staff_id or learner_token")),
    };
    let request = proto::IssueSignInLinkRequest { who: Some(who) };
    let issued = edge.auth.clone().issue_sign_in_link(identity.request(request)?).await?.into_inner();
    // In the fragment: it reaches neither logs nor the Referer header.
    let url = format!("{}/sign-in#{}", edge.config.public_url.trim_end_matches('/'), issued.secret);
    Ok(made(url.clone(), Link { url, expires_at: instant(issued.expires_at) }))
}
