//! The suite that every cache engine passes.

use std::time::Duration;

use crate::{Cache, Quota};

const QUOTA: Quota = Quota { calls: 3, window: Duration::from_secs(3) };

/// Runs the whole suite; `pass` lets time pass for the engine.
///
/// # Panics
/// When the engine does not conform; the message says how.
pub async fn run(cache: &dyn Cache, pass: impl Fn(Duration)) {
    let take = async |key: &str| cache.take(key, QUOTA).await.expect("a decision");

    let remaining = [take("a").await, take("a").await, take("a").await]
        .map(|decision| (decision.allowed, decision.remaining));
    assert_eq!(remaining, [(true, 2), (true, 1), (true, 0)], "a burst of the quota's size is allowed");

    assert!(
        !cache.peek("a", QUOTA).await.expect("a decision").allowed,
        "a look says what a call would be told"
    );
    let look = async || cache.peek("c", QUOTA).await.expect("a decision");
    assert_eq!((look().await, look().await.remaining), (look().await, 2), "a look takes nothing");

    let refused = take("a").await;
    assert!(!refused.allowed, "a call beyond the quota was allowed");
    assert_eq!(refused.reset, Duration::from_secs(1), "a refusal says how long to wait");
    assert!(take("b").await.allowed, "keys do not share a quota");

    pass(Duration::from_secs(1));
    assert!(take("a").await.allowed, "waiting that long was not enough");
    assert!(!take("a").await.allowed, "refused calls used up the quota");

    pass(Duration::from_secs(60));
    assert_eq!(take("a").await.remaining, 2, "an old key starts afresh");
}
