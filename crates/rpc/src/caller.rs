//! How a service proves to another which service it is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{hmac, rand};
use moka::sync::Cache;
use preceptor_core::{Clock, Secret, Timestamp};

/// The header that names the calling service on a remote channel.
pub(crate) const CALLER_HEADER: &str = "x-preceptor-caller";

macro_rules! services {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A service of the mesh.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ServiceName {
            $($(#[$doc])* $variant,)+
        }

        impl ServiceName {
            /// All services, in the order in which they are listed in the architecture.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name used in contracts, configuration and on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

services! {
    /// The public HTTPS API and the pages.
    Gateway = "gateway";
    /// Orgs, staff, credentials, tokens.
    Auth = "auth";
    /// Programs, sources, passages, approvals.
    Ingestion = "ingestion";
    /// The vector index.
    Retrieval = "retrieval";
    /// Questions and answers.
    Answering = "answering";
    /// Messages to objectives.
    Alignment = "alignment";
    /// Clinicians, their licenses and what is known of them.
    Credentials = "credentials";
    /// Quizzes, attempts, credits, certificates.
    Credits = "credits";
    /// Counts.
    Analytics = "analytics";
    /// The Merkle log.
    Audit = "audit";
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ServiceName {
    type Err = preceptor_core::role::UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|service| service.name() == name)
            .ok_or(preceptor_core::role::UnknownName("service"))
    }
}

/// The verified name of the calling service, as a layer below may trust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerIdentity(pub ServiceName);

/// How far the clocks of two services may be apart, and how long a proof is on its way at most.
const WINDOW: Duration = Duration::from_secs(30);
/// Proofs that are remembered, so that none is taken twice.
const MOST_REMEMBERED: u64 = 1 << 20;
const NONCE_LEN: usize = 16;

/// The secret that the services of one deployment share under `--dev`, where there are no certificates. Every call carries an
/// HMAC under it, of the calling service, the method, the time and a nonce. Anyone who reads one on the wire can use it for no
/// other method, not after its time, and not a second time.
#[derive(Clone)]
pub struct MeshSecret {
    key: hmac::Key,
    clock: Arc<dyn Clock>,
    seen: Cache<[u8; NONCE_LEN], ()>,
}

impl fmt::Debug for MeshSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeshSecret([redacted])")
    }
}

/// What a proof states.
fn statement(service: ServiceName, path: &str, seconds: i64, nonce: &str) -> String {
    format!("{service}\n{path}\n{seconds}\n{nonce}")
}

impl MeshSecret {
    /// Derives the shared key from the deployment's secret.
    pub fn new(secret: &Secret, clock: Arc<dyn Clock>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        // A proof is remembered for as long as it would be taken.
        let seen = Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(3 * WINDOW).build();
        Self { key, clock, seen }
    }

    /// What `service` writes into a call of `path`. Nothing when the machine has no random numbers.
    pub(crate) fn proof(&self, service: ServiceName, path: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        let (nonce, seconds) = (hex::encode(nonce), self.clock.now().seconds());
        let tag = hmac::sign(&self.key, statement(service, path, seconds, &nonce).as_bytes());
        Some(format!("{service} {seconds} {nonce} {}", hex::encode(tag)))
    }

    /// The service that wrote `proof` for a call of `path`, if it knew the secret. A proof is taken once.
    pub(crate) fn verify(&self, proof: &str, path: &str) -> Option<CallerIdentity> {
        let [service, seconds, nonce, tag]: [&str; 4] =
            proof.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let (service, seconds): (ServiceName, i64) = (service.parse().ok()?, seconds.parse().ok()?);
        let tag = hex::decode(tag).ok()?;
        hmac::verify(&self.key, statement(service, path, seconds, nonce).as_bytes(), &tag).ok()?;
        let (now, then) = (self.clock.now(), Timestamp::from_micros(seconds.checked_mul(1_000_000)?));
        if now.since(then) > WINDOW || then.since(now) > WINDOW {
            return None;
        }
        let nonce: [u8; NONCE_LEN] = hex::decode(nonce).ok()?.try_into().ok()?;
        self.seen.entry(nonce).or_insert(()).is_fresh().then_some(CallerIdentity(service))
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::clock::ManualClock;

    use super::*;

    const PATH: &str = "/preceptor.auth.v1.Auth/Exchange";

    fn secret(text: &str, clock: &Arc<ManualClock>) -> MeshSecret {
        MeshSecret::new(&Secret::new(text), Arc::clone(clock) as _)
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(Timestamp::from_micros(1_800_000_000_000_000)))
    }

    #[test]
    fn only_the_holder_of_the_secret_can_name_itself() {
        let clock = clock();
        let one = secret("one", &clock);
        let proof = one.proof(ServiceName::Retrieval, PATH).expect("a proof");
        assert_eq!(secret("two", &clock).verify(&proof, PATH), None);
        assert_eq!(one.verify(&proof.replace("retrieval", "gateway"), PATH), None);
        let longer = format!("{proof} x");
        for wrong in ["", "retrieval", "retrieval 1 2", longer.as_str(), &proof[..proof.len() - 1]] {
            assert_eq!(one.verify(wrong, PATH), None, "{wrong}");
        }
        assert_eq!(one.verify(&proof, PATH), Some(CallerIdentity(ServiceName::Retrieval)));
    }

    #[test]
    fn a_captured_proof_serves_for_no_other_method_not_again_and_not_later() {
        let clock = clock();
        let (caller, callee) = (secret("one", &clock), secret("one", &clock));
        let captured = caller.proof(ServiceName::Gateway, PATH).expect("a proof");
        assert_eq!(callee.verify(&captured, "/preceptor.auth.v1.Auth/CreateOrg"), None, "another method");
        assert!(callee.verify(&captured, PATH).is_some(), "the call it was made for");
        assert_eq!(callee.verify(&captured, PATH), None, "again");

        let kept = caller.proof(ServiceName::Gateway, PATH).expect("a proof");
        let early = secret("one", &self::clock()).verify(&kept, PATH);
        assert!(early.is_some(), "a process with the same time takes it");
        clock.advance(WINDOW + Duration::from_secs(1));
        assert_eq!(callee.verify(&kept, PATH), None, "after its time");
        let ahead = caller.proof(ServiceName::Gateway, PATH).expect("a proof");
        assert_eq!(secret("one", &self::clock()).verify(&ahead, PATH), None, "before its time");
    }
}
