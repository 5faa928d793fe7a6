//! Data Integrity proofs: `eddsa-rdfc-2022` (W3C Data Integrity EdDSA Cryptosuites 1.0, section 3.2).

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::key::{IssuerKey, multibase, of_multibase};
use crate::rdf::canonical;
use crate::{Error, Refusal};

const KIND: (&str, &str, &str) = ("DataIntegrityProof", "eddsa-rdfc-2022", "assertionMethod");

/// A proof that lacks its value. `created` is RFC 3339 with a time zone.
pub fn proof_options(key: &IssuerKey, created: &str) -> Map<String, Value> {
    let (kind, suite, purpose) = KIND;
    let options = json!({
        "type": kind,
        "cryptosuite": suite,
        "created": created,
        "verificationMethod": key.method(),
        "proofPurpose": purpose,
    });
    options.as_object().cloned().unwrap_or_default()
}

/// The 64 bytes that are signed: SHA-256 of the proof's configuration, then SHA-256 of the document, both canonical.
pub fn hash_data(unsigned: &Value, options: &Map<String, Value>) -> Result<[u8; 64], Error> {
    let mut config = options.clone();
    config.insert("@context".to_owned(), unsigned["@context"].clone());
    let hash = |document: &Value| canonical(document).map(Sha256::digest).map_err(Error::Credential);
    let mut data = [0; 64];
    data[..32].copy_from_slice(&hash(&Value::Object(config))?);
    data[32..].copy_from_slice(&hash(unsigned)?);
    Ok(data)
}

/// Puts a proof into a credential, as the one entry of a list: Open Badges wants a list. `signature` is of [`hash_data`].
pub fn attach(credential: &mut Map<String, Value>, mut options: Map<String, Value>, signature: &[u8]) {
    options.insert("proofValue".to_owned(), Value::String(multibase(signature)));
    credential.insert("proof".to_owned(), Value::Array(vec![Value::Object(options)]));
}

/// The one proof of a document, out of its list if it is in one.
fn single(proof: Option<Value>) -> Result<Map<String, Value>, Refusal> {
    match proof {
        Some(Value::Object(proof)) => Ok(proof),
        Some(Value::Array(proofs)) => match <[Value; 1]>::try_from(proofs) {
            Ok([Value::Object(proof)]) => Ok(proof),
            _ => Err(Refusal::NotOne("the badge carries several proofs, or none")),
        },
        _ => Err(Refusal::NotOne("the badge carries no proof")),
    }
}

/// Checks the proof of a document; returns the key that signed, which is that of the `issuer` that the document names, and
/// the document without the proof.
pub(crate) fn verify(signed: &Value, issuer: &Value) -> Result<(IssuerKey, Value), Refusal> {
    let mut unsigned = signed.as_object().cloned().ok_or(Refusal::NotOne("the badge is not an object"))?;
    let mut options = single(unsigned.remove("proof"))?;
    let text = |name: &str| options.get(name).and_then(Value::as_str).unwrap_or_default();
    let key = IssuerKey::of_did(text("verificationMethod"))
        .ok_or(Refusal::NotOne("the badge's key cannot be read"))?;
    let expected = proof_options(&key, text("created"));
    if issuer.as_str().and_then(IssuerKey::of_did) != Some(key) {
        return Err(Refusal::OtherKey { found: key.multikey(), expected_by: "issuer that it names" });
    }
    let signature = options
        .remove("proofValue")
        .as_ref()
        .and_then(Value::as_str)
        .and_then(of_multibase)
        .ok_or(Refusal::BadgeChanged)?;
    if options != expected {
        return Err(Refusal::NotOne("the badge's proof is of another kind"));
    }
    let unsigned = Value::Object(unsigned);
    let data = hash_data(&unsigned, &options).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    if key.signed(&data, &signature) { Ok((key, unsigned)) } else { Err(Refusal::BadgeChanged) }
}
