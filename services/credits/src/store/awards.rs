//! The ledger, awards, annotations.

use preceptor_store::TenantTx;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{annotation, award, ledger, suspension};
use crate::Error;

/// One award.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<Option<award::Model>, Error> {
    Ok(tx.one(tx.find::<award::Entity>().filter(award::Column::Id.eq(id))).await?)
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
) -> Result<Vec<award::Model>, Error> {
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
    Ok(tx.all(select).await?)
}

/// Awards whose attempt was at one of these forms.
pub(crate) async fn of_forms(tx: &TenantTx, forms: &[String]) -> Result<Vec<award::Model>, Error> {
    Ok(tx.all(tx.find::<award::Entity>().filter(award::Column::FormId.is_in(forms))).await?)
}

/// Awards for these attempts, those for each in the order in which they were made.
pub(crate) async fn of_attempts(tx: &TenantTx, attempts: &[String]) -> Result<Vec<award::Model>, Error> {
    let select = tx.find::<award::Entity>().filter(award::Column::AttemptId.is_in(attempts));
    Ok(tx.all(select.order_by_asc(award::Column::Id)).await?)
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
