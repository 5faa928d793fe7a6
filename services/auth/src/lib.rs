//! The control plane: orgs, apps, staff, credentials, and the tokens that prove a scope.
//!
//! **Contract.** `preceptor.auth.v1.Auth`. A credential (an API token, a session, a sign-in link) is a random secret of
//! which only a keyed hash is stored; each kind opens its own door, the gateway exchanges it for a scope token that lives
//! five minutes and is signed with Ed25519, and no one can have one issued that can do more than their own. Services that act on their own behalf get tokens in their own name. Every change to staff and
//! credentials is an audit record of its org.
//!
//! **What it does not do.** It knows nothing of programs or learners beyond a program id and a pseudonym, and it never
//! stores a provider's learner identifier: that is hashed under the org's key first.

pub mod config;
mod domain;
mod error;
mod events;
mod rpc;
mod store;

use std::sync::Arc;

use preceptor_bus::Bus;
use preceptor_core::id::OrgId;
use preceptor_core::scope::ScopeVerifier;
use preceptor_core::{Clock, Secret};
use preceptor_keys::{Keys, Once, SignerMemory};
use preceptor_mail::Mail;
use preceptor_rpc::{Service, ServiceName};
use preceptor_store::Control;
use tonic::service::Routes;

pub use config::Config;
pub use error::Error;
pub use store::SCHEMA;

/// What the service needs.
#[derive(Debug, Clone)]
pub struct Deps {
    /// The control database, opened with [`SCHEMA`].
    pub control: Control,
    /// Signs tokens and hashes credentials.
    pub keys: Arc<dyn Keys>,
    /// Remembers the newest roll of every org's staff, outside of the database.
    pub memory: Arc<dyn SignerMemory>,
    /// Whether the orgs and numbers that were there before they had seals were sealed.
    pub sealed: Once,
    /// Where its audit records go.
    pub bus: Arc<dyn Bus>,
    /// Where links to other people go.
    pub mail: Arc<dyn Mail>,
    /// How the outside reaches the pages: links are made for it.
    pub public_url: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Builds the service.
pub fn build(deps: &Deps, config: Config) -> Service {
    let server = rpc::Server::new(domain::Accounts::new(deps.clone(), config));
    Service {
        name: ServiceName::Auth,
        routes: Routes::new(server.into_service()),
        tasks: events::tasks(deps),
    }
}

/// What a first start made, to be shown once.
#[derive(Debug)]
pub struct FirstStart {
    /// Creates further orgs.
    pub operator_token: Secret,
    /// Administers the first org.
    pub admin_token: Secret,
}

/// Makes the first org with its admin, and the operator, when there are none yet. What an earlier version left without a
/// seal is sealed here, once.
pub async fn bootstrap(deps: &Deps, config: &Config) -> Result<Option<FirstStart>, Error> {
    domain::Accounts::new(deps.clone(), config.clone()).bootstrap().await
}

/// A new token of the operator, in place of all earlier ones: for the one who has the machine.
pub async fn renew_operator(deps: &Deps, config: &Config) -> Result<Secret, Error> {
    Ok(domain::Accounts::new(deps.clone(), config.clone()).renew_operator().await?.secret)
}

/// A token of an org's admin: for the one who has the machine. Returns the admin's id and the token.
pub async fn let_admin_in(deps: &Deps, config: &Config, org: OrgId) -> Result<(String, Secret), Error> {
    let (member, issued) = domain::Accounts::new(deps.clone(), config.clone()).let_admin_in(org).await?;
    Ok((member.id, issued.secret))
}

/// The verifier of the tokens that this service issues.
pub async fn verifier(keys: &dyn Keys, config: &Config) -> Result<ScopeVerifier, Error> {
    domain::tokens::verifier(keys, &config.issuer).await
}
