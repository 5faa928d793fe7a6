//! Requests are checked against the document before a handler sees them.

use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::complete::BYTES;
use crate::Edge;
use crate::domain::accept::prefers;
use crate::error::ApiError;
use crate::identity::Identity;

/// Who asks comes first: a stranger learns nothing about what is wrong with a request. Then the path, then the query.
pub(crate) async fn layer(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let accept = request
        .headers()
        .get_all(header::ACCEPT)
        .iter()
        .cloned()
        .map(|value| (header::ACCEPT, value))
        .collect();
    match checked(&edge, request).await {
        Ok(request) => negotiated(&accept, next.run(request).await),
        Err(error) => error.into_response(),
    }
}

/// A file as bytes without a type, for a client that would rather have those.
fn negotiated(accept: &HeaderMap, mut response: Response) -> Response {
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_file = kind == "application/pdf" || kind.starts_with("image/");
    if is_file && prefers(accept, BYTES, kind) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(BYTES));
    }
    response
}

async fn checked(edge: &Edge, request: Request) -> Result<Request, ApiError> {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    if let Some(operation) = edge.contract.operation(&parts.method, &path) {
        if operation.is_secured {
            Identity::from_request_parts(&mut parts, edge).await?;
        }
        let values = RawPathParams::from_request_parts(&mut parts, edge)
            .await
            .map_err(|_| operation.unreadable_path())?;
        operation.check_path(&values)?;
        operation.check_query(parts.uri.query().unwrap_or_default())?;
    }
    Ok(Request::from_parts(parts, body))
}
