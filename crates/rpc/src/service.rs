//! What every service gives back to the process that built it.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use preceptor_runtime::OnEnd;
use preceptor_runtime::tasks::{Stop, TaskError, Tasks};
use tonic::service::Routes;

use crate::caller::ServiceName;

type Body = Arc<dyn Fn(Stop) -> BoxFuture<'static, Result<(), TaskError>> + Send + Sync>;

/// A task that a service needs to run.
#[derive(Clone)]
pub struct Task {
    name: &'static str,
    on_end: OnEnd,
    body: Body,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.name, self.on_end)
    }
}

impl Task {
    /// A task; `body` is called again for every restart.
    pub fn new<F>(name: &'static str, on_end: OnEnd, body: impl Fn(Stop) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        Self { name, on_end, body: Arc::new(move |stop| body(stop).boxed()) }
    }

    /// Starts the task under the module's supervisor.
    pub fn spawn(self, tasks: &Tasks) {
        let body = self.body;
        tasks.spawn(self.name, self.on_end, move |stop| body(stop));
    }
}

/// A built service: its routes and its tasks. Building one has no side effects; they begin when the process serves the
/// routes and spawns the tasks.
#[derive(Debug)]
pub struct Service {
    /// Which service it is.
    pub name: ServiceName,
    /// Its gRPC routes.
    pub routes: Routes,
    /// Its tasks: consumers, relays, schedules.
    pub tasks: Vec<Task>,
}
