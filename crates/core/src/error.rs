//! The closed set of error kinds.
//!
//! Every service has one error type of its own; each of its variants is one [`Kind`] and one stable reason code in
//! `SCREAMING_SNAKE_CASE`. The kind decides the gRPC status and the HTTP status, in one place each; the reason travels
//! as `google.rpc.ErrorInfo` and is what clients program against.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, as far as a caller needs to know to decide what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself is wrong; sending it again unchanged will not help.
    InvalidInput,
    /// No one proved who is asking.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing for this caller. Foreign and forbidden ids look the same.
    NotFound,
    /// Something of that name or key exists already.
    AlreadyExists,
    /// The thing is not in a state that allows this.
    FailedPrecondition,
    /// A concurrent change came first; read again and retry.
    Conflict,
    /// A quota or a size limit is used up.
    ResourceExhausted,
    /// The deadline passed before the work was done.
    DeadlineExceeded,
    /// A part that is needed is not there at the moment; retrying later may help.
    Unavailable,
    /// A defect of ours. The detail is logged, never returned.
    Internal,
}

impl Kind {
    /// All kinds, for tables and tests.
    pub const ALL: [Self; 11] = [
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::AlreadyExists,
        Self::FailedPrecondition,
        Self::Conflict,
        Self::ResourceExhausted,
        Self::DeadlineExceeded,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The HTTP status of this kind.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidInput => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::FailedPrecondition | Self::Conflict => 409,
            Self::ResourceExhausted => 429,
            Self::DeadlineExceeded => 504,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// An error as it crosses a boundary: a kind, a stable reason, and a sentence that says what to do.
///
/// `message` is meant for the person at the other end. It holds no personal data, no SQL, no host names and no other
/// tenant's ids; the underlying cause stays in the log of the service that met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind, which decides the status code.
    pub kind: Kind,
    /// The stable reason code.
    pub reason: Cow<'static, str>,
    /// What happened and what to do, in plain words.
    pub message: Cow<'static, str>,
    /// Named facts that belong to the reason: limits, states, field names.
    pub details: Vec<(Cow<'static, str>, String)>,
}

impl Fault {
    /// A fault with its reason and message.
    pub fn new(
        kind: Kind,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, reason: reason.into(), message: message.into(), details: Vec::new() }
    }

    /// A defect of ours: the cause was logged where it happened.
    pub fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "INTERNAL",
            "something went wrong on our side; try again, and report the request id if it stays",
        )
    }

    /// Adds a named fact.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        self.details.push((name.into(), value.to_string()));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.reason)
    }
}

impl std::error::Error for Fault {}
