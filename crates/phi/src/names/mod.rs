//! Names in a context that makes them a patient's.
//!
//! A capitalized word is no name by itself: eponyms, authors, brands and titles look the same. So each rule is a context
//! (a title of address, a word for a patient, an age, a bed, a relation, what is done to somebody) and what a name must
//! look like there; the weaker the context, the more a name has to show, up to a given name that is known.

mod contexts;
mod elsewhere;
mod initials;
mod known;
mod lexicon;
mod small;
mod vocabulary;

use std::sync::OnceLock;

use regex::{Captures, Regex};

pub(crate) use vocabulary::RELATIVE;

use crate::{Finding, Kind, pattern};

/// How much a name has to show in a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// One capitalized word that is none of the known others.
    Word,
    /// Two of them, or one known given name.
    TwoWords,
    /// A known given name, alone or with more.
    Given,
    /// A known given name with a surname.
    Known,
    /// A known given name or a known surname, in texts that ask about no lesson.
    Person,
    /// A known given name by itself, in texts that ask about no lesson.
    Alone,
    /// A known given name that is written with a capital, a word or not, or a known surname.
    Called,
    /// One capitalized word that is built as no drug and no disease is.
    Shaped,
    /// One capitalized word, even behind "Dr.": doctors are patients too.
    Anybody,
}

/// A context, and what a name has to show there. The pattern is built when a text first needs it.
struct Rule {
    source: String,
    context: OnceLock<Regex>,
    proof: Proof,
    /// Whether it finds only names that are written with a capital.
    capital: bool,
}

impl Rule {
    fn context(&self) -> &Regex {
        self.context.get_or_init(|| pattern(&self.source))
    }

    /// Whether it can find anything in a text with or without given names and capitalized words.
    fn applies(&self, given: bool, capital: bool) -> bool {
        let needs_given = matches!(self.proof, Proof::Known | Proof::Given | Proof::Alone);
        (given || !needs_given) && (given || capital || !self.capital)
    }
}

fn rule(proof: Proof, source: String) -> Rule {
    let capital = source.contains(r"(?P<name>\p{Lu}");
    Rule { source, context: OnceLock::new(), proof, capital }
}

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let titled = lexicon::is_titled(text);
    let (given, capital) = lexicon::cues(text);
    for rule in contexts::RULES.iter().filter(|rule| rule.applies(given, capital)) {
        let context = rule.context();
        let mut from = 0;
        // Contexts overlap ("in my patient Ann Lee"): looking goes on behind the beginning of each, not behind its end.
        while let Some(hit) = context.captures_at(text, from) {
            let Some(name) = hit.name("name") else { break };
            let alone = !name.as_str().contains(' ') && rule.proof == Proof::TwoWords;
            let weak =
                alone || matches!(rule.proof, Proof::Person | Proof::Alone | Proof::Called) || name.len() < 3;
            if is_name(text, &hit, rule.proof, titled) && !(weak && lexicon::is_lessons(text, name.range())) {
                found.push(Finding { kind: Kind::Name, place: name.range() });
            }
            from = name.start().max(from + 1);
            while !text.is_char_boundary(from) {
                from += 1;
            }
        }
    }
    if given {
        known::find_pairs(text, found);
        small::find_lower_with_initial(text, found);
    }
    // A given name with a surname, with an initial, or alone, whatever stands around.
    if given && !titled {
        known::find_full(text, found);
        known::find_with_initial(text, found);
        known::find_alone(text, found);
    }
    small::find_lower(text, found);
    small::find_labelled(text, found);
    if !text.is_ascii() {
        elsewhere::find(text, found);
    }
    initials::find(text, found);
}

/// Whether a word is a given name or a surname somewhere, and no other word.
pub(crate) fn is_known(word: &str) -> bool {
    (lexicon::is_given(word) || lexicon::is_surname(word)) && !lexicon::is_word(word)
}

/// Whether what stands in a context is a person's name.
fn is_name(text: &str, hit: &Captures<'_>, proof: Proof, titled: bool) -> bool {
    let Some(name) = hit.name("name") else { return false };
    let words = lexicon::words_of_name(name.as_str());
    let Some(first) = words.first() else { return false };
    let end = name.start()
        + words
            .last()
            .map_or(0, |word| word.as_ptr() as usize - name.as_str().as_ptr() as usize + word.len());
    let cited = || proof != Proof::Anybody && lexicon::is_cited(&text[..name.start()]);
    let author =
        || matches!(proof, Proof::Person | Proof::Alone | Proof::Called) && lexicon::is_author(&text[end..]);
    if lexicon::is_work(&text[end..]) || cited() || author() {
        return false;
    }
    let known = lexicon::is_given(first);
    let capital = first.starts_with(char::is_uppercase);
    let opens = lexicon::opens(text, name.start(), first);
    let sure = known && !opens && (!lexicon::is_ambiguous(first) || (capital && words.len() > 1));
    let shaped = !titled && words.iter().all(|word| lexicon::looks_like_a_name(word));
    // "Child Pugh A" has a second word, but no second name; "A. Pugh" has one.
    let many =
        words.len() > 1 && words.last().is_some_and(|last| last.trim_end_matches('.').chars().count() > 1);
    let says = |word: &str| many || !lexicon::is_eponym(word);
    let surname = |word: &&str| lexicon::is_surname(word) && says(word);
    match proof {
        Proof::Word => sure || shaped || (!capital && !titled && !lexicon::is_word(first)),
        Proof::TwoWords => sure || (shaped && words.len() > 1),
        Proof::Given => sure && !titled,
        Proof::Shaped => {
            let built =
                first.chars().count() > 3 && !lexicon::is_eponym(first) && !lexicon::is_medical(first);
            (known && !opens && capital && !lexicon::is_word(first)) || (shaped && built)
        }
        Proof::Anybody => shaped || sure,
        Proof::Alone => sure && capital && !titled && !lexicon::is_acronym(text, first),
        Proof::Called => {
            let given = known && !opens && !lexicon::is_word(first) && says(first);
            capital && !titled && (given || words.iter().any(surname)) && !lexicon::is_acronym(text, first)
        }
        Proof::Person => !titled && (sure || words.iter().any(surname)) && !lexicon::is_acronym(text, first),
        Proof::Known => {
            sure && (words.len() > 1 || hit.name("last").is_some_and(|last| !lexicon::is_word(last.as_str())))
        }
    }
}
