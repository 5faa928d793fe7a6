//! What a handler adds to the record of its call.

use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::Scope;

/// Goes with every call. The layers note who acts; a handler of an unscoped method notes on whose behalf it acted, which
/// only it finds out, and facts that belong to the act.
#[derive(Debug, Clone, Default)]
pub struct Note(Arc<Mutex<Noted>>);

/// What was noted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Noted {
    pub(crate) scope: Option<Arc<Scope>>,
    pub(crate) facts: Vec<(&'static str, String)>,
}

impl Note {
    /// The note of a call.
    pub fn of<T>(request: &tonic::Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// Says who acts.
    pub fn acting(&self, scope: Arc<Scope>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).scope = Some(scope);
    }

    /// Adds a fact: an id, a kind, a state. Never personal data, never a secret.
    pub fn fact(&self, name: &'static str, value: impl ToString) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).facts.push((name, value.to_string()));
    }

    pub(crate) fn noted(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
