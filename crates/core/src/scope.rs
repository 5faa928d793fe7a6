//! Who is asking, inside which org, app and program.
//!
//! A [`Scope`] is a proof, not a parameter: its fields are private and there are exactly two ways to one. A
//! [`ScopeVerifier`] makes it from a signed token, and [`Scope::of_system`] makes it for a named [`SystemActor`], whose
//! acts are recorded under that name. No request body ever becomes a scope.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{AppId, CredentialId, OrgId, ProgramId};
use crate::role::{Capability, Role};

/// The audience of every scope token.
pub const AUDIENCE: &str = "preceptor-mesh";
/// The `typ` of every scope token (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";
/// How long a scope token lives.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
/// How far two machines' clocks may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(5);
/// Longer tokens are refused unread.
const LONGEST_TOKEN: usize = 8 * 1024;

/// A part of the platform that acts on its own behalf. Its name is what the audit log shows as the actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemActor {
    /// Moves committed events from outboxes to the bus.
    Relay,
    /// Extracts passages from uploaded files and publishes what was indexed.
    Ingestion,
    /// Builds and repairs the vector index.
    Indexer,
    /// Records answers.
    Answering,
    /// Classifies messages to objectives.
    Alignment,
    /// Maintains read models.
    Analytics,
    /// Watches over credentials.
    Credentials,
    /// Prepares certificates and annotates credits.
    Credits,
    /// Appends to the audit log.
    Sequencer,
    /// Sets up orgs and staff on first start.
    Bootstrap,
    /// Answers on behalf of visitors who hold no credential yet.
    Gateway,
}

impl SystemActor {
    /// All system actors, for tables and tests.
    pub const ALL: [Self; 11] = [
        Self::Relay,
        Self::Ingestion,
        Self::Indexer,
        Self::Answering,
        Self::Alignment,
        Self::Analytics,
        Self::Credentials,
        Self::Credits,
        Self::Sequencer,
        Self::Bootstrap,
        Self::Gateway,
    ];

    /// The name that the audit log shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "system:relay",
            Self::Ingestion => "system:ingestion",
            Self::Indexer => "system:indexer",
            Self::Answering => "system:answering",
            Self::Alignment => "system:alignment",
            Self::Analytics => "system:analytics",
            Self::Credentials => "system:credentials",
            Self::Credits => "system:credits",
            Self::Sequencer => "system:sequencer",
            Self::Bootstrap => "system:bootstrap",
            Self::Gateway => "system:gateway",
        }
    }
}

/// A verified subject inside an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    org: OrgId,
    app: Option<AppId>,
    program: Option<ProgramId>,
    subject: String,
    role: Role,
    plan: String,
    epoch: u64,
    credential: Option<CredentialId>,
    acting: Option<String>,
    expires_at: Timestamp,
}

impl Scope {
    /// The scope of a named part of the platform inside one org. It never expires, and it is never sent anywhere:
    /// a service that calls another on its own behalf asks `auth` for a token.
    pub fn of_system(actor: SystemActor, org: OrgId) -> Self {
        Self {
            org,
            app: None,
            program: None,
            subject: actor.name().to_owned(),
            role: Role::System,
            plan: String::new(),
            epoch: 0,
            credential: None,
            acting: None,
            expires_at: Timestamp::from_micros(i64::MAX),
        }
    }

    /// The org, from which every tenant key begins.
    pub fn org(&self) -> OrgId {
        self.org
    }

    /// The app the subject came through, if the credential names one.
    pub fn app(&self) -> Option<AppId> {
        self.app
    }

    /// The only program this subject may touch, if the credential is bound to one.
    pub fn program(&self) -> Option<ProgramId> {
        self.program
    }

    /// A pseudonym: a staff id, a learner's user hash, or a system actor's name.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject's role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The org's plan.
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// The subject's session epoch: raised when its sessions are revoked.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The credential that was exchanged for this scope; none for a part of the platform.
    pub fn credential(&self) -> Option<CredentialId> {
        self.credential
    }

    /// The member of staff who made the credential to act on the subject's behalf. Such a scope is no person's own: what
    /// a contract calls `in_person` is refused to it.
    pub fn acting(&self) -> Option<&str> {
        self.acting.as_deref()
    }

    /// When this scope stops being valid.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether the subject may do `capability`.
    pub fn grants(&self, capability: Capability) -> bool {
        self.role.grants(capability)
    }

    /// Whether this subject may touch `program` at all: an unbound credential may touch every program of its org.
    pub fn reaches(&self, program: ProgramId) -> bool {
        self.program.is_none_or(|bound| bound == program)
    }
}

/// The claims of a scope token, as they are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The `auth` service that issued the token.
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The subject's pseudonym.
    pub sub: String,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Expires at, seconds since 1970.
    pub exp: i64,
    /// Unique per token.
    pub jti: String,
    /// The org.
    pub org: OrgId,
    /// The app, if the credential names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The program, if the credential is bound to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramId>,
    /// The role.
    pub role: Role,
    /// The org's plan.
    pub plan: String,
    /// The subject's session epoch.
    pub epoch: u64,
    /// The credential that was exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The member of staff who acts on the subject's behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<String>,
}

impl Claims {
    /// The bytes to sign with Ed25519 under the key named `key_id`: a JWS header and these claims.
    ///
    /// # Panics
    /// Never: the claims hold nothing that JSON cannot write.
    pub fn signing_input(&self, key_id: &str) -> String {
        let header = serde_json_line(&Header { alg: "EdDSA", typ: TOKEN_TYPE, kid: key_id });
        format!("{header}.{}", serde_json_line(self))
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

fn serde_json_line(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("plain structs are always JSON"))
}

/// Joins a signing input and its signature to a token.
pub fn assemble_token(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Why a token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Not a scope token at all: wrong shape, type, algorithm, issuer, audience or claims.
    #[error("malformed token")]
    Malformed,
    /// Signed by a key that is not (or no longer) known.
    #[error("unknown signing key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("bad signature")]
    BadSignature,
    /// Past its end, or from the future.
    #[error("expired token")]
    Expired,
}

/// A key of the issuer.
#[derive(Clone)]
struct KnownKey {
    key: DecodingKey,
    /// Since when the issuer no longer names it. What was issued before is accepted to its end, and nothing else.
    replaced_at: Option<Timestamp>,
}

/// Verifies scope tokens against the public keys of the issuer.
#[derive(Clone)]
pub struct ScopeVerifier {
    issuer: String,
    keys: BTreeMap<String, KnownKey>,
    validation: Validation,
}

impl fmt::Debug for ScopeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeVerifier")
            .field("issuer", &self.issuer)
            .field("keys", &self.keys.keys())
            .finish()
    }
}

impl ScopeVerifier {
    /// A verifier that trusts `issuer` and its raw Ed25519 public keys, by key id.
    pub fn new<'a>(
        issuer: &str,
        keys: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Rejection> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // Expiry is checked below, against the caller's clock.
        validation.validate_exp = false;
        let keys = keys
            .into_iter()
            .map(|(id, raw)| {
                let key = DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(raw))
                    .map_err(|_| Rejection::Malformed)?;
                Ok((id.to_owned(), KnownKey { key, replaced_at: None }))
            })
            .collect::<Result<_, Rejection>>()?;
        Ok(Self { issuer: issuer.to_owned(), keys, validation })
    }

    /// This verifier, which takes the place of `before` at `now`. Keys that only `before` knows go on for as long as a token
    /// lives that was issued until now: a token in use outlives any number of rotations, and a key that was replaced ends
    /// with the last of its tokens.
    #[must_use]
    pub fn succeeding(mut self, before: &Self, now: Timestamp) -> Self {
        for (id, known) in &before.keys {
            let replaced_at = known.replaced_at.unwrap_or(now);
            if before.issuer == self.issuer && now < replaced_at.after(TOKEN_LIFETIME + 2 * CLOCK_SKEW) {
                self.keys
                    .entry(id.clone())
                    .or_insert_with(|| KnownKey { key: known.key.clone(), replaced_at: Some(replaced_at) });
            }
        }
        self
    }

    /// The scope that `token` proves at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Scope, Rejection> {
        use jsonwebtoken::errors::ErrorKind;

        if token.len() > LONGEST_TOKEN {
            return Err(Rejection::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Rejection::Malformed)?;
        let foreign_key =
            header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some();
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TOKEN_TYPE) || foreign_key {
            return Err(Rejection::Malformed);
        }
        let known = header.kid.as_deref().and_then(|id| self.keys.get(id)).ok_or(Rejection::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &known.key, &self.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => Rejection::BadSignature,
                _ => Rejection::Malformed,
            })?
            .claims;
        let expires_at = Timestamp::from_micros(claims.exp.saturating_mul(1_000_000));
        let issued_at = Timestamp::from_micros(claims.iat.saturating_mul(1_000_000));
        let lifetime = expires_at.since(issued_at);
        if now >= expires_at.after(CLOCK_SKEW)
            || issued_at > now.after(CLOCK_SKEW)
            || lifetime > TOKEN_LIFETIME
        {
            return Err(Rejection::Expired);
        }
        if known.replaced_at.is_some_and(|replaced_at| issued_at > replaced_at.after(CLOCK_SKEW)) {
            return Err(Rejection::UnknownKey);
        }
        Ok(Scope {
            org: claims.org,
            app: claims.app,
            program: claims.program,
            subject: claims.sub,
            role: claims.role,
            plan: claims.plan,
            epoch: claims.epoch,
            credential: claims.credential,
            acting: claims.acting,
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const ISSUER: &str = "https://auth.test";
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    struct Issuer {
        pair: Ed25519KeyPair,
    }

    impl Issuer {
        fn new() -> Self {
            Self { pair: Ed25519KeyPair::generate().expect("random numbers") }
        }

        fn verifier(&self) -> ScopeVerifier {
            self.verifier_of("k1")
        }

        fn verifier_of(&self, key_id: &str) -> ScopeVerifier {
            ScopeVerifier::new(ISSUER, [(key_id, self.pair.public_key().as_ref())]).expect("a valid key")
        }

        fn token(&self, claims: &Claims) -> String {
            let input = claims.signing_input("k1");
            assemble_token(&input, self.pair.sign(input.as_bytes()).as_ref())
        }

        fn raw(&self, header: &str, claims: &str) -> String {
            let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            assemble_token(&input, self.pair.sign(input.as_bytes()).as_ref())
        }
    }

    fn claims() -> Claims {
        Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "u_1".into(),
            iat: NOW.seconds(),
            exp: NOW.seconds() + 300,
            jti: "1".into(),
            org: OrgId::generate(),
            app: None,
            program: Some(ProgramId::generate()),
            role: Role::Learner,
            plan: "standard".into(),
            epoch: 3,
            credential: Some(CredentialId::generate()),
            acting: None,
        }
    }

    #[test]
    fn a_signed_token_becomes_a_scope() {
        let issuer = Issuer::new();
        let claims = claims();
        let scope = issuer.verifier().verify(&issuer.token(&claims), NOW).expect("a good token");
        assert_eq!((scope.org(), scope.program(), scope.role()), (claims.org, claims.program, Role::Learner));
        assert!(scope.reaches(claims.program.expect("bound")) && !scope.reaches(ProgramId::generate()));
    }

    #[test]
    fn hostile_tokens_are_refused() {
        let issuer = Issuer::new();
        let verifier = issuer.verifier();
        let good = serde_json::to_string(&claims()).expect("JSON");
        let header = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#;
        let change = |claim: &str, value: serde_json::Value| {
            let mut changed = serde_json::to_value(claims()).expect("JSON");
            changed[claim] = value;
            changed.to_string()
        };
        let hostile = [
            ("none", issuer.raw(r#"{"alg":"none","typ":"at+jwt","kid":"k1"}"#, &good)),
            ("hmac", issuer.raw(r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#, &good)),
            ("other type", issuer.raw(r#"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#, &good)),
            ("no key id", issuer.raw(r#"{"alg":"EdDSA","typ":"at+jwt"}"#, &good)),
            ("path key id", issuer.raw(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../k1"}"#, &good)),
            ("jku", issuer.raw(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1","jku":"https://evil"}"#, &good)),
            ("audience", issuer.raw(header, &change("aud", "other".into()))),
            ("issuer", issuer.raw(header, &change("iss", "other".into()))),
            ("exp as text", issuer.raw(header, &change("exp", "9999999999".into()))),
            ("exp missing", issuer.raw(header, &change("exp", serde_json::Value::Null))),
            ("too long a life", issuer.raw(header, &change("exp", (NOW.seconds() + 301).into()))),
            ("negative iat", issuer.raw(header, &change("iat", (-1).into()))),
            ("expired", issuer.raw(header, &change("exp", (NOW.seconds() - 6).into()))),
            ("future", issuer.raw(header, &change("iat", (NOW.seconds() + 60).into()))),
            ("unknown role", issuer.raw(header, &change("role", "root".into()))),
            ("unknown claim", issuer.raw(header, &change("admin", true.into()))),
            ("other signer", Issuer::new().token(&claims())),
            ("garbage", "a.b.c".to_owned()),
            ("empty", String::new()),
            ("huge", "a".repeat(LONGEST_TOKEN + 1)),
        ];
        for (name, token) in hostile {
            assert!(verifier.verify(&token, NOW).is_err(), "{name} was accepted");
        }
        assert!(verifier.verify(&issuer.raw(header, &good), NOW).is_ok(), "the positive control was refused");
    }

    #[test]
    fn a_replaced_key_is_accepted_for_the_tokens_of_its_time_and_ends_with_them() {
        let (old, second, third) = (Issuer::new(), Issuer::new(), Issuer::new());
        let token = old.token(&claims());
        let twice = second.verifier_of("k2").succeeding(&old.verifier(), NOW);
        let twice = third.verifier_of("k3").succeeding(&twice, NOW);
        assert!(twice.verify(&token, NOW).is_ok(), "two keys replaced the one that signed it");

        let later = NOW.after(Duration::from_secs(10));
        let forged = old.token(&Claims { iat: later.seconds(), exp: later.seconds() + 300, ..claims() });
        assert_eq!(twice.verify(&forged, later), Err(Rejection::UnknownKey), "it was issued after that");

        let end = NOW.after(TOKEN_LIFETIME + 2 * CLOCK_SKEW);
        let ended = third.verifier_of("k3").succeeding(&twice, end);
        assert_eq!(ended.keys.keys().collect::<Vec<_>>(), ["k3"], "no token of theirs is left");
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let issuer = Issuer::new();
        let verifier = issuer.verifier();
        let token = issuer.token(&claims());
        for position in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            // The last character of base 64 may hold bits that mean nothing.
            if verifier.verify(&changed, NOW).is_ok() {
                assert_eq!(position, token.len() - 1, "byte {position}");
            }
        }
    }
}
