//! Sources, their versions, and decisions on them.

use std::collections::HashMap;

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};

use super::{approval, passage, published, quarantine, source, source_version};
use crate::Error;
use crate::domain::readable::{Quotable, Readable};

/// The newest version of every source of programs.
pub(crate) fn newest_of_programs(tx: &TenantTx, programs: &[String]) -> Select<source_version::Entity> {
    let newest = Query::select()
        .column(source::Column::NewestVersionId)
        .from(Alias::new("ingestion_source"))
        .and_where(Expr::col(source::Column::OrgId).eq(tx.org_key()))
        .and_where(Expr::col(source::Column::ProgramId).is_in(programs))
        .to_owned();
    tx.find::<source_version::Entity>().filter(source_version::Column::Id.in_subquery(newest))
}

/// One source.
pub(crate) async fn get(tx: &TenantTx, id: &str) -> Result<source::Model, Error> {
    let select = tx.find::<source::Entity>().filter(source::Column::Id.eq(id));
    tx.one(select).await?.ok_or(Error::SourceNotFound)
}

/// A source with its newest version.
pub(crate) async fn newest(
    tx: &TenantTx,
    source: &str,
) -> Result<(source::Model, source_version::Model), Error> {
    let source = get(tx, source).await?;
    let version = version(tx, &source.newest_version_id).await?;
    Ok((source, version))
}

/// One version.
pub(crate) async fn version(tx: &TenantTx, id: &str) -> Result<source_version::Model, Error> {
    let select = tx.find::<source_version::Entity>().filter(source_version::Column::Id.eq(id));
    tx.one(select).await?.ok_or(Error::SourceNotFound)
}

/// The source of a program that carries the caller's own name for it.
pub(crate) async fn by_external_id(
    tx: &TenantTx,
    program: &str,
    external_id: &str,
) -> Result<Option<source::Model>, Error> {
    let select = tx
        .find::<source::Entity>()
        .filter(source::Column::ProgramId.eq(program))
        .filter(source::Column::ExternalId.eq(external_id));
    Ok(tx.one(select).await?)
}

/// Sources of a program behind `after`, newest first.
pub(crate) async fn list(
    tx: &TenantTx,
    program: &str,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<source::Model>, Error> {
    let mut select = tx
        .find::<source::Entity>()
        .filter(source::Column::ProgramId.eq(program))
        .order_by_desc(source::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        select = select.filter(source::Column::Id.lt(after));
    }
    Ok(tx.all(select).await?)
}

/// The sources of these ids.
pub(crate) async fn by_ids(tx: &TenantTx, ids: Vec<String>) -> Result<Vec<source::Model>, Error> {
    Ok(tx.all(tx.find::<source::Entity>().filter(source::Column::Id.is_in(ids))).await?)
}

/// The versions of these ids.
pub(crate) async fn versions(tx: &TenantTx, ids: Vec<String>) -> Result<Vec<source_version::Model>, Error> {
    Ok(tx.all(tx.find::<source_version::Entity>().filter(source_version::Column::Id.is_in(ids))).await?)
}

/// Makes a version the newest of its source.
pub(crate) async fn set_newest(tx: &TenantTx, source: &str, version: &str) -> Result<(), Error> {
    let update = tx
        .update::<source::Entity>()
        .col_expr(source::Column::NewestVersionId, Expr::value(version))
        .filter(source::Column::Id.eq(source));
    tx.run_update(update).await?;
    Ok(())
}

/// Moves a version from one state to another; refuses when it is in a third.
pub(crate) async fn change_state(
    tx: &TenantTx,
    version: &source_version::Model,
    from: &'static str,
    to: &str,
) -> Result<(), Error> {
    let mut update = tx
        .update::<source_version::Entity>()
        .col_expr(source_version::Column::State, Expr::value(to))
        .filter(source_version::Column::Id.eq(&version.id))
        .filter(source_version::Column::State.eq(from));
    if to == "in_review" {
        update = update.col_expr(source_version::Column::SubmittedAt, Expr::value(tx.now().micros()));
    }
    if tx.run_update(update).await? == 0 {
        return Err(Error::WrongState { state: version.state.replace('_', " "), needed: from });
    }
    Ok(())
}

/// What extraction found out about a version.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) state: &'static str,
    pub(crate) title: &'a str,
    pub(crate) problem: (&'a str, &'a str),
    pub(crate) notes: String,
    pub(crate) pages: i64,
    pub(crate) passages: i64,
}

/// Ends the extraction of a version. `false` when it had ended before.
pub(crate) async fn end_extraction(
    tx: &TenantTx,
    version: &str,
    outcome: Outcome<'_>,
) -> Result<bool, Error> {
    use source_version::Column;
    let update = tx
        .update::<source_version::Entity>()
        .col_expr(Column::State, Expr::value(outcome.state))
        .col_expr(Column::Title, Expr::value(outcome.title))
        .col_expr(Column::ProblemCode, Expr::value(outcome.problem.0))
        .col_expr(Column::ProblemMessage, Expr::value(outcome.problem.1))
        .col_expr(Column::Notes, Expr::value(outcome.notes))
        .col_expr(Column::Pages, Expr::value(outcome.pages))
        .col_expr(Column::Passages, Expr::value(outcome.passages))
        .filter(Column::Id.eq(version))
        .filter(Column::State.eq("extracting"));
    Ok(tx.run_update(update).await? == 1)
}

/// The decision on a version, if there is one.
pub(crate) async fn approval(tx: &TenantTx, version: &str) -> Result<Option<approval::Model>, Error> {
    Ok(tx.one(tx.find::<approval::Entity>().filter(approval::Column::SourceVersionId.eq(version))).await?)
}

/// The decisions on these versions.
pub(crate) async fn approvals(tx: &TenantTx, versions: Vec<String>) -> Result<Vec<approval::Model>, Error> {
    Ok(tx
        .all(tx.find::<approval::Entity>().filter(approval::Column::SourceVersionId.is_in(versions)))
        .await?)
}

/// Passages of a version that may be read, from an ordinal on.
pub(crate) async fn passages(
    tx: &TenantTx,
    version: &Readable,
    from: i64,
    limit: u64,
) -> Result<Vec<passage::Model>, Error> {
    let select = tx
        .find::<passage::Entity>()
        .filter(passage::Column::SourceVersionId.eq(version.version_id()))
        .filter(passage::Column::Ordinal.gte(from))
        .order_by_asc(passage::Column::Ordinal)
        .limit(limit);
    Ok(tx.all(select).await?)
}

/// All passages of versions that may be read, those of each in their order.
pub(crate) async fn passages_of(
    tx: &TenantTx,
    readable: &HashMap<String, Readable>,
) -> Result<Vec<passage::Model>, Error> {
    let versions = readable.values().map(Readable::version_id);
    let select = tx.find::<passage::Entity>().filter(passage::Column::SourceVersionId.is_in(versions));
    Ok(tx
        .all(select.order_by_asc(passage::Column::SourceVersionId).order_by_asc(passage::Column::Ordinal))
        .await?)
}

/// Passages of these ids that may be quoted: of sources of the program that were not retracted, and only while the version
/// is what is published. One statement, because every question waits for it, and so that all of it holds at one instant.
pub(crate) async fn passages_to_quote(
    tx: &TenantTx,
    may: &Quotable<'_>,
    ids: Vec<String>,
) -> Result<Vec<passage::Model>, Error> {
    let org = tx.org_key();
    let retracted = Query::select()
        .column(quarantine::Column::SourceVersionId)
        .from(quarantine::Entity)
        .and_where(Expr::col(quarantine::Column::OrgId).eq(&org))
        .and_where(Expr::col(quarantine::Column::ProgramId).eq(may.program()))
        .to_owned();
    let held = Query::select()
        .column(source_version::Column::Id)
        .from(source_version::Entity)
        .and_where(Expr::col(source_version::Column::OrgId).eq(&org))
        .and_where(Expr::col(source_version::Column::ProgramId).eq(may.program()))
        .and_where(Expr::col(source_version::Column::Id).not_in_subquery(retracted))
        .to_owned();
    let visible = Query::select()
        .expr(Expr::value(1))
        .from(published::Entity)
        .and_where(Expr::col(published::Column::OrgId).eq(&org))
        .and_where(Expr::col(published::Column::ProgramId).eq(may.program()))
        .and_where(Expr::col(published::Column::ProgramVersionId).eq(may.version()))
        .to_owned();
    let select = tx
        .find::<passage::Entity>()
        .filter(passage::Column::Id.is_in(ids))
        .filter(passage::Column::SourceVersionId.in_subquery(held))
        .filter(Expr::exists(visible));
    Ok(tx.all(select).await?)
}
