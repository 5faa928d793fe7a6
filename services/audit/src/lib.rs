//! One append-only Merkle log per org.
//!
//! **Contract.** `preceptor.audit.v1.Audit`, and the events of type `audit.record`. A leaf is the exact bytes that its
//! producer encoded; hashing is RFC 6962 from the first leaf on. Records of one producer are numbered without gaps: a
//! missing one is refused and alarms, a repeated one changes nothing. Any record can be proved to be in the log, under a
//! checkpoint that the org's key signs. The signer remembers outside the database what it signed last and signs only what
//! provably continues it. What it is asked about an object is complete: the index of objects is compared with the records,
//! and what it lacks is told. Heads, hashes and proofs are for anyone: `preceptor.audit.v1.PublicLog`.
//!
//! **What it does not do.** It interprets no record and changes none. It asks no witnesses of other people: anyone who holds
//! this machine, keys and database at once can begin another log, and only a checkpoint that was kept elsewhere (each
//! certificate carries one) shows that.

pub mod config;
mod domain;
mod error;
mod events;
mod public;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_keys::{Keys, SignerMemory};
use preceptor_rpc::{Service, ServiceName};
use preceptor_runtime::Health;
use preceptor_store::{AuditEntry, Handle};
use tonic::service::Routes;

pub use config::Config;
pub use domain::{Verification, Verifier, VerifyError};
pub use error::Error;
pub use store::SCHEMA;

/// Every record fits into the bundles of the public log.
const _: () = assert!(preceptor_store::LARGEST_RECORD <= preceptor_tlog::tiles::LARGEST_ENTRY);

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Where records come from.
    pub bus: Arc<dyn Bus>,
    /// Signs checkpoints.
    pub keys: Arc<dyn Keys>,
    /// Remembers what was signed, outside the database.
    pub memory: Arc<dyn SignerMemory>,
    /// Is told when a log is not what was signed.
    pub health: Health,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Service {
    let signer = Arc::new(domain::Signer::new(deps, config));
    let index = domain::Index::new(deps);
    let server = rpc::Server::new(deps.store.clone(), Arc::clone(&signer), index);
    let routes = Routes::new(server.into_service());
    let routes =
        routes.add_service(public::Server::new(deps.store.clone(), Arc::clone(&signer)).into_service());
    Service { name: ServiceName::Audit, routes, tasks: events::tasks(deps, &signer) }
}

/// Has the signer of an org's log begin again with what is in the tables, after a person found out why they are not what was
/// signed: a restore of an older state, for instance. It is on the record, with what was signed before, and anyone who kept a
/// checkpoint of that sees that the log does not continue it.
pub async fn begin_again(
    store: &Handle,
    memory: &dyn SignerMemory,
    org: OrgId,
    reason: &str,
) -> Result<(), Error> {
    let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org));
    let mut tx = store.write(&scope).await?;
    let signed = store::signed::last(&tx).await?.map(|last| last.note).unwrap_or_default();
    tx.audit(AuditEntry::done("log.begun_again", org).because(reason).fact("signed_before", signed))?;
    store::signed::forget(&tx).await?;
    tx.commit().await?;
    memory.forget(org).await.map_err(domain::memory_error)
}

/// Completes the index of objects of an org's log from the records, after rows of it were deleted by hand, or for records from
/// before there was an index; returns how many records it lacked. It is on the record. Nothing is done when the records are
/// not those that were signed.
pub async fn reindex(
    store: &Handle,
    memory: &dyn SignerMemory,
    org: OrgId,
    reason: &str,
) -> Result<u64, Error> {
    domain::reindex(store, memory, org, reason).await
}
