//! Orgs, staff, learners and the secrets that prove them.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use preceptor_core::Secret;
use preceptor_proto::auth::v1 as proto;
use preceptor_proto::auth::v1::issue_sign_in_link_request::Who;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::staff::{Staff, member};
use crate::Edge;
use crate::domain::time::instant;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(orgs, create_org))
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
    #[schema(example = "Northwind Medical Education", min_length = 1, max_length = 200, format = "line")]
    name: String,
    #[schema(example = "Ada Admin", min_length = 1, max_length = 200, format = "line")]
    admin_name: String,
}

/// A new org with the token of its admin, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedOrg {
    org: Org,
    admin: Staff,
    admin_token: String,
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
    /// The learner's pseudonym. A token made by staff has one of its own.
    subject: String,
    expires_at: String,
    /// The member of staff who made the token and acts through it; null for a learner whom an app admitted in person. A
    /// token that acts cannot attempt, claim, evaluate, or read what belongs to a learner.
    acting: Option<String>,
}

/// Who a link signs in: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "staff_id": "staff_01k9w0x5c8f3v9q2d7t4m6n8rz" }))]
pub(crate) struct NewLink {
    /// Yourself, or another member of staff, who gets the link by mail.
    staff_id: Option<String>,
    #[schema(min_length = 1, max_length = 4096)]
    learner_token: Option<String>,
    /// For another member of staff: an API token of yours, unless you signed in within the last five minutes.
    #[schema(value_type = Option<String>, max_length = 128)]
    confirm: Option<Secret>,
}

/// A link that signs a person in, once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Link {
    /// Asks who opens it whether to sign in. Null when it was mailed to its person.
    #[schema(format = "uri")]
    url: Option<String>,
    expires_at: String,
}

/// What was made, and where it is.
pub(super) fn made(location: String, body: impl Serialize) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response()
}

fn org(org: proto::Org) -> Org {
    Org { id: org.id, name: org.name }
}

/// Lists the orgs of the deployment, for its operator.
#[utoipa::path(get, path = "/v1/orgs", operation_id = "listOrgs", tag = "Organization", params(PageQuery),
    responses((status = 200, body = OrgList)))]
async fn orgs(State(edge): State<Edge>, identity: Identity, page: Page) -> Result<Json<OrgList>, ApiError> {
    let listed =
        edge.auth.clone().list_orgs(identity.request(proto::ListOrgsRequest {})?).await?.into_inner();
    let (rows, next_cursor) = page.of(&edge, listed.orgs, |row| row.id.clone()).await?;
    Ok(Json(OrgList { data: rows.into_iter().map(org).collect(), next_cursor }))
}

/// Creates an org with its first admin.
#[utoipa::path(post, path = "/v1/orgs", operation_id = "createOrg", tag = "Organization", request_body = NewOrg,
    responses((status = 201, body = CreatedOrg)))]
async fn create_org(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewOrg>,
) -> Result<Response, ApiError> {
    let request = proto::CreateOrgRequest { name: new.name, admin_name: new.admin_name };
    let created = edge.auth.clone().create_org(identity.request(request)?).await?.into_inner();
    let created = CreatedOrg {
        org: org(created.org.unwrap_or_default()),
        admin: member(created.admin.unwrap_or_default()),
        admin_token: created.admin_token,
    };
    Ok(made(format!("/v1/orgs#{}", created.org.id), created))
}

/// Issues a token for one learner in one program. A service credential admits the learner in person; a token that staff
/// make acts on no one's behalf but theirs.
#[utoipa::path(post, path = "/v1/programs/{id}/learners", operation_id = "issueLearnerToken", tag = "Organization", params(("id" = String, Path)),
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
        lifetime_seconds: new.lifetime_seconds,
    };
    let issued = edge.auth.clone().issue_learner_token(identity.request(request)?).await?.into_inner();
    let token = LearnerToken {
        token: issued.token,
        subject: issued.subject,
        expires_at: instant(issued.expires_at),
        acting: (!issued.acting.is_empty()).then_some(issued.acting),
    };
    // What the token opens: it can be shown to no one again itself.
    Ok(made(format!("/v1/programs/{id}"), token))
}

/// Makes a link that signs someone in, once: you, the holder of a learner token, or another member of staff. Theirs is
/// mailed to them and never shown to you.
#[utoipa::path(post, path = "/v1/sign-in-links", operation_id = "issueSignInLink", tag = "Organization", request_body = NewLink,
    responses((status = 201, body = Link), (status = 202, body = Link)))]
async fn issue_sign_in_link(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewLink>,
) -> Result<Response, ApiError> {
    let who = match (new.staff_id, new.learner_token) {
        (Some(staff), None) => Who::StaffId(staff),
        (None, Some(token)) => Who::LearnerToken(token),
        _ => return Err(ApiError::field("", "name either staff_id or learner_token")),
    };
    let whose =
        if let Who::StaffId(staff) = &who { format!("/v1/staff/{staff}") } else { "/v1/programs".to_owned() };
    let link = edge.sign_in_link(&identity, who, new.confirm.as_ref()).await?;
    match link.url.clone() {
        Some(url) => Ok(made(url, link)),
        None => Ok((StatusCode::ACCEPTED, [(header::LOCATION, whose)], Json(link)).into_response()),
    }
}

impl Edge {
    pub(crate) async fn sign_in_link(
        &self,
        identity: &Identity,
        who: Who,
        confirm: Option<&Secret>,
    ) -> Result<Link, ApiError> {
        let confirm = confirm.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        let request = proto::IssueSignInLinkRequest { who: Some(who), confirm };
        let issued = self.auth.clone().issue_sign_in_link(identity.request(request)?).await?.into_inner();
        // In the fragment: it reaches neither logs nor the Referer header.
        let url =
            |secret: String| format!("{}/sign-in#{secret}", self.config.public_url.trim_end_matches('/'));
        Ok(Link {
            url: (!issued.secret.is_empty()).then(|| url(issued.secret)),
            expires_at: instant(issued.expires_at),
        })
    }
}
