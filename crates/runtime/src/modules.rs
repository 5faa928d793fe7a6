//! The table of modules: what starts after what, and stops before it.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::health::{Health, State};
use crate::tasks::{TaskError, Tasks};

/// What a module is given to start with.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where it spawns its tasks.
    pub tasks: Tasks,
    /// Where it says how it is.
    pub health: Health,
}

type Start = Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<(), TaskError>> + Send>;

/// One line of the table.
pub struct Module {
    name: &'static str,
    after: Vec<&'static str>,
    start: Start,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} after {:?}", self.name, self.after)
    }
}

impl Module {
    /// A module that starts once all modules named in `after` have started.
    pub fn new<F>(
        name: &'static str,
        after: &[&'static str],
        start: impl FnOnce(Context) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        Self { name, after: after.to_vec(), start: Box::new(move |context| start(context).boxed()) }
    }
}

/// A table that has no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Two modules of one name.
    #[error("there are two modules named {0}")]
    Duplicate(&'static str),
    /// A dependency on nothing.
    #[error("{module} starts after {unknown}, which is not in the table")]
    Unknown {
        /// The module with the dependency.
        module: &'static str,
        /// The name that is not in the table.
        unknown: &'static str,
    },
    /// Modules that wait for each other.
    #[error("these modules wait for each other: {}", .0.join(", "))]
    Cycle(Vec<&'static str>),
}

/// A module that did not start.
#[derive(Debug, thiserror::Error)]
#[error("{module} did not start: {cause}")]
pub struct StartError {
    module: &'static str,
    cause: TaskError,
}

/// All modules of a process.
#[derive(Debug, Default)]
pub struct Table {
    modules: Vec<Module>,
}

impl Table {
    /// Adds a line.
    pub fn add(&mut self, module: Module) {
        self.modules.push(module);
    }

    /// Puts the modules into an order in which each comes after those it depends on; ties keep the table's order.
    pub fn into_order(self) -> Result<Vec<Module>, TableError> {
        let names: Vec<_> = self.modules.iter().map(|module| module.name).collect();
        for (index, module) in self.modules.iter().enumerate() {
            if names[..index].contains(&module.name) {
                return Err(TableError::Duplicate(module.name));
            }
            if let Some(unknown) = module.after.iter().find(|&dependency| !names.contains(dependency)) {
                return Err(TableError::Unknown { module: module.name, unknown });
            }
        }
        let mut waiting = self.modules;
        let mut ordered: Vec<Module> = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let started = |name: &&'static str| ordered.iter().any(|module| module.name == *name);
            let Some(next) = waiting.iter().position(|module| module.after.iter().all(started)) else {
                return Err(TableError::Cycle(waiting.iter().map(|module| module.name).collect()));
            };
            ordered.push(waiting.remove(next));
        }
        Ok(ordered)
    }
}

/// A process with all its modules up.
#[derive(Debug)]
pub struct Running {
    started: Vec<(&'static str, Tasks)>,
    fatal: watch::Receiver<Option<String>>,
    /// How the parts are.
    pub health: Health,
}

/// Starts every module in order. When one fails, those already up are stopped again.
pub async fn start(modules: Vec<Module>, health: Health, grace: Duration) -> Result<Running, StartError> {
    let (sender, fatal) = watch::channel(None);
    let sender = Arc::new(sender);
    let mut running = Running { started: Vec::new(), fatal, health: health.clone() };
    for module in modules {
        let tasks = Tasks::new(module.name, Arc::clone(&sender));
        health.set(module.name, State::Starting);
        running.started.push((module.name, tasks.clone()));
        if let Err(cause) = (module.start)(Context { tasks, health: health.clone() }).await {
            health.set(module.name, State::Down(cause.to_string()));
            running.stop(grace).await;
            return Err(StartError { module: module.name, cause });
        }
        let settled =
            health.parts().iter().any(|(part, state)| *part == module.name && *state != State::Starting);
        if !settled {
            health.set(module.name, State::Ready);
        }
    }
    Ok(running)
}

impl Running {
    /// Completes with the cause when a task that the process cannot do without has ended.
    pub async fn failed(&mut self) -> String {
        match self.fatal.wait_for(Option::is_some).await {
            Ok(cause) => cause.clone().unwrap_or_default(),
            Err(_) => futures::future::pending().await,
        }
    }

    /// Stops the modules in reverse order, each within its share of `grace`. Returns those that did not end in time.
    pub async fn stop(self, grace: Duration) -> Vec<&'static str> {
        let until = tokio::time::Instant::now() + grace;
        let mut late = Vec::new();
        for (name, tasks) in self.started.into_iter().rev() {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if !tasks.finish(left).await {
                tracing::warn!(module = name, "a module did not stop in time");
                late.push(name);
            }
        }
        late
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::tasks::OnEnd;

    fn module(name: &'static str, after: &[&'static str]) -> Module {
        Module::new(name, after, |_| async { Ok(()) })
    }

    fn table(modules: impl IntoIterator<Item = Module>) -> Table {
        Table { modules: modules.into_iter().collect() }
    }

    fn names(modules: &[Module]) -> Vec<&'static str> {
        modules.iter().map(|module| module.name).collect()
    }

    #[test]
    fn dependencies_come_first() {
        let ordered =
            table([module("gateway", &["auth", "store"]), module("auth", &["store"]), module("store", &[])])
                .into_order();
        assert_eq!(names(&ordered.expect("an order")), ["store", "auth", "gateway"]);
    }

    #[test]
    fn tables_without_an_order_are_refused() {
        let cycle = table([module("a", &["b"]), module("b", &["a"]), module("c", &[])]).into_order();
        assert_eq!(cycle.map(|_| ()), Err(TableError::Cycle(vec!["a", "b"])));
        let unknown = table([module("a", &["x"])]).into_order();
        assert_eq!(unknown.map(|_| ()), Err(TableError::Unknown { module: "a", unknown: "x" }));
        let double = table([module("a", &[]), module("a", &[])]).into_order();
        assert_eq!(double.map(|_| ()), Err(TableError::Duplicate("a")));
    }

    #[tokio::test]
    async fn modules_stop_in_reverse_order() {
        let stopped = Arc::new(Mutex::new(Vec::new()));
        let recorder = |name: &'static str, after: &[&'static str]| {
            let stopped = Arc::clone(&stopped);
            Module::new(name, after, move |context| async move {
                context.tasks.spawn("worker", OnEnd::Fatal, move |stop| {
                    let stopped = Arc::clone(&stopped);
                    async move {
                        stop.requested().await;
                        stopped.lock().expect("no panic").push(name);
                        Ok(())
                    }
                });
                Ok(())
            })
        };
        let modules =
            table([recorder("edge", &["middle"]), recorder("middle", &["base"]), recorder("base", &[])]);
        let grace = Duration::from_secs(5);
        let running = start(modules.into_order().expect("an order"), Health::default(), grace)
            .await
            .expect("all start");
        assert!(running.health.is_ready());
        assert!(running.stop(grace).await.is_empty());
        assert_eq!(*stopped.lock().expect("no panic"), ["edge", "middle", "base"]);
    }

    #[tokio::test]
    async fn a_module_that_fails_names_itself() {
        let failing = Module::new("store", &[], |_| async { Err("disk full".into()) });
        let error =
            start(vec![failing], Health::default(), Duration::from_secs(1)).await.expect_err("it failed");
        assert_eq!(error.to_string(), "store did not start: disk full");
    }
}
