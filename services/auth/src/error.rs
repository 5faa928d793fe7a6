//! What can go wrong in the control plane.

use preceptor_core::{Fault, Kind};
use preceptor_keys::KeyError;
use preceptor_rpc::{IntoFault, status_of};
use preceptor_store::StoreError;

/// Why a request to the control plane failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The secret names no live credential.
    #[error("unknown, expired or revoked credential")]
    CredentialInvalid,
    /// There is no such member of staff in this org.
    #[error("no such member of staff")]
    StaffNotFound,
    /// There is no such org.
    #[error("no such org")]
    OrgNotFound,
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(&'static str),
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::CredentialInvalid => Fault::new(
                Kind::Unauthenticated,
                "CREDENTIAL_INVALID",
                "this access token or session is unknown, expired or revoked; sign in again",
            ),
            Self::StaffNotFound => Fault::new(Kind::NotFound, "STAFF_NOT_FOUND", "there is no such member of staff"),
            Self::OrgNotFound => Fault::new(Kind::NotFound, "ORG_NOT_FOUND", "there is no such organisation"),
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}")).with("field", field)
            }
            Self::Keys(error) => {
                tracing::error!(%error, "the key engine failed");
                Fault::new(Kind::Unavailable, "KEYS_UNAVAILABLE", "the key service is not reachable; try again in a moment")
            }
            Self::Store(error) => error.to_fault(),
            Self::Defect(what) => {
                tracing::error!(what, "a defect in the control plane");
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
