//! What alignment listens to and publishes.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, relay};
use preceptor_core::id::OrgId;
use preceptor_proto::events::v1::{Envelope, MessageRecorded};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use prost::Message as _;

use crate::Deps;
use crate::domain::Worker;

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(Classifier(Worker::new(deps.clone())));
    let consumer = Consumer { group: "alignment", topics: &[Topic::Message], handler };
    let bus = Arc::clone(&deps.bus);
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
        Task::new("classifier", OnEnd::Restart, move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)),
    ]
}

struct Classifier(Worker);

#[async_trait]
impl Handler for Classifier {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "message.recorded" {
            return Ok(());
        }
        let org: OrgId = event.org_id.parse().map_err(|_| HandlerError::Permanent("its org cannot be read".into()))?;
        let recorded = MessageRecorded::decode(event.payload.as_slice()).map_err(|error| HandlerError::Permanent(error.to_string()))?;
        self.0.classify(org, &event.id, &recorded).await.map_err(|error| {
            if error.is_transient() { HandlerError::Transient(error.to_string()) } else { HandlerError::Permanent(error.to_string()) }
        })
    }
}
