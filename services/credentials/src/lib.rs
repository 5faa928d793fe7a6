//! Clinicians: what they state, what was checked, and how surely it is known.
//!
//! **Contract.** `preceptor.credentials.v1.Credentials`. A person states who they are; a code proves the address; each
//! further check adds an immutable event, and each that carries a level adds an assertion: self-attested (0), a registered
//! identifier (1), a registry that matches name and license (2), the primary source seen by a named member of staff (3).
//! An assertion holds for a time and is never changed; credits refer to the assertion that held when the quiz was
//! completed.
//!
//! **What it does not do.** It decides about no credit, and it shows a person's fields to no one but the person and the
//! admin who checks them. They are stored sealed under a key of that person.
//!
//! **Events.** Publishes audit records.

pub mod config;
mod domain;
mod error;
mod events;
mod registry;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_keys::Keys;
use preceptor_rpc::{Service, ServiceName};
use preceptor_store::Handle;
use tonic::service::Routes;

pub use config::Config;
pub use domain::is_npi;
pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Seals what names a person.
    pub keys: Arc<dyn Keys>,
    /// Where its records go.
    pub bus: Arc<dyn Bus>,
    /// What certificates are printed with: a name that they cannot show is not taken.
    pub fonts: Arc<preceptor_certificate::Fonts>,
    /// Whether no other process does this service's work, so that what earlier ones had begun is taken up at once.
    pub alone: bool,
}

/// Builds the service.
pub fn build(deps: &Deps, config: &Config) -> Result<Service, config::Unusable> {
    let outside = domain::Outside { mail: config.mail()?, registry: registry::of(config)? };
    let clinicians = Arc::new(domain::Clinicians::new(deps.clone(), outside));
    let server = rpc::Server::new(Arc::clone(&clinicians));
    Ok(Service {
        name: ServiceName::Credentials,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps, &clinicians),
    })
}
