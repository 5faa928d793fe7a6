//! Which objective a message is about, and whether it is about the program at all.
//!
//! **Contract.** `preceptor.alignment.v1.Alignment`. Every recorded message is classified once: two scores, "about this
//! program" and "which objective", each a calibrated probability.
//!
//! **What it does not do.** It keeps no words of a message, and without an embedding model it classifies nothing rather
//! than guess.
//!
//! **Events.** Listens to `message.recorded`; publishes `alignment.message_classified`, in the transaction that keeps
//! the classification.

mod domain;
mod error;
mod events;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_models::Embedder;
use preceptor_models::kinds::Kinds;
use preceptor_rpc::{Channel, Service, ServiceName, SystemCalls};
use preceptor_store::Handle;
use tonic::service::Routes;

pub use domain::fitting;
pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Where its events come from and go.
    pub bus: Arc<dyn Bus>,
    /// To `ingestion`: objectives.
    pub ingestion: Channel,
    /// To `answering`: the words of a message.
    pub answering: Channel,
    /// To `retrieval`: which words the program knows.
    pub retrieval: Channel,
    /// Calls on its own behalf.
    pub system: SystemCalls,
    /// The embedding model, if there is one.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Kinds of clinical content.
    pub kinds: Arc<Kinds>,
}

/// Builds the service.
pub fn build(deps: &Deps) -> Service {
    let server = rpc::Server::new(deps.store.clone());
    Service {
        name: ServiceName::Alignment,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps),
    }
}
