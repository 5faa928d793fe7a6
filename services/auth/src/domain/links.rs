//! Links that sign a person in, once.

use preceptor_core::{Role, Scope, Timestamp};
use preceptor_store::{AuditEntry, ControlTx};

use super::credentials::Issued;
use super::kinds::{Door, Kind};
use super::mint::{Delivery, Holder, Maker, Wanted, may_mint};
use super::staff::{NewMember, State};
use super::{Accounts, Subject};
use crate::Error;
use crate::store::staff;

/// A link that was made.
#[derive(Debug)]
pub(crate) enum Link {
    /// For anyone who asked.
    Returned(Box<Issued>),
    /// It went to its person's own address.
    Mailed(Timestamp),
}

fn role_of(member: &staff::Model) -> Result<Role, Error> {
    member.role.parse().map_err(|_| Error::Defect("a stored role cannot be read"))
}

impl Accounts {
    /// A link for a member of staff: for the caller themselves, or mailed to someone else.
    pub(crate) async fn issue_staff_link(
        &self,
        scope: &Scope,
        staff_id: &str,
        confirm: &str,
    ) -> Result<Link, Error> {
        let maker = self.maker(scope).await?;
        let member = self.member(scope, staff_id).await?;
        let own = staff_id == scope.subject();
        let delivery = if own { Delivery::Returned } else { Delivery::Mailed };
        let invited = member.state == State::Invited.name();
        if !invited && member.state != State::Active.name() {
            return Err(Error::StaffWrongState);
        }
        let lifetime = if invited { self.config.invitation() } else { self.config.link() };
        let wanted = Wanted {
            kind: Kind::Link,
            holder: Holder::Staff { id: member.id.clone(), role: role_of(&member)?, epoch: member.epoch },
            delivery,
            name: String::new(),
            ends: self.deps.clock.now().after(lifetime),
        };
        // Refused before anything else is told of the other person.
        let grant = may_mint(&maker, wanted)?;
        let address = if own {
            None
        } else {
            self.confirmed(scope, confirm).await?;
            Some(self.mailable(&member).await?)
        };
        let mut tx = self.deps.control.write().await?;
        let issued = self.issue(&tx, grant).await?;
        let entry = AuditEntry::done("sign_in_link.issued", staff_id)
            .fact("delivery", if own { "returned" } else { "mailed" });
        tx.audit(scope, entry).await?;
        tx.commit().await?;
        let Some(address) = address else { return Ok(Link::Returned(Box::new(issued))) };
        self.deliver(scope, &issued, &address, invited).await?;
        Ok(Link::Mailed(issued.expires_at))
    }

    /// The address of a member of staff, when mail can be sent at all.
    async fn mailable(&self, member: &staff::Model) -> Result<String, Error> {
        if !self.deps.mail.is_set_up() {
            return Err(Error::Mail(preceptor_mail::MailError::NotSetUp));
        }
        let org = member.org_id.parse().map_err(|_| Error::Defect("an org id cannot be read"))?;
        self.address(org, member).await
    }

    /// Sends a link to its person. One that was not sent opens nothing.
    async fn deliver(
        &self,
        scope: &Scope,
        issued: &Issued,
        address: &str,
        invited: bool,
    ) -> Result<(), Error> {
        let org = self.org(&issued.row.org_id).await?;
        let (subject, occasion) = if invited {
            ("You are invited", "You are invited to join the staff of")
        } else {
            ("Sign in", "An administrator sends you a link to sign in at")
        };
        let text = format!(
            "{occasion} {}.\n\nOpen this link to sign in. It works once, until {}:\n\n{}\n\nIf you do not expect this, ignore it.\n",
            org.name,
            issued.expires_at,
            self.link_url(issued.secret.expose()),
        );
        let sent =
            self.deps.mail.send(&issued.row.id, address, &format!("{subject} · Preceptor"), text).await;
        if let Err(error) = sent {
            let mut tx = self.deps.control.write().await?;
            self.revoke(&tx, &issued.row.org_id, &issued.row.id).await?;
            tx.audit(
                scope,
                AuditEntry::refused("sign_in_link.sent", &issued.subject, "the mail was not taken"),
            )
            .await?;
            tx.commit().await?;
            return Err(error.into());
        }
        Ok(())
    }

    /// The address that a link's secret is opened at. In the fragment it reaches neither logs nor the Referer header.
    fn link_url(&self, secret: &str) -> String {
        format!("{}/sign-in#{secret}", self.deps.public_url.trim_end_matches('/'))
    }

    /// Adds a member of staff and mails them their first link. No one is added when the mail does not go out.
    pub(crate) async fn invite(&self, scope: &Scope, new: NewMember<'_>) -> Result<staff::Model, Error> {
        if !Role::STAFF.contains(&new.role) {
            return Err(Error::InvalidField {
                field: "role",
                what: "must be admin, editor, reviewer, analyst, auditor or supporter",
            });
        }
        if new.email.trim().is_empty() {
            return Err(Error::InvalidField { field: "email", what: "must be a mail address" });
        }
        if !self.deps.mail.is_set_up() {
            return Err(Error::Mail(preceptor_mail::MailError::NotSetUp));
        }
        self.is_there(scope).await?;
        let maker = self.maker(scope).await?;
        let mut tx = self.deps.control.write().await?;
        let row = self.insert_staff(&tx, scope.org(), new, State::Invited).await?;
        let issued = self.issue_invitation(&tx, &maker, &row, new.role).await?;
        tx.audit(scope, AuditEntry::done(STATE_INVITED, &row.id).fact("role", new.role)).await?;
        tx.commit().await?;
        if let Err(error) = self.deliver(scope, &issued, new.email.trim(), true).await {
            self.set_staff_state(scope, &row.id, State::Removed, "the invitation was not delivered").await?;
            return Err(error);
        }
        Ok(row)
    }

    async fn issue_invitation(
        &self,
        tx: &ControlTx,
        maker: &Maker,
        row: &staff::Model,
        role: Role,
    ) -> Result<Issued, Error> {
        let wanted = Wanted {
            kind: Kind::Link,
            holder: Holder::NewStaff { id: row.id.clone(), role, epoch: row.epoch },
            delivery: Delivery::Mailed,
            name: String::new(),
            ends: tx.now().after(self.config.invitation()),
        };
        self.issue(tx, may_mint(maker, wanted)?).await
    }

    /// A link for the holder of a learner token, made with that token.
    pub(crate) async fn issue_learner_link(
        &self,
        scope: &Scope,
        learner_token: &str,
    ) -> Result<Issued, Error> {
        let learner = self.live(learner_token.trim(), Door::LinkForLearner).await?;
        if learner.row.org_id != scope.org().to_string() {
            return Err(Error::CredentialInvalid);
        }
        let subject = self.subject(&learner).await?;
        let maker = Maker::of_subject(&subject, Some(learner.parent()?));
        let wanted = Wanted {
            kind: Kind::Link,
            holder: learner_of(&subject)?,
            delivery: Delivery::Returned,
            name: String::new(),
            ends: self.deps.clock.now().after(self.config.link()),
        };
        let grant = may_mint(&maker, wanted)?;
        let mut tx = self.deps.control.write().await?;
        let issued = self.issue(&tx, grant).await?;
        tx.audit(scope, AuditEntry::done("sign_in_link.issued", &issued.subject)).await?;
        tx.commit().await?;
        Ok(issued)
    }
}

/// What the record calls an invitation.
const STATE_INVITED: &str = "staff.invited";

/// The learner that a subject is.
pub(super) fn learner_of(subject: &Subject) -> Result<Holder, Error> {
    Ok(Holder::Learner {
        program: subject.program.ok_or(Error::Defect("a learner credential has no program"))?,
        subject: subject.subject.clone(),
        acting: subject.acting.clone(),
    })
}
