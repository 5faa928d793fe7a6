//! What is asserted of a clinician, at which level, for how long.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::AssertionId;
use preceptor_core::{Capability, Role, Scope, SystemActor};
use preceptor_jobs::Job;
use preceptor_keys::{KeyName, Purpose};
use preceptor_store::{AuditEntry, TenantTx};
use unicode_normalization::UnicodeNormalization as _;

use super::contests::{self, Dispute};
use super::evidence::Sealed;
use super::person::begins;
use super::statements::{ClinicianView, NewCheck, record};
use super::{Clinicians, Person};
use crate::Error;
use crate::registry::Entry;
use crate::store::{assertion, check, clinician, queries};

/// An assertion is looked at again after a year at the latest.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a member of staff saw at a primary source.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) confirmed: bool,
    /// That the source has the address which the person verified, and nothing more was looked up.
    pub(crate) address_only: bool,
    /// Where it was looked up and what was seen.
    pub(crate) evidence: String,
}

/// What was found for a credit.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) assertion: Option<assertion::Model>,
    pub(crate) problem: String,
    pub(crate) checks: Vec<check::Model>,
    pub(crate) person: Option<Person>,
}

/// Asserts a level, on a check that passed. A statement whose dates do not hold is asserted to no one. Returns the contests
/// that this opens, whose parties have to be told.
pub(super) async fn assert(
    tx: &mut TenantTx,
    row: &clinician::Model,
    person: &Person,
    level: i64,
    check: &check::Model,
) -> Result<Vec<String>, Error> {
    let proved = queries::checks(tx, std::slice::from_ref(&row.learner))
        .await?
        .into_iter()
        .find(|check| check.method == "email" && check.outcome == "passed");
    let Some(proved) = proved else { return Ok(Vec::new()) };
    let contested = contests::contest(tx, row, level).await?;
    let from = begins(&person.licensed_since).unwrap_or(tx.now().micros());
    let expires = begins(&person.license_expires).unwrap_or(i64::MAX);
    let until = tx.now().after(LONGEST).micros().min(expires);
    if from >= until {
        return Ok(contested);
    }
    let asserted = assertion::Model {
        org_id: tx.org_key(),
        id: AssertionId::generate().to_string(),
        learner: row.learner.clone(),
        statement: row.statement,
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
    let entry = AuditEntry::done("credential.asserted", &row.learner)
        .fact("assertion", &asserted.id)
        .fact("level", level);
    tx.audit(
        entry
            .fact("profession", &asserted.profession)
            .fact("check", &asserted.check_id)
            .fact("valid_until", until),
    )?;
    Ok(contested)
}

/// Whether the board's own record did not have what is stated now.
pub(super) fn is_refuted(row: &clinician::Model, checks: &[check::Model]) -> bool {
    let newest =
        checks.iter().find(|check| check.method == "primary_source" && check.statement == row.statement);
    newest.is_some_and(|check| check.outcome == "failed")
}

/// What the person can do about that.
pub(super) const REFUTED: &str = "the board's own record does not have this license as you stated it; correct your statement, or ask the provider";

/// What stands of all that was asserted: what is about the present statement, unless it was refuted. While someone else
/// states the same, nothing stands but the person's own word.
pub(super) fn standing(
    row: &clinician::Model,
    all: Vec<assertion::Model>,
    checks: &[check::Model],
    dispute: Dispute,
) -> Vec<assertion::Model> {
    if is_refuted(row, checks) || dispute == Dispute::Lost {
        return Vec::new();
    }
    let most = if dispute == Dispute::Open { 0 } else { i64::MAX };
    all.into_iter().filter(|asserted| asserted.statement == row.statement && asserted.level <= most).collect()
}

/// What the codes of a profession begin with in the registry (Health Care Provider Taxonomy of the NUCC).
fn taxonomies(profession: &str) -> &'static [&'static str] {
    match profession {
        "physician" => &["20"],
        "physician_assistant" => &["363A"],
        "nurse_practitioner" => &["363L"],
        "nurse" => &["163W", "164W", "364S", "363L", "367"],
        "pharmacist" => &["1835"],
        "dentist" => &["1223"],
        "psychologist" => &["103"],
        _ => &[""],
    }
}

/// What the registry's entry shows of a statement: a level, and why in words. Registries are public: what a person states
/// and the registry has may be copied from it, so no one is shown to be that person by it, whatever else fits.
fn judge(entry: Option<&Entry>, profession: &str, person: &Person) -> (Option<i64>, &'static str) {
    let Some(entry) = entry else { return (None, "the registry knows no such number") };
    if !entry.active {
        return (None, "the number is deactivated");
    }
    let (name, listed) = (words(&person.name), words(&format!("{} {}", entry.first_name, entry.last_name)));
    if entry.first_name.is_empty() || entry.last_name.is_empty() || !listed.is_subset(&name) {
        return (None, "the registry has another name for this number");
    }
    let codes = taxonomies(profession);
    let mut own = entry
        .licenses
        .iter()
        .filter(|license| codes.iter().any(|code| license.taxonomy.starts_with(code)))
        .peekable();
    if own.peek().is_none() {
        return (None, "the registry has another profession for this number");
    }
    if own.any(|license| letters(&license.number) == letters(&person.license_number)) {
        return (Some(1), "the registry has the same name, profession and license");
    }
    (Some(1), "the registry has the same name and profession, and another license or none")
}

/// The words of a name, spelling apart.
fn words(name: &str) -> BTreeSet<String> {
    name.split(|c: char| c.is_whitespace() || c == '-').map(letters).filter(|word| !word.is_empty()).collect()
}

/// Letters and digits in upper case and without accents, as the registry has them: spelling apart, the same name.
pub(super) fn letters(text: &str) -> String {
    text.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl Clinicians {
    /// Asks the registry about a person's number and records what it said.
    pub(crate) async fn ask_registry(&self, job: &Job) -> Result<(), Error> {
        let Some(registry) = &self.outside.registry else { return Ok(()) };
        let (org, learner) = (job.org, job.subject.as_str());
        let scope = Arc::new(Scope::of_system(SystemActor::Credentials, org));
        let Some(row) = queries::clinician(&self.deps.store.read(&scope).await?, learner).await? else {
            return Ok(());
        };
        let person = self.open(org, &row).await?;
        if person.npi.is_empty() {
            return Ok(());
        }
        let entry = registry.look_up(&person.npi).await?;
        let (mut level, mut detail) = judge(entry.as_ref(), &row.profession, &person);
        // Answers of the registry are public: without a key, the hash of one would tell whose it is.
        let answer = entry.map(|entry| entry.sha256).unwrap_or_default();
        let evidence_sha256 = hex::encode(
            self.deps.keys.hmac(KeyName::of_org(Purpose::BlindIndex, org), answer.as_bytes()).await?,
        );
        let mut tx = self.deps.store.write(&scope).await?;
        let own = self.jobs.finish(&tx, job).await?;
        // The person may have stated something else meanwhile: then the registry is asked again.
        let current = queries::clinician(&tx, learner).await?.ok_or(Error::NotStated)?;
        if !own || current.revision != row.revision {
            return Err(Error::Changed);
        }
        let mut contested = contests::contest(&mut tx, &current, level.unwrap_or_default()).await?;
        if level.is_some() && contests::dispute_over_number(&tx, &current).await? != Dispute::None {
            (level, detail) =
                (None, "someone else states the same number, and the provider is deciding whose it is");
        }
        let check =
            NewCheck { id: None, method: "npi_registry", passed: level.is_some(), detail, evidence_sha256 };
        let check = record(&mut tx, &current, check).await?;
        if let Some(level) = level {
            contested.extend(assert(&mut tx, &row, &person, level, &check).await?);
        }
        self.queue_notices(&mut tx, &contested).await?;
        Ok(tx.commit().await?)
    }

    /// A named member of staff has looked at the board's own record.
    pub(crate) async fn confirm_primary_source(
        &self,
        scope: &Arc<Scope>,
        learner: &str,
        seen: Seen,
    ) -> Result<ClinicianView, Error> {
        let Seen { confirmed, address_only, evidence } = seen;
        let evidence = Sealed::of(&*self.deps.keys, scope.org(), learner, &evidence).await?;
        if learner == scope.subject() {
            return Err(Error::OwnCredentials);
        }
        let row =
            queries::clinician(&self.deps.store.read(scope).await?, learner).await?.ok_or(Error::NotFound)?;
        let person = self.open(scope.org(), &row).await?;
        if row.email_verified_at.is_none() {
            return Err(Error::AddressNotVerified);
        }
        let mut tx = self.deps.store.write(scope).await?;
        // What was looked up is what was stated then.
        if queries::clinician(&tx, learner).await?.is_none_or(|current| current.revision != row.revision) {
            return Err(Error::Changed);
        }
        if confirmed && contests::dispute(&tx, &row).await? == Dispute::Open {
            return Err(Error::Contested);
        }
        let (level, detail) = match (confirmed, address_only) {
            (true, true) => (2, "a primary source has the verified address for the holder of this license"),
            (true, false) => (3, "the board's own record has this license"),
            (false, _) => (0, "the board's own record does not have this license"),
        };
        let (id, evidence_sha256) = (Some(evidence.check.clone()), evidence.keyed_hash.clone());
        let check = record(
            &mut tx,
            &row,
            NewCheck { id, method: "primary_source", passed: confirmed, detail, evidence_sha256 },
        )
        .await?;
        evidence.keep(&tx, &check).await?;
        let contested =
            if confirmed { assert(&mut tx, &row, &person, level, &check).await? } else { Vec::new() };
        self.queue_notices(&mut tx, &contested).await?;
        tx.commit().await?;
        self.view(scope, learner).await
    }

    /// The strongest assertion that held at an instant, or this very one.
    pub(crate) async fn find(
        &self,
        scope: &Arc<Scope>,
        learner: &str,
        at: i64,
        least: i64,
        id: &str,
    ) -> Result<Found, Error> {
        let is_platform = scope.role() == Role::System;
        if learner != scope.subject() && !is_platform && !scope.grants(Capability::ReadAudit) {
            return Err(Error::NotFound);
        }
        let tx = self.deps.store.read(scope).await?;
        let Some(row) = queries::clinician(&tx, learner).await? else {
            return Ok(Found {
                problem: "state your profession, license and address first, and verify the address".into(),
                ..Found::default()
            });
        };
        let of_learner = [learner.to_owned()];
        let all = queries::assertions(&tx, &of_learner).await?;
        let checks = queries::checks(&tx, &of_learner).await?;
        let dispute = contests::dispute(&tx, &row).await?;
        if !id.is_empty() {
            let Some(asserted) = all.into_iter().find(|row| row.id == id) else {
                return Err(Error::NotFound);
            };
            let statement = queries::statement(&tx, learner, asserted.statement).await?;
            let statement =
                statement.ok_or_else(|| Error::Defect("an assertion about no statement".into()))?;
            drop(tx);
            // A name goes to the person and onto their certificate: the one that was stated then.
            let person = if learner == scope.subject() || is_platform {
                Some(
                    Person::unseal(
                        &*self.deps.keys,
                        scope.org(),
                        learner,
                        &statement.wrapped_key,
                        &statement.sealed,
                    )
                    .await?,
                )
            } else {
                None
            };
            return Ok(Found { assertion: Some(asserted), problem: String::new(), checks, person });
        }
        drop(tx);
        let refuted = is_refuted(&row, &checks);
        let standing = standing(&row, all, &checks, dispute);
        let held =
            standing.iter().filter(|row| row.valid_from <= at && at < row.valid_until && row.level >= least);
        let chosen = held.max_by_key(|row| (row.level, row.asserted_at)).cloned();
        let problem = match &chosen {
            Some(_) => String::new(),
            None if refuted => REFUTED.to_owned(),
            None if dispute == Dispute::Lost => contests::LOST.to_owned(),
            None if dispute == Dispute::Open => contests::OPEN.to_owned(),
            None => problem(&row, &standing, at, least),
        };
        Ok(Found { assertion: chosen, problem, checks, person: None })
    }
}

/// Why nothing held.
fn problem(row: &clinician::Model, all: &[assertion::Model], at: i64, least: i64) -> String {
    if row.email_verified_at.is_none() {
        return "verify your address with the code that is sent to it first".to_owned();
    }
    let held =
        all.iter().filter(|row| row.valid_from <= at && at < row.valid_until).map(|row| row.level).max();
    match held {
        Some(level) => format!(
            "your credential is known at level {level}; this credit needs level {least}: add your NPI for level 1; for more, ask the provider to confirm your license at its board"
        ),
        None => "your license was not valid when you completed the quiz; correct its dates if they are wrong"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::License;

    fn entry() -> Entry {
        Entry {
            active: true,
            first_name: "ADA".into(),
            last_name: "O'LOVELACE".into(),
            licenses: vec![License { taxonomy: "207R00000X".into(), number: "MD-12345".into() }],
            sha256: String::new(),
        }
    }

    #[test]
    fn a_registry_proves_what_it_has_and_no_more() {
        let person = Person {
            name: "Ada M. O’Lovelace".into(),
            license_number: "md12345".into(),
            ..Person::default()
        };
        let level = |entry: Option<Entry>, profession: &str| judge(entry.as_ref(), profession, &person).0;
        assert_eq!(level(Some(entry()), "physician"), Some(1), "everything fits, and everything is public");
        assert_eq!(level(Some(entry()), "other"), Some(1));
        assert_eq!(words("Ana Núñez-Ørn"), words("ANA NUNEZ ØRN"));
        let another = vec![License { taxonomy: "207R00000X".into(), number: "MD-1".into() }];
        assert_eq!(level(Some(Entry { licenses: another, ..entry() }), "physician"), Some(1));
        let nurse = vec![License { taxonomy: "163W00000X".into(), number: "MD-12345".into() }];
        assert_eq!(
            level(Some(Entry { licenses: nurse, ..entry() }), "physician"),
            None,
            "a nurse's own number makes no physician"
        );
        assert_eq!(level(Some(Entry { last_name: "BYRON".into(), ..entry() }), "physician"), None);
        assert_eq!(
            level(Some(Entry { first_name: "DA".into(), last_name: "LOVE".into(), ..entry() }), "physician"),
            None,
            "parts of words"
        );
        assert_eq!(level(Some(Entry { active: false, ..entry() }), "physician"), None);
        assert_eq!(level(None, "physician"), None);
    }
}
