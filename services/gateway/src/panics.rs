//! A handler that panics answers for itself alone.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use preceptor_core::Fault;

use crate::error::ApiError;
use crate::extract::is_api;
use crate::pages::PageError;

/// A panic becomes a problem, or a page; without this it would close the connection without an answer.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if let Ok(response) = AssertUnwindSafe(next.run(request)).catch_unwind().await {
        return response;
    }
    tracing::error!(path, "a handler panicked");
    let error = ApiError::from(Fault::internal());
    if is_api(&path) { error.into_response() } else { PageError::from(error).into_response() }
}
