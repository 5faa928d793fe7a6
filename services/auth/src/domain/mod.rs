//! Accounts: orgs, staff, credentials.

mod apps;
mod credentials;
mod earlier;
mod kinds;
mod learners;
mod links;
mod listed;
mod mint;
mod orgs;
mod providers;
mod roll;
mod seals;
mod secrets;
mod sessions;
mod staff;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{DisplayName, Scope, SystemActor, Timestamp};
use preceptor_keys::Keys;
use preceptor_rpc::ServiceName;
use sea_orm::EntityTrait as _;

pub(crate) use self::credentials::Issued;
pub(crate) use self::kinds::Door;
pub(crate) use self::links::Link;
pub(crate) use self::staff::{NewMember, State};
use self::tokens::Subject;
use crate::store::org;
use crate::{Config, Deps, Error};

/// The rules of the control plane.
#[derive(Debug, Clone)]
pub(crate) struct Accounts {
    deps: Deps,
    config: Config,
    rolls: Arc<roll::Rolls>,
}

impl Accounts {
    pub(crate) fn new(deps: Deps, config: Config) -> Self {
        let rolls = roll::Rolls::new(Arc::clone(&deps.memory));
        Self { deps, config, rolls }
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn keys(&self) -> &Arc<dyn Keys> {
        &self.deps.keys
    }

    /// A signed scope token for the one who holds `secret`, which came in by `door`.
    pub(crate) async fn exchange(
        &self,
        secret: &str,
        door: Door,
    ) -> Result<(String, Timestamp, Subject), Error> {
        let live = self.live(secret, door).await?;
        let subject = self.subject(&live).await?;
        self.note_use(&live.row).await?;
        let (token, expires_at) =
            tokens::mint(&*self.deps.keys, &self.config.issuer, self.deps.clock.now(), &subject).await?;
        Ok((token, expires_at, subject))
    }

    /// The scope of a subject whose credential was just looked at, for the record of what they did with it.
    pub(crate) async fn scope_of(&self, subject: &Subject) -> Result<Arc<Scope>, Error> {
        let now = self.deps.clock.now();
        let (token, _) = tokens::mint(&*self.deps.keys, &self.config.issuer, now, subject).await?;
        let verifier = tokens::verifier(&*self.deps.keys, &self.config.issuer).await?;
        let scope =
            verifier.verify(&token, now).map_err(|_| Error::Defect("a token of our own does not verify"))?;
        Ok(Arc::new(scope))
    }

    /// A signed scope token for a service itself.
    pub(crate) async fn system_token(
        &self,
        service: ServiceName,
        org: OrgId,
    ) -> Result<(String, Timestamp), Error> {
        let org_row = self.org(&org.to_string()).await?;
        let subject = Subject::system(actor_of(service), org, &org_row)?;
        tokens::mint(&*self.deps.keys, &self.config.issuer, self.deps.clock.now(), &subject).await
    }

    /// An org as it was sealed: its name is printed and signed, and its plan goes into tokens.
    async fn org(&self, id: &str) -> Result<org::Model, Error> {
        let row = self.deps.control.one(org::Entity::find_by_id(id.to_owned())).await?;
        seals::told(&*self.deps.keys, row.ok_or(Error::OrgNotFound)?).await
    }
}

fn named(field: &'static str, text: &str) -> Result<String, Error> {
    let name = DisplayName::new(text).map_err(|problem| Error::NotAName { field, problem })?;
    Ok(name.into_string())
}

/// The name under which a service acts on its own behalf.
const fn actor_of(service: ServiceName) -> SystemActor {
    match service {
        ServiceName::Gateway => SystemActor::Gateway,
        ServiceName::Auth => SystemActor::Bootstrap,
        ServiceName::Ingestion => SystemActor::Ingestion,
        ServiceName::Retrieval => SystemActor::Indexer,
        ServiceName::Answering => SystemActor::Answering,
        ServiceName::Alignment => SystemActor::Alignment,
        ServiceName::Credentials => SystemActor::Credentials,
        ServiceName::Credits => SystemActor::Credits,
        ServiceName::Analytics => SystemActor::Analytics,
        ServiceName::Audit => SystemActor::Sequencer,
    }
}
