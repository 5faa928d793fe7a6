//! Claims, voids, transcripts: link 9.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use preceptor_core::id::CreditId;
use preceptor_core::{Capability, Scope};
use preceptor_proto::credentials::v1 as credentials;
use preceptor_proto::events::v1::CreditAwarded;
use preceptor_rpc::Call;
use preceptor_runtime::pause;
use preceptor_store::{AuditEntry, TenantTx};

use super::accreditations::AccreditationView;
use super::rules::PROFESSIONS;
use super::surveillance::annotate_new;
use super::{Credits, Link, offers, program_id, seals, sees_record};
use crate::Error;
use crate::error::Missing;
use crate::store::awards::Stored;
use crate::store::{
    accreditation, annotation, attempts, award, awards, certificate, certificates, evaluation, ledger, offer,
    offers as offer_rows, recognition, result,
};

/// A race for the same entry is lost at most this often before it is reported.
const TRIES: usize = 3;

/// A credit with what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct CreditView {
    pub(crate) award: award::Model,
    pub(crate) offer: offer::Model,
    pub(crate) credit_name: String,
    /// The accreditation that the offer was made under.
    pub(crate) accreditation: accreditation::Model,
    pub(crate) void: Option<ledger::Model>,
    pub(crate) annotations: Vec<annotation::Model>,
    pub(crate) certificate: Option<certificate::Model>,
    /// Whether it is the caller's own: only they learn the certificate's code, since anyone who has that can see the name.
    pub(crate) is_own: bool,
    pub(crate) certificate_ready: bool,
    /// Whether this request made it.
    pub(crate) fresh: bool,
}

/// What a claim rests on, apart from the learner's credential.
struct Basis {
    result: result::Model,
    offer: offer::Model,
    recognitions: Vec<recognition::Model>,
    evaluation: Option<evaluation::Model>,
    /// The end of the ledger.
    newest: Option<ledger::Model>,
    accreditation: AccreditationView,
}

/// A claim whose credit may exist already.
enum Found {
    Known(Box<CreditView>),
    Basis(Box<Basis>),
}

/// A claim that is ready to be granted.
struct Claim {
    basis: Basis,
    assertion: credentials::Assertion,
    quarters: i64,
}

impl Credits {
    /// Claims a credit for a passed attempt. A claim that was granted before is answered with the same credit.
    pub(crate) async fn claim(
        &self,
        call: &Call,
        attempt: &str,
        offer: &str,
        quarters: i64,
    ) -> Result<CreditView, Error> {
        pause::at("claim.begun", call.scope().org()).await;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.claim_once(call, attempt, offer, quarters).await {
                // Someone was faster: the next round finds their award.
                Err(Error::Link(Link::OneLive)) if tries < TRIES => {}
                done => return done,
            }
        }
    }

    async fn claim_once(
        &self,
        call: &Call,
        attempt: &str,
        offer: &str,
        quarters: i64,
    ) -> Result<CreditView, Error> {
        let scope = call.shared_scope();
        let basis = match self.basis(&scope, attempt, offer, quarters).await? {
            Found::Known(credit) => return Ok(*credit),
            Found::Basis(basis) => *basis,
        };
        // Registries and people need time: who is not verified yet is told so before anything is written.
        let assertion = self.assertion(call, &basis.result, basis.offer.minimum_level).await?;
        pause::at("claim.credential", scope.org()).await;
        self.grant(&scope, Claim { basis, assertion, quarters }).await
    }

    /// Reads all that a claim rests on before anyone has to wait for its turn. Whether it still holds when the award is
    /// written is for the database to say.
    async fn basis(
        &self,
        scope: &Arc<Scope>,
        attempt: &str,
        offer: &str,
        quarters: i64,
    ) -> Result<Found, Error> {
        let tx = self.deps.store.read(scope).await?;
        let own = attempts::get(&tx, attempt).await?.filter(|attempt| attempt.learner == scope.subject());
        let own = own.ok_or(Error::NotFound(Missing::Attempt))?;
        super::check_reach(scope, &own.program_id).map_err(|_| Error::NotFound(Missing::Attempt))?;
        let offer = offer_rows::get(&tx, offer).await?.filter(|offer| offer.program_id == own.program_id);
        let offer = offer.ok_or(Error::NotFound(Missing::Offer))?;
        if offer.policy_id != own.policy_id {
            return Err(Error::OtherSources(offer.policy_id));
        }
        // What is no amount of this offer is refused whatever was claimed before.
        if !(1..=offer.designated_quarters).contains(&quarters) {
            return Err(Error::Link(Link::Amount));
        }
        let newest = awards::newest_entry(&tx, &own.learner, &offer.program_id, &offer.credit_type).await?;
        let claimed = Claimed { attempt, offer: &offer, quarters };
        if let Some(known) = self.granted_before(&tx, &claimed, newest.as_ref()).await? {
            return Ok(Found::Known(Box::new(known)));
        }
        Ok(Found::Basis(Box::new(Basis {
            result: self.sealed_result(&tx, attempt).await?.ok_or(Error::Link(Link::Attempt))?,
            recognitions: offer_rows::recognitions(&tx, &offer.id).await?,
            evaluation: attempts::evaluation(&tx, &offer.program_id, &own.learner).await?,
            accreditation: offers::accreditation_of(&tx, &offer).await?.not_rejected()?,
            offer,
            newest,
        })))
    }

    async fn assertion(
        &self,
        call: &Call,
        result: &result::Model,
        level: i64,
    ) -> Result<credentials::Assertion, Error> {
        let request = credentials::FindAssertionRequest {
            learner: result.learner.clone(),
            at: result.completed_at,
            minimum_level: level as i32,
            assertion_id: String::new(),
        };
        let found = self.credentials.clone().find_assertion(call.request(request)?).await?.into_inner();
        found.assertion.ok_or(Error::Credential(found.problem))
    }

    async fn grant(&self, scope: &Arc<Scope>, claim: Claim) -> Result<CreditView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        pause::at("claim.locked", tx.org()).await;
        let entry = ledger_entry(&tx, &claim);
        let row = award_row(&tx, &entry, &claim);
        tx.insert(entry).await?;
        pause::at("claim.ledger", tx.org()).await;
        tx.insert(row.clone()).await?;
        self.seal_award(&tx, &row).await?;
        pause::at("claim.award", tx.org()).await;
        let annotations = annotate_new(&mut tx, &row).await?;
        record_award(&mut tx, &row, &claim)?;
        self.queue_certificate(&mut tx).await?;
        pause::at("claim.recorded", tx.org()).await;
        let made = CreditView {
            credit_name: offers::credit_name(&claim.basis.offer, tx.now()),
            offer: claim.basis.offer,
            accreditation: claim.basis.accreditation.row,
            void: None,
            annotations,
            certificate: None,
            is_own: true,
            certificate_ready: false,
            award: row,
            fresh: true,
        };
        tx.commit().await?;
        pause::at("claim.committed", scope.org()).await;
        Ok(made)
    }

    pub(crate) async fn credit(&self, scope: &Arc<Scope>, id: &str) -> Result<CreditView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = self.visible(&tx, scope, id).await?;
        view(&tx, row).await
    }

    /// A credit that the subject may see, as it was awarded.
    pub(super) async fn visible(
        &self,
        tx: &TenantTx,
        scope: &Scope,
        id: &str,
    ) -> Result<award::Model, Error> {
        self.intact_award(tx.org(), visible(tx, scope, id).await?).await
    }

    /// A learner's own transcript, or everyone's for those who read the record; newest first. What was changed by hand is
    /// left out, with an alarm, and others come in its place.
    pub(crate) async fn credits(
        &self,
        scope: &Arc<Scope>,
        own: bool,
        program: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<CreditView>, Error> {
        let whose = if scope.grants(Capability::ReadAudit) && !own { None } else { Some(scope.subject()) };
        let bound = scope.program().map(|program| program.to_string());
        let program = if program.is_empty() { bound.as_deref().unwrap_or_default() } else { program };
        if !program.is_empty() {
            super::check_reach(scope, program)?;
        }
        let tx = self.deps.store.read(scope).await?;
        let mut intact: Vec<award::Model> = Vec::new();
        let mut after = after.to_owned();
        loop {
            let wanted = limit.saturating_sub(intact.len() as u64);
            let rows = awards::list(&tx, whose, program, &after, wanted).await?;
            let is_last = (rows.len() as u64) < wanted;
            if let Some(last) = rows.last() {
                after.clone_from(&last.award.id);
            }
            intact.extend(seals::awards::intact(&*self.deps.keys, tx.org(), rows).await?);
            if is_last || intact.len() as u64 >= limit {
                return views(&tx, intact).await;
            }
        }
    }

    /// Ends a credit, by a new entry that says why. One that was changed by hand can be ended too: after that the learner
    /// claims what they earned.
    pub(crate) async fn void(&self, scope: &Arc<Scope>, id: &str, reason: &str) -> Result<CreditView, Error> {
        let reason = super::bounded("reason", reason, 2000)?;
        let mut tx = self.deps.store.write(scope).await?;
        let row = visible(&tx, scope, id).await?.award;
        let newest = awards::newest_entry(&tx, &row.learner, &row.program_id, &row.credit_type).await?;
        let Some(newest) = newest.filter(|entry| entry.kind == "award" && entry.award_id == id) else {
            return Err(Error::Void);
        };
        let entry = ledger::Model {
            kind: "void".to_owned(),
            entry: newest.entry + 1,
            previous: Some(newest.entry),
            previous_award_id: Some(newest.award_id.clone()),
            actor: scope.subject().to_owned(),
            reason: reason.clone(),
            entered_at: tx.now().micros(),
            ..newest
        };
        tx.insert(entry).await?;
        tx.audit(
            AuditEntry::done("credit.voided", id).in_program(program_id(&row.program_id)?).because(reason),
        )?;
        let voided = view(&tx, row).await?;
        tx.commit().await?;
        Ok(voided)
    }
}

/// What is claimed: equal claims are one claim.
struct Claimed<'a> {
    attempt: &'a str,
    offer: &'a offer::Model,
    quarters: i64,
}

impl Credits {
    /// The credit that an equal claim got earlier. Another live credit of the type is an error, and so is another amount.
    async fn granted_before(
        &self,
        tx: &TenantTx,
        claimed: &Claimed<'_>,
        newest: Option<&ledger::Model>,
    ) -> Result<Option<CreditView>, Error> {
        let Claimed { attempt, offer, quarters } = claimed;
        let Some(entry) = newest.filter(|entry| entry.kind == "award") else { return Ok(None) };
        let Some(live) = awards::get(tx, &entry.award_id).await? else { return Ok(None) };
        let live = self.intact_award(tx.org(), live).await?;
        if live.attempt_id == *attempt && live.offer_id == offer.id && live.quarters == *quarters {
            return Ok(Some(view(tx, live).await?));
        }
        Err(Error::CreditExists(live.id))
    }
}

/// A credit that the subject may see, as it is stored; another's looks like none.
async fn visible(tx: &TenantTx, scope: &Scope, id: &str) -> Result<Stored, Error> {
    let row = awards::get(tx, id)
        .await?
        .filter(|row| sees_record(scope, &row.award.learner))
        .ok_or(Error::NotFound(Missing::Credit))?;
    super::check_reach(scope, &row.award.program_id).map_err(|_| Error::NotFound(Missing::Credit))?;
    Ok(row)
}

/// Everything that is shown of a credit.
pub(super) async fn view(tx: &TenantTx, award: award::Model) -> Result<CreditView, Error> {
    let view = views(tx, vec![award]).await?.pop();
    view.ok_or_else(|| Error::Defect("a credit without its view".into()))
}

/// Credits with everything that is shown of them.
async fn views(tx: &TenantTx, rows: Vec<award::Model>) -> Result<Vec<CreditView>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let terms = Terms::of(tx, &rows).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let mut voids: HashMap<String, ledger::Model> =
        awards::voids(tx, &ids).await?.into_iter().map(|void| (void.award_id.clone(), void)).collect();
    let mut annotations: HashMap<String, Vec<annotation::Model>> = HashMap::new();
    for note in awards::annotations(tx, &ids).await? {
        annotations.entry(note.award_id.clone()).or_default().push(note);
    }
    let signed = certificates::of_awards(tx, &ids).await?.into_iter();
    let mut signed: HashMap<String, certificates::Signed> =
        signed.map(|signed| (signed.certificate.award_id.clone(), signed)).collect();
    let view = |award: award::Model| {
        let (offer, accreditation) = terms.of_award(&award)?;
        let signed = signed.remove(&award.id);
        Ok(CreditView {
            credit_name: offers::credit_name(offer, tx.now()),
            offer: offer.clone(),
            accreditation: accreditation.clone(),
            void: voids.remove(&award.id),
            annotations: annotations.remove(&award.id).unwrap_or_default(),
            certificate_ready: signed.as_ref().is_some_and(|signed| signed.is_printed),
            certificate: signed.map(|signed| signed.certificate),
            is_own: award.learner == tx.scope().subject(),
            award,
            fresh: false,
        })
    };
    rows.into_iter().map(view).collect()
}

/// What awards were made under.
struct Terms {
    offers: HashMap<String, offer::Model>,
    accreditations: HashMap<String, accreditation::Model>,
}

impl Terms {
    async fn of(tx: &TenantTx, awards: &[award::Model]) -> Result<Self, Error> {
        let ids: BTreeSet<String> = awards.iter().map(|award| award.offer_id.clone()).collect();
        let offers = offer_rows::of_ids(tx, ids.into_iter().collect()).await?;
        let ids: BTreeSet<String> = offers.iter().map(|offer| offer.accreditation_id.clone()).collect();
        let accreditations = offer_rows::accreditations_of(tx, ids.into_iter().collect()).await?;
        Ok(Self {
            offers: offers.into_iter().map(|row| (row.id.clone(), row)).collect(),
            accreditations: accreditations.into_iter().map(|row| (row.id.clone(), row)).collect(),
        })
    }

    fn of_award(&self, award: &award::Model) -> Result<(&offer::Model, &accreditation::Model), Error> {
        let offer = self.offers.get(&award.offer_id);
        let offer = offer.ok_or_else(|| Error::Defect("an award without its offer".into()))?;
        let accreditation = self.accreditations.get(&offer.accreditation_id);
        Ok((offer, accreditation.ok_or_else(offers::without_accreditation)?))
    }
}

/// The entry behind the newest one that was read: when there is another by now, the database refuses it.
fn ledger_entry(tx: &TenantTx, claim: &Claim) -> ledger::Model {
    let Basis { result, offer, newest, .. } = &claim.basis;
    ledger::Model {
        org_id: tx.org_key(),
        learner: result.learner.clone(),
        program_id: offer.program_id.clone(),
        credit_type: offer.credit_type.clone(),
        entry: newest.as_ref().map_or(1, |newest| newest.entry + 1),
        kind: "award".to_owned(),
        award_id: CreditId::generate().to_string(),
        previous: newest.as_ref().map(|newest| newest.entry),
        previous_award_id: newest.as_ref().map(|newest| newest.award_id.clone()),
        actor: tx.scope().subject().to_owned(),
        reason: String::new(),
        entered_at: tx.now().micros(),
    }
}

/// The row of a claim, with every fact that the chain relies on. Whether they hold is for the database to say.
fn award_row(tx: &TenantTx, entry: &ledger::Model, claim: &Claim) -> award::Model {
    let Claim {
        basis: Basis { result, offer, recognitions, evaluation, accreditation, .. },
        assertion,
        quarters,
    } = claim;
    let confirmation = accreditation.confirmation();
    let profession =
        PROFESSIONS.get((assertion.profession - 1).max(0) as usize).copied().unwrap_or_default().to_owned();
    let recognition = recognitions.iter().find(|row| row.profession == profession);
    award::Model {
        org_id: tx.org_key(),
        id: entry.award_id.clone(),
        learner: result.learner.clone(),
        program_id: offer.program_id.clone(),
        credit_type: offer.credit_type.clone(),
        entry: entry.entry,
        entry_kind: entry.kind.clone(),
        offer_id: offer.id.clone(),
        policy_id: offer.policy_id.clone(),
        designated_quarters: offer.designated_quarters,
        opens_at: offer.opens_at,
        terminates_at: offer.terminates_at,
        evaluation_required: offer.evaluation_required,
        minimum_level: offer.minimum_level,
        accreditation_from: offer.accreditation_from,
        accreditation_until: offer.accreditation_until,
        attempt_id: result.attempt_id.clone(),
        form_id: result.form_id.clone(),
        content_verified_at: result.content_verified_at,
        started_at: result.started_at,
        quiz_completed_at: result.completed_at,
        passed: result.passed,
        evaluation_id: evaluation.as_ref().map(|evaluation| evaluation.id.clone()),
        assertion_id: assertion.id.clone(),
        recognition: recognition.map(|row| row.recognition.clone()).unwrap_or_default(),
        profession,
        level: i64::from(assertion.level),
        valid_from: assertion.valid_from,
        valid_until: assertion.valid_until,
        quarters: *quarters,
        issued_at: tx.now().micros().max(result.completed_at),
        accreditation_decision: confirmation.map(|decision| decision.id.clone()),
        accreditation_confirmed: confirmation.is_some(),
    }
}

fn record_award(tx: &mut TenantTx, row: &award::Model, claim: &Claim) -> Result<(), Error> {
    let entry = AuditEntry::done("credit.awarded", &row.id).in_program(program_id(&row.program_id)?);
    let entry = entry
        .fact("credit_type", &row.credit_type)
        .fact("quarters", row.quarters)
        .fact("recognition", &row.recognition);
    let entry =
        entry.fact("attempt", &row.attempt_id).fact("form", &row.form_id).fact("offer", &row.offer_id);
    let entry = entry
        .fact("assertion", &row.assertion_id)
        .fact("level", row.level)
        .fact("right", claim.basis.result.right_answers);
    let entry = entry.fact("accreditation_confirmed", row.accreditation_confirmed);
    let entry = entry
        .fact("quiz_completed_at", row.quiz_completed_at)
        .fact("content_verified_at", row.content_verified_at);
    tx.audit(entry)?;
    let event = CreditAwarded { credit_id: row.id.clone(), program_id: row.program_id.clone() };
    tx.emit("credit.awarded", &event)?;
    Ok(())
}
