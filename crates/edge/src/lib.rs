//! The public listener of a process: every wait on the outside world is bounded, and so is what the outside may hold.
//!
//! * [`serve`]: one accept loop for HTTP/1.1 and HTTP/2, in the clear on loopback or behind a proxy, or over [`tls`];
//! * [`Limits`]: every bound, as settings;
//! * [`connections`]: who is connected, and whom to let go when there is no space for a new one;
//! * [`body`]: bodies that arrive too slowly or grow too large, and the budget of bytes that are held in memory;
//! * [`address`]: who is at the other end, also behind a proxy that is trusted to say so.
//!
//! **Contract.** A connection ends when its request header is not complete in time, when nothing is asked on it, when a
//! body arrives too slowly, or when nothing of an answer is taken. When the process has no space for another connection,
//! the one that has waited longest without a complete request gives way: a newcomer that means it is always served.
//!
//! **What it does not do.** It knows no routes, credentials or problems: what a broken bound means to the client is said
//! by the one who owns the routes, with the help of [`body::Fate`].

pub mod address;
pub mod body;
pub mod connections;
mod io;
pub mod limits;
mod pace;
mod serve;
pub mod tls;

pub use address::{Client, Prefix};
pub use limits::Limits;
pub use serve::{Listener, serve};
