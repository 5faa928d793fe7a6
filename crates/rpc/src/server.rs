//! The called side of the seam.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use opentelemetry::metrics::Histogram;
use preceptor_core::Clock;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::service::Routes;
use tower::ServiceBuilder;

use crate::caller::{MeshSecret, ServiceName};
use crate::layers;
use crate::policy::Policies;
use crate::records::{self, Ledger, Subjects};
use crate::verifier::SharedVerifier;

/// Calls that one service works on at the same time before it sheds.
const MOST_IN_FLIGHT: usize = 1024;
/// What the layers of one service share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) service: ServiceName,
    pub(crate) policies: Policies,
    pub(crate) verifier: SharedVerifier,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mesh_secret: Option<MeshSecret>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) subjects: Arc<Subjects>,
    pub(crate) in_flight: Semaphore,
    pub(crate) durations: Histogram<f64>,
}

/// Builds the called side of every service of a process.
#[derive(Debug, Clone)]
pub struct Server {
    policies: Policies,
    verifier: SharedVerifier,
    clock: Arc<dyn Clock>,
    mesh_secret: Option<MeshSecret>,
    subjects: Arc<Subjects>,
}

impl Server {
    /// A server that enforces `policies`. Without a mesh secret only local callers are known.
    pub fn new(
        policies: Policies,
        verifier: SharedVerifier,
        clock: Arc<dyn Clock>,
        mesh_secret: Option<MeshSecret>,
    ) -> Self {
        let subjects = Arc::new(policies.subjects());
        Self { policies, verifier, clock, mesh_secret, subjects }
    }

    /// The one list of layers, outermost first. `ledger` is the record as this service keeps it.
    pub fn stack(&self, service: ServiceName, routes: Routes, ledger: Arc<Ledger>) -> Router {
        let shared = self.shared(service, ledger);
        routes.prepare().into_axum_router().layer(
            ServiceBuilder::new()
                // A panic anywhere below becomes a status.
                .layer(from_fn(layers::catch_panic))
                // The span exists before anything can be refused, so that refusals are traced.
                .layer(from_fn_with_state(Arc::clone(&shared), layers::trace))
                // Refusals count.
                .layer(from_fn_with_state(Arc::clone(&shared), layers::metrics))
                // Shed before any work is done.
                .layer(from_fn_with_state(Arc::clone(&shared), layers::load_shed))
                // The clock runs over everything that follows.
                .layer(from_fn(layers::deadline))
                // Which service calls.
                .layer(from_fn_with_state(Arc::clone(&shared), layers::caller_policy))
                // What is put on record of a call, its refusal included.
                .layer(from_fn_with_state(Arc::clone(&shared), records::records))
                // On whose behalf, and what they may do.
                .layer(from_fn_with_state(shared, layers::scope))
                // What the handler costs, in tests.
                .layer(from_fn(layers::tally))
                // What the handler's decoder cannot read.
                .layer(from_fn(layers::unreadable)),
        )
    }

    /// What the layers in front of a service share.
    pub(crate) fn shared(&self, service: ServiceName, ledger: Arc<Ledger>) -> Arc<Shared> {
        Arc::new(Shared {
            service,
            policies: self.policies.clone(),
            verifier: self.verifier.clone(),
            clock: Arc::clone(&self.clock),
            mesh_secret: self.mesh_secret.clone(),
            ledger,
            subjects: Arc::clone(&self.subjects),
            in_flight: Semaphore::new(MOST_IN_FLIGHT),
            durations: opentelemetry::global::meter("preceptor.rpc")
                .f64_histogram("rpc.server.call.duration")
                .with_unit("s")
                .with_description("Duration of incoming calls")
                .build(),
        })
    }

    /// Serves `routes` (which came out of [`stack`](Self::stack)) on `listener` until `stop` completes, then lets calls
    /// in flight finish.
    pub async fn serve(
        &self,
        listener: TcpListener,
        routes: Router,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), tonic::transport::Error> {
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .add_routes(Routes::from(routes))
            .serve_with_incoming_shutdown(incoming, stop)
            .await
    }
}

/// Binds a listener, naming the address in the error.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        std::io::Error::new(
            error.kind(),
            format!("cannot listen on {address}: {error}; choose another address or stop what uses it"),
        )
    })
}
