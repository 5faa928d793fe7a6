//! One append-only Merkle log per org.
//!
//! **Contract.** `preceptor.audit.v1.Audit`, and the events of type `audit.record`. A leaf is the exact bytes that its
//! producer encoded; hashing is RFC 6962 from the first leaf on. Records of one producer are numbered without gaps: a
//! missing one is refused and alarms, a repeated one changes nothing. Any record can be proved to be in the log, under a
//! checkpoint that the org's key signs.
//!
//! **What it does not do.** It interprets no record and changes none. Checkpoints outside the database, witnesses and
//! served tiles come later; what is stored today is all that they need.

pub mod config;
mod domain;
mod error;
mod events;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_keys::Keys;
use preceptor_rpc::{Service, ServiceName};
use preceptor_store::Handle;
use tonic::service::Routes;

pub use config::Config;
pub use domain::{Verification, Verifier, VerifyError};
pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Where records come from.
    pub bus: Arc<dyn Bus>,
    /// Signs checkpoints.
    pub keys: Arc<dyn Keys>,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Service {
    let server = rpc::Server::new(deps.clone(), config);
    Service { name: ServiceName::Audit, routes: Routes::new(server.into_service()), tasks: events::tasks(deps) }
}
