//! Recall by kind on texts that were measured before the patterns were changed for them, and false alarms on what looks
//! alike. Here every file is a floor: what was found once is found for good. Of texts that nobody has seen, only the first
//! figures tell:
//!
//! - `fresh.jsonl`, parts a and b: written before the patterns were read; b was first measured after a change for a.
//!   Part c was written to find gaps.
//! - `blind.jsonl`, parts 1 to 4: written one after the other by who knew the patterns, each measured before any change
//!   for it. Names were found at .92, .84, .87 and .87, record numbers at .93, .95, .96 and .90, all other kinds
//!   together at .96, .98, .94 and 1.0; of 160 clean texts two were stopped.
//! - `unseen.jsonl`: written before the rules were read. First look: names .97, record numbers 1.0, SSN 1.0, contacts
//!   .97, cards .95, dates 1.0; 4 of 150 clean texts were stopped. Its author knew which kinds had been missed before.
//! - `second.jsonl`: written by who had just changed the rules for `unseen.jsonl`. First look: names .92, record numbers
//!   .93, SSN .97 (58 of 60), contacts .93, cards .98, dates 1.0; 2 of 155 clean texts were stopped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use preceptor_phi::scan;
use serde_json::Value;

/// The kinds, in the order of the floors.
const KINDS: [&str; 7] =
    ["SocialSecurity", "RecordNumber", "DateOfBirth", "Contact", "Payment", "MachineAddress", "Name"];

/// Texts, the least share of each kind that must be found, and the largest share of clean ones that may be stopped.
struct Set {
    name: &'static str,
    lines: &'static str,
    floors: [f64; 7],
    most_false_alarms: f64,
}

const SETS: [Set; 5] = [
    Set {
        name: "held_out",
        lines: include_str!("held_out.jsonl"),
        floors: [1.0, 1.0, 1.0, 0.99, 1.0, 1.0, 0.985],
        most_false_alarms: 0.0,
    },
    Set {
        name: "fresh",
        lines: include_str!("fresh.jsonl"),
        floors: [1.0, 0.99, 1.0, 0.99, 1.0, 1.0, 0.975],
        most_false_alarms: 0.0,
    },
    Set {
        name: "blind",
        lines: include_str!("blind.jsonl"),
        floors: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        most_false_alarms: 0.0,
    },
    Set {
        name: "unseen",
        lines: include_str!("unseen.jsonl"),
        floors: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        most_false_alarms: 0.0,
    },
    Set {
        name: "second",
        lines: include_str!("second.jsonl"),
        floors: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        most_false_alarms: 0.0,
    },
];

/// Kind and text of each line.
fn texts(lines: &str) -> Vec<(String, String)> {
    let field = |line: &Value, name: &str| line[name].as_str().expect("a text").to_owned();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .map(|line: Value| (field(&line, "kind"), field(&line, "text")))
        .collect()
}

/// How many texts of each kind were stopped, of how many.
fn counts(set: &Set) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (kind, text) in texts(set.lines) {
        let stopped = !scan(&text).is_empty();
        if stopped == (kind == "Clean") {
            println!("{} {kind}: {text}", set.name);
        }
        let count = counts.entry(kind).or_default();
        count.0 += usize::from(stopped);
        count.1 += 1;
    }
    counts
}

#[test]
fn recall_and_false_alarms_by_kind() {
    let mut wrong = Vec::new();
    for set in &SETS {
        let counts = counts(set);
        let share = |kind: &str| {
            let (stopped, of) = counts[kind];
            let share = stopped as f64 / of as f64;
            println!("{} {kind}: {stopped} of {of}, {share:.3}", set.name);
            share
        };
        for (kind, floor) in KINDS.iter().zip(set.floors) {
            let found = share(kind);
            if found < floor {
                wrong.push(format!("{} {kind}: {found:.3} below {floor}", set.name));
            }
        }
        let alarms = share("Clean");
        if alarms > set.most_false_alarms {
            wrong.push(format!("{} false alarms: {alarms:.3}", set.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The patterns are compiled first; then the time of a question is printed in microseconds.
#[test]
#[ignore = "prints times"]
fn time_of_a_question() {
    let questions = [
        "what is the dose of apixaban at age 80 with a creatinine of 1.6 mg/dl and a weight of 58 kg in AF?",
        "is bridging needed before colonoscopy in patients on rivaroxaban, and when should it be restarted?",
        "Does the ARISTOTLE trial (N Engl J Med 2011;365:981-92) support 2.5 mg in patients older than 80?",
    ];
    let run = |times: u32, work: &dyn Fn(&str)| {
        let begun = Instant::now();
        for _ in 0..times {
            for question in questions {
                work(question);
            }
        }
        begun.elapsed() / (times * 3)
    };
    let cold: Duration = run(1, &|text| drop(scan(text)));
    let warm = run(500, &|text| drop(scan(text)));
    println!("first {cold:?}, then {warm:?}");
}
