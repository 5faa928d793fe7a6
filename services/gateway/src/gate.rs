//! What every request passes before its handler: limits of its address, who asks, whether they may, and the bounds of
//! the body. Nothing of a body is read before that.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body::Body as _;
use preceptor_core::Kind;
use preceptor_edge::body::{Account, Broken, Fate, bounded};
use preceptor_edge::{Client, Prefix};

use crate::Edge;
use crate::answers::busy;
use crate::api::file_too_large;
use crate::error::ApiError;
use crate::extract::is_api;
use crate::identity::{Identity, credential, session_cookie_name};
use crate::limits::{Door, Seen};
use crate::pages::PageError;
use crate::permissions::OPEN;

/// What is asked of every process all the time, by the one who runs it.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];
/// Multipart framing comes on top of the file itself.
const FRAMING: usize = 1 << 20;

pub(crate) async fn layer(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let is_page = !is_api(request.uri().path());
    let seen = Seen::default();
    let mut response = match enter(&edge, request, &seen).await {
        Ok(entered) => pass(&edge, entered, next, &seen, is_page).await,
        Err(error) => refused(error, is_page),
    };
    seen.write(response.headers_mut());
    response
}

/// Refuses a request of HTTP/1.1 without exactly one host, as RFC 9112 (3.2) wants it.
pub(crate) async fn one_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if request.version() == Version::HTTP_11 && hosts != 1 {
        let what = "a request names exactly one host";
        let error = ApiError::new(Kind::InvalidInput, "HOST_INVALID", what);
        return refused(error, !is_api(request.uri().path()));
    }
    next.run(request).await
}

fn refused(error: ApiError, is_page: bool) -> Response {
    if is_page { PageError::from(error).into_response() } else { error.into_response() }
}

/// A request that may go on to its handler.
struct Entered {
    request: Request,
    route: String,
    /// Whose the answer is; the address where no org asks.
    org: String,
    bound: Bound,
    fate: Fate,
    /// From where a credential came that no one has looked at yet.
    unproven: Option<Prefix>,
    _account: Option<Arc<Account>>,
}

async fn pass(edge: &Edge, entered: Entered, next: Next, seen: &Seen, is_page: bool) -> Response {
    let Entered { request, route, org, bound, fate, unproven, _account } = entered;
    let mut response = match answer(edge, request, &route, org, next).await {
        Ok(response) => response,
        Err(error) => refused(error, is_page),
    };
    if let Some(address) = unproven.filter(|_| is_refusal(&response)) {
        seen.note(edge.note_refusal(address).await);
    }
    if let Some(broken) = fate.broken() {
        // Whatever the handler made of half a body: this is what happened.
        response = refused(of_broken(bound, broken), is_page);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What the handler answers, if there is space for it.
async fn answer(
    edge: &Edge,
    request: Request,
    route: &str,
    org: String,
    next: Next,
) -> Result<Response, ApiError> {
    let _place = edge.answers.place(request.method(), route, &org).await?;
    edge.answers.counted(org, next.run(request).await)
}

/// Whether a credential turned out to be none.
fn is_refusal(response: &Response) -> bool {
    let leads_to = response.headers().get(header::LOCATION).map(HeaderValue::as_bytes);
    response.status() == StatusCode::UNAUTHORIZED
        || (response.status().is_redirection() && leads_to == Some(b"/sign-in"))
}

async fn enter(edge: &Edge, request: Request, seen: &Seen) -> Result<Entered, ApiError> {
    let (mut parts, body) = request.into_parts();
    let route =
        parts.extensions.get::<MatchedPath>().map(|matched| matched.as_str().to_owned()).unwrap_or_default();
    let address = address_of(edge, &parts);
    let credential =
        credential(&parts.headers, session_cookie_name(&edge.config)).map(|(credential, _)| credential);
    let taken = edge.permissions.takes(&parts.method, &route);
    // What no operation takes is counted where it comes from, whatever credential it carries. So is a page with a credential
    // that no one has looked at: many pages look at none, and a made-up one must not lift the limit.
    let is_secured = edge.contract.is_secured(&parts.method, &route);
    let is_proven = credential.as_deref().is_some_and(|credential| edge.proven.holds(credential));
    let counts_itself = (credential.is_some() && is_secured) || (is_proven && !is_api(parts.uri.path()));
    if let Some(door) = door(&parts.method, &route, counts_itself) {
        seen.note(edge.limit_door(door, address).await?);
    }
    parts.extensions.insert(seen.clone());
    let mut unproven = None;
    if let Some(credential) = credential.filter(|_| !OPEN.contains(&route.as_str())) {
        edge.check_refusals(address, &credential).await?;
        unproven = Some(address);
    }
    let (mut holder, mut org) = (address.to_string(), address.to_string());
    // The router refuses what no route takes, no matter who asks, and before any body.
    if taken {
        let identity = identify(edge, &mut parts, address, seen).await?;
        allowed(edge, &parts.method, &route, &identity).await?;
        org = identity.scope.org().to_string();
        holder = format!("{org}:{}", identity.scope.subject());
        unproven = None;
    }
    let bound = bound(edge, &parts.method, &route);
    if announced(&parts).is_some_and(|length| length > bound.most as u64) {
        return Err(too_large(bound));
    }
    let fate = parts.extensions.get::<Fate>().cloned().unwrap_or_default();
    let account = (!bound.streams && !body.is_end_stream()).then(|| edge.bodies.account(holder));
    if let Some(account) = &account {
        parts.extensions.insert(Arc::clone(account));
    }
    let body = bounded(body, bound.most, account.clone(), fate.clone());
    let request = Request::from_parts(parts, body);
    Ok(Entered { request, route, org, bound, fate, unproven, _account: account })
}

/// Where a request comes from, as limits see it.
pub(crate) fn address_of(edge: &Edge, parts: &Parts) -> Prefix {
    let client = parts.extensions.get::<Client>().copied();
    let address =
        client.map(|client| Prefix::of(client.address(&parts.headers, &edge.config.trusted_proxies)));
    address.unwrap_or(Prefix::V4([127, 0, 0, 1].into()))
}

/// Refuses a subject that may not do what a route does, before its body. The refusal is put on record as the RPC would
/// do it, which refuses the same.
async fn allowed(edge: &Edge, method: &Method, route: &str, identity: &Identity) -> Result<(), ApiError> {
    let Err((fault, rpc)) = edge.permissions.check(method, route, &identity.scope) else { return Ok(()) };
    edge.record_refusal(&identity.scope, rpc, &fault.reason).await;
    Err(fault.into())
}

/// Who asks. A credential that is none counts against its address.
async fn identify(
    edge: &Edge,
    parts: &mut Parts,
    address: Prefix,
    seen: &Seen,
) -> Result<Identity, ApiError> {
    let had_one = credential(&parts.headers, session_cookie_name(&edge.config)).is_some();
    match Identity::from_request_parts(parts, edge).await {
        Ok(identity) => Ok(identity),
        Err(error) => {
            if had_one && error.status() == StatusCode::UNAUTHORIZED {
                seen.note(edge.note_refusal(address).await);
            }
            Err(error)
        }
    }
}

/// Which limit of its address a request comes under, besides those of the subject.
fn door(method: &Method, route: &str, counts_itself: bool) -> Option<Door> {
    if PROBES.contains(&route) {
        return None;
    }
    if OPEN.contains(&route) && method == Method::POST {
        return Some(Door::SignIn);
    }
    if route.contains("{code}") && !route.starts_with("/errors/") {
        return Some(Door::LookUp);
    }
    (!counts_itself).then_some(Door::Public)
}

/// How much a route takes.
#[derive(Debug, Clone, Copy)]
struct Bound {
    most: usize,
    /// Whether the body streams through instead of being held.
    streams: bool,
}

fn streams(method: &Method, route: &str) -> bool {
    method == Method::POST && matches!(route, "/v1/programs/{id}/sources" | "/console/programs/{id}/sources")
}

fn bound(edge: &Edge, method: &Method, route: &str) -> Bound {
    if streams(method, route) {
        return Bound { most: (edge.config.largest_upload_mib << 20) + FRAMING, streams: true };
    }
    Bound { most: edge.config.largest_body_kib << 10, streams: false }
}

fn announced(parts: &Parts) -> Option<u64> {
    parts.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(bound: Bound) -> ApiError {
    if bound.streams {
        return file_too_large();
    }
    let detail = format!("the body is larger than this operation takes, which is {} KiB", bound.most >> 10);
    ApiError::new(Kind::InvalidInput, "BODY_TOO_LARGE", detail).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

fn of_broken(bound: Bound, broken: Broken) -> ApiError {
    match broken {
        Broken::TooLarge => too_large(bound),
        Broken::TooSlow => {
            let detail = "the body did not arrive in time; send it again, without pauses";
            ApiError::new(Kind::InvalidInput, "REQUEST_TIMEOUT", detail)
                .with_status(StatusCode::REQUEST_TIMEOUT)
        }
        Broken::NoSpace => busy(),
    }
}
