//! Orgs, staff, learners and the secrets that prove them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::issue_sign_in_link_request::Who;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Json;
use crate::Edge;
use crate::domain::time::rfc3339;
use crate::error::{ApiError, Problem};
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
}

/// An org to create, with its first admin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrg {
    #[schema(example = "Northwind Medical Education")]
    name: String,
    #[schema(example = "Ada Admin")]
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
    #[schema(example = "reviewer")]
    role: String,
    created_at: Option<String>,
}

/// All staff of the org.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaffList {
    data: Vec<Staff>,
}

/// A member of staff to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStaff {
    #[schema(example = "Rita Reviewer")]
    name: String,
    /// `admin`, `editor`, `reviewer`, `analyst` or `auditor`.
    #[schema(example = "reviewer")]
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
    #[schema(example = "b7f3c1")]
    user_hash: String,
    /// How long the token lives; a default applies when left out.
    #[serde(default)]
    lifetime_seconds: i64,
}

/// A learner's token for one program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LearnerToken {
    token: String,
    subject: String,
    expires_at: Option<String>,
}

/// Who a link signs in: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    staff_id: Option<String>,
    learner_token: Option<String>,
}

/// A link that signs a person in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// Opens signed in.
    url: String,
    expires_at: Option<String>,
}

fn org(org: proto::Org) -> Org {
    Org { id: org.id, name: org.name }
}

fn member(staff: proto::Staff) -> Staff {
    Staff { id: staff.id, name: staff.display_name, role: staff.role, created_at: rfc3339(staff.created_at) }
}

/// Lists the orgs of the deployment, for its operator.
#[utoipa::path(get, path = "/v1/orgs", operation_id = "listOrgs", tag = "Organisation",
    responses((status = 200, body = OrgList), (status = 403, body = Problem)))]
async fn orgs(State(edge): State<Edge>, identity: Identity) -> Result<Json<OrgList>, ApiError> {
    let listed = edge.auth.clone().list_orgs(identity.request(proto::ListOrgsRequest {})?).await?.into_inner();
    Ok(Json(OrgList { data: listed.orgs.into_iter().map(org).collect() }))
}

/// Creates an org with its first admin.
#[utoipa::path(post, path = "/v1/orgs", operation_id = "createOrg", tag = "Organisation", request_body = NewOrg,
    responses((status = 201, body = CreatedOrg), (status = 403, body = Problem)))]
async fn create_org(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewOrg>,
) -> Result<(StatusCode, Json<CreatedOrg>), ApiError> {
    let request = proto::CreateOrgRequest { name: new.name, admin_name: new.admin_name };
    let created = edge.auth.clone().create_org(identity.request(request)?).await?.into_inner();
    let created = CreatedOrg {
        org: org(created.org.unwrap_or_default()),
        admin: member(created.admin.unwrap_or_default()),
        admin_token: created.admin_token,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Lists the staff of the org.
#[utoipa::path(get, path = "/v1/staff", operation_id = "listStaff", tag = "Organisation",
    responses((status = 200, body = StaffList), (status = 403, body = Problem)))]
async fn staff(State(edge): State<Edge>, identity: Identity) -> Result<Json<StaffList>, ApiError> {
    let listed = edge.auth.clone().list_staff(identity.request(proto::ListStaffRequest {})?).await?.into_inner();
    Ok(Json(StaffList { data: listed.staff.into_iter().map(member).collect() }))
}

/// Adds a member of staff and issues their token.
#[utoipa::path(post, path = "/v1/staff", operation_id = "createStaff", tag = "Organisation", request_body = NewStaff,
    responses((status = 201, body = CreatedStaff), (status = 400, body = Problem), (status = 403, body = Problem)))]
async fn create_staff(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewStaff>,
) -> Result<(StatusCode, Json<CreatedStaff>), ApiError> {
    let request = proto::CreateStaffRequest { display_name: new.name, role: new.role };
    let created = edge.auth.clone().create_staff(identity.request(request)?).await?.into_inner();
    Ok((StatusCode::CREATED, Json(CreatedStaff { staff: member(created.staff.unwrap_or_default()), token: created.token })))
}

/// Issues a token for one learner in one program.
#[utoipa::path(post, path = "/v1/programs/{id}/learners", operation_id = "issueLearnerToken", tag = "Organisation", params(("id" = String, Path)),
    request_body = NewLearner, responses((status = 201, body = LearnerToken), (status = 404, body = Problem)))]
async fn issue_learner_token(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewLearner>,
) -> Result<(StatusCode, Json<LearnerToken>), ApiError> {
    edge.program(&identity, &id).await?;
    let request = proto::IssueLearnerTokenRequest { program_id: id, user_hash: new.user_hash, lifetime_seconds: new.lifetime_seconds };
    let issued = edge.auth.clone().issue_learner_token(identity.request(request)?).await?.into_inner();
    let token = LearnerToken { token: issued.token, subject: issued.subject, expires_at: rfc3339(issued.expires_at) };
    Ok((StatusCode::CREATED, Json(token)))
}

/// Makes a link that signs a member of staff or a learner in.
#[utoipa::path(post, path = "/v1/sign-in-links", operation_id = "issueSignInLink", tag = "Organisation", request_body = NewLink,
    responses((status = 201, body = Link), (status = 404, body = Problem)))]
async fn issue_sign_in_link(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewLink>,
) -> Result<(StatusCode, Json<Link>), ApiError> {
    let who = match (new.staff_id, new.learner_token) {
        (Some(staff), None) => Who::StaffId(staff),
        (None, Some(token)) => Who::LearnerToken(token),
        _ => return Err(ApiError::field("", "name either staff_id or learner_token")),
    };
    let request = proto::IssueSignInLinkRequest { who: Some(who) };
    let issued = edge.auth.clone().issue_sign_in_link(identity.request(request)?).await?.into_inner();
    // In the fragment: it reaches neither logs nor the Referer header.
    let url = format!("{}/sign-in#{}", edge.config.public_url.trim_end_matches('/'), issued.secret);
    Ok((StatusCode::CREATED, Json(Link { url, expires_at: rfc3339(issued.expires_at) })))
}
