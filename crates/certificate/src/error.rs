//! What can go wrong when a certificate is made, and why one is refused.

use preceptor_core::DisplayProblem;

use crate::fonts::Unprintable;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credential is not one that can be signed.
    #[error("the credential cannot be signed: {0}")]
    Credential(String),
    /// A text is not what it looks like.
    #[error("{field} {problem}")]
    NotAsItLooks {
        /// Which text.
        field: &'static str,
        /// What is wrong with it.
        problem: DisplayProblem,
    },
    /// No font of this process draws these characters.
    #[error("no font here can print {0}")]
    NotPrintable(Unprintable),
    /// The certificate could not be set.
    #[error("the certificate cannot be printed: {0}")]
    Print(String),
}

/// Why a certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a certificate at all.
    #[error("not a Preceptor certificate: {0}")]
    NotOne(&'static str),
    /// A byte of the file is not as it was when it was sealed.
    #[error("the file was changed after it was issued: its seal does not fit")]
    Changed,
    /// The credential's own signature does not fit.
    #[error("the badge was changed after it was issued, or its signature is not by the key that it names")]
    BadgeChanged,
    /// The JWT does not fit.
    #[error("the JWT was changed after it was issued, or states something else than the badge")]
    JwtChanged,
    /// Two parts are signed by different keys.
    #[error("the badge is signed by another key ({found}) than the {expected_by}")]
    OtherKey {
        /// The key that signed.
        found: String,
        /// What expects another one.
        expected_by: &'static str,
    },
    /// The record in the log is of something else.
    #[error("the log's record is of another certificate")]
    OtherRecord,
    /// The proof does not hold.
    #[error("the proof of the log does not hold: {0}")]
    Log(#[from] preceptor_tlog::Refusal),
    /// The document is signed, and is not what its values are written as.
    #[error(
        "the badge is signed, but holds something else, or holds it in another form, than what is read from a certificate"
    )]
    OtherForm,
    /// No list of voided certificates.
    #[error("the status list cannot be used: {0}")]
    NoList(&'static str),
    /// The credential cannot be read in one way only.
    #[error("the badge cannot be read: {0}")]
    Unreadable(String),
}
