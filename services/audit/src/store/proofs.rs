//! Inclusion proofs from stored rows.

use std::collections::HashMap;

use preceptor_store::TenantTx;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};
use tlog_tiles::tlog::{self, Hash, HashReader, node_hash, prove_record, split_stored_hash_index};

use super::{leaf, node};
use crate::Error;
use crate::domain::Closed;

/// Keeps the roots of the subtrees that an append closed.
pub(crate) async fn keep(tx: &TenantTx, closed: Vec<Closed>) -> Result<(), Error> {
    let row = |closed: Closed| node::Model {
        org_id: tx.org_key(),
        level: i64::from(closed.level),
        place: closed.place as i64,
        hash: closed.hash.0.to_vec(),
    };
    Ok(tx.insert_all(closed.into_iter().map(row).collect::<Vec<_>>()).await?)
}

/// The leaf that an event became.
pub(crate) async fn leaf_of(tx: &TenantTx, event: &str) -> Result<Option<leaf::Model>, Error> {
    Ok(tx.one(tx.find::<leaf::Entity>().filter(leaf::Column::EventId.eq(event))).await?)
}

/// The hashes beside the path of a leaf, from its sibling to the root's child.
pub(crate) async fn prove(tx: &TenantTx, size: u64, index: u64) -> Result<Vec<Hash>, Error> {
    let wanted = Wanted::default();
    // Which hashes a proof is made of depends on size and index alone: ask once to learn them, and again with them.
    let _ = prove_record(size, index, &wanted).map_err(|_| Error::DamagedHead)?;
    let mut known = HashMap::new();
    for stored in wanted.0.into_inner().unwrap_or_default() {
        let (level, place) = split_stored_hash_index(stored);
        known.insert(stored, subtree(tx, level, place).await?);
    }
    prove_record(size, index, &Known(known)).map_err(|_| Error::DamagedHead)
}

/// The root of the perfect subtree of that level and place.
async fn subtree(tx: &TenantTx, level: u8, place: u64) -> Result<Hash, Error> {
    let of_level = tx.find::<node::Entity>().filter(node::Column::Level.eq(i64::from(level)));
    if level > 0
        && let Some(row) = tx.one(of_level.filter(node::Column::Place.eq(place as i64))).await?
    {
        return hash(&row.hash);
    }
    let (first, end) = ((place << level) as i64, ((place + 1) << level) as i64);
    let leaves = tx.find::<leaf::Entity>().filter(leaf::Column::Idx.gte(first)).filter(leaf::Column::Idx.lt(end));
    let leaves = tx.all(leaves.order_by_asc(leaf::Column::Idx)).await?;
    let mut hashes: Vec<Hash> = leaves.iter().map(|row| hash(&row.leaf_hash)).collect::<Result<_, _>>()?;
    if hashes.len() != 1 << level {
        return Err(Error::DamagedHead);
    }
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| node_hash(pair[0], pair[1])).collect();
    }
    Ok(hashes[0])
}

fn hash(bytes: &[u8]) -> Result<Hash, Error> {
    bytes.try_into().map(Hash).map_err(|_| Error::DamagedHead)
}

/// Takes note of what it is asked for.
#[derive(Default)]
struct Wanted(std::sync::Mutex<Vec<u64>>);

impl HashReader for Wanted {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(indexes);
        Ok(vec![Hash::default(); indexes.len()])
    }
}

struct Known(HashMap<u64, Hash>);

impl HashReader for Known {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        indexes.iter().map(|index| self.0.get(index).copied().ok_or(tlog::Error::IndexesNotInTree)).collect()
    }
}
