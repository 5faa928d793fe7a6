//! What can go wrong with content.

use preceptor_core::{DisplayProblem, Fault, Kind};
use preceptor_objects::ObjectError;
use preceptor_rpc::{IntoFault, status_of};
use preceptor_sandbox::SandboxError;
use preceptor_store::StoreError;

use preceptor_extract::ExtractError;

/// Why a request about content failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such program for this caller.
    #[error("no such program")]
    ProgramNotFound,
    /// There is no such source for this caller.
    #[error("no such source")]
    SourceNotFound,
    /// The source was retracted: learners are told so, and are not shown what it says.
    #[error("the source was retracted")]
    SourceRetracted,
    /// The version that was asked for was published once; another one is now, or none.
    #[error("the version was replaced")]
    SourceReplaced {
        /// The version that learners see now; none when the source is no longer part of its program.
        current: Option<String>,
    },
    /// There is no such task for this caller.
    #[error("no such task")]
    TaskNotFound,
    /// There is no such request to a registry for this caller.
    #[error("no such request to a registry")]
    RegistryCallNotFound,
    /// The program has no such objective.
    #[error("no such objective")]
    ObjectiveNotFound,
    /// The source has no such page.
    #[error("no such page")]
    PageNotFound,
    /// Another change came first.
    #[error("the program changed: it is at revision {current}")]
    RevisionConflict {
        /// The revision it is at.
        current: i64,
    },
    /// The source is not in the state that this needs.
    #[error("the source is {state}")]
    WrongState {
        /// The state it is in.
        state: String,
        /// The state it would have to be in.
        needed: &'static str,
    },
    /// The author decided on their own work.
    #[error("authors cannot approve their own work")]
    AuthorCannotDecide,
    /// There is nothing that could be published.
    #[error("no approved sources")]
    NothingToPublish,
    /// A version is being indexed already.
    #[error("a version is being indexed")]
    PublicationUnderWay,
    /// The program is not published.
    #[error("not published")]
    NotPublished,
    /// The version is no longer the published one.
    #[error("version superseded")]
    VersionSuperseded,
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: &'static str,
    },
    /// The org stores as much as it may.
    #[error("the org stores {limit_mib} MiB already")]
    StorageUsedUp {
        /// How much it may.
        limit_mib: u64,
    },
    /// A title or another text that cannot be shown as it is.
    #[error("{field} {problem}")]
    NotATitle {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: DisplayProblem,
    },
    /// The file cannot be read.
    #[error("{0}")]
    File(FileProblem),
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] preceptor_keys::KeyError),
    /// Object storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// No process could be had to read a file or draw a page.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(String),
}

/// A file that cannot be read: a stable code and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FileProblem {
    /// The stable reason code.
    pub code: &'static str,
    /// What happened and what to do.
    pub message: String,
}

impl From<ExtractError> for Error {
    fn from(error: ExtractError) -> Self {
        Self::File(FileProblem { code: error.code(), message: error.to_string() })
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        match self {
            Self::ProgramNotFound => Fault::new(Kind::NotFound, "PROGRAM_NOT_FOUND", "there is no such program"),
            Self::SourceNotFound => Fault::new(Kind::NotFound, "SOURCE_NOT_FOUND", "there is no such source"),
            Self::ObjectiveNotFound => {
                Fault::new(Kind::NotFound, "OBJECTIVE_NOT_FOUND", "this program has no such objective; leave the id out to add one")
            }
            Self::SourceRetracted => {
                Fault::new(Kind::NotFound, "SOURCE_RETRACTED", "this source was retracted, so nothing of what it says is shown any more")
            }
            Self::SourceReplaced { current: Some(current) } => {
                Fault::new(Kind::NotFound, "SOURCE_REPLACED", "this version of the source was replaced by a newer one; read that")
                    .with("current_version_id", current)
            }
            Self::SourceReplaced { current: None } => {
                Fault::new(Kind::NotFound, "SOURCE_REPLACED", "this source is no longer part of the program")
            }
            Self::RegistryCallNotFound => Fault::new(Kind::NotFound, "REGISTRY_CALL_NOT_FOUND", "there is no such request to a registry"),
            Self::TaskNotFound => Fault::new(Kind::NotFound, "TASK_NOT_FOUND", "there is no such task"),
            Self::PageNotFound => Fault::new(Kind::NotFound, "PAGE_NOT_FOUND", "the source has no such page, or its pages cannot be drawn"),
            Self::RevisionConflict { current } => Fault::new(
                Kind::Conflict,
                "REVISION_CONFLICT",
                "someone changed this program since you read it; read it again and repeat your change",
            )
            .with("current_revision", current),
            Self::WrongState { state, needed } => Fault::new(
                Kind::FailedPrecondition,
                "SOURCE_WRONG_STATE",
                format!("the source is {state}; this needs one that is {needed}"),
            )
            .with("state", state)
            .with("needed", needed),
            Self::AuthorCannotDecide => {
                Fault::new(Kind::FailedPrecondition, "AUTHOR_CANNOT_DECIDE", "you uploaded this version, so someone else has to review it")
            }
            Self::NothingToPublish => Fault::new(
                Kind::FailedPrecondition,
                "NOTHING_TO_PUBLISH",
                "the program has no approved sources; have at least one approved first",
            ),
            Self::PublicationUnderWay => Fault::new(
                Kind::FailedPrecondition,
                "PUBLICATION_UNDER_WAY",
                "a version of this program is being indexed; wait until it is published",
            ),
            Self::NotPublished => {
                Fault::new(Kind::FailedPrecondition, "PROGRAM_NOT_PUBLISHED", "this program is not published at the moment")
            }
            Self::VersionSuperseded => {
                Fault::new(Kind::Conflict, "VERSION_SUPERSEDED", "a newer version was published meanwhile; ask again")
            }
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}")).with("field", field)
            }
            Self::StorageUsedUp { limit_mib } => Fault::new(
                Kind::FailedPrecondition,
                "STORAGE_USED_UP",
                format!("your organization's files take all of the {limit_mib} MiB that they may; ask the operator to raise the limit"),
            )
            .with("limit_mib", limit_mib),
            Self::NotATitle { field, problem } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {problem}")).with("field", field)
            }
            Self::File(problem) => Fault::new(Kind::InvalidInput, problem.code, problem.message.clone()),
            Self::Keys(_) | Self::Objects(_) | Self::Sandbox(_) | Self::Store(_) | Self::Defect(_) => self.failure(),
        }
    }
}

impl Error {
    /// What failed here: the caller did nothing wrong, and the reason is in the log.
    fn failure(&self) -> Fault {
        match self {
            Self::Keys(error) => error.to_fault(),
            Self::Objects(error) => error.to_fault(),
            Self::Sandbox(error) => {
                tracing::error!(%error, "files cannot be worked on");
                Fault::new(
                    Kind::Unavailable,
                    "READERS_UNAVAILABLE",
                    "files cannot be opened at the moment; try again in a moment",
                )
            }
            Self::Store(error) => error.to_fault(),
            Self::Defect(what) => {
                tracing::error!(what, "a defect in ingestion");
                Fault::internal()
            }
            _ => Fault::internal(),
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        status_of(&error.to_fault())
    }
}
