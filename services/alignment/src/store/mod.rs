//! Tables of alignment.

pub(crate) mod classification;

use preceptor_proto::alignment::v1::ListAlignmentsRequest;
use preceptor_store::{Migration, Schema, TenantTx};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::Error;

/// The tables of the alignment service.
pub const SCHEMA: Schema = Schema {
    service: "alignment",
    migrations: &[Migration {
        name: "0001_classifications",
        sql: include_str!("0001_classifications.sql"),
        append_only: &["alignment_classification"],
    }],
};

/// Keeps a classification.
pub(crate) async fn keep(tx: &TenantTx, row: classification::Model) -> Result<(), Error> {
    Ok(tx.insert(row).await?)
}

/// Classifications of a program, newest message first.
pub(crate) async fn list(
    tx: &TenantTx,
    request: &ListAlignmentsRequest,
    limit: u64,
) -> Result<Vec<classification::Model>, Error> {
    use classification::{Column, Entity};
    let mut select = tx.find::<Entity>().filter(Column::ProgramId.eq(request.program_id.as_str()));
    if !request.message_ids.is_empty() {
        select = select.filter(Column::MessageId.is_in(request.message_ids.iter().map(String::as_str)));
    }
    if !request.after.is_empty() {
        select = select.filter(Column::MessageId.lt(request.after.as_str()));
    }
    Ok(tx.all(select.order_by_desc(Column::MessageId).limit(limit)).await?)
}
