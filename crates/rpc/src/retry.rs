//! Making a call to another process again, where the contract says that this is safe.
//!
//! A peer that restarts refuses connections for a moment. Calls of methods that are declared `idempotent` are then
//! repeated, within the time that the caller waits anyway and within a budget: when much fails, repeating would only
//! make it worse.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::layers::parse_timeout;
use crate::policy::Policies;

/// Attempts of one call, the first included.
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt; before the third it is twice as long. Up to half of it is left out, at random.
const PAUSE: Duration = Duration::from_millis(60);

/// Paths that may be called again: idempotent by contract, with a single message as request.
static REPEATABLE: LazyLock<HashSet<String>> =
    LazyLock::new(|| Policies::of_contracts().map(|policies| policies.repeatable()).unwrap_or_default());

/// How many repetitions a channel may still make: ten at first, one more for every ten calls.
#[derive(Debug)]
pub(crate) struct Budget {
    tenths: AtomicI32,
}

impl Budget {
    const MOST: i32 = 100;
    const REPETITION: i32 = 10;

    fn earn(&self) {
        let more = |tenths: i32| Some((tenths + 1).min(Self::MOST));
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn spend(&self) -> bool {
        let less = |tenths: i32| (tenths >= Self::REPETITION).then_some(tenths - Self::REPETITION);
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { tenths: AtomicI32::new(Self::MOST) }
    }
}

/// A call that can be sent more than once.
struct Repeatable {
    parts: http::request::Parts,
    message: Bytes,
    until: Instant,
}

impl Repeatable {
    /// The request of one attempt, with the time that is left of the caller's.
    fn request(&self) -> Request<Body> {
        let mut parts = self.parts.clone();
        let left = self.until.saturating_duration_since(Instant::now()).as_millis().max(1);
        if let Ok(left) = HeaderValue::try_from(format!("{left}m")) {
            parts.headers.insert("grpc-timeout", left);
        }
        Request::from_parts(parts, Body::new(Full::new(self.message.clone())))
    }
}

/// Sends a request through `send`, again where that is safe and may help.
pub(crate) async fn call<Sent>(
    budget: &Budget,
    request: Request<Body>,
    send: impl Fn(Request<Body>) -> Sent,
) -> Result<Response<Body>, Status>
where
    Sent: Future<Output = Result<Response<Body>, Status>>,
{
    budget.earn();
    let timeout = request.headers().get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?));
    let Some(timeout) = timeout.filter(|_| REPEATABLE.contains(request.uri().path())) else {
        return send(request).await;
    };
    let until = Instant::now() + timeout;
    let (parts, body) = request.into_parts();
    let message = body.collect().await?.to_bytes();
    let call = Repeatable { parts, message, until };
    let mut pause = PAUSE;
    for _ in 1..ATTEMPTS {
        let answer = send(call.request()).await;
        if !is_away(&answer) || Instant::now() + pause >= call.until || !budget.spend() {
            return answer;
        }
        tokio::time::sleep(pause.mul_f64(1.0 - jitter())).await;
        pause *= 2;
    }
    send(call.request()).await
}

/// Whether the peer did not take the call.
fn is_away(answer: &Result<Response<Body>, Status>) -> bool {
    let code = match answer {
        Err(status) => Some(status.code()),
        Ok(response) => Status::from_header_map(response.headers()).map(|status| status.code()),
    };
    code == Some(Code::Unavailable)
}

/// Between 0 and one half, so that callers which failed together do not come back together.
fn jitter() -> f64 {
    let nanoseconds = u32::from_le_bytes(*uuid::Uuid::now_v7().as_bytes().last_chunk().unwrap_or(&[0; 4]));
    f64::from(nanoseconds) / f64::from(u32::MAX) / 2.0
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    const READ: &str = "/preceptor.ingestion.v1.Ingestion/GetProgram";

    fn request(path: &str) -> Request<Body> {
        let body = Body::new(Full::new(Bytes::from_static(b"message")));
        Request::post(path).header("grpc-timeout", "2S").body(body).expect("a request")
    }

    /// How often a call is sent to a peer that is away for the first `away` attempts, and how it ends.
    async fn sent(budget: &Budget, path: &str, away: u32) -> (u32, bool) {
        let count = AtomicU32::new(0);
        let answer = call(budget, request(path), |request| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            async move {
                let message = request.into_body().collect().await?.to_bytes();
                assert_eq!(message.as_ref(), b"message", "each attempt carries the whole message");
                if number < away {
                    Err(Status::unavailable("away"))
                } else {
                    Ok(Response::new(Body::empty()))
                }
            }
        });
        let answer = answer.await;
        (count.into_inner(), answer.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_safe_to_repeat_is_repeated_while_the_peer_is_away() {
        let budget = Budget::default();
        assert_eq!(sent(&budget, READ, 0).await, (1, true));
        assert_eq!(sent(&budget, READ, 2).await, (3, true));
        assert_eq!(sent(&budget, READ, 9).await, (3, false));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_safe_to_repeat_is_sent_once() {
        let policies = Policies::of_contracts().expect("contracts");
        let unsafe_ones = policies.iter().filter(|(_, policy)| !policy.idempotent);
        for (path, _) in unsafe_ones {
            assert_eq!(sent(&Budget::default(), path, 9).await, (1, false), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stays_away_is_not_called_three_times_as_often() {
        let budget = Budget::default();
        let mut all = 0;
        for _ in 0..1000 {
            all += sent(&budget, READ, 9).await.0;
        }
        assert!((1000..1150).contains(&all), "{all}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_does_not_wait_longer_than_it_said() {
        let budget = Budget::default();
        let mut hasty = request(READ);
        hasty.headers_mut().insert("grpc-timeout", HeaderValue::from_static("1m"));
        let count = AtomicU32::new(0);
        let answer = call(&budget, hasty, |_| {
            count.fetch_add(1, Ordering::Relaxed);
            async { Err(Status::unavailable("away")) }
        });
        assert!(answer.await.is_err());
        assert_eq!(count.into_inner(), 1);
    }
}
