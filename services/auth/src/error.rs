//! What can go wrong in the control plane.

use preceptor_core::{DisplayProblem, Fault, Kind};
use preceptor_keys::KeyError;
use preceptor_mail::MailError;
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
    /// There is no such credential for this caller.
    #[error("no such credential")]
    CredentialNotFound,
    /// The caller may not have this credential issued.
    #[error("the caller may not have this credential issued")]
    MintNotAllowed,
    /// The caller asks for what admins may ask for.
    #[error("the caller is no admin")]
    AdminsOnly,
    /// The caller has to show again that it is them.
    #[error("the caller has to confirm this")]
    ConfirmationNeeded,
    /// The org would be left without an admin.
    #[error("this is the last active admin")]
    LastAdmin,
    /// The member of staff is suspended, removed or not yet there.
    #[error("the member of staff is in another state")]
    StaffWrongState,
    /// Nothing can be mailed to this member of staff.
    #[error("the member of staff has no address")]
    StaffWithoutAddress,
    /// A mail was not sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// There is no such org.
    #[error("no such org")]
    OrgNotFound,
    /// A row of an org or of a number that was changed outside the product.
    #[error("a stored row of accounts is not as it was sealed")]
    RowChanged,
    /// Another org has this number of a provider.
    #[error("another org has this number")]
    ProviderNumberTaken,
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// A name that cannot be shown as it is.
    #[error("{field} {problem}")]
    NotAName {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: DisplayProblem,
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
            Self::StaffNotFound => {
                Fault::new(Kind::NotFound, "STAFF_NOT_FOUND", "there is no such member of staff")
            }
            Self::CredentialNotFound => {
                Fault::new(Kind::NotFound, "CREDENTIAL_NOT_FOUND", "there is no such credential")
            }
            Self::MintNotAllowed => Fault::new(
                Kind::Forbidden,
                "MINT_NOT_ALLOWED",
                "you cannot issue a credential that can do more than your own, or one that speaks for someone else",
            ),
            Self::AdminsOnly => Fault::new(
                Kind::Forbidden,
                "CAPABILITY_MISSING",
                "the credentials of learners are for admins to ask for; ask an admin of your organization",
            ),
            Self::ConfirmationNeeded => Fault::new(
                Kind::Forbidden,
                "CONFIRMATION_NEEDED",
                "show that it is you: send an API token of yours as `confirm`, or sign in again and repeat this within five minutes",
            ),
            Self::LastAdmin => Fault::new(
                Kind::FailedPrecondition,
                "LAST_ADMIN",
                "the organization would be left without an active admin; give someone else that role first",
            ),
            Self::StaffWrongState => Fault::new(
                Kind::FailedPrecondition,
                "STAFF_WRONG_STATE",
                "this member of staff is invited, suspended or removed; read their state and choose what fits it",
            ),
            Self::StaffWithoutAddress => Fault::new(
                Kind::FailedPrecondition,
                "STAFF_WITHOUT_ADDRESS",
                "no mail address is known of this member of staff; remove them and invite them with one",
            ),
            Self::Mail(error) => error.to_fault(),
            Self::ProviderNumberTaken => Fault::new(
                Kind::AlreadyExists,
                "PROVIDER_NUMBER_TAKEN",
                "this number of a provider was confirmed for another organization of this platform",
            ),
            Self::RowChanged => Fault::new(
                Kind::Internal,
                "ACCOUNT_ROW_CHANGED",
                "what is stored of this organization or number was changed outside the product, so it is neither used nor shown; the operator has to look",
            ),
            Self::OrgNotFound => Fault::new(Kind::NotFound, "ORG_NOT_FOUND", "there is no such organization"),
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}"))
                    .with("field", field)
            }
            Self::NotAName { field, problem } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {problem}"))
                    .with("field", field)
            }
            Self::Keys(error) => error.to_fault(),
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
