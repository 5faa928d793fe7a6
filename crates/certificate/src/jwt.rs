//! The same credential as a JWT (VC-JOSE; Open Badges 3.0, section 8.2), signed with EdDSA.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::key::IssuerKey;
use crate::{Error, Refusal};

/// Claims that repeat a part of the credential under their registered names.
const REPEATED: [(&str, &str); 3] = [("iss", "issuer"), ("jti", "id"), ("sub", "credentialSubject")];

/// The bytes to sign.
pub fn jwt_signing_input(unsigned: &Map<String, Value>, key: &IssuerKey, not_before_seconds: i64) -> Result<String, Error> {
    let id_of = |name: &str| unsigned.get(name).and_then(|value| value.get("id").or(Some(value))).cloned();
    let mut claims = unsigned.clone();
    for (claim, part) in REPEATED {
        let value = id_of(part).filter(Value::is_string).ok_or_else(|| Error::Credential(format!("{part} has no id")))?;
        claims.insert(claim.to_owned(), value);
    }
    claims.insert("nbf".to_owned(), not_before_seconds.into());
    let header = json!({ "alg": "EdDSA", "kid": key.method(), "typ": "JWT" });
    Ok(format!("{}.{}", part(&header), part(&Value::Object(claims))))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Joins a signing input and its signature.
pub fn assemble_jwt(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Checks a JWT; returns the key that signed and the credential it states.
pub(crate) fn verify(jwt: &str) -> Result<(IssuerKey, Value), Refusal> {
    let json = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let (input, signature) = jwt.trim().rsplit_once('.').ok_or(Refusal::NotOne("this is no JWT"))?;
    let (header, claims) = input.split_once('.').ok_or(Refusal::NotOne("this is no JWT"))?;
    let header = json(header).ok_or(Refusal::JwtChanged)?;
    let plain = header["alg"] == "EdDSA" && header.as_object().is_some_and(|header| header.len() == 3);
    let key = header["kid"].as_str().and_then(IssuerKey::of_did).filter(|_| plain).ok_or(Refusal::JwtChanged)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::JwtChanged)?;
    if !key.signed(input.as_bytes(), &signature) {
        return Err(Refusal::JwtChanged);
    }
    let mut claims = json(claims).ok_or(Refusal::JwtChanged)?;
    if claims["issuer"]["id"].as_str().and_then(IssuerKey::of_did) != Some(key) {
        return Err(Refusal::OtherKey { found: key.multikey(), expected_by: "issuer that it names" });
    }
    let stated = claims.as_object_mut().ok_or(Refusal::JwtChanged)?;
    for claim in REPEATED.map(|(claim, _)| claim).into_iter().chain(["nbf"]) {
        stated.remove(claim);
    }
    Ok((key, claims))
}
