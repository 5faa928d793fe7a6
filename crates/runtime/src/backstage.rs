//! Heavy work that no request waits for: typesetting, canonical forms, proofs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use thread_priority::ThreadPriority;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// A thread that gets what the others leave of the cores. It works on one thing after the other and ends with its last
/// handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backstage(mpsc::Sender<Job>);

impl Backstage {
    /// Starts the thread.
    pub fn start(name: &'static str) -> Self {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let work = move || {
            if let Err(error) = ThreadPriority::Min.set_for_current() {
                tracing::warn!(name, ?error, "work behind the scenes has the priority of all other work");
            }
            for job in waiting {
                if catch_unwind(AssertUnwindSafe(job)).is_err() {
                    tracing::error!(name, "work behind the scenes panicked");
                }
            }
        };
        // Anyone who hands work to a thread that could not be started is told so.
        if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(work) {
            tracing::error!(name, %error, "no thread for work behind the scenes");
        }
        Self(jobs)
    }

    /// Has the thread do `work`. `None` when it panicked, or when there is no thread.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (result, done) = oneshot::channel();
        let job = Box::new(move || {
            // No one wants the result any more: that is theirs to decide.
            let _ = result.send(work());
        });
        self.0.send(job).ok()?;
        done.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_and_a_panic_does_not_end_the_thread() {
        let backstage = Backstage::start("test");
        assert_eq!(backstage.run(|| 1 + 1).await, Some(2));
        assert_eq!(backstage.run(|| panic!("on purpose")).await, None::<()>);
        assert_eq!(
            backstage.run(|| thread::current().name().map(str::to_owned)).await,
            Some(Some("test".to_owned()))
        );
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_thread_stands_behind_the_others() {
        // The 19th field of the file is the niceness (proc_pid_stat(5)); the second is a name in parentheses.
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("the thread's state");
            stat.rsplit(')').next().expect("fields").split_whitespace().nth(16).map(str::to_owned)
        };
        assert_eq!(Backstage::start("test").run(niceness).await, Some(Some("19".to_owned())));
    }
}
