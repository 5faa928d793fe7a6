//! From a question to an answer on record.

mod answers;
mod citations;
mod compose;
pub mod fitting;
mod gate;
mod guard;
mod record;
mod vault;

pub(crate) use answers::{Answers, Asked, Asking};
pub(crate) use gate::label;
pub(crate) use record::quoted;
pub(crate) use vault::{LearnersKeys, Vault};
