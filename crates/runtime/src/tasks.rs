//! Supervised tasks: no orphans, no silent deaths.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause before a failed task is started again: doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Tells a task that it should come to an end.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Completes when the task should end.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether the task should end.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits, but not longer than until the end is requested. `false` when it was.
    pub async fn sleep(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.requested() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

/// What it means when a task ends before it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEnd {
    /// The process cannot do without it and goes down.
    Fatal,
    /// It is started again after a growing pause.
    Restart,
    /// It had one thing to do.
    Expected,
}

/// Why a task failed, in words for the log.
pub type TaskError = Box<dyn std::error::Error + Send + Sync>;

/// The tasks of one module. Cheap to clone.
#[derive(Clone)]
pub struct Tasks {
    module: &'static str,
    tracker: TaskTracker,
    stop: Stop,
    fatal: Arc<watch::Sender<Option<String>>>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("module", &self.module)
            .field("running", &self.tracker.len())
            .finish_non_exhaustive()
    }
}

impl Tasks {
    /// The tasks of `module`; a fatal end is announced on `fatal`.
    pub fn new(module: &'static str, fatal: Arc<watch::Sender<Option<String>>>) -> Self {
        Self { module, tracker: TaskTracker::new(), stop: Stop::default(), fatal }
    }

    /// Tasks that belong to no process: for tests and short commands.
    pub fn standalone(module: &'static str) -> Self {
        Self::new(module, Arc::new(watch::channel(None).0))
    }

    /// Starts a task. `body` is called again for every restart.
    pub fn spawn<F>(
        &self,
        name: &'static str,
        on_end: OnEnd,
        body: impl Fn(Stop) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let supervised = supervise(self.clone(), name, on_end, Box::new(move |stop| body(stop).boxed()));
        // The one place that spawns: see the check in xtask.
        #[expect(clippy::disallowed_methods, reason = "the supervisor is the place that spawns")]
        tokio::spawn(self.tracker.track_future(supervised));
    }

    /// Starts a piece of work that ends by itself, such as extracting one file.
    pub fn spawn_once(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let module = self.module;
        let work = async move {
            if std::panic::AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(task.module = module, task.name = name, "a task panicked");
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the supervisor is the place that spawns")]
        tokio::spawn(self.tracker.track_future(work));
    }

    /// Starts the one piece of work that this module is there for: when it ends before it was asked to, the process goes
    /// down.
    pub fn spawn_vital(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<(), TaskError>> + Send + 'static,
    ) {
        let tasks = self.clone();
        self.spawn_once(name, async move {
            let ended = std::panic::AssertUnwindSafe(work).catch_unwind().await;
            if tasks.stop.is_requested() {
                return;
            }
            let cause = match ended {
                Ok(Ok(())) => "it ended without being asked to".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it panicked".to_owned(),
            };
            tracing::error!(
                task.module = tasks.module,
                task.name = name,
                cause,
                "a task that the process is there for failed"
            );
            tasks.fatal.send_replace(Some(format!("{}/{name}: {cause}", tasks.module)));
        });
    }

    /// Does a piece of work to its end, whether or not anyone goes on waiting for it. `None` when it panicked.
    pub async fn detached<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (result, done) = tokio::sync::oneshot::channel();
        self.spawn_once(name, async move {
            // No one wants the result any more: that is theirs to decide.
            let _ = result.send(work.await);
        });
        done.await.ok()
    }

    /// The signal that this module's tasks should end.
    pub fn stop_signal(&self) -> Stop {
        self.stop.clone()
    }

    /// Asks every task to end, and does not wait for it.
    pub fn cancel(&self) {
        self.stop.0.cancel();
    }

    /// Asks every task to end and waits for it, at most `grace`. Returns whether all of them did.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.stop.0.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait()).await.is_ok()
    }
}

type Body = Box<dyn Fn(Stop) -> BoxFuture<'static, Result<(), TaskError>> + Send + Sync>;

async fn supervise(tasks: Tasks, name: &'static str, on_end: OnEnd, body: Body) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = tokio::time::Instant::now();
        let ended = std::panic::AssertUnwindSafe(body(tasks.stop.clone())).catch_unwind().await;
        if tasks.stop.is_requested() {
            return;
        }
        let cause = match ended {
            Ok(Ok(())) if on_end == OnEnd::Expected => return,
            Ok(Ok(())) => "it ended without being asked to".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        tracing::error!(task.module = tasks.module, task.name = name, cause, "a task failed");
        match on_end {
            OnEnd::Expected => return,
            OnEnd::Fatal => {
                tasks.fatal.send_replace(Some(format!("{}/{name}: {cause}", tasks.module)));
                return;
            }
            OnEnd::Restart => {}
        }
        if started.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        if !tasks.stop.sleep(pause).await {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Runs `work` to its end even when the caller is canceled while it waits.
///
/// For steps that must not stop half-way, such as opening a transaction: sqlx returns a connection with an open
/// transaction to its pool when `begin()` is canceled.
pub async fn shielded<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    #[expect(clippy::disallowed_methods, reason = "the supervisor is the place that spawns")]
    let handle = tokio::spawn(work);
    match handle.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // No one holds the handle but this function, so no one can have canceled it but the runtime's own end.
            Err(_) => futures::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn tasks() -> (Tasks, watch::Receiver<Option<String>>) {
        let (sender, receiver) = watch::channel(None);
        (Tasks::new("test", Arc::new(sender)), receiver)
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_task_is_started_again() {
        let (tasks, _fatal) = tasks();
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&runs);
        tasks.spawn("flaky", OnEnd::Restart, move |stop| {
            let run = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                match run {
                    0 => Err("first".into()),
                    1 => panic!("second"),
                    _ => {
                        stop.requested().await;
                        Ok(())
                    }
                }
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert!(tasks.finish(Duration::from_secs(1)).await);
    }

    #[tokio::test]
    async fn a_fatal_end_is_announced_with_its_cause() {
        let (tasks, mut fatal) = tasks();
        tasks.spawn("server", OnEnd::Fatal, |_| async { Err("port gone".into()) });
        fatal.changed().await.expect("an announcement");
        assert_eq!(fatal.borrow().as_deref(), Some("test/server: port gone"));
    }

    #[tokio::test]
    async fn vital_work_that_ends_takes_the_process_down_unless_it_was_asked_to_end() {
        let (vital, mut fatal) = tasks();
        vital.spawn_vital("listener", async { panic!("on purpose") });
        fatal.changed().await.expect("an announcement");
        assert_eq!(fatal.borrow().as_deref(), Some("test/listener: it panicked"));

        let (vital, fatal) = tasks();
        let stop = vital.stop_signal();
        vital.spawn_vital("listener", async move {
            stop.requested().await;
            Ok(())
        });
        assert!(vital.finish(Duration::from_secs(1)).await);
        assert_eq!(*fatal.borrow(), None);
    }

    #[tokio::test]
    async fn detached_work_goes_on_when_no_one_waits_and_is_waited_for_at_the_end() {
        let (tasks, _fatal) = tasks();
        assert_eq!(tasks.detached("sum", async { 1 + 1 }).await, Some(2));
        assert_eq!(tasks.detached("bad", async { panic!("on purpose") }).await, None::<()>);
        let done = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&done);
        {
            let caller = tasks.detached("slow", async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                counter.fetch_add(1, Ordering::SeqCst);
            });
            futures::pin_mut!(caller);
            assert!(futures::poll!(caller.as_mut()).is_pending());
        }
        assert!(tasks.finish(Duration::from_secs(5)).await);
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_listen_does_not_hold_the_process() {
        let (tasks, _fatal) = tasks();
        tasks.spawn("deaf", OnEnd::Restart, |_| futures::future::pending());
        assert!(!tasks.finish(Duration::from_secs(2)).await);
    }

    #[tokio::test]
    async fn shielded_work_survives_its_caller() {
        let done = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&done);
        let (release, wait) = tokio::sync::oneshot::channel::<()>();
        let (finished, observe) = tokio::sync::oneshot::channel::<()>();
        {
            let caller = shielded(async move {
                let _ = wait.await;
                counter.fetch_add(1, Ordering::SeqCst);
                let _ = finished.send(());
            });
            futures::pin_mut!(caller);
            assert!(futures::poll!(caller.as_mut()).is_pending());
        }
        release.send(()).expect("the work still listens");
        observe.await.expect("the work finished");
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }
}
