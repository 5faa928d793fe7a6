//! What the benchmarks share.

pub mod corpus;

use std::time::{Duration, Instant};

/// The middle one of `rounds` timings of `work`.
pub fn median_time(rounds: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}
