//! What both engines promise, by the same functions; and what PostgreSQL promises beyond that.

mod filters;
mod interleaved;
mod postgres;
mod promises;
mod support;
