//! What retrieval keeps: vectors by content, and the statistics of indexed versions.

pub(crate) mod indexed;
pub(crate) mod vector;

use preceptor_store::{Migration, Schema, TenantTx};
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use crate::Error;

/// The tables of retrieval.
pub const SCHEMA: Schema = Schema {
    service: "retrieval",
    migrations: &[Migration { name: "0001_index", sql: include_str!("0001_index.sql"), append_only: &[] }],
};

/// Statements carry at most so many values.
const BATCH: usize = 500;

/// The stored vectors of these contents.
pub(crate) async fn vectors(tx: &TenantTx, contents: &[String]) -> Result<Vec<vector::Model>, Error> {
    let mut found = Vec::with_capacity(contents.len());
    for batch in contents.chunks(BATCH) {
        let select = tx
            .find::<vector::Entity>()
            .filter(vector::Column::Content.is_in(batch.iter().map(String::as_str)));
        found.extend(tx.all(select).await?);
    }
    Ok(found)
}

/// Stores vectors.
pub(crate) async fn store_vectors(tx: &TenantTx, rows: Vec<vector::Model>) -> Result<(), Error> {
    for batch in rows.chunks(BATCH / 5) {
        tx.insert_all(batch.to_vec()).await?;
    }
    Ok(())
}

/// The statistics of an indexed version, if it is indexed.
pub(crate) async fn indexed_version(tx: &TenantTx, version: &str) -> Result<Option<indexed::Model>, Error> {
    Ok(tx.one(tx.find::<indexed::Entity>().filter(indexed::Column::ProgramVersionId.eq(version))).await?)
}

/// Notes that a version is indexed, with its statistics.
pub(crate) async fn note_indexed(tx: &TenantTx, row: indexed::Model) -> Result<(), Error> {
    forget_indexed(tx, &row.program_version_id).await?;
    Ok(tx.insert(row).await?)
}

/// Forgets that a version is indexed: before its points are touched.
pub(crate) async fn forget_indexed(tx: &TenantTx, version: &str) -> Result<(), Error> {
    tx.run_delete(tx.delete::<indexed::Entity>().filter(indexed::Column::ProgramVersionId.eq(version)))
        .await?;
    Ok(())
}
