//! Programs and objectives.

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};

use super::{objective, pending, program, published, source_version};
use crate::Error;

/// One program.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<program::Model, Error> {
    tx.one(tx.find::<program::Entity>().filter(program::Column::Id.eq(id)))
        .await?
        .ok_or(Error::ProgramNotFound)
}

/// Which programs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Drafts too.
    All,
    /// What learners see.
    Published,
    /// What they see, and what was withdrawn from them.
    PublishedOnce,
}

/// Programs behind `after`, newest first.
pub(crate) async fn list(
    tx: &TenantTx,
    listed: Listed,
    after: Option<&str>,
    only: Option<&str>,
    limit: u64,
) -> Result<Vec<program::Model>, Error> {
    let mut select = tx.find::<program::Entity>().order_by_desc(program::Column::Id).limit(limit);
    let published =
        tx.find::<published::Entity>().select_only().column(published::Column::ProgramId).into_query();
    let is_published = program::Column::Id.in_subquery(published);
    match listed {
        Listed::All => {}
        Listed::Published => select = select.filter(is_published),
        Listed::PublishedOnce => select = select.filter(is_published.or(program::Column::Withdrawn.eq(true))),
    }
    if let Some(after) = after {
        select = select.filter(program::Column::Id.lt(after));
    }
    if let Some(only) = only {
        select = select.filter(program::Column::Id.eq(only));
    }
    Ok(tx.all(select).await?)
}

/// The objectives of a program, in their order.
pub(crate) async fn objectives(tx: &TenantTx, program: &str) -> Result<Vec<objective::Model>, Error> {
    objectives_of(tx, &[program.to_owned()]).await
}

/// The objectives of programs, those of each in their order.
pub(crate) async fn objectives_of(
    tx: &TenantTx,
    programs: &[String],
) -> Result<Vec<objective::Model>, Error> {
    let select = tx.find::<objective::Entity>().filter(objective::Column::ProgramId.is_in(programs));
    Ok(tx.all(select.order_by_asc(objective::Column::Position)).await?)
}

/// Replaces the objectives of a program.
pub(crate) async fn replace_objectives(
    tx: &TenantTx,
    program: &str,
    rows: Vec<objective::Model>,
) -> Result<(), Error> {
    tx.run_delete(tx.delete::<objective::Entity>().filter(objective::Column::ProgramId.eq(program))).await?;
    Ok(tx.insert_all(rows).await?)
}

/// Raises the revision of a program; refuses when it is not at `expected`.
pub(crate) async fn raise_revision(
    tx: &TenantTx,
    program: &program::Model,
    expected: Option<i64>,
) -> Result<(), Error> {
    if expected.is_some_and(|expected| expected != program.revision) {
        return Err(Error::RevisionConflict { current: program.revision });
    }
    let update = tx
        .update::<program::Entity>()
        .col_expr(program::Column::Revision, Expr::value(program.revision + 1))
        .col_expr(program::Column::UpdatedAt, Expr::value(tx.now().micros()))
        .filter(program::Column::Id.eq(&program.id));
    tx.run_update(update).await?;
    Ok(())
}

/// Sets title and summary.
pub(crate) async fn rename(tx: &TenantTx, program: &str, title: &str, summary: &str) -> Result<(), Error> {
    let update = tx
        .update::<program::Entity>()
        .col_expr(program::Column::Title, Expr::value(title))
        .col_expr(program::Column::Summary, Expr::value(summary))
        .filter(program::Column::Id.eq(program));
    tx.run_update(update).await?;
    Ok(())
}

/// Notes whether the last act was a withdrawal.
pub(crate) async fn set_withdrawn(tx: &TenantTx, program: &str, withdrawn: bool) -> Result<(), Error> {
    let update = tx
        .update::<program::Entity>()
        .col_expr(program::Column::Withdrawn, Expr::value(withdrawn))
        .filter(program::Column::Id.eq(program));
    tx.run_update(update).await?;
    Ok(())
}

/// What learners see of a program, if anything.
pub(crate) async fn published(tx: &TenantTx, program: &str) -> Result<Option<published::Model>, Error> {
    Ok(tx.one(tx.find::<published::Entity>().filter(published::Column::ProgramId.eq(program))).await?)
}

/// What learners see of programs; nothing for those of which they see nothing.
pub(crate) async fn published_of(tx: &TenantTx, programs: &[String]) -> Result<Vec<published::Model>, Error> {
    Ok(tx.all(tx.find::<published::Entity>().filter(published::Column::ProgramId.is_in(programs))).await?)
}

/// The versions of programs that wait for their index.
pub(crate) async fn pending_of(tx: &TenantTx, programs: &[String]) -> Result<Vec<pending::Model>, Error> {
    Ok(tx.all(tx.find::<pending::Entity>().filter(pending::Column::ProgramId.is_in(programs))).await?)
}

/// The version of a program that waits for its index, if any.
pub(crate) async fn pending(tx: &TenantTx, program: &str) -> Result<Option<pending::Model>, Error> {
    Ok(tx.one(tx.find::<pending::Entity>().filter(pending::Column::ProgramId.eq(program))).await?)
}

/// How many newest versions of a program's sources are in a state.
#[derive(Debug, FromQueryResult)]
pub(crate) struct StateCount {
    pub(crate) program_id: String,
    pub(crate) state: String,
    pub(crate) count: i64,
}

/// Counts the newest versions of the sources of programs, by program and state.
pub(crate) async fn source_counts(tx: &TenantTx, programs: &[String]) -> Result<Vec<StateCount>, Error> {
    let newest = super::sources::newest_of_programs(tx, programs);
    let select = newest
        .select_only()
        .column(source_version::Column::ProgramId)
        .column(source_version::Column::State)
        .column_as(Expr::col(source_version::Column::Id).count(), "count")
        .group_by(source_version::Column::ProgramId)
        .group_by(source_version::Column::State);
    Ok(tx.all_as(select).await?)
}
