//! Checking a certificate with nothing but its own bytes, and a key to compare with if there is one.

use std::collections::BTreeMap;

use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, Object, Stream};
use preceptor_proto::events::v1::AuditRecord;
use preceptor_tlog::{LogKey, Proof};
use prost::Message as _;
use serde_json::Value;

use crate::credential::{Stated, same};
use crate::key::IssuerKey;
use crate::print::{CREDENTIAL, JWT, PROOF, RECORD, STATUS_LIST};
use crate::status::{self, Entry, StatusList};
use crate::{Refusal, credential_sha256, jwt, proof, seal, strict};

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
    /// The page of the provider, with its keys; older certificates name none.
    pub issuer_url: Option<String>,
    /// What the platform said of the provider's accreditation when it was issued; older certificates say nothing.
    pub standing: Option<String>,
    /// The key that signed all of it.
    pub key: IssuerKey,
    /// The verifier key of the provider's log.
    pub log_key: String,
    /// The place of the record in the log and the size of the signed log, when a proof was part of the file.
    pub log: Option<(u64, u64)>,
    /// Where a void shows; older certificates have none.
    pub status: Option<Entry>,
    /// The list that the sheet of a voided certificate carries.
    pub status_list: Option<StatusList>,
    /// Whether the caller named the key that it expected.
    pub pinned: bool,
}

/// Checks a PDF, a badge in JSON, a JWT, or badge and JWT in one JSON document. `expected` is the provider's key, `z6Mk…`,
/// when the caller knows it.
pub fn verify(file: &[u8], expected: Option<&IssuerKey>) -> Result<Report, Refusal> {
    let mut report = if file.starts_with(b"%PDF-") { pdf(file)? } else { text(file)? };
    if let Some(expected) = expected {
        same_key(report.key, *expected, "provider's key that you named")?;
        report.pinned = true;
    }
    Ok(report)
}

/// A certificate as text: what kind of text it is decides how it is read.
fn text(file: &[u8]) -> Result<Report, Refusal> {
    const NOTHING: &str = "it is neither a PDF, nor a badge in JSON, nor a JWT";
    let text = std::str::from_utf8(file).map_err(|_| Refusal::NotOne(NOTHING))?.trim();
    if text.is_empty() {
        return Err(Refusal::NotOne("the file is empty"));
    }
    if text.starts_with("c2sp.org/tlog-proof") {
        return Err(Refusal::NotOne(
            "it is the proof of a log alone, which says nothing without its certificate: check the PDF",
        ));
    }
    if text.starts_with('{') {
        return document(&strict::parse(text)?);
    }
    if !jwt::looks_like_one(text) {
        return Err(Refusal::NotOne(NOTHING));
    }
    let (key, unsigned) = jwt::verify(text)?;
    Ok(report(stated(&unsigned, key)?, key, None))
}

/// A badge, or a badge with its JWT beside it.
fn document(document: &Value) -> Result<Report, Refusal> {
    if document["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == status::KIND)) {
        return Err(Refusal::NotOne(
            "it is a list of voided certificates: name it with --status-list, beside a certificate",
        ));
    }
    let (Some(badge), Some(jwt)) = (document.get("credential"), document.get("jwt")) else {
        let (key, unsigned) = proof::verify(document, &document["issuer"]["id"])?;
        return Ok(report(stated(&unsigned, key)?, key, None));
    };
    if document.as_object().is_none_or(|fields| fields.len() != 2) {
        return Err(Refusal::OtherForm);
    }
    let (key, unsigned) = both(badge, jwt.as_str().unwrap_or_default())?;
    Ok(report(stated(&unsigned, key)?, key, None))
}

/// A badge and a JWT that state the same under the same key.
fn both(badge: &Value, jwt: &str) -> Result<(IssuerKey, Value), Refusal> {
    let (key, unsigned) = proof::verify(badge, &badge["issuer"]["id"])?;
    let (jwt_key, stated) = jwt::verify(jwt)?;
    same_key(jwt_key, key, "badge beside it")?;
    if same(&stated, &unsigned) { Ok((key, unsigned)) } else { Err(Refusal::JwtChanged) }
}

/// What a signed document states, if it is written in the one form that certificates have.
fn stated(unsigned: &Value, key: IssuerKey) -> Result<Stated, Refusal> {
    Stated::read(unsigned, &key).ok_or(Refusal::OtherForm)
}

fn same_key(found: IssuerKey, expected: IssuerKey, expected_by: &'static str) -> Result<(), Refusal> {
    if found == expected { Ok(()) } else { Err(Refusal::OtherKey { found: found.multikey(), expected_by }) }
}

fn pdf(file: &[u8]) -> Result<Report, Refusal> {
    let (content, sealed_by) = seal::open(file)?;
    let attached = attachments(content)?;
    let text = |name: &'static str| {
        let bytes = attached.get(name).ok_or(Refusal::NotOne("a file is missing from its attachments"))?;
        std::str::from_utf8(bytes).map_err(|_| Refusal::NotOne("an attached file is not text"))
    };
    let (key, unsigned) = both(&strict::parse(text(CREDENTIAL)?)?, text(JWT)?)?;
    same_key(key, sealed_by, "seal of the file")?;
    let stated = stated(&unsigned, key)?;
    let record = attached.get(RECORD).ok_or(Refusal::NotOne("the log's record is missing"))?;
    is_about(record, &unsigned, key)?;
    let log_key: LogKey = stated.log_key.parse()?;
    let proof: Proof = text(PROOF)?.parse()?;
    let size = proof.verify(record, &log_key)?;
    let status_list = attached.get(STATUS_LIST).map(|list| StatusList::read(list)).transpose()?;
    Ok(Report { status_list, ..report(stated, key, Some((proof.index, size))) })
}

/// The proof of the log that a certificate carries, with the checkpoint that the log had signed when it was printed. Only
/// the seal of the file is verified: the checkpoint carries the log's own signature.
pub fn log_proof(file: &[u8]) -> Result<Proof, Refusal> {
    let (content, _) = seal::open(file)?;
    let attached = attachments(content)?;
    let bytes = attached.get(PROOF).ok_or(Refusal::NotOne("the log's proof is missing"))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::NotOne("an attached file is not text"))?;
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
    if record.action == "certificate.issued" && fact("credential_sha256") == hash {
        Ok(())
    } else {
        Err(Refusal::OtherRecord)
    }
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
    let mut attached = BTreeMap::new();
    for (name, content) in document.objects().into_iter().filter_map(specification) {
        if attached.insert(name, content).is_some() {
            return Err(Refusal::NotOne("two attached files have the same name"));
        }
    }
    Ok(attached)
}

fn report(stated: Stated, key: IssuerKey, log: Option<(u64, u64)>) -> Report {
    Report {
        code: stated.code(),
        name: stated.person,
        provider: stated.provider,
        title: stated.title,
        award: stated.award,
        completed_at: stated.ended_at,
        issued_at: stated.valid_from,
        verify_url: stated.id,
        issuer_url: stated.issuer_url,
        standing: stated.standing,
        key,
        log_key: stated.log_key,
        log,
        status: stated.status,
        status_list: None,
        pinned: false,
    }
}
