//! Growing the tree: the roots of the perfect subtrees at its right edge are all that an append needs.

use tlog_tiles::tlog::{HASH_SIZE, Hash, node_hash, record_hash};

/// The right edge of a tree: one root per bit set in its size, the largest subtree first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

/// A perfect subtree that has all its leaves: 2^level of them, from place · 2^level on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) level: u8,
    pub(crate) place: u64,
    pub(crate) hash: Hash,
}

impl Frontier {
    /// Reads a stored edge. `None` when it cannot belong to a tree of that size.
    pub(crate) fn read(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<HASH_SIZE>();
        let fits = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        fits.then(|| Self { size, roots: hashes.iter().map(|bytes| Hash(*bytes)).collect() })
    }

    /// The edge as it is stored.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|hash| hash.0).collect()
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; returns its hash and the subtrees that it closed.
    pub(crate) fn append(&mut self, record: &[u8]) -> (Hash, Vec<Closed>) {
        let leaf = record_hash(record);
        let mut root = leaf;
        let mut closed = Vec::new();
        // As many perfect subtrees close as the size has ones at its end.
        for level in 1..=self.size.trailing_ones() as u8 {
            let left = self.roots.pop().unwrap_or_default();
            root = node_hash(left, root);
            closed.push(Closed { level, place: self.size >> level, hash: root });
        }
        self.roots.push(root);
        self.size += 1;
        (leaf, closed)
    }

    /// The root of the whole tree; of an empty one, the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut edge = self.roots.iter().rev();
        match edge.next() {
            None => tlog_tiles::tlog::EMPTY_HASH,
            Some(&smallest) => edge.fold(smallest, |right, &left| node_hash(left, right)),
        }
    }
}
