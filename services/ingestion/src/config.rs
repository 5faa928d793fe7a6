//! Settings of ingestion.

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

use crate::domain::extract::Limits;

/// Settings of ingestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The largest file that is taken, in MiB.
    pub largest_file_mib: u64,
    /// The most that an archive may unpack to, in MiB.
    pub largest_unpacked_mib: u64,
    /// The most text that a file may hold, in MiB.
    pub largest_text_mib: u64,
    /// The most pages or slides of a file.
    pub most_pages: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { largest_file_mib: 100, largest_unpacked_mib: 400, largest_text_mib: 20, most_pages: 2000 }
    }
}

impl Config {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            file_bytes: self.largest_file_mib << 20,
            unpacked_bytes: self.largest_unpacked_mib << 20,
            text_bytes: (self.largest_text_mib as usize) << 20,
            pages: self.most_pages,
        }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut bounded = |name: &str, value: u64, most: u64| {
            if value == 0 || value > most {
                problems.push(Problem::at(format!("{path}.{name}"), format!("must be between 1 and {most}")));
            }
        };
        bounded("largest_file_mib", self.largest_file_mib, 1024);
        bounded("largest_unpacked_mib", self.largest_unpacked_mib, 4096);
        bounded("largest_text_mib", self.largest_text_mib, 200);
        bounded("most_pages", self.most_pages as u64, 20_000);
    }
}
