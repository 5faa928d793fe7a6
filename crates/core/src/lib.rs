//! The words that every service of Preceptor shares, and nothing else.
//!
//! * [`id`]: prefixed, time-ordered identifiers, one type per noun;
//! * [`scope`]: who is asking, inside which org, app and program. A [`Scope`] can only be made from a verified token
//!   or by a named [`SystemActor`], so holding one is the proof that someone checked;
//! * [`clock`]: time behind a seam, so that expiry and order can be tested;
//! * [`display`]: [`DisplayName`] and [`DisplayText`], which are what they look like;
//! * [`secret`]: [`Secret`] and [`Pii`], which redact themselves in every output;
//! * [`error`]: the closed set of error kinds, mapped once to gRPC and once to HTTP.
//!
//! This crate does no input or output, opens no file and reads no environment.

pub mod clock;
pub mod display;
pub mod error;
pub mod id;
pub mod role;
pub mod scope;
pub mod secret;

pub use clock::{Clock, SystemClock, Timestamp};
pub use display::{DisplayName, DisplayProblem, DisplayText};
pub use error::{Fault, Kind};
pub use role::{Capability, Role};
pub use scope::{Scope, SystemActor};
pub use secret::{Pii, Secret};
