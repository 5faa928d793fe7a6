//! A thousand made-up tables, captions and formulas, written in every format that can carry them and read again: no
//! number, unit, sign or negation may be another one afterwards.
//!
//! The generator is seeded, so that a failure can be had again: it is named by its number.

mod formats;
mod formula;

use bytes::Bytes;
use formats::{Fact, Table};
use formula::Formula;
use preceptor_extract::{Budget, Extracted, Limits, MediaType, extract};

/// How many of each.
const MADE: u64 = 1_000;
const LIMITS: Limits =
    Limits { file_bytes: 1 << 24, unpacked_bytes: 1 << 24, text_bytes: 1 << 20, pages: 10 };

/// A small generator of random numbers (xorshift64*, Vigna 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(number: u64) -> Self {
        Self(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn read(media: MediaType, content: Vec<u8>) -> Extracted {
    let budget = Budget::of(&LIMITS);
    let shown = String::from_utf8_lossy(&content).into_owned();
    extract(media, &Bytes::from(content), &LIMITS, &budget, &mut |_, _| {})
        .unwrap_or_else(|error| panic!("{media:?}: {error}\n{shown}"))
}

fn blocks(document: &Extracted) -> Vec<(String, String)> {
    let text = |block: &preceptor_extract::Block| document.text[block.range.clone()].to_owned();
    document.blocks.iter().map(|block| (text(block), block.heading.to_string())).collect()
}

#[test]
fn tables_come_back_as_they_went() {
    for number in 0..MADE {
        let mut random = Random::of(number);
        let table = Table::of(&mut random, false);
        let plain = Table::of(&mut random, true);
        for (media, content, table) in [
            (MediaType::Markdown, table.unmerged().markdown(), &table.unmerged()),
            (MediaType::Markdown, table.html(), &table),
            (MediaType::Jats, table.jats(), &table),
            (MediaType::Pptx, table.pptx(), &table),
            (MediaType::Pdf, plain.pdf(&mut random), &plain),
        ] {
            let document = read(media, content.clone());
            let mut found = blocks(&document);
            // Slides and pages show the names of the columns as a row, too.
            if matches!(media, MediaType::Pptx | MediaType::Pdf) {
                assert_eq!(found.remove(0).0, table.columns(), "{media:?} {number}");
            }
            let shown = String::from_utf8_lossy(&content);
            let texts: Vec<&String> = found.iter().map(|(text, _)| text).collect();
            assert_eq!(texts, table.rows().iter().collect::<Vec<_>>(), "{media:?} {number}\n{shown}");
            assert!(
                found.iter().all(|(_, heading)| heading.ends_with(&table.columns())),
                "{media:?} {number}"
            );
        }
    }
}

#[test]
fn captions_come_back_as_they_went() {
    for number in 0..MADE {
        let mut random = Random::of(number);
        let words: Vec<String> = (0..4 + random.below(12))
            .flat_map(|at| {
                let fact = Fact::of(&mut random, false).linear();
                format!("item {at} {fact}").split(' ').map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        for media in [MediaType::WebVtt, MediaType::Srt] {
            let content = formats::captions(&words, media == MediaType::WebVtt, &mut random);
            let document = read(media, content.clone().into_bytes());
            assert_eq!(document.text, words.join(" "), "{media:?} {number}\n{content}");
            assert_eq!(document.left_out, [], "{media:?} {number}");
        }
    }
}

#[test]
fn formulas_come_back_with_their_value() {
    for number in 0..MADE {
        let formula = Formula::of(&mut Random::of(number), 3);
        for (media, content) in [
            (MediaType::Jats, formats::jats_formula(&format!("<mml:math>{}</mml:math>", formula.mathml()))),
            (MediaType::Jats, formats::jats_formula(&format!("<tex-math>${}$</tex-math>", formula.tex()))),
            (MediaType::Pptx, formats::pptx_formula(&formula.omml())),
        ] {
            let document = read(media, content.clone());
            let text =
                document.text.strip_prefix("It is = ").and_then(|text| text.strip_suffix(" mg, not less."));
            let text = text.unwrap_or_else(|| panic!("{media:?} {number}: {:?}", document.text));
            let value =
                formula::value(text).unwrap_or_else(|| panic!("{media:?} {number}: {text} has no value"));
            let right = formula.value();
            let close =
                (value - right).abs() <= 1e-9 * right.abs().max(1.0) || (value.is_nan() && right.is_nan());
            assert!(
                close || value.to_bits() == right.to_bits(),
                "{media:?} {number}: {text} is {value}, not {right}"
            );
            assert_eq!(formula::numbers(text), formula.numbers(), "{media:?} {number}: {text}");
        }
    }
}

/// What is lost is not found again: the checks above tell a changed text from its original.
#[test]
fn the_checks_can_fail() {
    let formula = Formula::of(&mut Random::of(7), 3);
    assert_eq!(formula::value("2^3 × (4-1)"), Some(24.0));
    assert_ne!(formula::value("23 × (4-1)"), Some(24.0));
    assert_ne!(formula::numbers("10^9"), formula::numbers("109"));
    assert!(!formula.numbers().is_empty());
    assert!((0..100).any(|number| Fact::of(&mut Random::of(number), false).linear().contains('^')));
    assert!((0..100).any(|number| Fact::of(&mut Random::of(number), false).linear().contains("not")));
    assert!((0..100).any(|number| Table::of(&mut Random::of(number), false)
        != Table::of(&mut Random::of(number), false).unmerged()));
}
