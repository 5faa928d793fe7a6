//! Tables of the log.

pub(crate) mod head;
pub(crate) mod leaf;
pub(crate) mod producer;

use preceptor_store::{Migration, Schema, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::Error;
use crate::domain::Frontier;

/// The tables of the audit service.
pub const SCHEMA: Schema = Schema {
    service: "audit",
    migrations: &[Migration { name: "0001_log", sql: include_str!("0001_log.sql"), append_only: &["audit_leaf"] }],
};

/// A record on its way into the log.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) producer: &'a str,
    pub(crate) sequence: i64,
    pub(crate) bytes: &'a [u8],
}

/// The head of the org's log, and the right edge of its tree.
pub(crate) async fn read_head(tx: &TenantTx) -> Result<(Frontier, i64), Error> {
    let Some(row) = tx.one(tx.find::<head::Entity>()).await? else { return Ok((Frontier::default(), 0)) };
    let size = u64::try_from(row.size).map_err(|_| Error::DamagedHead)?;
    let frontier = Frontier::read(size, &row.frontier).ok_or(Error::DamagedHead)?;
    if frontier.root().0.as_slice() != row.root {
        return Err(Error::DamagedHead);
    }
    Ok((frontier, row.updated_at))
}

/// Appends a record. `false` when it is in the log already.
pub(crate) async fn append(tx: &TenantTx, record: &Record<'_>) -> Result<bool, Error> {
    if !next_of_producer(tx, record).await? {
        return Ok(false);
    }
    let (mut frontier, _) = read_head(tx).await?;
    let index = i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?;
    let leaf_hash = frontier.append(record.bytes);
    tx.insert(leaf::Model {
        org_id: tx.org_key(),
        idx: index,
        leaf_hash: leaf_hash.0.to_vec(),
        event_id: record.event_id.to_owned(),
        record: record.bytes.to_vec(),
    })
    .await?;
    let head = head::Model {
        org_id: tx.org_key(),
        size: index + 1,
        root: frontier.root().0.to_vec(),
        frontier: frontier.bytes(),
        updated_at: tx.now().micros(),
    };
    if index == 0 {
        tx.insert(head).await?;
        return Ok(true);
    }
    let update = tx
        .update::<head::Entity>()
        .col_expr(head::Column::Size, Expr::value(head.size))
        .col_expr(head::Column::Root, Expr::value(head.root))
        .col_expr(head::Column::Frontier, Expr::value(head.frontier))
        .col_expr(head::Column::UpdatedAt, Expr::value(head.updated_at));
    tx.run_update(update).await?;
    Ok(true)
}

/// Moves the producer's counter on. `false` when the record came before, an error when one before it is missing.
async fn next_of_producer(tx: &TenantTx, record: &Record<'_>) -> Result<bool, Error> {
    let of_producer = tx.find::<producer::Entity>().filter(producer::Column::Producer.eq(record.producer));
    let last = tx.one(of_producer).await?.map(|row| row.last_sequence);
    let expected = last.unwrap_or(0) + 1;
    if record.sequence < expected {
        return Ok(false);
    }
    if record.sequence > expected {
        return Err(Error::Gap { producer: record.producer.to_owned(), last: expected - 1, found: record.sequence });
    }
    if last.is_none() {
        let row = producer::Model { org_id: tx.org_key(), producer: record.producer.to_owned(), last_sequence: record.sequence };
        tx.insert(row).await?;
        return Ok(true);
    }
    let update = tx
        .update::<producer::Entity>()
        .col_expr(producer::Column::LastSequence, Expr::value(record.sequence))
        .filter(producer::Column::Producer.eq(record.producer));
    tx.run_update(update).await?;
    Ok(true)
}

/// Leaves from an index on.
pub(crate) async fn leaves(tx: &TenantTx, from: i64, limit: u64) -> Result<Vec<leaf::Model>, Error> {
    let select = tx.find::<leaf::Entity>().filter(leaf::Column::Idx.gte(from)).order_by_asc(leaf::Column::Idx).limit(limit);
    Ok(tx.all(select).await?)
}
