//! Leaving alone what keeps failing.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

/// Opens after some failures in a row and stays open for a while; then one call may try again.
#[derive(Debug)]
pub struct Breaker {
    failures: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Opens after `failures` in a row, for `pause`.
    pub fn new(failures: u32, pause: Duration) -> Self {
        Self { failures: failures.max(1), pause, state: Mutex::default() }
    }

    /// Whether calls should not be made now.
    pub fn is_open(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open_until.is_some_and(|until| Instant::now() < until)
    }

    /// Notes how a call ended. A failure after the pause opens it again at once.
    pub fn note(&self, succeeded: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.failures {
            state.open_until = Some(Instant::now() + self.pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_lets_one_try_again() {
        let breaker = Breaker::new(2, Duration::from_secs(60));
        breaker.note(false);
        breaker.note(true);
        breaker.note(false);
        assert!(!breaker.is_open(), "not two in a row");
        breaker.note(false);
        assert!(breaker.is_open());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!breaker.is_open());
        breaker.note(false);
        assert!(breaker.is_open(), "still broken");
        tokio::time::advance(Duration::from_secs(61)).await;
        breaker.note(true);
        breaker.note(false);
        assert!(!breaker.is_open(), "whole again");
    }
}
