//! What can go wrong with an answer.

use preceptor_core::{Fault, Kind};
use preceptor_phi::Identifying;
use preceptor_rpc::{IntoFault, fault_of, status_of};
use preceptor_store::StoreError;

/// Why a question could not be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The question is empty or too long.
    #[error("the question must have 1 to {most} characters")]
    QuestionLength {
        /// The longest that is taken.
        most: usize,
    },
    /// There is no such message for this caller.
    #[error("no such message")]
    MessageNotFound,
    /// There is no such conversation for this caller.
    #[error("no such session")]
    SessionNotFound,
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// A text holds what identifies a patient. The text itself is not said again.
    #[error("{field} holds {found}")]
    Identifying {
        /// The field.
        field: &'static str,
        /// What was found.
        found: Identifying,
    },
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] preceptor_keys::KeyError),
    /// Another service refused or failed.
    #[error("another service: {0}")]
    Call(Box<tonic::Status>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(String),
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::QuestionLength { most } => {
                Fault::new(Kind::InvalidInput, "QUESTION_LENGTH", format!("a question has 1 to {most} characters; ask one thing at a time"))
                    .with("field", "question")
                    .with("longest", most)
            }
            Self::MessageNotFound => Fault::new(Kind::NotFound, "MESSAGE_NOT_FOUND", "there is no such message"),
            Self::SessionNotFound => {
                Fault::new(Kind::NotFound, "SESSION_NOT_FOUND", "there is no such conversation; leave session_id out to begin one")
            }
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}")).with("field", field)
            }
            Self::Identifying { field, found } => Fault::new(
                Kind::InvalidInput,
                "PHI_DETECTED",
                format!("this seems to hold data that identifies a patient ({found}), so it was not kept; say it without that"),
            )
            .with("field", field),
            Self::Keys(error) => error.to_fault(),
            Self::Call(status) => fault_of(status),
            Self::Store(error) => error.to_fault(),
            Self::Defect(what) => {
                tracing::error!(what, "a defect in answering");
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
