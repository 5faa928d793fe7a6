//! Places: so many for every kind of work, and never all of them for one org.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::id::OrgId;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::Lane;

/// The places of one lane.
#[derive(Debug)]
pub(crate) struct Places {
    lane: Lane,
    all: Arc<Semaphore>,
    /// Places that one org may have at a time.
    of_one: usize,
    orgs: Mutex<HashMap<OrgId, Arc<Semaphore>>>,
}

/// A place; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    pub(crate) lane: Lane,
    _of_all: OwnedSemaphorePermit,
    _of_org: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(lane: Lane, places: usize) -> Self {
        Self {
            lane,
            all: Arc::new(Semaphore::new(places)),
            of_one: places.saturating_sub(1).max(1),
            orgs: Mutex::default(),
        }
    }

    /// Waits for a place.
    pub(crate) async fn take(&self, org: OrgId) -> Result<Place, AcquireError> {
        let of_org = self.of_org(org).acquire_owned().await?;
        let of_all = Arc::clone(&self.all).acquire_owned().await?;
        Ok(Place { lane: self.lane, _of_all: of_all, _of_org: of_org })
    }

    fn of_org(&self, org: OrgId) -> Arc<Semaphore> {
        let mut orgs = self.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits or works holds a reference of its own.
        orgs.retain(|known, places| {
            *known == org || Arc::strong_count(places) > 1 || places.available_permits() < self.of_one
        });
        Arc::clone(orgs.entry(org).or_insert_with(|| Arc::new(Semaphore::new(self.of_one))))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_org_that_wants_everything_leaves_a_place_to_another() {
        let places = Places::new(Lane::Draw, 2);
        let (greedy, modest) = (OrgId::generate(), OrgId::generate());
        let first = places.take(greedy).await.expect("a place");
        let second = tokio::time::timeout(Duration::from_millis(50), places.take(greedy)).await;
        assert!(second.is_err(), "the second place is not for the same org");
        let other = tokio::time::timeout(Duration::from_millis(50), places.take(modest))
            .await
            .expect("at once")
            .expect("a place");
        drop((first, other));
        assert!(
            tokio::time::timeout(Duration::from_millis(50), places.take(greedy)).await.is_ok(),
            "places come back"
        );
        assert_eq!(places.orgs.lock().expect("a lock").len(), 1, "who has gone is forgotten");
    }
}
