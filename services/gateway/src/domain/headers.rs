//! Headers of every response.

use axum::Router;
use axum::http::{HeaderValue, Response, header};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::set_header::SetResponseHeaderLayer;

/// Nothing but our own files, no inline script or style, no framing by others, no plug-ins.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Answers, pictures and drafts are personal: no cache may keep them, or they would outlast a sign-out or a withdrawal.
/// Only what says that it is public may be kept, whatever the framework puts on the others (event streams).
fn caching<B>(response: &Response<B>) -> Option<HeaderValue> {
    let said = response
        .headers()
        .get(header::CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    (!said.starts_with("public")).then(|| HeaderValue::from_static("private, no-store"))
}

/// Adds security headers and compression to a router.
pub(crate) fn secure<S: Clone + Send + Sync + 'static>(router: Router<S>, is_https: bool) -> Router<S> {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    let router = fixed.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)))
    });
    let router = router.layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, caching));
    // Anyone who came over TLS once comes over TLS for the next two years.
    let transport = is_https.then(|| HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    let router = match transport {
        Some(value) => {
            router.layer(SetResponseHeaderLayer::overriding(header::STRICT_TRANSPORT_SECURITY, value))
        }
        None => router,
    };
    // A compressed stream of answers would be held back until a block is full.
    let predicate = DefaultPredicate::new()
        .and(NotForContentType::new("text/event-stream"))
        .and(NotForContentType::IMAGES);
    router.layer(CompressionLayer::new().compress_when(predicate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_is_kept() {
        let said = |value: Option<&str>| {
            let mut response = Response::new(());
            if let Some(value) = value {
                response
                    .headers_mut()
                    .insert(header::CACHE_CONTROL, HeaderValue::from_str(value).expect("a header"));
            }
            caching(&response)
        };
        for personal in [None, Some("no-cache"), Some("private, max-age=3600"), Some("max-age=60")] {
            assert_eq!(said(personal), Some(HeaderValue::from_static("private, no-store")), "{personal:?}");
        }
        assert_eq!(said(Some("public, max-age=300")), None);
    }
}
