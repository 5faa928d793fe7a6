//! From a message to an objective.

mod classify;
pub mod fitting;
mod worker;

pub(crate) use worker::Worker;
