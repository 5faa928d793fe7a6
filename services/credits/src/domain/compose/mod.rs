//! Items made from the text itself, without a language model: a sentence with a gap, or a sentence that is true or was
//! altered. What fills the gap, and what is put in its place, comes from the same program and is of the same kind: a
//! number with its unit against numbers with that unit, a drug against drugs.

mod alike;
mod judge;
mod kinds;
mod rivals;
mod statements;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use preceptor_models::text::Analyzer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) use judge::{Flaw, Judge, Question};
use kinds::{Kind, Target, targets};
use rivals::Rivals;
use statements::Statement;

/// Distractors of a multiple-choice item.
const DISTRACTORS: usize = 3;
/// Items that one passage may give.
const MOST_PER_PASSAGE: usize = 2;
/// Things to ask for that are looked at: more than any request needs, in an order that favors no place. Each is compared
/// with the whole program, so that a large program costs in proportion to its size.
const MOST_CANDIDATES: usize = 4_000;

/// A passage as the composer reads it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Passage {
    pub(crate) id: String,
    pub(crate) ordinal: i64,
    pub(crate) text: String,
    /// Sentences in bytes of `text`.
    pub(crate) sentences: Vec<std::ops::Range<usize>>,
}

/// A verified source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) passages: Vec<Passage>,
}

/// What is wanted. Empty strings: whatever there is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) count: usize,
    pub(crate) kind: String,
    pub(crate) difficulty: String,
}

/// An item no one has looked at yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) source_id: String,
    pub(crate) source_version: String,
    pub(crate) passage_id: String,
    pub(crate) ordinal: i64,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) difficulty: Cow<'static, str>,
    pub(crate) stem: String,
    /// Texts, with the right one marked.
    pub(crate) options: Vec<(String, bool)>,
    pub(crate) explanation: String,
    pub(crate) quote: String,
}

impl Draft {
    fn question(&self) -> Question {
        Question {
            kind: self.kind.to_string(),
            stem: self.stem.clone(),
            options: self.options.clone(),
            passages: vec![self.passage_id.clone()],
        }
    }
}

/// A statement with something in it that can be asked for.
struct Candidate<'s, 'a> {
    statement: &'s Statement<'a>,
    target: Target,
    /// Of the same kind, from elsewhere in the program, best first.
    distractors: Vec<String>,
    difficulty: &'static str,
}

/// Makes up to `wanted.count` drafts; `taken` holds the stems that the bank has already.
pub(crate) fn compose(sources: &[Source], wanted: &Wanted, taken: &HashSet<String>) -> Vec<Draft> {
    let analyzer = Analyzer::default();
    let statements: Vec<Statement<'_>> =
        sources.iter().flat_map(|source| statements::of_source(source, &analyzer)).collect();
    let rivals = Rivals::of(&statements);
    let mut taken = taken.clone();
    let mut per_passage: BTreeMap<(String, i64), usize> = BTreeMap::new();
    let mut drafts = Vec::new();
    for candidate in candidates(&statements, &rivals) {
        let place = (candidate.statement.source.version.clone(), candidate.statement.passage.ordinal);
        let made = per_passage.entry(place).or_default();
        if *made >= MOST_PER_PASSAGE {
            continue;
        }
        let Some(draft) = draft(&candidate, wanted).filter(|draft| taken.insert(draft.stem.clone())) else {
            continue;
        };
        *made += 1;
        drafts.push(draft);
    }
    let judge = Judge::of(sources);
    spread(drafts, wanted.count, |draft| judge.flaw(&draft.question()).is_none())
}

/// Every statement with its targets, in an order that does not depend on where a statement stands: the beginning of each
/// document would be asked about and its end never.
fn candidates<'s, 'a>(statements: &'s [Statement<'a>], rivals: &Rivals) -> Vec<Candidate<'s, 'a>> {
    let mut all: Vec<([u8; 32], usize, Target)> = Vec::new();
    for (number, statement) in statements.iter().enumerate() {
        for target in targets(statement.text) {
            all.push((Sha256::digest(format!("{}{}", statement.text, target.text)).into(), number, target));
        }
    }
    all.sort_by_key(|(order, _, _)| *order);
    all.truncate(MOST_CANDIDATES);
    let candidate = |(_, number, target): (_, usize, Target)| {
        if rivals.is_ambiguous(number, &target) {
            return None;
        }
        let statement = &statements[number];
        let distractors = rivals.distractors(statement, &target);
        let needed = if matches!(target.kind, Kind::Quantity { .. }) { 1 } else { DISTRACTORS };
        if distractors.len() < needed {
            return None;
        }
        let difficulty = difficulty(&target, &distractors);
        Some(Candidate { statement, target, distractors, difficulty })
    };
    all.into_iter().filter_map(candidate).collect()
}

/// How close the distractors are to the answer.
fn difficulty(target: &Target, distractors: &[String]) -> &'static str {
    let nearest = distractors
        .iter()
        .take(DISTRACTORS)
        .filter_map(|text| target.distance(text))
        .fold(f64::INFINITY, f64::min);
    match &target.kind {
        Kind::Drug { .. }
            if distractors
                .iter()
                .take(DISTRACTORS)
                .any(|text| kinds::drug_family(text) == kinds::drug_family(&target.text)) =>
        {
            "hard"
        }
        Kind::Drug { .. } => "moderate",
        Kind::Quantity { .. } if nearest < 0.35 => "hard",
        Kind::Quantity { .. } if nearest < 1.1 => "moderate",
        Kind::Quantity { .. } => "easy",
    }
}

/// One candidate as an item: a gap where there are enough distractors, else a statement that is true or altered.
fn draft(candidate: &Candidate<'_, '_>, wanted: &Wanted) -> Option<Draft> {
    let gap_possible = candidate.distractors.len() >= DISTRACTORS;
    // Which of the two a candidate becomes is decided by its own text, so that the same bank comes out every time.
    let coin = Sha256::digest(candidate.statement.text)[0];
    let gap = match wanted.kind.as_str() {
        "multiple_choice" => gap_possible.then_some(true)?,
        "true_false" => false,
        _ => gap_possible && !coin.is_multiple_of(4),
    };
    let difficulty = if gap { candidate.difficulty } else { easier(candidate.difficulty) };
    if !wanted.difficulty.is_empty() && wanted.difficulty != difficulty {
        return None;
    }
    Some(if gap { cloze(candidate, difficulty) } else { altered(candidate, coin % 2 == 1, difficulty) })
}

/// Two options are easier than four.
fn easier(difficulty: &'static str) -> &'static str {
    match difficulty {
        "hard" => "moderate",
        _ => "easy",
    }
}

fn base(candidate: &Candidate<'_, '_>, difficulty: &'static str) -> Draft {
    let statement = candidate.statement;
    Draft {
        source_id: statement.source.id.clone(),
        source_version: statement.source.version.clone(),
        passage_id: statement.passage.id.clone(),
        ordinal: statement.passage.ordinal,
        kind: "multiple_choice".into(),
        difficulty: difficulty.into(),
        stem: String::new(),
        options: Vec::new(),
        explanation: format!("“{}”", statement.text),
        quote: statement.text.to_owned(),
    }
}

fn cloze(candidate: &Candidate<'_, '_>, difficulty: &'static str) -> Draft {
    let Candidate { statement, target, distractors, .. } = candidate;
    let text = statement.text;
    let stem = format!(
        "Complete the statement from “{}”: {}_____{}",
        statement.source.title,
        &text[..target.range.start],
        &text[target.range.end..]
    );
    let mut options: Vec<(String, bool)> =
        distractors.iter().take(DISTRACTORS).map(|text| (text.clone(), false)).collect();
    options.push((target.text.clone(), true));
    kinds::in_natural_order(&mut options);
    Draft { stem, options, ..base(candidate, difficulty) }
}

fn altered(candidate: &Candidate<'_, '_>, is_true: bool, difficulty: &'static str) -> Draft {
    let Candidate { statement, target, distractors, .. } = candidate;
    let text = statement.text;
    let shown = if is_true {
        text.to_owned()
    } else {
        format!("{}{}{}", &text[..target.range.start], distractors[0], &text[target.range.end..])
    };
    Draft {
        kind: "true_false".into(),
        stem: format!("True or false, according to “{}”? {shown}", statement.source.title),
        options: vec![("True".to_owned(), is_true), ("False".to_owned(), !is_true)],
        ..base(candidate, difficulty)
    }
}

/// Takes turns between difficulties, so that a bank of any size holds all of them. Only those that are `fair` are taken.
fn spread(drafts: Vec<Draft>, count: usize, fair: impl Fn(&Draft) -> bool) -> Vec<Draft> {
    let mut by_difficulty: BTreeMap<Cow<'static, str>, std::collections::VecDeque<Draft>> = BTreeMap::new();
    for draft in drafts {
        by_difficulty.entry(draft.difficulty.clone()).or_default().push_back(draft);
    }
    let mut taken = Vec::with_capacity(count);
    while taken.len() < count {
        let before = taken.len();
        for waiting in by_difficulty.values_mut() {
            taken.extend(std::iter::from_fn(|| waiting.pop_front()).find(&fair));
        }
        if taken.len() == before {
            break;
        }
    }
    taken.truncate(count);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(id: &str, text: &[&str]) -> Source {
        let mut whole = String::new();
        let mut sentences = Vec::new();
        for sentence in text {
            let start = whole.len();
            whole.push_str(sentence);
            sentences.push(start..whole.len());
            whole.push(' ');
        }
        let passage = Passage { id: format!("psg_{id}"), ordinal: 0, text: whole, sentences };
        Source {
            id: id.to_owned(),
            version: format!("{id}v"),
            title: format!("Title {id}"),
            passages: vec![passage],
        }
    }

    pub(super) fn program() -> Vec<Source> {
        vec![
            source(
                "a",
                &[
                    "The usual starting dose of apixaban is 5 mg twice a day for most adults.",
                    "It is taken with or without food.",
                ],
            ),
            source("b", &["Older adults with a low body weight receive 2.5 mg of apixaban twice a day."]),
            source(
                "c",
                &[
                    "Rivaroxaban is given as 20 mg once a day with the evening meal.",
                    "Dabigatran capsules hold 150 mg and are swallowed whole.",
                ],
            ),
            source("d", &["Edoxaban is reduced to 30 mg once a day when kidney function is poor."]),
        ]
    }

    fn all(wanted: &Wanted) -> Vec<Draft> {
        compose(&program(), wanted, &HashSet::new())
    }

    #[test]
    fn the_key_is_in_the_passage_and_no_distractor_is() {
        let drafts = all(&Wanted { count: 20, kind: "multiple_choice".into(), ..Wanted::default() });
        assert!(!drafts.is_empty());
        for draft in &drafts {
            let passage = &program()
                .into_iter()
                .find(|source| source.id == draft.source_id)
                .expect("its source")
                .passages[0]
                .text;
            assert!(passage.contains(&draft.quote));
            // As a whole: "5 mg" is not in "2.5 mg".
            let words: Vec<&str> = passage.split([' ', ',']).map(|word| word.trim_end_matches('.')).collect();
            for (option, right) in &draft.options {
                let wanted: Vec<&str> = option.split(' ').collect();
                assert_eq!(
                    words.windows(wanted.len()).any(|window| window == wanted),
                    *right,
                    "{option} in {passage}"
                );
            }
            assert_eq!(draft.options.iter().filter(|(_, right)| *right).count(), 1);
            assert_eq!(draft.options.len(), 1 + DISTRACTORS);
        }
    }

    #[test]
    fn distractors_are_of_the_same_kind() {
        for draft in all(&Wanted { count: 20, kind: "multiple_choice".into(), ..Wanted::default() }) {
            let units: HashSet<_> = draft.options.iter().map(|(text, _)| text.ends_with("mg")).collect();
            assert_eq!(units.len(), 1, "{:?}", draft.options);
        }
    }

    #[test]
    fn the_same_program_gives_the_same_items_and_none_twice() {
        let wanted = Wanted { count: 20, ..Wanted::default() };
        let drafts = all(&wanted);
        assert_eq!(drafts, all(&wanted));
        let taken: HashSet<_> = drafts.iter().map(|draft| draft.stem.clone()).collect();
        assert_eq!(taken.len(), drafts.len());
        let again = compose(&program(), &wanted, &taken);
        assert!(again.iter().all(|draft| !taken.contains(&draft.stem)));
    }

    /// Each sentence of its own, each with a number: the worst that a program of this size can be.
    #[test]
    fn a_large_program_costs_in_proportion_to_its_size() {
        let words = [
            "liver", "kidney", "heart", "lung", "brain", "skin", "bone", "nerve", "blood", "muscle", "vessel",
        ];
        let sentence = |number: usize| {
            let word = |place: usize| words[(number / 11_usize.pow(place as u32)) % 11];
            format!(
                "In study {number} the {} and the {} of the {} group {number} received {number} mg of the compound.",
                word(0),
                word(1),
                word(2)
            )
        };
        let sentences: Vec<String> = (1..=4_500).map(sentence).collect();
        let sources: Vec<Source> = sentences
            .chunks(10)
            .enumerate()
            .map(|(number, some)| {
                source(&number.to_string(), &some.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let statements: Vec<Statement<'_>> =
            sources.iter().flat_map(|source| statements::of_source(source, &Analyzer::default())).collect();
        assert!(statements.len() > 4_000, "{} statements", statements.len());
        let rivals = Rivals::of(&statements);
        assert!(candidates(&statements, &rivals).len() <= MOST_CANDIDATES);
        compose(&sources, &Wanted { count: 50, ..Wanted::default() }, &HashSet::new());
    }

    #[test]
    fn a_false_statement_differs_from_the_quote() {
        for draft in all(&Wanted { count: 20, kind: "true_false".into(), ..Wanted::default() }) {
            let is_true = draft.options[0].1;
            assert_eq!(draft.stem.contains(&draft.quote), is_true, "{draft:?}");
        }
    }
}
