//! What stands against the right answer, and when there would be two of them.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::{Kind, Target, drug_family, in_notation_of, number, targets};
use super::statements::Statement;

/// Statements that share this much of what they are about may be about the same thing.
pub(super) const SAME_SUBJECT: f64 = 0.5;
/// A distractor further away than this factor is recognised without reading.
const FARTHEST: f64 = 20.0;

/// Everything of a program that can be asked for, with where it stands.
#[derive(Debug)]
pub(crate) struct Rivals {
    by_kind: BTreeMap<Kind, BTreeMap<String, Vec<BTreeSet<String>>>>,
}

impl Rivals {
    /// Collects the targets of all statements.
    pub(crate) fn of(statements: &[Statement<'_>]) -> Self {
        let mut by_kind: BTreeMap<Kind, BTreeMap<String, Vec<BTreeSet<String>>>> = BTreeMap::new();
        for statement in statements {
            for target in targets(statement.text) {
                by_kind.entry(target.kind).or_default().entry(target.text).or_default().push(statement.terms.clone());
            }
        }
        Self { by_kind }
    }

    /// Texts of the same kind that the passage does not hold, best first: for numbers those that are written alike and
    /// near, for drugs those of the same family.
    pub(crate) fn distractors(&self, statement: &Statement<'_>, target: &Target) -> Vec<String> {
        let Some(known) = self.by_kind.get(&target.kind) else { return Vec::new() };
        let passage = statement.passage.text.to_lowercase();
        let numbers = numbers(&passage);
        // A number that the passage holds in whatever notation could be right too.
        let could_be_right = |text: &str| number(text).is_some_and(|value| numbers.contains(&value.to_bits()));
        let usable = known.keys().filter(|text| !could_be_right(text) && !holds(&passage, &text.to_lowercase()));
        let mut ranked: Vec<(f64, String)> = usable.filter_map(|text| Some((rank(target, text)?, like(target, text)))).collect();
        ranked.sort_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| x.cmp(y)));
        let mut seen = BTreeSet::from([same_value(&target.text)]);
        ranked.into_iter().map(|(_, text)| text).filter(|text| seen.insert(same_value(text))).collect()
    }

    /// Whether another statement of the program seems to say the same with something else in the place of the target:
    /// then more than one answer would be right somewhere.
    pub(crate) fn is_ambiguous(&self, statement: &Statement<'_>, target: &Target) -> bool {
        let others = self.by_kind.get(&target.kind).into_iter().flatten();
        others.filter(|(text, _)| same_value(text) != same_value(&target.text)).flat_map(|(_, places)| places).any(|terms| {
            let shared = terms.intersection(&statement.terms).count() as f64;
            shared / terms.union(&statement.terms).count().max(1) as f64 > SAME_SUBJECT
        })
    }
}

/// Every number of a text.
fn numbers(text: &str) -> BTreeSet<u64> {
    let starts = text
        .char_indices()
        .filter(|(at, c)| c.is_ascii_digit() && !text[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == ','));
    starts.filter_map(|(at, _)| number(&text[at..])).map(f64::to_bits).collect()
}

/// Whether a text holds a number or a word as a whole: "5 mg" is not in "25 mg".
fn holds(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.'))
}

/// How good a distractor is; less is better. Nothing when it is none.
fn rank(target: &Target, text: &str) -> Option<f64> {
    match target.kind {
        Kind::Drug { .. } => Some(if drug_family(text).is_some() && drug_family(text) == drug_family(&target.text) { 0.0 } else { 1.0 }),
        Kind::Quantity { percent, .. } => {
            let distance = target.distance(text)?;
            let value = number(text)?;
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
        (Kind::Drug { .. }, Some(first)) if capital => format!("{}{}", first.to_uppercase(), &text[first.len_utf8()..]),
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
        assert!(holds("the dose is 5 mg", "5 mg") && !holds("the dose is 25 mg", "5 mg") && !holds("2.5 mg", "5 mg"));
    }

    #[test]
    fn numbers_are_found_in_every_notation() {
        assert_eq!(numbers("5mg, 2.5 mg; 1,204 of 5-10 (35%)."), [5.0, 2.5, 1204.0, 10.0, 35.0].map(f64::to_bits).into());
    }

    #[test]
    fn spellings_of_one_value_are_one() {
        assert_eq!(same_value("5 mg"), same_value("5.0 mg"));
        assert_ne!(same_value("5 mg"), same_value("50 mg"));
    }
}
