//! Checking a certificate with nothing but its own bytes, and a key to compare with if there is one.

use std::collections::BTreeMap;

use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, Object, Stream};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_tlog::{LogKey, Proof};
use prost::Message as _;
use serde_json::Value;

use crate::key::IssuerKey;
use crate::print::{CREDENTIAL, JWT, PROOF, RECORD};
use crate::{Refusal, credential_sha256, jwt, proof, seal};

/// What a certificate that holds says, and what was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The person.
    pub name: String,
    /// The provider, in its own words.
    pub provider: String,
    /// The certificate in words.
    pub title: String,
    /// What was awarded.
    pub award: String,
    /// When the activity was completed, RFC 3339.
    pub completed_at: String,
    /// When the credit was awarded, RFC 3339.
    pub issued_at: String,
    /// The verification code.
    pub code: String,
    /// The page that knows whether it was voided since.
    pub verify_url: String,
    /// The key that signed all of it.
    pub key: IssuerKey,
    /// The place of the record in the log and the size of the signed log, when a proof was part of the file.
    pub log: Option<(u64, u64)>,
    /// Whether the caller named the key that it expected.
    pub pinned: bool,
}

/// Checks a PDF, a badge in JSON or a JWT. `expected` is the provider's key, `z6Mk…`, when the caller knows it.
pub fn verify(file: &[u8], expected: Option<&IssuerKey>) -> Result<Report, Refusal> {
    let mut report = if file.starts_with(b"%PDF-") {
        pdf(file)?
    } else {
        let text = std::str::from_utf8(file).map_err(|_| Refusal::NotOne("it is neither a PDF, nor JSON, nor a JWT"))?;
        let (key, unsigned) = match serde_json::from_str::<Value>(text) {
            Ok(signed) => proof::verify(&signed)?,
            Err(_) => jwt::verify(text)?,
        };
        report(&unsigned, key, None)
    };
    if let Some(expected) = expected {
        same_key(report.key, *expected, "provider's key that you named")?;
        report.pinned = true;
    }
    Ok(report)
}

fn same_key(found: IssuerKey, expected: IssuerKey, expected_by: &'static str) -> Result<(), Refusal> {
    if found == expected { Ok(()) } else { Err(Refusal::OtherKey { found: found.multikey(), expected_by }) }
}

fn pdf(file: &[u8]) -> Result<Report, Refusal> {
    let (content, sealed_by) = seal::open(file)?;
    let attached = attachments(content)?;
    let text = |name: &'static str| {
        let bytes = attached.get(name).ok_or(Refusal::NotOne("a file is missing from its attachments"))?;
        std::str::from_utf8(bytes).map_err(|_| Refusal::NotOne("an attached file is no text"))
    };
    let signed: Value = serde_json::from_str(text(CREDENTIAL)?).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    let (key, unsigned) = proof::verify(&signed)?;
    same_key(key, sealed_by, "seal of the file")?;
    let (jwt_key, stated) = jwt::verify(text(JWT)?)?;
    same_key(jwt_key, key, "badge beside it")?;
    if stated != unsigned {
        return Err(Refusal::JwtChanged);
    }
    let record = attached.get(RECORD).ok_or(Refusal::NotOne("the log's record is missing"))?;
    is_about(record, &unsigned, key)?;
    let log_key: LogKey = unsigned["evidence"][0]["narrative"].as_str().unwrap_or_default().parse()?;
    let proof: Proof = text(PROOF)?.parse()?;
    let size = proof.verify(record, &log_key)?;
    Ok(report(&unsigned, key, Some((proof.index, size))))
}

/// The proof of the log that a certificate carries, with the checkpoint that the log had signed when it was printed. Only
/// the seal of the file is verified: the checkpoint carries the log's own signature.
pub fn log_proof(file: &[u8]) -> Result<Proof, Refusal> {
    let (content, _) = seal::open(file)?;
    let attached = attachments(content)?;
    let bytes = attached.get(PROOF).ok_or(Refusal::NotOne("the log's proof is missing"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::NotOne("an attached file is no text"))?;
    Ok(text.parse()?)
}

/// Whether the log's record is of exactly this credential, signed by this key.
fn is_about(record: &[u8], unsigned: &Value, key: IssuerKey) -> Result<(), Refusal> {
    let record = AuditRecord::decode(record).map_err(|_| Refusal::OtherRecord)?;
    let fact = |name: &str| record.facts.get(name).map(String::as_str).unwrap_or_default();
    if fact("signing_key") != key.multikey() {
        return Err(Refusal::OtherKey { found: key.multikey(), expected_by: "log's record" });
    }
    let hash = credential_sha256(unsigned).map_err(|error| Refusal::Unreadable(error.to_string()))?;
    if record.action == "certificate.issued" && fact("credential_sha256") == hash { Ok(()) } else { Err(Refusal::OtherRecord) }
}

/// The files that are attached to a PDF, by name.
fn attachments(content: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let document = Pdf::new(content.to_vec()).map_err(|_| Refusal::NotOne("the PDF cannot be read"))?;
    let specification = |object: Object<'_>| {
        let dict: Dict<'_> = object.into_dict()?;
        let file: Stream<'_> = dict.get::<Dict<'_>>("EF")?.get("F")?;
        let name: hayro_syntax::object::String<'_> = dict.get("F")?;
        Some((String::from_utf8(name.as_bytes().to_vec()).ok()?, file.decoded_data().ok()?.into_owned()))
    };
    Ok(document.objects().into_iter().filter_map(specification).collect())
}

fn report(unsigned: &Value, key: IssuerKey, log: Option<(u64, u64)>) -> Report {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = &unsigned["credentialSubject"];
    Report {
        name: text(&subject["identifier"][0]["identityHash"]),
        provider: text(&unsigned["issuer"]["name"]),
        title: text(&unsigned["name"]),
        award: text(&unsigned["description"]),
        completed_at: text(&subject["activityEndDate"]),
        issued_at: text(&unsigned["validFrom"]),
        code: text(&subject["achievement"]["humanCode"]),
        verify_url: text(&unsigned["id"]),
        key,
        log,
        pinned: false,
    }
}
