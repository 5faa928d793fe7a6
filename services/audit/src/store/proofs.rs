//! Hashes and proofs from stored rows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use preceptor_store::TenantTx;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};
use tlog_tiles::tlog::{
    self, Hash, HashReader, node_hash, prove_record, prove_tree, split_stored_hash_index, stored_hash_index,
    sub_tree_index,
};

use super::{leaf, node};
use crate::Error;
use crate::domain::{Closed, Frontier};

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

/// For each index the hashes beside the path of its leaf, from its sibling to the root's child.
pub(crate) async fn prove(tx: &TenantTx, size: u64, indexes: &[u64]) -> Result<Vec<Vec<Hash>>, Error> {
    let wanted = Wanted::default();
    // Which hashes a proof is made of depends on size and index alone: ask once to learn them, and again with them.
    for index in indexes {
        let _ = prove_record(size, *index, &wanted).map_err(|_| Error::DamagedHead)?;
    }
    let known = Known(stored(tx, wanted.0.into_inner().unwrap_or_default()).await?);
    indexes.iter().map(|index| prove_record(size, *index, &known).map_err(|_| Error::DamagedHead)).collect()
}

/// The hashes that lead from the tree of one size to that of a larger one (RFC 6962, 2.1.2).
pub(crate) async fn consistency(tx: &TenantTx, earlier: u64, later: u64) -> Result<Vec<Hash>, Error> {
    if earlier == 0 || earlier == later {
        return Ok(Vec::new());
    }
    let wanted = Wanted::default();
    let _ = prove_tree(later, earlier, &wanted).map_err(|_| Error::DamagedHead)?;
    let known = Known(stored(tx, wanted.0.into_inner().unwrap_or_default()).await?);
    prove_tree(later, earlier, &known).map_err(|_| Error::DamagedHead)
}

/// The right edge of the tree of a size that the log has passed.
pub(crate) async fn frontier(tx: &TenantTx, size: u64) -> Result<Frontier, Error> {
    let wanted = if size == 0 { Vec::new() } else { sub_tree_index(0, size, Vec::new()) };
    let known = stored(tx, wanted.iter().copied().collect()).await?;
    let roots =
        wanted.iter().filter_map(|number| known.get(number)).flat_map(|hash| hash.0).collect::<Vec<_>>();
    Frontier::read(size, &roots).ok_or(Error::DamagedHead)
}

/// Hashes of one level, from a place on. The tree must have them.
pub(crate) async fn level(tx: &TenantTx, level: u8, first: u64, count: u64) -> Result<Vec<Hash>, Error> {
    let numbers: Vec<u64> = (first..first + count).map(|place| stored_hash_index(level, place)).collect();
    let known = stored(tx, numbers.iter().copied().collect()).await?;
    numbers.iter().map(|number| known.get(number).copied().ok_or(Error::DamagedHead)).collect()
}

/// The hashes of these numbers: one look per level of the tree.
async fn stored(tx: &TenantTx, wanted: HashSet<u64>) -> Result<HashMap<u64, Hash>, Error> {
    let mut by_level: BTreeMap<u8, BTreeMap<i64, u64>> = BTreeMap::new();
    for number in wanted {
        let (level, place) = split_stored_hash_index(number);
        by_level.entry(level).or_default().insert(place as i64, number);
    }
    let mut known = HashMap::new();
    for (level, places) in by_level {
        for (place, bytes) in kept(tx, level, places.keys().copied().collect()).await? {
            known.extend(
                places.get(&place).map(|number| hash(&bytes).map(|hash| (*number, hash))).transpose()?,
            );
        }
        for (place, number) in places {
            if let Entry::Vacant(missing) = known.entry(number) {
                missing.insert(subtree(tx, level, place as u64).await?);
            }
        }
    }
    Ok(known)
}

/// What is kept of a level, by place.
async fn kept(tx: &TenantTx, level: u8, places: Vec<i64>) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    if level == 0 {
        let leaves = tx.all(tx.find::<leaf::Entity>().filter(leaf::Column::Idx.is_in(places))).await?;
        return Ok(leaves.into_iter().map(|row| (row.idx, row.leaf_hash)).collect());
    }
    let nodes = tx
        .find::<node::Entity>()
        .filter(node::Column::Level.eq(i64::from(level)))
        .filter(node::Column::Place.is_in(places));
    Ok(tx.all(nodes).await?.into_iter().map(|row| (row.place, row.hash)).collect())
}

/// The root of the perfect subtree of that level and place, from its leaves.
async fn subtree(tx: &TenantTx, level: u8, place: u64) -> Result<Hash, Error> {
    let (first, end) = ((place << level) as i64, ((place + 1) << level) as i64);
    let leaves =
        tx.find::<leaf::Entity>().filter(leaf::Column::Idx.gte(first)).filter(leaf::Column::Idx.lt(end));
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
struct Wanted(std::sync::Mutex<HashSet<u64>>);

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
