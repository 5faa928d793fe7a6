//! Proving an address.

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::{CheckId, OrgId};
use preceptor_core::{Scope, Timestamp};
use preceptor_keys::{KeyName, Purpose};
use preceptor_store::AuditEntry;
use subtle::ConstantTimeEq as _;

use super::statements::{ClinicianView, NewCheck, record};
use super::{Clinicians, assertions};
use crate::Error;
use crate::store::{clinician, email_challenge, queries};

/// How long a code can be used.
const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// Codes per hour and person.
const MOST_CODES: usize = 5;
const HOUR: Duration = Duration::from_secs(3600);
/// Wrong tries per code: at 10^8 codes, no one guesses one.
const MOST_TRIES: i64 = 5;

impl Clinicians {
    /// Sends a code to the stated address.
    pub(crate) async fn send_code(&self, scope: &Arc<Scope>) -> Result<ClinicianView, Error> {
        let (org, learner) = (scope.org(), scope.subject());
        let view = self.view(scope, learner).await?;
        if view.row.email_verified_at.is_some() {
            return Ok(view);
        }
        let code = format!("{:08}", rand::random::<u32>() % 100_000_000);
        let id = CheckId::generate().to_string();
        let code_hash = self.code_hash(org, &id, &view.person.email, &code).await?;
        let mut tx = self.deps.store.write(scope).await?;
        let hour_ago = Timestamp::from_micros(tx.now().micros() - HOUR.as_micros() as i64);
        if queries::challenges(&tx, learner, hour_ago.micros()).await?.len() >= MOST_CODES {
            return Err(Error::TooManyCodes);
        }
        let row = email_challenge::Model {
            org_id: tx.org_key(),
            id: id.clone(),
            learner: learner.to_owned(),
            code_hash,
            wrong_tries: 0,
            sent_at: tx.now().micros(),
            expires_at: tx.now().after(LIFETIME).micros(),
            used_at: None,
        };
        tx.insert(row).await?;
        tx.audit(AuditEntry::done("credential.code_sent", learner).fact("challenge", &id))?;
        tx.commit().await?;
        let grouped = format!("{} {}", &code[..4], &code[4..]);
        let text = format!(
            "Your code is {grouped}\n\nIt confirms this address for your continuing medical education and can be used for 15 minutes.\n\
             If you did not ask for it, someone mistyped their address; you need not do anything.\n"
        );
        self.outside.mail.send(&id, &view.person.email, "Confirm your address", text).await?;
        Ok(view)
    }

    /// A code as it is stored: it proves the address it was sent to and no other.
    async fn code_hash(&self, org: OrgId, challenge: &str, email: &str, code: &str) -> Result<String, Error> {
        let message = format!("{challenge}\n{email}\n{code}");
        Ok(hex::encode(
            self.deps.keys.hmac(KeyName::of_org(Purpose::Credentials, org), message.as_bytes()).await?,
        ))
    }

    /// Takes a code back.
    pub(crate) async fn confirm_email(&self, scope: &Arc<Scope>, code: &str) -> Result<ClinicianView, Error> {
        let (org, learner) = (scope.org(), scope.subject());
        let view = self.view(scope, learner).await?;
        if view.row.email_verified_at.is_some() {
            return Ok(view);
        }
        let typed: String = code.chars().filter(char::is_ascii_digit).collect();
        let mut tx = self.deps.store.write(scope).await?;
        // Another address may be stated by now.
        let current = queries::clinician(&tx, learner).await?.ok_or(Error::NotStated)?;
        if current.revision != view.row.revision {
            return Err(Error::Changed);
        }
        let now = tx.now().micros();
        let newest = queries::challenges(&tx, learner, 0).await?.into_iter().next();
        let challenge =
            newest.filter(|row| row.used_at.is_none() && now < row.expires_at).ok_or(Error::WrongCode)?;
        if challenge.wrong_tries >= MOST_TRIES {
            return Err(Error::TooManyCodes);
        }
        let hash = self.code_hash(org, &challenge.id, &view.person.email, &typed).await?;
        if !bool::from(hash.as_bytes().ct_eq(challenge.code_hash.as_bytes())) {
            queries::count_wrong_try(&tx, &challenge).await?;
            tx.commit().await?;
            return Err(Error::WrongCode);
        }
        queries::use_challenge(&tx, &challenge.id).await?;
        queries::email_is_verified(&tx, learner).await?;
        let check = NewCheck {
            id: None,
            method: "email",
            passed: true,
            detail: "a code that was sent to the address came back",
            evidence_sha256: challenge.code_hash,
        };
        record(&mut tx, &current, check).await?;
        let attested = queries::checks(&tx, &[learner.to_owned()])
            .await?
            .into_iter()
            .find(|check| check.method == "attestation");
        let attested = attested.ok_or_else(|| Error::Defect("a clinician who attested nothing".into()))?;
        // From now on the address counts: what is stated may be someone else's too.
        let verified = clinician::Model { email_verified_at: Some(now), ..current };
        let contested = assertions::assert(&mut tx, &verified, &view.person, 0, &attested).await?;
        self.queue_notices(&mut tx, &contested).await?;
        if !view.row.npi_index.is_empty() {
            self.queue_registry(&mut tx, learner).await?;
        }
        tx.commit().await?;
        self.view(scope, learner).await
    }
}
