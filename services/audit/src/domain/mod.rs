//! The tree (RFC 6962), and the signer of its heads.

mod frontier;
mod signer;
mod verify;

pub(crate) use frontier::{Closed, Frontier};
pub(crate) use signer::{Signed, Signer, memory_error};
pub use verify::{Verification, Verifier, VerifyError};
