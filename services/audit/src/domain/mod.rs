//! The tree (RFC 6962), the signer of its heads, and what holds the index of objects against it.

mod frontier;
mod index;
mod reindex;
mod signer;
mod verify;

pub(crate) use frontier::{Closed, Frontier};
pub(crate) use index::{About, Index};
pub(crate) use reindex::reindex;
pub(crate) use signer::{Signed, Signer, memory_error};
pub use verify::{Verification, Verifier, VerifyError};
