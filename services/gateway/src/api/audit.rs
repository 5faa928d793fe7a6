//! The append-only log and what verifies it.

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_proto::audit::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::LongPage;
use crate::Edge;
use crate::domain::time::rfc3339;
use crate::error::ApiError;
use crate::extract::{Json, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(head)).routes(routes!(leaves))
}

/// The head of the org's log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    /// The log's name, unique per org.
    origin: String,
    size: i64,
    /// RFC 6962 root, base 64.
    root: String,
    updated_at: Option<String>,
    /// The same as a signed note (C2SP tlog-checkpoint). Keep it: a later head can be compared with it.
    checkpoint: String,
    /// The key that verifies it (C2SP signed-note).
    log_key: String,
    /// What is counted of every part of the product that writes records. The records prove it or refute it.
    counters: Vec<Counter>,
}

/// How many records of one part of the product were counted into the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counter {
    producer: String,
    records: i64,
}

/// A record of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Leaf {
    index: i64,
    /// SHA-256 of 0x00 and the record (RFC 6962), base 64.
    leaf_hash: String,
    /// The record's exact bytes, base 64: a `preceptor.events.v1.AuditRecord`.
    record: String,
    /// Whether the index that finds records by what they speak of lacks it: a row of the index was deleted.
    unindexed: bool,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeafPage {
    data: Vec<Leaf>,
    /// The size of the log.
    size: i64,
    next_cursor: Option<String>,
}

/// Which part of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LeafQuery {
    /// The first index.
    #[serde(default)]
    #[param(minimum = 0)]
    from: i64,
    /// How many, at most 1000, which is usual.
    #[expect(dead_code, reason = "describes what `LongPage` reads")]
    #[param(minimum = 1, maximum = 1000, example = 100)]
    limit: Option<i32>,
    /// `next_cursor` of the page before, which goes on behind it whatever `from` says.
    #[expect(dead_code, reason = "describes what `LongPage` reads")]
    #[param(max_length = 1000, pattern = "^[0-9A-Za-z_-]*$")]
    cursor: Option<String>,
}

fn counter(counter: proto::Counter) -> Counter {
    Counter { producer: counter.producer, records: counter.records }
}

/// Reads the head of the log.
#[utoipa::path(get, path = "/v1/audit/head", operation_id = "getAuditHead", tag = "Audit",
    responses((status = 200, body = Head)))]
async fn head(State(edge): State<Edge>, identity: Identity) -> Result<Json<Head>, ApiError> {
    let head = edge.audit.clone().get_head(identity.request(proto::GetHeadRequest {})?).await?.into_inner();
    Ok(Json(Head {
        origin: head.origin,
        size: head.size,
        root: STANDARD.encode(head.root),
        updated_at: rfc3339(head.updated_at),
        checkpoint: head.checkpoint,
        log_key: head.log_key,
        counters: head.counters.into_iter().map(counter).collect(),
    }))
}

/// Reads records of the log in order, with their exact bytes.
#[utoipa::path(get, path = "/v1/audit/leaves", operation_id = "listAuditLeaves", tag = "Audit", params(LeafQuery),
    responses((status = 200, body = LeafPage)))]
async fn leaves(
    State(edge): State<Edge>,
    identity: Identity,
    Query(query): Query<LeafQuery>,
    LongPage(page): LongPage,
) -> Result<Json<LeafPage>, ApiError> {
    // The place in a cursor is one of ours: it is signed.
    let from = page.after.parse().unwrap_or(query.from);
    let request = proto::ListLeavesRequest { from, limit: page.limit };
    let listed = edge.audit.clone().list_leaves(identity.request(request)?).await?.into_inner();
    let next = listed.leaves.last().map(|leaf| leaf.index + 1).filter(|next| *next < listed.size);
    let next_cursor = page.next(&edge, &next.map(|next| next.to_string()).unwrap_or_default()).await?;
    let leaf = |leaf: proto::Leaf| Leaf {
        index: leaf.index,
        leaf_hash: STANDARD.encode(leaf.leaf_hash),
        record: STANDARD.encode(leaf.record),
        unindexed: leaf.unindexed,
    };
    Ok(Json(LeafPage { data: listed.leaves.into_iter().map(leaf).collect(), size: listed.size, next_cursor }))
}
