//! Credentials that people make for their own programs: those of an app, and further API tokens.

use std::time::Duration;

use preceptor_core::Scope;
use preceptor_store::AuditEntry;

use super::credentials::Issued;
use super::kinds::Kind;
use super::mint::{Delivery, Holder, Wanted, may_mint};
use super::{Accounts, named};
use crate::Error;

impl Accounts {
    /// A credential with which an app admits its learners. It ends with the admin who made it, as all that was issued to
    /// them does, and it does not speak for them.
    pub(crate) async fn create_service_credential(
        &self,
        scope: &Scope,
        name: &str,
        lifetime: Option<Duration>,
        confirm: &str,
    ) -> Result<Issued, Error> {
        let member = self.member(scope, scope.subject()).await?;
        let holder = Holder::App { made_by: member.id, epoch: member.epoch };
        let lifetime = within(lifetime, self.config.service_credential())?;
        self.create_credential(scope, Kind::Service, holder, named("name", name)?, lifetime, confirm).await
    }

    /// Another API token for the caller.
    pub(crate) async fn create_api_token(
        &self,
        scope: &Scope,
        name: &str,
        lifetime: Option<Duration>,
        confirm: &str,
    ) -> Result<Issued, Error> {
        let member = self.member(scope, scope.subject()).await?;
        let holder = Holder::Staff { id: member.id, role: scope.role(), epoch: member.epoch };
        let lifetime = within(lifetime, self.config.api_token())?;
        self.create_credential(scope, Kind::Api, holder, named("name", name)?, lifetime, confirm).await
    }

    async fn create_credential(
        &self,
        scope: &Scope,
        kind: Kind,
        holder: Holder,
        name: String,
        lifetime: Duration,
        confirm: &str,
    ) -> Result<Issued, Error> {
        let maker = self.lasting_maker(scope).await?;
        let wanted = Wanted {
            kind,
            holder,
            delivery: Delivery::Returned,
            name,
            ends: self.deps.clock.now().after(lifetime),
        };
        let grant = may_mint(&maker, wanted)?;
        self.confirmed(scope, confirm).await?;
        let mut tx = self.deps.control.write().await?;
        let issued = self.issue(&tx, grant).await?;
        let entry = AuditEntry::done("credential.issued", &issued.row.id)
            .fact("kind", kind.name())
            .fact("holder", &issued.subject);
        tx.audit(scope, entry).await?;
        tx.commit().await?;
        Ok(issued)
    }
}

/// A lifetime that was asked for, at most the longest.
fn within(lifetime: Option<Duration>, longest: Duration) -> Result<Duration, Error> {
    match lifetime {
        Some(lifetime) if lifetime > longest => Err(Error::InvalidField {
            field: "lifetime_seconds",
            what: "is longer than this deployment allows",
        }),
        Some(lifetime) => Ok(lifetime),
        None => Ok(longest),
    }
}
