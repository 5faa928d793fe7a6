//! The public HTTPS API and the pages.
//!
//! **Contract.** `/v1` as described by `/openapi.json`, and the pages for learners and editors. The gateway turns a
//! credential into a scope token and everything else into calls on the other services; it decides nothing about content.
//! Errors are RFC 9457 problem details with the reason code of the service that refused.
//!
//! **What it does not do.** It holds no tenant data but the answers to idempotent writes, sealed, for a day.

mod answers;
pub mod api;
pub mod config;
mod contract;
mod cors;
mod domain;
mod error;
mod extract;
mod gate;
mod identity;
mod limits;
mod pages;
mod panics;
mod permissions;
mod problems;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use preceptor_bus::{Bus, relay};
use preceptor_cache::Cache;
use preceptor_core::Clock;
use preceptor_edge::body::Budget;
use preceptor_keys::Keys;
use preceptor_proto::alignment::v1::alignment_client::AlignmentClient;
use preceptor_proto::analytics::v1::analytics_client::AnalyticsClient;
use preceptor_proto::answering::v1::answering_client::AnsweringClient;
use preceptor_proto::audit::v1::audit_client::AuditClient;
use preceptor_proto::audit::v1::public_log_client::PublicLogClient;
use preceptor_proto::auth::v1::auth_client::AuthClient;
use preceptor_proto::credentials::v1::credentials_client::CredentialsClient;
use preceptor_proto::credits::v1::credits_client::CreditsClient;
use preceptor_proto::ingestion::v1::ingestion_client::IngestionClient;
use preceptor_rpc::{Channel, Ledger, Policies, SharedVerifier, Task};
use preceptor_runtime::{Health, OnEnd, Tasks};
use preceptor_store::Handle;

pub use config::Config;
pub use contract::Terms;
pub use store::SCHEMA;

/// The channels to the other services.
#[derive(Debug, Clone)]
pub struct Services {
    /// To `auth`.
    pub auth: Channel,
    /// To `ingestion`.
    pub ingestion: Channel,
    /// To `answering`.
    pub answering: Channel,
    /// To `alignment`.
    pub alignment: Channel,
    /// To `analytics`.
    pub analytics: Channel,
    /// To `credentials`.
    pub credentials: Channel,
    /// To `credits`.
    pub credits: Channel,
    /// To `audit`.
    pub audit: Channel,
}

/// What the gateway needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The other services.
    pub services: Services,
    /// Its own table: answers to idempotent writes.
    pub store: Handle,
    /// Seals those answers.
    pub keys: Arc<dyn Keys>,
    /// Rate limits.
    pub cache: Arc<dyn Cache>,
    /// Verifies what `auth` issues.
    pub verifier: SharedVerifier,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How the parts of this process are.
    pub health: Health,
    /// What the document says of this deployment.
    pub terms: Terms,
    /// The record of refusals that are made here.
    pub ledger: Arc<Ledger>,
    /// Who may make which call, so that what would be refused is refused before its body.
    pub policies: Policies,
    /// Where requests are worked on: a stop waits for them, whether or not their clients do.
    pub work: Tasks,
}

/// What every handler shares. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) auth: AuthClient<Channel>,
    pub(crate) ingestion: IngestionClient<Channel>,
    pub(crate) answering: AnsweringClient<Channel>,
    pub(crate) alignment: AlignmentClient<Channel>,
    pub(crate) analytics: AnalyticsClient<Channel>,
    pub(crate) credentials: CredentialsClient<Channel>,
    pub(crate) credits: CreditsClient<Channel>,
    pub(crate) audit: AuditClient<Channel>,
    pub(crate) log: PublicLogClient<Channel>,
    pub(crate) store: Handle,
    pub(crate) operator_answers: store::OperatorAnswers,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) keys: Arc<dyn Keys>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) verifier: SharedVerifier,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Health,
    pub(crate) identities: identity::Identities,
    pub(crate) contract: contract::Contract,
    pub(crate) proven: limits::Proven,
    pub(crate) permissions: permissions::Permissions,
    pub(crate) work: Tasks,
    pub(crate) bodies: Arc<Budget>,
    pub(crate) answers: answers::Answers,
}

impl std::ops::Deref for Edge {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The largest message that a service sends: a document with its text and layout.
const LARGEST_MESSAGE: usize = 256 << 20;
/// How long a call may take that answers no question.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an upload may take.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// What the gateway does off the request path.
pub fn tasks(store: &Handle, bus: &Arc<dyn Bus>, ledger: &Arc<Ledger>) -> Vec<Task> {
    let (outbox, bus, store) = (Arc::new(store.clone()), Arc::clone(bus), store.clone());
    vec![
        Task::new("forget answers", OnEnd::Restart, move |stop| api::forget_answers(store.clone(), stop)),
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&bus), stop)),
        ledger.task(),
    ]
}

impl Edge {
    fn new(deps: Deps, config: Config) -> Self {
        let services = deps.services;
        let contract = api::contract(&deps.terms);
        Self(Arc::new(Inner {
            auth: AuthClient::new(services.auth),
            ingestion: IngestionClient::new(services.ingestion).max_decoding_message_size(LARGEST_MESSAGE),
            answering: AnsweringClient::new(services.answering),
            alignment: AlignmentClient::new(services.alignment),
            analytics: AnalyticsClient::new(services.analytics),
            credentials: CredentialsClient::new(services.credentials),
            credits: CreditsClient::new(services.credits).max_decoding_message_size(LARGEST_MESSAGE),
            log: PublicLogClient::new(services.audit.clone()),
            audit: AuditClient::new(services.audit).max_decoding_message_size(LARGEST_MESSAGE),
            store: deps.store,
            operator_answers: store::OperatorAnswers::default(),
            ledger: deps.ledger,
            keys: deps.keys,
            cache: deps.cache,
            verifier: deps.verifier,
            clock: deps.clock,
            health: deps.health,
            identities: identity::Identities::default(),
            proven: limits::Proven::default(),
            permissions: permissions::Permissions::read(contract.document(), &deps.policies),
            contract,
            work: deps.work,
            answers: answers::Answers::new(&config),
            bodies: Budget::new(config.bodies_in_memory_mib << 20, config.bodies_in_memory_mib << 18),
            config,
        }))
    }
}

/// Builds the router of the public edge.
pub fn build(deps: Deps, config: Config) -> Router {
    let edge = Edge::new(deps, config);
    layered(api::router(&edge).merge(pages::router(&edge)), edge)
}

/// The layers around every handler, innermost first.
fn layered(handlers: Router<Edge>, edge: Edge) -> Router {
    let public = handlers
        .layer(from_fn_with_state(edge.clone(), gate::layer))
        .layer(from_fn_with_state(edge.clone(), identity::from_our_pages))
        .layer(from_fn(gate::one_host))
        .layer(from_fn(panics::layer));
    // Around the fallbacks too: whatever happens, it happens to a request that has an id, and no error leaves bare.
    let public =
        public.layer(from_fn_with_state(edge.clone(), problems::layer)).layer(cors::layer(&edge.config));
    domain::headers::secure(public, edge.config.is_https()).with_state(edge)
}
