//! Reads what the fuzzer makes as the kind that its first byte names: `cargo +nightly fuzz run read`.

#![no_main]

#[path = "../../tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((kind, content)) = data.split_first() {
        let (_, media) = invariants::KINDS[usize::from(*kind) % invariants::KINDS.len()];
        invariants::read(media, content);
    }
});
