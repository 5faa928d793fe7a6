//! What retrieval listens to and publishes, and the repair of its index after a start.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::id::{AppId, OrgId};
use preceptor_proto::events::v1::{Envelope, SourceExtracted, VersionFrozen};
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_vector::VersionKeys;

use crate::domain::Search;
use crate::{Deps, Error};

const PAUSE: Duration = Duration::from_secs(2);
const CALL: Duration = Duration::from_secs(20);

pub(crate) fn tasks(deps: &Deps, search: &Arc<Search>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(Indexer(Arc::clone(search)));
    let consumer = Consumer { group: "retrieval", topics: &[Topic::Source, Topic::Program], handler };
    let bus = Arc::clone(&deps.bus);
    let (repaired, prepared) = (Arc::clone(search), Arc::clone(search));
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("indexer", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
        Task::new("preparer", OnEnd::Restart, move |stop| prepare(Arc::clone(&prepared), stop)),
        Task::new("repair", OnEnd::Expected, move |stop| repair(Arc::clone(&repaired), stop)),
    ]
}

/// Computes vectors ahead of publication until it is asked to stop.
async fn prepare(search: Arc<Search>, stop: Stop) -> Result<(), TaskError> {
    loop {
        tokio::select! {
            () = search.prepare_waiting() => {}
            () = stop.requested() => return Ok(()),
        }
    }
}

/// The engine is derived data: what it lost, or built with another model, is built again.
async fn repair(search: Arc<Search>, stop: Stop) -> Result<(), TaskError> {
    for org in search.deps().store.known_orgs().await? {
        while let Err(error) = repair_org(&search, org).await {
            tracing::warn!(%error, org.id = %org, "an index could not be checked");
            if !stop.sleep(PAUSE).await {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn repair_org(search: &Search, org: OrgId) -> Result<(), Error> {
    let call = search.deps().system.call(org, CALL).await?;
    let listed = search
        .ingestion()
        .list_indexed_versions(call.request(ingestion::ListIndexedVersionsRequest {})?)
        .await?
        .into_inner();
    for version in listed.versions {
        if search.is_indexed(org, &version.program_version_id).await? {
            continue;
        }
        tracing::info!(program_version.id = version.program_version_id, "an index is built again");
        search.build_index(org, &version.program_version_id).await?;
        if let Ok(id) = version.program_version_id.parse() {
            search.forget_version(id);
        }
    }
    Ok(())
}

struct Indexer(Arc<Search>);

#[async_trait]
impl Handler for Indexer {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let org = org_of(event)?;
        match event.r#type.as_str() {
            "source.extracted" => {
                self.0.prepare_soon(org, told::<SourceExtracted>(event)?.source_version_id);
                Ok(())
            }
            "program.version_frozen" => self.index(org, &told(event)?).await,
            _ => Ok(()),
        }
    }
}

impl Indexer {
    /// Indexing twice gives the same index: no inbox row is needed.
    async fn index(&self, org: OrgId, frozen: &VersionFrozen) -> Result<(), HandlerError> {
        let version = &frozen.program_version_id;
        let done = self.0.build_index(org, version).await;
        if let Err(error) = &done
            && !error.is_transient()
        {
            // The publication ends with a reason instead of waiting forever.
            self.announce_problem(org, frozen, error).await;
            tracing::error!(%error, program_version.id = version, "a version cannot be indexed");
            return Ok(());
        }
        done.map_err(|error| HandlerError::of(&error, error.is_transient()))
    }

    async fn announce_problem(&self, org: OrgId, frozen: &VersionFrozen, error: &Error) {
        let (Ok(program), Ok(version)) = (frozen.program_id.parse(), frozen.program_version_id.parse())
        else {
            return;
        };
        let keys = VersionKeys { org, app: AppId::generate(), program, version };
        let message = error.to_string();
        if let Ok(call) = self.0.deps().system.call(org, CALL).await
            && let Err(error) = self.0.announce(&call, &keys, 0, 0, Some(&message)).await
        {
            tracing::error!(%error, "a failed index could not be announced");
        }
    }
}
