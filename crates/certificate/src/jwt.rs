//! The same credential as a JWT (VC-JOSE; Open Badges 3.0, section 8.2), signed with EdDSA.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::credential::same;
use crate::key::IssuerKey;
use crate::{Error, Refusal, strict};

/// Claims that repeat a part of the credential under their registered names.
const REPEATED: [(&str, &str); 3] = [("iss", "issuer"), ("jti", "id"), ("sub", "credentialSubject")];

/// The bytes to sign.
pub fn jwt_signing_input(
    unsigned: &Map<String, Value>,
    key: &IssuerKey,
    not_before_seconds: i64,
) -> Result<String, Error> {
    let claims = claims(unsigned, not_before_seconds)?;
    Ok(format!("{}.{}", part(&header(key)), part(&Value::Object(claims))))
}

fn header(key: &IssuerKey) -> Value {
    json!({ "alg": "EdDSA", "kid": key.method(), "typ": "JWT" })
}

fn claims(unsigned: &Map<String, Value>, not_before_seconds: i64) -> Result<Map<String, Value>, Error> {
    let id_of = |name: &str| unsigned.get(name).and_then(|value| value.get("id").or(Some(value))).cloned();
    let mut claims = unsigned.clone();
    for (claim, part) in REPEATED {
        let value = id_of(part)
            .filter(Value::is_string)
            .ok_or_else(|| Error::Credential(format!("{part} has no id")))?;
        claims.insert(claim.to_owned(), value);
    }
    claims.insert("nbf".to_owned(), not_before_seconds.into());
    Ok(claims)
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Joins a signing input and its signature.
pub fn assemble_jwt(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whether a text has the form of a JWT.
pub(crate) fn looks_like_one(text: &str) -> bool {
    let parts: Vec<&str> = text.trim().split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && URL_SAFE_NO_PAD.decode(part).is_ok())
}

/// Checks a JWT; returns the key that signed and the credential it states. The registered claims repeat what the credential
/// says, and nothing else.
pub(crate) fn verify(jwt: &str) -> Result<(IssuerKey, Value), Refusal> {
    let json = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::JwtChanged)?;
        strict::parse(std::str::from_utf8(&bytes).map_err(|_| Refusal::JwtChanged)?)
    };
    let (input, signature) = jwt.trim().rsplit_once('.').ok_or(Refusal::NotOne("not a JWT"))?;
    let (head, stated) = input.split_once('.').ok_or(Refusal::NotOne("not a JWT"))?;
    let head = json(head)?;
    let key = head["kid"]
        .as_str()
        .and_then(IssuerKey::of_did)
        .filter(|key| header(key) == head)
        .ok_or(Refusal::JwtChanged)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::JwtChanged)?;
    if !key.signed(input.as_bytes(), &signature) {
        return Err(Refusal::JwtChanged);
    }
    let Value::Object(stated) = json(stated)? else { return Err(Refusal::JwtChanged) };
    if stated.get("issuer").and_then(|issuer| issuer["id"].as_str()).and_then(IssuerKey::of_did) != Some(key)
    {
        return Err(Refusal::OtherKey { found: key.multikey(), expected_by: "issuer that it names" });
    }
    let mut unsigned = stated.clone();
    for claim in REPEATED.map(|(claim, _)| claim).into_iter().chain(["nbf"]) {
        unsigned.remove(claim);
    }
    let from = unsigned
        .get("validFrom")
        .and_then(Value::as_str)
        .and_then(|from| from.parse::<jiff::Timestamp>().ok());
    let expected = from.and_then(|from| claims(&unsigned, from.as_second()).ok());
    let fits = expected.is_some_and(|expected| same(&Value::Object(expected), &Value::Object(stated)));
    if fits { Ok((key, Value::Object(unsigned))) } else { Err(Refusal::OtherForm) }
}
