//! Every reader on a kept corpus, and on copies of it that are damaged at random: none panics, hangs or breaks its word.
//!
//! The corpus is that of the fuzz target (`cargo +nightly fuzz run read` in `crates/extract`), and holds what fuzzing found.

mod invariants;

use std::path::PathBuf;

use invariants::{KINDS, read};
use preceptor_extract::MediaType;

/// Damaged copies of each file.
const COPIES: u64 = 300;

/// Bytes that mean something to some reader.
const TOKENS: [&[u8]; 16] = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\n\n",
    b"\r",
    b"|",
    b"# ",
    b"<p>",
    b"</p>",
    b"&#x0;",
    b"]]>",
    b"-->",
    b"99:99:99.999",
    b"endobj",
    b"<< /Length 999999999 >>",
    "\u{202e}".as_bytes(),
];

/// A small generator of random numbers (xorshift64*, Vigna 2016), so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

fn damage(content: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(4) {
        let (at, other) = (random.below(content.len()), random.below(content.len()));
        let (from, to) = (at.min(other), at.max(other));
        match random.below(6) {
            0 => content.truncate(at),
            1 => drop(content.drain(from..to)),
            2 => content.extend_from_within(from..to),
            3 => drop(content.splice(at..at, TOKENS[random.below(TOKENS.len())].iter().copied())),
            4 if !content.is_empty() => content[at] = random.below(256) as u8,
            _ if !content.is_empty() => content[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
}

fn corpus() -> Vec<(PathBuf, MediaType)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files = Vec::new();
    for (folder, media) in KINDS {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder of the corpus") {
            files.push((entry.expect("a file").path(), media));
        }
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    files
}

#[test]
fn the_corpus_is_read() {
    let files = corpus();
    for (_, media) in KINDS {
        let mut of_kind = files.iter().filter(|(_, other)| *other == media);
        let is_read = |path: &PathBuf| read(media, &std::fs::read(path).expect("a file"));
        assert!(of_kind.any(|(path, _)| is_read(path)), "no file of the corpus is read as {media:?}");
    }
}

#[test]
fn damaged_files_break_no_promise() {
    for (number, (path, media)) in corpus().into_iter().enumerate() {
        let whole = std::fs::read(&path).expect("a file");
        for copy in 0..COPIES {
            let mut random = Random(1 + copy + 1000 * number as u64);
            let mut content = whole.clone();
            damage(&mut content, &mut random);
            let outcome = std::panic::catch_unwind(|| read(media, &content));
            assert!(outcome.is_ok(), "{} with the damage {copy}: {content:?}", path.display());
        }
    }
}

#[test]
fn every_file_may_be_said_to_be_of_every_kind() {
    for (path, _) in corpus() {
        let content = std::fs::read(&path).expect("a file");
        for (_, media) in KINDS {
            read(media, &content);
        }
    }
}
