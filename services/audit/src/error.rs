//! What can go wrong with the log.

use preceptor_core::{Fault, Kind};
use preceptor_rpc::{IntoFault, status_of};
use preceptor_store::StoreError;

/// Why the log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record of this producer is missing before the one at hand.
    #[error("record {found} of {producer} came after {last}: {} missing", found - last - 1)]
    Gap {
        /// The producing service.
        producer: String,
        /// The last number in the log.
        last: i64,
        /// The number at hand.
        found: i64,
    },
    /// What is stored does not fit together.
    #[error("the stored head is damaged")]
    DamagedHead,
    /// What is stored is not what was signed before.
    #[error("the stored log is not the one that was signed: {0}")]
    Inconsistent(String),
    /// A checkpoint that this log did not sign.
    #[error("not a checkpoint of this log: {0}")]
    NotOurs(String),
    /// There is no such log, or it has no such part.
    #[error("the log has no such part")]
    NoSuchPart,
    /// The event is not in the log, or not yet.
    #[error("the log holds no record of this event yet")]
    NotInLog,
    /// More was asked about than one call answers.
    #[error("ask about at most {0} objects at once")]
    TooManyObjects(usize),
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] preceptor_keys::KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.to_fault(),
            Self::NotInLog => Fault::new(
                Kind::NotFound,
                "RECORD_NOT_IN_LOG",
                "the log holds no record of this yet; try again in a moment",
            ),
            Self::NoSuchPart => Fault::new(
                Kind::NotFound,
                "LOG_PART_NOT_FOUND",
                "there is no such log, or it is not that long yet",
            ),
            Self::NotOurs(_) => Fault::new(Kind::InvalidInput, "CHECKPOINT_NOT_OURS", self.to_string()),
            Self::Inconsistent(_) => Fault::new(
                Kind::Internal,
                "LOG_INCONSISTENT",
                "the stored record is not the one that was signed before, so nothing of it is signed or handed out; the operator has to look",
            ),
            Self::TooManyObjects(_) => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", self.to_string()).with("field", "objects")
            }
            Self::Keys(error) => error.to_fault(),
            Self::Gap { .. } | Self::DamagedHead => {
                tracing::error!(error = %self, "the audit log needs a person");
                Fault::internal()
            }
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        status_of(&error.to_fault())
    }
}
