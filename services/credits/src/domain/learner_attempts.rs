//! Attempts of everyone at a program's quizzes, for those who read the record: how they went and what came of them. What
//! was answered stays between the learner and the quiz.

use std::collections::{BTreeSet, HashMap, HashSet};

use preceptor_core::{Capability, Timestamp};
use preceptor_proto::credentials::v1 as credentials;
use preceptor_rpc::Call;
use preceptor_store::TenantTx;

use super::{Credits, offers};
use crate::Error;
use crate::error::Missing;
use crate::store::{attempt, attempts, award, awards, offer, offers as offer_rows, result};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    UnderWay,
    Failed,
    Passed,
}

impl State {
    const ALL: [Self; 3] = [Self::UnderWay, Self::Failed, Self::Passed];

    /// As the contract names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::UnderWay => "under_way",
            Self::Failed => "failed",
            Self::Passed => "passed",
        }
    }

    /// The state of that name; none for the empty one.
    fn wanted(name: &str) -> Result<Option<Self>, Error> {
        let known = Self::ALL.into_iter().find(|state| state.name() == name);
        if known.is_none() && !name.is_empty() {
            return Err(Error::field("state", "must be under_way, failed or passed"));
        }
        Ok(known)
    }
}

/// Which attempts are looked for, by the words of the contract; everything where they are empty.
#[derive(Debug)]
pub(crate) struct Sought<'a> {
    pub(crate) program: &'a str,
    pub(crate) state: &'a str,
    pub(crate) offer: &'a str,
    pub(crate) after: &'a str,
}

/// An attempt with what came of it.
#[derive(Debug, Clone)]
pub(crate) struct LearnerAttempt {
    pub(crate) attempt: attempt::Model,
    pub(crate) result: Option<result::Model>,
    pub(crate) form_number: i64,
    /// As the learner stated it; to admins only, as everything that a clinician states.
    pub(crate) name: Option<String>,
    pub(crate) offers: Vec<AttemptedOffer>,
}

/// An offer that an attempt counts for.
#[derive(Debug, Clone)]
pub(crate) struct AttemptedOffer {
    pub(crate) id: String,
    pub(crate) credit_name: String,
    /// The newest award for the attempt under this offer, and whether it was voided.
    pub(crate) award: Option<(award::Model, bool)>,
}

impl LearnerAttempt {
    pub(crate) fn state(&self) -> State {
        match &self.result {
            None => State::UnderWay,
            Some(result) if result.passed => State::Passed,
            Some(_) => State::Failed,
        }
    }

    /// The score, once there is one.
    pub(crate) fn percent(&self) -> Option<i64> {
        self.result.as_ref().map(|result| result.right_answers * 100 / result.items.max(1))
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
    /// Attempts of everyone at a program's quizzes, newest first.
    pub(crate) async fn learner_attempts(
        &self,
        call: &Call,
        sought: &Sought<'_>,
        limit: u64,
    ) -> Result<Vec<LearnerAttempt>, Error> {
        let state = State::wanted(sought.state)?;
        self.program(call, sought.program).await?;
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let offers = offer_rows::of_program(&tx, sought.program).await?;
        let wanted = offers.iter().find(|offer| offer.id == sought.offer);
        if wanted.is_none() && !sought.offer.is_empty() {
            return Err(Error::NotFound(Missing::Offer));
        }
        let rows = attempts::of_program(&tx, sought.program, (state, wanted), sought.after, limit).await?;
        let mut views = views(&tx, rows, &offers).await?;
        drop(tx);
        self.name_learners(call, &mut views).await?;
        Ok(views)
    }

    /// Puts the names of learners into their attempts, for an admin. To everyone else they stay pseudonyms.
    async fn name_learners(&self, call: &Call, views: &mut [LearnerAttempt]) -> Result<(), Error> {
        if views.is_empty() || !call.scope().grants(Capability::Administer) {
            return Ok(());
        }
        let learners: BTreeSet<&String> = views.iter().map(|view| &view.attempt.learner).collect();
        let request = credentials::NameLearnersRequest { learners: learners.into_iter().cloned().collect() };
        let named = self.credentials.clone().name_learners(call.request(request)?).await?.into_inner();
        let names: HashMap<String, String> =
            named.learners.into_iter().map(|named| (named.learner, named.name)).collect();
        for view in views {
            view.name = names.get(&view.attempt.learner).cloned();
        }
        Ok(())
    }
}

/// Attempts with everything that is shown of them but the names.
async fn views(
    tx: &TenantTx,
    rows: Vec<attempt::Model>,
    offers: &[offer::Model],
) -> Result<Vec<LearnerAttempt>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let forms: BTreeSet<String> = rows.iter().map(|row| row.form_id.clone()).collect();
    let forms = attempts::forms(tx, &forms.into_iter().collect::<Vec<_>>()).await?;
    let numbers: HashMap<String, i64> = forms.into_iter().map(|form| (form.id, form.number)).collect();
    let results = attempts::results_of(tx, &ids).await?;
    let mut results: HashMap<String, result::Model> =
        results.into_iter().map(|result| (result.attempt_id.clone(), result)).collect();
    let awarded = Awarded::of(tx, &ids).await?;
    let view = |attempt: attempt::Model| {
        let result = results.remove(&attempt.id);
        let counting = offers.iter().filter(|offer| counts_for(&attempt, result.as_ref(), offer));
        LearnerAttempt {
            offers: counting.map(|offer| awarded.under(&attempt, offer, tx.now())).collect(),
            form_number: numbers.get(&attempt.form_id).copied().unwrap_or_default(),
            name: None,
            result,
            attempt,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// What was awarded for attempts, by attempt and offer, and which of it was voided.
struct Awarded {
    newest: HashMap<(String, String), award::Model>,
    voided: HashSet<String>,
}

impl Awarded {
    async fn of(tx: &TenantTx, attempts: &[String]) -> Result<Self, Error> {
        let rows = awards::of_attempts(tx, attempts).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let voided = awards::voids(tx, &ids).await?.into_iter().map(|void| void.award_id).collect();
        // The last of equals stays.
        let by_place = |row: award::Model| ((row.attempt_id.clone(), row.offer_id.clone()), row);
        Ok(Self { newest: rows.into_iter().map(by_place).collect(), voided })
    }

    fn under(&self, attempt: &attempt::Model, offer: &offer::Model, now: Timestamp) -> AttemptedOffer {
        let award = self.newest.get(&(attempt.id.clone(), offer.id.clone()));
        AttemptedOffer {
            id: offer.id.clone(),
            credit_name: offers::credit_name(offer, now),
            award: award.map(|award| (award.clone(), self.voided.contains(&award.id))),
        }
    }
}
