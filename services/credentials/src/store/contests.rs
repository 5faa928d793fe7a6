//! Queries on contested identities.

use preceptor_store::TenantTx;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{clinician, contest, contest_party};
use crate::Error;

/// One contest.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<contest::Model>, Error> {
    Ok(tx.one(tx.find::<contest::Entity>().filter(contest::Column::Id.eq(id))).await?)
}

/// The contest about a number or license that nobody decided yet.
pub(crate) async fn open(
    tx: &TenantTx,
    about: &str,
    identity: &str,
) -> Result<Option<contest::Model>, Error> {
    use contest::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::About.eq(about)).filter(Column::Identity.eq(identity));
    Ok(tx.one(select.filter(Column::DecidedAt.is_null())).await?)
}

/// Contests behind `after`, in the order in which they were opened.
pub(crate) async fn list(tx: &TenantTx, after: &str, limit: u64) -> Result<Vec<contest::Model>, Error> {
    use contest::{Column, Entity};
    Ok(tx.all(tx.find::<Entity>().filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(limit)).await?)
}

/// Who takes part in a contest.
pub(crate) async fn parties(tx: &TenantTx, contest: &str) -> Result<Vec<contest_party::Model>, Error> {
    use contest_party::{Column, Entity};
    Ok(tx
        .all(tx.find::<Entity>().filter(Column::ContestId.eq(contest)).order_by_asc(Column::Learner))
        .await?)
}

/// The contests that a learner takes part in.
pub(crate) async fn of_learner(tx: &TenantTx, learner: &str) -> Result<Vec<contest::Model>, Error> {
    use contest_party::{Column, Entity};
    let parts = tx.all(tx.find::<Entity>().filter(Column::Learner.eq(learner))).await?;
    let ids: Vec<String> = parts.into_iter().map(|part| part.contest_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.all(tx.find::<contest::Entity>().filter(contest::Column::Id.is_in(ids))).await?)
}

/// Notes that a party was told.
pub(crate) async fn is_told(tx: &TenantTx, party: &contest_party::Model) -> Result<(), Error> {
    use contest_party::{Column, Entity};
    let update = tx.update::<Entity>().col_expr(Column::ToldAt, Expr::value(Some(tx.now().micros())));
    tx.run_update(
        update.filter(Column::ContestId.eq(&party.contest_id)).filter(Column::Learner.eq(&party.learner)),
    )
    .await?;
    Ok(())
}

/// How a contest was decided.
pub(crate) struct Decision {
    pub(crate) upheld: Option<String>,
    pub(crate) wrapped_key: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

/// Decides a contest, also one that was decided before: a mistake has to be mendable.
pub(crate) async fn decide(tx: &TenantTx, id: &str, decision: Decision) -> Result<(), Error> {
    use contest::{Column, Entity};
    let update = tx
        .update::<Entity>()
        .col_expr(Column::Upheld, Expr::value(decision.upheld))
        .col_expr(Column::WrappedKey, Expr::value(Some(decision.wrapped_key)))
        .col_expr(Column::Sealed, Expr::value(Some(decision.sealed)))
        .col_expr(Column::DecidedBy, Expr::value(Some(tx.scope().subject().to_owned())))
        .col_expr(Column::DecidedAt, Expr::value(Some(tx.now().micros())));
    tx.run_update(update.filter(Column::Id.eq(id))).await?;
    Ok(())
}

/// Other learners who state the same and have verified their address.
pub(crate) async fn others(
    tx: &TenantTx,
    about: &str,
    identity: &str,
    learner: &str,
) -> Result<Vec<clinician::Model>, Error> {
    use clinician::{Column, Entity};
    let index = if about == "npi" { Column::NpiIndex } else { Column::LicenseIndex };
    let select = tx.find::<Entity>().filter(index.eq(identity)).filter(Column::Learner.ne(learner));
    Ok(tx.all(select.filter(Column::EmailVerifiedAt.is_not_null())).await?)
}
