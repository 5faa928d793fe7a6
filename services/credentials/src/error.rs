//! What can go wrong with a credential.

use preceptor_core::{Fault, Kind};
use preceptor_keys::KeyError;
use preceptor_mail::MailError;
use preceptor_rpc::{IntoFault, status_of};
use preceptor_store::StoreError;

/// Why a request about a clinician failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: String,
    },
    /// A name has characters that certificates cannot show.
    #[error("{field} cannot be printed: {missing}")]
    NotPrintable {
        /// The field.
        field: &'static str,
        /// The characters.
        missing: preceptor_certificate::Unprintable,
    },
    /// Nothing was stated yet.
    #[error("nothing was stated yet")]
    NotStated,
    /// The address that was stated is not verified yet.
    #[error("the address is not verified")]
    AddressNotVerified,
    /// There is no such clinician for this caller.
    #[error("no such clinician")]
    NotFound,
    /// The statement is another one by now.
    #[error("the statement was changed meanwhile")]
    Changed,
    /// A person decides on their own credentials.
    #[error("these are the caller's own credentials")]
    OwnCredentials,
    /// Someone else states the same number or license.
    #[error("the identity is contested")]
    Contested,
    /// There is no such contest.
    #[error("no such contest")]
    NoContest,
    /// The code is wrong, used or too old.
    #[error("the code is not correct")]
    WrongCode,
    /// Too many codes or tries.
    #[error("too many codes")]
    TooManyCodes,
    /// A mail was not sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The registry cannot be reached.
    #[error("the registry is not available: {0}")]
    RegistryUnavailable(String),
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(String),
}

impl Error {
    pub(crate) fn field(field: &'static str, what: impl Into<String>) -> Self {
        Self::InvalidField { field, what: what.into() }
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}"))
                    .with("field", field)
            }
            Self::NotPrintable { field, missing } => Fault::new(
                Kind::InvalidInput,
                "NAME_NOT_PRINTABLE",
                format!(
                    "{field}: a certificate cannot show {missing} with the fonts of this deployment; write it in Latin letters, \
                     or ask your provider to have fonts for its script installed"
                ),
            )
            .with("field", field)
            .with("characters", missing.0.iter().collect::<String>()),
            Self::NotStated => Fault::new(
                Kind::FailedPrecondition,
                "CLINICIAN_NOT_STATED",
                "state your profession, license and address first",
            ),
            Self::AddressNotVerified => Fault::new(
                Kind::FailedPrecondition,
                "ADDRESS_NOT_VERIFIED",
                "this person has not verified their address yet; what is looked up could be another person's",
            ),
            Self::NotFound => Fault::new(Kind::NotFound, "CLINICIAN_NOT_FOUND", "there is no such clinician"),
            Self::Changed => Fault::new(
                Kind::Conflict,
                "REVISION_CONFLICT",
                "the statement was changed a moment ago; look at it again, then repeat this",
            ),
            Self::OwnCredentials => Fault::new(
                Kind::FailedPrecondition,
                "OWN_CREDENTIALS",
                "you cannot verify your own credentials; another admin has to",
            ),
            Self::Contested => Fault::new(
                Kind::FailedPrecondition,
                "IDENTITY_CONTESTED",
                "someone else states the same number or license; decide whose it is first",
            ),
            Self::NoContest => {
                Fault::new(Kind::NotFound, "CONTEST_NOT_FOUND", "there is no such contested identity")
            }
            Self::WrongCode => Fault::new(
                Kind::InvalidInput,
                "EMAIL_CODE_WRONG",
                "this code is not correct: check its digits, or have a new one sent if it is older than 15 minutes",
            ),
            Self::TooManyCodes => Fault::new(
                Kind::ResourceExhausted,
                "EMAIL_CODES_USED_UP",
                "too many codes were sent or tried; wait an hour and try again",
            )
            .with("retry_after", 3600),
            Self::Mail(error) => error.to_fault(),
            Self::RegistryUnavailable(cause) => {
                tracing::warn!(cause, "the NPI registry could not be asked");
                Fault::new(
                    Kind::Unavailable,
                    "REGISTRY_UNAVAILABLE",
                    "the registry is not reachable; it will be asked again",
                )
            }
            Self::Keys(error) => error.to_fault(),
            Self::Store(error) => error.to_fault(),
            Self::Defect(what) => {
                tracing::error!(what, "a defect in credentials");
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
