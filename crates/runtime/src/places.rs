//! Places: so many at a time, and never all of them for one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for work that costs much, shared among those who want it done.
#[derive(Debug)]
pub struct Places<K> {
    all: Arc<Semaphore>,
    /// Places that one may have at a time.
    of_one: usize,
    each: Mutex<HashMap<K, Arc<One>>>,
}

/// What there is for one.
#[derive(Debug)]
struct One {
    places: Arc<Semaphore>,
    /// Who waits, or is just being given a place.
    waiting: AtomicUsize,
}

/// One more that waits, until this is dropped.
#[derive(Debug)]
struct Waits {
    one: Arc<One>,
    /// How many waited before.
    before: usize,
}

impl Waits {
    fn begin(one: Arc<One>) -> Self {
        let before = one.waiting.fetch_add(1, Ordering::Relaxed);
        Self { one, before }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.one.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_one: OwnedSemaphorePermit,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// So many places; where there are two or more, one is always left for someone else.
    pub fn new(places: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places)),
            of_one: places.saturating_sub(1).max(1),
            each: Mutex::default(),
        }
    }

    /// Waits for a place, in the order in which `who` asked for theirs.
    pub async fn take(&self, who: &K) -> Place {
        self.wait(Waits::begin(self.one(who))).await
    }

    /// The same where fewer than `most` of `who` wait already; nothing, and at once, where as many do.
    pub async fn take_unless_crowded(&self, who: &K, most: usize) -> Option<Place> {
        let waits = Waits::begin(self.one(who));
        if waits.before >= most {
            return None;
        }
        Some(self.wait(waits).await)
    }

    async fn wait(&self, waits: Waits) -> Place {
        let of_one = wait(Arc::clone(&waits.one.places)).await;
        Place { _of_all: wait(Arc::clone(&self.all)).await, _of_one: of_one }
    }

    fn one(&self, who: &K) -> Arc<One> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Who waits holds a reference; who works holds a permit.
        each.retain(|known, one| {
            known == who || Arc::strong_count(one) > 1 || one.places.available_permits() < self.of_one
        });
        let fresh =
            || Arc::new(One { places: Arc::new(Semaphore::new(self.of_one)), waiting: AtomicUsize::new(0) });
        Arc::clone(each.entry(who.clone()).or_insert_with(fresh))
    }
}

async fn wait(places: Arc<Semaphore>) -> OwnedSemaphorePermit {
    places.acquire_owned().await.expect("these semaphores are never closed")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn one_that_wants_everything_leaves_a_place_to_another() {
        let places = Places::new(2);
        let soon = async |who| tokio::time::timeout(Duration::from_millis(50), places.take(&who)).await;
        let first = soon("greedy").await.expect("a place");
        assert!(soon("greedy").await.is_err(), "the second place is not for the same one");
        let other = soon("modest").await.expect("at once");
        drop((first, other));
        assert!(soon("greedy").await.is_ok(), "places come back");
        assert_eq!(places.each.lock().expect("a lock").len(), 1, "who has gone is forgotten");
    }

    #[tokio::test]
    async fn one_waits_no_more_often_than_it_may() {
        let places = Places::new(2);
        let held = places.take(&"greedy").await;
        let mut waiting = Box::pin(places.take_unless_crowded(&"greedy", 1));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        let mut refused = Box::pin(places.take_unless_crowded(&"greedy", 1));
        assert!(matches!(futures::poll!(refused.as_mut()), std::task::Poll::Ready(None)), "at once");
        assert!(places.take_unless_crowded(&"modest", 1).await.is_some(), "others do not count");
        drop(waiting);
        let mut instead = Box::pin(places.take_unless_crowded(&"greedy", 1));
        assert!(futures::poll!(instead.as_mut()).is_pending(), "who left waits no more");
        drop(held);
        assert!(instead.await.is_some());
    }
}
