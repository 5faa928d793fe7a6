//! Questions, answers, citations, refusals.
//!
//! **Contract.** `preceptor.answering.v1.Answering`. A question goes through guard → search → evidence gate → compose →
//! check → record; what is streamed is on record before the first byte leaves. Every sentence of an answer cites the
//! passage it stands in, verbatim. Where the program may not hold the answer, the closest passages are quoted and said to be
//! that. A refusal says why and names the closest sources.
//!
//! **What it does not do.** It holds no sources and no index, and it never answers from anything but the passages that
//! this very search returned.
//!
//! **Events.** Publishes `message.recorded`, in the transaction that records the message; listens to `source.verified`:
//! answers that quote a retracted source say so from then on.

pub mod config;
mod domain;
mod error;
mod events;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_keys::Keys;
use preceptor_rpc::{Channel, Service, ServiceName};
use preceptor_store::Handle;
use tonic::service::Routes;

pub use config::Config;
pub use domain::fitting;
pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Where its events go.
    pub bus: Arc<dyn Bus>,
    /// Wraps the keys under which words of learners are sealed.
    pub keys: Arc<dyn Keys>,
    /// To `retrieval`.
    pub retrieval: Channel,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Service {
    let answers = Arc::new(domain::Answers::new(deps.clone(), config));
    let server = rpc::Server::new(answers);
    Service {
        name: ServiceName::Answering,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps),
    }
}
