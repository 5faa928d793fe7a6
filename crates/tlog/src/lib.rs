//! Transparency-log formats of C2SP, for making and for checking without the log: checkpoints in signed notes
//! (`tlog-checkpoint`, `signed-note`, Ed25519), inclusion proofs in one file (`tlog-proof@v1`), and the tiles in which a
//! log is read by others (`tlog-tiles`).
//!
//! Trees and proofs themselves are RFC 6962, by `tlog_tiles`. Signatures are made elsewhere: keys never come here.

mod checkpoint;
pub mod tiles;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use tlog_tiles::tlog::{check_record, record_hash};

pub use checkpoint::{Checkpoint, check_consistency};
pub use tlog_tiles::tlog::Hash;

/// The first line of a proof.
const PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The signature type of Ed25519 over the text of a note.
const ED25519_NOTE: u8 = 0x01;
/// More hashes than a tree of any size needs.
const MOST_HASHES: usize = 64;

/// Why a proof was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a proof in this format.
    #[error("not an inclusion proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint is of another log.
    #[error("the proof is from another log: {found} instead of {expected}")]
    OtherLog {
        /// The log that the proof names.
        found: String,
        /// The log that was expected.
        expected: String,
    },
    /// No signature of the log's key is on the checkpoint.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    /// The record is not in the tree that was signed.
    #[error("the record is not in the signed log")]
    NotIncluded,
    /// A log that only grows cannot have become smaller.
    #[error("the log has {found} records; {earlier} were signed before")]
    Shrunk {
        /// The size that was signed before.
        earlier: u64,
        /// The size at hand.
        found: u64,
    },
    /// What was signed before is not the beginning of what is at hand.
    #[error("the log of {found} records does not continue the one of {earlier} that was signed before")]
    NotContinued {
        /// The size that was signed before.
        earlier: u64,
        /// The size at hand.
        found: u64,
    },
}

/// The public key of a log, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    name: String,
    key: [u8; 32],
}

impl LogKey {
    /// A log named `name` (its origin) with a raw Ed25519 key.
    pub fn new(name: impl Into<String>, key: [u8; 32]) -> Self {
        Self { name: name.into(), key }
    }

    /// The name of the log: the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn typed(&self) -> Vec<u8> {
        [&[ED25519_NOTE], self.key.as_slice()].concat()
    }

    /// The first four bytes of SHA-256 over name, newline, type and key (C2SP `signed-note`).
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::digest([self.name.as_bytes(), b"\n", &self.typed()].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// The text of a checkpoint of this log, which is what the log's key signs.
    pub fn checkpoint_text(&self, size: u64, root: &[u8; 32]) -> String {
        format!("{}\n{size}\n{}\n", self.name, STANDARD.encode(root))
    }

    /// A checkpoint with its signature.
    pub fn checkpoint(&self, text: &str, signature: &[u8]) -> String {
        let line = STANDARD.encode([&self.id(), signature].concat());
        format!("{text}\n— {} {line}\n", self.name)
    }

    /// What a checkpoint states that carries this key's signature.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Refusal> {
        self.opened(note)?.parse()
    }

    /// The text of a checkpoint that carries this key's signature.
    fn opened<'a>(&self, note: &'a str) -> Result<&'a str, Refusal> {
        let (text, signatures) =
            note.rsplit_once("\n\n").ok_or(Refusal::Malformed("the checkpoint carries no signatures"))?;
        let text = &note[..=text.len()];
        let origin = text.lines().next().unwrap_or_default();
        if origin != self.name {
            return Err(Refusal::OtherLog { found: origin.to_owned(), expected: self.name.clone() });
        }
        let prefix = format!("— {} ", self.name);
        let own = signatures.lines().filter_map(|line| STANDARD.decode(line.strip_prefix(&prefix)?).ok());
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        let mut own = own.filter_map(|line| Some(line.strip_prefix(&self.id())?.to_vec()));
        if own.any(|signature| key.verify(text.as_bytes(), &signature).is_ok()) {
            Ok(text)
        } else {
            Err(Refusal::Unsigned)
        }
    }
}

/// The verifier key of the `signed-note` format: `name+id+key`.
impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(self.typed()))
    }
}

impl FromStr for LogKey {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::Malformed("not a verifier key");
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let typed = STANDARD.decode(key).map_err(|_| malformed())?;
        let Some((&ED25519_NOTE, raw)) = typed.split_first() else { return Err(malformed()) };
        let key = Self::new(name, raw.try_into().map_err(|_| malformed())?);
        if format!("{:08x}", u32::from_be_bytes(key.id())) == id { Ok(key) } else { Err(malformed()) }
    }
}

/// That a record is in a log: an index, the hashes beside its path, and a signed checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// The place of the record, counted from 0.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed note.
    pub checkpoint: String,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{PROOF_HEADER}\nindex {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.0))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(Refusal::Malformed("it holds no checkpoint"))?;
        let mut lines = head.lines();
        if lines.next() != Some(PROOF_HEADER) {
            return Err(Refusal::Malformed("it does not begin like one"));
        }
        let mut lines = lines.skip_while(|line| line.starts_with("extra "));
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .filter(|number| number.len() == 1 || !number.starts_with('0'));
        let index =
            index.and_then(|number| number.parse().ok()).ok_or(Refusal::Malformed("it names no index"))?;
        let hash = |line: &str| STANDARD.decode(line).ok().and_then(|bytes| bytes.try_into().ok()).map(Hash);
        let hashes: Vec<Hash> = lines
            .map(|line| hash(line).ok_or(Refusal::Malformed("a hash cannot be read")))
            .collect::<Result<_, _>>()?;
        if hashes.len() > MOST_HASHES {
            return Err(Refusal::Malformed("it holds too many hashes"));
        }
        Ok(Self { index, hashes, checkpoint: checkpoint.to_owned() })
    }
}

impl Proof {
    /// Checks that `record` is in the log of `key`; returns the size of the tree that was signed.
    pub fn verify(&self, record: &[u8], key: &LogKey) -> Result<u64, Refusal> {
        let Checkpoint { size, root, .. } = key.open(&self.checkpoint)?;
        if self.index >= size {
            return Err(Refusal::NotIncluded);
        }
        check_record(&self.hashes, size, Hash(root), self.index, record_hash(record))
            .map_err(|_| Refusal::NotIncluded)?;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use tlog_tiles::tlog::{HashReader, prove_record, stored_hashes_for_record_hash, tree_hash};

    use super::*;

    struct Nodes(Vec<Hash>);

    impl HashReader for Nodes {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::tlog::Error> {
            Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
        }
    }

    fn log(name: &str, records: &[&str]) -> (LogKey, Vec<Proof>) {
        let pair = Ed25519KeyPair::generate().expect("random numbers");
        let key = LogKey::new(name, pair.public_key().as_ref().try_into().expect("32 bytes"));
        let mut nodes = Nodes(Vec::new());
        for (index, record) in records.iter().enumerate() {
            let more = stored_hashes_for_record_hash(index as u64, record_hash(record.as_bytes()), &nodes)
                .expect("hashes");
            nodes.0.extend(more);
        }
        let size = records.len() as u64;
        let text = key.checkpoint_text(size, &tree_hash(size, &nodes).expect("a root").0);
        let checkpoint = key.checkpoint(&text, pair.sign(text.as_bytes()).as_ref());
        let proof = |index| Proof {
            index,
            hashes: prove_record(size, index, &nodes).expect("a proof"),
            checkpoint: checkpoint.clone(),
        };
        (key, (0..size).map(proof).collect())
    }

    #[test]
    fn a_proof_survives_its_own_text_and_verifies() {
        let records = ["a", "b", "c", "d", "e"];
        let (key, proofs) = log("example.org/log", &records);
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        for (record, proof) in records.iter().zip(&proofs) {
            let read: Proof = proof.to_string().parse().expect("a proof");
            assert_eq!(read.verify(record.as_bytes(), &key), Ok(5));
            assert_eq!(read.verify(b"x", &key), Err(Refusal::NotIncluded));
        }
    }

    #[test]
    fn any_changed_byte_of_a_proof_is_refused() {
        let (key, proofs) = log("example.org/log", &["a", "b", "c", "d"]);
        let text = proofs[2].to_string();
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] ^= 1;
            let outcome = String::from_utf8(changed)
                .ok()
                .and_then(|text| text.parse::<Proof>().ok())
                .map(|proof| proof.verify(b"c", &key));
            assert!(!matches!(outcome, Some(Ok(_))), "byte {position}");
        }
    }

    #[test]
    fn a_proof_of_another_log_is_refused() {
        let (key, _) = log("example.org/log", &["a", "b"]);
        let (_, renamed) = log("example.org/other", &["a", "b"]);
        let (_, forged) = log("example.org/log", &["a", "b"]);
        assert!(matches!(renamed[0].verify(b"a", &key), Err(Refusal::OtherLog { .. })));
        assert_eq!(forged[0].verify(b"a", &key), Err(Refusal::Unsigned));
    }

    #[test]
    fn the_verifier_key_of_the_specification_is_read() {
        // From C2SP's signed-note, "Example" of the verifier key format.
        let key: LogKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().expect("a key");
        assert_eq!(key.name(), "PeterNeumann");
    }
}
