//! The tree (RFC 6962).

mod frontier;
mod verify;

pub(crate) use frontier::{Closed, Frontier};
pub use verify::{Verification, Verifier, VerifyError};
