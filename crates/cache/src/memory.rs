//! The embedded cache engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::{Clock, Timestamp};

use crate::{Cache, Decision, Quota, Unavailable};

/// Keys remembered at the same time; the least used are forgotten first.
const MOST_KEYS: u64 = 100_000;

/// Counters in this process's memory.
#[derive(Debug)]
pub struct MemoryCache {
    /// Per key the instant at which its quota will be whole again (the "theoretical arrival time").
    arrivals: moka::sync::Cache<String, Timestamp>,
    clock: Arc<dyn Clock>,
}

impl MemoryCache {
    /// An empty cache.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { arrivals: moka::sync::Cache::new(MOST_KEYS), clock }
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn take(&self, key: &str, quota: Quota) -> Result<Decision, Unavailable> {
        let now = self.clock.now();
        let mut decision = Decision { allowed: false, remaining: 0, reset: Duration::ZERO };
        self.arrivals.entry_by_ref(key).and_upsert_with(|entry| {
            let whole_at = entry.map_or(now, |entry| entry.into_value().max(now));
            let (next, taken) = step(now, whole_at, quota);
            decision = taken;
            next
        });
        Ok(decision)
    }

    async fn peek(&self, key: &str, quota: Quota) -> Result<Decision, Unavailable> {
        let now = self.clock.now();
        let whole_at = self.arrivals.get(key).map_or(now, |whole_at| whole_at.max(now));
        Ok(step(now, whole_at, quota).1)
    }
}

/// One step of the generic cell rate algorithm (ITU-T I.371, virtual scheduling).
fn step(now: Timestamp, whole_at: Timestamp, quota: Quota) -> (Timestamp, Decision) {
    let interval = quota.interval();
    let next = whole_at.after(interval);
    let ahead = next.since(now);
    if ahead > quota.window {
        return (
            whole_at,
            Decision { allowed: false, remaining: 0, reset: ahead.saturating_sub(quota.window) },
        );
    }
    let left = quota.window.saturating_sub(ahead).as_micros() / interval.as_micros().max(1);
    (next, Decision { allowed: true, remaining: u32::try_from(left).unwrap_or(u32::MAX), reset: ahead })
}

#[cfg(test)]
mod tests {
    use preceptor_core::clock::ManualClock;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn memory_conforms() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_000_000)));
        let cache = MemoryCache::new(Arc::<ManualClock>::clone(&clock));
        conformance::run(&cache, |time| clock.advance(time)).await;
    }
}
