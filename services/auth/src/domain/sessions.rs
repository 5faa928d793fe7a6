//! Browser sessions.

use std::sync::Arc;

use preceptor_core::{Role, Scope, Timestamp};
use preceptor_store::AuditEntry;

use super::credentials::{Issued, Live};
use super::kinds::{Door, Kind};
use super::links::learner_of;
use super::mint::{Delivery, Holder, Maker, Parent, Wanted, may_mint};
use super::staff::State;
use super::{Accounts, Subject};
use crate::Error;

impl Accounts {
    /// Whom a secret would sign in, and the name of their org. Nothing is used up.
    pub(crate) async fn peek(&self, secret: &str) -> Result<(Subject, String), Error> {
        let live = self.live(secret, Door::SignIn).await?;
        let org = self.org(&live.row.org_id).await?.name;
        Ok((self.subject(&live).await?, org))
    }

    /// Opens a browser session for the one who holds a link, which is used up, or an API token. The session that the browser
    /// had before, `replaces`, ends.
    pub(crate) async fn open_session(
        &self,
        secret: &str,
        replaces: &str,
    ) -> Result<(Issued, Subject), Error> {
        let live = self.live(secret, Door::SignIn).await?;
        let subject = self.subject(&live).await?;
        let is_link = live.row.kind == Kind::Link.name();
        // A used link gives its place to the session: both were made with the same credential, or with none.
        let with = if is_link { self.parent_of(&live).await? } else { Some(live.parent()?) };
        let earlier = self.replaced(replaces, &live, with.as_ref()).await?;
        let holder = match (&live.member, subject.role) {
            (Some(member), role) => Holder::Staff { id: member.id.clone(), role, epoch: member.epoch },
            (None, Role::Learner) => learner_of(&subject)?,
            (None, _) => return Err(Error::CredentialInvalid),
        };
        let wanted = Wanted {
            kind: Kind::Session,
            holder,
            delivery: Delivery::Returned,
            name: String::new(),
            ends: self.deps.clock.now().after(self.config.session()),
        };
        let grant = may_mint(&Maker::of_subject(&subject, with), wanted)?;
        let mut tx = self.deps.control.write().await?;
        if live.member.as_ref().is_some_and(|member| member.state == State::Invited.name()) {
            self.turn(&tx, subject.org).await?;
        }
        if is_link && !self.revoke(&tx, &live.row.org_id, &live.row.id).await? {
            return Err(Error::CredentialInvalid);
        }
        self.join(&tx, &live).await?;
        let issued = self.issue(&tx, grant).await?;
        if let Some((scope, id)) = earlier
            && self.revoke(&tx, &scope.org().to_string(), &id).await?
        {
            let entry = AuditEntry::done("session.ended", &id).because("the browser signed in again");
            tx.audit(&scope, entry).await?;
        }
        tx.commit().await?;
        Ok((issued, subject))
    }

    /// The session of `secret`, which ends when another takes its place: who had it, and its id. None when it ended before,
    /// and when the new one is made with it: then it is what the new one lives by.
    async fn replaced(
        &self,
        secret: &str,
        new: &Live,
        with: Option<&Parent>,
    ) -> Result<Option<(Arc<Scope>, String)>, Error> {
        let earlier = match self.live(secret, Door::Cookie).await {
            Ok(earlier) => earlier,
            Err(Error::CredentialInvalid) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut behind = with.map(|parent| parent.id.to_string());
        while let Some(id) = behind {
            if id == earlier.row.id {
                return Ok(None);
            }
            behind = self.credential(&new.row.org_id, &id).await?.parent_id;
        }
        let scope = self.scope_of(&self.subject(&earlier).await?).await?;
        Ok(Some((scope, earlier.row.id)))
    }

    /// Someone who opens their invitation is a member from then on.
    async fn join(&self, tx: &preceptor_store::ControlTx, live: &Live) -> Result<(), Error> {
        let Some(member) = live.member.as_ref().filter(|member| member.state == State::Invited.name()) else {
            return Ok(());
        };
        let active = crate::store::staff::Model { state: State::Active.name().to_owned(), ..member.clone() };
        self.replace_staff(tx, member, active).await?;
        Ok(())
    }

    async fn parent_of(&self, live: &Live) -> Result<Option<Parent>, Error> {
        let Some(id) = &live.row.parent_id else { return Ok(None) };
        let parent = self.credential(&live.row.org_id, id).await?;
        let id = id.parse().map_err(|_| Error::Defect("a stored id cannot be read"))?;
        Ok(Some(Parent { id, expires_at: Timestamp::from_micros(parent.expires_at) }))
    }

    /// Ends the session of a cookie, and what was made with it. Returns whose it was, unless it had ended before.
    pub(crate) async fn end_session(&self, secret: &str) -> Result<Option<Subject>, Error> {
        let live = match self.live(secret, Door::Cookie).await {
            Ok(live) => live,
            // It ended before.
            Err(Error::CredentialInvalid) => return Ok(None),
            Err(error) => return Err(error),
        };
        let tx = self.deps.control.write().await?;
        self.revoke(&tx, &live.row.org_id, &live.row.id).await?;
        tx.commit().await?;
        Ok(Some(self.subject(&live).await?))
    }
}
