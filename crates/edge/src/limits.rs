//! The bounds of the listener, as settings.

use std::time::Duration;

use preceptor_runtime::config::{Problem, Validate};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// No process needs more open files than this for what it serves.
const MOST_FILES: u64 = 65_536;
/// Above this many open files a fixed share is enough for everything that is no connection.
const MOST_RESERVED: usize = 1024;

/// The bounds of the listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Connections at the same time; fewer where the process may not have that many files open.
    pub most_connections: usize,
    /// Connections of one address (IPv6: of one /64) at the same time. Trusted proxies may have all.
    pub most_connections_per_address: usize,
    /// Seconds in which a request header has to be complete, and a TLS handshake.
    pub header_seconds: u64,
    /// Seconds after which a connection on which nothing is asked is closed.
    pub idle_seconds: u64,
    /// Seconds that may pass without a byte of a body that is waited for, or of an answer being taken.
    pub stalled_seconds: u64,
    /// The least speed of a body, in bytes a second, on average over the time that it is waited for.
    pub least_bytes_per_second: u64,
    /// Seconds in which a whole request has to arrive.
    pub request_seconds: u64,
    /// The largest request header, in KiB; one that is larger is answered with 431, and one of four times that is not read.
    pub largest_header_kib: usize,
    /// Lines of a request header.
    pub most_header_lines: usize,
    /// Requests at the same time on one HTTP/2 connection.
    pub most_streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            most_connections: 4096,
            most_connections_per_address: 512,
            header_seconds: 10,
            idle_seconds: 60,
            stalled_seconds: 10,
            least_bytes_per_second: 1024,
            request_seconds: 600,
            largest_header_kib: 32,
            most_header_lines: 100,
            most_streams: 64,
        }
    }
}

impl Limits {
    /// How long a header may take.
    pub fn header(&self) -> Duration {
        Duration::from_secs(self.header_seconds)
    }

    /// How long nothing may be asked.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    /// How long nothing may move.
    pub fn stalled(&self) -> Duration {
        Duration::from_secs(self.stalled_seconds)
    }

    /// How long a whole request may take to arrive.
    pub fn request(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }
}

impl Validate for Limits {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut bounded = |name: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                problems.push(Problem::at(
                    format!("{path}.{name}"),
                    format!("must be between {least} and {most}"),
                ));
            }
        };
        bounded("most_connections", self.most_connections as u64, 8, 60_000);
        bounded("most_connections_per_address", self.most_connections_per_address as u64, 4, 60_000);
        bounded("header_seconds", self.header_seconds, 1, 60);
        bounded("idle_seconds", self.idle_seconds, 1, 600);
        bounded("stalled_seconds", self.stalled_seconds, 1, 120);
        bounded("least_bytes_per_second", self.least_bytes_per_second, 1, 1 << 20);
        bounded("request_seconds", self.request_seconds, 1, 3600);
        bounded("largest_header_kib", self.largest_header_kib as u64, 8, 256);
        bounded("most_header_lines", self.most_header_lines as u64, 20, 1000);
        bounded("most_streams", u64::from(self.most_streams), 1, 1000);
        if self.most_connections_per_address > self.most_connections {
            problems.push(Problem::at(
                format!("{path}.most_connections_per_address"),
                "must not be above most_connections",
            ));
        }
    }
}

/// How many files this process may have open: as many as it can get without special rights, within reason.
pub(crate) fn open_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST_FILES).min(MOST_FILES);
    let current = current.unwrap_or(MOST_FILES);
    if current < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok() {
        return wanted as usize;
    }
    current as usize
}

/// How many of `files` may be connections: databases, objects and calls to others need the rest.
pub(crate) fn connections_of(files: usize) -> usize {
    (files - (files * 2 / 3).min(MOST_RESERVED)).max(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_what_is_no_connection() {
        assert_eq!(connections_of(120), 40);
        assert_eq!(connections_of(1024), 342);
        assert_eq!(connections_of(65_536), 64_512);
        assert!(connections_of(3) >= 4);
    }

    #[test]
    fn every_bound_is_bounded() {
        let mut problems = Vec::new();
        Limits::default().validate("edge", &mut problems);
        assert_eq!(problems, []);
        let limits = Limits {
            header_seconds: 0,
            most_connections: 10,
            most_connections_per_address: 20,
            ..Limits::default()
        };
        limits.validate("edge", &mut problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
