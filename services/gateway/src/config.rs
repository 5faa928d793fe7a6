//! Settings of the public edge.

use std::net::SocketAddr;

use ipnet::IpNet;
use preceptor_edge::{Limits, tls};
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
    /// Sign-ins that may be tried from one address in a minute.
    pub sign_ins_per_minute: u32,
    /// Certificates that may be looked up by their code from one address in a minute.
    pub look_ups_per_minute: u32,
    /// Credentials that may turn out to be none, from one address in a minute; then none is looked at for a while.
    pub refusals_per_minute: u32,
    /// Requests without a credential from one address in a minute.
    pub public_requests_per_minute: u32,
    /// The largest file that an upload may carry, in MiB.
    pub largest_upload_mib: usize,
    /// The largest body of any other request, in KiB.
    pub largest_body_kib: usize,
    /// Bodies that are in memory at the same time, in MiB; one credential may have a quarter.
    pub bodies_in_memory_mib: usize,
    /// Documents, originals and pages of files that are answered at the same time; one org never has all of them.
    pub large_answers: usize,
    /// Answers that are in memory until their clients took them, in MiB; one org may have a quarter.
    pub answers_in_memory_mib: usize,
    /// How long an answer may take.
    pub answer_timeout_seconds: u64,
    /// Origins whose pages may use the API with a bearer token, such as https://learn.example.org; none when empty.
    pub cors_origins: Vec<String>,
    /// Networks of proxies whose X-Forwarded-For is believed; none when empty.
    pub trusted_proxies: Vec<IpNet>,
    /// Says that TLS ends at a proxy in front, so that this process may listen without it beyond this machine.
    pub behind_proxy: bool,
    /// The certificate, when TLS ends in this process.
    pub tls: Option<tls::Files>,
    /// The bounds of the listener.
    pub connections: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            questions_per_minute: 60,
            requests_per_minute: 1200,
            sign_ins_per_minute: 20,
            look_ups_per_minute: 60,
            refusals_per_minute: 30,
            public_requests_per_minute: 600,
            largest_upload_mib: 100,
            largest_body_kib: 1024,
            bodies_in_memory_mib: 64,
            large_answers: 8,
            answers_in_memory_mib: 512,
            answer_timeout_seconds: 30,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            behind_proxy: false,
            tls: None,
            connections: Limits::default(),
        }
    }
}

impl Config {
    /// Whether the outside reaches this deployment over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.starts_with("https:")
    }

    /// What is wrong with where it listens and how the outside reaches it. A clear connection stays on this machine, as
    /// with the databases.
    fn validate_transport(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut problem = |name: &str, what: &str| problems.push(Problem::at(format!("{path}.{name}"), what));
        let url = match url::Url::parse(&self.public_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.has_host() => url,
            _ => {
                return problem(
                    "public_url",
                    "must be a URL of a scheme and a host, such as https://learn.example.org",
                );
            }
        };
        let is_near = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let is_https = url.scheme() == "https";
        if !is_https && !is_near {
            problem(
                "public_url",
                "must be https unless its host is this machine: everything else would cross the network in clear",
            );
        }
        if !self.listen.ip().is_loopback() && self.tls.is_none() {
            if !self.behind_proxy {
                let what = "listens beyond this machine without TLS: set tls.certificate and tls.key, or behind_proxy = true where TLS ends at a proxy";
                problem("listen", what);
            } else if !is_https {
                problem("public_url", "must be https where TLS ends at a proxy");
            }
        }
        if self.tls.is_some() && self.behind_proxy {
            problem("behind_proxy", "TLS ends at the proxy or in this process, not in both");
        }
        if self.tls.is_some() && !is_https {
            problem("public_url", "must be https where this process has a certificate");
        }
    }
}

/// Whether `text` is an origin as browsers write it.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}

impl Validate for Config {
    fn validate(&self, path: &str, problems: &mut Vec<Problem>) {
        self.validate_transport(path, problems);
        self.connections.validate(&format!("{path}.connections"), problems);
        for (name, value) in [
            ("questions_per_minute", self.questions_per_minute),
            ("requests_per_minute", self.requests_per_minute),
            ("sign_ins_per_minute", self.sign_ins_per_minute),
            ("look_ups_per_minute", self.look_ups_per_minute),
            ("refusals_per_minute", self.refusals_per_minute),
            ("public_requests_per_minute", self.public_requests_per_minute),
        ] {
            if value == 0 {
                problems.push(Problem::at(format!("{path}.{name}"), "must be above 0"));
            }
        }
        if self.largest_upload_mib == 0 || self.largest_upload_mib > 1024 {
            problems.push(Problem::at(format!("{path}.largest_upload_mib"), "must be between 1 and 1024"));
        }
        if !(16..=8192).contains(&self.largest_body_kib) {
            problems.push(Problem::at(format!("{path}.largest_body_kib"), "must be between 16 and 8192"));
        }
        if !(1..=4096).contains(&self.bodies_in_memory_mib)
            || self.bodies_in_memory_mib << 10 < 4 * self.largest_body_kib
        {
            problems.push(Problem::at(
                format!("{path}.bodies_in_memory_mib"),
                "must be at most 4096 and hold four of the largest bodies",
            ));
        }
        if !(2..=256).contains(&self.large_answers) {
            problems.push(Problem::at(format!("{path}.large_answers"), "must be between 2 and 256"));
        }
        if !(256..=65_536).contains(&self.answers_in_memory_mib) {
            let what = "must be between 256 and 65536: a quarter of it holds the largest document";
            problems.push(Problem::at(format!("{path}.answers_in_memory_mib"), what));
        }
        if let Some(wrong) = self.cors_origins.iter().find(|origin| !is_origin(origin)) {
            let what = format!(
                "{wrong:?} is not an origin: an origin is a scheme, a host and perhaps a port, such as https://learn.example.org"
            );
            problems.push(Problem::at(format!("{path}.cors_origins"), what));
        }
        if !(1..=300).contains(&self.answer_timeout_seconds) {
            problems.push(Problem::at(format!("{path}.answer_timeout_seconds"), "must be between 1 and 300"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(listen: &str, url: &str, change: impl FnOnce(&mut Config)) -> Vec<String> {
        let mut config = Config {
            listen: listen.parse().expect("an address"),
            public_url: url.to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let mut problems = Vec::new();
        config.validate("gateway", &mut problems);
        problems.into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn a_clear_connection_stays_on_this_machine() {
        let tls = |config: &mut Config| {
            config.tls = Some(tls::Files { certificate: "c.pem".into(), key: "k.pem".into() });
        };
        let proxy = |config: &mut Config| config.behind_proxy = true;
        let nothing = |_: &mut Config| {};
        let none: [String; 0] = [];
        assert_eq!(wrong("127.0.0.1:8080", "http://127.0.0.1:8080", nothing), none);
        assert_eq!(wrong("127.0.0.1:8080", "http://localhost:8080", nothing), none);
        assert_eq!(wrong("[::1]:8080", "http://[::1]:8080", nothing), none);
        assert_eq!(
            wrong("127.0.0.1:8080", "https://learn.example.org", nothing),
            none,
            "a proxy on this machine"
        );
        assert_eq!(wrong("0.0.0.0:443", "https://learn.example.org", tls), none);
        assert_eq!(wrong("0.0.0.0:8080", "https://learn.example.org", proxy), none);

        assert_eq!(
            wrong("0.0.0.0:8080", "http://learn.example.org", nothing),
            ["gateway.public_url", "gateway.listen"]
        );
        assert_eq!(wrong("0.0.0.0:8080", "https://learn.example.org", nothing), ["gateway.listen"]);
        assert_eq!(wrong("[::]:8080", "http://127.0.0.1", nothing), ["gateway.listen"]);
        assert_eq!(wrong("127.0.0.1:8080", "http://learn.example.org", nothing), ["gateway.public_url"]);
        assert_eq!(wrong("127.0.0.1:8080", "http://127.0.0.1.example.org", nothing), ["gateway.public_url"]);
        assert_eq!(wrong("0.0.0.0:8080", "http://localhost", proxy), ["gateway.public_url"]);
        assert_eq!(wrong("127.0.0.1:443", "http://localhost", tls), ["gateway.public_url"]);
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        assert!(is_origin("https://learn.example.org") && is_origin("http://localhost:3000"));
        for no in [
            "*",
            "null",
            "learn.example.org",
            "https://learn.example.org/",
            "https://Learn.example.org",
            "https://learn.example.org:443",
        ] {
            assert!(!is_origin(no), "{no}");
        }
    }
}
