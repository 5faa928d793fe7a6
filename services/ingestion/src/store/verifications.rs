//! Verifications, the requests behind them, surveillance, quarantine, tasks.

use std::collections::HashMap;
use std::time::Duration;

use preceptor_store::TenantTx;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, DbErr, FromQueryResult, QueryFilter as _, QueryOrder as _, QueryResult,
    QuerySelect as _,
};

use super::{quarantine, registry_call, registry_key, source_version, surveillance, task, verification};
use crate::Error;
use crate::registries::Verdict;

/// The newest verification of a version.
pub(crate) async fn newest(tx: &TenantTx, version: &str) -> Result<Option<verification::Model>, Error> {
    use verification::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::SourceVersionId.eq(version));
    Ok(tx.one(select.order_by_desc(Column::VerifiedAt).order_by_desc(Column::Id)).await?)
}

/// The newest verification of each of these versions.
pub(crate) async fn newest_of(tx: &TenantTx, versions: &[String]) -> Result<Vec<verification::Model>, Error> {
    use verification::{Column, Entity};
    let (later, own) = (Alias::new("later"), |column: Column| Expr::col((Entity, column)));
    let of_later = |column: Column| Expr::col((later.clone(), column));
    let same_instant = of_later(Column::VerifiedAt).eq(own(Column::VerifiedAt));
    let is_newer = of_later(Column::VerifiedAt)
        .gt(own(Column::VerifiedAt))
        .or(same_instant.and(of_later(Column::Id).gt(own(Column::Id))));
    let newer = Query::select()
        .expr(Expr::value(1))
        .from_as(Entity, later.clone())
        .and_where(of_later(Column::OrgId).eq(own(Column::OrgId)))
        .and_where(of_later(Column::SourceVersionId).eq(own(Column::SourceVersionId)))
        .and_where(is_newer)
        .to_owned();
    let select = tx.find::<Entity>().filter(Column::SourceVersionId.is_in(versions));
    Ok(tx.all(select.filter(Expr::not_exists(newer))).await?)
}

/// The verifications of versions, newest first.
pub(crate) async fn of_versions(
    tx: &TenantTx,
    versions: &[String],
) -> Result<Vec<verification::Model>, Error> {
    use verification::{Column, Entity};
    let select = tx.find::<Entity>().filter(Column::SourceVersionId.is_in(versions));
    Ok(tx.all(select.order_by_desc(Column::VerifiedAt).order_by_desc(Column::Id)).await?)
}

/// The ids of all versions of a source.
pub(crate) async fn versions_of(tx: &TenantTx, source: &str) -> Result<Vec<String>, Error> {
    let select = tx.find::<source_version::Entity>().filter(source_version::Column::SourceId.eq(source));
    Ok(tx.all(select).await?.into_iter().map(|row| row.id).collect())
}

/// The requests behind verifications, by verification; those behind each in order.
pub(crate) async fn calls(
    tx: &TenantTx,
    verifications: Vec<String>,
) -> Result<HashMap<String, Vec<registry_call::Model>>, Error> {
    use registry_call::{Column, Entity};
    let mut behind: HashMap<String, Vec<registry_call::Model>> = HashMap::new();
    if verifications.is_empty() {
        return Ok(behind);
    }
    let select = tx.find::<Entity>().filter(Column::VerificationId.is_in(verifications));
    for call in tx.all(select.order_by_asc(Column::Id)).await? {
        behind.entry(call.verification_id.clone()).or_default().push(call);
    }
    Ok(behind)
}

/// One request.
pub(crate) async fn call(tx: &TenantTx, id: &str) -> Result<Option<registry_call::Model>, Error> {
    Ok(tx.one(tx.find::<registry_call::Entity>().filter(registry_call::Column::Id.eq(id))).await?)
}

/// The requests about versions, newest first, before one of them; empty for the newest.
pub(crate) async fn calls_about(
    tx: &TenantTx,
    versions: &[String],
    before: &str,
    limit: u64,
) -> Result<Vec<registry_call::Model>, Error> {
    use registry_call::{Column, Entity};
    let mut select = tx
        .find::<Entity>()
        .filter(Column::SourceVersionId.is_in(versions))
        .order_by_desc(Column::Id)
        .limit(limit);
    if !before.is_empty() {
        select = select.filter(Column::Id.lt(before));
    }
    Ok(tx.all(select).await?)
}

/// Keeps requests and what came back.
pub(crate) async fn keep_calls(tx: &TenantTx, rows: Vec<registry_call::Model>) -> Result<(), Error> {
    Ok(tx.insert_all(rows).await?)
}

/// Has a version watched, in place of what was watched before.
pub(crate) async fn watch(tx: &TenantTx, row: surveillance::Model) -> Result<(), Error> {
    use surveillance::{Column, Entity};
    tx.run_delete(tx.delete::<Entity>().filter(Column::SourceVersionId.eq(&row.source_version_id))).await?;
    Ok(tx.insert(row).await?)
}

/// What is watched of a version.
pub(crate) async fn watched(tx: &TenantTx, version: &str) -> Result<Option<surveillance::Model>, Error> {
    Ok(tx
        .one(tx.find::<surveillance::Entity>().filter(surveillance::Column::SourceVersionId.eq(version)))
        .await?)
}

/// Puts a check off.
pub(crate) async fn postpone(
    tx: &TenantTx,
    watched: &surveillance::Model,
    pause: Duration,
) -> Result<(), Error> {
    use surveillance::{Column, Entity};
    let update =
        tx.update::<Entity>().col_expr(Column::NextCheckAt, Expr::value(tx.now().after(pause).micros()));
    tx.run_update(update.filter(Column::SourceVersionId.eq(&watched.source_version_id))).await?;
    Ok(())
}

/// Notes the outcome of a check and when the next one is.
pub(crate) async fn checked(
    tx: &TenantTx,
    watched: &surveillance::Model,
    verdict: Verdict,
    pause: Duration,
) -> Result<(), Error> {
    use surveillance::{Column, Entity};
    let update = tx
        .update::<Entity>()
        .col_expr(Column::Verdict, Expr::value(verdict.name()))
        .col_expr(Column::CheckedAt, Expr::value(tx.now().micros()))
        .col_expr(Column::NextCheckAt, Expr::value(tx.now().after(pause).micros()));
    tx.run_update(update.filter(Column::SourceVersionId.eq(&watched.source_version_id))).await?;
    Ok(())
}

/// The org's key for a registry.
pub(crate) async fn key(tx: &TenantTx, registry: &str) -> Result<Option<registry_key::Model>, Error> {
    Ok(tx.one(tx.find::<registry_key::Entity>().filter(registry_key::Column::Registry.eq(registry))).await?)
}

/// Forgets the org's key for a registry; says whether there was one.
pub(crate) async fn forget_key(tx: &TenantTx, registry: &str) -> Result<bool, Error> {
    let known = tx.delete::<registry_key::Entity>().filter(registry_key::Column::Registry.eq(registry));
    Ok(tx.run_delete(known).await? > 0)
}

/// What else is known of a version at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// A registry was asked and has not answered yet.
    pub(crate) is_being_verified: bool,
    pub(crate) is_quarantined: bool,
}

/// A version with its marks.
#[derive(Debug)]
pub(crate) struct Marked {
    pub(crate) version: source_version::Model,
    pub(crate) marks: Marks,
}

impl FromQueryResult for Marked {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let checked_at: Option<i64> = row.try_get(prefix, "checked_at")?;
        let quarantined: Option<String> = row.try_get(prefix, "quarantined")?;
        Ok(Self {
            version: source_version::Model::from_query_result(row, prefix)?,
            marks: Marks { is_being_verified: checked_at == Some(0), is_quarantined: quarantined.is_some() },
        })
    }
}

/// The versions of these ids with their marks.
pub(crate) async fn marked(tx: &TenantTx, versions: Vec<String>) -> Result<Vec<Marked>, Error> {
    let own = || Expr::col((source_version::Entity, source_version::Column::Id));
    let checked_at = Query::select()
        .column(surveillance::Column::CheckedAt)
        .from(surveillance::Entity)
        .and_where(Expr::col((surveillance::Entity, surveillance::Column::OrgId)).eq(tx.org_key()))
        .and_where(Expr::col(surveillance::Column::SourceVersionId).eq(own()))
        .to_owned();
    let quarantined = Query::select()
        .column(quarantine::Column::VerificationId)
        .from(quarantine::Entity)
        .and_where(Expr::col((quarantine::Entity, quarantine::Column::OrgId)).eq(tx.org_key()))
        .and_where(Expr::col(quarantine::Column::SourceVersionId).eq(own()))
        .to_owned();
    let select = tx
        .find::<source_version::Entity>()
        .filter(source_version::Column::Id.is_in(versions))
        .expr_as(Expr::from(checked_at), "checked_at")
        .expr_as(Expr::from(quarantined), "quarantined");
    Ok(tx.all_as(select).await?)
}

/// The quarantine of a version.
pub(crate) async fn quarantine(tx: &TenantTx, version: &str) -> Result<Option<quarantine::Model>, Error> {
    Ok(tx
        .one(tx.find::<quarantine::Entity>().filter(quarantine::Column::SourceVersionId.eq(version)))
        .await?)
}

/// The versions of a program that are in quarantine.
pub(crate) async fn quarantined(tx: &TenantTx, program: &str) -> Result<Vec<String>, Error> {
    let select = tx.find::<quarantine::Entity>().filter(quarantine::Column::ProgramId.eq(program));
    Ok(tx.all(select).await?.into_iter().map(|row| row.source_version_id).collect())
}

/// One task.
pub(crate) async fn task(tx: &TenantTx, id: &str) -> Result<Option<task::Model>, Error> {
    Ok(tx.one(tx.find::<task::Entity>().filter(task::Column::Id.eq(id))).await?)
}

/// The tasks of a program: open ones first, newest first.
pub(crate) async fn tasks(tx: &TenantTx, program: &str) -> Result<Vec<task::Model>, Error> {
    let select = tx
        .find::<task::Entity>()
        .filter(task::Column::ProgramId.eq(program))
        .order_by_desc(task::Column::OpenedAt);
    let mut rows = tx.all(select.limit(200)).await?;
    rows.sort_by_key(|row| row.closed_at.is_some());
    Ok(rows)
}

/// Closes a task.
pub(crate) async fn close_task(tx: &TenantTx, id: &str, outcome: &str) -> Result<(), Error> {
    use task::{Column, Entity};
    let update = tx
        .update::<Entity>()
        .col_expr(Column::ClosedAt, Expr::value(Some(tx.now().micros())))
        .col_expr(Column::ClosedBy, Expr::value(tx.scope().subject()))
        .col_expr(Column::Outcome, Expr::value(outcome));
    tx.run_update(update.filter(Column::Id.eq(id))).await?;
    Ok(())
}
