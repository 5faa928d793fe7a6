//! Certificates: what they state, how it is signed, how it is printed, and how anyone checks one with no network and no
//! database.
//!
//! * [`Facts`] is what a certificate states; [`Facts::check`] refuses what is not what it looks like. [`credential`] turns it into an Open Badges 3.0 credential (Verifiable
//!   Credentials 2.0), which is signed twice from one record: with a Data Integrity proof (`eddsa-rdfc-2022`) inside it
//!   and as a JWT.
//! * [`print()`] sets the certificate with typst, as PDF/A-3b and PDF/UA-1 with the credential and the proof of the log attached, and
//!   [`seal`] covers every byte of that file with a signature of the same key.
//! * [`verify`] checks a file again from nothing but its own bytes: the seal, both signatures, that they state the same,
//!   and that the log of the provider holds the record of exactly this credential. What is signed is read back and written
//!   again: a document that comes out otherwise says something that no one was shown.
//! * [`status`] is the provider's list of what it voided since, signed and dated, for the one who checks without a network.
//!
//! Signatures are made elsewhere: this crate says which bytes to sign and takes the signature. What it cannot say is
//! whether a key is the provider's; for that the caller pins one, or compares the name of the key with a published one.

mod check;
mod credential;
mod details;
mod error;
mod fonts;
mod jwt;
mod key;
mod ornament;
mod print;
mod proof;
mod rdf;
pub mod seal;
pub mod status;
mod strict;
pub mod verify;

pub use credential::{Facts, Published, achievement, credential, credential_sha256, grouped};
pub use details::{Details, Logo};
pub use error::{Error, Refusal};
pub use fonts::{Fonts, Unprintable};
pub use jwt::{assemble_jwt, jwt_signing_input};
pub use key::IssuerKey;
pub use ornament::badge_image;
pub use print::{Attachments, Layout, Paper, amount, check_logo, print};
pub use proof::{attach, hash_data, proof_options};
