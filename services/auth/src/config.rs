//! Settings of the control plane.

use std::time::Duration;

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of the control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The `iss` of every scope token.
    pub issuer: String,
    /// How long a browser session lasts.
    pub session_seconds: u64,
    /// How long a sign-in link can be opened.
    pub link_seconds: u64,
    /// How long a learner token lasts unless its issuer says otherwise.
    pub learner_token_seconds: u64,
    /// The longest life a learner token may be given.
    pub longest_learner_token_seconds: u64,
    /// The name of the org that a first start makes.
    pub first_org: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "https://preceptor.local/auth".to_owned(),
            session_seconds: 12 * 3600,
            link_seconds: 3600,
            learner_token_seconds: 24 * 3600,
            longest_learner_token_seconds: 30 * 24 * 3600,
            first_org: "My organisation".to_owned(),
        }
    }
}

impl Config {
    pub(crate) fn session(&self) -> Duration {
        Duration::from_secs(self.session_seconds)
    }

    pub(crate) fn link(&self) -> Duration {
        Duration::from_secs(self.link_seconds)
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        if self.issuer.is_empty() {
            problems.push(Problem::at(format!("{path}.issuer"), "must not be empty"));
        }
        for (name, value) in [("session_seconds", self.session_seconds), ("link_seconds", self.link_seconds)] {
            if !(60..=7 * 24 * 3600).contains(&value) {
                problems.push(Problem::at(format!("{path}.{name}"), "must be between one minute and seven days"));
            }
        }
        if self.learner_token_seconds > self.longest_learner_token_seconds {
            problems.push(Problem::at(format!("{path}.learner_token_seconds"), "must not exceed longest_learner_token_seconds"));
        }
    }
}
