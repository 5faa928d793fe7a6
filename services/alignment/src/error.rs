//! What can go wrong with a classification.

use preceptor_core::{Fault, Kind};
use preceptor_models::EmbedError;
use preceptor_rpc::{IntoFault, fault_of, status_of};
use preceptor_store::StoreError;

/// Why a message could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// Another service refused or failed.
    #[error("another service: {0}")]
    Call(Box<tonic::Status>),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl Error {
    /// Whether trying again may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::InvalidField { .. } => false,
            Self::Call(status) => matches!(
                fault_of(status).kind,
                Kind::Unavailable | Kind::DeadlineExceeded | Kind::ResourceExhausted
            ),
            Self::Embed(_) => true,
            Self::Store(error) => error.is_transient(),
        }
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}"))
                    .with("field", field)
            }
            Self::Call(status) => fault_of(status),
            Self::Embed(_) => Fault::new(
                Kind::Unavailable,
                "MODEL_UNAVAILABLE",
                "the embedding model is not available right now; try again",
            ),
            Self::Store(error) => error.to_fault(),
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        status_of(&error.to_fault())
    }
}
