//! Places: so many at a time, and never all of them for one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for work that costs much, shared among those who want it done.
#[derive(Debug)]
pub struct Places<K> {
    all: Arc<Semaphore>,
    /// Places that one may have at a time.
    of_one: usize,
    each: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_one: OwnedSemaphorePermit,
}

impl<K: Hash + Eq + Clone> Places<K> {
    /// So many places; where there are two or more, one is always left for somebody else.
    pub fn new(places: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places)),
            of_one: places.saturating_sub(1).max(1),
            each: Mutex::default(),
        }
    }

    /// Waits for a place, in the order in which `who` asked for theirs.
    pub async fn take(&self, who: &K) -> Place {
        let of_one = wait(self.of_one(who)).await;
        Place { _of_all: wait(Arc::clone(&self.all)).await, _of_one: of_one }
    }

    fn of_one(&self, who: &K) -> Arc<Semaphore> {
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits or works holds a reference of their own.
        each.retain(|known, places| {
            known == who || Arc::strong_count(places) > 1 || places.available_permits() < self.of_one
        });
        Arc::clone(each.entry(who.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.of_one))))
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
}
