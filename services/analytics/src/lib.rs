//! Counts for the provider's own staff, built from events.
//!
//! **Contract.** `preceptor.analytics.v1.Analytics`. Read models that could be thrown away and built again from the
//! events; every event counts once, however often it is delivered.
//!
//! **What it does not do.** It keeps no words and shows no learner: pseudonyms are here only to count them.
//!
//! **Events.** Listens to `message.recorded` and `alignment.message_classified`; publishes nothing.

mod error;
mod events;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_rpc::{Service, ServiceName};
use preceptor_store::Handle;
use tonic::service::Routes;

pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Where events come from.
    pub bus: Arc<dyn Bus>,
}

/// Builds the service.
pub fn build(deps: &Deps) -> Service {
    let server = rpc::Server::new(deps.store.clone());
    Service {
        name: ServiceName::Analytics,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps),
    }
}
