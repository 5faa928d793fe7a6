//! The keys that verify scope tokens, one set for all services of a process.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use futures::future::BoxFuture;
use moka::sync::Cache;
use preceptor_core::scope::{Rejection, ScopeVerifier, TOKEN_LIFETIME};
use preceptor_core::{Clock, Scope, Timestamp};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Verified tokens that are remembered, so that a subject's next call does not pay for the signature again.
const REMEMBERED_TOKENS: u64 = 10_000;

/// Asks for the keys that are accepted at present; nothing when they cannot be had.
pub type KeySource = Arc<dyn Fn() -> BoxFuture<'static, Option<ScopeVerifier>> + Send + Sync>;

/// The pause between two questions for keys: a token that names a key of its own invention asks for nothing more often.
const ASKED_AGAIN: Duration = Duration::from_secs(1);

/// What is known of keys.
#[derive(Default)]
struct Known {
    verifier: RwLock<Option<ScopeVerifier>>,
    source: OnceLock<KeySource>,
    asked: Mutex<Option<Instant>>,
}

/// The verifier of scope tokens, one for all services of a process. Its keys come from `auth`, which may start after this
/// service does; until then every token is refused. A token of a key that is not known has them asked for again, so that
/// `auth` can sign with another key from one moment to the next. A token in use outlives the rotations of its time.
#[derive(Clone)]
pub struct SharedVerifier {
    keys: Arc<Known>,
    seen: Cache<Arc<str>, Arc<Scope>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for SharedVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedVerifier").finish_non_exhaustive()
    }
}

impl SharedVerifier {
    /// A verifier without keys.
    pub fn pending(clock: Arc<dyn Clock>) -> Self {
        let seen = Cache::builder().max_capacity(REMEMBERED_TOKENS).time_to_live(TOKEN_LIFETIME).build();
        Self { keys: Arc::default(), seen, clock }
    }

    /// Sets the keys in place of those before. One that is no longer named is accepted for as long as the tokens live that
    /// it signed by now.
    pub fn set(&self, verifier: ScopeVerifier) {
        let mut known = self.keys.verifier.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(match known.as_ref() {
            Some(before) => verifier.succeeding(before, self.clock.now()),
            None => verifier,
        });
        self.seen.invalidate_all();
    }

    /// Says where keys come from. The first call wins.
    pub fn learn_from(&self, source: KeySource) {
        let _ = self.keys.source.set(source);
    }

    /// Asks for the keys again. Returns whether there are any.
    pub async fn refresh(&self) -> bool {
        let mut asked = self.keys.asked.lock().await;
        self.ask(&mut asked).await
    }

    async fn ask(&self, asked: &mut Option<Instant>) -> bool {
        let Some(source) = self.keys.source.get() else { return false };
        if let Some(before) = *asked {
            tokio::time::sleep_until(before + ASKED_AGAIN).await;
        }
        let fetched = source().await;
        *asked = Some(Instant::now());
        let found = fetched.is_some();
        if let Some(verifier) = fetched {
            self.set(verifier);
        }
        found
    }

    /// The scope that a token proves at `now`, with the keys of `auth` as they are by then.
    pub async fn verified(&self, token: &Arc<str>, now: Timestamp) -> Result<Arc<Scope>, Rejection> {
        match self.verify(token, now) {
            Err(Rejection::UnknownKey) => {
                let mut asked = self.keys.asked.lock().await;
                // Someone may have asked while this one waited for its turn.
                match self.verify(token, now) {
                    Err(Rejection::UnknownKey) => {
                        self.ask(&mut asked).await;
                        self.verify(token, now)
                    }
                    known => known,
                }
            }
            known => known,
        }
    }

    /// The scope that a token proves at `now`, with the keys that are known.
    fn verify(&self, token: &Arc<str>, now: Timestamp) -> Result<Arc<Scope>, Rejection> {
        if let Some(scope) = self.seen.get(token).filter(|scope| scope.expires_at() > now) {
            return Ok(scope);
        }
        let known = self.keys.verifier.read().unwrap_or_else(PoisonError::into_inner);
        let scope = Arc::new(known.as_ref().ok_or(Rejection::UnknownKey)?.verify(token, now)?);
        drop(known);
        self.seen.insert(Arc::clone(token), Arc::clone(&scope));
        Ok(scope)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use futures::FutureExt as _;
    use preceptor_core::Role;
    use preceptor_core::clock::ManualClock;
    use preceptor_core::id::OrgId;
    use preceptor_core::scope::{AUDIENCE, Claims, assemble_token};

    use super::*;

    const ISSUER: &str = "https://auth.test";
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    /// An issuer that names its newest key and the one before, as the key engine does.
    #[derive(Default)]
    struct Issuer(std::sync::Mutex<Vec<Ed25519KeyPair>>);

    impl Issuer {
        fn rotate(&self) {
            let pair = Ed25519KeyPair::generate().expect("random numbers");
            self.0.lock().expect("a lock").push(pair);
        }

        fn verifier(&self) -> ScopeVerifier {
            let pairs = self.0.lock().expect("a lock");
            let named: Vec<(String, Vec<u8>)> = pairs
                .iter()
                .enumerate()
                .rev()
                .take(2)
                .map(|(number, pair)| (format!("k{number}"), pair.public_key().as_ref().to_vec()))
                .collect();
            ScopeVerifier::new(ISSUER, named.iter().map(|(id, key)| (id.as_str(), key.as_slice())))
                .expect("valid keys")
        }

        fn token(&self, now: Timestamp) -> Arc<str> {
            let claims = Claims {
                iss: ISSUER.into(),
                aud: AUDIENCE.into(),
                sub: "u_1".into(),
                iat: now.seconds(),
                exp: now.seconds() + 300,
                jti: "1".into(),
                org: OrgId::generate(),
                app: None,
                program: None,
                role: Role::Learner,
                plan: "standard".into(),
                epoch: 0,
                credential: None,
                acting: None,
            };
            let pairs = self.0.lock().expect("a lock");
            let input = claims.signing_input(&format!("k{}", pairs.len() - 1));
            let signature = pairs.last().expect("a key").sign(input.as_bytes());
            assemble_token(&input, signature.as_ref()).into()
        }
    }

    /// The verifier of a process that asks `issuer`.
    fn process(issuer: &Arc<Issuer>, clock: &Arc<ManualClock>) -> SharedVerifier {
        let verifier = SharedVerifier::pending(Arc::clone(clock) as _);
        let issuer = Arc::clone(issuer);
        verifier.learn_from(Arc::new(move || {
            let keys = issuer.verifier();
            async move { Some(keys) }.boxed()
        }));
        verifier
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_in_use_outlives_two_rotations_in_every_process() {
        let (issuer, clock) = (Arc::new(Issuer::default()), Arc::new(ManualClock::at(NOW)));
        issuer.rotate();
        let processes = [process(&issuer, &clock), process(&issuer, &clock)];
        let in_use = issuer.token(NOW);
        for process in &processes {
            process.verified(&in_use, NOW).await.expect("it is in use");
        }
        for _ in 0..2 {
            issuer.rotate();
            // Each process finds a token of the new key, and asks for keys.
            let newer = issuer.token(NOW);
            for process in &processes {
                process.verified(&newer, NOW).await.expect("the new key is accepted at once");
                process.verified(&in_use, NOW).await.expect("the token in use goes on");
            }
        }
        clock.advance(TOKEN_LIFETIME + Duration::from_secs(10));
        let late = clock.now();
        for process in &processes {
            assert!(process.refresh().await);
            assert!(process.verified(&in_use, late).await.is_err(), "it ends when it says");
            let known = process.keys.verifier.read().expect("a lock").clone().expect("keys");
            assert_eq!(known.verify(&in_use, NOW), Err(Rejection::UnknownKey), "its key is forgotten then");
        }
    }
}
