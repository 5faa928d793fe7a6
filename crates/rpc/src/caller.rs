//! How a service proves to another which service it is.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use preceptor_core::Secret;
use subtle::ConstantTimeEq as _;

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
    /// Clinicians, their licences and what is known of them.
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

/// The secret that the services of one deployment share under `--dev`, where there are no certificates: a caller shows
/// an HMAC of its own name under it.
#[derive(Clone)]
pub struct MeshSecret(hmac::Key);

impl fmt::Debug for MeshSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeshSecret([redacted])")
    }
}

impl MeshSecret {
    /// Derives the shared key from the deployment's secret.
    pub fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
    }

    /// What `service` writes into its calls.
    pub(crate) fn proof(&self, service: ServiceName) -> String {
        format!("{service} {}", hex::encode(hmac::sign(&self.0, service.name().as_bytes())))
    }

    /// The service that wrote `proof`, if it knew the secret.
    pub(crate) fn verify(&self, proof: &str) -> Option<CallerIdentity> {
        let service: ServiceName = proof.split(' ').next()?.parse().ok()?;
        let expected = self.proof(service);
        bool::from(expected.as_bytes().ct_eq(proof.as_bytes())).then_some(CallerIdentity(service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_holder_of_the_secret_can_name_itself() {
        let secret = MeshSecret::new(&Secret::new("one"));
        let proof = secret.proof(ServiceName::Retrieval);
        assert_eq!(secret.verify(&proof), Some(CallerIdentity(ServiceName::Retrieval)));
        assert_eq!(secret.verify(&proof.replace("retrieval", "gateway")), None);
        assert_eq!(MeshSecret::new(&Secret::new("two")).verify(&proof), None);
        assert_eq!(secret.verify(""), None);
    }
}
