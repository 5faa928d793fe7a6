//! Learners: admitted by their app, or tried out by staff.

use std::time::Duration;

use preceptor_core::id::ProgramId;
use preceptor_core::{Role, Scope};
use preceptor_keys::{KeyName, Purpose};
use preceptor_store::AuditEntry;

use super::Accounts;
use super::credentials::Issued;
use super::kinds::Kind;
use super::mint::{Delivery, Holder, Wanted, may_mint};
use crate::Error;

impl Accounts {
    /// A token for one learner in one program. An app admits the learner in person. What staff make is theirs: it is marked
    /// as acting, and its pseudonym is no one else's, so that it meets no row of the learner.
    pub(crate) async fn issue_learner_token(
        &self,
        scope: &Scope,
        program: ProgramId,
        user_hash: &str,
        lifetime: Option<Duration>,
    ) -> Result<Issued, Error> {
        if user_hash.is_empty() || user_hash.len() > 256 {
            return Err(Error::InvalidField { field: "user_hash", what: "must have 1 to 256 characters" });
        }
        let longest = Duration::from_secs(self.config.longest_learner_token_seconds);
        let lifetime = lifetime.unwrap_or(Duration::from_secs(self.config.learner_token_seconds));
        if lifetime > longest {
            return Err(Error::InvalidField {
                field: "lifetime_seconds",
                what: "is longer than this deployment allows",
            });
        }
        let acting = (scope.role() != Role::Service).then(|| scope.subject().to_owned());
        let subject = self.pseudonym(scope, user_hash, acting.as_deref()).await?;
        let wanted = Wanted {
            kind: Kind::Learner,
            holder: Holder::Learner { program, subject: subject.clone(), acting: acting.clone() },
            delivery: Delivery::Returned,
            name: String::new(),
            ends: self.deps.clock.now().after(lifetime),
        };
        let grant = may_mint(&self.maker(scope).await?, wanted)?;
        let mut tx = self.deps.control.write().await?;
        let issued = self.issue(&tx, grant).await?;
        let entry = AuditEntry::done("learner_token.issued", &subject).in_program(program);
        let entry = if acting.is_some() { entry.fact("acting", scope.subject()) } else { entry };
        tx.audit(scope, entry).await?;
        tx.commit().await?;
        Ok(issued)
    }

    async fn pseudonym(&self, scope: &Scope, user_hash: &str, acting: Option<&str>) -> Result<String, Error> {
        let key = KeyName::of_org(Purpose::Pseudonyms, scope.org());
        let tag = self.deps.keys.hmac(key, user_hash.as_bytes()).await?;
        let tag = match acting {
            // Hashed again with what no provider's identifier can be: the bytes of a tag come first.
            Some(staff) => {
                self.deps.keys.hmac(key, &[&tag[..], b"\0acting\0", staff.as_bytes()].concat()).await?
            }
            None => tag,
        };
        Ok(format!("learner_{}", hex::encode(&tag[..16])))
    }
}
