//! What a call costs, counted for tests: statements to the store, and calls of the key engine.
//!
//! Nothing is counted unless the crate is built with the feature `tally`, which only the test kit asks for. Then
//! [`of_call`] keeps, under the key of its caller, what was counted while a handler ran; work that a handler leaves to
//! others is theirs, so that the numbers of one call are the same however busy the process is.

/// What one call of a method cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Statements that read or change rows; the ends of transactions are none.
    pub statements: u32,
    /// Calls of the key engine, each for one or for many messages.
    pub key_calls: u32,
}

/// Counts a statement.
#[cfg(not(feature = "tally"))]
pub fn statement() {}

/// Counts a call of the key engine.
#[cfg(not(feature = "tally"))]
pub fn key_call() {}

/// Runs the handler of `method`.
#[cfg(not(feature = "tally"))]
pub async fn of_call<T>(
    _key: impl std::fmt::Display,
    _method: &str,
    work: impl Future<Output = T> + Send,
) -> T {
    work.await
}

#[cfg(feature = "tally")]
pub use counting::{key_call, newest, of_call, statement};

#[cfg(feature = "tally")]
mod counting {
    use std::cell::Cell;
    use std::collections::HashMap;
    use std::fmt::Display;
    use std::sync::{Mutex, PoisonError};

    use super::Cost;

    tokio::task_local! {
        static COST: Cell<Cost>;
    }

    /// The newest call of each method, by key and method.
    static NEWEST: Mutex<Option<HashMap<(String, String), Cost>>> = Mutex::new(None);

    /// Counts a statement.
    pub fn statement() {
        count(|cost| cost.statements += 1);
    }

    /// Counts a call of the key engine.
    pub fn key_call() {
        count(|cost| cost.key_calls += 1);
    }

    fn count(change: impl FnOnce(&mut Cost)) {
        // Work outside of any call is not counted.
        let _ = COST.try_with(|cost| {
            let mut counted = cost.get();
            change(&mut counted);
            cost.set(counted);
        });
    }

    /// Runs the handler of `method`, and keeps what it cost under `key`.
    pub async fn of_call<T>(key: impl Display, method: &str, work: impl Future<Output = T> + Send) -> T {
        let counted = async {
            let outcome = work.await;
            (outcome, COST.with(Cell::get))
        };
        let (outcome, cost) = COST.scope(Cell::new(Cost { statements: 0, key_calls: 0 }), counted).await;
        let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        newest.get_or_insert_default().insert((key.to_string(), method.to_owned()), cost);
        outcome
    }

    /// What the newest call of `method` under `key` cost; it is told once.
    pub fn newest(key: impl Display, method: &str) -> Option<Cost> {
        let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
        newest.as_mut()?.remove(&(key.to_string(), method.to_owned()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[tokio::test]
        async fn a_call_within_a_call_is_counted_by_itself() {
            let inner = async {
                statement();
                key_call();
            };
            let outer = async {
                statement();
                of_call("one", "inner", inner).await;
                statement();
            };
            of_call("one", "outer", outer).await;
            statement();
            assert_eq!(newest("one", "inner"), Some(Cost { statements: 1, key_calls: 1 }));
            assert_eq!(newest("one", "outer"), Some(Cost { statements: 2, key_calls: 0 }));
            assert_eq!((newest("one", "outer"), newest("other", "inner")), (None, None));
        }
    }
}
