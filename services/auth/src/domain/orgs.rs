//! Orgs, and the first credentials of a deployment.

use preceptor_core::id::{AppId, OrgId};
use preceptor_core::{Role, Scope, SystemActor};
use preceptor_store::{AuditEntry, ControlTx};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::credentials::Issued;
use super::kinds::Kind;
use super::mint::{Delivery, Holder, Maker, Wanted, may_mint};
use super::staff::NewMember;
use super::{Accounts, named, seals};
use crate::store::{org, staff};
use crate::{Error, FirstStart};

const DEFAULT_PLAN: &str = "standard";

impl Accounts {
    pub(crate) async fn bootstrap(&self) -> Result<Option<FirstStart>, Error> {
        // Before anything is made: what there is by now is all that can be from before.
        self.seal_earlier().await?;
        if self.deps.control.one(org::Entity::find()).await?.is_some() {
            return Ok(None);
        }
        let mut tx = self.deps.control.write().await?;
        let row = org::Model {
            id: OrgId::PLATFORM.to_string(),
            name: "Platform".to_owned(),
            default_app_id: AppId::from(Uuid::nil()).to_string(),
            plan: String::new(),
            created_at: tx.now().micros(),
            seal: String::new(),
        };
        tx.insert(seals::seal(&*self.deps.keys, row).await?).await?;
        let operator = self.issue_operator(&tx).await?;
        let (_, _, admin) = self.add_org(&mut tx, &self.config.first_org, "Admin").await?;
        tx.commit().await?;
        Ok(Some(FirstStart { operator_token: operator.secret, admin_token: admin.secret }))
    }

    async fn issue_operator(&self, tx: &ControlTx) -> Result<Issued, Error> {
        let wanted = Wanted {
            kind: Kind::Operator,
            holder: Holder::Operator,
            delivery: Delivery::Returned,
            name: String::new(),
            ends: tx.now().after(self.config.api_token()),
        };
        self.issue(tx, may_mint(&Maker::founder(OrgId::PLATFORM), wanted)?).await
    }

    /// A new token of the operator for the one who has the machine, in place of all earlier ones.
    pub(crate) async fn renew_operator(&self) -> Result<Issued, Error> {
        self.seal_earlier().await?;
        self.org(&OrgId::PLATFORM.to_string()).await?;
        let tx = self.deps.control.write().await?;
        self.begin_roll_again(&tx, OrgId::PLATFORM).await?;
        self.revoke_operators(&tx).await?;
        let issued = self.issue_operator(&tx).await?;
        tx.commit().await?;
        self.settle(OrgId::PLATFORM).await;
        tracing::warn!(
            "a new token of the operator was issued on this machine, in place of all earlier ones"
        );
        Ok(issued)
    }

    /// A token of an org's first active admin for the one who has the machine; an admin is added to an org that has none.
    pub(crate) async fn let_admin_in(&self, org: OrgId) -> Result<(staff::Model, Issued), Error> {
        if !org.is_tenant() {
            return Err(Error::OrgNotFound);
        }
        self.seal_earlier().await?;
        self.org(&org.to_string()).await?;
        let scope = Scope::of_system(SystemActor::Bootstrap, org);
        let mut tx = self.deps.control.write().await?;
        self.begin_roll_again(&tx, org).await?;
        let known = self.active_admins(&tx, org).await?.into_iter().next();
        let (member, issued) = if let Some(member) = known {
            let holder = Holder::Staff { id: member.id.clone(), role: Role::Admin, epoch: member.epoch };
            let issued = self.issue_api(&tx, &Maker::founder(org), holder).await?;
            (member, issued)
        } else {
            let new = NewMember { name: "Admin", role: Role::Admin, email: "" };
            self.add_staff(&mut tx, &scope, &Maker::founder(org), new).await?
        };
        tx.audit(
            &scope,
            AuditEntry::done("credential.issued", &issued.row.id)
                .fact("kind", "api")
                .fact("holder", &member.id),
        )
        .await?;
        tx.commit().await?;
        self.settle(org).await;
        Ok((member, issued))
    }

    pub(crate) async fn create_org(
        &self,
        name: &str,
        admin_name: &str,
    ) -> Result<(org::Model, staff::Model, Issued), Error> {
        let mut tx = self.deps.control.write().await?;
        let created = self.add_org(&mut tx, name, admin_name).await?;
        tx.commit().await?;
        Ok(created)
    }

    async fn add_org(
        &self,
        tx: &mut ControlTx,
        name: &str,
        admin_name: &str,
    ) -> Result<(org::Model, staff::Model, Issued), Error> {
        let id = OrgId::generate();
        let row = org::Model {
            id: id.to_string(),
            name: named("name", name)?,
            default_app_id: AppId::generate().to_string(),
            plan: DEFAULT_PLAN.to_owned(),
            created_at: tx.now().micros(),
            seal: String::new(),
        };
        let row = seals::seal(&*self.deps.keys, row).await?;
        tx.insert(row.clone()).await?;
        let scope = Scope::of_system(SystemActor::Bootstrap, id);
        tx.audit(&scope, AuditEntry::done("org.created", id)).await?;
        let new = NewMember { name: admin_name, role: Role::Admin, email: "" };
        let (admin, token) = self.add_staff(tx, &scope, &Maker::founder(id), new).await?;
        Ok((row, admin, token))
    }

    /// The orgs whose rows are as they were sealed. One that was changed by hand is left out, with an alarm; one who asks for
    /// it by its id is told.
    pub(crate) async fn list_orgs(&self) -> Result<Vec<org::Model>, Error> {
        let tenants = org::Entity::find().filter(org::Column::Id.ne(OrgId::PLATFORM.to_string()));
        let rows = self.deps.control.all(tenants.order_by_asc(org::Column::Id)).await?;
        seals::all_intact(&*self.deps.keys, rows).await
    }
}
