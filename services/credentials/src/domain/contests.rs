//! Two people who state the same number or license: at most one of them is that clinician.
//!
//! What registries publish anyone can copy, so anyone who was first is not therefore the owner. As soon as one of two who
//! state the same would be known by more than their own word, the identity is contested: both are known by their word
//! alone until an admin has found out whose it is. Who was not upheld is not known by that statement at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use preceptor_core::id::{ContestId, OrgId};
use preceptor_core::{Scope, SystemActor};
use preceptor_keys::{DataKey, KeyName, Purpose};
use preceptor_mail::MailError;
use preceptor_store::{AuditEntry, TenantTx};
use serde::{Deserialize, Serialize};

use super::assertions::letters;
use super::statements::ClinicianView;
use super::{Clinicians, Person, evidence};
use crate::Error;
use crate::store::{clinician, contest, contest_party, contests, queries};

/// What a contest can be about, as its table has it. The table was made with the British spelling; see [`shown`].
const NPI: &str = "npi";
const LICENSE: &str = "licence";
/// The longest reason and the longest evidence.
const LONGEST: usize = 2000;
/// Words of a board's name that say nothing about which board it is.
const COMMON: [&str; 12] = [
    "THE",
    "OF",
    "FOR",
    "AND",
    "STATE",
    "BOARD",
    "MEDICAL",
    "MEDICINE",
    "NURSING",
    "LICENSING",
    "DEPARTMENT",
    "EXAMINERS",
];

/// What a contest is about, as the API and the audit log name it.
fn shown(about: &str) -> &str {
    if about == LICENSE { "license" } else { about }
}

/// Whether someone else states the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dispute {
    /// No one does, or the person was upheld.
    None,
    /// Someone does, and no one decided yet.
    Open,
    /// Someone did, and the person was not upheld.
    Lost,
}

/// What a person can do about a dispute.
pub(super) const OPEN: &str = "someone else states the same number or license; the provider finds out whose it is, and until then neither can use it";
pub(super) const LOST: &str = "the provider found this number or license to be another person's; correct your statement, or ask the provider";

/// What was decided, as it is sealed: it names people.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grounds {
    pub(crate) reason: String,
    pub(crate) evidence: String,
}

/// A contest with everything an admin needs to decide it.
#[derive(Debug)]
pub(crate) struct ContestView {
    pub(crate) row: contest::Model,
    pub(crate) parties: Vec<ClinicianView>,
    pub(crate) grounds: Grounds,
}

impl ContestView {
    /// What it is about: `npi` or `license`.
    pub(crate) fn about(&self) -> &str {
        shown(&self.row.about)
    }
}

/// A decision to be made.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) contest: String,
    /// Whose it is; no one when empty.
    pub(crate) upheld: String,
    pub(crate) grounds: Grounds,
}

/// What a license is found again by: its board and its number, spelling apart. Empty where none was stated.
pub(super) fn license_key(person: &Person) -> String {
    let number = letters(&person.license_number);
    if number.is_empty() {
        return String::new();
    }
    let words = person.license_board.split(|c: char| !c.is_alphanumeric()).map(letters);
    let board: BTreeSet<String> =
        words.filter(|word| !word.is_empty() && !COMMON.contains(&word.as_str())).collect();
    // What is hashed keeps the spelling of the rows that are there: another one would find none of them again.
    format!("licence {} {number}", board.into_iter().collect::<Vec<_>>().join("-"))
}

/// The numbers and licenses that a person states.
fn identities(row: &clinician::Model) -> impl Iterator<Item = (&'static str, &str)> {
    [(NPI, row.npi_index.as_str()), (LICENSE, row.license_index.as_str())]
        .into_iter()
        .filter(|(_, identity)| !identity.is_empty())
}

/// Whether someone else states the same as this person states now.
pub(super) async fn dispute(tx: &TenantTx, row: &clinician::Model) -> Result<Dispute, Error> {
    Ok(dispute_among(&contests::of_learner(tx, &row.learner).await?, row))
}

/// Whether someone else states the same number of the registry.
pub(super) async fn dispute_over_number(tx: &TenantTx, row: &clinician::Model) -> Result<Dispute, Error> {
    Ok(dispute_in(&contests::of_learner(tx, &row.learner).await?, row, &[NPI]))
}

/// Whether someone else states the same as a person states now, by the contests that the person takes part in.
pub(super) fn dispute_among(contests: &[contest::Model], row: &clinician::Model) -> Dispute {
    dispute_in(contests, row, &[NPI, LICENSE])
}

fn dispute_in(contests: &[contest::Model], row: &clinician::Model, what: &[&str]) -> Dispute {
    let mut found = Dispute::None;
    for contest in contests {
        let mut stated = identities(row).filter(|(about, _)| what.contains(about));
        if !stated.any(|(about, identity)| contest.about == about && contest.identity == identity) {
            continue;
        }
        match &contest.upheld {
            None if contest.decided_at.is_none() => found = Dispute::Open,
            Some(upheld) if *upheld == row.learner => {}
            _ => return Dispute::Lost,
        }
    }
    found
}

/// Whether a person was found not to be whom this number or license belongs to.
async fn has_lost(tx: &TenantTx, learner: &str, about: &str, identity: &str) -> Result<bool, Error> {
    let decided = contests::of_learner(tx, learner).await?;
    Ok(decided.iter().any(|contest| {
        contest.about == about
            && contest.identity == identity
            && contest.decided_at.is_some()
            && contest.upheld.as_deref() != Some(learner)
    }))
}

/// Whether a person is known by more than their own word.
async fn is_known(tx: &TenantTx, row: &clinician::Model) -> Result<bool, Error> {
    let asserted = queries::assertions(tx, std::slice::from_ref(&row.learner)).await?;
    Ok(asserted.iter().any(|asserted| asserted.statement == row.statement && asserted.level > 0))
}

/// Opens a contest about whatever a person states and someone else states too, or has the person join it, when one of
/// them is about to be known by more than their own word. Returns the contests whose parties have to be told.
pub(super) async fn contest(
    tx: &mut TenantTx,
    row: &clinician::Model,
    level: i64,
) -> Result<Vec<String>, Error> {
    let mut told = Vec::new();
    for (about, identity) in identities(row) {
        if has_lost(tx, &row.learner, about, identity).await? {
            continue;
        }
        let mut rivals = Vec::new();
        let mut matters = level > 0;
        for other in contests::others(tx, about, identity, &row.learner).await? {
            if !has_lost(tx, &other.learner, about, identity).await? {
                matters |= is_known(tx, &other).await?;
                rivals.push(other.learner);
            }
        }
        if rivals.is_empty() || !matters {
            continue;
        }
        rivals.push(row.learner.clone());
        told.push(open(tx, about, identity, rivals).await?);
    }
    Ok(told)
}

/// The open contest about an identity, with these people in it.
async fn open(tx: &mut TenantTx, about: &str, identity: &str, people: Vec<String>) -> Result<String, Error> {
    let known = contests::open(tx, about, identity).await?;
    let id = known.as_ref().map_or_else(|| ContestId::generate().to_string(), |known| known.id.clone());
    if known.is_none() {
        let row = contest::Model {
            org_id: tx.org_key(),
            id: id.clone(),
            about: about.to_owned(),
            identity: identity.to_owned(),
            opened_at: tx.now().micros(),
            upheld: None,
            wrapped_key: None,
            sealed: None,
            decided_by: None,
            decided_at: None,
        };
        tx.insert(row).await?;
    }
    let there: BTreeSet<String> =
        contests::parties(tx, &id).await?.into_iter().map(|party| party.learner).collect();
    for learner in people.into_iter().filter(|learner| !there.contains(learner)) {
        let party = contest_party::Model {
            org_id: tx.org_key(),
            contest_id: id.clone(),
            learner: learner.clone(),
            joined_at: tx.now().micros(),
            told_at: None,
        };
        tx.insert(party).await?;
        tx.audit(
            AuditEntry::done("credential.contested", learner)
                .fact("contest", &id)
                .fact("about", shown(about)),
        )?;
    }
    Ok(id)
}

/// Where what was decided is, for the cipher.
fn place(org: OrgId, contest: &str) -> String {
    format!("{org}/credentials_contest/sealed/{contest}")
}

impl Clinicians {
    /// Notifies the parties of a contest by mail, each once. Where there is no mail, their page says it.
    pub(crate) async fn notify_parties(&self, org: OrgId, contest: &str) -> Result<(), Error> {
        let scope = Arc::new(Scope::of_system(SystemActor::Credentials, org));
        let parties = contests::parties(&self.deps.store.read(&scope).await?, contest).await?;
        for party in parties.iter().filter(|party| party.told_at.is_none()) {
            let Some(row) = queries::clinician(&self.deps.store.read(&scope).await?, &party.learner).await?
            else {
                continue;
            };
            let person = self.open(org, &row).await?;
            let text = format!(
                "Someone else has stated the same license or registration number as you for continuing medical education.\n\n\
                 Until your provider has decided whose it is, neither of you can claim credit with it. Your provider may ask you \
                 for evidence. You do not need to do anything now.\n\nReference: {contest}\n"
            );
            let id = format!("{contest}.{}", party.learner);
            match self
                .outside
                .mail
                .send(&id, &person.email, "Someone else has stated your license", text)
                .await
            {
                Ok(()) | Err(MailError::NotSetUp | MailError::Refused) => {}
                Err(error) => return Err(error.into()),
            }
            let tx = self.deps.store.write(&scope).await?;
            contests::is_told(&tx, party).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Contests, for the admin who decides them.
    pub(crate) async fn contests(
        &self,
        scope: &Arc<Scope>,
        after: &str,
        limit: u64,
    ) -> Result<Vec<ContestView>, Error> {
        let tx = self.deps.store.read(scope).await?;
        let rows = contests::list(&tx, after, limit).await?;
        self.contest_views(tx, rows).await
    }

    /// Contests with everything that is known of their parties.
    async fn contest_views(
        &self,
        tx: TenantTx,
        rows: Vec<contest::Model>,
    ) -> Result<Vec<ContestView>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (org, ids) = (tx.org(), rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>());
        let parts = contests::of_parties(&tx, &ids).await?;
        // In the order of the parties.
        let mut parties: HashMap<String, Vec<String>> = HashMap::new();
        for part in &parts {
            parties.entry(part.contest.id.clone()).or_default().push(part.learner.clone());
        }
        let people: BTreeSet<&String> = parts.iter().map(|part| &part.learner).collect();
        let people: Vec<String> = people.into_iter().cloned().collect();
        let stated = queries::clinicians_of(&tx, &people).await?;
        let known: HashMap<String, ClinicianView> = self
            .views_among(tx, stated, parts)
            .await?
            .into_iter()
            .map(|view| (view.row.learner.clone(), view))
            .collect();
        let mut grounds = self.grounds(org, &rows).await?;
        let view = |row: contest::Model| {
            let of_contest = parties.remove(&row.id).unwrap_or_default();
            let parties = of_contest.iter().map(|party| known.get(party).cloned().ok_or(Error::NotStated));
            Ok(ContestView {
                parties: parties.collect::<Result<_, _>>()?,
                grounds: grounds.remove(&row.id).unwrap_or_default(),
                row,
            })
        };
        rows.into_iter().map(view).collect()
    }

    /// Why contests were decided as they were, by contest; nothing for those that are open.
    async fn grounds(&self, org: OrgId, rows: &[contest::Model]) -> Result<HashMap<String, Grounds>, Error> {
        let sealed =
            |row: &contest::Model| Some((row.id.clone(), row.wrapped_key.clone()?, row.sealed.clone()?));
        let decided: Vec<_> = rows.iter().filter_map(sealed).collect();
        let stored: Vec<(&str, &[u8])> =
            decided.iter().map(|(id, wrapped, _)| (id.as_str(), wrapped.as_slice())).collect();
        let keys = DataKey::open_all(&*self.deps.keys, org, &stored).await?;
        let opened = |(key, (id, _, sealed)): (DataKey, &(String, Vec<u8>, Vec<u8>))| {
            let text = key.unseal(&place(org, id), sealed)?;
            let grounds = serde_json::from_slice(&text).map_err(|error| Error::Defect(error.to_string()))?;
            Ok((id.clone(), grounds))
        };
        keys.into_iter().zip(&decided).map(opened).collect()
    }

    /// Decides whose a number or license is, with the reason and what was seen. Deciding again mends a mistake.
    pub(crate) async fn decide_contest(
        &self,
        scope: &Arc<Scope>,
        decision: Decision,
    ) -> Result<ContestView, Error> {
        let grounds = Grounds {
            reason: evidence::checked("reason", &decision.grounds.reason, LONGEST)?,
            evidence: evidence::checked("evidence", &decision.grounds.evidence, LONGEST)?,
        };
        let org = scope.org();
        let content = serde_json::to_vec(&grounds).map_err(|error| Error::Defect(error.to_string()))?;
        let (key, wrapped_key) = DataKey::make(&*self.deps.keys, org, &decision.contest).await?;
        let sealed = key.seal(&place(org, &decision.contest), &content)?;
        let on_record =
            hex::encode(self.deps.keys.hmac(KeyName::of_org(Purpose::BlindIndex, org), &content).await?);
        let upheld = (!decision.upheld.is_empty()).then_some(decision.upheld);

        let mut tx = self.deps.store.write(scope).await?;
        contests::get(&tx, &decision.contest).await?.ok_or(Error::NoContest)?;
        let parties = contests::parties(&tx, &decision.contest).await?;
        if parties.iter().any(|party| party.learner == scope.subject()) {
            return Err(Error::field("upheld", "you cannot decide about your own identity"));
        }
        if upheld.as_ref().is_some_and(|upheld| !parties.iter().any(|party| party.learner == *upheld)) {
            return Err(Error::field(
                "upheld",
                "must be one of the parties; leave it out if it belongs to none of them",
            ));
        }
        let made = contests::Decision { upheld: upheld.clone(), wrapped_key, sealed };
        contests::decide(&tx, &decision.contest, made).await?;
        let entry = AuditEntry::done("credential.contest_decided", &decision.contest)
            .fact("evidence_hmac", on_record);
        tx.audit(entry.fact("upheld", upheld.as_deref().unwrap_or("nobody")))?;
        // What the registry says of them counts from now on.
        if let Some(upheld) = &upheld {
            self.queue_registry(&mut tx, upheld).await?;
        }
        tx.commit().await?;
        let tx = self.deps.store.read(scope).await?;
        let row = contests::get(&tx, &decision.contest).await?.ok_or(Error::NoContest)?;
        self.contest_views(tx, vec![row]).await?.pop().ok_or(Error::NoContest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_license_is_the_same_however_it_is_spelled() {
        let of = |board: &str, number: &str| {
            license_key(&Person {
                license_board: board.into(),
                license_number: number.into(),
                ..Person::default()
            })
        };
        let known = of("Medical Board of California", "MD12345");
        for same in [
            of("California Medical Board", "md 123-45"),
            of("  the medical board, of CALIFORNIA ", "MD.12345"),
        ] {
            assert_eq!(same, known);
        }
        for other in [
            of("Texas Medical Board", "MD12345"),
            of("Medical Board of California", "MD12346"),
            of("Medical Board of California", ""),
        ] {
            assert_ne!(other, known);
        }
    }
}
