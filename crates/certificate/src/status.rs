//! Which certificates were voided: W3C Bitstring Status List v1.0.
//!
//! A list is one bit for each of [`ENTRIES`] certificates of a provider, signed by the provider as a credential of its
//! own. Anyone who holds a copy can see offline whether a certificate was void at the date of the list.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::credential::same;
use crate::key::IssuerKey;
use crate::rdf::CONTEXT_NAMES;
use crate::{Refusal, proof, strict};

/// Certificates of one list: the least that the standard allows, so that a list tells no one whose certificate is asked about.
pub const ENTRIES: u32 = 131_072;
/// How long a copy may be used before the list should be fetched again, in milliseconds.
const TIME_TO_LIVE: u64 = 300_000;
const PURPOSE: &str = "revocation";
/// The kind of credential that a list is.
pub(crate) const KIND: &str = "BitstringStatusListCredential";

/// Where a certificate stands in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The list's address.
    pub list: String,
    /// Its place in it.
    pub index: u32,
}

impl Entry {
    pub(crate) fn document(&self) -> Value {
        json!({
            "id": format!("{}#{}", self.list, self.index),
            "type": "BitstringStatusListEntry",
            "statusPurpose": PURPOSE,
            "statusListIndex": self.index.to_string(),
            "statusListCredential": self.list,
        })
    }

    /// An entry, if it is written as we write them.
    pub(crate) fn read(document: &Value) -> Option<Self> {
        let index = document["statusListIndex"].as_str()?.parse().ok().filter(|index| *index < ENTRIES)?;
        let entry = Self { list: document["statusListCredential"].as_str()?.to_owned(), index };
        (entry.document() == *document).then_some(entry)
    }
}

/// A list, not signed yet. `voided` are the places that are void at `made_at`, RFC 3339; places beyond the list are left out.
pub fn status_list(
    url: &str,
    key: &IssuerKey,
    voided: impl IntoIterator<Item = u32>,
    made_at: &str,
) -> Map<String, Value> {
    let mut bits = vec![0_u8; ENTRIES as usize / 8];
    for place in voided {
        if let Some(byte) = bits.get_mut(place as usize / 8) {
            *byte |= 0x80 >> (place % 8);
        }
    }
    document(url, key, &encode(&bits), made_at)
}

fn document(url: &str, key: &IssuerKey, encoded: &str, made_at: &str) -> Map<String, Value> {
    let list = json!({
        "@context": CONTEXT_NAMES[..1],
        "id": url,
        "type": ["VerifiableCredential", KIND],
        "issuer": key.to_string(),
        "validFrom": made_at,
        "credentialSubject": {
            "id": format!("{url}#list"),
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "encodedList": encoded,
            "ttl": TIME_TO_LIVE,
        },
    });
    list.as_object().cloned().unwrap_or_default()
}

/// Multibase base64url of the gzipped bits.
fn encode(bits: &[u8]) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let packed = packed.write_all(bits).and_then(|()| packed.finish()).unwrap_or_default();
    format!("u{}", URL_SAFE_NO_PAD.encode(packed))
}

fn decode(encoded: &str) -> Option<Vec<u8>> {
    let packed = URL_SAFE_NO_PAD.decode(encoded.strip_prefix('u')?).ok()?;
    let mut bits = Vec::new();
    GzDecoder::new(packed.as_slice()).take(u64::from(ENTRIES)).read_to_end(&mut bits).ok()?;
    (bits.len() == ENTRIES as usize / 8).then_some(bits)
}

/// A list that was checked.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    /// Its address.
    pub url: String,
    /// Who signed it.
    pub key: IssuerKey,
    /// Its date, RFC 3339.
    pub made_at: String,
    bits: Vec<u8>,
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusList")
            .field("url", &self.url)
            .field("made_at", &self.made_at)
            .finish_non_exhaustive()
    }
}

impl StatusList {
    /// Checks a list's signature and reads it.
    pub fn read(file: &[u8]) -> Result<Self, Refusal> {
        const NONE: Refusal = Refusal::NoList("not a status list that Preceptor issues");
        let text = std::str::from_utf8(file).map_err(|_| NONE)?;
        let signed = strict::parse(text).map_err(|_| NONE)?;
        if !signed["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == KIND)) {
            return Err(NONE);
        }
        let (key, unsigned) = proof::verify(&signed, &signed["issuer"])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (url, made_at) = (text(&unsigned["id"]), text(&unsigned["validFrom"]));
        let encoded = text(&unsigned["credentialSubject"]["encodedList"]);
        if !same(&Value::Object(document(&url, &key, &encoded, &made_at)), &unsigned) {
            return Err(NONE);
        }
        let bits = decode(&encoded).ok_or(Refusal::NoList("its bits cannot be read"))?;
        Ok(Self { url, key, made_at, bits })
    }

    /// Whether a certificate is void in this list. `None` where the list is another one than the certificate's.
    pub fn is_void(&self, entry: &Entry) -> Option<bool> {
        let byte = self.bits.get(entry.index as usize / 8).filter(|_| entry.list == self.url)?;
        Some(byte & (0x80 >> (entry.index % 8)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_left_and_survive_the_way() {
        let key = IssuerKey::new([7; 32]);
        let list = status_list(
            "https://example.org/l",
            &key,
            [0, 9, ENTRIES - 1, ENTRIES + 5],
            "2026-11-27T01:00:00Z",
        );
        let encoded = list["credentialSubject"]["encodedList"].as_str().expect("a text");
        let bits = decode(encoded).expect("bits");
        assert_eq!((bits.len(), bits[0], bits[1], bits[16383]), (16_384, 0x80, 0x40, 1));
        assert!(bits[2..16_383].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_list_that_unpacks_to_more_is_refused() {
        assert_eq!(decode(&encode(&vec![0; 1 << 24])), None);
        assert_eq!(decode(&encode(&[0; 8])), None);
        assert_eq!(decode("zabc"), None);
    }

    #[test]
    fn an_entry_is_read_in_one_form_only() {
        let entry = Entry { list: "https://example.org/l".into(), index: 17 };
        assert_eq!(Entry::read(&entry.document()), Some(entry.clone()));
        let mut other = entry.document();
        other["statusListIndex"] = json!("017");
        assert_eq!(Entry::read(&other), None);
        other["statusListIndex"] = json!(ENTRIES.to_string());
        assert_eq!(Entry::read(&other), None);
    }
}
