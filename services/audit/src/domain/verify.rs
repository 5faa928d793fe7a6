//! Recomputing the root from stored bytes, by another way than the one that wrote it.

use tlog_tiles::tlog::{self, Hash, HashReader};

/// Why a log is not what its head says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A leaf is missing or out of place.
    #[error("leaf {expected} is missing: {found} came instead")]
    OutOfPlace {
        /// The index that should come next.
        expected: u64,
        /// The index that came.
        found: u64,
    },
    /// The bytes of a leaf do not give its stored hash.
    #[error("leaf {0}: its bytes were changed")]
    LeafChanged(u64),
    /// The head names another number of leaves.
    #[error("the head says {head} leaves, {found} are there")]
    SizeDiffers {
        /// What the head says.
        head: u64,
        /// How many leaves were read.
        found: u64,
    },
    /// The head names another root.
    #[error("the root over the stored bytes is not the head's")]
    RootDiffers,
}

/// A log that is what its head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// How many leaves it has.
    pub size: u64,
    /// The recomputed root.
    pub root: [u8; 32],
}

/// Takes the leaves of a log in order and recomputes its root.
#[derive(Debug, Default)]
pub struct Verifier {
    stored: Nodes,
    size: u64,
}

#[derive(Debug, Default)]
struct Nodes(Vec<Hash>);

impl HashReader for Nodes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        indexes
            .iter()
            .map(|&index| self.0.get(index as usize).copied().ok_or(tlog::Error::IndexesNotInTree))
            .collect()
    }
}

impl Verifier {
    /// Takes the next leaf with its stored hash.
    pub fn leaf(&mut self, index: u64, record: &[u8], leaf_hash: &[u8]) -> Result<(), VerifyError> {
        if index != self.size {
            return Err(VerifyError::OutOfPlace { expected: self.size, found: index });
        }
        if tlog::record_hash(record).0 != leaf_hash {
            return Err(VerifyError::LeafChanged(index));
        }
        let nodes = tlog::stored_hashes(index, record, &self.stored).map_err(|_| VerifyError::RootDiffers)?;
        self.stored.0.extend(nodes);
        self.size += 1;
        Ok(())
    }

    /// Compares the recomputed root with the head.
    pub fn finish(self, head_size: u64, head_root: &[u8]) -> Result<Verification, VerifyError> {
        self.check(head_size, head_root)
    }

    /// Compares the recomputed root with the head; more can be asked of the same leaves afterwards.
    pub fn check(&self, head_size: u64, head_root: &[u8]) -> Result<Verification, VerifyError> {
        if self.size != head_size {
            return Err(VerifyError::SizeDiffers { head: head_size, found: self.size });
        }
        self.check_first(head_size, head_root)
    }

    /// Compares the root over the first `size` leaves with one from before.
    pub fn check_first(&self, size: u64, root: &[u8]) -> Result<Verification, VerifyError> {
        if size > self.size {
            return Err(VerifyError::SizeDiffers { head: size, found: self.size });
        }
        let recomputed = if size == 0 {
            tlog::EMPTY_HASH
        } else {
            tlog::tree_hash(size, &self.stored).map_err(|_| VerifyError::RootDiffers)?
        };
        if recomputed.0 != root {
            return Err(VerifyError::RootDiffers);
        }
        Ok(Verification { size, root: recomputed.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Frontier;

    fn records(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|number| format!("record {number}").into_bytes()).collect()
    }

    fn head(records: &[Vec<u8>]) -> (Vec<Hash>, Frontier) {
        let mut frontier = Frontier::default();
        let leaves = records.iter().map(|record| frontier.append(record).0).collect();
        (leaves, frontier)
    }

    fn verify(
        records: &[Vec<u8>],
        leaves: &[Hash],
        frontier: &Frontier,
    ) -> Result<Verification, VerifyError> {
        let mut verifier = Verifier::default();
        for (index, (record, leaf)) in records.iter().zip(leaves).enumerate() {
            verifier.leaf(index as u64, record, &leaf.0)?;
        }
        verifier.finish(frontier.size(), &frontier.root().0)
    }

    #[test]
    fn both_ways_lead_to_the_same_root() {
        for count in (0..70).chain([127, 128, 129, 255, 256, 257]) {
            let records = records(count);
            let (leaves, frontier) = head(&records);
            assert!(verify(&records, &leaves, &frontier).is_ok(), "{count} leaves");
            let again = Frontier::read(frontier.size(), &frontier.bytes()).expect("a stored edge");
            assert_eq!(again.root().0, frontier.root().0);
        }
    }

    #[test]
    fn the_root_is_that_of_rfc_6962() {
        // Inputs and roots from the test vectors of Certificate Transparency (google/certificate-transparency, merkle tests).
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let records: Vec<_> = inputs.iter().map(|hex| hex_bytes(hex)).collect();
        let roots = [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        for (count, root) in roots {
            assert_eq!(head(&records[..count]).1.root().0.to_vec(), hex_bytes(root), "{count} leaves");
        }
    }

    fn hex_bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn every_kind_of_tampering_is_found() {
        let records = records(11);
        let (leaves, frontier) = head(&records);
        for victim in 0..records.len() {
            let mut changed = records.clone();
            changed[victim][0] ^= 1;
            assert_eq!(verify(&changed, &leaves, &frontier), Err(VerifyError::LeafChanged(victim as u64)));
            // An attacker who also fixes the leaf's hash is met by the root.
            let (rehashed, _) = head(&changed);
            assert_eq!(verify(&changed, &rehashed, &frontier), Err(VerifyError::RootDiffers));
        }
        let (mut swapped, mut swapped_leaves) = (records.clone(), leaves.clone());
        swapped.swap(3, 4);
        swapped_leaves.swap(3, 4);
        assert_eq!(verify(&swapped, &swapped_leaves, &frontier), Err(VerifyError::RootDiffers));
        let truncated = verify(&records[..10], &leaves[..10], &frontier);
        assert_eq!(truncated, Err(VerifyError::SizeDiffers { head: 11, found: 10 }));
        let mut gapped = Verifier::default();
        assert_eq!(
            gapped.leaf(1, &records[1], &leaves[1].0),
            Err(VerifyError::OutOfPlace { expected: 0, found: 1 })
        );
    }
}
