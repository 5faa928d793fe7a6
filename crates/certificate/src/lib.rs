//! Certificates: what they state, how it is signed, how it is printed, and how anybody checks one with no network and no
//! database.
//!
//! * [`Facts`] is what a certificate states. [`credential`] turns it into an Open Badges 3.0 credential (Verifiable
//!   Credentials 2.0), which is signed twice from one record: with a Data Integrity proof (`eddsa-rdfc-2022`) inside it
//!   and as a JWT.
//! * [`print()`] sets the certificate with typst, as PDF/A-3b with the credential and the proof of the log attached, and
//!   [`seal`] covers every byte of that file with a signature of the same key.
//! * [`verify`] checks a file again from nothing but its own bytes: the seal, both signatures, that they state the same,
//!   and that the log of the provider holds the record of exactly this credential.
//!
//! Signatures are made elsewhere: this crate says which bytes to sign and takes the signature. What it cannot say is
//! whether a key is the provider's; for that the caller pins one, or compares the name of the key with a published one.

mod credential;
mod error;
mod jwt;
mod key;
mod print;
mod proof;
mod rdf;
pub mod seal;
pub mod verify;

pub use credential::{Facts, credential, credential_sha256};
pub use error::{Error, Refusal};
pub use jwt::{assemble_jwt, jwt_signing_input};
pub use key::IssuerKey;
pub use print::{Attachments, amount, print};
pub use proof::{attach, hash_data, proof_options};
