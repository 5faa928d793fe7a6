//! Heavy work on what strangers send, in processes of its own.
//!
//! A file that is read, a page that is drawn and items that are composed may cost more time and memory than anyone has.
//! Limits on what goes in do not bound what comes of it; so the work is done in a child process of the same binary, under
//! limits of address space, CPU time, wall clock and output. A child that goes over one of them dies alone, and anyone who
//! gave it the work learns that it was too costly.
//!
//! * [`Sandbox`] is what a service sees: work goes in, bytes or a [`SandboxError`] come out;
//! * [`Processes`] does it in children that are kept warm, in lanes of their own for every kind of work and with a place
//!   for every org in each;
//! * [`child`] is the other side: a binary calls [`child::run_if_asked`] first of all.
//!
//! A child has no environment, opens no file and no connection (it may not have another file descriptor), writes no core
//! dump and yields to everyone. What this crate does not do: it knows no kind of work, and it keeps nothing.

pub mod child;
mod config;
mod frames;
mod processes;
mod program;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use preceptor_core::id::OrgId;

pub use config::Config;
pub use processes::Processes;
pub use program::program;

/// A kind of work: children of one lane wait for each other, and not for those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Reading files: minutes, in the background.
    Read,
    /// Drawing pages: seconds, someone waits for it.
    Draw,
    /// Composing items: minutes, in the background.
    Compose,
    /// Judging what someone just wrote: seconds, someone waits for it.
    Judge,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 4] = [Self::Read, Self::Draw, Self::Compose, Self::Judge];
}

/// A place in a lane; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    lane: Lane,
    _turn: preceptor_runtime::places::Place,
}

/// How far work is: how much of how much is done.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// A piece of work.
pub struct Work<'a> {
    /// What is to be done, as the dispatcher of the binary knows it.
    pub kind: &'static str,
    /// What it needs to know.
    pub request: Vec<u8>,
    /// What it is done on.
    pub file: Bytes,
    /// Told how far it is.
    pub progress: Option<Progress<'a>>,
}

/// The content may be anyone's.
impl fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("kind", &self.kind)
            .field("bytes", &self.file.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// The work went over a limit. The same work would do so again.
    #[error("the work went over its limit of {0}")]
    TooCostly(Cost),
    /// The work failed in a way that no one foresaw. The same work would do so again.
    #[error("the work failed: {0}")]
    Failed(String),
    /// There is no child to do it. Trying again may help.
    #[error("no process can be had for the work: {0}")]
    Unavailable(String),
}

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Memory, or a crash that looks like it.
    Memory,
    /// CPU seconds.
    Cpu,
    /// Wall clock.
    Time,
    /// Bytes of the result.
    Output,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Cpu => "CPU time",
            Self::Time => "time",
            Self::Output => "output",
        })
    }
}

/// Does work where it can fail alone.
#[async_trait]
pub trait Sandbox: fmt::Debug + Send + Sync {
    /// Waits for a place in a lane on behalf of an org: everyone gets one in turn, and no one all of them. What the work is
    /// done on is fetched with the place in hand, so that those who wait hold nothing.
    async fn place(&self, lane: Lane, org: OrgId) -> Result<Place, SandboxError>;

    /// Does a piece of work. Dropping the future ends the work.
    async fn run(&self, place: Place, work: Work<'_>) -> Result<Vec<u8>, SandboxError>;
}
