//! What a log stated about itself at one time, and whether a later statement continues it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog_tiles::tlog::{EMPTY_HASH, Hash, check_tree};

use crate::{MOST_HASHES, Refusal};

/// The head of a log: its name, how many records it holds, and their RFC 6962 root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many records it holds.
    pub size: u64,
    /// The root over them.
    pub root: [u8; 32],
}

impl Checkpoint {
    /// The name of the log that a note says it is of. Nothing is verified by this.
    pub fn claimed_origin(note: &str) -> &str {
        note.lines().next().unwrap_or_default()
    }

    /// Whether two statements about a log cannot both be true: a log has one root for each size.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.origin == other.origin && self.size == other.size && self.root != other.root
    }
}

/// The text that is signed (C2SP `tlog-checkpoint`).
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = Refusal;

    /// Reads the text of a checkpoint; lines after the third are extensions, and nothing to us.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::Malformed("the checkpoint cannot be read");
        let mut lines = text.lines();
        let origin = lines.next().filter(|origin| !origin.is_empty()).ok_or_else(malformed)?.to_owned();
        let number = lines
            .next()
            .filter(|line| line.len() == 1 || !line.starts_with(['0', '+']))
            .ok_or_else(malformed)?;
        let root =
            lines.next().and_then(|line| STANDARD.decode(line).ok()).and_then(|bytes| bytes.try_into().ok());
        Ok(Self { origin, size: number.parse().map_err(|_| malformed())?, root: root.ok_or_else(malformed)? })
    }
}

/// Checks that the log of `later` begins with all records of `earlier`, by an RFC 6962 consistency proof between them.
pub fn check_consistency(earlier: &Checkpoint, later: &Checkpoint, proof: &[Hash]) -> Result<(), Refusal> {
    if earlier.origin != later.origin {
        return Err(Refusal::OtherLog { found: later.origin.clone(), expected: earlier.origin.clone() });
    }
    if later.size < earlier.size {
        return Err(Refusal::Shrunk { earlier: earlier.size, found: later.size });
    }
    let differs = Refusal::NotContinued { earlier: earlier.size, found: later.size };
    if earlier.size == 0 {
        // Everything continues the empty log, which has one root.
        return if earlier.root == EMPTY_HASH.0 && proof.is_empty() { Ok(()) } else { Err(differs) };
    }
    if earlier.size == later.size {
        return if earlier.root == later.root && proof.is_empty() { Ok(()) } else { Err(differs) };
    }
    if proof.len() > MOST_HASHES {
        return Err(Refusal::Malformed("it holds too many hashes"));
    }
    check_tree(&proof.to_vec(), later.size, Hash(later.root), earlier.size, Hash(earlier.root))
        .map_err(|_| differs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tlog_tiles::tlog::{
        self, HashReader, prove_tree, record_hash, stored_hashes_for_record_hash, tree_hash,
    };

    use super::*;

    struct Nodes(Vec<Hash>);

    impl HashReader for Nodes {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
            Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
        }
    }

    /// A log whose record at `changed`, if any, says something else.
    fn log(size: u64, changed: Option<u64>) -> Nodes {
        let mut nodes = Nodes(Vec::new());
        for index in 0..size {
            let record =
                if changed == Some(index) { "something else".to_owned() } else { format!("record {index}") };
            let more =
                stored_hashes_for_record_hash(index, record_hash(record.as_bytes()), &nodes).expect("hashes");
            nodes.0.extend(more);
        }
        nodes
    }

    fn head(nodes: &Nodes, size: u64) -> Checkpoint {
        let root = if size == 0 { EMPTY_HASH } else { tree_hash(size, nodes).expect("a root") };
        Checkpoint { origin: "example.org/log".into(), size, root: root.0 }
    }

    fn proof(nodes: &Nodes, later: u64, earlier: u64) -> Vec<Hash> {
        if earlier == 0 { Vec::new() } else { prove_tree(later, earlier, nodes).expect("a proof") }
    }

    #[test]
    fn a_checkpoint_survives_its_own_text() {
        let checkpoint = head(&log(7, None), 7);
        assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
        for wrong in ["", "a", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "a\n1\nAAAA\n"] {
            assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_size_continues_every_smaller_one(later in 0_u64..150, share in 0.0_f64..=1.0) {
            let earlier = (later as f64 * share) as u64;
            let nodes = log(later, None);
            let proof = proof(&nodes, later, earlier);
            prop_assert_eq!(check_consistency(&head(&nodes, earlier), &head(&nodes, later), &proof), Ok(()));
        }

        /// Anyone who rewrites a record that was signed can make every hash of the log anew, and no proof will lead from what
        /// was signed to what is there.
        #[test]
        fn a_rewritten_log_continues_nothing_that_held_the_record(later in 1_u64..150, earlier in 0.0_f64..=1.0, victim in 0.0_f64..1.0) {
            let earlier = ((later as f64 * earlier) as u64).max(1);
            let victim = (earlier as f64 * victim) as u64;
            let (signed, rewritten) = (log(later, None), log(later, Some(victim)));
            for nodes in [&signed, &rewritten] {
                let outcome = check_consistency(&head(&signed, earlier), &head(&rewritten, later), &proof(nodes, later, earlier));
                prop_assert!(matches!(outcome, Err(Refusal::NotContinued { .. })), "{:?}", outcome);
            }
        }

        #[test]
        fn a_changed_proof_proves_nothing(later in 2_u64..150, share in 0.01_f64..1.0, at in any::<prop::sample::Index>(), bit in 0_usize..256) {
            let earlier = ((later as f64 * share) as u64).clamp(1, later - 1);
            let nodes = log(later, None);
            let mut changed = proof(&nodes, later, earlier);
            let place = at.index(changed.len());
            changed[place].0[bit / 8] ^= 1 << (bit % 8);
            let outcome = check_consistency(&head(&nodes, earlier), &head(&nodes, later), &changed);
            prop_assert!(matches!(outcome, Err(Refusal::NotContinued { .. })), "{:?}", outcome);
            let mut longer = proof(&nodes, later, earlier);
            longer.push(Hash([7; 32]));
            prop_assert!(check_consistency(&head(&nodes, earlier), &head(&nodes, later), &longer).is_err());
        }

        #[test]
        fn a_log_never_shrinks(size in 1_u64..100, less in 1_u64..100) {
            let nodes = log(size, None);
            let smaller = size.saturating_sub(less);
            let outcome = check_consistency(&head(&nodes, size), &head(&nodes, smaller), &[]);
            prop_assert_eq!(outcome, Err(Refusal::Shrunk { earlier: size, found: smaller }));
        }

        #[test]
        fn hostile_text_is_refused_without_a_panic(text in "\\PC{0,80}", size in any::<u64>(), hashes in 0_usize..70) {
            let _ = text.parse::<Checkpoint>();
            let nodes = log(9, None);
            let earlier = Checkpoint { size, ..head(&nodes, 5) };
            let _ = check_consistency(&earlier, &head(&nodes, 9), &vec![Hash([1; 32]); hashes]);
            let later = Checkpoint { size: u64::MAX, ..head(&nodes, 9) };
            let _ = check_consistency(&earlier, &later, &vec![Hash([1; 32]); hashes]);
        }
    }
}
