//! Settings of the audit log.

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The name of this deployment, the first part of every log's origin.
    pub deployment: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { deployment: "audit.preceptor.local".to_owned() }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        // An origin is one line of a checkpoint and a key name (C2SP tlog-checkpoint, signed-note).
        let acceptable =
            !self.deployment.is_empty() && !self.deployment.contains(|c: char| c.is_whitespace() || c == '+');
        if !acceptable {
            problems.push(Problem::at(
                format!("{path}.deployment"),
                "must be a name without spaces or plus signs",
            ));
        }
    }
}
