//! A signature over every byte of a PDF file, in the file.
//!
//! The seal is one comment line behind the end of the document, followed by the closing lines that a reader of PDF looks
//! for. What is signed is the SHA-256 of all bytes before that line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::Refusal;
use crate::key::IssuerKey;

const MARK: &str = "\n%Preceptor-Seal-1 ";

/// The bytes to sign for a file.
pub fn message(content: &[u8]) -> Vec<u8> {
    format!("preceptor certificate seal 1\n{}\n", hex::encode(Sha256::digest(content))).into_bytes()
}

/// The offset that the last `startxref` of a document names.
fn start_of_cross_references(content: &[u8]) -> Option<&str> {
    let tail = &content[content.len().saturating_sub(1024)..];
    let place = tail.windows(9).rposition(|window| window == b"startxref")?;
    std::str::from_utf8(&tail[place + 9..]).ok()?.split_whitespace().next()
}

fn tail(content: &[u8], key: &IssuerKey, signature: &[u8]) -> Option<String> {
    let offset = start_of_cross_references(content)?;
    Some(format!("{MARK}{} {}\nstartxref\n{offset}\n%%EOF\n", key.multikey(), STANDARD.encode(signature)))
}

/// The file with its seal: `signature` is of [`message`].
pub fn close(content: &[u8], key: &IssuerKey, signature: &[u8]) -> Option<Vec<u8>> {
    let tail = tail(content, key, signature)?;
    Some([content, tail.as_bytes()].concat())
}

/// The content of a sealed file and the key that sealed it.
pub(crate) fn open(file: &[u8]) -> Result<(&[u8], IssuerKey), Refusal> {
    let place = file
        .windows(MARK.len())
        .rposition(|window| window == MARK.as_bytes())
        .ok_or(Refusal::NotOne("the file carries no seal"))?;
    let (content, rest) = file.split_at(place);
    let line = std::str::from_utf8(&rest[MARK.len()..])
        .ok()
        .and_then(|rest| rest.lines().next())
        .ok_or(Refusal::Changed)?;
    let (key, signature) = line.split_once(' ').ok_or(Refusal::Changed)?;
    let key = IssuerKey::of_multikey(key).ok_or(Refusal::Changed)?;
    let signature = STANDARD.decode(signature).map_err(|_| Refusal::Changed)?;
    // Nothing may stand behind the seal but what belongs there.
    let whole = tail(content, &key, &signature).is_some_and(|tail| tail.as_bytes() == rest);
    if whole && key.signed(&message(content), &signature) {
        Ok((content, key))
    } else {
        Err(Refusal::Changed)
    }
}
