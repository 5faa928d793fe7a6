//! The called side of the seam.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use futures::future::BoxFuture;
use moka::sync::Cache;
use opentelemetry::metrics::Histogram;
use preceptor_core::scope::{Rejection, ScopeVerifier, TOKEN_LIFETIME};
use preceptor_core::{Clock, Scope, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tonic::service::Routes;
use tower::ServiceBuilder;

use crate::caller::{MeshSecret, ServiceName};
use crate::layers;
use crate::policy::Policies;
use crate::records::{self, Ledger, Subjects};

/// Calls that one service works on at the same time before it sheds.
const MOST_IN_FLIGHT: usize = 1024;
/// Verified tokens that are remembered, so that a subject's next call does not pay for the signature again.
const REMEMBERED_TOKENS: u64 = 10_000;

/// Asks for the keys that are accepted at present; nothing when they cannot be had.
pub type KeySource = Arc<dyn Fn() -> BoxFuture<'static, Option<ScopeVerifier>> + Send + Sync>;

/// The pause between two questions for keys: a token that names a key of its own invention asks for nothing more often.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// What is known of keys.
#[derive(Default)]
struct Known {
    verifier: RwLock<Option<ScopeVerifier>>,
    source: OnceLock<KeySource>,
    asked: Mutex<Option<Instant>>,
}

/// The verifier of scope tokens, one for all services of a process. Its keys come from `auth`, which may start after this
/// service does; until then every token is refused. A token of a key that is not known has them asked for again, so that
/// `auth` can sign with another key from one moment to the next.
#[derive(Clone)]
pub struct SharedVerifier {
    keys: Arc<Known>,
    seen: Cache<Arc<str>, Arc<Scope>>,
}

impl fmt::Debug for SharedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedVerifier").finish_non_exhaustive()
    }
}

impl SharedVerifier {
    /// A verifier without keys.
    pub fn pending() -> Self {
        let seen = Cache::builder().max_capacity(REMEMBERED_TOKENS).time_to_live(TOKEN_LIFETIME).build();
        Self { keys: Arc::default(), seen }
    }

    /// Sets the keys in place of those before. What was verified with one that is no longer accepted is forgotten.
    pub fn set(&self, verifier: ScopeVerifier) {
        *self.keys.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(verifier);
        self.seen.invalidate_all();
    }

    /// Says where keys come from. The first call wins.
    pub fn learn_from(&self, source: KeySource) {
        let _ = self.keys.source.set(source);
    }

    /// Asks for the keys again. Returns whether there are any.
    pub async fn refresh(&self) -> bool {
        let mut asked = self.keys.asked.lock().await;
        self.ask(&mut asked).await
    }

    async fn ask(&self, asked: &mut Option<Instant>) -> bool {
        let Some(source) = self.keys.source.get() else { return false };
        if let Some(before) = *asked {
            tokio::time::sleep_until(before + ASKED_AGAIN).await;
        }
        let fetched = source().await;
        *asked = Some(Instant::now());
        let found = fetched.is_some();
        if let Some(verifier) = fetched {
            self.set(verifier);
        }
        found
    }

    /// The scope that a token proves at `now`, with the keys of `auth` as they are by then.
    pub async fn verified(&self, token: &Arc<str>, now: Timestamp) -> Result<Arc<Scope>, Rejection> {
        match self.verify(token, now) {
            Err(Rejection::UnknownKey) => {
                let mut asked = self.keys.asked.lock().await;
                // Somebody may have asked while this one waited for its turn.
                match self.verify(token, now) {
                    Err(Rejection::UnknownKey) => {
                        self.ask(&mut asked).await;
                        self.verify(token, now)
                    }
                    known => known,
                }
            }
            known => known,
        }
    }

    /// The scope that a token proves at `now`, with the keys that are known.
    fn verify(&self, token: &Arc<str>, now: Timestamp) -> Result<Arc<Scope>, Rejection> {
        if let Some(scope) = self.seen.get(token).filter(|scope| scope.expires_at() > now) {
            return Ok(scope);
        }
        let known = self.keys.verifier.read().unwrap_or_else(PoisonError::into_inner);
        let scope = Arc::new(known.as_ref().ok_or(Rejection::UnknownKey)?.verify(token, now)?);
        drop(known);
        self.seen.insert(Arc::clone(token), Arc::clone(&scope));
        Ok(scope)
    }
}

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
