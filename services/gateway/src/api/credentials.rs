//! Credentials of staff and apps: listed, made, revoked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use preceptor_core::Secret;
use preceptor_proto::auth::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::orgs::made;
use super::page::{Page, PageQuery};
use super::shapes::{listed, shape, some};
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

shape! {
    /// A credential, without its secret.
    Credential of proto::Credential {
        #[schema(example = "key_01k9w0x5c8f3v9q2d7t4m6n8rz")]
        id: String,
        #[schema(example = "api", value_type = values::CredentialKind)]
        kind: String,
        /// A name that its maker gave it.
        name: String,
        /// The member of staff it belongs to. For an app's, the admin who made it and with whose rights it ends; null when it
        /// was made before that was noted.
        staff_id: Option<String> = some,
        /// The credential it was made with, whose end is its end too.
        parent_id: Option<String> = some,
        created_at: String = instant,
        expires_at: String = instant,
        /// Noted for sessions, once a minute.
        last_seen_at: Option<String> = rfc3339,
        revoked_at: Option<String> = rfc3339,
        /// Whether it opens anything now.
        live: bool,
    }
}

listed! {
    /// A page of credentials.
    CredentialPage of Credential = credentials by auth.list_credentials(proto::ListCredentialsRequest).credentials
}

/// A credential to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredential {
    /// `service` for an app that admits its learners, or `api` for another token of your own.
    #[schema(example = "service", value_type = values::NewCredentialKind)]
    pub(crate) kind: String,
    #[schema(example = "Course website", min_length = 1, max_length = 200, format = "line")]
    pub(crate) name: String,
    /// How long it lives; the longest that this deployment allows when left out.
    #[schema(minimum = 1)]
    pub(crate) lifetime_seconds: Option<i64>,
    /// An API token of yours, unless you signed in within the last five minutes.
    #[schema(value_type = Option<String>, max_length = 128)]
    pub(crate) confirm: Option<Secret>,
}

/// A new credential with its secret, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedCredential {
    pub(crate) credential: Credential,
    pub(crate) secret: String,
}

/// Which credentials.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CredentialQuery {
    /// Only those of this member of staff, with those that they made for apps.
    staff_id: Option<String>,
    /// Those of this learner, by pseudonym, in place of those of staff and apps; for admins.
    #[param(max_length = 100)]
    learner: Option<String>,
}

impl Edge {
    pub(crate) async fn create_credential(
        &self,
        identity: &Identity,
        new: NewCredential,
    ) -> Result<CreatedCredential, ApiError> {
        let confirm = new.confirm.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        let (name, lifetime_seconds) = (new.name, new.lifetime_seconds);
        let created = match new.kind.as_str() {
            "service" => {
                let request = proto::CreateServiceCredentialRequest { name, lifetime_seconds, confirm };
                self.auth.clone().create_service_credential(identity.request(request)?).await?.into_inner()
            }
            "api" => {
                let request = proto::CreateApiTokenRequest { name, lifetime_seconds, confirm };
                self.auth.clone().create_api_token(identity.request(request)?).await?.into_inner()
            }
            _ => return Err(ApiError::field("/kind", "must be service or api")),
        };
        Ok(CreatedCredential {
            credential: Credential::from(created.credential.unwrap_or_default()),
            secret: created.secret,
        })
    }

    pub(crate) async fn revoke_credential(&self, identity: &Identity, id: String) -> Result<(), ApiError> {
        self.auth.clone().revoke_credential(identity.request(proto::RevokeCredentialRequest { id })?).await?;
        Ok(())
    }
}

/// Lists the credentials of staff and apps, or of one learner, newest first. Without an admin's role: your own.
#[utoipa::path(get, path = "/v1/credentials", operation_id = "listCredentials", tag = "Organization", params(CredentialQuery, PageQuery),
    responses((status = 200, body = CredentialPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    Query(query): Query<CredentialQuery>,
    page: Page,
) -> Result<Json<CredentialPage>, ApiError> {
    let request = proto::ListCredentialsRequest {
        staff_id: query.staff_id.unwrap_or_default(),
        learner: query.learner.unwrap_or_default(),
        ..proto::ListCredentialsRequest::default()
    };
    Ok(Json(CredentialPage::read(&edge, &identity, request, &page).await?))
}

/// Makes a credential: an app's, or another API token of your own. Its secret is shown once.
#[utoipa::path(post, path = "/v1/credentials", operation_id = "createCredential", tag = "Organization", request_body = NewCredential,
    responses((status = 201, body = CreatedCredential)))]
async fn create(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewCredential>,
) -> Result<Response, ApiError> {
    let created = edge.create_credential(&identity, new).await?;
    Ok(made(format!("/v1/credentials#{}", created.credential.id), created))
}

/// Ends a credential and everything that was made with it, within five seconds.
#[utoipa::path(delete, path = "/v1/credentials/{id}", operation_id = "revokeCredential", tag = "Organization", params(("id" = String, Path)),
    responses((status = 204)))]
async fn revoke(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    edge.revoke_credential(&identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
