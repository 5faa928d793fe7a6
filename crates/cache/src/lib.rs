//! Counters that expire, behind one small trait.
//!
//! Rate limits are the generic cell rate algorithm: one instant per key, moved forward by every accepted call. The
//! embedded engine, the only one so far, keeps the instants in memory of its process; the step is small enough for a
//! script of a shared cache.
//! Nothing here is truth: losing it all makes limits start afresh and nothing else. [`conformance`] is the suite that
//! every engine passes.

pub mod conformance;
mod memory;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

pub use memory::MemoryCache;

/// So many calls in so much time, with a burst of the same size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls allowed per window.
    pub calls: u32,
    /// The window.
    pub window: Duration,
}

impl Quota {
    /// The time one call uses up.
    fn interval(self) -> Duration {
        self.window / self.calls.max(1)
    }
}

/// Whether a call may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The call may go on.
    pub allowed: bool,
    /// Calls that would still be allowed at once.
    pub remaining: u32,
    /// When refused: how long to wait. When allowed: how long until the quota is whole again.
    pub reset: Duration,
}

/// The cache engine cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cache is not available: {0}")]
pub struct Unavailable(pub String);

/// The cache engine.
#[async_trait]
pub trait Cache: Send + Sync + fmt::Debug {
    /// Takes one call out of the quota of `key`.
    async fn take(&self, key: &str, quota: Quota) -> Result<Decision, Unavailable>;

    /// What [`take`](Self::take) would say, without taking anything.
    async fn peek(&self, key: &str, quota: Quota) -> Result<Decision, Unavailable>;
}
