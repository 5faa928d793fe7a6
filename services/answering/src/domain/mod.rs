//! From a question to an answer on record.

mod answers;
mod compose;
pub mod fitting;
mod gate;
mod guard;
mod record;

pub(crate) use answers::{Answers, Asked};
pub(crate) use record::{decode_record, outcome_of};
