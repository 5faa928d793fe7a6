//! The one seam between services.
//!
//! A generated client talks to a [`Channel`], which is one erased, boxed service. A *local* channel wraps the routes of
//! a service in the same process, without a socket; a *remote* one wraps an HTTP/2 connection. The called side runs the
//! same ordered layers in both cases, built by one function, [`Server::stack`]: catch-panic, trace, metrics, load-shed,
//! deadline, caller policy, records, scope, handler.
//!
//! * [`call`]: the verified context of an incoming call, and how to go on with it;
//! * [`policy`]: who may call what, read from the contracts;
//! * [`records`]: what a call leaves on the org's record, read from the contracts too;
//! * [`rows`]: one page of a list;
//! * [`status`]: the one map between [`preceptor_core::Fault`] and gRPC statuses;
//! * [`caller`]: how a service proves to another which service it is;
//! * [`health`]: whether a service works, asked and told;
//! * [`system`]: calls that a service makes on its own behalf;
//! * [`verifier`]: the keys that verify tokens, and their replacement while tokens are in use;
//! * [`service`]: what every service gives back to the process that built it.
//!
//! What this crate does not do: retries (the caller knows what is safe to repeat) and discovery beyond a fixed address
//! per service.

pub mod call;
pub mod caller;
pub mod channel;
pub mod health;
pub mod layers;
pub mod policy;
pub mod records;
mod retry;
pub mod rows;
pub mod server;
pub mod service;
pub mod status;
pub mod system;
pub mod verifier;

pub use call::Call;
pub use caller::{CallerIdentity, MeshSecret, ServiceName};
pub use channel::Channel;
pub use policy::Policies;
pub use records::{Ledger, Note, Records};
pub use rows::Rows;
pub use server::Server;
pub use service::{Service, Task};
pub use status::{IntoFault, fault_of, status_of};
pub use system::SystemCalls;
pub use verifier::{KeySource, SharedVerifier};
