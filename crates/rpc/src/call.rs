//! The verified context of an incoming call, and how a handler goes on with it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use preceptor_core::{Fault, Kind, Scope};
use tonic::Status;
use tonic::metadata::MetadataValue;

use crate::status::status_of;

/// What a hop keeps for itself, so that the caller hears of a passed deadline from the callee and not from its own.
const HOP_MARGIN: Duration = Duration::from_millis(5);

/// Who calls, with the token that proves it and the time that is left.
///
/// The scope layer puts a `Call` into every scoped request. A handler that calls on passes the same token on and the
/// remaining time, less a small margin.
#[derive(Debug, Clone)]
pub struct Call {
    scope: Arc<Scope>,
    token: Arc<str>,
    deadline: Instant,
}

impl Call {
    /// A call that begins here: at the edge, or in a worker.
    pub fn begin(scope: Arc<Scope>, token: Arc<str>, time: Duration) -> Self {
        Self { scope, token, deadline: Instant::now() + time }
    }

    pub(crate) fn incoming(scope: Arc<Scope>, token: Arc<str>, deadline: Instant) -> Self {
        Self { scope, token, deadline }
    }

    /// The call a request came with. Its absence is a defect of the contract: the handler's policy is `unscoped`.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asked for the scope of an unscoped call");
            status_of(&Fault::internal())
        })
    }

    /// The verified subject.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The verified subject, shared.
    pub fn shared_scope(&self) -> Arc<Scope> {
        Arc::clone(&self.scope)
    }

    /// When the caller stops waiting.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The same caller with `time` from now, for work that goes on after the answer was sent.
    #[must_use]
    pub fn renewed(&self, time: Duration) -> Self {
        Self { deadline: Instant::now() + time, ..self.clone() }
    }

    /// A request to another service on behalf of the same subject, with the time that is left.
    pub fn request<T>(&self, message: T) -> Result<tonic::Request<T>, Status> {
        let left = self.deadline.saturating_duration_since(Instant::now()).saturating_sub(HOP_MARGIN);
        if left.is_zero() {
            let fault =
                Fault::new(Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", "this took too long; try again");
            return Err(status_of(&fault));
        }
        let mut request = tonic::Request::new(message);
        request.set_timeout(left);
        let bearer = MetadataValue::try_from(format!("Bearer {}", self.token))
            .map_err(|_| status_of(&Fault::internal()))?;
        request.metadata_mut().insert("authorization", bearer);
        Ok(request)
    }
}

/// A request of an unscoped method: it carries a deadline and nothing else.
pub fn unscoped<T>(message: T, time: Duration) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(time);
    request
}
