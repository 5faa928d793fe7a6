//! Credentials: issued through one rule, opened at their own door, listed, revoked.

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::{CredentialId, OrgId};
use preceptor_core::{Capability, Scope, Secret, Timestamp};
use preceptor_store::{AuditEntry, ControlTx, StoreError};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};

use super::kinds::{Door, Kind};
use super::mint::{Grant, Holder, Maker, Parent};
use super::roll::{Roll, is_struck};
use super::tokens::Subject;
use super::{Accounts, seals, secrets};
use crate::Error;
use crate::store::{credential, staff};

/// How often the use of a session is noted.
const NOTED_EVERY: Duration = Duration::from_secs(60);
/// How many credentials stand behind one: an app's, a learner's, a link's, a session's.
pub(super) const DEEPEST: usize = 8;
/// How often a change of a row is tried that others change too.
pub(super) const TRIES: usize = 5;

/// A secret that was just made, with its end.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) secret: Secret,
    pub(crate) expires_at: Timestamp,
    pub(crate) subject: String,
    pub(crate) row: credential::Model,
}

/// A credential that opens its door, with the person it speaks for.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) row: credential::Model,
    pub(crate) member: Option<staff::Model>,
}

impl Live {
    pub(crate) fn parent(&self) -> Result<Parent, Error> {
        Ok(Parent { id: readable(&self.row.id)?, expires_at: Timestamp::from_micros(self.row.expires_at) })
    }
}

fn readable<T: std::str::FromStr>(id: &str) -> Result<T, Error> {
    id.parse().map_err(|_| Error::Defect("a stored id cannot be read"))
}

fn by_id(org: &str, id: &str) -> Select<credential::Entity> {
    credential::Entity::find_by_id((org.to_owned(), id.to_owned()))
}

impl Accounts {
    /// Issues what a grant allows. There is no other way to a credential.
    pub(super) async fn issue(&self, tx: &ControlTx, grant: Grant) -> Result<Issued, Error> {
        let wanted = grant.wanted();
        let ends = grant.ends();
        if ends <= tx.now() {
            return Err(Error::CredentialInvalid);
        }
        let secret = secrets::generate(wanted.kind)?;
        let id = CredentialId::generate();
        let made_by = match &wanted.holder {
            Holder::App { made_by, .. } => Some(made_by.clone()),
            _ => None,
        };
        let (staff_id, program_id, acting, subject, epoch) = match wanted.holder.clone() {
            Holder::NewStaff { id, epoch, .. } | Holder::Staff { id, epoch, .. } => {
                (Some(id.clone()), None, None, id, epoch)
            }
            Holder::Learner { program, subject, acting } => {
                (None, Some(program.to_string()), acting, subject, 0)
            }
            // The subject is the app; the epoch is that of who made it, and ends it by leaving.
            Holder::App { epoch, .. } => (None, None, None, id.to_string(), epoch),
            Holder::Operator => (None, None, None, "operator".to_owned(), 0),
        };
        let row = credential::Model {
            org_id: grant.org().to_string(),
            id: id.to_string(),
            kind: wanted.kind.name().to_owned(),
            name: wanted.name.clone(),
            secret_hash: secrets::hash(&*self.deps.keys, secret.expose()).await?,
            staff_id,
            subject: subject.clone(),
            program_id,
            acting,
            parent_id: grant.parent().map(|parent| parent.id.to_string()),
            epoch,
            created_at: tx.now().micros(),
            expires_at: ends.micros(),
            last_seen_at: (wanted.kind == Kind::Session).then(|| tx.now().micros()),
            revoked_at: None,
            seal: String::new(),
            made_by,
        };
        let row = seals::seal(&*self.deps.keys, row).await?;
        tx.insert(row.clone()).await?;
        Ok(Issued { secret, expires_at: ends, subject, row })
    }

    /// The credential of `secret`, if it is alive and this door takes its kind.
    pub(super) async fn live(&self, secret: &str, door: Door) -> Result<Live, Error> {
        let kind =
            Kind::of_secret(secret).filter(|&kind| door.takes(kind)).ok_or(Error::CredentialInvalid)?;
        let hash = secrets::hash(&*self.deps.keys, secret).await?;
        let found = self
            .deps
            .control
            .one(credential::Entity::find().filter(credential::Column::SecretHash.eq(hash)))
            .await?;
        let row = seals::open(&*self.deps.keys, found.ok_or(Error::CredentialInvalid)?).await?;
        let live = self.alive(row).await?;
        // The prefix is what its holder says, the row is what it is.
        if live.row.kind != kind.name() || self.is_idle(&live.row) {
            return Err(Error::CredentialInvalid);
        }
        Ok(live)
    }

    /// The credential that a secret opened once, alive or not: for the record of a sign-in that failed. None when no one
    /// issued it.
    pub(crate) async fn once(&self, secret: &str) -> Result<Option<credential::Model>, Error> {
        let hash = secrets::hash(&*self.deps.keys, secret).await?;
        let found = self
            .deps
            .control
            .one(credential::Entity::find().filter(credential::Column::SecretHash.eq(hash)))
            .await?;
        match found {
            Some(row) => Ok(Some(seals::open(&*self.deps.keys, row).await?)),
            None => Ok(None),
        }
    }

    /// The credential behind a call, if it is still alive.
    pub(super) async fn behind(&self, scope: &Scope) -> Result<Live, Error> {
        let id = scope.credential().ok_or(Error::CredentialInvalid)?;
        self.alive(self.credential(&scope.org().to_string(), &id.to_string()).await?).await
    }

    /// The subject of a call as the maker of something, with the credential it came with.
    pub(super) async fn maker(&self, scope: &Scope) -> Result<Maker, Error> {
        Ok(Maker::of_scope(scope, Some(self.behind(scope).await?.parent()?)))
    }

    /// The same for what outlives a session: it takes the place of the session beside it, since both prove that the person
    /// signed in, and ends with what that person signed in with.
    pub(super) async fn lasting_maker(&self, scope: &Scope) -> Result<Maker, Error> {
        let mut row = self.behind(scope).await?.row;
        while row.kind == Kind::Session.name() {
            let Some(parent) = &row.parent_id else { return Ok(Maker::of_scope(scope, None)) };
            row = self.credential(&row.org_id, parent).await?;
        }
        let with = Parent { id: readable(&row.id)?, expires_at: Timestamp::from_micros(row.expires_at) };
        Ok(Maker::of_scope(scope, Some(with)))
    }

    /// A credential by its id, as it was sealed.
    pub(super) async fn credential(&self, org: &str, id: &str) -> Result<credential::Model, Error> {
        let found = self.deps.control.one(by_id(org, id)).await?.ok_or(Error::CredentialInvalid)?;
        seals::open(&*self.deps.keys, found).await
    }

    /// Whether this credential and all those it was made with are neither ended nor revoked, and the people they belong to
    /// are active members of staff to whom nothing happened since that ends what was issued before.
    async fn alive(&self, row: credential::Model) -> Result<Live, Error> {
        let org = readable(&row.org_id)?;
        for _ in 0..TRIES {
            match self.alive_on(&self.roll(org).await?, &row).await {
                Ok(member) => return Ok(Live { row, member }),
                // Someone was changed meanwhile.
                Err(Error::Store(StoreError::Busy)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// The member of staff whose credential it is, when it is alive by this roll.
    async fn alive_on(
        &self,
        roll: &Arc<Roll>,
        row: &credential::Model,
    ) -> Result<Option<staff::Model>, Error> {
        let member = self.check_one(roll, row).await?;
        let mut parent = row.parent_id.clone();
        for _ in 0..DEEPEST {
            let Some(id) = parent else { return Ok(member) };
            let found = self.credential(&row.org_id, &id).await?;
            self.check_one(roll, &found).await?;
            parent = found.parent_id;
        }
        Err(Error::Defect("a credential has too many others behind it"))
    }

    async fn check_one(
        &self,
        roll: &Arc<Roll>,
        row: &credential::Model,
    ) -> Result<Option<staff::Model>, Error> {
        self.check_row(roll, row).await?;
        let Some(id) = row.ends_with() else { return Ok(None) };
        let member =
            self.deps.control.one(staff::Entity::find_by_id((row.org_id.clone(), id.clone()))).await?;
        let member = seals::open(&*self.deps.keys, member.ok_or(Error::CredentialInvalid)?).await?;
        self.check_member(roll, row, &member).await?;
        // Anyone who made the credential of an app is not the one it speaks for.
        Ok(Some(member).filter(|_| row.staff_id.is_some()))
    }

    /// Refuses a credential that has ended or was revoked.
    pub(super) async fn check_row(&self, roll: &Arc<Roll>, row: &credential::Model) -> Result<(), Error> {
        if row.revoked_at.is_some() || row.expires_at <= self.deps.clock.now().micros() {
            return Err(Error::CredentialInvalid);
        }
        if roll.has_struck(row) {
            self.look_at_struck(row).await?;
            return Err(Error::CredentialInvalid);
        }
        Ok(())
    }

    /// Refuses the credential of a member of staff who does not come in, or to whom something happened since that ends what
    /// was issued before; that of an app is refused with the member who made it.
    pub(super) async fn check_member(
        &self,
        roll: &Arc<Roll>,
        row: &credential::Model,
        member: &staff::Model,
    ) -> Result<(), Error> {
        let enters = member.state == "active" || (member.state == "invited" && row.kind == Kind::Link.name());
        if !enters || member.epoch != row.epoch {
            return Err(Error::CredentialInvalid);
        }
        if roll.holds(member) {
            return Ok(());
        }
        Err(self.misfit(readable(&row.org_id)?, roll).await)
    }

    /// Whether no one used a session for longer than sessions may lie idle.
    pub(super) fn is_idle(&self, row: &credential::Model) -> bool {
        let seen = row.last_seen_at.map(Timestamp::from_micros);
        seen.is_some_and(|seen| self.deps.clock.now().since(seen) > self.config.idle())
    }

    /// Notes that a session is used.
    pub(super) async fn note_use(&self, row: &credential::Model) -> Result<(), Error> {
        let now = self.deps.clock.now();
        let often = NOTED_EVERY.min(self.config.idle() / 4);
        let due = row.last_seen_at.is_some_and(|seen| now.since(Timestamp::from_micros(seen)) >= often);
        if !due {
            return Ok(());
        }
        let tx = self.deps.control.write().await?;
        // Lost against someone who changed the row first: they noted the use, or ended it.
        let seen = credential::Model { last_seen_at: Some(now.micros()), ..row.clone() };
        self.replace(&tx, row, seen).await?;
        Ok(tx.commit().await?)
    }

    /// Puts a changed row in the place of the one that was read; false when someone else came first.
    async fn replace(
        &self,
        tx: &ControlTx,
        old: &credential::Model,
        new: credential::Model,
    ) -> Result<bool, Error> {
        let new = seals::seal(&*self.deps.keys, new).await?;
        let update = credential::Entity::update_many()
            .col_expr(credential::Column::LastSeenAt, Expr::value(new.last_seen_at))
            .col_expr(credential::Column::RevokedAt, Expr::value(new.revoked_at))
            .col_expr(credential::Column::Seal, Expr::value(new.seal))
            .filter(credential::Column::OrgId.eq(&old.org_id))
            .filter(credential::Column::Id.eq(&old.id))
            .filter(credential::Column::Seal.eq(&old.seal));
        Ok(tx.update(update).await? == 1)
    }

    /// Ends a credential, and with it all that were made with it. True when it was not ended before.
    pub(super) async fn revoke(&self, tx: &ControlTx, org: &str, id: &str) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let row = tx.one(by_id(org, id)).await?.ok_or(Error::CredentialNotFound)?;
            if row.revoked_at.is_some() {
                return Ok(false);
            }
            let strikes = is_struck(&row.kind);
            let org_id = readable(org)?;
            if strikes {
                self.turn(tx, org_id).await?;
            }
            let revoked = credential::Model { revoked_at: Some(tx.now().micros()), ..row.clone() };
            if self.replace(tx, &row, revoked).await? {
                if strikes {
                    self.change_roll(tx, org_id, |roll| roll.strike(&row, tx.now())).await?;
                }
                return Ok(true);
            }
        }
        Err(Error::Store(StoreError::Busy))
    }

    /// Ends a credential of the caller's, or any of the org's for those who administer it.
    pub(crate) async fn revoke_credential(&self, scope: &Scope, id: CredentialId) -> Result<(), Error> {
        let (org, id) = (scope.org().to_string(), id.to_string());
        let row = self.deps.control.one(by_id(&org, &id)).await?.ok_or(Error::CredentialNotFound)?;
        let own = row.staff_id.as_deref() == Some(scope.subject());
        if !own && !scope.grants(Capability::Administer) {
            return Err(Error::CredentialNotFound);
        }
        let mut tx = self.deps.control.write().await?;
        if self.revoke(&tx, &org, &id).await? {
            tx.audit(
                scope,
                AuditEntry::done("credential.revoked", &id)
                    .fact("kind", &row.kind)
                    .fact("holder", &row.subject),
            )
            .await?;
        }
        tx.commit().await?;
        self.settle(scope.org()).await;
        Ok(())
    }

    /// Ends everything that belongs to a member of staff, and what they made for apps.
    pub(super) async fn revoke_all(&self, tx: &ControlTx, org: OrgId, staff_id: &str) -> Result<(), Error> {
        let rows = credential::Entity::find()
            .filter(credential::Column::OrgId.eq(org.to_string()))
            .filter(credential::ending_with(staff_id))
            .filter(credential::Column::RevokedAt.is_null());
        for row in tx.all(rows).await? {
            self.revoke(tx, &org.to_string(), &row.id).await?;
        }
        Ok(())
    }

    /// Whether the caller is there now and not only their credential: they signed in a moment ago, or present an API token
    /// of theirs again.
    pub(super) async fn confirmed(&self, scope: &Scope, confirm: &str) -> Result<(), Error> {
        if !confirm.is_empty() {
            let live =
                self.live(confirm.trim(), Door::Confirmation).await.map_err(|_| Error::ConfirmationNeeded)?;
            let same = live.row.org_id == scope.org().to_string()
                && live.row.staff_id.as_deref() == Some(scope.subject());
            return if same { Ok(()) } else { Err(Error::ConfirmationNeeded) };
        }
        let row = self.behind(scope).await?.row;
        let age = self.deps.clock.now().since(Timestamp::from_micros(row.created_at));
        let fresh = row.kind == Kind::Session.name()
            && age <= self.config.confirmation()
            && !self.came_from_a_session(&row).await?;
        if fresh { Ok(()) } else { Err(Error::ConfirmationNeeded) }
    }

    /// The same for what takes no confirmation: anyone who comes with an API token presents it with the call itself, and a
    /// session counts while it is young. A session that someone else got hold of lets no one in.
    pub(super) async fn is_there(&self, scope: &Scope) -> Result<(), Error> {
        if self.behind(scope).await?.row.kind == Kind::Api.name() {
            return Ok(());
        }
        self.confirmed(scope, "").await
    }

    /// Whether a session was opened by a link out of another session, which proves nothing new.
    async fn came_from_a_session(&self, row: &credential::Model) -> Result<bool, Error> {
        let Some(parent) = &row.parent_id else { return Ok(false) };
        let parent = self.deps.control.one(by_id(&row.org_id, parent)).await?;
        Ok(parent.is_none_or(|parent| parent.kind == Kind::Session.name()))
    }

    /// Ends every token of the operator.
    pub(super) async fn revoke_operators(&self, tx: &ControlTx) -> Result<(), Error> {
        let rows = credential::Entity::find()
            .filter(credential::Column::OrgId.eq(OrgId::PLATFORM.to_string()))
            .filter(credential::Column::RevokedAt.is_null());
        for row in tx.all(rows).await? {
            self.revoke(tx, &row.org_id, &row.id).await?;
        }
        Ok(())
    }

    /// The subject of a live credential.
    pub(super) async fn subject(&self, live: &Live) -> Result<Subject, Error> {
        let org = self.org(&live.row.org_id).await?;
        Subject::of(&org, &live.row, live.member.as_ref())
    }
}
