//! Queries on clinicians.

use preceptor_store::TenantTx;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{assertion, check, clinician, email_challenge, evidence, statement};
use crate::Error;

/// What a learner stated.
pub(crate) async fn clinician(tx: &TenantTx, learner: &str) -> Result<Option<clinician::Model>, Error> {
    Ok(tx.one(tx.find::<clinician::Entity>().filter(clinician::Column::Learner.eq(learner))).await?)
}

/// What a learner stated when it was changed for the `number`th time.
pub(crate) async fn statement(
    tx: &TenantTx,
    learner: &str,
    number: i64,
) -> Result<Option<statement::Model>, Error> {
    use statement::{Column, Entity};
    Ok(tx
        .one(tx.find::<Entity>().filter(Column::Learner.eq(learner)).filter(Column::Number.eq(number)))
        .await?)
}

/// What was seen in checks of learners, sealed.
pub(crate) async fn evidence(tx: &TenantTx, learners: &[String]) -> Result<Vec<evidence::Model>, Error> {
    Ok(tx.all(tx.find::<evidence::Entity>().filter(evidence::Column::Learner.is_in(learners))).await?)
}

/// What learners stated.
pub(crate) async fn clinicians_of(
    tx: &TenantTx,
    learners: &[String],
) -> Result<Vec<clinician::Model>, Error> {
    Ok(tx.all(tx.find::<clinician::Entity>().filter(clinician::Column::Learner.is_in(learners))).await?)
}

/// Clinicians behind `after`, in the order of their pseudonyms.
pub(crate) async fn clinicians(
    tx: &TenantTx,
    after: &str,
    limit: u64,
) -> Result<Vec<clinician::Model>, Error> {
    let select = tx.find::<clinician::Entity>().filter(clinician::Column::Learner.gt(after));
    Ok(tx.all(select.order_by_asc(clinician::Column::Learner).limit(limit)).await?)
}

/// Keeps a statement in place of the one before.
pub(crate) async fn keep(tx: &TenantTx, row: clinician::Model, known: bool) -> Result<(), Error> {
    use clinician::{Column, Entity};
    if !known {
        return Ok(tx.insert(row).await?);
    }
    let update = tx
        .update::<Entity>()
        .col_expr(Column::Profession, Expr::value(row.profession))
        .col_expr(Column::WrappedKey, Expr::value(row.wrapped_key))
        .col_expr(Column::Sealed, Expr::value(row.sealed))
        .col_expr(Column::NpiIndex, Expr::value(row.npi_index))
        .col_expr(Column::LicenseIndex, Expr::value(row.license_index))
        .col_expr(Column::EmailVerifiedAt, Expr::value(row.email_verified_at))
        .col_expr(Column::Statement, Expr::value(row.statement))
        .col_expr(Column::Revision, Expr::value(row.revision))
        .col_expr(Column::UpdatedAt, Expr::value(row.updated_at))
        .filter(Column::Learner.eq(row.learner));
    tx.run_update(update).await?;
    Ok(())
}

/// Notes that the address was proved.
pub(crate) async fn email_is_verified(tx: &TenantTx, learner: &str) -> Result<(), Error> {
    use clinician::{Column, Entity};
    let update =
        tx.update::<Entity>().col_expr(Column::EmailVerifiedAt, Expr::value(Some(tx.now().micros())));
    tx.run_update(update.filter(Column::Learner.eq(learner))).await?;
    Ok(())
}

/// The codes that were sent to a learner since an instant, newest first.
pub(crate) async fn challenges(
    tx: &TenantTx,
    learner: &str,
    since: i64,
) -> Result<Vec<email_challenge::Model>, Error> {
    use email_challenge::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::Learner.eq(learner)).filter(Column::SentAt.gte(since));
    Ok(tx.all(select.order_by_desc(Column::SentAt).order_by_desc(Column::Id)).await?)
}

/// Uses a code up.
pub(crate) async fn use_challenge(tx: &TenantTx, id: &str) -> Result<(), Error> {
    use email_challenge::{Column, Entity};
    let update = tx.update::<Entity>().col_expr(Column::UsedAt, Expr::value(Some(tx.now().micros())));
    tx.run_update(update.filter(Column::Id.eq(id))).await?;
    Ok(())
}

/// Counts a wrong try.
pub(crate) async fn count_wrong_try(tx: &TenantTx, challenge: &email_challenge::Model) -> Result<(), Error> {
    use email_challenge::{Column, Entity};
    let update = tx.update::<Entity>().col_expr(Column::WrongTries, Expr::value(challenge.wrong_tries + 1));
    tx.run_update(update.filter(Column::Id.eq(&challenge.id))).await?;
    Ok(())
}

/// Everything that was checked about learners, newest first.
pub(crate) async fn checks(tx: &TenantTx, learners: &[String]) -> Result<Vec<check::Model>, Error> {
    let select = tx.find::<check::Entity>().filter(check::Column::Learner.is_in(learners));
    Ok(tx.all(select.order_by_desc(check::Column::CheckedAt).order_by_desc(check::Column::Id)).await?)
}

/// Everything that was asserted about learners, newest first.
pub(crate) async fn assertions(tx: &TenantTx, learners: &[String]) -> Result<Vec<assertion::Model>, Error> {
    let select = tx.find::<assertion::Entity>().filter(assertion::Column::Learner.is_in(learners));
    Ok(tx
        .all(select.order_by_desc(assertion::Column::AssertedAt).order_by_desc(assertion::Column::Id))
        .await?)
}
