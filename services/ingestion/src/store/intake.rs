//! Uploads that have not ended, and how much an org stores.

use preceptor_core::Timestamp;
use preceptor_core::id::ObjectId;
use preceptor_store::TenantTx;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait, FromQueryResult, QueryFilter as _, QuerySelect as _};

use super::{source_version, upload};
use crate::Error;

#[derive(Debug, FromQueryResult)]
struct Sum {
    bytes: Option<i64>,
}

async fn sum<E: preceptor_store::TenantEntity>(
    tx: &TenantTx,
    column: <E as EntityTrait>::Column,
) -> Result<i64, Error> {
    let sum = Expr::col(column).sum().cast_as(Alias::new("bigint"));
    let sums: Vec<Sum> = tx.all_as(tx.find::<E>().select_only().column_as(sum, "bytes")).await?;
    Ok(sums.first().and_then(|sum| sum.bytes).unwrap_or(0))
}

/// Bytes of the org's files, and those set aside for files on their way.
pub(crate) async fn stored_bytes(tx: &TenantTx) -> Result<i64, Error> {
    let stored = sum::<source_version::Entity>(tx, source_version::Column::SizeBytes).await?;
    Ok(stored.saturating_add(sum::<upload::Entity>(tx, upload::Column::ReservedBytes).await?))
}

/// Ends an upload. `false` when it had ended before.
pub(crate) async fn end(tx: &TenantTx, object: ObjectId) -> Result<bool, Error> {
    let delete = tx.delete::<upload::Entity>().filter(upload::Column::ObjectId.eq(object.to_string()));
    Ok(tx.run_delete(delete).await? == 1)
}

/// Whether an upload has not ended.
pub(crate) async fn is_pending(tx: &TenantTx, object: ObjectId) -> Result<bool, Error> {
    let select = tx.find::<upload::Entity>().filter(upload::Column::ObjectId.eq(object.to_string()));
    Ok(tx.one(select).await?.is_some())
}

/// Uploads that began before.
pub(crate) async fn older(tx: &TenantTx, than: Timestamp) -> Result<Vec<upload::Model>, Error> {
    Ok(tx.all(tx.find::<upload::Entity>().filter(upload::Column::BegunAt.lt(than.micros()))).await?)
}
