//! The relational store: one cell per org, tenant transactions, outbox and inbox, append-only tables, migrations.
//!
//! * [`Cells`] maps an org to its cell. The embedded cell is one SQLite file per org, which is its tenant wall: SQLite
//!   has no row security. The production cell is a PostgreSQL database with many orgs and the walls of [`postgres`].
//! * [`TenantTx`] is the only handle that runs SQL on tenant tables. It is opened from a verified
//!   [`Scope`](preceptor_core::Scope), every read starts from a filter on its org, and raw connections stay in here.
//! * A business change, its events and its audit records commit together: [`TenantTx::emit`] and [`TenantTx::audit`]
//!   write to the service's outbox in the same transaction. The relay in `preceptor-bus` moves them on.
//! * [`Schema`] is a service's tables: plain SQL in the dialect that SQLite and PostgreSQL share.
//!
//! What this crate does not do: it knows no service's tables, and it holds no cache.

mod alter;
pub mod append_only;
mod cells;
mod constraints;
mod control;
mod entity;
mod error;
mod files;
mod outbox;
pub mod postgres;
mod schema;
mod seals;
pub mod sqlite;
mod tx;

pub use cells::{Cells, Config, Handle};
pub use control::{Control, ControlConfig, ControlTx};
pub use error::{APPEND_ONLY, PRIVILEGE, StoreError};
pub use outbox::{AuditEntry, LARGEST_RECORD, Outcome, Unsent};
pub use schema::{Migration, Schema};
pub use seals::OutboxSeals;
pub use tx::{TenantEntity, TenantTx};
