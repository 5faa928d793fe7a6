//! Recall by kind on texts that were written before the patterns were, and false alarms on what looks alike.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use preceptor_phi::scan;
use serde_json::Value;

/// The least share of the texts of each kind that must be found. The texts were written before the patterns were
/// looked at: some forms are beyond what a form alone can tell.
const FLOORS: [(&str, f64); 7] = [
    ("SocialSecurity", 0.97),
    ("RecordNumber", 0.97),
    ("DateOfBirth", 0.97),
    ("Contact", 0.97),
    ("Payment", 0.97),
    ("MachineAddress", 0.97),
    ("Name", 0.95),
];
/// The largest share of clean texts that may be stopped.
const MOST_FALSE_ALARMS: f64 = 0.005;

/// Kind and text of each line.
fn texts() -> Vec<(String, String)> {
    let field = |line: &Value, name: &str| line[name].as_str().expect("a text").to_owned();
    include_str!("held_out.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .map(|line: Value| (field(&line, "kind"), field(&line, "text")))
        .collect()
}

#[test]
fn recall_and_false_alarms_by_kind() {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (kind, text) in texts() {
        let stopped = !scan(&text).is_empty();
        if stopped == (kind == "Clean") {
            println!("{kind}: {text}");
        }
        let count = counts.entry(kind).or_default();
        count.0 += usize::from(stopped);
        count.1 += 1;
    }
    let share = |kind: &str| {
        let (stopped, of) = counts[kind];
        println!("{kind}: {stopped} of {of}");
        stopped as f64 / of as f64
    };
    let below: Vec<_> = FLOORS.iter().filter(|(kind, floor)| share(kind) < *floor).collect();
    let alarms = share("Clean");
    assert!(below.is_empty() && alarms <= MOST_FALSE_ALARMS, "below {below:?}, false alarms {alarms:.3}");
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

#[test]
#[ignore = "probe"]
fn probe() {
    let path = std::env::var("PHI_FILE").unwrap();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let v: Value = serde_json::from_str(line).unwrap();
        let (kind, text) = (v["kind"].as_str().unwrap().to_owned(), v["text"].as_str().unwrap().to_owned());
        let found = scan(&text);
        if found.is_empty() != (kind == "Clean") {
            println!("MISS {kind}: {text:?} {found:?}");
        }
        let count = counts.entry(kind).or_default();
        count.0 += usize::from(!found.is_empty());
        count.1 += 1;
    }
    for (k, (a, b)) in counts {
        println!("SHARE {k}: {a} of {b} {:.3}", a as f64 / b as f64);
    }
}
#[test]
#[ignore = "x"]
fn one() {
    for t in [
        "ip one nine two dot one six eight dot one dot seventy seven",
        "serial number of pump: 00A1B2C3",
        "x 7741 at the desk, call me",
        "w/o Krishnan 61/F",
    ] {
        println!("{} => {:?}", preceptor_phi::normalize(t), scan(t));
    }
}
#[test]
#[ignore = "x"]
fn two() {
    for l in std::fs::read_to_string("/work/shared/data/asks/languages.questions.jsonl").unwrap().lines() {
        let v: Value = serde_json::from_str(l).unwrap();
        let t = v["question"].as_str().unwrap();
        if !scan(t).is_empty() {
            let r = preceptor_phi::redact(t);
            let n = preceptor_phi::normalize(t);
            let k: Vec<_> = n.split(' ').filter(|w| !r.contains(w)).collect();
            println!("{:?} {k:?} {}", scan(t), &t.chars().take(60).collect::<String>());
        }
    }
}
