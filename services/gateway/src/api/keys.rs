//! The key that signs the tokens inside of this platform.

use axum::extract::State;
use preceptor_proto::auth::v1 as proto;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Edge;
use crate::error::ApiError;
use crate::extract::Json;
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(rotate))
}

/// The keys whose tokens are accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SigningKeys {
    /// Newest first: the first signs.
    #[schema(example = json!(["scope-tokens.2", "scope-tokens.1"]))]
    key_ids: Vec<String>,
}

/// Has another key sign tokens from now on, as the operator of this platform. Of keys that are no longer listed those tokens
/// are accepted that were issued before, for the five minutes that a token lives: do this twice to retire a key that may
/// have been stolen.
#[utoipa::path(post, path = "/v1/signing-keys/rotate", operation_id = "rotateSigningKeys", tag = "Organization",
    responses((status = 200, body = SigningKeys)))]
async fn rotate(State(edge): State<Edge>, identity: Identity) -> Result<Json<SigningKeys>, ApiError> {
    let rotated =
        edge.auth.clone().rotate_keys(identity.request(proto::RotateKeysRequest {})?).await?.into_inner();
    Ok(Json(SigningKeys { key_ids: rotated.key_ids }))
}
