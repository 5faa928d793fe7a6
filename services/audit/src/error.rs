//! What can go wrong with the log.

use preceptor_core::Fault;
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::Store(error) => error.to_fault(),
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
