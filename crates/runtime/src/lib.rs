//! How a process of Preceptor lives: it reads a strict configuration, starts its modules in the order of their
//! dependencies, supervises every task, tells whether it is ready, and stops in reverse order within a bounded time.
//!
//! * [`config`]: layered sources, every problem reported at once, unknown fields refused;
//! * [`modules`]: the table of modules and its order;
//! * [`tasks`]: the only place that spawns; a task has a name and says what its end means;
//! * [`Backstage`]: heavy work that no request waits for;
//! * [`Places`]: so many at a time, and never all of them for one;
//! * [`Waiting`]: what waits for a worker;
//! * [`Breaker`]: leaving alone what keeps failing;
//! * [`pause`]: points at which tests stop a process;
//! * [`tally`]: what a call costs, counted for tests;
//! * [`private`]: what is written is for this account alone;
//! * [`health`]: what is ready and what is not, with the reason;
//! * [`telemetry`]: logs, traces and metrics.
//!
//! This crate knows nothing of tenants, tables or messages.

mod backstage;
mod breaker;
pub mod config;
pub mod health;
pub mod modules;
pub mod pause;
pub mod places;
pub mod private;
pub mod tally;
pub mod tasks;
pub mod telemetry;
mod waiting;

pub use backstage::Backstage;
pub use breaker::Breaker;
pub use health::Health;
pub use modules::{Module, Table};
pub use places::Places;
pub use tasks::{OnEnd, Stop, Tasks, shielded};
pub use waiting::Waiting;
