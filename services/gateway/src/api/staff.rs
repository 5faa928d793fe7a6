//! Staff of the org: added, invited, changed, suspended, removed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use preceptor_core::Kind;
use preceptor_proto::auth::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::orgs::made;
use super::page::{Page, PageQuery};
use super::values;
use crate::Edge;
use crate::domain::time::instant;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(staff, create_staff))
        .routes(routes!(invite))
        .routes(routes!(one, change, remove))
        .routes(routes!(suspend))
        .routes(routes!(reinstate))
        .routes(routes!(revoke_all))
}

/// A member of staff.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Staff {
    #[schema(example = "staff_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) name: String,
    #[schema(example = "reviewer", value_type = values::StaffRole)]
    pub(crate) role: String,
    #[schema(example = "active", value_type = values::StaffState)]
    pub(crate) state: String,
    /// Whether sign-in links can be mailed to this person.
    pub(crate) has_address: bool,
    pub(crate) created_at: String,
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
#[schema(example = json!({ "name": "Rita Reviewer", "role": "reviewer", "email": "rita@example.org" }))]
pub(crate) struct NewStaff {
    #[schema(example = "Rita Reviewer", min_length = 1, max_length = 200, format = "line")]
    pub(crate) name: String,
    #[schema(example = "reviewer", value_type = values::StaffRole)]
    pub(crate) role: String,
    /// Where sign-in links are mailed to.
    #[serde(default)]
    #[schema(example = "rita@example.org", max_length = 254, format = "email-or-empty")]
    pub(crate) email: String,
}

/// A member of staff to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Ann Analyst", "role": "analyst", "email": "ann@example.org" }))]
pub(crate) struct NewInvitation {
    #[schema(example = "Rita Reviewer", min_length = 1, max_length = 200, format = "line")]
    pub(crate) name: String,
    #[schema(example = "reviewer", value_type = values::StaffRole)]
    pub(crate) role: String,
    /// Where the link is mailed to.
    #[schema(example = "rita@example.org", min_length = 3, max_length = 254, format = "email")]
    pub(crate) email: String,
}

/// What to change of a member of staff; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Rita Reviewer", "role": "reviewer" }))]
pub(crate) struct StaffChange {
    #[schema(example = "Rita Reviewer", min_length = 1, max_length = 200, format = "line")]
    name: Option<String>,
    /// Another role ends everything that was issued to this person before.
    #[schema(example = "analyst", value_type = Option<values::StaffRole>)]
    role: Option<String>,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffReason {
    #[schema(example = "On leave until March", max_length = 500)]
    reason: String,
}

/// A new member of staff with their token, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedStaff {
    staff: Staff,
    token: String,
}

pub(super) fn member(staff: proto::Staff) -> Staff {
    Staff {
        id: staff.id,
        name: staff.display_name,
        role: staff.role,
        state: staff.state,
        has_address: staff.has_address,
        created_at: instant(staff.created_at),
    }
}

impl Edge {
    pub(crate) async fn staff(&self, identity: &Identity, removed: bool) -> Result<Vec<Staff>, ApiError> {
        let request = identity.request(proto::ListStaffRequest { removed })?;
        let listed = self.auth.clone().list_staff(request).await?.into_inner();
        Ok(listed.staff.into_iter().map(member).collect())
    }

    pub(crate) async fn invite_staff(
        &self,
        identity: &Identity,
        new: NewInvitation,
    ) -> Result<Staff, ApiError> {
        let request = proto::InviteStaffRequest { display_name: new.name, role: new.role, email: new.email };
        Ok(member(self.auth.clone().invite_staff(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn change_staff(
        &self,
        identity: &Identity,
        id: &str,
        name: Option<String>,
        role: Option<String>,
    ) -> Result<Staff, ApiError> {
        let request = proto::ChangeStaffRequest { id: id.to_owned(), display_name: name, role };
        Ok(member(self.auth.clone().change_staff(identity.request(request)?).await?.into_inner()))
    }

    /// `active`, `suspended` or `removed`.
    pub(crate) async fn set_staff_state(
        &self,
        identity: &Identity,
        id: &str,
        state: &str,
        reason: &str,
    ) -> Result<Staff, ApiError> {
        let request = proto::SetStaffStateRequest {
            id: id.to_owned(),
            state: state.to_owned(),
            reason: reason.to_owned(),
        };
        Ok(member(self.auth.clone().set_staff_state(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn revoke_staff_credentials(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<(), ApiError> {
        let request = proto::RevokeStaffCredentialsRequest { staff_id: id.to_owned() };
        self.auth.clone().revoke_staff_credentials(identity.request(request)?).await?;
        Ok(())
    }
}

/// Which staff.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct StaffQuery {
    /// `true` for those who were removed, in place of those who are there.
    removed: Option<bool>,
}

/// Lists the staff of the org, or those who were removed from it.
#[utoipa::path(get, path = "/v1/staff", operation_id = "listStaff", tag = "Organization", params(StaffQuery, PageQuery),
    responses((status = 200, body = StaffList)))]
async fn staff(
    State(edge): State<Edge>,
    identity: Identity,
    Query(query): Query<StaffQuery>,
    page: Page,
) -> Result<Json<StaffList>, ApiError> {
    let staff = edge.staff(&identity, query.removed.unwrap_or_default()).await?;
    let (data, next_cursor) = page.of(&edge, staff, |person| person.id.clone()).await?;
    Ok(Json(StaffList { data, next_cursor }))
}

/// Adds a member of staff and issues their token, for 90 days.
#[utoipa::path(post, path = "/v1/staff", operation_id = "createStaff", tag = "Organization", request_body = NewStaff,
    responses((status = 201, body = CreatedStaff)))]
async fn create_staff(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewStaff>,
) -> Result<Response, ApiError> {
    let request = proto::CreateStaffRequest { display_name: new.name, role: new.role, email: new.email };
    let created = edge.auth.clone().create_staff(identity.request(request)?).await?.into_inner();
    let created = CreatedStaff { staff: member(created.staff.unwrap_or_default()), token: created.token };
    Ok(made(format!("/v1/staff/{}", created.staff.id), created))
}

/// Adds a member of staff and mails them a link that signs them in, once, within a week.
#[utoipa::path(post, path = "/v1/staff/invitations", operation_id = "inviteStaff", tag = "Organization", request_body = NewInvitation,
    responses((status = 201, body = Staff)))]
async fn invite(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewInvitation>,
) -> Result<Response, ApiError> {
    let invited = edge.invite_staff(&identity, new).await?;
    Ok(made(format!("/v1/staff/{}", invited.id), invited))
}

/// Reads a member of staff. Those who were removed have no address any more: `GET /v1/staff?removed=true` lists them.
#[utoipa::path(get, path = "/v1/staff/{id}", operation_id = "getStaff", tag = "Organization", params(("id" = String, Path)),
    responses((status = 200, body = Staff)))]
async fn one(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Staff>, ApiError> {
    let found =
        edge.auth.clone().get_staff(identity.request(proto::GetStaffRequest { id })?).await?.into_inner();
    if found.state == values::StaffState::Removed.name() {
        return Err(ApiError::new(Kind::NotFound, "STAFF_NOT_FOUND", "there is no such member of staff"));
    }
    Ok(Json(member(found)))
}

/// Gives a member of staff another name or role. An org keeps one active admin.
#[utoipa::path(patch, path = "/v1/staff/{id}", operation_id = "changeStaff", tag = "Organization", params(("id" = String, Path)),
    request_body = StaffChange,
    responses((status = 200, body = Staff)))]
async fn change(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(change): Json<StaffChange>,
) -> Result<Json<Staff>, ApiError> {
    Ok(Json(edge.change_staff(&identity, &id, change.name, change.role).await?))
}

/// Removes a member of staff for good. Within five seconds nothing that was issued to them opens anything.
#[utoipa::path(delete, path = "/v1/staff/{id}", operation_id = "removeStaff", tag = "Organization", params(("id" = String, Path)),
    responses((status = 204)))]
async fn remove(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    edge.set_staff_state(&identity, &id, "removed", "").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends a member of staff. Within five seconds nothing that was issued to them opens anything.
#[utoipa::path(post, path = "/v1/staff/{id}/suspend", operation_id = "suspendStaff", tag = "Organization", params(("id" = String, Path)),
    request_body = StaffReason,
    responses((status = 200, body = Staff)))]
async fn suspend(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<StaffReason>,
) -> Result<Json<Staff>, ApiError> {
    Ok(Json(edge.set_staff_state(&identity, &id, "suspended", &why.reason).await?))
}

/// Lets a suspended member of staff in again. They need a new link or token.
#[utoipa::path(post, path = "/v1/staff/{id}/reinstate", operation_id = "reinstateStaff", tag = "Organization", params(("id" = String, Path)),
    request_body = StaffReason,
    responses((status = 200, body = Staff)))]
async fn reinstate(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<StaffReason>,
) -> Result<Json<Staff>, ApiError> {
    Ok(Json(edge.set_staff_state(&identity, &id, "active", &why.reason).await?))
}

/// Ends every credential of a member of staff, who stays one.
#[utoipa::path(delete, path = "/v1/staff/{id}/credentials", operation_id = "revokeStaffCredentials", tag = "Organization",
    params(("id" = String, Path)),
    responses((status = 204)))]
async fn revoke_all(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    edge.revoke_staff_credentials(&identity, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
