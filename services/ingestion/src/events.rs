//! What ingestion publishes and listens to, and the reading of files off the request path.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, IndexProgress};
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};

use crate::domain::{Checker, Content, Reader};
use crate::{Deps, Error};

/// Files that are at hand at the same time, at most one of them of the same org. No more than there are children that read:
/// a job that only waits would count as begun if the process died.
const READERS: usize = 2;

/// Orgs whose sources are checked side by side: one that a registry lets wait does not hold up the others.
const CHECKERS: usize = 4;

/// How often leftovers of uploads are looked for.
const SWEEP: Duration = Duration::from_secs(600);

pub(crate) fn tasks(deps: &Deps, content: &Arc<Content>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(IndexListener(Arc::clone(content)));
    let consumer = Consumer { group: "ingestion", topics: &[Topic::Index], handler };
    let bus = Arc::clone(&deps.bus);
    let (jobs, checks, sweeper) = (Arc::clone(content), Arc::clone(content), Arc::clone(content));
    let mut tasks = vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("index listener", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
        Task::new("checks", OnEnd::Restart, move |stop| look_for_checks(Arc::clone(&checks), stop)),
        Task::new("uploads", OnEnd::Restart, move |stop| sweep_uploads(Arc::clone(&sweeper), stop)),
        Task::new("jobs", OnEnd::Restart, move |stop| look_for_jobs(Arc::clone(&jobs), stop)),
    ];
    tasks.extend((0..READERS).map(|_| {
        let content = Arc::clone(content);
        Task::new("reader", OnEnd::Restart, move |stop| read_files(Arc::clone(&content), stop))
    }));
    tasks.extend((0..CHECKERS).map(|_| {
        let content = Arc::clone(content);
        Task::new("registries", OnEnd::Restart, move |stop| check_sources(Arc::clone(&content), stop))
    }));
    tasks
}

/// Reads files one after the other until it is asked to stop.
async fn read_files(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    content.jobs().work(&Reader(Arc::clone(&content)), &stop).await;
    Ok(())
}

/// Asks registries about one version after the other.
async fn check_sources(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    content.checks().work(&Checker(Arc::clone(&content)), &stop).await;
    Ok(())
}

/// Finds versions whose time has come, and those whose check was interrupted.
async fn look_for_checks(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    Ok(content.checks().look(&stop).await?)
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

/// Finds files whose reading was interrupted, by this process or another.
async fn look_for_jobs(content: Arc<Content>, stop: Stop) -> Result<(), TaskError> {
    Ok(content.jobs().look(&stop).await?)
}

struct IndexListener(Arc<Content>);

#[async_trait]
impl Handler for IndexListener {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let progress: IndexProgress = told(event)?;
        let scope = Arc::new(Scope::of_system(SystemActor::Ingestion, org_of(event)?));
        let noted = self.0.note_index(&scope, &event.id, &progress).await;
        noted.map_err(|error| {
            HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient()))
        })
    }
}
