//! What is asserted of a clinician, at which level, for how long.

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::{AssertionId, OrgId};
use preceptor_core::{Capability, Role, Scope, SystemActor};
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::person::begins;
use super::statements::{ClinicianView, NewCheck, record};
use super::{Clinicians, Person};
use crate::Error;
use crate::registry::Entry;
use crate::store::{assertion, check, clinician, queries};

/// An assertion is looked at again after a year at the latest.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
const MOST_EVIDENCE: usize = 2000;

/// What was found for a credit.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) assertion: Option<assertion::Model>,
    pub(crate) problem: String,
    pub(crate) checks: Vec<check::Model>,
    pub(crate) person: Option<Person>,
}

/// Asserts a level, on a check that passed. A statement whose dates do not hold is asserted to nobody.
pub(super) async fn assert(
    tx: &mut TenantTx,
    row: &clinician::Model,
    person: &Person,
    level: i64,
    check: &check::Model,
) -> Result<(), Error> {
    let proved = queries::checks(tx, &row.learner).await?.into_iter().find(|check| check.method == "email" && check.outcome == "passed");
    let Some(proved) = proved else { return Ok(()) };
    let from = begins(&person.licensed_since).unwrap_or(tx.now().micros());
    let expires = begins(&person.licence_expires).unwrap_or(i64::MAX);
    let until = tx.now().after(LONGEST).micros().min(expires);
    if from >= until {
        return Ok(());
    }
    let asserted = assertion::Model {
        org_id: tx.org_key(),
        id: AssertionId::generate().to_string(),
        learner: row.learner.clone(),
        profession: row.profession.clone(),
        level,
        email_check_id: proved.id,
        check_id: check.id.clone(),
        outcome: check.outcome.clone(),
        valid_from: from,
        valid_until: until,
        asserted_at: tx.now().micros(),
    };
    tx.insert(asserted.clone()).await?;
    let entry = AuditEntry::done("credential.asserted", &row.learner).fact("assertion", &asserted.id).fact("level", level);
    tx.audit(entry.fact("profession", &asserted.profession).fact("check", &asserted.check_id).fact("valid_until", until))?;
    Ok(())
}

/// What the registry's entry proves of a statement: a level, and why in words.
fn judge(entry: Option<&Entry>, person: &Person) -> (Option<i64>, &'static str) {
    let Some(entry) = entry else { return (None, "the registry knows no such number") };
    if !entry.active {
        return (None, "the number is deactivated");
    }
    let name = letters(&person.name);
    let same_name = [&entry.first_name, &entry.last_name].iter().all(|part| !part.is_empty() && name.contains(&letters(part)));
    let same_licence = entry.licences.iter().any(|licence| letters(licence) == letters(&person.licence_number));
    match (same_name, same_licence) {
        (true, true) => (Some(2), "the registry has the same name and licence"),
        (true, false) => (Some(1), "the registry has the same name, and another licence or none"),
        (false, _) => (None, "the registry has another name for this number"),
    }
}

/// Letters and digits in upper case: spelling apart, the same name.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl Clinicians {
    /// Asks the registry about a person's number and records what it said.
    pub(crate) async fn ask_registry(&self, org: OrgId, learner: &str) -> Result<(), Error> {
        let Some(registry) = &self.outside.registry else { return Ok(()) };
        let scope = Arc::new(Scope::of_system(SystemActor::Credentials, org));
        let row = queries::clinician(&self.deps.store.read(&scope).await?, learner).await?.ok_or(Error::NotStated)?;
        let person = self.open(org, &row).await?;
        if person.npi.is_empty() {
            return Ok(());
        }
        let entry = registry.look_up(&person.npi).await?;
        let (level, detail) = judge(entry.as_ref(), &person);
        let mut tx = self.deps.store.write(&scope).await?;
        // The person may have stated something else meanwhile: then they are asked about again.
        let current = queries::clinician(&tx, learner).await?.ok_or(Error::NotStated)?;
        if current.revision != row.revision {
            return Ok(());
        }
        let evidence_sha256 = entry.map(|entry| entry.sha256).unwrap_or_default();
        let check = record(&mut tx, learner, NewCheck { method: "npi_registry", passed: level.is_some(), detail, evidence_sha256 }).await?;
        if let Some(level) = level {
            assert(&mut tx, &row, &person, level, &check).await?;
        }
        Ok(tx.commit().await?)
    }

    /// A named member of staff has looked at the board's own record.
    pub(crate) async fn confirm_primary_source(
        &self,
        scope: &Arc<Scope>,
        learner: &str,
        confirmed: bool,
        evidence: &str,
    ) -> Result<ClinicianView, Error> {
        let evidence = evidence.trim();
        if evidence.is_empty() || evidence.chars().count() > MOST_EVIDENCE {
            return Err(Error::field("evidence", "say where it was looked up and what was seen, in at most 2000 characters"));
        }
        if learner == scope.subject() {
            return Err(Error::field("learner", "nobody confirms themselves"));
        }
        let row = queries::clinician(&self.deps.store.read(scope).await?, learner).await?.ok_or(Error::NotFound)?;
        let person = self.open(scope.org(), &row).await?;
        if row.email_verified_at.is_none() {
            return Err(Error::field("learner", "has not verified their address yet"));
        }
        let mut tx = self.deps.store.write(scope).await?;
        let evidence_sha256 = hex::encode(Sha256::digest(evidence));
        let check =
            record(&mut tx, learner, NewCheck { method: "primary_source", passed: confirmed, detail: evidence, evidence_sha256 }).await?;
        if confirmed {
            assert(&mut tx, &row, &person, 3, &check).await?;
        }
        tx.commit().await?;
        self.view(scope, learner).await
    }

    /// The strongest assertion that held at an instant, or this very one.
    pub(crate) async fn find(&self, scope: &Arc<Scope>, learner: &str, at: i64, least: i64, id: &str) -> Result<Found, Error> {
        let is_platform = scope.role() == Role::System;
        if learner != scope.subject() && !is_platform && !scope.grants(Capability::ReadAudit) {
            return Err(Error::NotFound);
        }
        let tx = self.deps.store.read(scope).await?;
        let Some(row) = queries::clinician(&tx, learner).await? else {
            return Ok(Found {
                problem: "state your profession, licence and address first, and verify the address".into(),
                ..Found::default()
            });
        };
        let all = queries::assertions(&tx, learner).await?;
        let checks = queries::checks(&tx, learner).await?;
        drop(tx);
        let chosen = if id.is_empty() {
            let held = all.iter().filter(|row| row.valid_from <= at && at < row.valid_until && row.level >= least);
            held.max_by_key(|row| (row.level, row.asserted_at)).cloned()
        } else {
            all.iter().find(|row| row.id == id).cloned()
        };
        let problem = if chosen.is_none() { problem(&row, &all, at, least) } else { String::new() };
        // A name goes to the person and onto their certificate.
        let person = if learner == scope.subject() || is_platform { Some(self.open(scope.org(), &row).await?) } else { None };
        Ok(Found { assertion: chosen, problem, checks, person })
    }
}

/// Why nothing held.
fn problem(row: &clinician::Model, all: &[assertion::Model], at: i64, least: i64) -> String {
    if row.email_verified_at.is_none() {
        return "verify your address with the code that is sent to it first".to_owned();
    }
    let held = all.iter().filter(|row| row.valid_from <= at && at < row.valid_until).map(|row| row.level).max();
    match held {
        Some(level) => format!(
            "your credential is known at level {level}; this credit needs level {least}: add your NPI, or ask the provider to confirm your licence at its board"
        ),
        None => "your licence was not valid when you completed the quiz; correct its dates if they are wrong".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            active: true,
            first_name: "ADA".into(),
            last_name: "O'LOVELACE".into(),
            licences: vec!["MD-12345".into()],
            sha256: String::new(),
        }
    }

    #[test]
    fn a_registry_proves_what_it_has_and_no_more() {
        let person = Person { name: "Ada M. O’Lovelace".into(), licence_number: "md12345".into(), ..Person::default() };
        assert_eq!(judge(Some(&entry()), &person).0, Some(2));
        assert_eq!(judge(Some(&Entry { licences: Vec::new(), ..entry() }), &person).0, Some(1));
        assert_eq!(judge(Some(&Entry { last_name: "BYRON".into(), ..entry() }), &person).0, None);
        assert_eq!(judge(Some(&Entry { active: false, ..entry() }), &person).0, None);
        assert_eq!(judge(None, &person).0, None);
    }
}
