//! Settings of the sandbox.

use std::path::PathBuf;
use std::time::Duration;

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

use crate::Lane;

/// Settings of the processes that read files, draw pages and compose items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The binary that children run; this process's own when unset.
    pub program: Option<PathBuf>,
    /// Address space of one child, in MiB.
    pub memory_mib: u64,
    /// CPU seconds of one piece of work.
    pub cpu_seconds: u64,
    /// Seconds after which reading or composing is stopped, however little the machine gave it.
    pub wall_seconds: u64,
    /// Seconds after which work that someone waits for is stopped: drawing a page, judging a question or a logo.
    pub draw_seconds: u64,
    /// Files that are read at the same time.
    pub readers: usize,
    /// Pages that are drawn at the same time.
    pub drawers: usize,
    /// Programs whose items are composed at the same time.
    pub composers: usize,
    /// Questions and logos that are judged at the same time.
    pub judges: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program: None,
            memory_mib: 1024,
            cpu_seconds: 60,
            wall_seconds: 600,
            draw_seconds: 20,
            readers: 2,
            drawers: 2,
            composers: 1,
            judges: 2,
        }
    }
}

impl Config {
    /// Children of a lane.
    pub(crate) fn children(&self, lane: Lane) -> usize {
        match lane {
            Lane::Read => self.readers,
            Lane::Draw => self.drawers,
            Lane::Compose => self.composers,
            Lane::Judge => self.judges,
        }
    }

    /// CPU seconds that work in a lane may have.
    pub(crate) fn cpu(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Draw | Lane::Judge => self.cpu_seconds.min(self.draw_seconds),
            Lane::Read | Lane::Compose => self.cpu_seconds,
        }
    }

    /// How long work in a lane may take.
    pub(crate) fn wall(&self, lane: Lane) -> Duration {
        Duration::from_secs(match lane {
            Lane::Draw | Lane::Judge => self.draw_seconds,
            Lane::Read | Lane::Compose => self.wall_seconds,
        })
    }

    /// Bytes of a child's address space.
    pub(crate) fn memory(&self) -> u64 {
        self.memory_mib << 20
    }

    /// Bytes of a result: it has to fit into the child that makes it, and the process that takes it has others to serve.
    pub(crate) fn output(&self) -> usize {
        usize::try_from(self.memory() / 2).unwrap_or(usize::MAX)
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut bounded = |name: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                problems.push(Problem::at(
                    format!("{path}.{name}"),
                    format!("must be between {least} and {most}"),
                ));
            }
        };
        bounded("memory_mib", self.memory_mib, 256, 65_536);
        bounded("cpu_seconds", self.cpu_seconds, 1, 3600);
        bounded("wall_seconds", self.wall_seconds, 1, 7200);
        bounded("draw_seconds", self.draw_seconds, 1, 60);
        bounded("readers", self.readers as u64, 1, 64);
        bounded("drawers", self.drawers as u64, 1, 64);
        bounded("composers", self.composers as u64, 1, 64);
        bounded("judges", self.judges as u64, 1, 64);
    }
}
