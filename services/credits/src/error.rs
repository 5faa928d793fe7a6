//! What can go wrong between an item and a certificate.

use preceptor_core::{Fault, Kind};
use preceptor_keys::KeyError;
use preceptor_phi::Identifying;
use preceptor_rpc::{IntoFault, fault_of, status_of};
use preceptor_sandbox::SandboxError;
use preceptor_store::StoreError;

use crate::domain::{Flaw, Link};

/// Something that is not there for this caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A program.
    Program,
    /// An accreditation.
    Accreditation,
    /// An offer.
    Offer,
    /// An item.
    Item,
    /// A request for items.
    Generation,
    /// A quiz: nothing is open.
    Quiz,
    /// An attempt.
    Attempt,
    /// A credit.
    Credit,
    /// A certificate.
    Certificate,
    /// An activity that certificates name.
    Activity,
    /// A provider that issued certificates.
    Issuer,
    /// A list of voided certificates.
    StatusList,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing for this caller.
    #[error("no such {0:?}")]
    NotFound(Missing),
    /// A field is missing or wrong.
    #[error("{field}: {what}")]
    InvalidField {
        /// The field.
        field: &'static str,
        /// What is expected.
        what: String,
    },
    /// A text holds what identifies a patient. The text itself is not said again.
    #[error("{field} holds {found}")]
    Identifying {
        /// The field.
        field: &'static str,
        /// What was found.
        found: Identifying,
    },
    /// A link of the chain is missing; the database said so.
    #[error("a link is missing: {0:?}")]
    Link(Link),
    /// The accrediting body has no say about that type of credit.
    #[error("an accreditation by {body} does not cover {kind}")]
    BodyDoesNotCover {
        /// The body that accredited the provider.
        body: String,
        /// The type of credit.
        kind: String,
        /// The bodies whose accreditation would.
        bodies: String,
    },
    /// The operator of the deployment found the accreditation to be untrue.
    #[error("the accreditation was rejected")]
    AccreditationRejected,
    /// The right answers are shown later.
    #[error("the right answers are shown later")]
    FeedbackLater,
    /// What `credentials` says is missing.
    #[error("{0}")]
    Credential(String),
    /// The author decided on their own work.
    #[error("authors cannot approve their own work")]
    AuthorCannotDecide,
    /// The item was decided on before.
    #[error("the item is {0}")]
    ItemDecided(String),
    /// An item that has no right answer by its passages, or more than one by others.
    #[error("the item is flawed: {0:?}")]
    ItemFlawed(Flaw),
    /// Items that cannot be in a form.
    #[error("{0}")]
    FormNotReady(String),
    /// No attempt can begin now.
    #[error("{message}")]
    QuizClosed {
        /// The stable reason code.
        code: &'static str,
        /// What happened and what to do.
        message: String,
    },
    /// Questions without an answer.
    #[error("{} questions are open", .0.len())]
    Incomplete(Vec<i64>),
    /// What is stored of an attempt's end is not what was sealed when it was submitted.
    #[error("the result of {0} was changed outside the product")]
    ResultChanged(String),
    /// What is stored of a credit is not what was sealed when it was awarded.
    #[error("the credit {0} was changed outside the product")]
    AwardChanged(String),
    /// The attempt ended before.
    #[error("the attempt was submitted")]
    Submitted,
    /// The credit counts other classes of sources than the quiz that was passed.
    #[error("the credit counts sources of {0} only")]
    OtherSources(String),
    /// Another credit of that type is live.
    #[error("a credit exists: {0}")]
    CreditExists(String),
    /// The credit was voided before.
    #[error("the credit is void")]
    Void,
    /// The certificate is being prepared.
    #[error("the certificate is being prepared")]
    Preparing,
    /// Another service refused or failed.
    #[error("another service: {0}")]
    Call(Box<tonic::Status>),
    /// The key engine failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A text that certificates print has characters that no font has.
    #[error("{field} cannot be printed: {missing}")]
    NotPrintable {
        /// The field.
        field: &'static str,
        /// The characters.
        missing: preceptor_certificate::Unprintable,
    },
    /// A certificate could not be made or read.
    #[error(transparent)]
    Certificate(#[from] preceptor_certificate::Error),
    /// Composing or checking items took more than one request may take.
    #[error("items of this program cost too much to compose or check")]
    TooCostly,
    /// No process could be had to compose or check items.
    #[error(transparent)]
    Sandbox(SandboxError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// Something that cannot be.
    #[error("defect: {0}")]
    Defect(String),
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Call(Box::new(status))
    }
}

impl From<StoreError> for Error {
    /// A constraint of the chain becomes the link that it guards.
    fn from(error: StoreError) -> Self {
        match error.constraint().and_then(Link::of_constraint) {
            Some(link) => Self::Link(link),
            None => Self::Store(error),
        }
    }
}

impl Error {
    /// A wrong field.
    pub(crate) fn field(field: &'static str, what: impl Into<String>) -> Self {
        Self::InvalidField { field, what: what.into() }
    }

    /// Whether trying again may help.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Call(status) => {
                matches!(
                    fault_of(status).kind,
                    Kind::Unavailable | Kind::DeadlineExceeded | Kind::ResourceExhausted
                )
            }
            Self::Keys(KeyError::Unavailable(_)) | Self::Preparing => true,
            Self::Sandbox(_) => true,
            // Two certificates chose the same place at the same moment.
            Self::Store(error) => {
                error.is_transient() || error.constraint() == Some("credits_status_entry_place_once")
            }
            _ => false,
        }
    }
}

impl Missing {
    fn to_fault(self) -> Fault {
        let (code, words) = match self {
            Self::Program => ("PROGRAM_NOT_FOUND", "there is no such program"),
            Self::Accreditation => {
                ("ACCREDITATION_NOT_FOUND", "there is no such accreditation; record it first")
            }
            Self::Offer => ("OFFER_NOT_FOUND", "there is no such credit offer"),
            Self::Item => ("ITEM_NOT_FOUND", "there is no such item"),
            Self::Generation => ("GENERATION_NOT_FOUND", "there is no such request for items"),
            Self::Quiz => ("QUIZ_NOT_FOUND", "this program has no open quiz"),
            Self::Attempt => ("ATTEMPT_NOT_FOUND", "there is no such attempt"),
            Self::Credit => ("CREDIT_NOT_FOUND", "there is no such credit"),
            Self::Certificate => {
                ("CERTIFICATE_NOT_FOUND", "no certificate has this code; check every letter")
            }
            Self::Activity => ("ACTIVITY_NOT_FOUND", "no certificate names this activity"),
            Self::Issuer => ("ISSUER_NOT_FOUND", "no provider of this name has issued a certificate"),
            Self::StatusList => ("STATUS_LIST_NOT_FOUND", "no certificate names this list"),
        };
        Fault::new(Kind::NotFound, code, words)
    }
}

fn flaw_as_fault(flaw: &Flaw) -> Fault {
    match flaw {
        Flaw::NotAnswered(why) => Fault::new(Kind::InvalidInput, "ITEM_NOT_ANSWERED", why.clone()),
        Flaw::Ambiguous { passage, sentence, option } => Fault::new(
            Kind::InvalidInput,
            "ITEM_AMBIGUOUS",
            format!("another passage makes “{option}” right as well: “{sentence}”; ask more precisely, or choose another wrong answer"),
        )
        .with("passage_id", passage),
    }
}

/// What went wrong behind a rule: an engine, a peer, or a defect of ours.
fn failure_as_fault(error: &Error) -> Fault {
    match error {
        Error::Call(status) => fault_of(status),
        Error::Keys(error) => error.to_fault(),
        Error::ResultChanged(attempt) => Fault::new(
            Kind::FailedPrecondition,
            "RESULT_CHANGED",
            format!(
                "what is stored of the result of {attempt} is not what was recorded when it was submitted, so nothing is awarded or signed for it; \
                 write to the provider and name the attempt: the log has what was recorded"
            ),
        )
        .with("attempt_id", attempt),
        Error::AwardChanged(credit) => Fault::new(
            Kind::FailedPrecondition,
            "AWARD_CHANGED",
            format!(
                "what is stored of the credit {credit} is not what was recorded when it was awarded, so it is not shown and nothing is signed for it; \
                 write to the provider and name the credit: the log has what was recorded"
            ),
        )
        .with("credit_id", credit),
        Error::TooCostly => Fault::new(
            Kind::FailedPrecondition,
            "ITEMS_TOO_COSTLY",
            "comparing items with this program takes more time or memory than one request may; divide the program",
        ),
        Error::Sandbox(error) => {
            tracing::error!(%error, "items cannot be composed or checked");
            Fault::new(
                Kind::Unavailable,
                "COMPOSERS_UNAVAILABLE",
                "items cannot be composed or checked at the moment; try again in a moment",
            )
        }
        Error::Store(error) => error.to_fault(),
        Error::Certificate(error) => {
            tracing::error!(%error, "a certificate could not be made");
            Fault::internal()
        }
        Error::Defect(what) => {
            tracing::error!(what, "a defect in credits");
            Fault::internal()
        }
        // Every other one is a rule, and was put into words before.
        _ => Fault::internal(),
    }
}

impl IntoFault for Error {
    fn to_fault(&self) -> Fault {
        let precondition =
            |code: &'static str, words: String| Fault::new(Kind::FailedPrecondition, code, words);
        match self {
            Self::NotFound(missing) => missing.to_fault(),
            Self::Identifying { field, found } => Fault::new(
                Kind::InvalidInput,
                "PHI_DETECTED",
                format!("this seems to hold data that identifies a patient ({found}), so it was not kept; say it without that"),
            )
            .with("field", field),
            Self::InvalidField { field, what } => {
                Fault::new(Kind::InvalidInput, "INVALID_FIELD", format!("{field}: {what}")).with("field", field)
            }
            Self::Link(link) => link.to_fault(),
            Self::BodyDoesNotCover { body, kind, bodies } => precondition(
                "NOT_ACCREDITED",
                format!("an accreditation by {body} does not cover {kind}; name one by {bodies}, or record it first"),
            ),
            Self::AccreditationRejected => precondition(
                "ACCREDITATION_REJECTED",
                "the operator of this platform looked this accreditation up and rejected it; nothing can be designated or claimed under it"
                    .into(),
            ),
            Self::FeedbackLater => precondition(
                "FEEDBACK_LATER",
                "the right answers are shown after you pass, or when your attempts are used up".into(),
            ),
            Self::Credential(problem) => Fault::new(Kind::FailedPrecondition, "CREDENTIAL_NOT_VERIFIED", problem.clone()),
            Self::AuthorCannotDecide => {
                Fault::new(Kind::FailedPrecondition, "AUTHOR_CANNOT_DECIDE", "you made this item, so someone else has to review it")
            }
            Self::ItemDecided(state) => {
                precondition("ITEM_DECIDED", format!("this version is {state} already; write a new version instead"))
            }
            Self::ItemFlawed(flaw) => flaw_as_fault(flaw),
            Self::FormNotReady(why) => Fault::new(Kind::FailedPrecondition, "FORM_NOT_READY", why.clone()),
            Self::QuizClosed { code, message } => Fault::new(Kind::FailedPrecondition, *code, message.clone()),
            Self::Incomplete(open) => {
                let positions = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                Fault::new(Kind::FailedPrecondition, "QUIZ_INCOMPLETE", format!("answer every question first; open: {positions}"))
                    .with("positions", positions)
            }
            Self::Submitted => {
                Fault::new(Kind::FailedPrecondition, "ATTEMPT_SUBMITTED", "this attempt was submitted; its answers stay as they are")
            }
            Self::OtherSources(classes) => Fault::new(
                Kind::FailedPrecondition,
                "OFFER_COUNTS_OTHER_SOURCES",
                format!(
                    "this credit counts sources of the classes {} only, and the quiz you passed was made for others; ask the provider",
                    classes.replace('+', ", ")
                ),
            ),
            Self::CreditExists(credit) => Fault::new(
                Kind::AlreadyExists,
                "CREDIT_EXISTS",
                "you hold a credit of this type for this program already; it can be claimed once, with one amount",
            )
            .with("credit_id", credit),
            Self::Void => Fault::new(Kind::FailedPrecondition, "CREDIT_VOID", "this credit was voided before"),
            Self::Preparing => Fault::new(
                Kind::FailedPrecondition,
                "CERTIFICATE_PREPARING",
                "the certificate is being prepared; try again in a few seconds",
            ),
            Self::NotPrintable { field, missing } => {
                let detail = format!(
                    "{field}: a certificate cannot show {missing} with the fonts of this deployment; write it in Latin letters, \
                     or have the operator install fonts for its script with `preceptor fonts pull`"
                );
                let fault = Fault::new(Kind::InvalidInput, "NAME_NOT_PRINTABLE", detail)
                    .with("characters", missing.0.iter().collect::<String>());
                // The title is the program's: no field of what was sent has it.
                if *field == "program_title" { fault } else { fault.with("field", field) }
            }
            failure => failure_as_fault(failure),
        }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        status_of(&error.to_fault())
    }
}
