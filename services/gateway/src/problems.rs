//! The outermost layer: every request has an id, and no error leaves without being a problem or a page.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use preceptor_core::Kind;
use preceptor_core::id::EventId;

use crate::Edge;
use crate::error::{ApiError, ProblemOf};
use crate::extract::is_api;
use crate::gate::address_of;
use crate::limits::Door;
use crate::pages::PageError;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The media type of problems.
pub(crate) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// Longer than any address of ours.
const LONGEST_ADDRESS: usize = 8 << 10;
/// More than any client of ours sends in its headers, and less than the server below gives up at, without a word.
const LARGEST_HEADERS: usize = 16 << 10;
/// The same for the number of headers.
const MOST_HEADERS: usize = 100;
/// What a 401 says besides (RFC 9110, 15.5.2).
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"preceptor\"");

/// The id by which a request is found in the logs.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    pub(crate) fn new() -> Self {
        Self(EventId::generate().to_string().replace("evt_", "req_"))
    }
}

impl FromRequestParts<Edge> for RequestId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Edge) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::new))
    }
}

/// Gives every request an id, writes it into its problem, and makes a problem of every error that is none.
pub(crate) async fn layer(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::new);
    request.extensions_mut().insert(id.clone());
    let is_api = is_api(request.uri().path());
    let response = match too_long(&request) {
        Some(error) => {
            let (parts, _) = request.into_parts();
            let limited = edge.limit_door(Door::Public, address_of(&edge, &parts)).await;
            let (error, standing) =
                limited.map_or_else(|limit| (limit, None), |standing| (error, Some(standing)));
            let mut response =
                if is_api { error.into_response() } else { PageError::from(error).into_response() };
            response.headers_mut().extend(standing.unwrap_or_default());
            response
        }
        None => next.run(request).await,
    };
    finish(&edge, &id, told(response, is_api))
}

fn too_long(request: &Request) -> Option<ApiError> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > LONGEST_ADDRESS {
        let error = ApiError::new(
            Kind::InvalidInput,
            "URI_TOO_LONG",
            "the address is longer than any of ours; it may have 8 KiB",
        );
        return Some(error.with_status(StatusCode::URI_TOO_LONG));
    }
    let size = |headers: &HeaderMap| {
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
    };
    let headers = request.headers();
    (size(headers) > LARGEST_HEADERS || headers.len() > MOST_HEADERS).then(|| {
        let error = ApiError::new(
            Kind::InvalidInput,
            "HEADERS_TOO_LARGE",
            "the headers are larger than any that we need; they may have 16 KiB and 100 lines in all",
        );
        error.with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    })
}

/// An error that is neither a problem nor a page yet: of the framework, or of a layer.
fn told(response: Response, is_api: bool) -> Response {
    let status = response.status();
    let kind =
        response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_bare = kind.is_empty() || kind.starts_with("text/plain");
    let is_told = response.extensions().get::<ProblemOf>().is_some() || *kind == PROBLEM;
    let leaves_bare =
        (status.is_client_error() || status.is_server_error()) && !is_told && (is_api || is_bare);
    if !leaves_bare {
        return response;
    }
    let error = of_status(status);
    let mut made = if is_api { error.into_response() } else { PageError::from(error).into_response() };
    *made.status_mut() = status;
    let limits = ["ratelimit", "ratelimit-policy"].map(HeaderName::from_static);
    for name in [header::ALLOW, header::RETRY_AFTER, header::CONNECTION].into_iter().chain(limits) {
        for value in response.headers().get_all(&name) {
            made.headers_mut().append(name.clone(), value.clone());
        }
    }
    made
}

/// What a bare status means.
fn of_status(status: StatusCode) -> ApiError {
    let (kind, code, detail) = match status {
        StatusCode::UNAUTHORIZED => (
            Kind::Unauthenticated,
            "CREDENTIAL_MISSING",
            "send an API token as `Authorization: Bearer …`, or sign in",
        ),
        StatusCode::FORBIDDEN => (Kind::Forbidden, "CAPABILITY_MISSING", "this credential may not do that"),
        StatusCode::NOT_FOUND => (Kind::NotFound, "PATH_NOT_FOUND", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => (
            Kind::InvalidInput,
            "METHOD_NOT_ALLOWED",
            "this address does not take that method; `Allow` names those that it takes",
        ),
        StatusCode::REQUEST_TIMEOUT => {
            (Kind::InvalidInput, "REQUEST_TIMEOUT", "the request did not arrive in time; send it again")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            (Kind::InvalidInput, "BODY_TOO_LARGE", "the body is larger than this operation takes")
        }
        StatusCode::URI_TOO_LONG => {
            (Kind::InvalidInput, "URI_TOO_LONG", "the address is longer than any of ours; it may have 8 KiB")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (Kind::InvalidInput, "MEDIA_TYPE_UNSUPPORTED", "this operation takes no body of that media type")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            (Kind::ResourceExhausted, "RATE_LIMITED", "too many requests; wait as long as Retry-After says")
        }
        StatusCode::SERVICE_UNAVAILABLE => (
            Kind::Unavailable,
            "UNAVAILABLE",
            "a part of the platform is not reachable right now; try again in a moment",
        ),
        StatusCode::GATEWAY_TIMEOUT => {
            (Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", "the work was not done in time; try again")
        }
        status if status.is_server_error() => (
            Kind::Internal,
            "INTERNAL",
            "something went wrong on our side; try again, and report the request id if it stays",
        ),
        _ => (
            Kind::InvalidInput,
            "REQUEST_INVALID",
            "the request cannot be understood; compare it with the documentation of this operation",
        ),
    };
    ApiError::new(kind, code, detail).with_status(status)
}

/// Fills in what only this layer knows.
pub(crate) fn finish(edge: &Edge, id: &RequestId, mut response: Response) -> Response {
    // A page that shows a problem chose its id already.
    let id = response.extensions_mut().remove::<RequestId>().unwrap_or_else(|| id.clone());
    if let Some(ProblemOf(mut problem)) = response.extensions_mut().remove::<ProblemOf>() {
        problem.request_id.clone_from(&id.0);
        problem.r#type = format!("{}{}", edge.config.public_url.trim_end_matches('/'), problem.r#type);
        if response.status().is_server_error() {
            tracing::error!(request.id = id.0, problem.code = problem.code, "a request failed");
        }
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        response = Response::from_parts(parts, Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(CHALLENGE);
    }
    if let Ok(value) = id.0.parse() {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
