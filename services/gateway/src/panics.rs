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

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_and_no_closed_connection() {
        async fn bad() -> &'static str {
            panic!("on purpose")
        }
        let router: Router =
            Router::new().route("/v1/bad", get(bad)).route("/bad", get(bad)).layer(from_fn(layer));
        for path in ["/v1/bad", "/bad"] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), 500, "{path}");
        }
    }
}
