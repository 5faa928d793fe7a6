//! What can go wrong with search.

use preceptor_core::{Fault, Kind};
use preceptor_models::EmbedError;
use preceptor_rpc::{IntoFault, fault_of, status_of};
use preceptor_store::StoreError;
use preceptor_vector::VectorError;

/// Why a search or an index failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The version is published and its index is not there yet.
    #[error("the index is being rebuilt")]
    IndexNotReady,
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// The engine failed.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another service refused or failed.
    #[error("another service: {0}")]
    Call(Box<tonic::Status>),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(String),
}

impl Error {
    /// Whether the same work may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Vector(VectorError::Unavailable(_)) | Self::Embed(_) | Self::IndexNotReady => true,
            Self::Call(status) => matches!(fault_of(status).kind, Kind::Unavailable | Kind::DeadlineExceeded),
            Self::Vector(VectorError::Invalid(_)) | Self::InvalidField { .. } | Self::Defect(_) => false,
        }
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::IndexNotReady => Fault::new(
                Kind::Unavailable,
                "INDEX_NOT_READY",
                "the index of this program is being rebuilt; try again in a moment",
            ),
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}"))
                    .with("field", field)
            }
            Self::Vector(error) => {
                tracing::error!(%error, "the vector index failed");
                Fault::new(
                    Kind::Unavailable,
                    "INDEX_UNAVAILABLE",
                    "search is not available right now; try again in a moment",
                )
            }
            Self::Embed(error) => {
                tracing::error!(%error, "the embedding model failed");
                Fault::new(
                    Kind::Unavailable,
                    "MODEL_UNAVAILABLE",
                    "search is not available right now; try again in a moment",
                )
            }
            Self::Store(error) => error.to_fault(),
            Self::Call(status) => fault_of(status),
            Self::Defect(what) => {
                tracing::error!(what, "a defect in retrieval");
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
