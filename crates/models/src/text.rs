//! Words, terms and subjects: how text is compared by its words.
//!
//! Search and alignment use the same analysis on both sides, so that small differences between stemmers cannot matter.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Words that say nothing about what a text is about.
const STOP_WORDS: &str = "a about above after again against all am an and any are as at be because been before being below between \
    both but by can could did do does doing down during each few for from further had has have having he her here hers him his how i if \
    in into is it its itself just me more most my no nor not of off on once only or other our out over own same she should so some such \
    than that the their theirs them then there these they this those through to too under until up very was we were what when where \
    which while who whom why will with would you your";

/// Function words of Spanish, French, Italian, German and Portuguese that are none of English.
const FOREIGN_WORDS: &str = "de la el que en un una los las por con para del se es su al lo como ha y e est les des du une et dans le il \
    elle qui avec pour sur aux ce cette di che per non della dei delle si gli da nel alla ed uno der die und das ein eine mit von ist im \
    den dem nicht zu o os em um uma na do com nao";

/// British spellings inside words, and their American ones.
const SPELLINGS: [(&str, &str); 26] = [
    ("haem", "hem"),
    ("aemi", "emi"),
    ("oedem", "edem"),
    ("oesoph", "esoph"),
    ("oestr", "estr"),
    ("paed", "ped"),
    ("rrhoe", "rrhe"),
    ("pnoe", "pne"),
    ("foet", "fet"),
    ("gynaec", "gynec"),
    ("naesth", "nesth"),
    ("caec", "cec"),
    ("faec", "fec"),
    ("coeli", "celi"),
    ("orthopaed", "orthoped"),
    ("tumour", "tumor"),
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("labour", "labor"),
    ("favour", "favor"),
    ("isation", "ization"),
    ("fibre", "fiber"),
    ("centre", "center"),
    ("litre", "liter"),
    ("sulph", "sulf"),
    ("programme", "program"),
];

/// A word with its place in the text it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Lower case, without diacritics.
    pub text: String,
    /// Bytes of the original text.
    pub range: Range<usize>,
}

/// Reads words and terms. Cheap to share, costly to make.
pub struct Analyzer {
    stemmer: Stemmer,
    stop: BTreeSet<&'static str>,
    foreign: BTreeSet<&'static str>,
}

impl std::fmt::Debug for Analyzer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyzer").finish_non_exhaustive()
    }
}

impl Default for Analyzer {
    fn default() -> Self {
        let stop: BTreeSet<_> = STOP_WORDS.split_whitespace().collect();
        let foreign = FOREIGN_WORDS.split_whitespace().filter(|word| !stop.contains(word)).collect();
        Self { stemmer: Stemmer::create(Algorithm::English), stop, foreign }
    }
}

/// The words of a text: runs of letters and digits, in lower case, without diacritics.
pub fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, character) in text.char_indices() {
        let folded = fold(character);
        if !folded.is_ascii_alphanumeric() {
            open = false;
            continue;
        }
        let end = at + character.len_utf8();
        match found.last_mut() {
            Some(word) if open => {
                word.text.push(folded);
                word.range.end = end;
            }
            _ => found.push(Word { text: folded.to_string(), range: at..end }),
        }
        open = true;
    }
    found
}

/// A character in lower case without diacritics, when that is one character.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let lower = one(character.to_lowercase()).unwrap_or(character);
    one(lower.nfkd().filter(|&c| !is_combining_mark(c))).unwrap_or(lower)
}

fn one(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

impl Analyzer {
    /// Whether a word says nothing about what a text is about.
    pub fn is_stop_word(&self, word: &str) -> bool {
        self.stop.contains(word)
    }

    /// The stem of a word: Porter 2, of the American spelling.
    pub fn stem(&self, word: &str) -> String {
        let mut american = word.to_owned();
        for (british, replacement) in SPELLINGS {
            if american.contains(british) {
                american = american.replace(british, replacement);
            }
        }
        self.stemmer.stem(&american).into_owned()
    }

    /// The term of a word, if it has one.
    pub fn term(&self, word: &str) -> Option<String> {
        let counts = word.len() > 1 || word.bytes().all(|byte| byte.is_ascii_digit());
        (counts && !self.is_stop_word(word)).then(|| self.stem(word))
    }

    /// The terms of a text in order, repeats included.
    pub fn terms(&self, text: &str) -> Vec<String> {
        words(text).iter().filter_map(|word| self.term(&word.text)).collect()
    }

    /// Whether a text reads like another language: more function words of others than of English.
    pub fn is_foreign(&self, text: &str) -> bool {
        let words: Vec<_> = words(text)
            .into_iter()
            .filter(|word| word.text.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .collect();
        let count =
            |set: &BTreeSet<&str>| words.iter().filter(|word| set.contains(word.text.as_str())).count();
        let (foreign, english) = (count(&self.foreign), count(&self.stop));
        words.len() >= 4 && foreign > english && foreign * 10 >= words.len()
    }
}

/// What everything in a program is about: terms that are in most of its text and so tell nothing apart.
pub type Subject = BTreeSet<String>;

/// The parts of `text` that name the subject: its terms, and phrases such as "this condition". Neighbours with nothing
/// but punctuation between them are one part.
pub fn subject_spans(analyzer: &Analyzer, text: &str, subject: &Subject) -> Vec<Range<usize>> {
    let words = words(text);
    let mut spans: Vec<_> = generic_mentions(&words);
    spans.extend(
        words
            .iter()
            .filter(|word| subject.contains(&analyzer.stem(&word.text)))
            .map(|word| word.range.clone()),
    );
    spans.sort_by_key(|span| (span.start, span.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last)
                if span.start <= last.end
                    || !text[last.end..span.start].bytes().any(|byte| byte.is_ascii_alphanumeric()) =>
            {
                last.end = last.end.max(span.end);
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// "this condition", "these disorders", "the medical problem": words for the subject that do not name it.
fn generic_mentions(words: &[Word]) -> Vec<Range<usize>> {
    const POINTING: [&str; 4] = ["this", "that", "the", "these"];
    const NOUNS: [&str; 7] =
        ["condition", "disease", "disorder", "illness", "syndrome", "diagnosis", "problem"];
    let is_noun = |word: &str| NOUNS.iter().any(|noun| word == *noun || word.strip_suffix('s') == Some(noun));
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if !POINTING.contains(&word.text.as_str()) {
            continue;
        }
        let next = match words.get(index + 1) {
            Some(medical) if medical.text == "medical" => words.get(index + 2),
            next => next,
        };
        if let Some(noun) = next.filter(|noun| is_noun(&noun.text)) {
            found.push(word.range.start..noun.range.end);
        }
    }
    found
}

/// Whether a text points at its subject without naming it.
pub fn mentions_generically(text: &str) -> bool {
    !generic_mentions(&words(text)).is_empty()
}

/// Everything of a text but `spans`, as a view for the embedder.
pub fn without(text: &str, spans: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut rest = Vec::with_capacity(spans.len() + 1);
    let mut at = 0;
    for span in spans {
        if span.start > at {
            rest.push(at..span.start);
        }
        at = at.max(span.end);
    }
    if at < text.len() {
        rest.push(at..text.len());
    }
    rest
}

/// How often each term occurs.
pub fn count(terms: impl IntoIterator<Item = String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for term in terms {
        *counts.entry(term).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_places() {
        let text = "Ménière's β-blockers";
        let found: Vec<_> =
            words(text).into_iter().map(|word| (word.text, text[word.range].to_owned())).collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(found, [pair("meniere", "Ménière"), pair("s", "s"), pair("blockers", "blockers")]);
    }

    #[test]
    fn british_and_american_words_meet() {
        let analyzer = Analyzer::default();
        assert_eq!(
            analyzer.terms("The tumours and anaemia of 3 patients"),
            analyzer.terms("tumors, anemia: 3 patient")
        );
    }

    #[test]
    fn other_languages_are_noticed() {
        let analyzer = Analyzer::default();
        assert!(analyzer.is_foreign("¿Cuál es el tratamiento de la enfermedad en los niños?"));
        assert!(!analyzer.is_foreign("What is the treatment of the disease in children?"));
    }

    #[test]
    fn the_subject_is_masked_by_name_and_by_pointing() {
        let analyzer = Analyzer::default();
        let subject: Subject = analyzer.terms("Pancreatic cancer").into_iter().collect();
        let text = "Who gets pancreatic cancers, and how is this medical condition treated?";
        let spans = subject_spans(&analyzer, text, &subject);
        let masked: Vec<_> = spans.iter().map(|span| &text[span.clone()]).collect();
        assert_eq!(masked, ["pancreatic cancers", "this medical condition"]);
        let rest: String = without(text, &spans).into_iter().map(|range| &text[range]).collect();
        assert_eq!(rest, "Who gets , and how is  treated?");
    }
}
