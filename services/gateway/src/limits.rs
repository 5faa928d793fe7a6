//! Rate limits: per subject once it is known who asks, per address before that.
//!
//! Every limit is a bucket: so many at once, and then as many as have come back since. `RateLimit-Policy` says both, and
//! every answer says how the buckets stand that it came out of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use preceptor_cache::{Decision, Quota};
use preceptor_core::Kind;
use preceptor_edge::Prefix;
use sha2::{Digest as _, Sha256};

use crate::Edge;
use crate::error::ApiError;
use crate::identity::Identity;

const MINUTE: Duration = Duration::from_secs(60);

/// What is counted per address, before it is known who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Attempts to sign in.
    SignIn,
    /// Certificates by code.
    LookUp,
    /// Everything else that needs no credential.
    Public,
}

/// How long a credential counts as proven that was one when it was looked at last.
const PROVEN: Duration = Duration::from_secs(3600);
const MOST_PROVEN: u64 = 100_000;

/// Credentials that were found to be some lately, by their hash. Refusals of others at the same address do not touch them.
#[derive(Debug)]
pub(crate) struct Proven(moka::sync::Cache<[u8; 16], ()>);

impl Default for Proven {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MOST_PROVEN).time_to_idle(PROVEN).build())
    }
}

impl Proven {
    pub(crate) fn note(&self, credential: &str) {
        self.0.insert(digest(credential), ());
    }

    pub(crate) fn holds(&self, credential: &str) -> bool {
        self.0.get(&digest(credential)).is_some()
    }
}

fn digest(credential: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Sha256::digest(credential)[..16]);
    short
}

/// Where the limits that a request came out of are noted, so that its answer can say how they stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<HeaderMap>>>);

impl Seen {
    pub(crate) fn note(&self, standing: HeaderMap) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
    }

    /// Writes what was noted into an answer, unless it says that itself.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for standing in noted {
            for (name, value) in &standing {
                let subject = value.as_bytes().split(|byte| *byte == b';').next();
                let is_said = headers
                    .get_all(name)
                    .iter()
                    .any(|said| said.as_bytes().split(|byte| *byte == b';').next() == subject);
                if !is_said {
                    headers.append(name, value.clone());
                }
            }
        }
    }
}

impl Edge {
    /// Counts a request of a subject.
    pub(crate) async fn limit_requests(&self, identity: &Identity) -> Result<Decision, ApiError> {
        self.take_of(identity, "requests", self.config.requests_per_minute).await
    }

    /// Counts a question of a subject.
    pub(crate) async fn limit_questions(&self, identity: &Identity) -> Result<Decision, ApiError> {
        self.take_of(identity, "questions", self.config.questions_per_minute).await
    }

    async fn take_of(
        &self,
        identity: &Identity,
        what: &'static str,
        calls: u32,
    ) -> Result<Decision, ApiError> {
        self.take(
            format!("{{{}}}:gateway:{what}:{}", identity.scope.org(), identity.scope.subject()),
            what,
            calls,
        )
        .await
    }

    /// Counts what an address does before it is known who asks.
    pub(crate) async fn limit_door(&self, door: Door, address: Prefix) -> Result<HeaderMap, ApiError> {
        let (what, calls) = match door {
            Door::SignIn => ("sign-ins", self.config.sign_ins_per_minute),
            Door::LookUp => ("look-ups", self.config.look_ups_per_minute),
            Door::Public => ("public", self.config.public_requests_per_minute),
        };
        let decision = self.take(format!("gateway:{what}:{address}"), what, calls).await?;
        Ok(headers(what, calls, &decision))
    }

    /// Counts exchanges of one credential, whether or not it is one: the same wrong one from everywhere is looked at
    /// only so often.
    pub(crate) async fn limit_exchange(&self, credential: &str) -> Result<(), ApiError> {
        self.take(exchanges(credential), "exchanges", self.config.requests_per_minute).await?;
        Ok(())
    }

    /// How the limit of exchanges of a credential stands: for an answer that no one is known for.
    pub(crate) async fn standing_of_exchange(&self, credential: &str) -> HeaderMap {
        let calls = self.config.requests_per_minute;
        let standing = self.cache.peek(&exchanges(credential), Quota { calls, window: MINUTE }).await;
        standing.map(|standing| headers("exchanges", calls, &standing)).unwrap_or_default()
    }

    /// Refuses an address from which too many credentials came that are none; anyone who was known there goes on.
    pub(crate) async fn check_refusals(&self, address: Prefix, credential: &str) -> Result<(), ApiError> {
        if self.proven.holds(credential) {
            return Ok(());
        }
        let calls = self.config.refusals_per_minute;
        let standing =
            self.cache.peek(&refusals(address), Quota { calls, window: MINUTE }).await.map_err(uncounted)?;
        allowed("refused credentials", calls, standing).map(|_| ())
    }

    /// Counts a credential that is none; returns how the limit stands.
    pub(crate) async fn note_refusal(&self, address: Prefix) -> HeaderMap {
        let calls = self.config.refusals_per_minute;
        match self.cache.take(&refusals(address), Quota { calls, window: MINUTE }).await {
            Ok(standing) => headers("refused", calls, &standing),
            Err(error) => {
                tracing::error!(%error, "a refused credential cannot be counted");
                HeaderMap::new()
            }
        }
    }

    async fn take(&self, key: String, what: &'static str, calls: u32) -> Result<Decision, ApiError> {
        let decision = self.cache.take(&key, Quota { calls, window: MINUTE }).await.map_err(uncounted)?;
        allowed(what, calls, decision)
    }
}

fn exchanges(credential: &str) -> String {
    format!("gateway:exchanges:{}", hex::encode(digest(credential)))
}

fn refusals(address: Prefix) -> String {
    format!("gateway:refusals:{address}")
}

fn uncounted(error: preceptor_cache::Unavailable) -> ApiError {
    tracing::error!(%error, "rate limits cannot be counted");
    ApiError::new(
        Kind::Unavailable,
        "UNAVAILABLE",
        "a part of the platform is not reachable right now; try again in a moment",
    )
}

/// The decision, or a refusal that says how the bucket works and when it holds something again.
fn allowed(what: &'static str, calls: u32, decision: Decision) -> Result<Decision, ApiError> {
    if decision.allowed {
        return Ok(decision);
    }
    let seconds = decision.reset.as_secs() + 1;
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let detail = format!(
        "{calls} {what} are allowed at once, and {calls} more come back over each minute; go on in {seconds} {unit}"
    );
    let name = what.split(' ').next().unwrap_or(what);
    Err(ApiError::new(Kind::ResourceExhausted, "RATE_LIMITED", detail)
        .retry_after(seconds)
        .with_limit(headers(name, calls, &decision)))
}

/// The headers of draft-ietf-httpapi-ratelimit-headers: the bucket's size, the window over which all of it comes back,
/// and, as a parameter of our own, the seconds after which one comes back.
pub(crate) fn headers(name: &str, calls: u32, decision: &Decision) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let refill = MINUTE.as_secs_f64() / f64::from(calls.max(1));
    let policy = format!("\"{name}\";q={calls};w=60;refill={}", thousandths(refill));
    let state = format!(
        "\"{name}\";r={};t={}",
        decision.remaining,
        decision.reset.as_secs() + u64::from(!decision.allowed)
    );
    if let (Ok(policy), Ok(state)) = (policy.parse(), state.parse()) {
        headers.insert("ratelimit-policy", policy);
        headers.insert("ratelimit", state);
    }
    headers
}

/// A decimal of a structured field: at most three places, at least one.
fn thousandths(seconds: f64) -> String {
    let text = format!("{seconds:.3}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_every_bucket_stands_once() {
        let decision = |remaining| Decision { allowed: true, remaining, reset: Duration::from_secs(2) };
        let seen = Seen::default();
        seen.note(headers("requests", 1200, &decision(1199)));
        let mut answer = headers("questions", 60, &decision(59));
        seen.write(&mut answer);
        let said: Vec<_> =
            answer.get_all("ratelimit-policy").iter().map(|value| value.to_str().expect("text")).collect();
        assert_eq!(said, ["\"questions\";q=60;w=60;refill=1.0", "\"requests\";q=1200;w=60;refill=0.05"]);
        seen.note(headers("requests", 1200, &decision(1198)));
        seen.write(&mut answer);
        assert_eq!(answer.get_all("ratelimit").iter().count(), 2, "once each");
    }

    #[test]
    fn a_refusal_says_how_its_bucket_stands_and_when_to_go_on() {
        use axum::response::IntoResponse as _;
        let refused = Decision { allowed: false, remaining: 0, reset: Duration::from_millis(300) };
        let response = allowed("questions", 60, refused).expect_err("refused").into_response();
        assert_eq!(response.status(), 429);
        let header = |name: &str| response.headers()[name].to_str().expect("text");
        assert_eq!((header("retry-after"), header("ratelimit")), ("1", "\"questions\";r=0;t=1"));
    }
}
