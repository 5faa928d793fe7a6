//! Small inputs that went wrong with comparable software, each with its right value (`../shared/data/cases`).
//!
//! The right values are here as checks; the inputs are data that is kept beside the workspace. Without them the test says
//! loudly that it did not run.

use std::path::PathBuf;

use bytes::Bytes;
use preceptor_extract::{
    Budget, Extracted, Limits, Locator, MediaType, NoteKind, extract, has_hole, passages,
};

const LIMITS: Limits =
    Limits { file_bytes: 1 << 26, unpacked_bytes: 1 << 26, text_bytes: 1 << 22, pages: 100 };

/// An input and what must hold of it.
struct Case {
    file: &'static str,
    /// Texts that must be in the document, in this order.
    holds: &'static [&'static str],
    /// Texts that must not be in it.
    lacks: &'static [&'static str],
    /// Kinds of notes that must have been made.
    notes: &'static [NoteKind],
}

const CASES: [Case; 23] = [
    Case {
        file: "d01_rowwise_columns.pdf",
        holds: &[
            "Apixaban is started at five milligrams twice a day in most adults with atrial fibrillation. The dose is halved in \
             frail patients.",
            "Warfarin is started at two milligrams once a day in the elderly. The dose is guided by the INR, which is checked \
             every week.",
        ],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "d02_sup.pdf",
        holds: &["50 x 10^9/L. Mortality was lower. The unit is kg/m^2 here."],
        lacks: &["109", "lower.12", "lower. 12"],
        notes: &[NoteKind::ReferenceMark],
    },
    Case {
        file: "d04_hidden.pdf",
        holds: &["colchicine is 1.2 mg.", "Renal function is checked before the first dose."],
        lacks: &["12 mg by", "24 mg", "36 mg", "48 mg"],
        notes: &[NoteKind::HiddenText],
    },
    Case {
        file: "d07_no_unicode.pdf",
        holds: &["creatinine clearance is [sign that cannot be read] 30 mL per minute."],
        lacks: &["clearance is 30"],
        notes: &[NoteKind::UnreadableSign],
    },
    Case {
        file: "d08_rtl.pdf", holds: &["מינון אפיקסבן הוא 5 מ\"ג פעמיים ביום"], lacks: &[], notes: &[]
    },
    Case {
        file: "d14_ligatures.pdf",
        holds: &["The efficacy of fluconazole was confirmed in the final analysis."],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "d16_deck_titles.pdf",
        holds: &[
            "Pneumonia doses (1/4)",
            "Pneumonia doses (2/4)",
            "Pneumonia doses (3/4)",
            "Pneumonia doses (4/4)",
        ],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "j01_sup.xml",
        holds: &[
            "50 × 10^9/L in 12 patients and the limit was 10^−3 mol/L. Mortality was lower with heparin. Doses of 5 mg^2 were",
        ],
        lacks: &["109", "12,13", "mg2"],
        notes: &[NoteKind::ReferenceMark],
    },
    Case {
        file: "j02_formula.xml",
        holds: &[
            "computed as (140-age) times weight, and the dose was halved when it was ≤ 30 mL per minute.",
            "CL = 72",
        ],
        lacks: &["documentclass"],
        notes: &[],
    },
    Case {
        file: "j07_entities.xml",
        holds: &["Give 5 mg of drug—not more—if age ≥ 80 and α-blocker is used."],
        lacks: &["&"],
        notes: &[],
    },
    Case {
        file: "m01_br.md",
        holds: &["Apixaban | 5 mg 2.5 mg if frail", "Edoxaban | 60 mg 30 mg if CrCl 15-50"],
        lacks: &["mg2.5"],
        notes: &[],
    },
    Case {
        file: "m02_sup.md",
        holds: &["100 × 10^9/L. The limit of detection is 10^-3 mol/L and H2O is fine."],
        lacks: &["109", "10-3"],
        notes: &[],
    },
    Case {
        file: "p01_hidden.pptx",
        holds: &["Loading doses of amiodarone", "Maintenance amiodarone"],
        lacks: &["900 mg"],
        notes: &[NoteKind::HiddenSlide],
    },
    Case {
        file: "p02_smartart.pptx",
        holds: &["The pathway has two steps.", "Give antibiotics within one hour"],
        lacks: &[],
        notes: &[NoteKind::Diagram],
    },
    Case {
        file: "p05_merged.pptx",
        holds: &["Statins | Atorvastatin | 40 mg", "Statins | Rosuvastatin | 20 mg", "Ezetimibe (alone)"],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "v01_no_blank.vtt",
        holds: &["text1", "text2", "text3", "text4", "text5", "text6"],
        lacks: &["foo", "-->"],
        notes: &[NoteKind::BadCaption],
    },
    Case {
        file: "v03_bad_cue.vtt",
        holds: &["text1", "text2"],
        lacks: &["invalid"],
        notes: &[NoteKind::BadCaption],
    },
    Case {
        file: "v07_rolling.vtt",
        holds: &[
            "start apixaban at five milligrams twice daily for most adults and check kidney function yearly",
        ],
        lacks: &["<"],
        notes: &[],
    },
    Case {
        file: "v08_zoom.vtt",
        holds: &["Give the first dose within one hour.", "And repeat the lactate after two hours."],
        lacks: &["Christina", "Omar"],
        notes: &[],
    },
    Case {
        file: "v09_voice.vtt",
        holds: &["Hold metformin before contrast.", "Restart it after forty-eight hours."],
        lacks: &["<"],
        notes: &[],
    },
    Case {
        file: "v10_less.srt",
        holds: &[
            "Stop the drug if potassium is <3.5 or >5.5 mmol/L.",
            "The score is positive when age <65 and heart rate >100.",
        ],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "v12_blank_inside.srt",
        holds: &[
            "Do not give thrombolysis if the platelet count is below one hundred thousand.",
            "Otherwise proceed.",
        ],
        lacks: &[],
        notes: &[],
    },
    Case {
        file: "v14_short_fraction.srt",
        holds: &["Two digits after the comma.", "One digit for the hour."],
        lacks: &[],
        notes: &[],
    },
];

fn folder() -> Option<PathBuf> {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR")).canonicalize().ok()?;
    let workspace = crates.ancestors().nth(2)?.to_owned();
    let beside = workspace.ancestors().skip(1).map(|above| above.join("shared/data/cases"));
    beside.into_iter().find(|folder| folder.is_dir())
}

fn read(file: &str) -> Option<Result<Extracted, String>> {
    let folder = folder()?;
    let content = std::fs::read(folder.join(file)).expect("a case");
    let media = MediaType::declared(file, "").expect("a kind of file");
    let content = Bytes::from(content);
    let budget = Budget::of(&LIMITS);
    Some(extract(media, &content, &LIMITS, &budget, &mut |_, _| {}).map_err(|error| error.to_string()))
}

fn skipped() {
    eprintln!("SKIPPED: shared/data/cases is not beside this workspace; no case was read");
}

/// What is wrong with a case.
fn wrong(case: &Case, document: &Extracted) -> Vec<String> {
    let mut wrong = Vec::new();
    // Blocks of one paragraph follow each other with a space; a text may go over several of them.
    let mut from = 0;
    for text in case.holds {
        match document.text[from..].find(text) {
            Some(at) => from += at + text.len(),
            None => wrong.push(format!("lacks {text:?} (in this order)")),
        }
    }
    wrong.extend(
        case.lacks.iter().filter(|text| document.text.contains(**text)).map(|text| format!("holds {text:?}")),
    );
    for kind in case.notes {
        if !document.left_out.iter().any(|note| note.kind == *kind) {
            wrong.push(format!("has no note {}", kind.name()));
        }
    }
    assert_eq!(document.notes.len(), document.left_out.len(), "every note is in words too");
    wrong
}

#[test]
fn every_case_is_read_right() {
    if folder().is_none() {
        return skipped();
    }
    let mut all = Vec::new();
    for case in &CASES {
        let read = read(case.file).expect("a folder");
        let wrong = match &read {
            Ok(document) => wrong(case, document),
            Err(problem) => vec![format!("is refused: {problem}")],
        };
        let text = read.map(|document| (document.text, document.notes));
        all.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}\n{text:?}", case.file)));
    }
    assert!(all.is_empty(), "{} of {} cases are wrong:\n{}", all.len(), CASES.len(), all.join("\n"));
}

#[test]
fn every_case_that_is_kept_is_a_case_here() {
    let Some(folder) = folder() else { return skipped() };
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        if !name.ends_with(".right.txt") && name != "README.md" {
            assert!(CASES.iter().any(|case| case.file == name), "{name} is not checked");
        }
    }
}

/// Times, speakers and places, which a text does not show.
#[test]
fn every_case_has_its_places() {
    let time = |file: &str, words: &str| -> Option<(i64, String)> {
        let document = read(file)?.expect("captions");
        let block = document.blocks.iter().find(|block| document.text[block.range.clone()].contains(words));
        match &block.expect("a caption").locator {
            Locator::Time { start_ms, speaker, .. } => Some((*start_ms, speaker.clone())),
            other => panic!("{other:?}"),
        }
    };
    if folder().is_none() {
        return skipped();
    }
    for (file, words, start_ms, speaker) in [
        ("v07_rolling.vtt", "start apixaban", 160, ""),
        ("v07_rolling.vtt", "twice daily", 3_200, ""),
        ("v07_rolling.vtt", "and check", 6_400, ""),
        ("v08_zoom.vtt", "Give the first", 5_790, "Christina Vale"),
        ("v08_zoom.vtt", "And repeat", 12_790, "Omar Haddad"),
        ("v09_voice.vtt", "Hold metformin", 5_000, "Renée O'Neil"),
        ("v12_blank_inside.srt", "hundred thousand", 1_330_440, ""),
        ("v14_short_fraction.srt", "Two digits", 1_767_460, ""),
        ("v14_short_fraction.srt", "One digit", 53_860, ""),
    ] {
        assert_eq!(time(file, words), Some((start_ms, speaker.to_owned())), "{file}: {words}");
    }
    let merged = read("p05_merged.pptx").expect("a folder").expect("a deck");
    assert!(
        merged.blocks.iter().any(|block| &*block.heading == "Lipids: Class | Drug | Daily dose"
            && merged.text[block.range.clone()].starts_with("Statins | Rosuvastatin")),
        "a row is under its header"
    );
}

/// A hole is in the sentence that it makes doubtful, so that one who quotes it can see that.
#[test]
fn a_sentence_with_a_hole_says_so() {
    let Some(read) = read("d07_no_unicode.pdf") else { return skipped() };
    let document = read.expect("a page");
    let passages = passages(&document, &Budget::of(&LIMITS)).expect("passages");
    let sentences: Vec<String> = passages
        .iter()
        .flat_map(|passage| {
            let text = &document.text[passage.range.clone()];
            passage.sentences.iter().map(|sentence| text[sentence.clone()].to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let holes: Vec<bool> = sentences.iter().map(|sentence| has_hole(sentence)).collect();
    assert_eq!(holes, [true, false], "{sentences:?}");
}
