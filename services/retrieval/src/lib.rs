//! Search inside the published version of one program.
//!
//! **Contract.** `preceptor.retrieval.v1.Retrieval`. A question is compared with every passage by words (BM25 inside
//! the version) and by meaning (the passage's vector, its heading's vector, the kind of clinical content); both
//! candidate lists come from the engine in one round trip. What leaves is the best passages, each read from the store of
//! record, with the evidence on which the decision to answer is taken.
//!
//! **Isolation.** The filter comes from the verified scope; an id that the version does not know is dropped and
//! alarmed. All statistics belong to the version, so nothing that is stored elsewhere can move a score.
//!
//! **What it does not do.** It decides nothing about answering, and it stores no text.
//!
//! **Events.** Listens to `source.extracted` and `program.version_frozen`; publishes `index.progress`.

pub mod config;
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
use preceptor_vector::{Layout, VectorIndex};
use tonic::service::Routes;

pub use config::Config;
pub use domain::fitting;
pub use error::Error;
pub use store::SCHEMA;

/// What the index holds per passage.
pub const LAYOUT: Layout = Layout { dimensions: 384, dense: &[domain::DENSE], sparse: &[domain::SPARSE] };

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// The engine.
    pub index: Arc<dyn VectorIndex>,
    /// The embedding model; without one, only words are compared.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// The kinds of clinical content.
    pub kinds: Arc<Kinds>,
    /// Where its events go and come from.
    pub bus: Arc<dyn Bus>,
    /// To `ingestion`, which holds the text.
    pub ingestion: Channel,
    /// To act on its own behalf.
    pub system: SystemCalls,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Service {
    let search = Arc::new(domain::Search::new(deps.clone(), config));
    let server = rpc::Server::new(Arc::clone(&search));
    Service {
        name: ServiceName::Retrieval,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps, &search),
    }
}
