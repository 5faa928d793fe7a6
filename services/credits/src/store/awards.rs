//! The ledger, awards, annotations.

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, DbErr, FromQueryResult, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _, Select,
};

use super::{annotation, award, award_seal, ledger, suspension};
use crate::Error;

/// An award as it is stored, with its seal. Nothing of it is shown or signed before the two were compared.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) award: award::Model,
    pub(crate) seal: Option<String>,
}

impl FromQueryResult for Stored {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let seal: Option<String> = row.try_get(prefix, "seal")?;
        Ok(Self { award: award::Model::from_query_result(row, prefix)?, seal })
    }
}

/// Awards with their seals, in one statement.
async fn stored(tx: &TenantTx, select: Select<award::Entity>) -> Result<Vec<Stored>, Error> {
    use award_seal::{Column, Entity};
    let seal = Query::select()
        .column(Column::Seal)
        .from(Entity)
        .and_where(Expr::col((Entity, Column::OrgId)).eq(tx.org_key()))
        .and_where(Expr::col(Column::AwardId).eq(Expr::col((award::Entity, award::Column::Id))))
        .to_owned();
    Ok(tx.all_as(select.expr_as(seal, "seal")).await?)
}

/// One award.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<Stored>, Error> {
    Ok(stored(tx, tx.find::<award::Entity>().filter(award::Column::Id.eq(id))).await?.pop())
}

/// The newest entry of a learner's ledger for a program and a type of credit.
pub(crate) async fn newest_entry(
    tx: &TenantTx,
    learner: &str,
    program: &str,
    credit_type: &str,
) -> Result<Option<ledger::Model>, Error> {
    use ledger::{Column, Entity};
    let select =
        tx.find::<Entity>().filter(Column::Learner.eq(learner)).filter(Column::ProgramId.eq(program));
    Ok(tx.one(select.filter(Column::CreditType.eq(credit_type)).order_by_desc(Column::Entry)).await?)
}

/// The entries that ended awards.
pub(crate) async fn voids(tx: &TenantTx, awards: &[String]) -> Result<Vec<ledger::Model>, Error> {
    use ledger::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::AwardId.is_in(awards));
    Ok(tx.all(select.filter(Column::Kind.eq("void"))).await?)
}

/// Awards, newest first.
pub(crate) async fn list(
    tx: &TenantTx,
    learner: Option<&str>,
    program: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Error> {
    use award::Column;
    let mut select = tx.find::<award::Entity>().order_by_desc(Column::Id).limit(limit);
    if let Some(learner) = learner {
        select = select.filter(Column::Learner.eq(learner));
    }
    if !program.is_empty() {
        select = select.filter(Column::ProgramId.eq(program));
    }
    if !after.is_empty() {
        select = select.filter(Column::Id.lt(after));
    }
    stored(tx, select).await
}

/// Awards of all learners, oldest first: at most `limit` of those behind `after`.
pub(crate) async fn all_after(tx: &TenantTx, after: &str, limit: u64) -> Result<Vec<Stored>, Error> {
    use award::Column;
    let select = tx.find::<award::Entity>().filter(Column::Id.gt(after));
    stored(tx, select.order_by_asc(Column::Id).limit(limit)).await
}

/// Awards whose attempt was at one of these forms, for remarks on them.
pub(crate) async fn of_forms(tx: &TenantTx, forms: &[String]) -> Result<Vec<award::Model>, Error> {
    Ok(tx.all(tx.find::<award::Entity>().filter(award::Column::FormId.is_in(forms))).await?)
}

/// Awards for these attempts, those for each in the order in which they were made.
pub(crate) async fn of_attempts(tx: &TenantTx, attempts: &[String]) -> Result<Vec<Stored>, Error> {
    let select = tx.find::<award::Entity>().filter(award::Column::AttemptId.is_in(attempts));
    stored(tx, select.order_by_asc(award::Column::Id)).await
}

/// Remarks on awards, oldest first.
pub(crate) async fn annotations(tx: &TenantTx, awards: &[String]) -> Result<Vec<annotation::Model>, Error> {
    use annotation::{Column, Entity};
    Ok(tx
        .all(tx.find::<Entity>().filter(Column::AwardId.is_in(awards)).order_by_asc(Column::NotedAt))
        .await?)
}

/// The suspension of a source version.
pub(crate) async fn suspension(tx: &TenantTx, version: &str) -> Result<Option<suspension::Model>, Error> {
    Ok(tx
        .one(tx.find::<suspension::Entity>().filter(suspension::Column::SourceVersionId.eq(version)))
        .await?)
}

/// Every source version that lost its standing.
pub(crate) async fn suspensions(tx: &TenantTx) -> Result<Vec<suspension::Model>, Error> {
    Ok(tx.all(tx.find::<suspension::Entity>()).await?)
}
