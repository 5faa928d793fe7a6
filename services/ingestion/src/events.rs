//! What ingestion publishes and listens to, and the reading of files off the request path.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, IndexProgress};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};

use crate::domain::Content;
use crate::{Deps, Error};

/// The pause before a file is taken up again after a failure of ours.
const PAUSE: Duration = Duration::from_secs(2);

/// How often leftovers of uploads are looked for.
const SWEEP: Duration = Duration::from_secs(600);

pub(crate) fn tasks(deps: &Deps, content: &Arc<Content>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(IndexListener(Arc::clone(content)));
    let consumer = Consumer { group: "ingestion", topics: &[Topic::Index], handler };
    let bus = Arc::clone(&deps.bus);
    let reader = Arc::clone(content);
    let again = Arc::clone(content);
    let watcher = Arc::clone(content);
    let sweeper = Arc::clone(content);
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
        Task::new("index listener", OnEnd::Restart, move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)),
        Task::new("reader", OnEnd::Restart, move |stop| read_files(Arc::clone(&reader), stop)),
        Task::new("registries", OnEnd::Restart, move |stop| watch_sources(Arc::clone(&watcher), stop)),
        Task::new("uploads", OnEnd::Restart, move |stop| sweep_uploads(Arc::clone(&sweeper), stop)),
        Task::new("take up again", OnEnd::Restart, move |stop| take_up_again(Arc::clone(&again), stop)),
    ]
}

/// Reads files one after the other until it is asked to stop.
async fn read_files(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    let read = |(org, version): (OrgId, String)| {
        let content = Arc::clone(&content);
        async move {
            let read = content.read_file(org, &version).await;
            read.inspect_err(|error| tracing::error!(%error, source_version.id = version, "a file could not be read for now")).is_ok()
        }
    };
    content.work().work(&stop, PAUSE, read).await;
    Ok(())
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

/// After a start and from then on: what is left of uploads that ended without an end.
async fn sweep_uploads(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    loop {
        for org in content.deps().store.known_orgs().await? {
            let swept = content.sweep_intakes(org).await?;
            if swept > 0 {
                tracing::info!(swept, "what broken uploads left was swept away");
            }
        }
        if !stop.sleep(SWEEP).await {
            return Ok(());
        }
    }
}

/// After a start: files whose reading was interrupted.
async fn take_up_again(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    for org in content.deps().store.known_orgs().await? {
        content.take_up_again(org).await?;
    }
    stop.requested().await;
    Ok(())
}

struct IndexListener(Arc<Content>);

#[async_trait]
impl Handler for IndexListener {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let progress: IndexProgress = told(event)?;
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org_of(event)?));
        let noted = self.0.note_index(&scope, &event.id, &progress).await;
        noted.map_err(|error| HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient())))
    }
}
