//! The layers in front of every handler, each one small function. Their order is in [`crate::server`].

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt as _;
use http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::propagation::Extractor;
use preceptor_core::{Fault, Kind, Scope};
use preceptor_runtime::tally;
use tonic::{Code, Status};
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::call::Call;
use crate::caller::{CALLER_HEADER, CallerIdentity};
use crate::policy::{Policies, Policy};
use crate::records::Note;
use crate::server::Shared;
use crate::status::status_of;

/// The longest time a caller may ask for.
const LONGEST_DEADLINE: Duration = Duration::from_secs(600);

/// The methods of `grpc.health.v1`.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// How the decoder of messages begins when it cannot read one; it calls that a defect of ours.
const UNREADABLE: &str = "failed to decode Protobuf message";

/// When the caller stops waiting; put there by [`deadline`].
#[derive(Debug, Clone, Copy)]
struct Deadline(Instant);

fn refuse(fault: &Fault) -> Response {
    status_of(fault).into_http()
}

/// A panic becomes a status; without this it would unwind into the caller's task on a local channel.
pub(crate) async fn catch_panic(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if let Ok(response) = AssertUnwindSafe(next.run(request)).catch_unwind().await {
        response
    } else {
        tracing::error!(rpc.path = path, "a handler panicked");
        refuse(&Fault::internal())
    }
}

/// One span per call, child of the caller's span on either kind of channel.
pub(crate) async fn trace(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let span =
        tracing::info_span!("rpc", rpc.service = shared.service.name(), rpc.path = request.uri().path());
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract(&Headers(request.headers()))
    });
    // Fails only when no telemetry layer is installed, and then there is no parent to set.
    let _ = span.set_parent(parent);
    next.run(request).instrument(span).await
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Duration and outcome of every call, by method.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let labels =
        [KeyValue::new("rpc.path", path), KeyValue::new("rpc.grpc.status_code", i64::from(code as i32))];
    shared.durations.record(started.elapsed().as_secs_f64(), &labels);
    response
}

/// Refuses at once what could only wait: a full house answers, it does not queue.
pub(crate) async fn load_shed(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Ok(_permit) = shared.in_flight.try_acquire() else {
        return refuse(&Fault::new(
            Kind::Unavailable,
            "OVERLOADED",
            "too much is going on right now; try again in a moment",
        ));
    };
    next.run(request).await
}

/// What a call on someone's behalf costs is counted for tests.
pub(crate) async fn tally(request: Request, next: Next) -> Response {
    let Some(org) = request.extensions().get::<Call>().map(|call| call.scope().org()) else {
        return next.run(request).await;
    };
    let path = request.uri().path().to_owned();
    tally::of_call(org, &path, next.run(request)).await
}

/// A message that cannot be read is a fault of the one who sent it.
pub(crate) async fn unreadable(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = Status::from_header_map(response.headers());
    let is_unreadable =
        |status: &Status| status.code() == Code::Internal && status.message().starts_with(UNREADABLE);
    if !status.as_ref().is_some_and(is_unreadable) {
        return response;
    }
    refuse(&Fault::new(Kind::InvalidInput, "MESSAGE_UNREADABLE", "the message is not one of this method"))
}

/// Every call says how long its caller waits; work stops then. In-process calls have no transport to do this.
pub(crate) async fn deadline(mut request: Request, next: Next) -> Response {
    let Some(time) =
        request.headers().get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?))
    else {
        if Policies::is_open(request.uri().path()) {
            return next.run(request).await;
        }
        return refuse(&Fault::new(
            Kind::InvalidInput,
            "DEADLINE_REQUIRED",
            "every call needs a grpc-timeout",
        ));
    };
    let until = Instant::now() + time.min(LONGEST_DEADLINE);
    request.extensions_mut().insert(Deadline(until));
    match tokio::time::timeout_at(until.into(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            refuse(&Fault::new(Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", "this took too long; try again"))
        }
    }
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2).
pub(crate) fn parse_timeout(value: &str) -> Option<Duration> {
    let unit = value.chars().last()?;
    let digits = value.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(amount * 3600),
        'M' => Duration::from_secs(amount * 60),
        'S' => Duration::from_secs(amount),
        'm' => Duration::from_millis(amount),
        'u' => Duration::from_micros(amount),
        'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Which service calls, and whether the contract lets it.
pub(crate) async fn caller_policy(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = request.extensions().get::<CallerIdentity>().copied().or_else(|| {
        let proof = request.headers().get(CALLER_HEADER)?.to_str().ok()?;
        shared.mesh_secret.as_ref()?.verify(proof, request.uri().path())
    });
    let path = request.uri().path();
    // Probes of the one who runs the process have no proof, and learn nothing but that it serves.
    if path.starts_with(HEALTH) {
        return next.run(request).await;
    }
    if caller.is_none() {
        // Before it is known who asks, a method that is not there looks like one that is.
        tracing::warn!(rpc.path = path, "a call came without a proof of its caller");
        return refuse(&unknown_caller());
    }
    if Policies::is_open(path) {
        return next.run(request).await;
    }
    let Some(policy) = shared.policies.get(path).cloned() else {
        return Status::unimplemented("no such method").into_http();
    };
    if let Err(fault) = policy.check_caller(caller) {
        tracing::warn!(rpc.path = path, caller = ?caller, "a call was refused by its policy");
        return refuse(&fault);
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    request.extensions_mut().insert(policy);
    next.run(request).await
}

fn unknown_caller() -> Fault {
    Fault::new(Kind::Forbidden, "CALLER_NOT_ALLOWED", "this service may not make that call")
}

/// Turns the token into a [`Call`] and checks that its subject may do this.
pub(crate) async fn scope(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let Some(policy) = request.extensions_mut().remove::<Policy>() else {
        // Health and reflection were let through above.
        return next.run(request).await;
    };
    if policy.unscoped {
        return next.run(request).await;
    }
    let token = match bearer(request.headers()) {
        Ok(token) => token,
        Err(fault) => return refuse(&fault),
    };
    let scope = match verified(&shared, &token).await {
        Ok(scope) => scope,
        Err(fault) => return refuse(&fault),
    };
    if let Some(note) = request.extensions().get::<Note>() {
        note.acting(Arc::clone(&scope));
    }
    if let Err(fault) = policy.check_scope(&scope) {
        return refuse(&fault);
    }
    let Some(Deadline(until)) = request.extensions().get::<Deadline>().copied() else {
        return refuse(&Fault::internal());
    };
    request.extensions_mut().insert(Call::incoming(scope, token, until));
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Result<Arc<str>, Fault> {
    let mut values = headers.get_all("authorization").iter();
    match (values.next().and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")), values.next()) {
        (Some(token), None) => Ok(token.into()),
        _ => Err(unauthenticated()),
    }
}

async fn verified(shared: &Shared, token: &Arc<str>) -> Result<Arc<Scope>, Fault> {
    shared.verifier.verified(token, shared.clock.now()).await.map_err(|rejection| {
        tracing::info!(%rejection, "a scope token was refused");
        unauthenticated()
    })
}

fn unauthenticated() -> Fault {
    Fault::new(
        Kind::Unauthenticated,
        "TOKEN_INVALID",
        "the access token is missing, malformed or expired; sign in again",
    )
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use preceptor_core::{Secret, SystemClock};
    use tower::ServiceExt as _;

    use super::*;
    use crate::caller::{MeshSecret, ServiceName};
    use crate::records::{Entry, Ledger, Recorder, Unrecorded};
    use crate::server::Server;
    use crate::verifier::SharedVerifier;

    #[derive(Debug)]
    struct Nowhere;

    #[async_trait]
    impl Recorder for Nowhere {
        async fn record(&self, _entries: Vec<Entry>) -> Result<(), Unrecorded> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_captured_proof_makes_neither_another_call_nor_the_same_one_again() {
        const EXCHANGE: &str = "/preceptor.auth.v1.Auth/Exchange";
        const SIGN_OUT: &str = "/preceptor.auth.v1.Auth/EndSession";
        let clock = || Arc::new(SystemClock);
        let secret = MeshSecret::new(&Secret::new("one"), clock());
        let policies = Policies::of_contracts().expect("contracts");
        let server = Server::new(policies, SharedVerifier::pending(clock()), clock(), Some(secret.clone()));
        let shared = server.shared(ServiceName::Auth, Ledger::new(Arc::new(Nowhere), clock()));
        let routes = Router::new()
            .route(EXCHANGE, post(|| async {}))
            .route(SIGN_OUT, post(|| async {}))
            .layer(from_fn_with_state(shared, caller_policy));
        let is_let_in = async |path: &str, proof: &str| {
            let request = Request::post(path).header(CALLER_HEADER, proof).body(axum::body::Body::empty());
            let answer = routes.clone().oneshot(request.expect("a request")).await.expect("an answer");
            Status::from_header_map(answer.headers()).is_none()
        };
        let captured = secret.proof(ServiceName::Gateway, EXCHANGE).expect("a proof");
        assert!(!is_let_in(SIGN_OUT, &captured).await, "another method");
        assert!(is_let_in(EXCHANGE, &captured).await, "the call that it was made for");
        assert!(!is_let_in(EXCHANGE, &captured).await, "the same call again");
        let stranger = secret.proof(ServiceName::Retrieval, EXCHANGE).expect("a proof");
        assert!(!is_let_in(EXCHANGE, &stranger).await, "a service that may not make it");
    }

    #[tokio::test]
    async fn a_stranger_is_refused_the_same_whether_or_not_there_is_such_a_method() {
        let clock = || Arc::new(SystemClock);
        let policies = Policies::of_contracts().expect("contracts");
        let server = Server::new(policies, SharedVerifier::pending(clock()), clock(), None);
        let shared = server.shared(ServiceName::Auth, Ledger::new(Arc::new(Nowhere), clock()));
        let routes = Router::new().fallback(|| async {}).layer(from_fn_with_state(shared, caller_policy));
        let code = async |path: &str| {
            let request = Request::post(path).body(axum::body::Body::empty()).expect("a request");
            let answer = routes.clone().oneshot(request).await.expect("an answer");
            Status::from_header_map(answer.headers()).map(|status| status.code())
        };
        for path in [
            "/preceptor.auth.v1.Auth/Exchange",
            "/preceptor.auth.v1.Auth/Nothing",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ] {
            assert_eq!(code(path).await, Some(Code::PermissionDenied), "{path}");
        }
        assert_eq!(code("/grpc.health.v1.Health/Check").await, None, "a probe has no proof");
    }

    #[tokio::test]
    async fn a_panic_is_the_status_of_its_own_call() {
        const EXCHANGE: &str = "/preceptor.auth.v1.Auth/Exchange";
        async fn bad() -> &'static str {
            panic!("on purpose")
        }
        let clock = || Arc::new(SystemClock);
        let secret = MeshSecret::new(&Secret::new("one"), clock());
        let policies = Policies::of_contracts().expect("contracts");
        let server = Server::new(policies, SharedVerifier::pending(clock()), clock(), Some(secret.clone()));
        let routes = tonic::service::Routes::from(Router::new().route(EXCHANGE, post(bad)));
        let stack = server.stack(ServiceName::Auth, routes, Ledger::new(Arc::new(Nowhere), clock()));
        let proof = secret.proof(ServiceName::Gateway, EXCHANGE).expect("a proof");
        let request = Request::post(EXCHANGE).header(CALLER_HEADER, proof).header("grpc-timeout", "5S");
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = stack.oneshot(request).await.expect("an answer");
        let status = Status::from_header_map(answer.headers()).map(|status| status.code());
        assert_eq!(status, Some(Code::Internal));
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_fault_of_its_sender() {
        let clock = || Arc::new(SystemClock);
        let policies = Policies::of_contracts().expect("contracts");
        let server = Server::new(policies, SharedVerifier::pending(clock()), clock(), None);
        let routes = tonic::service::Routes::default();
        let (routes, _) =
            crate::health::with_health(ServiceName::Auth, routes).await.expect("a service that decodes");
        let stack = server.stack(ServiceName::Auth, routes, Ledger::new(Arc::new(Nowhere), clock()));
        // A frame of two bytes, whose only field says that it is longer.
        let frame: &[u8] = &[0, 0, 0, 0, 2, 0x0a, 0x7f];
        let request =
            Request::post("/grpc.health.v1.Health/Check").header("content-type", "application/grpc");
        let request = request.body(axum::body::Body::from(frame)).expect("a request");
        let answer = stack.oneshot(request).await.expect("an answer");
        let status = Status::from_header_map(answer.headers()).map(|status| status.code());
        assert_eq!(status, Some(Code::InvalidArgument));
    }

    #[tokio::test]
    async fn a_full_service_refuses_at_once_and_serves_again_when_there_is_a_place() {
        let clock = || Arc::new(SystemClock);
        let policies = Policies::of_contracts().expect("contracts");
        let server = Server::new(policies, SharedVerifier::pending(clock()), clock(), None);
        let shared = server.shared(ServiceName::Auth, Ledger::new(Arc::new(Nowhere), clock()));
        let routes = Router::new()
            .route("/", post(|| async {}))
            .layer(from_fn_with_state(Arc::clone(&shared), load_shed));
        let call = async || {
            let request = Request::post("/").body(axum::body::Body::empty()).expect("a request");
            let answer = routes.clone().oneshot(request).await.expect("an answer");
            Status::from_header_map(answer.headers()).map(|status| status.code())
        };
        assert_eq!(call().await, None);
        let places = shared.in_flight.available_permits() as u32;
        let all = shared.in_flight.acquire_many(places).await.expect("every place");
        assert_eq!(call().await, Some(Code::Unavailable), "it does not wait");
        drop(all);
        assert_eq!(call().await, None);
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_writes_them() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for wrong in ["", "m", "1", "-1S", "1.5S", "123456789S", "5x", "５S"] {
            assert_eq!(parse_timeout(wrong), None, "{wrong}");
        }
    }
}
