//! The erased channel that every generated client is built on.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use opentelemetry::propagation::Injector;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Endpoint;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::caller::{CALLER_HEADER, CallerIdentity, MeshSecret, ServiceName};
use crate::retry::{self, Budget};

/// How long a remote peer may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

type Erased = BoxCloneSyncService<Request<Body>, Response<Body>, Status>;

/// One service of the mesh as another sees it. Cheap to clone; no one can tell a local one from a remote one.
#[derive(Clone, Debug)]
pub struct Channel(Erased);

impl Channel {
    /// A channel to routes in this process, on behalf of `caller`. `routes` must have come out of
    /// [`Server::stack`](crate::Server::stack), so that both kinds of channel meet the same layers.
    pub fn local(routes: Router, caller: ServiceName) -> Self {
        let service = tower::service_fn(move |mut request: Request<Body>| {
            inject_trace(&mut request);
            request.extensions_mut().insert(CallerIdentity(caller));
            let routes = routes.clone();
            async move {
                let response =
                    routes.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
                Ok(response.map(Body::new))
            }
        });
        Self(BoxCloneSyncService::new(service))
    }

    /// A channel to a service at `address` (`http://host:port`), which connects when it is first used and again when it
    /// has to. Calls that are safe to repeat are repeated for a moment while the service is away.
    pub fn remote(address: &str, caller: ServiceName, secret: &MeshSecret) -> Result<Self, BadAddress> {
        let bad = |_| BadAddress { address: address.to_owned() };
        let endpoint = Endpoint::from_shared(address.to_owned())
            .map_err(bad)?
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let peer = Arc::new(Peer { transport: endpoint.connect_lazy(), caller, secret: secret.clone() });
        let budget = Arc::new(Budget::default());
        let service = tower::service_fn(move |mut request: Request<Body>| {
            inject_trace(&mut request);
            let (peer, budget) = (Arc::clone(&peer), Arc::clone(&budget));
            async move { retry::call(&budget, request, |request| peer.send(request)).await }
        });
        Ok(Self(BoxCloneSyncService::new(service)))
    }
}

/// A service in another process.
struct Peer {
    transport: tonic::transport::Channel,
    caller: ServiceName,
    secret: MeshSecret,
}

impl Peer {
    /// Sends a request once, with a proof of its own.
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        let proof = self.secret.proof(self.caller, request.uri().path());
        let proof = proof.and_then(|proof| HeaderValue::try_from(proof).ok());
        let proof = proof.ok_or_else(|| Status::internal("no proof of the caller could be made"))?;
        request.headers_mut().insert(CALLER_HEADER, proof);
        self.transport.clone().oneshot(request).await.map_err(|error| {
            tracing::warn!(error = %chain(&error), "a peer could not be reached");
            Status::unavailable("peer not reachable")
        })
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// An address that is not a URL of a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address:?} is not an address of the form http://host:port")]
pub struct BadAddress {
    address: String,
}

struct Headers<'a>(&'a mut http::HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        let pair = (http::HeaderName::try_from(key), HeaderValue::try_from(value));
        if let (Ok(name), Ok(value)) = pair {
            self.0.insert(name, value);
        }
    }
}

fn inject_trace(request: &mut Request<Body>) {
    let context = tracing::Span::current().context();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Headers(request.headers_mut()));
    });
}

/// An error with all its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
