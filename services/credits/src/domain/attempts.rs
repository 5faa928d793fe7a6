//! Attempts: link 6. Progress is kept here, scoring is done by the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use preceptor_core::Scope;
use preceptor_core::id::AttemptId;
use preceptor_rpc::Call;
use preceptor_runtime::pause;
use preceptor_store::{AuditEntry, TenantTx};

use super::questions::Printed;
use super::taking::{self, Act};
use super::{Credits, forms, program_id, seals};
use crate::Error;
use crate::error::Missing;
use crate::store::{answer, attempt, attempts, result};

/// An attempt with what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct AttemptView {
    pub(crate) attempt: attempt::Model,
    pub(crate) printed: Arc<Printed>,
    /// By position of the form: the chosen option of the item's own list.
    pub(crate) chosen: BTreeMap<i64, i64>,
    pub(crate) result: Option<result::Model>,
    pub(crate) evaluation_given: bool,
    pub(crate) feedback: Feedback,
    /// The source versions that lost their standing: nothing of them is quoted any more.
    pub(crate) suspended: Arc<BTreeSet<String>>,
}

/// Whether a learner is told which of their answers were right. While they may try again, the answer would be the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feedback {
    /// Not before they passed or used up their attempts.
    Later,
    /// When they ask for it: their attempts are used up. Who asks takes no other quiz of the program.
    OnRequest,
    /// Yes.
    Shown,
}

impl Feedback {
    fn of(attempt: &attempt::Model, result: Option<&result::Model>, key_seen: bool) -> Self {
        match result {
            Some(result) if result.passed => Self::Shown,
            Some(_) if is_last(attempt) => {
                if key_seen {
                    Self::Shown
                } else {
                    Self::OnRequest
                }
            }
            _ => Self::Later,
        }
    }

    /// As the contract names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::OnRequest => "on_request",
            Self::Shown => "shown",
        }
    }
}

impl Credits {
    /// Begins an attempt at the form whose terms the learner was shown, or goes on with the one that is under way.
    pub(crate) async fn start_attempt(
        &self,
        call: &Call,
        program: &str,
        shown: &str,
    ) -> Result<AttemptView, Error> {
        self.program(call, program).await?;
        let scope = call.shared_scope();
        let mut tx = self.deps.store.write(&scope).await?;
        let open = attempts::open_form_of(&tx, program).await?.ok_or(Error::NotFound(Missing::Quiz))?;
        if open != shown {
            let message = "another quiz was opened since; read its rules, then begin".to_owned();
            return Err(Error::QuizClosed { code: "QUIZ_CHANGED", message });
        }
        let printed = self.printed(&tx, &open).await?;
        if let Some(under_way) = attempts::under_way(&tx, &open, scope.subject()).await? {
            return self.attempt_view(&tx, under_way).await;
        }
        if let Some((code, message)) = forms::closed(&tx, &printed, &scope).await? {
            return Err(Error::QuizClosed { code, message });
        }
        let form = &printed.form;
        let row = attempt::Model {
            org_id: tx.org_key(),
            id: AttemptId::generate().to_string(),
            form_id: form.id.clone(),
            program_id: form.program_id.clone(),
            policy_id: form.policy_id.clone(),
            threshold: form.threshold,
            items: form.items,
            most_attempts: form.most_attempts,
            content_verified_at: form.content_verified_at,
            frozen_at: form.frozen_at,
            learner: scope.subject().to_owned(),
            number: attempts::made(&tx, &form.id, scope.subject()).await? + 1,
            seed: i64::from(rand::random::<u32>()),
            started_at: tx.now().micros(),
            took: "began".to_owned(),
            key_seen: false,
        };
        taking::note(&tx, program, Act::Began(&row.id)).await?;
        tx.insert(row.clone()).await?;
        let entry = AuditEntry::done("attempt.started", &row.id).in_program(program_id(program)?);
        tx.audit(
            entry
                .fact("form", &row.form_id)
                .fact("threshold_shown", row.threshold)
                .fact("number", row.number),
        )?;
        let view = self.attempt_view(&tx, row).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn attempt(&self, scope: &Arc<Scope>, id: &str) -> Result<AttemptView, Error> {
        let tx = self.deps.store.read(scope).await?;
        let row = own(&tx, scope, id).await?;
        self.attempt_view(&tx, row).await
    }

    /// The caller's attempts at a program, newest first: at most `limit` of those before `after`.
    pub(crate) async fn attempts(
        &self,
        call: &Call,
        program: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<AttemptView>, Error> {
        self.program_or_own_work(call, program).await?;
        let scope = call.shared_scope();
        let tx = self.deps.store.read(&scope).await?;
        let rows = attempts::of_learner(&tx, program, scope.subject(), after, limit).await?;
        self.attempt_views(&tx, rows).await
    }

    /// Keeps a choice. `option` counts in the order in which this attempt shows them.
    pub(crate) async fn save_answer(
        &self,
        scope: &Arc<Scope>,
        id: &str,
        question: i64,
        option: i64,
    ) -> Result<AttemptView, Error> {
        let tx = self.deps.store.write(scope).await?;
        let row = own(&tx, scope, id).await?;
        let view = self.attempt_view(&tx, row).await?;
        if view.result.is_some() {
            return Err(Error::Submitted);
        }
        let (position, own_option) = view.place(question, option)?;
        attempts::keep_draft(&tx, id, position, own_option).await?;
        pause::at("answer.kept", tx.org()).await;
        let view = self.attempt_view(&tx, view.attempt).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Ends an attempt. Submitting it again answers with the same result.
    pub(crate) async fn submit_attempt(&self, scope: &Arc<Scope>, id: &str) -> Result<AttemptView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let row = own(&tx, scope, id).await?;
        let view = self.attempt_view(&tx, row).await?;
        if view.result.is_some() {
            return Ok(view);
        }
        let open = view.open_questions();
        if !open.is_empty() {
            return Err(Error::Incomplete(open));
        }
        let answers = answer_rows(&view);
        let right = answers.last().map(|answer| answer.right_so_far).unwrap_or_default();
        let result = result_row(&view, right, tx.now().micros());
        // In order: each answer refers to the one before it.
        for answer in answers {
            tx.insert(answer).await?;
        }
        pause::at("submit.answers", tx.org()).await;
        taking::note(&tx, &result.program_id, Act::Submitted(id)).await?;
        tx.insert(result.clone()).await?;
        tx.insert(seals::of(&*self.deps.keys, tx.org(), &result).await?).await?;
        pause::at("submit.result", tx.org()).await;
        attempts::forget_drafts(&tx, id).await?;
        let entry = AuditEntry::done("attempt.submitted", id).in_program(program_id(&result.program_id)?);
        let entry = entry
            .fact("form", &result.form_id)
            .fact("right", right)
            .fact("of", result.items)
            .fact("passed", result.passed);
        tx.audit(entry.fact("threshold", result.threshold))?;
        let view = self.attempt_view(&tx, view.attempt).await?;
        tx.commit().await?;
        self.forget_leaderboard(&scope.org().to_string(), &view.attempt.form_id);
        pause::at("submit.committed", scope.org()).await;
        Ok(view)
    }

    /// Tells which answers of the last attempt were right, to who asks for it: they have seen the key from then on.
    pub(crate) async fn show_feedback(&self, scope: &Arc<Scope>, id: &str) -> Result<AttemptView, Error> {
        let mut tx = self.deps.store.write(scope).await?;
        let row = own(&tx, scope, id).await?;
        let view = self.attempt_view(&tx, row).await?;
        match view.feedback {
            Feedback::Shown => return Ok(view),
            Feedback::Later => return Err(Error::FeedbackLater),
            Feedback::OnRequest => {}
        }
        taking::note_key_seen(&mut tx, &view.attempt.program_id, "feedback").await?;
        let view = self.attempt_view(&tx, view.attempt).await?;
        tx.commit().await?;
        Ok(view)
    }

    pub(crate) async fn attempt_view(
        &self,
        tx: &TenantTx,
        attempt: attempt::Model,
    ) -> Result<AttemptView, Error> {
        let view = self.attempt_views(tx, vec![attempt]).await?.pop();
        view.ok_or_else(|| Error::Defect("an attempt without its view".into()))
    }

    /// Attempts of one learner at the quizzes of one program, with what belongs to them.
    async fn attempt_views(
        &self,
        tx: &TenantTx,
        rows: Vec<attempt::Model>,
    ) -> Result<Vec<AttemptView>, Error> {
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let evaluation_given = attempts::evaluation(tx, &first.program_id, &first.learner).await?.is_some();
        let printed = self.printed_forms(tx, rows.iter().map(|row| row.form_id.clone()).collect()).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let results = attempts::results_of(tx, &ids).await?;
        let mut results: HashMap<String, result::Model> =
            results.into_iter().map(|result| (result.attempt_id.clone(), result)).collect();
        let mut chosen = chosen(tx, ids, &results).await?;
        // Whether the key was seen matters only to who failed the last time.
        let failed_last =
            |row: &attempt::Model| is_last(row) && results.get(&row.id).is_some_and(|result| !result.passed);
        let key_seen = rows.iter().any(failed_last)
            && taking::has_seen_key(tx, &first.program_id, &first.learner).await?;
        // Only what is shown with its sources is quoted.
        let quotes =
            |row: &attempt::Model| Feedback::of(row, results.get(&row.id), key_seen) == Feedback::Shown;
        let shown = rows.iter().filter(|row| quotes(row)).filter_map(|row| printed.get(&row.form_id));
        let places = shown.flat_map(|printed| &printed.places);
        let sources = places.map(|place| &place.source_version_id).collect();
        let suspended = Arc::new(attempts::suspended(tx, sources).await?);
        let view = |attempt: attempt::Model| {
            let result = results.remove(&attempt.id);
            Ok(AttemptView {
                printed: printed.get(&attempt.form_id).cloned().ok_or(Error::NotFound(Missing::Quiz))?,
                chosen: chosen.remove(&attempt.id).unwrap_or_default(),
                evaluation_given,
                suspended: Arc::clone(&suspended),
                feedback: Feedback::of(&attempt, result.as_ref(), key_seen),
                result,
                attempt,
            })
        };
        rows.into_iter().map(view).collect()
    }
}

/// Whether an attempt is the last that its quiz allows.
fn is_last(attempt: &attempt::Model) -> bool {
    attempt.most_attempts > 0 && attempt.number >= attempt.most_attempts
}

/// What was chosen in attempts, by attempt and position: what was submitted, and in those that go on what is kept so far.
async fn chosen(
    tx: &TenantTx,
    attempts: Vec<String>,
    results: &HashMap<String, result::Model>,
) -> Result<HashMap<String, BTreeMap<i64, i64>>, Error> {
    let (submitted, open): (Vec<String>, Vec<String>) =
        attempts.into_iter().partition(|attempt| results.contains_key(attempt));
    let answers = attempts::answers(tx, &submitted).await?.into_iter();
    let drafts = attempts::drafts(tx, &open).await?.into_iter();
    let choices = answers
        .map(|answer| (answer.attempt_id, answer.position, answer.option))
        .chain(drafts.map(|draft| (draft.attempt_id, draft.position, draft.option)));
    let mut chosen: HashMap<String, BTreeMap<i64, i64>> = HashMap::new();
    for (attempt, position, option) in choices {
        chosen.entry(attempt).or_default().insert(position, option);
    }
    Ok(chosen)
}

impl Credits {
    /// Refuses whom a program is not there for, but not who worked in it: what a learner did stays theirs when the program
    /// is withdrawn, and what they passed can be claimed until the activity ends.
    pub(crate) async fn program_or_own_work(&self, call: &Call, program: &str) -> Result<(), Error> {
        match self.program(call, program).await {
            Err(Error::NotFound(Missing::Program)) => {}
            other => return other.map(|_| ()),
        }
        super::check_reach(call.scope(), program)?;
        let tx = self.deps.store.read(&call.shared_scope()).await?;
        let own = attempts::of_learner(&tx, program, call.scope().subject(), "", 1).await?;
        if own.is_empty() { Err(Error::NotFound(Missing::Program)) } else { Ok(()) }
    }
}

/// An attempt of the caller's own; another's looks like none.
async fn own(tx: &TenantTx, scope: &Scope, id: &str) -> Result<attempt::Model, Error> {
    let found = attempts::get(tx, id).await?.filter(|attempt| attempt.learner == scope.subject());
    let attempt = found.ok_or(Error::NotFound(Missing::Attempt))?;
    super::check_reach(scope, &attempt.program_id).map_err(|_| Error::NotFound(Missing::Attempt))?;
    Ok(attempt)
}

impl AttemptView {
    /// The position of the form and the option of the item behind what this attempt shows as `question` and `option`,
    /// both counted from 1.
    fn place(&self, question: i64, option: i64) -> Result<(i64, i64), Error> {
        let within = |number: i64| usize::try_from(number - 1).ok();
        let order = self.printed.order_of_questions(self.attempt.seed);
        let place = within(question).and_then(|question| order.get(question).copied());
        let place = place.ok_or_else(|| {
            Error::field("position", format!("must be between 1 and {}", self.attempt.items))
        })?;
        let options = self.printed.order_of_options(self.attempt.seed, place);
        let chosen = within(option).and_then(|option| options.get(option).copied());
        let chosen = chosen
            .ok_or_else(|| Error::field("option", format!("must be between 1 and {}", options.len())))?;
        Ok((place as i64 + 1, chosen as i64 + 1))
    }

    /// The questions without an answer, as this attempt counts them.
    fn open_questions(&self) -> Vec<i64> {
        let order = self.printed.order_of_questions(self.attempt.seed);
        let open =
            order.iter().enumerate().filter(|(_, place)| !self.chosen.contains_key(&(**place as i64 + 1)));
        open.map(|(question, _)| question as i64 + 1).collect()
    }
}

fn answer_rows(view: &AttemptView) -> Vec<answer::Model> {
    let mut rows: Vec<answer::Model> = Vec::with_capacity(view.printed.items.len());
    for (place, item) in view.printed.items.iter().enumerate() {
        let position = place as i64 + 1;
        let option = view.chosen.get(&position).copied().unwrap_or_default();
        let correct = item.options.iter().find(|row| row.option == option).map_or(0, |row| row.correct);
        let before = rows.last().map(|row| row.right_so_far);
        let right_so_far = before.unwrap_or_default() + correct;
        rows.push(answer::Model {
            org_id: view.attempt.org_id.clone(),
            attempt_id: view.attempt.id.clone(),
            position,
            form_id: view.attempt.form_id.clone(),
            item_version_id: item.version.id.clone(),
            option,
            correct,
            // The first row has nothing before it and refers to itself.
            previous: if before.is_some() { position - 1 } else { 1 },
            previous_right: before.unwrap_or(right_so_far),
            right_so_far,
        });
    }
    rows
}

fn result_row(view: &AttemptView, right: i64, now: i64) -> result::Model {
    let attempt = &view.attempt;
    result::Model {
        org_id: attempt.org_id.clone(),
        attempt_id: attempt.id.clone(),
        form_id: attempt.form_id.clone(),
        program_id: attempt.program_id.clone(),
        policy_id: attempt.policy_id.clone(),
        threshold: attempt.threshold,
        items: attempt.items,
        content_verified_at: attempt.content_verified_at,
        learner: attempt.learner.clone(),
        started_at: attempt.started_at,
        completed_at: now.max(attempt.started_at),
        right_answers: right,
        passed: right * 100 >= attempt.threshold * attempt.items,
        took: "submitted".to_owned(),
        key_seen: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: i64, most_attempts: i64) -> attempt::Model {
        attempt::Model {
            org_id: String::new(),
            id: String::new(),
            form_id: String::new(),
            program_id: String::new(),
            policy_id: String::new(),
            threshold: 60,
            items: 1,
            most_attempts,
            content_verified_at: 0,
            frozen_at: 0,
            learner: String::new(),
            number,
            seed: 0,
            started_at: 0,
            took: "began".to_owned(),
            key_seen: false,
        }
    }

    fn result(passed: bool) -> result::Model {
        let of = attempt(1, 1);
        result::Model {
            org_id: of.org_id,
            attempt_id: of.id,
            form_id: of.form_id,
            program_id: of.program_id,
            policy_id: of.policy_id,
            threshold: of.threshold,
            items: of.items,
            content_verified_at: 0,
            learner: of.learner,
            started_at: 0,
            completed_at: 0,
            right_answers: i64::from(passed),
            passed,
            took: "submitted".to_owned(),
            key_seen: false,
        }
    }

    #[test]
    fn answers_are_told_to_no_one_who_may_try_again() {
        use Feedback::{Later, OnRequest, Shown};
        let of = |number, most, ended: Option<bool>, seen| {
            Feedback::of(&attempt(number, most), ended.map(result).as_ref(), seen)
        };
        assert_eq!(of(1, 3, Some(true), false), Shown);
        assert_eq!(of(1, 3, None, true), Later, "not while it is under way");
        assert_eq!(
            [of(1, 3, Some(false), false), of(2, 3, Some(false), true), of(9, 0, Some(false), true)],
            [Later; 3]
        );
        assert_eq!([of(3, 3, Some(false), false), of(1, 1, Some(false), false)], [OnRequest; 2]);
        assert_eq!(of(3, 3, Some(false), true), Shown);
    }
}
