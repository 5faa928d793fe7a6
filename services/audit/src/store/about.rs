//! Which records speak of an object: by the index, and by the records themselves.

use std::collections::{BTreeMap, BTreeSet};

use preceptor_proto::events::v1::AuditRecord;
use preceptor_store::TenantTx;
use prost::Message as _;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::{MOST_ASKED, leaf, leaves, object};
use crate::Error;

/// Records that are read at a time.
const PAGE: u64 = 1000;

/// What a record speaks of.
pub(crate) fn object_of(record: &[u8]) -> Option<String> {
    let object = AuditRecord::decode(record).ok()?.object;
    (!object.is_empty()).then_some(object)
}

fn speaks_of(leaf: &leaf::Model, objects: &BTreeSet<&str>) -> bool {
    object_of(&leaf.record).is_some_and(|object| objects.contains(object.as_str()))
}

/// The leaves of a log of this size that the index names for these objects, in the order of the log. A row of the index
/// that names a leaf of something else counts for nothing.
pub(crate) async fn indexed(
    tx: &TenantTx,
    objects: &BTreeSet<&str>,
    size: u64,
) -> Result<Vec<leaf::Model>, Error> {
    let named = tx
        .find::<object::Entity>()
        .filter(object::Column::Object.is_in(objects.iter().copied()))
        .filter(object::Column::Idx.lt(size as i64));
    let places: BTreeSet<i64> = tx.all(named).await?.into_iter().map(|row| row.idx).collect();
    let places: Vec<i64> = places.into_iter().collect();
    let mut found = Vec::with_capacity(places.len());
    for some in places.chunks(MOST_ASKED) {
        let select = tx.find::<leaf::Entity>().filter(leaf::Column::Idx.is_in(some.iter().copied()));
        found.extend(tx.all(select.order_by_asc(leaf::Column::Idx)).await?);
    }
    found.retain(|leaf| speaks_of(leaf, objects));
    Ok(found)
}

/// The same by every record of the log, without the index.
pub(crate) async fn read(
    tx: &TenantTx,
    objects: &BTreeSet<&str>,
    size: u64,
) -> Result<Vec<leaf::Model>, Error> {
    let (mut found, mut next) = (Vec::new(), 0);
    while next < size {
        let page = leaves(tx, next as i64, PAGE.min(size - next)).await?;
        let Some(last) = page.last() else { break };
        next = last.idx as u64 + 1;
        found.extend(page.into_iter().filter(|leaf| speaks_of(leaf, objects)));
    }
    Ok(found)
}

/// The places of those of these leaves that the index does not name for what they speak of.
pub(crate) async fn unindexed(tx: &TenantTx, leaves: &[leaf::Model]) -> Result<BTreeSet<i64>, Error> {
    let spoken: BTreeMap<i64, String> =
        leaves.iter().filter_map(|leaf| Some((leaf.idx, object_of(&leaf.record)?))).collect();
    let (Some(first), Some(last)) = (spoken.keys().next(), spoken.keys().next_back()) else {
        return Ok(BTreeSet::new());
    };
    let objects: BTreeSet<&str> = spoken.values().map(String::as_str).collect();
    let named = tx
        .find::<object::Entity>()
        .filter(object::Column::Object.is_in(objects))
        .filter(object::Column::Idx.between(*first, *last));
    let named: BTreeSet<(i64, String)> =
        tx.all(named).await?.into_iter().map(|row| (row.idx, row.object)).collect();
    Ok(spoken.into_iter().filter(|entry| !named.contains(entry)).map(|(place, _)| place).collect())
}
