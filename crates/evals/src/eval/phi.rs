//! The guard of free text on labeled texts and on questions that hold nothing.

use std::path::Path;

use preceptor_phi::measure;

/// Prints every figure beside its bar; returns how many are on its wrong side.
pub(super) fn run(data: &Path, print_wrong: bool) -> anyhow::Result<usize> {
    let figures = measure::run(data, |kind, text| {
        if print_wrong {
            println!("{kind}: {text}");
        }
    })?;
    for figure in &figures {
        println!("{figure}");
    }
    Ok(figures.iter().filter(|figure| !figure.holds()).count())
}
