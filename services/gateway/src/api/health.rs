//! Whether the process lives and whether it should get requests.

use axum::extract::State;
use axum::http::StatusCode;
use preceptor_runtime::health::State as PartState;

use crate::Edge;
use crate::extract::Json;

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "alive"
}

/// Every part with its state; 503 while one is starting or down.
pub(crate) async fn ready(State(edge): State<Edge>) -> (StatusCode, Json<serde_json::Value>) {
    let parts: serde_json::Map<_, _> = edge
        .health
        .parts()
        .into_iter()
        .map(|(part, state)| {
            let (state, reason) = match state {
                PartState::Starting => ("starting", None),
                PartState::Ready => ("ready", None),
                PartState::Degraded(reason) => ("degraded", Some(reason)),
                PartState::Down(reason) => ("down", Some(reason)),
            };
            (part.to_owned(), serde_json::json!({ "state": state, "reason": reason }))
        })
        .collect();
    let status = if edge.health.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": edge.health.is_ready(), "parts": parts })))
}
