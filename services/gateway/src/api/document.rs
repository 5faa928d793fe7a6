//! The OpenAPI document as it is sent: written once, and not sent again to a client that has it.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::Edge;

/// The route of the document.
pub(super) fn route(document: &Value) -> MethodRouter<Edge> {
    let text = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
    let etag = format!("\"{}\"", &hex::encode(Sha256::digest(&text))[..32]);
    get(move |request: Request| {
        let response = sent(&request, &text, &etag);
        async move { response }
    })
}

fn sent(request: &Request, text: &Bytes, etag: &str) -> Response {
    let known =
        request.headers().get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = known.flat_map(|line| line.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    let headers = [
        (header::ETAG, HeaderValue::from_str(etag).unwrap_or(HeaderValue::from_static("\"1\""))),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
    ];
    if tags.any(|tag| tag == etag || tag == "*") {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.clone())
        .into_response()
}
