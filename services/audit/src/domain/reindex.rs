//! The index of objects, completed from the records that it is of.

use std::mem;
use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_keys::{SignedHead, SignerMemory};
use preceptor_store::{AuditEntry, Handle, TenantTx};

use super::{Frontier, memory_error};
use crate::Error;
use crate::store::{self, about, object};

/// Records that are read at a time, and rows of one statement.
const PAGE: usize = 1000;

/// Names in the index of a log every record that it lacks, and puts that on the record; returns how many there were. Records
/// that do not give the root that the signer remembers are indexed by no one.
pub(crate) async fn reindex(
    store: &Handle,
    memory: &dyn SignerMemory,
    org: OrgId,
    reason: &str,
) -> Result<u64, Error> {
    let signed = memory.last(org).await.map_err(memory_error)?;
    let signed = signed.ok_or_else(|| Error::Inconsistent("the signer remembers no head of it".into()))?;
    let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org));
    let mut tx = store.write(&scope).await?;
    let mut rows = lacking(&tx, &signed).await?;
    let count = rows.len() as u64;
    if count == 0 {
        return Ok(0);
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(PAGE));
        tx.insert_all(mem::replace(&mut rows, rest)).await?;
    }
    let entry = AuditEntry::done("log.reindexed", org).because(reason);
    tx.audit(entry.fact("records", count).fact("log_size", signed.size))?;
    tx.commit().await?;
    Ok(count)
}

/// The rows that the index lacks, by the records under a signed head.
async fn lacking(tx: &TenantTx, signed: &SignedHead) -> Result<Vec<object::Model>, Error> {
    let (mut frontier, mut rows) = (Frontier::default(), Vec::new());
    while frontier.size() < signed.size {
        let next = frontier.size();
        let page = store::leaves(tx, next as i64, (PAGE as u64).min(signed.size - next)).await?;
        if page.is_empty() {
            return Err(Error::Inconsistent(format!("record {next} is missing")));
        }
        let unindexed = about::unindexed(tx, &page).await?;
        for leaf in page {
            if leaf.idx as u64 != frontier.size() {
                return Err(Error::Inconsistent(format!("record {} is missing", frontier.size())));
            }
            frontier.append(&leaf.record);
            let spoken = about::object_of(&leaf.record).filter(|_| unindexed.contains(&leaf.idx));
            rows.extend(spoken.map(|object| object::Model { org_id: tx.org_key(), object, idx: leaf.idx }));
        }
    }
    if frontier.root().0 == signed.root {
        Ok(rows)
    } else {
        Err(Error::Inconsistent("the records do not give the root that was signed".into()))
    }
}
