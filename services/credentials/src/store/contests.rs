//! Queries on contested identities.

use preceptor_store::TenantTx;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, FromQueryResult, JoinType, QueryFilter as _, QueryOrder as _,
    QueryResult, QuerySelect as _, QueryTrait as _, Select,
};

use super::{clinician, contest, contest_party};
use crate::Error;

/// One contest.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<contest::Model>, Error> {
    Ok(tx.one(tx.find::<contest::Entity>().filter(contest::Column::Id.eq(id))).await?)
}

/// The contest about a number or license that no one decided yet.
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

/// A learner's part in a contest.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) learner: String,
    pub(crate) contest: contest::Model,
}

impl FromQueryResult for Part {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let learner = row.try_get(prefix, "party")?;
        Ok(Self { learner, contest: contest::Model::from_query_result(row, prefix)? })
    }
}

/// The contests that a learner takes part in.
pub(crate) async fn of_learner(tx: &TenantTx, learner: &str) -> Result<Vec<contest::Model>, Error> {
    let parts = of_learners(tx, &[learner.to_owned()]).await?;
    Ok(parts.into_iter().map(|part| part.contest).collect())
}

/// The contests that learners take part in.
pub(crate) async fn of_learners(tx: &TenantTx, learners: &[String]) -> Result<Vec<Part>, Error> {
    Ok(tx.all_as(parts(tx).filter(contest_party::Column::Learner.is_in(learners))).await?)
}

/// The contests that anyone takes part in who takes part in one of these, which are among them.
pub(crate) async fn of_parties(tx: &TenantTx, contests: &[String]) -> Result<Vec<Part>, Error> {
    use contest_party::{Column, Entity};
    let people = tx.find::<Entity>().filter(Column::ContestId.is_in(contests));
    let people = people.select_only().column(Column::Learner).into_query();
    Ok(tx.all_as(parts(tx).filter(Column::Learner.in_subquery(people))).await?)
}

/// Contests, each once for every party, in the order of the parties.
fn parts(tx: &TenantTx) -> Select<contest::Entity> {
    use contest_party::{Column, Entity};
    let own = Entity::belongs_to(contest::Entity)
        .from((Column::OrgId, Column::ContestId))
        .to((contest::Column::OrgId, contest::Column::Id));
    tx.find::<contest::Entity>()
        .join_rev(JoinType::InnerJoin, own.into())
        .column_as(Column::Learner, "party")
        .order_by_asc(Column::Learner)
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
