//! Programs, objectives, sources and their versions, passages, approvals, verification, publication.
//!
//! **Contract.** `preceptor.ingestion.v1.Ingestion`. A file becomes a source version, its text becomes passages that
//! each know their page, slide, moment or section. A version goes draft → in review → approved, and no one approves
//! their own work: the database refuses it. Publishing freezes the approved versions as a version of the program; it
//! becomes visible when its index is ready, in one step, and goes away in one step.
//!
//! A source is verified against PubMed and Crossref, or by a reviewer's attestation; every request is on record, and
//! registries are asked again every day: a retracted source is served to no one from that moment on.
//!
//! **What it does not do.** It searches nothing and answers nothing, and it asks no one but these registries.
//!
//! **Events.** Publishes `source.extracted`, `source.verified`, `program.version_frozen`, `program.published`, `program.withdrawn` and
//! audit records; listens to `index.progress`.

pub mod config;
mod domain;
mod error;
mod events;
mod registries;
mod rpc;
mod store;
mod worker;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_cache::Cache;
use preceptor_core::Clock;
use preceptor_keys::Keys;
use preceptor_objects::Sealed;
use preceptor_rpc::{Service, ServiceName};
use preceptor_sandbox::Sandbox;
use preceptor_store::Handle;
use tonic::service::Routes;

pub use config::Config;
pub use error::Error;
pub use store::SCHEMA;
pub use worker::work;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Originals, texts, layouts, pictures.
    pub objects: Sealed,
    /// Where its events go and come from.
    pub bus: Arc<dyn Bus>,
    /// The buckets of requests to registries, shared by all replicas.
    pub cache: Arc<dyn Cache>,
    /// Seals what an org entrusts to it.
    pub keys: Arc<dyn Keys>,
    /// Where files are read and pages drawn: what strangers send is not opened in this process.
    pub sandbox: Arc<dyn Sandbox>,
    /// Whether no other process does this service's work, so that what earlier ones had begun is taken up at once.
    pub alone: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Result<Service, Error> {
    let content = Arc::new(domain::Content::new(deps.clone(), config)?);
    let server = rpc::Server::new(Arc::clone(&content));
    Ok(Service {
        name: ServiceName::Ingestion,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps, &content),
    })
}
