//! Settings of the public edge.

use std::net::SocketAddr;

use preceptor_runtime::config::{Problem, Validate};
use serde::{Deserialize, Serialize};

/// Settings of the public edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Where the API and the pages listen.
    pub listen: SocketAddr,
    /// How the outside reaches them; cookies and links are made for it.
    pub public_url: String,
    /// Questions that one learner may ask in a minute.
    pub questions_per_minute: u32,
    /// Requests that one credential may make in a minute.
    pub requests_per_minute: u32,
    /// The largest file that an upload may carry, in MiB.
    pub largest_upload_mib: usize,
    /// How long an answer may take.
    pub answer_timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            questions_per_minute: 60,
            requests_per_minute: 1200,
            largest_upload_mib: 100,
            answer_timeout_seconds: 30,
        }
    }
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        match url::Url::parse(&self.public_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.path() == "/" => {}
            _ => problems
                .push(Problem::at(format!("{path}.public_url"), "must be a URL of a scheme and a host, such as https://learn.example.org")),
        }
        for (name, value) in [("questions_per_minute", self.questions_per_minute), ("requests_per_minute", self.requests_per_minute)] {
            if value == 0 {
                problems.push(Problem::at(format!("{path}.{name}"), "must be above 0"));
            }
        }
        if self.largest_upload_mib == 0 || self.largest_upload_mib > 1024 {
            problems.push(Problem::at(format!("{path}.largest_upload_mib"), "must be between 1 and 1024"));
        }
        if !(1..=300).contains(&self.answer_timeout_seconds) {
            problems.push(Problem::at(format!("{path}.answer_timeout_seconds"), "must be between 1 and 300"));
        }
    }
}
