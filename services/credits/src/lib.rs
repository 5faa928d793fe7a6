//! Item bank, quizzes, attempts, evaluations, credits, certificates.
//!
//! **Contract.** `preceptor.credits.v1.Credits`. A credit is the end of a chain of immutable events: an accredited
//! period, a designation before the start, verified sources, items that someone else approved, an attempt passed at the
//! threshold that was shown, an evaluation where one is required, a credential that was valid at completion, and a claim
//! within the designation. The tables themselves refuse a credit without all of it (`store/0001_credits.sql`); this crate
//! turns the name of the refusing constraint into words that say which link is missing.
//!
//! **What it does not do.** It verifies no sources and knows no license: it refers to the events of the services that do.
//!
//! **Events.** Publishes `credit.awarded` and audit records; listens to `source.verified`.

mod domain;
mod error;
mod events;
mod rpc;
mod store;
mod worker;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_keys::{KeyError, Keys, MemoryError, Once};
use preceptor_rpc::{Channel, Service, ServiceName, SystemCalls};
use preceptor_sandbox::Sandbox;
use preceptor_store::Handle;
use tonic::service::Routes;

use domain::seals::Earlier;
pub use error::Error;
pub use store::SCHEMA;
pub use worker::work;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Its tables.
    pub store: Handle,
    /// Signs certificates and seals what names a person.
    pub keys: Arc<dyn Keys>,
    /// Where its events come from and go.
    pub bus: Arc<dyn Bus>,
    /// To `ingestion`: programs, passages, verifications.
    pub ingestion: Channel,
    /// To `credentials`: what is known of a learner.
    pub credentials: Channel,
    /// To `audit`: proofs.
    pub audit: Channel,
    /// To `auth`: names of orgs, and whose a provider's number is.
    pub auth: Channel,
    /// Where items are composed: what strangers wrote is not compared in this process.
    pub sandbox: Arc<dyn Sandbox>,
    /// Whether no other process does this service's work, so that what earlier ones had begun is taken up at once.
    pub alone: bool,
    /// Calls on its own behalf.
    pub system: SystemCalls,
    /// Where this deployment is reached: certificates, activities and providers have their pages below it. No slash at the end.
    pub public_url: String,
    /// What certificates are printed with.
    pub fonts: Arc<preceptor_certificate::Fonts>,
}

/// Seals the results and the credits that an earlier version left without a seal, as they are: each once for a deployment.
/// It comes before the service is built. A result that has no seal later on was not made by this service, and earns nothing;
/// a credit that has none counts for nothing.
pub async fn seal_earlier(
    store: &Handle,
    keys: &dyn Keys,
    results: &Once,
    awards: &Once,
) -> Result<(), Error> {
    for (rows, sealed) in [(Earlier::Results, results), (Earlier::Awards, awards)] {
        if sealed.is_done().await.map_err(memory_error)? {
            continue;
        }
        for org in store.known_orgs().await? {
            let count = domain::seals::seal_earlier(store, keys, org, rows).await?;
            if count > 0 {
                let rows = rows.words();
                tracing::warn!(org.id = %org, rows, count, "rows from before they had seals were sealed as they are");
            }
        }
        sealed.done().await.map_err(memory_error)?;
    }
    Ok(())
}

/// What cannot be read is never taken for "not yet done": nothing is sealed then.
fn memory_error(error: MemoryError) -> Error {
    match error {
        MemoryError::Unavailable(why) => KeyError::Unavailable(why).into(),
        MemoryError::Damaged | MemoryError::Moved | MemoryError::Backwards { .. } => Error::Defect(format!(
            "what is remembered of the seals of results and credits was changed: {error}"
        )),
    }
}

/// Builds the service.
pub fn build(deps: &Deps) -> Service {
    let credits = Arc::new(domain::Credits::new(deps.clone()));
    let server = rpc::Server::new(Arc::clone(&credits));
    Service {
        name: ServiceName::Credits,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps, &credits),
    }
}
