//! What the log takes in: `audit.record`. It publishes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume};
use preceptor_core::id::OrgId;
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
        let org: OrgId = event.org_id.parse().map_err(|_| HandlerError::Permanent("its org cannot be read".into()))?;
        let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org));
        self.append(&scope, event).await.map_err(|error| match &error {
            Error::Store(cause) if cause.is_transient() => HandlerError::Transient(error.to_string()),
            _ => HandlerError::Permanent(error.to_string()),
        })
    }
}

impl Sequencer {
    async fn append(&self, scope: &Arc<Scope>, event: &Envelope) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        let record = Record { event_id: &event.id, producer: &event.producer, sequence: event.sequence, bytes: &event.payload };
        if store::append(&tx, &record).await? {
            tx.commit().await?;
        }
        Ok(())
    }
}
