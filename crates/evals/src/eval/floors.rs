//! The best baseline of every row (`README.md` of the data), and the bars that follow from them.

use crate::metrics::{Measures, Outcome, cell};

/// A row of the table of baselines: the best of each column.
struct Floor {
    set: &'static str,
    variant: &'static str,
    hit1: f64,
    auroc: Option<f64>,
    right5: Option<f64>,
}

const fn floor(
    set: &'static str,
    variant: &'static str,
    hit1: f64,
    auroc: Option<f64>,
    right5: Option<f64>,
) -> Floor {
    Floor { set, variant, hit1, auroc, right5 }
}

const FLOORS: [Floor; 14] = [
    floor("topic", "all", 0.998, Some(0.994), Some(0.966)),
    floor("one500", "written", 0.988, None, None),
    floor("one500", "vague", 0.818, None, None),
    floor("one500", "misspelt", 0.946, None, None),
    floor("one500", "restated", 0.978, None, None),
    floor("hard", "all", 0.944, Some(0.954), Some(0.824)),
    floor("hard", "vague", 0.846, Some(0.906), Some(0.644)),
    floor("hard", "misspelt", 0.954, Some(0.937), Some(0.782)),
    floor("section", "verbatim", 0.993, Some(0.946), Some(0.756)),
    floor("section", "paraphrase", 0.563, Some(0.588), Some(0.081)),
    floor("languages", "en", 0.838, Some(0.891), Some(0.601)),
    floor("languages", "es", 0.588, Some(0.740), Some(0.345)),
    floor("languages", "fr", 0.581, Some(0.736), Some(0.345)),
    floor("languages", "it", 0.514, Some(0.712), Some(0.291)),
];

/// What must hold for a row, beyond the floor.
struct Bar {
    hit1: f64,
    auroc: f64,
    right5: f64,
    ece: f64,
}

/// hit@1 no more than a point below the best baseline; AUROC and right@5% at least equal on `topic` and `hard`; and the
/// absolute bars.
fn bar(floor: &Floor) -> Option<Bar> {
    let equal = matches!(floor.set, "topic" | "hard");
    let mut bar = Bar {
        hit1: floor.hit1 - 0.01,
        auroc: if equal { floor.auroc.unwrap_or(0.0) } else { 0.0 },
        right5: if equal { floor.right5.unwrap_or(0.0) } else { 0.0 },
        ece: 1.0,
    };
    match (floor.set, floor.variant) {
        ("languages", _) => return None,
        ("one500", "misspelt") => bar.hit1 = 0.975,
        ("section", "paraphrase") => (bar.hit1, bar.auroc) = (0.68, 0.75),
        ("hard", "misspelt") => bar.auroc = 0.96,
        ("hard", "all") => bar.ece = 0.05,
        _ => {}
    }
    Some(bar)
}

/// Prints the measures of a set beside the floors; returns how many are below their bar.
pub(super) fn print_set(set: &str, outcomes: &[Outcome]) -> usize {
    println!(
        "{:24} hit@1 (floor)   AUROC (floor)   right@5% (floor)   ECE   right / wrong",
        format!("{set}, wording")
    );
    let mut variants: Vec<&str> = outcomes.iter().map(|outcome| outcome.variant.as_str()).collect();
    variants.sort_unstable();
    variants.dedup();
    variants.push("all");
    let mut below = 0;
    for variant in variants {
        let measures =
            Measures::of(outcomes.iter().filter(|outcome| variant == "all" || outcome.variant == variant));
        let floor = FLOORS.iter().find(|floor| floor.set == set && floor.variant == variant);
        let missed = floor.and_then(bar).is_some_and(|bar| misses(&measures, &bar));
        below += usize::from(missed);
        println!(
            "{:24} {:.3} ({})   {} ({})   {} ({})      {}   {:.3} / {}{}",
            variant,
            measures.hit1,
            cell(floor.map(|floor| floor.hit1)),
            cell(measures.auroc),
            cell(floor.and_then(|floor| floor.auroc)),
            cell(measures.right5),
            cell(floor.and_then(|floor| floor.right5)),
            cell(measures.ece),
            measures.right,
            cell(measures.wrong),
            if missed { "   BELOW ITS BAR" } else { "" },
        );
    }
    below
}

/// Figures are compared as they are printed.
fn misses(measures: &Measures, bar: &Bar) -> bool {
    let below = |value: Option<f64>, least: f64| value.is_some_and(|value| value + 5e-4 < least);
    below(Some(measures.hit1), bar.hit1)
        || below(measures.auroc, bar.auroc)
        || below(measures.right5, bar.right5)
        || measures.ece.is_some_and(|ece| ece - 5e-4 > bar.ece)
}
