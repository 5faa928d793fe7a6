//! What the log takes in: `audit.record`. It publishes nothing.

use std::slice;
use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::Envelope;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_store::Handle;

use crate::store::{self, Record};
use crate::{Deps, Error};

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let handler: Arc<dyn Handler> = Arc::new(Sequencer { store: deps.store.clone() });
    let consumer = Consumer { group: "audit", topics: &[Topic::Audit], handler };
    let bus = Arc::clone(&deps.bus);
    vec![Task::new("sequencer", OnEnd::Restart, move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop))]
}

/// Appends records in the order in which each producer numbered them.
struct Sequencer {
    store: Handle,
}

#[async_trait]
impl Handler for Sequencer {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        self.append_all(slice::from_ref(event)).await
    }

    async fn handle_together(&self, events: &[Envelope]) -> Result<bool, HandlerError> {
        self.append_all(events).await?;
        Ok(true)
    }
}

impl Sequencer {
    async fn append_all(&self, events: &[Envelope]) -> Result<(), HandlerError> {
        let Some(first) = events.first() else { return Ok(()) };
        if events.iter().any(|event| event.org_id != first.org_id) {
            return Err(HandlerError::Permanent("records of two orgs came together".into()));
        }
        let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org_of(first)?));
        let appended = self.append(&scope, events).await;
        appended.map_err(|error| HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient())))
    }

    async fn append(&self, scope: &Arc<Scope>, events: &[Envelope]) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        let records: Vec<_> = events.iter().map(record_of).collect();
        if store::append(&tx, &records).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}

fn record_of(event: &Envelope) -> Record<'_> {
    Record { event_id: &event.id, producer: &event.producer, sequence: event.sequence, bytes: &event.payload }
}
