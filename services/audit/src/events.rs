//! What the log takes in: `audit.record`, its own records among them. What was taken in is signed soon after, so that
//! little of the log is ever without a signature, and the tables are compared with what was signed from time to time.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay};
use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::Envelope;
use preceptor_rpc::Task;
use preceptor_runtime::health::State;
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_runtime::{Health, OnEnd, Waiting};
use preceptor_store::Handle;

use crate::domain::Signer;
use crate::store::{self, Record};
use crate::{Deps, Error};

/// The name of the part in the health of the process.
const PART: &str = "records";
/// How long records gather before the head over them is signed.
const GATHERED: Duration = Duration::from_secs(1);
/// How often every log is compared with what was signed of it.
const ROUND: Duration = Duration::from_secs(60);

pub(crate) fn tasks(deps: &Deps, signer: &Arc<Signer>) -> Vec<Task> {
    let grown: Arc<Waiting<OrgId>> = Arc::default();
    let handler: Arc<dyn Handler> = Arc::new(Sequencer {
        store: deps.store.clone(),
        grown: Arc::clone(&grown),
        health: deps.health.clone(),
    });
    let consumer = Consumer { group: "audit", topics: &[Topic::Audit], handler };
    let (bus, relay_bus, outbox) =
        (Arc::clone(&deps.bus), Arc::clone(&deps.bus), Arc::new(deps.store.clone()));
    let (signer, store) = (Arc::clone(signer), deps.store.clone());
    vec![
        Task::new("sequencer", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("signer", OnEnd::Restart, move |stop| {
            sign(Arc::clone(&signer), store.clone(), Arc::clone(&grown), stop)
        }),
    ]
}

/// Signs what has grown, and every log once in a while.
async fn sign(
    signer: Arc<Signer>,
    store: Handle,
    grown: Arc<Waiting<OrgId>>,
    stop: Stop,
) -> Result<(), TaskError> {
    loop {
        for org in store.known_orgs().await? {
            grown.add(org);
        }
        let round = tokio::time::sleep(ROUND);
        tokio::pin!(round);
        loop {
            let orgs = tokio::select! {
                orgs = grown.gathered(GATHERED) => orgs,
                () = &mut round => break,
                () = stop.requested() => return Ok(()),
            };
            for org in orgs {
                // What is wrong with a log was told by the signer; others go on.
                if let Err(error) = signer.present(org).await {
                    tracing::warn!(%error, org.id = %org, "a log was not signed");
                }
            }
        }
    }
}

/// Appends records in the order in which each producer numbered them.
struct Sequencer {
    store: Handle,
    /// Logs with records that no signature covers.
    grown: Arc<Waiting<OrgId>>,
    /// Is told what a person has to look at.
    health: Health,
}

#[async_trait]
impl Handler for Sequencer {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        let appended = self.append_all(slice::from_ref(event)).await;
        if let Err(HandlerError::Permanent(_)) = &appended {
            self.complain("records of an organization are not taken into its log");
        }
        appended
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
        appended.map_err(|error| {
            HandlerError::of(&error, matches!(&error, Error::Store(cause) if cause.is_transient()))
        })
    }

    async fn append(&self, scope: &Arc<Scope>, events: &[Envelope]) -> Result<(), Error> {
        let tx = self.store.write(scope).await?;
        let records: Vec<_> = events.iter().map(record_of).collect();
        let appended = store::append(&tx, &records).await?;
        if appended.changed {
            tx.commit().await?;
            self.grown.add(scope.org());
        }
        for (producer, counted) in &appended.miscounted {
            tracing::error!(
                alarm = "RECORDS_MISCOUNTED",
                org.id = %scope.org(),
                producer,
                counted,
                "a counter named records that are in no leaf: it was changed by hand; they were appended"
            );
            self.complain("a counter of records was changed outside the product");
        }
        Ok(())
    }

    /// Says it in the health of the process, until that starts again.
    fn complain(&self, why: &str) {
        self.health.set(PART, State::Degraded(format!("{why}; see the process's own log")));
    }
}

fn record_of(event: &Envelope) -> Record<'_> {
    Record { event_id: &event.id, producer: &event.producer, sequence: event.sequence, bytes: &event.payload }
}
