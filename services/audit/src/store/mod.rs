//! Tables of the log.

pub(crate) mod about;
pub(crate) mod head;
pub(crate) mod leaf;
pub(crate) mod producer;
pub(crate) mod proofs;
pub(crate) mod signed;

use std::collections::BTreeMap;

use preceptor_store::{Migration, Schema, TenantTx, tenant_tables};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, FromQueryResult, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use tlog_tiles::tlog::record_hash;

use crate::Error;
use crate::domain::Frontier;

/// The tables of the audit service.
pub const SCHEMA: Schema = Schema {
    service: "audit",
    migrations: &[
        Migration { name: "0001_log", sql: include_str!("0001_log.sql"), append_only: &["audit_leaf"] },
        Migration { name: "0002_nodes", sql: include_str!("0002_nodes.sql"), append_only: &["audit_node"] },
        Migration {
            name: "0003_objects",
            sql: include_str!("0003_objects.sql"),
            append_only: &["audit_object"],
        },
        Migration { name: "0004_signed", sql: include_str!("0004_signed.sql"), append_only: &[] },
    ],
};

tenant_tables! {
    /// Roots of perfect subtrees.
    node = "audit_node" key { level: i64, place: i64 } { hash: Vec<u8> }

    /// Which leaves speak of an object.
    object = "audit_object" key { object: String, idx: i64 } {}
}

/// A record on its way into the log.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) producer: &'a str,
    pub(crate) sequence: i64,
    pub(crate) bytes: &'a [u8],
}

/// What became of records that came.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    /// Whether anything was written.
    pub(crate) changed: bool,
    /// Producers whose counters said that these records were in the log, and the numbers that they said.
    pub(crate) miscounted: BTreeMap<String, i64>,
}

/// Records as the counters have them.
#[derive(Debug, Default)]
struct Counted<'a> {
    /// Those that are in no leaf.
    fresh: Vec<&'a Record<'a>>,
    changed: bool,
    miscounted: BTreeMap<String, i64>,
}

/// A leaf without its record, which can be large.
#[derive(Debug, FromQueryResult)]
struct LeafHash {
    event_id: String,
    leaf_hash: Vec<u8>,
}

/// Records that are asked for at once.
const MOST_ASKED: usize = 1000;

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

/// Appends records, in this order, all or none. Nothing changes when all of them are in the log already.
pub(crate) async fn append(tx: &TenantTx, records: &[Record<'_>]) -> Result<Appended, Error> {
    let Counted { fresh, changed, miscounted } = count(tx, records).await?;
    if !fresh.is_empty() {
        append_fresh(tx, fresh).await?;
    }
    Ok(Appended { changed, miscounted })
}

async fn append_fresh(tx: &TenantTx, fresh: Vec<&Record<'_>>) -> Result<(), Error> {
    let (mut frontier, _) = read_head(tx).await?;
    let is_first = frontier.size() == 0;
    let (mut leaves, mut closed, mut objects) = (Vec::with_capacity(fresh.len()), Vec::new(), Vec::new());
    for record in fresh {
        let index = i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?;
        let (leaf_hash, subtrees) = frontier.append(record.bytes);
        closed.extend(subtrees);
        objects.extend(about::object_of(record.bytes).map(|object| object::Model {
            org_id: tx.org_key(),
            object,
            idx: index,
        }));
        leaves.push(leaf::Model {
            org_id: tx.org_key(),
            idx: index,
            leaf_hash: leaf_hash.0.to_vec(),
            event_id: record.event_id.to_owned(),
            record: record.bytes.to_vec(),
        });
    }
    proofs::keep(tx, closed).await?;
    tx.insert_all(leaves).await?;
    tx.insert_all(objects).await?;
    move_head(tx, &frontier, is_first).await
}

async fn move_head(tx: &TenantTx, frontier: &Frontier, is_first: bool) -> Result<(), Error> {
    let head = head::Model {
        org_id: tx.org_key(),
        size: i64::try_from(frontier.size()).map_err(|_| Error::DamagedHead)?,
        root: frontier.root().0.to_vec(),
        frontier: frontier.bytes(),
        updated_at: tx.now().micros(),
    };
    if is_first {
        return Ok(tx.insert(head).await?);
    }
    let update = tx
        .update::<head::Entity>()
        .col_expr(head::Column::Size, Expr::value(head.size))
        .col_expr(head::Column::Root, Expr::value(head.root))
        .col_expr(head::Column::Frontier, Expr::value(head.frontier))
        .col_expr(head::Column::UpdatedAt, Expr::value(head.updated_at));
    tx.run_update(update).await?;
    Ok(())
}

/// The counters of the producers.
pub(crate) async fn counters(tx: &TenantTx) -> Result<BTreeMap<String, i64>, Error> {
    let rows = tx.all(tx.find::<producer::Entity>()).await?;
    Ok(rows.into_iter().map(|row| (row.producer, row.last_sequence)).collect())
}

/// The leaf hashes of those of the records that are in the log, by event.
async fn held(tx: &TenantTx, records: &[Record<'_>]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut found = BTreeMap::new();
    for some in records.chunks(MOST_ASKED) {
        let select = tx
            .find::<leaf::Entity>()
            .select_only()
            .column(leaf::Column::EventId)
            .column(leaf::Column::LeafHash)
            .filter(leaf::Column::EventId.is_in(some.iter().map(|record| record.event_id)));
        let leaves: Vec<LeafHash> = tx.all_as(select).await?;
        found.extend(leaves.into_iter().map(|leaf| (leaf.event_id, leaf.leaf_hash)));
    }
    Ok(found)
}

/// Moves the producers' counters to where the records lead, and returns the records that are not in the log. An error when
/// one is missing.
///
/// A counter says what came, and only the leaves prove it: a record that was counted and is in no leaf is appended like a
/// new one, and the counter goes on from there.
async fn count<'a>(tx: &TenantTx, records: &'a [Record<'a>]) -> Result<Counted<'a>, Error> {
    let known = counters(tx).await?;
    let mut held = held(tx, records).await?;
    let mut moved: BTreeMap<&str, i64> = BTreeMap::new();
    let mut counted = Counted::default();
    for record in records {
        let last = moved.get(record.producer).or_else(|| known.get(record.producer)).copied().unwrap_or(0);
        if let Some(leaf) = held.get(record.event_id) {
            same(record, leaf)?;
            // Behind a counter that was mended there may be records that are in the log.
            if record.sequence == last + 1 {
                moved.insert(record.producer, record.sequence);
            }
            continue;
        }
        if record.sequence > last + 1 {
            return Err(Error::Gap { producer: record.producer.to_owned(), last, found: record.sequence });
        }
        if record.sequence <= last {
            counted.miscounted.insert(record.producer.to_owned(), last);
        }
        moved.insert(record.producer, record.sequence);
        held.insert(record.event_id.to_owned(), record_hash(record.bytes).0.to_vec());
        counted.fresh.push(record);
    }
    counted.changed = !moved.is_empty();
    for (name, last_sequence) in moved {
        move_counter(tx, name, last_sequence, known.contains_key(name)).await?;
    }
    Ok(counted)
}

/// That the leaf of a record's event is the record.
fn same(record: &Record<'_>, leaf_hash: &[u8]) -> Result<(), Error> {
    if record_hash(record.bytes).0.as_slice() == leaf_hash {
        return Ok(());
    }
    Err(Error::Inconsistent(format!("the leaf of {} is another record", record.event_id)))
}

async fn move_counter(
    tx: &TenantTx,
    producer: &str,
    last_sequence: i64,
    is_known: bool,
) -> Result<(), Error> {
    if !is_known {
        return Ok(tx
            .insert(producer::Model { org_id: tx.org_key(), producer: producer.to_owned(), last_sequence })
            .await?);
    }
    let update = tx
        .update::<producer::Entity>()
        .col_expr(producer::Column::LastSequence, Expr::value(last_sequence))
        .filter(producer::Column::Producer.eq(producer));
    tx.run_update(update).await?;
    Ok(())
}

/// Leaves from an index on.
pub(crate) async fn leaves(tx: &TenantTx, from: i64, limit: u64) -> Result<Vec<leaf::Model>, Error> {
    let select = tx
        .find::<leaf::Entity>()
        .filter(leaf::Column::Idx.gte(from))
        .order_by_asc(leaf::Column::Idx)
        .limit(limit);
    Ok(tx.all(select).await?)
}
