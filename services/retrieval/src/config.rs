//! Settings of search.

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Memory for the statistics of versions that are asked often, in MiB.
    pub profile_cache_mib: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { profile_cache_mib: 128 }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if !(8..=16_384).contains(&self.profile_cache_mib) {
            problems.push(Problem::at(format!("{path}.profile_cache_mib"), "must be between 8 and 16384"));
        }
    }
}
