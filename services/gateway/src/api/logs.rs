//! The record's log for outsiders, in the formats of C2SP: anyone with a certificate or an old checkpoint can check,
//! without an account, that the log still holds what it held. Records themselves are for those who read the record.

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_core::Kind;
use preceptor_proto::audit::v1 as proto;
use preceptor_rpc::call::unscoped;
use preceptor_tlog::tiles::{Content, Tile, bundle};
use preceptor_tlog::{Hash, Proof};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;
use crate::{CALL_TIMEOUT, Edge};

/// The schema of records, as it is compiled into this binary.
const SCHEMA: &str = include_str!("../../../../proto/preceptor/events/v1/events.proto");
/// A full tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A head is soon followed by another.
const A_MOMENT: &str = "public, max-age=2";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(checkpoint))
        .routes(routes!(key))
        .routes(routes!(inclusion))
        .routes(routes!(consistency))
        .routes(routes!(schema))
        // The specification gives a tile a path of as many parts as its number needs, which OpenAPI cannot say.
        .route("/v1/logs/{org}/tile/{content}/{*place}", axum::routing::get(tile))
}

fn text(cache: &'static str, text: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, TEXT), (header::CACHE_CONTROL, cache)], text).into_response()
}

impl Edge {
    async fn checkpoint(&self, org: &str) -> Result<proto::Checkpoint, ApiError> {
        let request = unscoped(proto::GetCheckpointRequest { org_id: org.to_owned() }, CALL_TIMEOUT);
        Ok(self.log.clone().get_checkpoint(request).await?.into_inner())
    }
}

fn part_not_found() -> ApiError {
    ApiError::new(Kind::NotFound, "LOG_PART_NOT_FOUND", "there is no such log, or it is not that long yet")
}

/// The newest checkpoint of an organization's log: a signed note (C2SP tlog-checkpoint). Tiles of hashes are beside it, at
/// `/v1/logs/{org}/tile/…` (C2SP tlog-tiles); bundles of entries at `/v1/logs/{org}/tile/entries/…` need a token of
/// someone who reads the record.
#[utoipa::path(get, path = "/v1/logs/{org}/checkpoint", operation_id = "getLogCheckpoint", tag = "Audit", params(("org" = String, Path)),
    responses((status = 200, content_type = "text/plain", body = String)), security(()))]
async fn checkpoint(State(edge): State<Edge>, Path(org): Path<String>) -> Result<Response, ApiError> {
    Ok(text(A_MOMENT, edge.checkpoint(&org).await?.note))
}

/// The key that verifies the checkpoints of an organization's log: a verifier key (C2SP signed-note).
#[utoipa::path(get, path = "/v1/logs/{org}/key", operation_id = "getLogKey", tag = "Audit", params(("org" = String, Path)),
    responses((status = 200, content_type = "text/plain", body = String)), security(()))]
async fn key(State(edge): State<Edge>, Path(org): Path<String>) -> Result<Response, ApiError> {
    Ok(text(A_MOMENT, format!("{}\n", edge.checkpoint(&org).await?.log_key)))
}

/// The schema of a record: each leaf is an `AuditRecord` of this file, exactly as it was encoded.
#[utoipa::path(get, path = "/v1/logs/record.proto", operation_id = "getRecordSchema", tag = "Audit",
    responses((status = 200, content_type = "text/plain", body = String)), security(()))]
async fn schema() -> Response {
    text("public, max-age=3600", SCHEMA)
}

/// Which leaf.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InclusionQuery {
    /// The place of the record, from 0.
    #[param(minimum = 0, example = 0)]
    index: i64,
}

/// Proves that a leaf is in the log: a C2SP tlog-proof with the newest checkpoint, to be checked with the record's bytes.
#[utoipa::path(get, path = "/v1/logs/{org}/inclusion", operation_id = "proveInclusion", tag = "Audit",
    params(("org" = String, Path), InclusionQuery),
    responses((status = 200, content_type = "text/plain", body = String)), security(()))]
async fn inclusion(
    State(edge): State<Edge>,
    Path(org): Path<String>,
    Query(query): Query<InclusionQuery>,
) -> Result<Response, ApiError> {
    let signed = edge.checkpoint(&org).await?;
    let request = proto::ProveInclusionRequest { org_id: org, index: query.index, size: signed.size };
    let found = edge.log.clone().prove_inclusion(unscoped(request, CALL_TIMEOUT)).await?.into_inner();
    let index = u64::try_from(query.index).map_err(|_| part_not_found())?;
    let hashes =
        found.hashes.into_iter().map(|hash| hash.try_into().map(Hash)).collect::<Result<Vec<Hash>, _>>();
    let hashes = hashes.map_err(|_| ApiError::from(preceptor_core::Fault::internal()))?;
    Ok(text(A_MOMENT, Proof { index, hashes, checkpoint: signed.note }.to_string()))
}

/// From which size to which.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyQuery {
    /// The size of an earlier checkpoint.
    #[param(minimum = 0, example = 1)]
    from: i64,
    /// The size of a later one.
    #[param(minimum = 0, example = 2)]
    to: i64,
}

/// That one size of a log continues another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Consistency {
    from: i64,
    to: i64,
    /// RFC 6962 (2.1.2) consistency proof, base 64.
    hashes: Vec<String>,
}

/// Proves that the log of one size begins with the log of another (RFC 6962): with it, a checkpoint that was kept is compared
/// with a later one.
#[utoipa::path(get, path = "/v1/logs/{org}/consistency", operation_id = "proveConsistency", tag = "Audit",
    params(("org" = String, Path), ConsistencyQuery),
    responses((status = 200, body = Consistency)), security(()))]
async fn consistency(
    State(edge): State<Edge>,
    Path(org): Path<String>,
    Query(ConsistencyQuery { from, to }): Query<ConsistencyQuery>,
) -> Result<Response, ApiError> {
    let request = proto::ProveConsistencyRequest { org_id: org, from, to };
    let found = edge.log.clone().prove_consistency(unscoped(request, CALL_TIMEOUT)).await?.into_inner();
    let hashes = found.hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
    // Two sizes that were reached have one proof forever.
    Ok(([(header::CACHE_CONTROL, FOR_EVER)], Json(Consistency { from, to, hashes })).into_response())
}

/// A tile of hashes, for anyone; a bundle of entries, for those who read the record.
async fn tile(
    State(edge): State<Edge>,
    Path((org, content, place)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let tile: Tile = format!("{content}/{place}").parse().map_err(|_| part_not_found())?;
    let first = tile.first().and_then(|first| i64::try_from(first).ok()).ok_or_else(part_not_found)?;
    let (bytes, scope) = match tile.content {
        Content::Hashes(_) => (hashes(&edge, org, &tile, first).await?, FOR_EVER),
        Content::Entries => {
            let (mut parts, _) = request.into_parts();
            let identity = Identity::from_request_parts(&mut parts, &edge).await?;
            if identity.scope.org().to_string() != org {
                return Err(part_not_found());
            }
            (entries(&edge, &identity, &tile, first).await?, "private, max-age=31536000, immutable")
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, scope)], bytes)
        .into_response())
}

async fn hashes(edge: &Edge, org_id: String, tile: &Tile, first: i64) -> Result<Vec<u8>, ApiError> {
    let request = proto::GetHashesRequest {
        org_id,
        level: i32::from(tile.tree_level()),
        first,
        count: i32::from(tile.width),
    };
    Ok(edge.log.clone().get_hashes(unscoped(request, CALL_TIMEOUT)).await?.into_inner().hashes.concat())
}

async fn entries(edge: &Edge, identity: &Identity, tile: &Tile, first: i64) -> Result<Vec<u8>, ApiError> {
    let request = proto::ListLeavesRequest { from: first, limit: i32::from(tile.width) };
    let listed = edge.audit.clone().list_leaves(identity.request(request)?).await?.into_inner();
    if !u64::try_from(listed.size).is_ok_and(|size| tile.is_in(size))
        || listed.leaves.len() != usize::from(tile.width)
    {
        return Err(part_not_found());
    }
    let entries = bundle(listed.leaves.iter().map(|leaf| leaf.record.as_slice()));
    entries.map_err(|error| {
        tracing::error!(%error, "a record cannot be served in a bundle");
        preceptor_core::Fault::internal().into()
    })
}
