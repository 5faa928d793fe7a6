//! Stand-ins of services outside of a deployment: the E-utilities of NCBI, Crossref, the NPI registry, a mail server.
//!
//! They exist for tests and for `up --demo`, listen on this machine only, speak the real protocols and answer in the forms
//! that are documented and recorded, errors included. Nothing here is ever reached by a deployment that serves people.

mod mail;
mod registries;

pub use mail::{MailCatcher, Trouble as MailTrouble};
pub use registries::{Article, Provider, Registries, Status, Trouble};
