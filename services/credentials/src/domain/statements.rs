//! Stating who one is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use preceptor_core::id::{CheckId, OrgId};
use preceptor_core::{Capability, Scope};
use preceptor_keys::{KeyName, Purpose};
use preceptor_store::{AuditEntry, TenantTx};
use sha2::{Digest as _, Sha256};

use super::assertions::{self, standing};
use super::contests::{self, Dispute, license_key};
use super::{Clinicians, PROFESSIONS, Person};
use crate::Error;
use crate::store::contests::{self as stored, Part};
use crate::store::{assertion, check, clinician, contest, queries, statement};

/// Learners who are named by one call: as many as the longest page of another service has.
const MOST_NAMED: usize = 200;

/// What is known of a person.
#[derive(Debug, Clone)]
pub(crate) struct ClinicianView {
    pub(crate) row: clinician::Model,
    pub(crate) person: Person,
    pub(crate) checks: Vec<check::Model>,
    /// What was seen, by the number of the check.
    pub(crate) evidence: BTreeMap<String, String>,
    /// The strongest one that holds now.
    pub(crate) assertion: Option<assertion::Model>,
    pub(crate) next_step: &'static str,
}

/// A check about to be recorded.
pub(super) struct NewCheck<'a> {
    /// Its id, where something was sealed under it before.
    pub(super) id: Option<String>,
    pub(super) method: &'static str,
    pub(super) passed: bool,
    pub(super) detail: &'a str,
    pub(super) evidence_sha256: String,
}

/// Records a check, whatever came of it; returns its id.
pub(super) async fn record(
    tx: &mut TenantTx,
    of: &clinician::Model,
    new: NewCheck<'_>,
) -> Result<check::Model, Error> {
    let row = check::Model {
        org_id: tx.org_key(),
        id: new.id.unwrap_or_else(|| CheckId::generate().to_string()),
        learner: of.learner.clone(),
        statement: of.statement,
        method: new.method.to_owned(),
        outcome: if new.passed { "passed" } else { "failed" }.to_owned(),
        detail: new.detail.to_owned(),
        evidence_sha256: new.evidence_sha256,
        actor: tx.scope().subject().to_owned(),
        checked_at: tx.now().micros(),
    };
    tx.insert(row.clone()).await?;
    let entry = AuditEntry::done("credential.checked", &row.learner)
        .fact("check", &row.id)
        .fact("method", &row.method);
    tx.audit(entry.fact("outcome", &row.outcome).fact("evidence_sha256", &row.evidence_sha256))?;
    Ok(row)
}

impl Clinicians {
    /// What a text is found by without being known; empty for an empty one.
    async fn blind_index(&self, org: OrgId, text: &str) -> Result<String, Error> {
        if text.is_empty() {
            return Ok(String::new());
        }
        Ok(hex::encode(
            self.deps.keys.hmac(KeyName::of_org(Purpose::BlindIndex, org), text.as_bytes()).await?,
        ))
    }

    /// Keeps a statement. A new address has to be proved again; of another person or license, everything has to be checked
    /// again.
    pub(crate) async fn state(
        &self,
        scope: &Arc<Scope>,
        profession: &str,
        person: Person,
    ) -> Result<ClinicianView, Error> {
        if !PROFESSIONS.contains(&profession) {
            return Err(Error::field("profession", format!("must be one of {}", PROFESSIONS.join(", "))));
        }
        let (org, learner) = (scope.org(), scope.subject());
        let person = person.checked(profession)?;
        for (field, text) in [("name", &person.name), ("degree", &person.degree)] {
            self.deps.fonts.can_print(text).map_err(|missing| Error::NotPrintable { field, missing })?;
        }
        let known = {
            let tx = self.deps.store.read(scope).await?;
            queries::clinician(&tx, learner).await?
        };
        let before = match &known {
            Some(row) => Some(self.open(org, row).await?),
            None => None,
        };
        let (wrapped_key, sealed) = person.seal(&*self.deps.keys, org, learner).await?;
        let npi_index = self.blind_index(org, &person.npi).await?;
        let license_index = self.blind_index(org, &license_key(&person)).await?;
        let evidence = self.evidence_of(org, profession, &person).await?;

        let mut tx = self.deps.store.write(scope).await?;
        if queries::clinician(&tx, learner).await?.map(|row| row.revision)
            != known.as_ref().map(|row| row.revision)
        {
            return Err(Error::Changed);
        }
        let same_person = before.as_ref().is_some_and(|before| before.is_same(&person))
            && known.as_ref().is_some_and(|row| row.profession == profession);
        let same_address = before.as_ref().is_some_and(|before| before.email == person.email);
        let now = tx.now().micros();
        let row = clinician::Model {
            org_id: tx.org_key(),
            learner: learner.to_owned(),
            profession: profession.to_owned(),
            wrapped_key,
            sealed,
            npi_index,
            email_verified_at: known.as_ref().filter(|_| same_address).and_then(|row| row.email_verified_at),
            statement: known.as_ref().map_or(1, |row| row.statement + i64::from(!same_person)),
            revision: known.as_ref().map_or(1, |row| row.revision + 1),
            created_at: known.as_ref().map_or(now, |row| row.created_at),
            updated_at: now,
            license_index,
        };
        queries::keep(&tx, row.clone(), known.is_some()).await?;
        if !same_person {
            tx.insert(stated_by(&row)).await?;
        }
        let attested = NewCheck {
            id: None,
            method: "attestation",
            passed: true,
            detail: "stated by the person",
            evidence_sha256: evidence,
        };
        let attested = record(&mut tx, &row, attested).await?;
        if !person.npi.is_empty() {
            record(&mut tx, &row, digit_fits(&row)).await?;
        }
        let mut contested = Vec::new();
        if row.email_verified_at.is_some() {
            contested = assertions::assert(&mut tx, &row, &person, 0, &attested).await?;
        }
        self.queue_notices(&mut tx, &contested).await?;
        if row.email_verified_at.is_some() && !row.npi_index.is_empty() {
            self.queue_registry(&mut tx, learner).await?;
        }
        tx.commit().await?;
        self.view(scope, learner).await
    }

    /// A statement as it is on record: a keyed hash, which proves it to the one who has it and says nothing to others.
    async fn evidence_of(&self, org: OrgId, profession: &str, person: &Person) -> Result<String, Error> {
        let stated =
            serde_json::to_vec(&(profession, person)).map_err(|error| Error::Defect(error.to_string()))?;
        let key = KeyName::of_org(Purpose::BlindIndex, org);
        Ok(hex::encode(self.deps.keys.hmac(key, &stated).await?))
    }

    /// What is known of the caller, or of a learner that an admin names. `None` when nothing was stated.
    pub(crate) async fn clinician(
        &self,
        scope: &Arc<Scope>,
        learner: &str,
    ) -> Result<Option<ClinicianView>, Error> {
        let learner = if learner.is_empty() { scope.subject() } else { learner };
        if learner != scope.subject() && !scope.grants(Capability::Administer) {
            return Err(Error::NotFound);
        }
        match self.view(scope, learner).await {
            Ok(view) => Ok(Some(view)),
            Err(Error::NotStated) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Clinicians, for the admin who checks them.
    pub(crate) async fn clinicians(
        &self,
        scope: &Arc<Scope>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ClinicianView>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let rows = queries::clinicians(&tx, after, limit).await?;
        self.views(tx, rows).await
    }

    /// The names that learners stated, each with the pseudonym; nothing of those who stated none.
    pub(crate) async fn names(
        &self,
        scope: &Arc<Scope>,
        learners: &[String],
    ) -> Result<Vec<(String, String)>, Error> {
        if learners.len() > MOST_NAMED {
            return Err(Error::field("learners", format!("must be at most {MOST_NAMED}")));
        }
        let tx = self.deps.store.read(scope).await?;
        let (org, rows) = (tx.org(), queries::clinicians_of(&tx, learners).await?);
        drop(tx);
        let people = self.open_all(org, &rows).await?;
        Ok(rows.into_iter().zip(people).map(|(row, person)| (row.learner, person.name)).collect())
    }

    pub(super) async fn view(&self, scope: &Arc<Scope>, learner: &str) -> Result<ClinicianView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = queries::clinician(&tx, learner).await?.ok_or(Error::NotStated)?;
        self.views(tx, vec![row]).await?.pop().ok_or(Error::NotStated)
    }

    /// People with everything that is known of them.
    async fn views(&self, tx: TenantTx, rows: Vec<clinician::Model>) -> Result<Vec<ClinicianView>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let parts = stored::of_learners(&tx, &learners(&rows)).await?;
        self.views_among(tx, rows, parts).await
    }

    /// The same where it was read before which contests they take part in. The transaction ends before any key is used.
    pub(super) async fn views_among(
        &self,
        tx: TenantTx,
        rows: Vec<clinician::Model>,
        parts: Vec<Part>,
    ) -> Result<Vec<ClinicianView>, Error> {
        let (org, now) = (tx.org(), tx.now().micros());
        let mut files = Files::of(&tx, &learners(&rows), parts).await?;
        let seen = queries::evidence(&tx, &learners(&rows)).await?;
        drop(tx);
        let people = self.open_all(org, &rows).await?;
        let mut evidence = self.evidence(org, seen, &files.checks).await?;
        let views = rows.into_iter().zip(people);
        Ok(views.map(|(row, person)| files.view(row, person, &mut evidence, now)).collect())
    }
}

fn learners(rows: &[clinician::Model]) -> Vec<String> {
    rows.iter().map(|row| row.learner.clone()).collect()
}

/// What is on file of people, by person.
struct Files {
    checks: HashMap<String, Vec<check::Model>>,
    assertions: HashMap<String, Vec<assertion::Model>>,
    contests: HashMap<String, Vec<contest::Model>>,
}

impl Files {
    async fn of(tx: &TenantTx, learners: &[String], parts: Vec<Part>) -> Result<Self, Error> {
        let mut files = Self { checks: HashMap::new(), assertions: HashMap::new(), contests: HashMap::new() };
        for check in queries::checks(tx, learners).await? {
            files.checks.entry(check.learner.clone()).or_default().push(check);
        }
        for assertion in queries::assertions(tx, learners).await? {
            files.assertions.entry(assertion.learner.clone()).or_default().push(assertion);
        }
        for part in parts {
            files.contests.entry(part.learner).or_default().push(part.contest);
        }
        Ok(files)
    }

    /// What is known of a person, which is taken out.
    fn view(
        &mut self,
        row: clinician::Model,
        person: Person,
        evidence: &mut HashMap<String, BTreeMap<String, String>>,
        now: i64,
    ) -> ClinicianView {
        let checks = self.checks.remove(&row.learner).unwrap_or_default();
        let asserted = self.assertions.remove(&row.learner).unwrap_or_default();
        let contests = self.contests.remove(&row.learner).unwrap_or_default();
        let dispute = contests::dispute_among(&contests, &row);
        let standing = standing(&row, asserted, &checks, dispute);
        let held = standing.into_iter().filter(|row| row.valid_from <= now && now < row.valid_until);
        let assertion = held.max_by_key(|row| (row.level, row.asserted_at));
        let next_step = match dispute {
            _ if assertions::is_refuted(&row, &checks) => assertions::REFUTED,
            Dispute::Lost => contests::LOST,
            Dispute::Open => contests::OPEN,
            Dispute::None => next_step(&row, assertion.as_ref()),
        };
        let evidence = evidence.remove(&row.learner).unwrap_or_default();
        ClinicianView { row, person, checks, evidence, assertion, next_step }
    }
}

/// The check of an NPI's last digit, which every statement has passed by the time it is kept.
fn digit_fits(row: &clinician::Model) -> NewCheck<'static> {
    NewCheck {
        id: None,
        method: "npi_check_digit",
        passed: true,
        detail: "the check digit fits",
        evidence_sha256: hex::encode(Sha256::digest(&row.npi_index)),
    }
}

/// The statement of a clinician's row, kept for what is checked of it.
fn stated_by(row: &clinician::Model) -> statement::Model {
    statement::Model {
        org_id: row.org_id.clone(),
        learner: row.learner.clone(),
        number: row.statement,
        wrapped_key: row.wrapped_key.clone(),
        sealed: row.sealed.clone(),
        stated_at: row.updated_at,
    }
}

/// What the person can do next.
fn next_step(row: &clinician::Model, assertion: Option<&assertion::Model>) -> &'static str {
    match assertion {
        _ if row.email_verified_at.is_none() => "verify your address with the code that is sent to it",
        None => "your statement does not hold at the moment: correct the dates of your license",
        Some(held) if held.level >= 3 => "nothing: your license was confirmed at its primary source",
        Some(held) if held.level == 0 && row.npi_index.is_empty() => {
            "add your NPI, so that the registry can confirm it; or ask the provider to confirm your license at its board"
        }
        Some(held) if held.level == 0 => {
            "nothing while the registry is asked about your NPI; it has to match what you stated"
        }
        Some(_) => {
            "nothing for most credits; for those that need it, ask the provider to confirm your license at its board"
        }
    }
}
