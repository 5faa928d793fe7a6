//! What is ready and what is not, with the reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The state of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On its way up.
    Starting,
    /// Doing its work.
    Ready,
    /// Doing less than it could; the reason says what is missing.
    Degraded(String),
    /// Not doing its work; the reason says why.
    Down(String),
}

/// The states of all parts of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<&'static str, State>>>);

impl Health {
    /// Says how `part` is.
    pub fn set(&self, part: &'static str, state: State) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.insert(part, state.clone());
        drop(parts);
        if before.as_ref() == Some(&state) {
            return;
        }
        match (&state, before) {
            (State::Degraded(reason), _) => {
                tracing::warn!(health.part = part, reason, "degraded");
            }
            (State::Down(reason), _) => tracing::error!(health.part = part, reason, "a part is down"),
            (State::Ready, Some(State::Down(_) | State::Degraded(_))) => {
                tracing::info!(health.part = part, "a part is back");
            }
            _ => {}
        }
    }

    /// Every part with its state.
    pub fn parts(&self) -> Vec<(&'static str, State)> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|(part, state)| (*part, state.clone())).collect()
    }

    /// Whether a part is down, as far as is known.
    pub fn has_failed(&self) -> bool {
        self.parts().iter().any(|(_, state)| matches!(state, State::Down(_)))
    }

    /// Whether requests should be sent here: nothing is starting or down.
    pub fn is_ready(&self) -> bool {
        self.parts().iter().all(|(_, state)| matches!(state, State::Ready | State::Degraded(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_down_is_not_ready() {
        let health = Health::default();
        health.set("index", State::Degraded("no model".into()));
        health.set("store", State::Ready);
        assert!(health.is_ready());
        health.set("store", State::Down("disk full".into()));
        assert!(!health.is_ready());
        assert_eq!(health.parts()[1], ("store", State::Down("disk full".into())));
    }
}
