//! What a call leaves on the org's record, whatever its handler writes: a layer reads it from the contract.
//!
//! * A read of personal data (`records: READ_PERSONAL`) is recorded before its answer is given, with whose data it was: the
//!   fields that the contract marks as a subject. Anyone who reads nothing but their own is not.
//! * A credential that was made (`CREDENTIAL`), and who signed in or out (`SIGN_IN`), are recorded before the answer too: a
//!   secret that is not on record is not handed out.
//! * A refusal is recorded for every method: who, what, why. Of the same refusals within a minute the first is recorded at
//!   once and the others as a number, so that no one fills the log with them.
//!
//! What belongs to no tenant, such as a sign-in with a secret that no one issued, goes to the process's own log under the
//! target `security`, counted in the same way: it may not make rows of an org that does not exist.

mod layer;
mod ledger;
mod note;
mod subjects;
mod windows;

use std::str::FromStr;

pub(crate) use layer::records;
pub use ledger::{Entry, Ledger, Recorder, Unrecorded};
pub use note::Note;
pub use subjects::{Subjects, marked};

/// What of a call is put on record by the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Records {
    /// Its refusals only.
    #[default]
    None,
    /// A read of personal data.
    ReadPersonal,
    /// Signing in.
    SignIn,
    /// Signing out.
    SignOut,
    /// A credential that was made.
    Credential,
}

impl Records {
    /// What the record calls it.
    pub const fn action(self) -> &'static str {
        match self {
            Self::None => "",
            Self::ReadPersonal => "personal_data.read",
            Self::SignIn => "session.opened",
            Self::SignOut => "session.ended",
            Self::Credential => "credential.made",
        }
    }
}

impl FromStr for Records {
    type Err = String;

    /// Reads the name of a value of the contract's enum.
    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "RECORDS_NONE" => Ok(Self::None),
            "READ_PERSONAL" => Ok(Self::ReadPersonal),
            "SIGN_IN" => Ok(Self::SignIn),
            "SIGN_OUT" => Ok(Self::SignOut),
            "CREDENTIAL" => Ok(Self::Credential),
            other => Err(format!("records names an unknown {other:?}")),
        }
    }
}
