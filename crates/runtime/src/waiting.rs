//! What waits for a worker.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::tasks::Stop;

/// Things that wait for a worker, each once, in the order in which they came. What must survive the process is kept
/// elsewhere; this only wakes the one who works on it.
pub struct Waiting<T> {
    queue: Mutex<Queue<T>>,
    added: Notify,
}

struct Queue<T> {
    order: VecDeque<T>,
    known: BTreeSet<T>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self {
            queue: Mutex::new(Queue { order: VecDeque::new(), known: BTreeSet::new() }),
            added: Notify::new(),
        }
    }
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

impl<T: Ord + Clone> Waiting<T> {
    /// Has a thing wait, unless it does already.
    pub fn add(&self, thing: T) {
        self.with(|queue| {
            if queue.known.insert(thing.clone()) {
                queue.order.push_back(thing);
            }
        });
        self.added.notify_one();
    }

    /// Waits for something and takes the first.
    pub async fn next(&self) -> T {
        self.until(|queue| {
            let first = queue.order.pop_front()?;
            queue.known.remove(&first);
            Some(first)
        })
        .await
    }

    /// Waits for something and takes all there is. Nothing is lost when the caller stops waiting.
    pub async fn all(&self) -> Vec<T> {
        self.until(|queue| {
            queue.known.clear();
            Some(Vec::from(std::mem::take(&mut queue.order))).filter(|all| !all.is_empty())
        })
        .await
    }

    /// Waits for something, and a little longer for what comes with it; takes all there is. Nothing is lost when the caller
    /// stops waiting.
    pub async fn gathered(&self, pause: Duration) -> Vec<T> {
        self.until(|queue| (!queue.order.is_empty()).then_some(())).await;
        tokio::time::sleep(pause).await;
        self.all().await
    }

    /// Works on what waits, one after the other, until the end is requested. What `work` could not do for now, it says
    /// with `false`: that waits again, and the next is begun after a pause.
    pub async fn work<F: Future<Output = bool> + Send>(
        &self,
        stop: &Stop,
        pause: Duration,
        work: impl Fn(T) -> F,
    ) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                () = stop.requested() => return,
            };
            if work(next.clone()).await {
                continue;
            }
            self.add(next);
            if !stop.sleep(pause).await {
                return;
            }
        }
    }

    async fn until<R>(&self, mut take: impl FnMut(&mut Queue<T>) -> Option<R>) -> R {
        loop {
            if let Some(taken) = self.with(&mut take) {
                return taken;
            }
            self.added.notified().await;
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Queue<T>) -> R) -> R {
        work(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn each_thing_comes_once_and_in_order() {
        let waiting = Waiting::default();
        for thing in [3, 1, 3, 2] {
            waiting.add(thing);
        }
        assert_eq!((waiting.next().await, waiting.all().await), (3, vec![1, 2]));
        waiting.add(3);
        assert_eq!(waiting.next().await, 3, "what was taken may wait again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_together_is_taken_together() {
        let waiting = Waiting::default();
        let later = async {
            for thing in [1, 2, 3] {
                waiting.add(thing);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let (first, ()) = tokio::join!(waiting.gathered(Duration::from_millis(150)), later);
        assert_eq!((first, waiting.gathered(Duration::ZERO).await), (vec![1, 2], vec![3]));
    }

    #[tokio::test]
    async fn a_waiter_is_woken_and_loses_nothing_when_it_gives_up() {
        let waiting = Arc::new(Waiting::default());
        let gone = {
            let all = waiting.all();
            futures::pin_mut!(all);
            futures::poll!(all.as_mut()).is_pending()
        };
        assert!(gone);
        let (woken, ()) = tokio::join!(waiting.all(), async { waiting.add("x") });
        assert_eq!(woken, ["x"]);
    }
}
