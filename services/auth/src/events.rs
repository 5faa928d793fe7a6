//! What the control plane publishes: audit records. It consumes nothing.

use std::sync::Arc;

use preceptor_bus::relay;
use preceptor_rpc::Task;
use preceptor_runtime::OnEnd;

use crate::Deps;

pub(crate) fn tasks(deps: &Deps) -> Vec<Task> {
    let (outbox, bus) = (Arc::new(deps.control.clone()), Arc::clone(&deps.bus));
    vec![Task::new("relay", OnEnd::Restart, move |stop| relay::run(outbox.clone(), Arc::clone(&bus), stop))]
}
