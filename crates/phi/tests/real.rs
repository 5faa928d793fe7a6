//! The guard on labeled texts and on thousands of questions that hold nothing.

use std::path::Path;

use preceptor_phi::measure;

#[test]
fn recall_and_false_alarms_are_at_their_bars() {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/data"));
    let Some(data) = above.into_iter().find(|data| data.join("phi").is_dir()) else {
        eprintln!(
            "SKIPPED: shared/data/phi is in no folder above the project, so the guard was not measured"
        );
        return;
    };
    let figures = measure::run(&data, |kind, text| println!("{kind}: {text}")).expect("the data");
    for figure in &figures {
        println!("{figure}");
    }
    let below: Vec<_> =
        figures.iter().filter(|figure| !figure.holds()).map(|figure| figure.name.as_str()).collect();
    assert!(below.is_empty(), "not at their bars: {below:?}");
}
