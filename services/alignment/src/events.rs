//! What alignment listens to and publishes.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_proto::events::v1::{Envelope, MessageRecorded};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;

use crate::Deps;
use crate::domain::Worker;

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(Classifier(Worker::new(deps.clone())));
    let consumer = Consumer { group: "alignment", topics: &[Topic::Message], handler };
    let bus = Arc::clone(&deps.bus);
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("classifier", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
    ]
}

struct Classifier(Worker);

#[async_trait]
impl Handler for Classifier {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "message.recorded" {
            return Ok(());
        }
        let recorded: MessageRecorded = told(event)?;
        let classified = self.0.classify(org_of(event)?, &event.id, &recorded).await;
        classified.map_err(|error| HandlerError::of(&error, error.is_transient()))
    }
}
