//! Whether an item has one right answer by the sources: what its passages must say, and what no other may.
//!
//! By words and numbers only: a rule can see that a passage does not speak of the key, or that another sentence answers
//! the same question with a wrong option. Whether the item is a good one is for the reviewer.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use preceptor_models::text::Analyzer;
use serde::{Deserialize, Serialize};

use super::Source;
use super::alike::{Dictionary, shared};
use super::kinds::{Target, targets};
use super::rivals::{SAME_SUBJECT, same_value};

/// Words of the key that its passages must share.
const KEY_FOUND: f64 = 0.5;
/// How much of a question another sentence must share to answer it, where no sentence holds the key word for word.
const ANSWERS: f64 = 0.8;

/// An item, no matter who made it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) kind: String,
    pub(crate) stem: String,
    /// Texts, with the right one marked.
    pub(crate) options: Vec<(String, bool)>,
    /// The passages that it is bound to.
    pub(crate) passages: Vec<String>,
}

/// Why an item cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
    /// Its own passages do not answer it.
    NotAnswered(String),
    /// Another passage answers it differently.
    Ambiguous {
        /// That passage.
        passage: String,
        /// What it says.
        sentence: String,
        /// The option that it makes right.
        option: String,
    },
}

struct Sentence {
    passage: String,
    text: String,
    lower: String,
    /// Its terms as numbers.
    terms: Vec<u32>,
    targets: Vec<Target>,
}

/// The sentences of a program's sources.
pub(crate) struct Judge {
    analyzer: Analyzer,
    dictionary: Dictionary,
    sentences: Vec<Sentence>,
    /// The sentences of each passage.
    of_passage: HashMap<String, Range<usize>>,
}

/// The terms of a text, by the numbers that the sentences' terms have.
struct Asked {
    known: Vec<u32>,
    /// How many there are, those that no sentence holds as well.
    count: usize,
}

impl Asked {
    /// How many of them a sentence has.
    fn share(&self, sentence: &Sentence) -> f64 {
        if self.count == 0 { 0.0 } else { shared(&self.known, &sentence.terms) as f64 / self.count as f64 }
    }

    /// What both have of what either has.
    fn overlap(&self, sentence: &Sentence) -> f64 {
        let both = shared(&self.known, &sentence.terms);
        both as f64 / (self.count + sentence.terms.len() - both).max(1) as f64
    }
}

/// Whether a text holds a part as whole words. Both in lower case.
fn says(text: &str, part: &str) -> bool {
    let part = part.trim();
    !part.is_empty()
        && text.match_indices(part).any(|(at, _)| {
            !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.')
                && !text[at + part.len()..].starts_with(char::is_alphanumeric)
        })
}

fn share(part: &BTreeSet<String>, whole: &BTreeSet<String>) -> f64 {
    if part.is_empty() { 0.0 } else { part.intersection(whole).count() as f64 / part.len() as f64 }
}

/// The numbers of a text as values: "5.0" and "5" are one.
fn numbers(text: &str) -> BTreeSet<String> {
    let digits = |c: char| !(c.is_ascii_digit() || c == '.' || c == ',');
    let parts = text.split(digits).map(|part| part.trim_matches(['.', ','])).filter(|part| !part.is_empty());
    parts.map(same_value).collect()
}

impl Judge {
    /// Reads the sources.
    pub(crate) fn of(sources: &[Source]) -> Self {
        let analyzer = Analyzer::default();
        let (mut dictionary, mut sentences, mut of_passage) =
            (Dictionary::default(), Vec::new(), HashMap::new());
        for passage in sources.iter().flat_map(|source| &source.passages) {
            let first = sentences.len();
            for text in passage.sentences.iter().filter_map(|range| passage.text.get(range.clone())) {
                sentences.push(Sentence {
                    passage: passage.id.clone(),
                    text: text.trim().to_owned(),
                    lower: text.to_lowercase(),
                    terms: dictionary.learn(analyzer.terms(text)),
                    targets: targets(text),
                });
            }
            of_passage.insert(passage.id.clone(), first..sentences.len());
        }
        Self { analyzer, dictionary, sentences, of_passage }
    }

    fn terms(&self, text: &str) -> BTreeSet<String> {
        self.analyzer.terms(text).into_iter().collect()
    }

    fn asked(&self, text: &str) -> Asked {
        let terms = self.terms(text);
        Asked { known: self.dictionary.known(&terms), count: terms.len() }
    }

    /// What is wrong with an item, if anything is.
    pub(crate) fn flaw(&self, question: &Question) -> Option<Flaw> {
        let key = question
            .options
            .iter()
            .find(|(_, right)| *right)
            .map(|(text, _)| text.as_str())
            .unwrap_or_default();
        if question.kind != "true_false" {
            return self.unanswered(key, question).or_else(|| self.other_answer(key, question));
        }
        if key.trim().eq_ignore_ascii_case("false") {
            return self.said_after_all(question);
        }
        self.unanswered(&question.stem, question).or_else(|| self.other_statement(question))
    }

    fn bound<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = &'a Sentence> {
        let places = question.passages.iter().filter_map(|passage| self.of_passage.get(passage)).cloned();
        places.flat_map(|place| &self.sentences[place])
    }

    /// The passages must hold the numbers of what is keyed, and half of its words.
    fn unanswered(&self, keyed: &str, question: &Question) -> Option<Flaw> {
        let text: String =
            self.bound(question).map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join("\n");
        let known = numbers(&text);
        if let Some(number) = numbers(keyed).into_iter().find(|number| !known.contains(number)) {
            return Some(Flaw::NotAnswered(format!(
                "the key says {number}, which is in none of the passages; bind the passage that answers the item"
            )));
        }
        let words = self.terms(keyed);
        (!words.is_empty() && share(&words, &self.terms(&text)) < KEY_FOUND).then(|| {
            Flaw::NotAnswered(
                "the passages say little of what is keyed as right; bind the passage that answers the item"
                    .into(),
            )
        })
    }

    /// Another sentence that speaks of the question at least as much as the one with the key does, and names a wrong option.
    fn other_answer(&self, key: &str, question: &Question) -> Option<Flaw> {
        let asked = self.asked(&question.stem);
        let key = key.to_lowercase();
        let answering = self.bound(question).filter(|sentence| says(&sentence.lower, &key));
        let needed = answering
            .map(|sentence| asked.share(sentence))
            .reduce(f64::max)
            .map_or(ANSWERS, |most| most.max(SAME_SUBJECT));
        let others = self
            .sentences
            .iter()
            .filter(|sentence| asked.share(sentence) >= needed && !says(&sentence.lower, &key));
        let wrong: Vec<&String> = question
            .options
            .iter()
            .filter(|(text, right)| !right && self.means_something(text))
            .map(|(text, _)| text)
            .collect();
        others.into_iter().find_map(|sentence| {
            let option = wrong.iter().find(|option| says(&sentence.lower, &option.to_lowercase()))?;
            Some(sentence.as_flaw(option))
        })
    }

    /// Whether an option says something of its own: "both" and "yes" stand in any sentence.
    fn means_something(&self, option: &str) -> bool {
        option.contains(|c: char| c.is_ascii_digit()) || !self.terms(option).is_empty()
    }

    /// Another sentence on the subject of a true statement, with something else in the place of a number or a drug of it.
    fn other_statement(&self, question: &Question) -> Option<Flaw> {
        let asked = self.asked(&question.stem);
        for target in targets(&question.stem) {
            let differs = |sentence: &Sentence| {
                let mut same_kind = sentence.targets.iter().filter(|other| other.kind == target.kind);
                same_kind
                    .find(|other| same_value(&other.text) != same_value(&target.text))
                    .map(|other| other.text.clone())
            };
            let repeats = |sentence: &Sentence| {
                sentence.targets.iter().any(|other| same_value(&other.text) == same_value(&target.text))
            };
            let on_subject =
                |sentence: &&Sentence| asked.overlap(sentence) > SAME_SUBJECT && !repeats(sentence);
            let other = self
                .sentences
                .iter()
                .filter(on_subject)
                .find_map(|sentence| Some((sentence, differs(sentence)?)));
            if let Some((sentence, option)) = other {
                return Some(sentence.as_flaw(&option));
            }
        }
        None
    }

    /// A statement keyed as false must not stand in its own passages.
    fn said_after_all(&self, question: &Question) -> Option<Flaw> {
        let stem = question.stem.to_lowercase();
        let said = self.bound(question).find(|sentence| says(&stem, sentence.lower.trim()))?;
        Some(Flaw::NotAnswered(format!(
            "the item is keyed as false, and its passage says exactly this: “{}”",
            said.text
        )))
    }
}

impl Sentence {
    fn as_flaw(&self, option: &str) -> Flaw {
        Flaw::Ambiguous {
            passage: self.passage.clone(),
            sentence: self.text.clone(),
            option: option.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::program;
    use super::*;

    fn question(kind: &str, stem: &str, options: &[(&str, bool)], passage: &str) -> Question {
        Question {
            kind: kind.to_owned(),
            stem: stem.to_owned(),
            options: options.iter().map(|(text, right)| ((*text).to_owned(), *right)).collect(),
            passages: vec![passage.to_owned()],
        }
    }

    fn choice(stem: &str, options: &[(&str, bool)], passage: &str) -> Option<Flaw> {
        Judge::of(&program()).flaw(&question("multiple_choice", stem, options, passage))
    }

    fn statement(stem: &str, is_true: bool, passage: &str) -> Option<Flaw> {
        Judge::of(&program()).flaw(&question(
            "true_false",
            stem,
            &[("True", is_true), ("False", !is_true)],
            passage,
        ))
    }

    const DOSE: &str = "What is the usual starting dose of apixaban for most adults?";

    #[test]
    fn a_fair_question_has_no_flaw() {
        assert_eq!(choice(DOSE, &[("5 mg", true), ("2.5 mg", false), ("20 mg", false)], "psg_a"), None);
        assert_eq!(
            choice(
                "Which drug is taken with the evening meal?",
                &[("Rivaroxaban", true), ("Apixaban", false), ("Edoxaban", false)],
                "psg_c"
            ),
            None
        );
        assert_eq!(statement("Apixaban is taken with or without food.", true, "psg_a"), None);
        assert_eq!(statement("The usual starting dose of apixaban is 20 mg.", false, "psg_a"), None);
    }

    #[test]
    fn a_key_that_the_passage_does_not_hold_is_refused() {
        let number = choice(DOSE, &[("7 mg", true), ("2.5 mg", false), ("20 mg", false)], "psg_a");
        assert!(matches!(number, Some(Flaw::NotAnswered(_))), "{number:?}");
        let word = choice(
            "Which drug starts at 5 mg?",
            &[("Warfarin", true), ("Edoxaban", false), ("Dabigatran", false)],
            "psg_a",
        );
        assert!(matches!(word, Some(Flaw::NotAnswered(_))), "{word:?}");
        assert!(matches!(
            statement("Warfarin needs a weekly blood test.", true, "psg_a"),
            Some(Flaw::NotAnswered(_))
        ));
    }

    #[test]
    fn a_wrong_option_that_another_sentence_makes_right_is_refused() {
        let vague = choice(
            "How much apixaban do adults receive twice a day?",
            &[("5 mg", true), ("2.5 mg", false), ("20 mg", false)],
            "psg_a",
        );
        let Some(Flaw::Ambiguous { passage, option, .. }) = vague else { panic!("{vague:?}") };
        assert_eq!((passage.as_str(), option.as_str()), ("psg_b", "2.5 mg"));
    }

    #[test]
    fn a_false_statement_must_not_be_in_the_passage() {
        let said = statement("True or false? It is taken with or without food.", false, "psg_a");
        assert!(matches!(said, Some(Flaw::NotAnswered(_))), "{said:?}");
    }
}
