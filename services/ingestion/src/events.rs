//! What ingestion publishes and listens to, and the reading of files off the request path.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, relay};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, IndexProgress};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};
use prost::Message as _;

use crate::domain::Content;
use crate::{Deps, Error};

/// The pause before a file is taken up again after a failure of ours.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) fn tasks(deps: &Deps, content: &Arc<Content>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(IndexListener(Arc::clone(content)));
    let consumer = Consumer { group: "ingestion", topics: &[Topic::Index], handler };
    let bus = Arc::clone(&deps.bus);
    let reader = Arc::clone(content);
    let again = Arc::clone(content);
    let watcher = Arc::clone(content);
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
        Task::new("index listener", OnEnd::Restart, move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)),
        Task::new("reader", OnEnd::Restart, move |stop| read_files(Arc::clone(&reader), stop)),
        Task::new("registries", OnEnd::Restart, move |stop| watch_sources(Arc::clone(&watcher), stop)),
        Task::new("take up again", OnEnd::Expected, move |_| take_up_again(Arc::clone(&again))),
    ]
}

/// Reads files one after the other until it is asked to stop.
async fn read_files(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    loop {
        let (org, version) = tokio::select! {
            next = content.work().next() => next,
            () = stop.requested() => return Ok(()),
        };
        if let Err(error) = content.read_file(org, &version).await {
            tracing::error!(%error, source_version.id = version, "a file could not be read for now");
            content.work().add(org, version);
            if !stop.sleep(PAUSE).await {
                return Ok(());
            }
        }
    }
}

/// Asks registries about sources that were named and about those whose time has come.
async fn watch_sources(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    loop {
        let orgs = tokio::select! {
            orgs = content.due_orgs() => orgs?,
            () = stop.requested() => return Ok(()),
        };
        for org in orgs {
            if stop.is_requested() {
                return Ok(());
            }
            if let Err(error) = content.check_due(org).await {
                tracing::error!(%error, "sources could not be checked for now");
            }
        }
    }
}

/// After a start: files whose reading was interrupted.
async fn take_up_again(content: Arc<Content>) -> Result<(), TaskError> {
    for org in content.deps().store.known_orgs().await? {
        content.take_up_again(org).await?;
    }
    Ok(())
}

struct IndexListener(Arc<Content>);

#[async_trait]
impl Handler for IndexListener {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let org: OrgId = event.org_id.parse().map_err(|_| HandlerError::Permanent("its org cannot be read".into()))?;
        let progress = IndexProgress::decode(event.payload.as_slice()).map_err(|error| HandlerError::Permanent(error.to_string()))?;
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org));
        self.0.note_index(&scope, &event.id, &progress).await.map_err(|error| match &error {
            Error::Store(cause) if !cause.is_transient() => HandlerError::Permanent(error.to_string()),
            Error::Store(_) => HandlerError::Transient(error.to_string()),
            _ => HandlerError::Permanent(error.to_string()),
        })
    }
}
