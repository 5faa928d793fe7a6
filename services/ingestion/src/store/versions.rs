//! Frozen versions of programs, and what is visible.

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Expr, ExprTrait as _, SelectStatement};
use sea_orm::{
    ColumnTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use super::{approval, pending, program_version, program_version_source, published, source_version};
use crate::Error;

/// A source version that may be part of a program version.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Approved {
    pub(crate) source_id: String,
    pub(crate) source_version_id: String,
    pub(crate) approval_id: String,
    pub(crate) passages: i64,
}

/// The newest approved version of every source of a program.
pub(crate) async fn approved(tx: &TenantTx, program: &str) -> Result<Vec<Approved>, Error> {
    let select = tx
        .find::<approval::Entity>()
        .filter(approval::Column::Approved.eq(true))
        .join_rev(sea_orm::JoinType::InnerJoin, source_version::Entity::belongs_to_approval())
        .filter(source_version::Column::ProgramId.eq(program))
        .select_only()
        .column_as(source_version::Column::SourceId, "source_id")
        .column_as(source_version::Column::Id, "source_version_id")
        .column_as(approval::Column::Id, "approval_id")
        .column_as(source_version::Column::Passages, "passages")
        .order_by_asc(source_version::Column::SourceId)
        .order_by_desc(source_version::Column::Number);
    let mut rows: Vec<Approved> = tx.all_as(select).await?;
    rows.dedup_by(|later, first| later.source_id == first.source_id);
    Ok(rows)
}

/// One frozen version.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<program_version::Model, Error> {
    let select = tx.find::<program_version::Entity>().filter(program_version::Column::Id.eq(id));
    tx.one(select).await?.ok_or(Error::NotPublished)
}

/// The frozen versions of these ids.
pub(crate) async fn of_ids(tx: &TenantTx, ids: Vec<String>) -> Result<Vec<program_version::Model>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.all(tx.find::<program_version::Entity>().filter(program_version::Column::Id.is_in(ids))).await?)
}

/// The number that the next version of a program gets.
pub(crate) async fn next_number(tx: &TenantTx, program: &str) -> Result<i64, Error> {
    #[derive(FromQueryResult)]
    struct Last {
        last: Option<i64>,
    }
    let select = tx
        .find::<program_version::Entity>()
        .filter(program_version::Column::ProgramId.eq(program))
        .select_only()
        .column_as(Expr::col(program_version::Column::Number).max(), "last");
    let rows: Vec<Last> = tx.all_as(select).await?;
    Ok(rows.first().and_then(|row| row.last).unwrap_or(0) + 1)
}

/// The source versions that a frozen version consists of.
pub(crate) async fn sources(
    tx: &TenantTx,
    version: &str,
) -> Result<Vec<program_version_source::Model>, Error> {
    let select = tx
        .find::<program_version_source::Entity>()
        .filter(program_version_source::Column::ProgramVersionId.eq(version));
    Ok(tx.all(select.order_by_asc(program_version_source::Column::SourceId)).await?)
}

/// What learners of a program see: the source versions of the visible version, by source.
pub(crate) async fn published_sources(
    tx: &TenantTx,
    program: &str,
) -> Result<Vec<program_version_source::Model>, Error> {
    let visible = program_version_source::Column::ProgramVersionId.in_subquery(visible_of(tx, program));
    let select = tx.find::<program_version_source::Entity>().filter(visible);
    Ok(tx.all(select.order_by_asc(program_version_source::Column::SourceId)).await?)
}

/// Finds the program version that learners of a program see.
fn visible_of(tx: &TenantTx, program: &str) -> SelectStatement {
    let visible = tx.find::<published::Entity>().filter(published::Column::ProgramId.eq(program));
    visible.select_only().column(published::Column::ProgramVersionId).into_query()
}

/// The version of a source that learners of its program see, if any.
pub(crate) async fn published_of(
    tx: &TenantTx,
    program: &str,
    source: &str,
) -> Result<Option<String>, Error> {
    let select = tx
        .find::<program_version_source::Entity>()
        .filter(program_version_source::Column::ProgramVersionId.in_subquery(visible_of(tx, program)))
        .filter(program_version_source::Column::SourceId.eq(source));
    Ok(tx.one(select).await?.map(|row| row.source_version_id))
}

/// Whether learners of a program saw a version of a source before the program version that they see now. What waits to be
/// published has a higher number.
pub(crate) async fn was_published(
    tx: &TenantTx,
    program: &str,
    source: &str,
    source_version: &str,
) -> Result<bool, Error> {
    let Some(visible) = super::programs::published(tx, program).await? else { return Ok(false) };
    let visible = get(tx, &visible.program_version_id).await?;
    let earlier = tx
        .find::<program_version::Entity>()
        .filter(program_version::Column::ProgramId.eq(program))
        .filter(program_version::Column::Number.lt(visible.number))
        .select_only()
        .column(program_version::Column::Id)
        .into_query();
    let select = tx
        .find::<program_version_source::Entity>()
        .filter(program_version_source::Column::ProgramVersionId.in_subquery(earlier))
        .filter(program_version_source::Column::SourceId.eq(source))
        .filter(program_version_source::Column::SourceVersionId.eq(source_version));
    Ok(tx.one(select).await?.is_some())
}

/// Every version that has to be in the index.
pub(crate) async fn to_index(tx: &TenantTx) -> Result<Vec<(String, String)>, Error> {
    let visible = tx
        .all(tx.find::<published::Entity>())
        .await?
        .into_iter()
        .map(|row| (row.program_id, row.program_version_id));
    let waiting = tx
        .all(tx.find::<pending::Entity>())
        .await?
        .into_iter()
        .map(|row| (row.program_id, row.program_version_id));
    Ok(visible.chain(waiting).collect())
}

/// Notes how far the index of a waiting version is. `false` when that version does not wait.
pub(crate) async fn note_progress(
    tx: &TenantTx,
    version: &str,
    done: i64,
    total: i64,
    problem: &str,
) -> Result<bool, Error> {
    let update = tx
        .update::<pending::Entity>()
        .col_expr(pending::Column::Done, Expr::value(done))
        .col_expr(pending::Column::Total, Expr::value(total))
        .col_expr(pending::Column::Problem, Expr::value(problem))
        .filter(pending::Column::ProgramVersionId.eq(version));
    Ok(tx.run_update(update).await? == 1)
}

/// Ends the waiting of a version. `false` when it does not wait.
pub(crate) async fn stop_waiting(tx: &TenantTx, version: &str) -> Result<bool, Error> {
    Ok(tx
        .run_delete(tx.delete::<pending::Entity>().filter(pending::Column::ProgramVersionId.eq(version)))
        .await?
        == 1)
}

/// Makes a version what learners of its program see.
pub(crate) async fn show(tx: &TenantTx, program: &str, version: &str) -> Result<(), Error> {
    hide(tx, program).await?;
    let row = published::Model {
        org_id: tx.org_key(),
        program_id: program.to_owned(),
        program_version_id: version.to_owned(),
        published_at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}

/// Takes away what learners of a program see. `false` when they saw nothing.
pub(crate) async fn hide(tx: &TenantTx, program: &str) -> Result<bool, Error> {
    Ok(tx
        .run_delete(tx.delete::<published::Entity>().filter(published::Column::ProgramId.eq(program)))
        .await?
        == 1)
}
