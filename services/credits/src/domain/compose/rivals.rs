//! What stands against the right answer, and when there would be two of them.

use std::collections::{BTreeMap, BTreeSet};

use super::DISTRACTORS;
use super::alike::{Alike, Dictionary};
use super::kinds::{Kind, Target, drug_family, in_notation_of, number, targets};
use super::statements::Statement;

/// Statements that share this much of what they are about may be about the same thing.
pub(super) const SAME_SUBJECT: f64 = 0.5;
/// A distractor further away than this factor is recognized without reading.
const FARTHEST: f64 = 20.0;

/// Of the texts of a kind so many are looked at closely, those that rank best.
const LOOKED_AT: usize = 64;

/// A text that can be asked for somewhere.
#[derive(Debug)]
struct Known {
    text: String,
    lower: String,
    value: Option<f64>,
}

/// Everything of a program that can be asked for, with where it stands.
#[derive(Debug)]
pub(crate) struct Rivals {
    by_kind: BTreeMap<Kind, Vec<Known>>,
    /// By statement, what can be asked for in it.
    targets: Vec<Vec<(Kind, String)>>,
    alike: Alike,
}

impl Rivals {
    /// Collects the targets of all statements.
    pub(crate) fn of(statements: &[Statement<'_>]) -> Self {
        let mut texts: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        let mut of_statements = Vec::with_capacity(statements.len());
        let (mut dictionary, mut lists) = (Dictionary::default(), Vec::with_capacity(statements.len()));
        for statement in statements {
            let found = targets(statement.text);
            of_statements
                .push(found.iter().map(|target| (target.kind.clone(), same_value(&target.text))).collect());
            for target in found {
                texts.entry(target.kind).or_default().insert(target.text);
            }
            lists.push(dictionary.learn(statement.terms.iter().cloned()));
        }
        let known = |text: String| Known { lower: text.to_lowercase(), value: number(&text), text };
        let by_kind =
            texts.into_iter().map(|(kind, texts)| (kind, texts.into_iter().map(known).collect())).collect();
        Self { by_kind, targets: of_statements, alike: Alike::of(lists) }
    }

    /// Texts of the same kind that the passage does not hold, the best few: for numbers those that are written alike and
    /// near, for drugs those of the same family.
    pub(crate) fn distractors(&self, statement: &Statement<'_>, target: &Target) -> Vec<String> {
        let Some(known) = self.by_kind.get(&target.kind) else { return Vec::new() };
        let mut ranked: Vec<(f64, &Known)> =
            known.iter().filter_map(|known| Some((rank(target, known)?, known))).collect();
        let by_rank = |(a, _): &(f64, &Known), (b, _): &(f64, &Known)| a.total_cmp(b);
        let mut near = ranked.clone();
        if near.len() > LOOKED_AT {
            // With all that rank as well as the last of them, so that the order among equals stays what it is.
            let last = near.select_nth_unstable_by(LOOKED_AT - 1, by_rank).1.0;
            near.retain(|(rank, _)| *rank <= last);
        }
        let found = usable(&near, statement, target);
        if found.len() < DISTRACTORS && near.len() < ranked.len() {
            ranked.sort_by(by_rank);
            return usable(&ranked, statement, target);
        }
        found
    }

    /// Whether another statement of the program seems to say the same as the statement of that number with something
    /// else in the place of the target: then more than one answer would be right somewhere.
    pub(crate) fn is_ambiguous(&self, number: usize, target: &Target) -> bool {
        let own = same_value(&target.text);
        let names_another = |other: usize| {
            self.targets.get(other).is_some_and(|targets| {
                targets.iter().any(|(kind, value)| *kind == target.kind && *value != own)
            })
        };
        self.alike.any_like(number, names_another)
    }
}

/// The best of these that cannot be right.
fn usable(ranked: &[(f64, &Known)], statement: &Statement<'_>, target: &Target) -> Vec<String> {
    let passage = statement.passage.text.to_lowercase();
    let numbers = numbers(&passage);
    let mut spelled: Vec<(f64, String, &Known)> =
        ranked.iter().map(|(rank, known)| (*rank, like(target, &known.text), *known)).collect();
    spelled.sort_by(|(a, x, _), (b, y, _)| a.total_cmp(b).then_with(|| x.cmp(y)));
    // A number that the passage holds in whatever notation could be right too.
    let could_be_right = |known: &Known| {
        known.value.is_some_and(|value| numbers.contains(&value.to_bits())) || holds(&passage, &known.lower)
    };
    let mut seen = BTreeSet::from([same_value(&target.text)]);
    let wrong = spelled.into_iter().filter(|(_, _, known)| !could_be_right(known)).map(|(_, text, _)| text);
    wrong.filter(|text| seen.insert(same_value(text))).take(DISTRACTORS).collect()
}

/// Every number of a text.
fn numbers(text: &str) -> BTreeSet<u64> {
    let starts = text.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && !text[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',')
    });
    starts.filter_map(|(at, _)| number(&text[at..])).map(f64::to_bits).collect()
}

/// Whether a text holds a number or a word as a whole: "5 mg" is not in "25 mg".
fn holds(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.'))
}

/// How good a distractor is; less is better. Nothing when it is none.
fn rank(target: &Target, known: &Known) -> Option<f64> {
    match target.kind {
        Kind::Drug { .. } => {
            let family = drug_family(&known.text);
            Some(if family.is_some() && family == drug_family(&target.text) { 0.0 } else { 1.0 })
        }
        Kind::Quantity { percent, .. } => {
            let value = known.value?;
            let distance = target.distance_to(value)?;
            let impossible = percent && value > 100.0;
            let is_whole = |value: f64| value.fract() == 0.0;
            (distance > 0.0 && distance < f64::ln(FARTHEST) && !impossible)
                .then(|| distance + if is_whole(value) == is_whole(target.value) { 0.0 } else { 0.5 })
        }
    }
}

/// A distractor in the spelling of the target: a capital where the target has one, and the same notation of a unit.
fn like(target: &Target, text: &str) -> String {
    let capital = target.text.chars().next().is_some_and(char::is_uppercase);
    match (&target.kind, text.chars().next()) {
        (Kind::Drug { .. }, Some(first)) if capital => {
            format!("{}{}", first.to_uppercase(), &text[first.len_utf8()..])
        }
        (Kind::Drug { .. }, _) if !capital => text.to_lowercase(),
        (Kind::Drug { .. }, _) => text.to_owned(),
        (Kind::Quantity { .. }, _) => in_notation_of(&target.text, text),
    }
}

/// What two spellings of the same thing have in common.
pub(super) fn same_value(text: &str) -> String {
    number(text).map_or_else(|| text.to_lowercase(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_number_is_not_the_number() {
        assert!(
            holds("the dose is 5 mg", "5 mg")
                && !holds("the dose is 25 mg", "5 mg")
                && !holds("2.5 mg", "5 mg")
        );
    }

    #[test]
    fn numbers_are_found_in_every_notation() {
        assert_eq!(
            numbers("5mg, 2.5 mg; 1,204 of 5-10 (35%)."),
            [5.0, 2.5, 1204.0, 10.0, 35.0].map(f64::to_bits).into()
        );
    }

    #[test]
    fn spellings_of_one_value_are_one() {
        assert_eq!(same_value("5 mg"), same_value("5.0 mg"));
        assert_ne!(same_value("5 mg"), same_value("50 mg"));
    }
}
