//! What credentials publishes, and the questions to registries off the request path.

use std::sync::Arc;
use std::time::Duration;

use preceptor_bus::relay;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};

use crate::Deps;
use crate::domain::Clinicians;

/// The pause before a registry that did not answer is asked again.
const PAUSE: Duration = Duration::from_secs(30);

pub(crate) fn tasks(deps: &Deps, clinicians: &Arc<Clinicians>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let (asker, again) = (Arc::clone(clinicians), Arc::clone(clinicians));
    let store = deps.store.clone();
    vec![
        Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)),
        Task::new("registry", OnEnd::Restart, move |stop| ask(Arc::clone(&asker), stop)),
        Task::new("take up again", OnEnd::Expected, move |_| {
            let (again, store) = (Arc::clone(&again), store.clone());
            async move {
                for org in store.known_orgs().await? {
                    again.take_up_again(org).await?;
                }
                Ok::<(), TaskError>(())
            }
        }),
    ]
}

/// Asks the registry about one person after the other until it is asked to stop.
async fn ask(clinicians: Arc<Clinicians>, stop: Stop) -> Result<(), TaskError> {
    loop {
        let (org, learner) = tokio::select! {
            next = clinicians.next_question() => next,
            () = stop.requested() => return Ok(()),
        };
        if let Err(error) = clinicians.ask_registry(org, &learner).await {
            tracing::warn!(%error, "a registry could not be asked for now");
            if !stop.sleep(PAUSE).await {
                return Ok(());
            }
            clinicians.ask_later(org, &learner);
        }
    }
}
