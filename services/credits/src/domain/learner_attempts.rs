//! Attempts of everyone at a program's quizzes, for those who read the record: how they went and what came of them. What
//! was answered stays between the learner and the quiz.
//!
//! Nothing is decided by what is shown here, so that a row is the contract's message from the beginning.

use std::collections::{BTreeSet, HashMap, HashSet};

use preceptor_core::{Capability, Timestamp};
use preceptor_keys::Keys;
use preceptor_proto::credentials::v1 as credentials;
use preceptor_proto::credits::v1 as proto;
use preceptor_rpc::Call;
use preceptor_store::TenantTx;

use super::words::states;
use super::{Credits, offers, seals};
use crate::Error;
use crate::error::Missing;
use crate::store::{attempt, attempts, award, awards, offer, offers as offer_rows, result};

states! {
    /// Where an attempt stands.
    State { UnderWay = "under_way", Failed = "failed", Passed = "passed" }
}

impl State {
    fn of(result: Option<&result::Model>) -> Self {
        match result {
            None => Self::UnderWay,
            Some(result) if result.passed => Self::Passed,
            Some(_) => Self::Failed,
        }
    }
}

/// Whether an attempt counts for an offer: it is about the sources that the offer counts, was begun before the offer ended,
/// and was not submitted outside of its time. The filter by offer asks the database the same.
fn counts_for(attempt: &attempt::Model, result: Option<&result::Model>, offer: &offer::Model) -> bool {
    let is_open = |at: i64| (offer.opens_at..=offer.terminates_at).contains(&at);
    offer.program_id == attempt.program_id
        && offer.policy_id == attempt.policy_id
        && attempt.started_at <= offer.terminates_at
        && result.is_none_or(|result| is_open(result.completed_at))
}

impl Credits {
    /// At most `limit` of the attempts that are asked for, newest first. Names are shown to admins only, as everything that
    /// a clinician states.
    pub(crate) async fn learner_attempts(
        &self,
        call: &Call,
        asked: &proto::ListLearnerAttemptsRequest,
        limit: u64,
    ) -> Result<Vec<proto::LearnerAttempt>, Error> {
        let state = State::chosen(&asked.state)?;
        self.program(call, &asked.program_id).await?;
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let offers = offer_rows::of_program(&tx, &asked.program_id).await?;
        let wanted = offers.iter().find(|offer| offer.id == asked.offer_id);
        if wanted.is_none() && !asked.offer_id.is_empty() {
            return Err(Error::NotFound(Missing::Offer));
        }
        let rows = attempts::of_program(&tx, &asked.program_id, (state, wanted), &asked.after, limit).await?;
        let awarded = Awarded::of(&*self.deps.keys, &tx, &rows).await?;
        let mut views = views(&tx, rows, &offers, &awarded).await?;
        drop(tx);
        self.name_learners(call, &mut views).await?;
        Ok(views)
    }

    /// Puts the names of learners into their attempts, for an admin. To everyone else they stay pseudonyms.
    async fn name_learners(&self, call: &Call, views: &mut [proto::LearnerAttempt]) -> Result<(), Error> {
        if views.is_empty() || !call.scope().grants(Capability::Administer) {
            return Ok(());
        }
        let learners: BTreeSet<String> = views.iter().map(|view| view.learner.clone()).collect();
        let request = credentials::NameLearnersRequest { learners: learners.into_iter().collect() };
        let named = self.credentials.clone().name_learners(call.request(request)?).await?.into_inner();
        let names: HashMap<String, String> =
            named.learners.into_iter().map(|named| (named.learner, named.name)).collect();
        for view in views {
            view.name = names.get(&view.learner).cloned();
        }
        Ok(())
    }
}

/// Attempts with everything that is shown of them but the names.
async fn views(
    tx: &TenantTx,
    rows: Vec<attempt::Model>,
    offers: &[offer::Model],
    awarded: &Awarded,
) -> Result<Vec<proto::LearnerAttempt>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let forms: BTreeSet<String> = rows.iter().map(|row| row.form_id.clone()).collect();
    let forms = attempts::forms(tx, &forms.into_iter().collect::<Vec<_>>()).await?;
    let numbers: HashMap<String, i64> = forms.into_iter().map(|form| (form.id, form.number)).collect();
    let results = attempts::results_of(tx, &ids).await?;
    let results: HashMap<&str, &result::Model> =
        results.iter().map(|result| (result.attempt_id.as_str(), result)).collect();
    let view = |row: attempt::Model| {
        let result = results.get(row.id.as_str()).copied();
        let counting = offers.iter().filter(|offer| counts_for(&row, result, offer));
        proto::LearnerAttempt {
            offers: counting.map(|offer| awarded.under(&row, offer, tx.now())).collect(),
            state: State::of(result).name().to_owned(),
            submitted_at: result.map(|result| result.completed_at).unwrap_or_default(),
            right_answers: result.map(|result| result.right_answers),
            percent: result.map(|result| result.right_answers * 100 / result.items.max(1)),
            form_number: numbers.get(&row.form_id).copied().unwrap_or_default(),
            name: None,
            id: row.id,
            learner: row.learner,
            form_id: row.form_id,
            number: row.number,
            started_at: row.started_at,
            items: row.items,
            threshold_percent: row.threshold,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// What was awarded for attempts, the newest by attempt and offer, and which of it was voided. What was changed by hand was
/// not awarded.
#[derive(Debug, Default)]
struct Awarded {
    newest: HashMap<(String, String), award::Model>,
    voided: HashSet<String>,
}

impl Awarded {
    async fn of(keys: &dyn Keys, tx: &TenantTx, attempts: &[attempt::Model]) -> Result<Self, Error> {
        if attempts.is_empty() {
            return Ok(Self::default());
        }
        let attempts: Vec<String> = attempts.iter().map(|attempt| attempt.id.clone()).collect();
        let rows = seals::awards::intact(keys, tx.org(), awards::of_attempts(tx, &attempts).await?).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let voided = awards::voids(tx, &ids).await?.into_iter().map(|void| void.award_id).collect();
        // Of several of one place the last stays.
        let by_place = |row: award::Model| ((row.attempt_id.clone(), row.offer_id.clone()), row);
        Ok(Self { newest: rows.into_iter().map(by_place).collect(), voided })
    }

    fn under(&self, attempt: &attempt::Model, offer: &offer::Model, now: Timestamp) -> proto::AttemptedOffer {
        let award = self.newest.get(&(attempt.id.clone(), offer.id.clone()));
        let state = |award: &award::Model| if self.voided.contains(&award.id) { "voided" } else { "live" };
        proto::AttemptedOffer {
            offer_id: offer.id.clone(),
            credit_name: offers::credit_name(offer, now),
            credit_id: award.map(|award| award.id.clone()),
            credit_state: award.map(|award| state(award).to_owned()),
        }
    }
}
