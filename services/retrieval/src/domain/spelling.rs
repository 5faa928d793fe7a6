//! Words that the program does not know are corrected to its vocabulary, visibly, and never from one drug to another.

use std::collections::HashMap;

use preceptor_models::text::{self, Analyzer};

use super::profile::Profile;

/// Shorter words have too many neighbors.
const SHORTEST: usize = 5;
/// From this length on, one letter may be missing, added or another.
const SHORTEST_FOR_EDITS: usize = 7;

/// Endings of drug names (stems of the international nonproprietary names, WHO), for which one wrong letter may be
/// another drug.
const DRUG_ENDINGS: [&str; 92] = [
    "mab",
    "nib",
    "statin",
    "pril",
    "prilat",
    "olol",
    "sartan",
    "azole",
    "tidine",
    "floxacin",
    "cillin",
    "mycin",
    "micin",
    "cycline",
    "vir",
    "vudine",
    "caine",
    "zepam",
    "zolam",
    "barbital",
    "setron",
    "triptan",
    "gliptin",
    "gliflozin",
    "glutide",
    "glitazone",
    "formin",
    "glinide",
    "dipine",
    "dafil",
    "oxetine",
    "traline",
    "pramine",
    "triptyline",
    "azine",
    "peridol",
    "apine",
    "idone",
    "profen",
    "fenac",
    "oxicam",
    "coxib",
    "sone",
    "solone",
    "olone",
    "onide",
    "terol",
    "tropium",
    "lukast",
    "parin",
    "xaban",
    "gatran",
    "platin",
    "taxel",
    "rubicin",
    "citabine",
    "trexate",
    "trexed",
    "lidomide",
    "zomib",
    "ciclib",
    "parib",
    "tinib",
    "limus",
    "thiazide",
    "semide",
    "dronate",
    "dronic",
    "fibrate",
    "thyroxine",
    "gabalin",
    "racetam",
    "zepine",
    "bamate",
    "toin",
    "quine",
    "bendazole",
    "conazole",
    "fungin",
    "penem",
    "bactam",
    "gramostim",
    "poetin",
    "kinra",
    "cept",
    "grel",
    "adol",
    "codone",
    "morphone",
    "fentanil",
    "nidazole",
    "ketamine",
];

/// Prefixes that turn a word into its opposite or into something else.
const OPPOSITES: [(&str, &str); 11] = [
    ("hypo", "hyper"),
    ("micro", "macro"),
    ("intra", "inter"),
    ("ante", "anti"),
    ("pre", "pro"),
    ("pre", "per"),
    ("peri", "para"),
    ("ab", "ad"),
    ("en", "an"),
    ("mono", "mino"),
    ("sub", "sup"),
];

/// A word and what is searched for instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Correction {
    /// As the question has it, in lower case.
    pub from: String,
    /// As the program writes it.
    pub to: String,
}

/// How two words differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Edit {
    /// Two neighboring letters are swapped.
    Swap,
    /// One letter is missing, added or another.
    Letter,
}

/// The program's words by what is left of them without one letter.
#[derive(Debug, Default)]
pub(crate) struct Speller {
    neighbors: HashMap<String, Vec<String>>,
}

fn is_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The word itself and the word without each of its letters.
fn shortened(word: &str) -> impl Iterator<Item = String> {
    std::iter::once(word.to_owned())
        .chain((0..word.len()).map(move |at| [&word[..at], &word[at + 1..]].concat()))
}

impl Speller {
    pub(crate) fn of(profile: &Profile) -> Self {
        let mut neighbors: HashMap<String, Vec<String>> = HashMap::new();
        for word in profile.words.keys().filter(|word| word.len() >= SHORTEST && is_word(word)) {
            for key in shortened(word) {
                neighbors.entry(key).or_default().push(word.clone());
            }
        }
        Self { neighbors }
    }

    /// The question with its unknown words corrected. `knows` says whether a general vocabulary has a word.
    pub(crate) fn correct(
        &self,
        analyzer: &Analyzer,
        profile: &Profile,
        question: &str,
        knows: impl Fn(&str) -> bool,
    ) -> (String, Vec<Correction>) {
        let mut corrected = String::with_capacity(question.len());
        let mut corrections = Vec::new();
        let mut at = 0;
        if analyzer.is_foreign(question) {
            return (question.to_owned(), corrections);
        }
        for (index, word) in text::words(question).into_iter().enumerate() {
            let written = &question[word.range.clone()];
            let open =
                word.text.len() >= SHORTEST && is_word(&word.text) && !analyzer.is_stop_word(&word.text);
            let abbreviation = !written.chars().any(char::is_lowercase);
            let known = |text: &str| {
                profile.words.contains_key(text)
                    || profile.term(&analyzer.stem(text)).is_some()
                    || knows(text)
            };
            if !open || abbreviation || known(&word.text) {
                continue;
            }
            let is_name = index > 0 && written.starts_with(char::is_uppercase);
            if let Some(better) = self.nearest(profile, &word.text, is_name) {
                corrected.push_str(&question[at..word.range.start]);
                corrected.push_str(&better);
                at = word.range.end;
                corrections.push(Correction { from: word.text, to: better });
            }
        }
        corrected.push_str(&question[at..]);
        (corrected, corrections)
    }

    /// The most frequent word of the program at one edit: swaps first.
    fn nearest(&self, profile: &Profile, word: &str, is_name: bool) -> Option<String> {
        let candidates = shortened(word).filter_map(|key| self.neighbors.get(&key)).flatten();
        candidates
            .filter_map(|candidate| {
                let edit = one_edit(word, candidate)?;
                let allowed = edit == Edit::Swap || (!is_name && may_change_a_letter(word, candidate));
                (allowed && !are_opposites(word, candidate)).then_some((edit, candidate))
            })
            .min_by_key(|&(edit, candidate)| {
                (edit, std::cmp::Reverse(profile.words.get(candidate).copied()), candidate)
            })
            .map(|(_, candidate)| candidate.clone())
    }
}

fn may_change_a_letter(word: &str, candidate: &str) -> bool {
    let long = word.len() >= SHORTEST_FOR_EDITS && candidate.len() >= SHORTEST_FOR_EDITS;
    long && word[..2] == candidate[..2] && !is_drug(word) && !is_drug(candidate)
}

fn is_drug(word: &str) -> bool {
    DRUG_ENDINGS.iter().any(|ending| word.ends_with(ending))
}

fn are_opposites(a: &str, b: &str) -> bool {
    OPPOSITES.iter().any(|(one, other)| {
        (a.starts_with(one) && b.starts_with(other)) || (a.starts_with(other) && b.starts_with(one))
    })
}

/// How `a` and `b` differ, when it is by one edit.
fn one_edit(a: &str, b: &str) -> Option<Edit> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (rest_a, rest_b) = (&a[same..], &b[same..]);
    match (rest_a, rest_b) {
        ([x1, x2, tail_a @ ..], [y1, y2, tail_b @ ..])
            if a.len() == b.len() && x1 == y2 && x2 == y1 && tail_a == tail_b =>
        {
            Some(Edit::Swap)
        }
        ([_, tail_a @ ..], [_, tail_b @ ..]) if a.len() == b.len() && tail_a == tail_b => Some(Edit::Letter),
        ([_, tail_a @ ..], whole_b) if a.len() == b.len() + 1 && tail_a == whole_b => Some(Edit::Letter),
        (whole_a, [_, tail_b @ ..]) if b.len() == a.len() + 1 && whole_a == tail_b => Some(Edit::Letter),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_told_apart() {
        assert_eq!(one_edit("arthrpolasty", "arthroplasty"), Some(Edit::Swap));
        assert_eq!(one_edit("treatmnt", "treatment"), Some(Edit::Letter));
        assert_eq!(one_edit("treatmeent", "treatment"), Some(Edit::Letter));
        assert_eq!(one_edit("treetment", "treatment"), Some(Edit::Letter));
        assert_eq!(one_edit("treatment", "treatment"), None);
        assert_eq!(one_edit("treat", "treatment"), None);
    }

    #[test]
    fn drugs_and_opposites_are_left_alone() {
        assert!(!may_change_a_letter("prednisone", "prednisine"));
        assert!(is_drug("atorvastatin") && !is_drug("arthroplasty"));
        assert!(are_opposites("hypoglycemia", "hyperglycemia"));
    }
}
