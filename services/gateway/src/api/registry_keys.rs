//! An organization's own key for PubMed.

use axum::extract::State;
use axum::http::StatusCode;
use preceptor_core::Secret;
use preceptor_proto::ingestion::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Edge;
use crate::domain::time::rfc3339;
use crate::error::ApiError;
use crate::extract::Json;
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(get, set, remove))
}

/// What is known of the key. The key itself is shown to no one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistryKey {
    /// Whether one is set. Without one, questions go out under the deployment's.
    set: bool,
    /// The beginning of its SHA-256, to compare.
    #[schema(example = "0d5c1f0a9be1c7d2")]
    fingerprint: String,
    set_by: String,
    set_at: Option<String>,
}

fn key_view(key: proto::RegistryKey) -> RegistryKey {
    RegistryKey {
        set: !key.fingerprint.is_empty(),
        fingerprint: key.fingerprint,
        set_by: key.set_by,
        set_at: rfc3339(key.set_at),
    }
}

/// A key to use from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// As NCBI shows it in your account's settings.
    #[schema(value_type = String, min_length = 36, max_length = 36, pattern = "^[0-9a-f]{36}$", example = "0123456789abcdef0123456789abcdef0123")]
    api_key: Secret,
}

/// Tells whether the organization has a key for PubMed.
#[utoipa::path(get, path = "/v1/registry-keys/pubmed", operation_id = "getRegistryKey", tag = "Verification",
    responses((status = 200, body = RegistryKey)))]
async fn get(State(edge): State<Edge>, identity: Identity) -> Result<Json<RegistryKey>, ApiError> {
    let request = identity.request(proto::GetRegistryKeyRequest {})?;
    Ok(Json(key_view(edge.ingestion.clone().get_registry_key(request).await?.into_inner())))
}

/// Sets the organization's key for PubMed: ten questions a second that are shared with no one, instead of three for all.
#[utoipa::path(put, path = "/v1/registry-keys/pubmed", operation_id = "setRegistryKey", tag = "Verification",
    request_body = NewKey, responses((status = 200, body = RegistryKey)))]
async fn set(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewKey>,
) -> Result<Json<RegistryKey>, ApiError> {
    let request =
        identity.request(proto::SetRegistryKeyRequest { api_key: new.api_key.expose().to_owned() })?;
    Ok(Json(key_view(edge.ingestion.clone().set_registry_key(request).await?.into_inner())))
}

/// Forgets the organization's key for PubMed.
#[utoipa::path(delete, path = "/v1/registry-keys/pubmed", operation_id = "removeRegistryKey", tag = "Verification", responses((status = 204)))]
async fn remove(State(edge): State<Edge>, identity: Identity) -> Result<StatusCode, ApiError> {
    edge.ingestion.clone().remove_registry_key(identity.request(proto::RemoveRegistryKeyRequest {})?).await?;
    Ok(StatusCode::NO_CONTENT)
}
