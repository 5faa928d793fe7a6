//! How slowly bytes may come or go.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::Limits;

/// How long bytes may move more slowly than they have to, before their average counts.
const GRACE: Duration = Duration::from_secs(5);

/// What moving bytes may take, and has taken. Only time in which the other end is waited for counts.
#[derive(Debug)]
pub(crate) struct Pace {
    stalled: Duration,
    least: u64,
    until: Option<Instant>,
    moved: u64,
    waited: Duration,
}

impl Pace {
    /// A pace by the listener's limits, which ends at `until` if there is one.
    pub(crate) fn new(limits: &Limits, until: Option<Instant>) -> Self {
        Self {
            stalled: limits.stalled(),
            least: limits.least_bytes_per_second,
            until,
            moved: 0,
            waited: Duration::ZERO,
        }
    }

    /// Adds bytes that came or went.
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes as u64);
    }

    /// Adds time in which the other end was waited for.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    /// Until when a wait that begins at `now` may last.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        let earned = GRACE + Duration::from_millis(self.moved.saturating_mul(1000) / self.least.max(1));
        let by_pace = (now + self.stalled).min(now + earned.saturating_sub(self.waited));
        self.until.map_or(by_pace, |until| by_pace.min(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_bytes_earn_their_time() {
        let now = Instant::now();
        let limits = Limits { stalled_seconds: 10, least_bytes_per_second: 1024, ..Limits::default() };
        let mut pace = Pace::new(&limits, Some(now + Duration::from_secs(100)));
        assert_eq!(pace.deadline(now), now + GRACE);
        pace.moved(1 << 20);
        assert_eq!(pace.deadline(now), now + Duration::from_secs(10), "but not to stand still");
        pace.waited(Duration::from_secs(1024) + GRACE);
        assert_eq!(pace.deadline(now), now);
        pace.moved(usize::MAX);
        pace.until = Some(now + Duration::from_secs(1));
        assert_eq!(pace.deadline(now), now + Duration::from_secs(1));
    }
}
