//! What credentials publishes, and the questions to registries off the request path.

use std::sync::Arc;
use std::time::Duration;

use preceptor_bus::relay;
use preceptor_core::id::OrgId;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};
use preceptor_store::Handle;

use crate::Deps;
use crate::domain::Clinicians;

/// The pause before a registry that did not answer is asked again.
const PAUSE: Duration = Duration::from_secs(30);

pub(crate) fn tasks(deps: &Deps, clinicians: &Arc<Clinicians>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let (asker, again, teller) = (Arc::clone(clinicians), Arc::clone(clinicians), Arc::clone(clinicians));
    let store = deps.store.clone();
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("registry", OnEnd::Restart, move |stop| ask(Arc::clone(&asker), stop)),
        Task::new("notices", OnEnd::Restart, move |stop| tell(Arc::clone(&teller), stop)),
        Task::new("take up again", OnEnd::Restart, move |stop| {
            take_up_again(Arc::clone(&again), store.clone(), stop)
        }),
    ]
}

/// Asks the registry about one person after the other until it is asked to stop.
async fn ask(clinicians: Arc<Clinicians>, stop: Stop) -> Result<(), TaskError> {
    let question = |(org, learner): (OrgId, String)| {
        let clinicians = Arc::clone(&clinicians);
        async move {
            let asked = clinicians.ask_registry(org, &learner).await;
            asked.inspect_err(|error| tracing::warn!(%error, "a registry could not be asked for now")).is_ok()
        }
    };
    clinicians.questions().work(&stop, PAUSE, question).await;
    Ok(())
}

/// Tells the parties of one contest after the other until it is asked to stop.
async fn tell(clinicians: Arc<Clinicians>, stop: Stop) -> Result<(), TaskError> {
    let notice = |(org, contest): (OrgId, String)| {
        let clinicians = Arc::clone(&clinicians);
        async move {
            let told = clinicians.tell(org, &contest).await;
            told.inspect_err(
                |error| tracing::warn!(%error, contest.id = contest, "a notice could not be sent for now"),
            )
            .is_ok()
        }
    };
    clinicians.notices().work(&stop, PAUSE, notice).await;
    Ok(())
}

/// After a start: people about whom nobody asked yet.
async fn take_up_again(clinicians: Arc<Clinicians>, store: Handle, stop: Stop) -> Result<(), TaskError> {
    for org in store.known_orgs().await? {
        clinicians.take_up_again(org).await?;
        clinicians.tell_again(org).await?;
    }
    stop.requested().await;
    Ok(())
}
