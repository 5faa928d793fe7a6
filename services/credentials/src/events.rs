//! What credentials publishes, and its work off the request path.

use std::sync::Arc;

use preceptor_bus::relay;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError};

use crate::Deps;
use crate::domain::{Clinicians, Worker};

/// Jobs that are at hand at the same time, at most one of them of the same org.
const WORKERS: usize = 2;

pub(crate) fn tasks(deps: &Deps, clinicians: &Arc<Clinicians>) -> Vec<Task> {
    let (outbox, relay_bus) = (Arc::new(deps.store.clone()), Arc::clone(&deps.bus));
    let looker = Arc::clone(clinicians);
    let mut tasks = vec![
        Task::new("relay", OnEnd::Restart, move |stop| {
            relay::run(outbox.clone(), Arc::clone(&relay_bus), stop)
        }),
        Task::new("jobs", OnEnd::Restart, move |stop| look_for_jobs(Arc::clone(&looker), stop)),
    ];
    tasks.extend((0..WORKERS).map(|_| {
        let clinicians = Arc::clone(clinicians);
        Task::new("worker", OnEnd::Restart, move |stop| work(Arc::clone(&clinicians), stop))
    }));
    tasks
}

/// Asks registries and notifies people, one job after the other.
async fn work(clinicians: Arc<Clinicians>, stop: Stop) -> Result<(), TaskError> {
    clinicians.jobs().work(&Worker(Arc::clone(&clinicians)), &stop).await;
    Ok(())
}

/// Finds jobs that were interrupted, by this process or another.
async fn look_for_jobs(clinicians: Arc<Clinicians>, stop: Stop) -> Result<(), TaskError> {
    Ok(clinicians.jobs().look(&stop).await?)
}
