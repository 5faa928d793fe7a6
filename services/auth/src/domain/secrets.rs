//! Secrets of credentials: random, prefixed, and stored only as a keyed hash.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use preceptor_core::Secret;
use preceptor_keys::{KeyName, Keys, Purpose};

use super::kinds::Kind;
use crate::Error;

/// 256 bits.
const LENGTH: usize = 32;
/// Longer texts are no secrets of ours.
const LONGEST: usize = 128;

/// A new secret, for instance `pk_api_…`: the prefix lets secret scanners find it in places where it should not be.
pub(crate) fn generate(kind: Kind) -> Result<Secret, Error> {
    let mut bytes = [0; LENGTH];
    rand::fill(&mut bytes).map_err(|_| Error::Defect("no random numbers"))?;
    Ok(Secret::new(format!("pk_{}_{}", kind.name(), URL_SAFE_NO_PAD.encode(bytes))))
}

/// The keyed hash by which a secret is found. A stolen table opens nothing, and comparing happens on the hash.
pub(crate) async fn hash(keys: &dyn Keys, secret: &str) -> Result<String, Error> {
    if secret.len() > LONGEST {
        return Err(Error::CredentialInvalid);
    }
    let tag = keys.hmac(KeyName::of_deployment(Purpose::Credentials), secret.as_bytes()).await?;
    Ok(hex::encode(tag))
}
