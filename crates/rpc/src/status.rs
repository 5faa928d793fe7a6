//! The one map between faults and gRPC statuses.

use std::borrow::Cow;
use std::collections::HashMap;

use preceptor_core::{Fault, Kind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The domain of our reason codes in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "preceptor";

/// An error type of a service: each variant is one kind and one reason.
pub trait IntoFault: std::error::Error {
    /// The error as its caller may see it. Causes that are not the caller's business stay out of it.
    fn to_fault(&self) -> Fault;
}

const fn code_of(kind: Kind) -> Code {
    match kind {
        Kind::InvalidInput => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Forbidden => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::Conflict => Code::Aborted,
        Kind::ResourceExhausted => Code::ResourceExhausted,
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    }
}

const fn kind_of(code: Code) -> Kind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Kind::InvalidInput,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::PermissionDenied => Kind::Forbidden,
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists => Kind::AlreadyExists,
        Code::FailedPrecondition => Kind::FailedPrecondition,
        Code::Aborted => Kind::Conflict,
        Code::ResourceExhausted => Kind::ResourceExhausted,
        Code::DeadlineExceeded | Code::Cancelled => Kind::DeadlineExceeded,
        Code::Unavailable => Kind::Unavailable,
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => Kind::Internal,
    }
}

/// The status that carries `fault` across the seam, reason and details included.
pub fn status_of(fault: &Fault) -> Status {
    let metadata: HashMap<String, String> =
        fault.details.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let details = ErrorDetails::with_error_info(fault.reason.to_string(), DOMAIN, metadata);
    Status::with_error_details(code_of(fault.kind), fault.message.to_string(), details)
}

/// The fault inside `status`. A status without our reason falls back to its code; its message is then not shown, for
/// no one wrote it for the person at the other end.
pub fn fault_of(status: &Status) -> Fault {
    let kind = kind_of(status.code());
    let Some(info) = status.get_error_details().error_info().filter(|info| info.domain == DOMAIN).cloned()
    else {
        tracing::warn!(code = ?status.code(), message = status.message(), "a call failed without a reason code");
        return match kind {
            Kind::Unavailable => unavailable(),
            Kind::DeadlineExceeded => Fault::new(kind, "DEADLINE_EXCEEDED", "this took too long; try again"),
            _ => Fault::internal(),
        };
    };
    let mut details: Vec<_> =
        info.metadata.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
    details.sort();
    Fault { kind, reason: Cow::Owned(info.reason), message: Cow::Owned(status.message().to_owned()), details }
}

fn unavailable() -> Fault {
    Fault::new(
        Kind::Unavailable,
        "UNAVAILABLE",
        "a part of the platform is not reachable right now; try again in a moment",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_seam() {
        for kind in Kind::ALL {
            let fault =
                Fault::new(kind, "SOME_REASON", "do this instead").with("limit", 3).with("state", "draft");
            assert_eq!(fault_of(&status_of(&fault)), fault);
        }
    }

    #[test]
    fn an_unknown_status_shows_nothing_of_its_message() {
        let fault = fault_of(&Status::internal("SELECT * FROM secrets"));
        assert_eq!(fault, Fault::internal());
        assert_eq!(fault_of(&Status::unavailable("10.0.0.7 refused")).kind, Kind::Unavailable);
    }
}
