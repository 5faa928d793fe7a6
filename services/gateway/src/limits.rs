//! Rate limits per subject.

use std::time::Duration;

use axum::http::HeaderMap;
use preceptor_cache::{Decision, Quota};
use preceptor_core::Kind;

use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;

const MINUTE: Duration = Duration::from_secs(60);

impl Edge {
    /// Counts a request of a subject.
    pub(crate) async fn limit_requests(&self, identity: &Identity) -> Result<Decision, ApiError> {
        self.take(identity, "requests", self.config.requests_per_minute).await
    }

    /// Counts a question of a subject.
    pub(crate) async fn limit_questions(&self, identity: &Identity) -> Result<Decision, ApiError> {
        self.take(identity, "questions", self.config.questions_per_minute).await
    }

    async fn take(&self, identity: &Identity, what: &str, calls: u32) -> Result<Decision, ApiError> {
        let key = format!("{{{}}}:gateway:{what}:{}", identity.scope.org(), identity.scope.subject());
        let decision = self.cache.take(&key, Quota { calls, window: MINUTE }).await.map_err(|error| {
            tracing::error!(%error, "rate limits cannot be counted");
            ApiError::new(Kind::Unavailable, "UNAVAILABLE", "a part of the platform is not reachable right now; try again in a moment")
        })?;
        if decision.allowed {
            return Ok(decision);
        }
        let seconds = decision.reset.as_secs() + 1;
        let detail = format!("more than {calls} {what} in a minute; go on in {seconds} seconds");
        Err(ApiError::new(Kind::ResourceExhausted, "RATE_LIMITED", detail).retry_after(seconds))
    }
}

/// The headers of draft-ietf-httpapi-ratelimit-headers.
pub(crate) fn headers(name: &str, calls: u32, decision: &Decision) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let policy = format!("\"{name}\";q={calls};w=60");
    let state = format!("\"{name}\";r={};t={}", decision.remaining, decision.reset.as_secs());
    if let (Ok(policy), Ok(state)) = (policy.parse(), state.parse()) {
        headers.insert("ratelimit-policy", policy);
        headers.insert("ratelimit", state);
    }
    headers
}
