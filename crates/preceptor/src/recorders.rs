//! Where the services of a process put what their calls leave on record: each into its own outbox, from which it goes to
//! the org's log like every other record.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_core::Scope;
use preceptor_rpc::records::{Entry, Recorder, Unrecorded};
use preceptor_store::{AuditEntry, Control, Handle, StoreError};

/// The outbox of a service in the cells.
#[derive(Debug)]
pub(crate) struct InCell(pub(crate) Handle);

/// The outbox of the control plane.
#[derive(Debug)]
pub(crate) struct InControl(pub(crate) Control);

fn as_record(entry: Entry) -> (Arc<Scope>, AuditEntry) {
    let record = match entry.refused {
        Some(why) => AuditEntry::refused(entry.action, entry.object, why),
        None => AuditEntry::done(entry.action, entry.object),
    };
    (entry.scope, entry.facts.into_iter().fold(record, |record, (name, value)| record.fact(name, value)))
}

fn unrecorded(error: StoreError) -> Unrecorded {
    Unrecorded(error.to_string())
}

#[async_trait]
impl Recorder for InCell {
    async fn record(&self, entries: Vec<Entry>) -> Result<(), Unrecorded> {
        let Some(first) = entries.first() else { return Ok(()) };
        let mut tx = self.0.write(&first.scope).await.map_err(unrecorded)?;
        for (scope, record) in entries.into_iter().map(as_record) {
            tx.audit_of(&scope, record).map_err(unrecorded)?;
        }
        tx.commit().await.map_err(unrecorded)
    }
}

#[async_trait]
impl Recorder for InControl {
    async fn record(&self, entries: Vec<Entry>) -> Result<(), Unrecorded> {
        let mut tx = self.0.write().await.map_err(unrecorded)?;
        for (scope, record) in entries.into_iter().map(as_record) {
            tx.audit(&scope, record).await.map_err(unrecorded)?;
        }
        tx.commit().await.map_err(unrecorded)
    }
}
