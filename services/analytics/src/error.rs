//! What can go wrong with a count.

use preceptor_core::{Fault, Kind};
use preceptor_rpc::{IntoFault, status_of};
use preceptor_store::StoreError;

/// Why something could not be counted or reported.
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}"))
                    .with("field", field)
            }
            Self::Store(error) => error.to_fault(),
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        status_of(&error.to_fault())
    }
}
