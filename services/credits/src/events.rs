//! What credits listens to and publishes.

use std::sync::Arc;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{Envelope, SourceVerified};
use preceptor_rpc::Task;
use preceptor_runtime::tasks::TaskError;
use preceptor_runtime::{OnEnd, Stop};

use crate::domain::{Composer, Credits, ORGS_AT_ONCE, Printer};
use crate::{Deps, Error};

/// Requests for drafts that are at hand at the same time: one is composed while another reads its program.
const COMPOSERS: usize = 2;

pub(crate) fn tasks(deps: &Deps, credits: &Arc<Credits>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let handler: Arc<dyn Handler> = Arc::new(Surveillance(Arc::clone(credits)));
    let consumer = Consumer { group: "credits", topics: &[Topic::Source], handler };
    let bus = Arc::clone(&deps.bus);
    let (jobs, prints) = (Arc::clone(credits), Arc::clone(credits));
    let mut tasks = vec![
        Task::new("jobs", OnEnd::Restart, move |stop| look_for_jobs(Arc::clone(&jobs), stop)),
        Task::new("prints", OnEnd::Restart, move |stop| look_for_prints(Arc::clone(&prints), stop)),
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("surveillance", OnEnd::Restart, move |stop| {
            consume::run(consumer.clone(), Arc::clone(&bus), stop)
        }),
    ];
    tasks.extend((0..COMPOSERS).map(|_| {
        let credits = Arc::clone(credits);
        Task::new("composer", OnEnd::Restart, move |stop| compose(Arc::clone(&credits), stop))
    }));
    tasks.extend((0..ORGS_AT_ONCE).map(|_| {
        let credits = Arc::clone(credits);
        Task::new("printer", OnEnd::Restart, move |stop| print(Arc::clone(&credits), stop))
    }));
    tasks
}

/// Makes the drafts that were asked for, one request after the other.
async fn compose(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    credits.jobs().work(&Composer(Arc::clone(&credits)), &stop).await;
    Ok(())
}

/// Finds requests that were interrupted, by this process or another.
async fn look_for_jobs(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    Ok(credits.jobs().look(&stop).await?)
}

/// Makes certificates, for one org after the other.
async fn print(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    credits.prints().work(&Printer(Arc::clone(&credits)), &stop).await;
    Ok(())
}

/// Finds certificates whose making was interrupted, by this process or another.
async fn look_for_prints(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    Ok(credits.prints().look(&stop).await?)
}

fn handled(outcome: Result<(), Error>) -> Result<(), HandlerError> {
    outcome.map_err(|error| HandlerError::of(&error, error.is_transient()))
}

struct Surveillance(Arc<Credits>);

#[async_trait]
impl Handler for Surveillance {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "source.verified" {
            return Ok(());
        }
        let scope = Arc::new(Scope::of_system(SystemActor::Credits, org_of(event)?));
        handled(self.0.note_verdict(&scope, &event.id, &told::<SourceVerified>(event)?).await)
    }
}
