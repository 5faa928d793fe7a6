//! What credits listens to and publishes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_bus::{Consumer, Handler, HandlerError, Topic, consume, org_of, relay, told};
use preceptor_core::{Scope, SystemActor};
use preceptor_proto::events::v1::{CreditAwarded, Envelope, SourceVerified};
use preceptor_rpc::Task;
use preceptor_runtime::tasks::TaskError;
use preceptor_runtime::{OnEnd, Stop};

use crate::domain::{Composer, Credits};
use crate::{Deps, Error};

/// The pause before something is taken up again after a failure of ours.
const PAUSE: Duration = Duration::from_secs(2);
/// Requests for drafts that are at hand at the same time: one is composed while another reads its program.
const COMPOSERS: usize = 2;
/// How often certificates that were not made are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

pub(crate) fn tasks(deps: &Deps, credits: &Arc<Credits>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let listener = |group: &'static str, topics: &'static [Topic], handler: Arc<dyn Handler>| {
        let (consumer, bus) = (Consumer { group, topics, handler }, Arc::clone(&deps.bus));
        move |stop| consume::run(consumer.clone(), Arc::clone(&bus), stop)
    };
    let surveillance = listener("credits", &[Topic::Source], Arc::new(Surveillance(Arc::clone(credits))));
    let awarded = listener("certificates", &[Topic::Credit], Arc::new(Awarded(Arc::clone(credits))));
    let (jobs, printer, unprinted) = (Arc::clone(credits), Arc::clone(credits), Arc::clone(credits));
    let mut tasks = vec![
        Task::new("jobs", OnEnd::Restart, move |stop| look_for_jobs(Arc::clone(&jobs), stop)),
        Task::new("unprinted", OnEnd::Restart, move |stop| find_unprinted(Arc::clone(&unprinted), stop)),
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("surveillance", OnEnd::Restart, surveillance),
        Task::new("awarded", OnEnd::Restart, awarded),
        Task::new("certificates", OnEnd::Restart, move |stop| make_certificates(Arc::clone(&printer), stop)),
    ];
    tasks.extend((0..COMPOSERS).map(|_| {
        let credits = Arc::clone(credits);
        Task::new("composer", OnEnd::Restart, move |stop| compose(Arc::clone(&credits), stop))
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

/// Makes certificates until it is asked to stop.
async fn make_certificates(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    loop {
        let all_made = tokio::select! {
            made = credits.make_certificates() => made,
            () = stop.requested() => return Ok(()),
        };
        if !all_made && !stop.sleep(PAUSE).await {
            return Ok(());
        }
    }
}

/// After a start, and now and then: certificates that are due and were interrupted, or lost with another replica.
async fn find_unprinted(credits: Arc<Credits>, stop: Stop) -> Result<(), TaskError> {
    loop {
        credits.find_unprinted().await?;
        if !stop.sleep(LOOK_AGAIN).await {
            return Ok(());
        }
    }
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

/// Has a certificate made for every credit.
struct Awarded(Arc<Credits>);

#[async_trait]
impl Handler for Awarded {
    async fn handle(&self, event: &Envelope) -> Result<(), HandlerError> {
        if event.r#type != "credit.awarded" {
            return Ok(());
        }
        self.0.make_certificate_soon(org_of(event)?, told::<CreditAwarded>(event)?.credit_id);
        Ok(())
    }
}
