//! What analytics counts, and what of its calls goes to the record.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, MessageClassified, MessageRecorded};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_store::Handle;

use crate::store::{Measure, NO_OBJECTIVE, add, see_learner};
use crate::{Deps, Error};

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let handler: Arc<dyn Handler> = Arc::new(Counter { store: deps.store.clone() });
    let consumer = Consumer { group: "analytics", topics: &[Topic::Message, Topic::Alignment], handler };
    let (bus, relay_bus, outbox) = (Arc::clone(&deps.bus), Arc::clone(&deps.bus), Arc::new(deps.store.clone()));
    vec![
        Task::new("counter", OnEnd::Restart, move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)),
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
    ]
}

struct Counter {
    store: Handle,
}

#[async_trait]
impl Handler for Counter {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let scope = Arc::new(Scope::of_system(SystemActor::Analytics, org_of(event)?));
        let counted = match event.r#type.as_str() {
            "message.recorded" => self.count_message(&scope, &event.id, &told(event)?).await,
            "alignment.message_classified" => self.count_objective(&scope, &event.id, &told(event)?).await,
            _ => Ok(()),
        };
        counted.map_err(|error| HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient())))
    }
}

impl Counter {
    async fn count_message(&self, scope: &Arc<Scope>, event: &str, recorded: &MessageRecorded) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        if !tx.first_sight(event).await? {
            return Ok(());
        }
        let program = &recorded.program_id;
        if recorded.answered {
            add(&tx, program, Measure::Outcome, "answered").await?;
        } else {
            add(&tx, program, Measure::Outcome, "refused").await?;
            add(&tx, program, Measure::Refusal, &recorded.refusal_code).await?;
        }
        for source in &recorded.cited_source_ids {
            add(&tx, program, Measure::Citation, source).await?;
        }
        see_learner(&tx, program, &recorded.subject).await?;
        Ok(tx.commit().await?)
    }

    async fn count_objective(&self, scope: &Arc<Scope>, event: &str, classified: &MessageClassified) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        if !tx.first_sight(event).await? {
            return Ok(());
        }
        let objective = if classified.objective_id.is_empty() { NO_OBJECTIVE } else { &classified.objective_id };
        add(&tx, &classified.program_id, Measure::Objective, objective).await?;
        Ok(tx.commit().await?)
    }
}
