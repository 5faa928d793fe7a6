//! Staff: added, invited, changed, suspended, removed.

use preceptor_core::id::{OrgId, StaffId};
use preceptor_core::{Role, Scope};
use preceptor_keys::{KeyName, Purpose};
use preceptor_store::{AuditEntry, ControlTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select};

use super::credentials::Issued;
use super::kinds::Kind;
use super::mint::{Delivery, Holder, Maker, Wanted, may_mint};
use super::{Accounts, named, seals};
use crate::Error;
use crate::store::staff;

/// What a member of staff may do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Has a link and did not open it yet.
    Invited,
    Active,
    /// Can be let in again.
    Suspended,
    /// For good. The row stays, because the record names it.
    Removed,
}

impl State {
    const ALL: [Self; 4] = [Self::Invited, Self::Active, Self::Suspended, Self::Removed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// What the record calls the way into this state.
    const fn action(self) -> &'static str {
        match self {
            Self::Invited => "staff.invited",
            Self::Active => "staff.reinstated",
            Self::Suspended => "staff.suspended",
            Self::Removed => "staff.removed",
        }
    }
}

/// Someone who joins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewMember<'a> {
    pub(crate) name: &'a str,
    pub(crate) role: Role,
    /// May be empty.
    pub(crate) email: &'a str,
}

fn by_id(org: OrgId, id: &str) -> Select<staff::Entity> {
    staff::Entity::find_by_id((org.to_string(), id.to_owned()))
}

fn refuse_other_roles(role: Role) -> Result<(), Error> {
    let what = "must be admin, editor, reviewer, analyst, auditor or supporter";
    if Role::STAFF.contains(&role) { Ok(()) } else { Err(Error::InvalidField { field: "role", what }) }
}

impl Accounts {
    pub(crate) async fn create_staff(
        &self,
        scope: &Scope,
        new: NewMember<'_>,
    ) -> Result<(staff::Model, Issued), Error> {
        refuse_other_roles(new.role)?;
        self.is_there(scope).await?;
        let maker = self.maker(scope).await?;
        let mut tx = self.deps.control.write().await?;
        let created = self.add_staff(&mut tx, scope, &maker, new).await?;
        tx.commit().await?;
        Ok(created)
    }

    pub(super) async fn add_staff(
        &self,
        tx: &mut ControlTx,
        scope: &Scope,
        maker: &Maker,
        new: NewMember<'_>,
    ) -> Result<(staff::Model, Issued), Error> {
        let row = self.insert_staff(tx, scope.org(), new, State::Active).await?;
        let holder = Holder::NewStaff { id: row.id.clone(), role: new.role, epoch: row.epoch };
        let token = self.issue_api(tx, maker, holder).await?;
        tx.audit(scope, AuditEntry::done("staff.created", &row.id).fact("role", new.role)).await?;
        Ok((row, token))
    }

    pub(super) async fn insert_staff(
        &self,
        tx: &ControlTx,
        org: OrgId,
        new: NewMember<'_>,
        state: State,
    ) -> Result<staff::Model, Error> {
        let id = StaffId::generate().to_string();
        let row = staff::Model {
            org_id: org.to_string(),
            display_name: named("name", new.name)?,
            role: new.role.name().to_owned(),
            state: state.name().to_owned(),
            email: self.hide_address(org, &id, new.email).await?,
            epoch: 1,
            created_at: tx.now().micros(),
            seal: String::new(),
            id,
        };
        let row = seals::seal(&*self.deps.keys, row).await?;
        tx.insert(row.clone()).await?;
        self.change_roll(tx, org, |roll| roll.enter(&row)).await?;
        Ok(row)
    }

    pub(super) async fn issue_api(
        &self,
        tx: &ControlTx,
        maker: &Maker,
        holder: Holder,
    ) -> Result<Issued, Error> {
        let wanted = Wanted {
            kind: Kind::Api,
            holder,
            delivery: Delivery::Returned,
            name: String::new(),
            ends: tx.now().after(self.config.api_token()),
        };
        self.issue(tx, may_mint(maker, wanted)?).await
    }

    /// Those who were removed from the staff of the org.
    pub(crate) async fn list_removed(&self, scope: &Scope) -> Result<Vec<staff::Model>, Error> {
        let removed = staff::Entity::find()
            .filter(staff::Column::OrgId.eq(scope.org().to_string()))
            .filter(staff::Column::State.eq(State::Removed.name()));
        self.newest(scope.org(), removed.order_by_asc(staff::Column::Id)).await
    }

    /// The staff of the org but those who were removed. A row that was changed by hand or put back is no one.
    pub(crate) async fn list_staff(&self, scope: &Scope) -> Result<Vec<staff::Model>, Error> {
        let of_org = staff::Entity::find()
            .filter(staff::Column::OrgId.eq(scope.org().to_string()))
            .filter(staff::Column::State.ne(State::Removed.name()));
        self.newest(scope.org(), of_org.order_by_asc(staff::Column::Id)).await
    }

    pub(crate) async fn member(&self, scope: &Scope, id: &str) -> Result<staff::Model, Error> {
        self.newest(scope.org(), by_id(scope.org(), id)).await?.pop().ok_or(Error::StaffNotFound)
    }

    /// Gives a member of staff another name or role.
    pub(crate) async fn change_staff(
        &self,
        scope: &Scope,
        id: &str,
        name: Option<&str>,
        role: Option<Role>,
    ) -> Result<staff::Model, Error> {
        if let Some(role) = role {
            refuse_other_roles(role)?;
            // Another role gives access as a new credential does.
            if self.member(scope, id).await?.role != role.name() {
                self.is_there(scope).await?;
            }
        }
        let mut tx = self.deps.control.write().await?;
        let old = self.member_to_change(&tx, scope.org(), id).await?;
        let mut new = old.clone();
        if let Some(name) = name {
            new.display_name = named("name", name)?;
        }
        if let Some(role) = role.filter(|role| role.name() != old.role) {
            role.name().clone_into(&mut new.role);
            new.epoch += 1;
        }
        if new == old {
            return Ok(old);
        }
        let entry =
            AuditEntry::done("staff.changed", id).fact("role", &new.role).fact("role_before", &old.role);
        let new = self.replace_staff(&tx, &old, new).await?;
        tx.audit(scope, entry).await?;
        tx.commit().await?;
        self.settle(scope.org()).await;
        Ok(new)
    }

    /// Suspends, reinstates or removes a member of staff; everything issued to them before ends.
    pub(crate) async fn set_staff_state(
        &self,
        scope: &Scope,
        id: &str,
        state: State,
        reason: &str,
    ) -> Result<staff::Model, Error> {
        let mut tx = self.deps.control.write().await?;
        let old = self.member_to_change(&tx, scope.org(), id).await?;
        if old.state == state.name() {
            return Ok(old);
        }
        let allowed = match state {
            State::Active => old.state == State::Suspended.name(),
            State::Suspended => old.state == State::Active.name(),
            State::Removed => true,
            State::Invited => false,
        };
        if !allowed {
            return Err(Error::StaffWrongState);
        }
        let mut new = old.clone();
        state.name().clone_into(&mut new.state);
        new.epoch += 1;
        if state == State::Removed {
            new.email = None;
        }
        let new = self.replace_staff(&tx, &old, new).await?;
        tx.audit(scope, AuditEntry::done(state.action(), id).because(reason)).await?;
        tx.commit().await?;
        self.settle(scope.org()).await;
        Ok(new)
    }

    /// Ends every credential of a member of staff, who stays one.
    pub(crate) async fn revoke_staff_credentials(&self, scope: &Scope, id: &str) -> Result<(), Error> {
        let mut tx = self.deps.control.write().await?;
        let old = self.member_to_change(&tx, scope.org(), id).await?;
        let new = staff::Model { epoch: old.epoch + 1, ..old.clone() };
        self.replace_staff(&tx, &old, new).await?;
        self.revoke_all(&tx, scope.org(), id).await?;
        tx.audit(scope, AuditEntry::done("staff.credentials_revoked", id)).await?;
        tx.commit().await?;
        self.settle(scope.org()).await;
        Ok(())
    }

    /// A member of staff whom no one else changes before this transaction ends.
    pub(super) async fn member_to_change(
        &self,
        tx: &ControlTx,
        org: OrgId,
        id: &str,
    ) -> Result<staff::Model, Error> {
        // Two admins cannot suspend each other at once.
        self.turn(tx, org).await?;
        let row = tx.one(by_id(org, id)).await?.ok_or(Error::StaffNotFound)?;
        let row = seals::open(&*self.deps.keys, row).await?;
        if !self.roll_in(tx, org).await?.holds(&row) {
            return Err(Error::StaffNotFound);
        }
        if row.state == State::Removed.name() { Err(Error::StaffWrongState) } else { Ok(row) }
    }

    /// Puts a changed member of staff in the place of the old one; an org keeps an admin who can get in.
    pub(super) async fn replace_staff(
        &self,
        tx: &ControlTx,
        old: &staff::Model,
        new: staff::Model,
    ) -> Result<staff::Model, Error> {
        let org: OrgId = old.org_id.parse().map_err(|_| Error::Defect("an org id cannot be read"))?;
        self.turn(tx, org).await?;
        let admin = |row: &staff::Model| row.role == Role::Admin.name() && row.state == State::Active.name();
        if admin(old) && !admin(&new) && self.active_admins(tx, org).await?.len() < 2 {
            return Err(Error::LastAdmin);
        }
        let new = seals::seal(&*self.deps.keys, new).await?;
        let update = staff::Entity::update_many()
            .col_expr(staff::Column::DisplayName, Expr::value(new.display_name.clone()))
            .col_expr(staff::Column::Role, Expr::value(new.role.clone()))
            .col_expr(staff::Column::State, Expr::value(new.state.clone()))
            .col_expr(staff::Column::Email, Expr::value(new.email.clone()))
            .col_expr(staff::Column::Epoch, Expr::value(new.epoch))
            .col_expr(staff::Column::Seal, Expr::value(new.seal.clone()))
            .filter(staff::Column::OrgId.eq(&old.org_id))
            .filter(staff::Column::Id.eq(&old.id))
            .filter(staff::Column::Seal.eq(&old.seal));
        if tx.update(update).await? != 1 {
            return Err(Error::Store(preceptor_store::StoreError::Busy));
        }
        self.change_roll(tx, org, |roll| roll.enter(&new)).await?;
        Ok(new)
    }

    pub(super) async fn active_admins(&self, tx: &ControlTx, org: OrgId) -> Result<Vec<staff::Model>, Error> {
        let admins = staff::Entity::find()
            .filter(staff::Column::OrgId.eq(org.to_string()))
            .filter(staff::Column::Role.eq(Role::Admin.name()))
            .filter(staff::Column::State.eq(State::Active.name()))
            .order_by_asc(staff::Column::Id);
        let mut admins = seals::all_intact(&*self.deps.keys, tx.all(admins).await?).await?;
        self.roll_in(tx, org).await?.retain(&mut admins);
        Ok(admins)
    }

    /// An address as it is stored: encrypted, and bound to its row.
    async fn hide_address(&self, org: OrgId, id: &str, email: &str) -> Result<Option<String>, Error> {
        let email = email.trim();
        if email.is_empty() {
            return Ok(None);
        }
        if !preceptor_mail::is_address(email) {
            return Err(Error::InvalidField { field: "email", what: "must be a mail address" });
        }
        let key = KeyName::of_org(Purpose::DataKeys, org);
        let hidden = self.deps.keys.wrap(key, email.as_bytes(), place(org, id).as_bytes()).await?;
        Ok(Some(hex::encode(hidden)))
    }

    /// Where mail for a member of staff goes.
    pub(super) async fn address(&self, org: OrgId, member: &staff::Model) -> Result<String, Error> {
        let hidden = member.email.as_deref().ok_or(Error::StaffWithoutAddress)?;
        let hidden = hex::decode(hidden).map_err(|_| Error::Defect("an address cannot be read"))?;
        let key = KeyName::of_org(Purpose::DataKeys, org);
        let plain = self.deps.keys.unwrap(key, &hidden, place(org, &member.id).as_bytes()).await?;
        String::from_utf8(plain).map_err(|_| Error::Defect("an address cannot be read"))
    }
}

/// Where a hidden address is, for the cipher.
fn place(org: OrgId, id: &str) -> String {
    format!("{org}/auth_staff/email/{id}")
}
