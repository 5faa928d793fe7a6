//! What answering publishes, `message.recorded`, and listens to: `source.verified`.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, SourceVerified};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_store::Handle;

use crate::{Deps, Error, store};

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let (outbox, relay_bus, bus) =
        (Arc::new(deps.store.clone()), Arc::clone(&deps.bus), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(Retractions(deps.store.clone()));
    let consumer = Consumer { group: "answering", topics: &[Topic::Source], handler };
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("retractions", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
    ]
}

/// Notes which sources were retracted, so that answers that quote them say so.
struct Retractions(Handle);

#[async_trait]
impl Handler for Retractions {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "source.verified" {
            return Ok(());
        }
        let verified: SourceVerified = told(event)?;
        if !verified.quarantined {
            return Ok(());
        }
        let scope = Arc::new(Scope::of_system(SystemActor::Answering, org_of(event)?));
        let noted = self.note(&scope, &verified).await;
        noted.map_err(|error| {
            HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient()))
        })
    }
}

impl Retractions {
    async fn note(&self, scope: &Arc<Scope>, verified: &SourceVerified) -> Result<(), Error> {
        let tx = self.0.write(scope).await?;
        store::note(&tx, &verified.source_version_id, &verified.verdict).await?;
        Ok(tx.commit().await?)
    }
}
