//! Forms, attempts, answers, evaluations.

use std::collections::BTreeSet;

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};

use super::{
    answer, attempt, draft, evaluation, form, form_item, form_source, offer, open_form, result, result_seal,
    suspension, taking,
};
use crate::Error;
use crate::domain::AttemptState as State;

/// One form.
pub(crate) async fn form(tx: &TenantTx, id: &str) -> Result<Option<form::Model>, Error> {
    Ok(tx.one(tx.find::<form::Entity>().filter(form::Column::Id.eq(id))).await?)
}

/// The forms of these ids.
pub(crate) async fn forms(tx: &TenantTx, ids: &[String]) -> Result<Vec<form::Model>, Error> {
    Ok(tx.all(tx.find::<form::Entity>().filter(form::Column::Id.is_in(ids))).await?)
}

/// The items of forms, those of each in order.
pub(crate) async fn form_items(tx: &TenantTx, forms: &[String]) -> Result<Vec<form_item::Model>, Error> {
    let select = tx.find::<form_item::Entity>().filter(form_item::Column::FormId.is_in(forms));
    Ok(tx.all(select.order_by_asc(form_item::Column::Position)).await?)
}

/// The sources of a form.
pub(crate) async fn form_sources(tx: &TenantTx, form: &str) -> Result<Vec<form_source::Model>, Error> {
    Ok(tx.all(tx.find::<form_source::Entity>().filter(form_source::Column::FormId.eq(form))).await?)
}

/// The number of the newest form of a program; 0 when there is none.
pub(crate) async fn forms_made(tx: &TenantTx, program: &str) -> Result<i64, Error> {
    let select = tx
        .find::<form::Entity>()
        .filter(form::Column::ProgramId.eq(program))
        .order_by_desc(form::Column::Number);
    Ok(tx.one(select).await?.map_or(0, |form| form.number))
}

/// Makes a form the one that learners get.
pub(crate) async fn open_form(tx: &TenantTx, form: &form::Model) -> Result<(), Error> {
    tx.run_delete(tx.delete::<open_form::Entity>().filter(open_form::Column::ProgramId.eq(&form.program_id)))
        .await?;
    let row = open_form::Model {
        org_id: tx.org_key(),
        program_id: form.program_id.clone(),
        form_id: form.id.clone(),
        opened_at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}

/// The form that learners of a program get.
pub(crate) async fn open_form_of(tx: &TenantTx, program: &str) -> Result<Option<String>, Error> {
    let select = tx.find::<open_form::Entity>().filter(open_form::Column::ProgramId.eq(program));
    Ok(tx.one(select).await?.map(|open| open.form_id))
}

/// One attempt.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<attempt::Model>, Error> {
    Ok(tx.one(tx.find::<attempt::Entity>().filter(attempt::Column::Id.eq(id))).await?)
}

/// How many attempts a learner has begun at a form.
pub(crate) async fn made(tx: &TenantTx, form: &str, learner: &str) -> Result<i64, Error> {
    let newest = tx.one(newest(tx, form, learner)).await?;
    Ok(newest.map_or(0, |attempt| attempt.number))
}

fn newest(tx: &TenantTx, form: &str, learner: &str) -> Select<attempt::Entity> {
    use attempt::Column;
    tx.find::<attempt::Entity>()
        .filter(Column::FormId.eq(form))
        .filter(Column::Learner.eq(learner))
        .order_by_desc(Column::Number)
}

/// The attempt of a learner at a form that was not submitted yet.
pub(crate) async fn under_way(
    tx: &TenantTx,
    form: &str,
    learner: &str,
) -> Result<Option<attempt::Model>, Error> {
    let Some(newest) = tx.one(newest(tx, form, learner)).await? else { return Ok(None) };
    Ok(if result(tx, &newest.id).await?.is_none() { Some(newest) } else { None })
}

/// A learner's attempts at a program, newest first: at most `limit` of those before `after`, or of all when that is empty.
pub(crate) async fn of_learner(
    tx: &TenantTx,
    program: &str,
    learner: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<attempt::Model>, Error> {
    use attempt::Column;
    let mut select = tx
        .find::<attempt::Entity>()
        .filter(Column::ProgramId.eq(program))
        .filter(Column::Learner.eq(learner));
    if !after.is_empty() {
        select = select.filter(Column::Id.lt(after));
    }
    Ok(tx.all(select.order_by_desc(Column::Id).limit(limit)).await?)
}

/// Attempts of everyone at the quizzes of a program before `after`, newest first: all, or those in `state`, or those that
/// count for `offer`.
pub(crate) async fn of_program(
    tx: &TenantTx,
    program: &str,
    (state, offer): (Option<State>, Option<&offer::Model>),
    after: &str,
    limit: u64,
) -> Result<Vec<attempt::Model>, Error> {
    use attempt::Column;
    let mut select = tx.find::<attempt::Entity>().filter(Column::ProgramId.eq(program));
    if !after.is_empty() {
        select = select.filter(Column::Id.lt(after));
    }
    if let Some(offer) = offer {
        // As `counts_for` of the domain has it.
        let early = result::Column::CompletedAt.lt(offer.opens_at);
        let late = result::Column::CompletedAt.gt(offer.terminates_at);
        select = select
            .filter(Column::PolicyId.eq(&offer.policy_id))
            .filter(Column::StartedAt.lte(offer.terminates_at))
            .filter(Expr::exists(result_of_row(tx).filter(early.or(late)).into_query()).not());
    }
    let ended = |passed: bool| result_of_row(tx).filter(result::Column::Passed.eq(passed)).into_query();
    select = match state {
        None => select,
        Some(State::UnderWay) => select.filter(Expr::exists(result_of_row(tx).into_query()).not()),
        Some(State::Failed) => select.filter(Expr::exists(ended(false))),
        Some(State::Passed) => select.filter(Expr::exists(ended(true))),
    };
    Ok(tx.all(select.order_by_desc(Column::Id).limit(limit)).await?)
}

/// The result of the attempt that a query around this one looks at.
fn result_of_row(tx: &TenantTx) -> Select<result::Entity> {
    use result::{Column, Entity};
    let row = Expr::col((attempt::Entity, attempt::Column::Id));
    let of_row = Expr::col((Entity, Column::AttemptId)).eq(row);
    tx.find::<Entity>().select_only().column(Column::AttemptId).filter(of_row)
}

/// What a person did last with the quizzes of a program.
pub(crate) async fn newest_taking(
    tx: &TenantTx,
    program: &str,
    person: &str,
) -> Result<Option<taking::Model>, Error> {
    use taking::Column;
    let select =
        tx.find::<taking::Entity>().filter(Column::ProgramId.eq(program)).filter(Column::Learner.eq(person));
    Ok(tx.one(select.order_by_desc(Column::Entry)).await?)
}

/// What was chosen so far in attempts.
pub(crate) async fn drafts(tx: &TenantTx, attempts: &[String]) -> Result<Vec<draft::Model>, Error> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.all(tx.find::<draft::Entity>().filter(draft::Column::AttemptId.is_in(attempts))).await?)
}

/// Keeps a choice in place of the one before.
pub(crate) async fn keep_draft(
    tx: &TenantTx,
    attempt: &str,
    position: i64,
    option: i64,
) -> Result<(), Error> {
    use draft::{Column, Entity};
    tx.run_delete(
        tx.delete::<Entity>().filter(Column::AttemptId.eq(attempt)).filter(Column::Position.eq(position)),
    )
    .await?;
    Ok(tx
        .insert(draft::Model { org_id: tx.org_key(), attempt_id: attempt.to_owned(), position, option })
        .await?)
}

/// Forgets what was chosen: it was submitted.
pub(crate) async fn forget_drafts(tx: &TenantTx, attempt: &str) -> Result<(), Error> {
    tx.run_delete(tx.delete::<draft::Entity>().filter(draft::Column::AttemptId.eq(attempt))).await?;
    Ok(())
}

/// What was submitted in attempts, that of each in order.
pub(crate) async fn answers(tx: &TenantTx, attempts: &[String]) -> Result<Vec<answer::Model>, Error> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    let select = tx.find::<answer::Entity>().filter(answer::Column::AttemptId.is_in(attempts));
    Ok(tx.all(select.order_by_asc(answer::Column::Position)).await?)
}

/// How an attempt ended.
pub(crate) async fn result(tx: &TenantTx, attempt: &str) -> Result<Option<result::Model>, Error> {
    Ok(tx.one(tx.find::<result::Entity>().filter(result::Column::AttemptId.eq(attempt))).await?)
}

/// How attempts ended; nothing for those that have not.
pub(crate) async fn results_of(tx: &TenantTx, attempts: &[String]) -> Result<Vec<result::Model>, Error> {
    Ok(tx.all(tx.find::<result::Entity>().filter(result::Column::AttemptId.is_in(attempts))).await?)
}

/// Results of all learners in the order of their attempts: at most `limit` of those behind `after`.
pub(crate) async fn results_after(
    tx: &TenantTx,
    after: &str,
    limit: u64,
) -> Result<Vec<result::Model>, Error> {
    use result::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::AttemptId.gt(after));
    Ok(tx.all(select.order_by_asc(Column::AttemptId).limit(limit)).await?)
}

/// The seal of a result.
pub(crate) async fn seal(tx: &TenantTx, attempt: &str) -> Result<Option<result_seal::Model>, Error> {
    use result_seal::{Column, Entity};
    Ok(tx.one(tx.find::<Entity>().filter(Column::AttemptId.eq(attempt))).await?)
}

/// The seals of those results that have one.
pub(crate) async fn seals(tx: &TenantTx, attempts: &[String]) -> Result<Vec<result_seal::Model>, Error> {
    use result_seal::{Column, Entity};
    Ok(tx.all(tx.find::<Entity>().filter(Column::AttemptId.is_in(attempts))).await?)
}

/// The results at a form, best first.
pub(crate) async fn results(tx: &TenantTx, form: &str) -> Result<Vec<result::Model>, Error> {
    let select = tx.find::<result::Entity>().filter(result::Column::FormId.eq(form));
    Ok(tx
        .all(select.order_by_desc(result::Column::RightAnswers).order_by_asc(result::Column::CompletedAt))
        .await?)
}

/// What a learner said about a program.
pub(crate) async fn evaluation(
    tx: &TenantTx,
    program: &str,
    learner: &str,
) -> Result<Option<evaluation::Model>, Error> {
    use evaluation::{Column, Entity};
    Ok(tx
        .one(tx.find::<Entity>().filter(Column::ProgramId.eq(program)).filter(Column::Learner.eq(learner)))
        .await?)
}

/// Whether one of these source versions lost its standing.
pub(crate) async fn is_suspended(tx: &TenantTx, versions: &[String]) -> Result<bool, Error> {
    let select = tx.find::<suspension::Entity>().filter(suspension::Column::SourceVersionId.is_in(versions));
    Ok(tx.one(select).await?.is_some())
}

/// Those of these source versions that lost their standing.
pub(crate) async fn suspended(tx: &TenantTx, versions: BTreeSet<&String>) -> Result<BTreeSet<String>, Error> {
    if versions.is_empty() {
        return Ok(BTreeSet::new());
    }
    let select = tx.find::<suspension::Entity>().filter(suspension::Column::SourceVersionId.is_in(versions));
    Ok(tx.all(select).await?.into_iter().map(|row| row.source_version_id).collect())
}

/// The forms that ask about a source version.
pub(crate) async fn forms_on(tx: &TenantTx, version: &str) -> Result<Vec<String>, Error> {
    let select = tx.find::<form_source::Entity>().filter(form_source::Column::SourceVersionId.eq(version));
    Ok(tx.all(select).await?.into_iter().map(|row| row.form_id).collect())
}
