//! What is known about words: given names, words that are none, and what is named after people.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use crate::pattern;

type Words = HashSet<&'static str>;

fn words(list: &'static str) -> Words {
    list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

static GIVEN: LazyLock<Words> = LazyLock::new(|| words(include_str!("given.txt")));
static AMBIGUOUS: LazyLock<Words> = LazyLock::new(|| words(include_str!("ambiguous.txt")));
static OTHERS: LazyLock<Words> = LazyLock::new(|| words(include_str!("words.txt")));
static SURNAMES: LazyLock<Words> = LazyLock::new(|| words(include_str!("surnames.txt")));
static FOREIGN: LazyLock<Words> = LazyLock::new(|| words(include_str!("foreign.txt")));
static EPONYMS: LazyLock<Words> = LazyLock::new(|| words(include_str!("eponyms.txt")));
static WORKS: LazyLock<Words> = LazyLock::new(|| words(include_str!("works.txt")));

/// Lower case, without accents: "Zoë" is looked up as "zoe".
fn key(word: &str) -> String {
    let word = word.trim_end_matches(['.', '\'']);
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfd().filter(|sign| !matches!(sign, '\u{300}'..='\u{36f}')).collect::<String>().to_lowercase()
}

/// Whether this is a given name somewhere. Double names count by their first half.
pub(super) fn is_given(word: &str) -> bool {
    let key = key(word);
    let first = key.split('-').next().unwrap_or_default();
    // "Yelena" is "Elena" as well.
    let plain = key.strip_prefix('y').filter(|rest| rest.starts_with('e')).unwrap_or_default();
    [key.as_str(), first, plain].iter().any(|word| GIVEN.contains(word)) || AMBIGUOUS.contains(key.as_str())
}

/// What surnames end in, and few other words that are written with a capital.
const ENDS: [&str; 59] = [
    "akis", "idis", "adis", "oulou", "iou", "trou", "yan", "chuk", "vych", "ov", "ova", "eva", "skaya",
    "skaia", "sson", "sdóttir", "strup", "gaard", "berg", "stein", "mann", "feld", "baum", "hausen", "meier",
    "meyer", "brandt", "hoff", "stetter", "vander", "eira", "ez", "etti", "elli", "ucci", "murthy", "swamy",
    "rajan", "moto", "mura", "yama", "kawa", "czyk", "wicz", "ski", "ska", "sky", "enko", "opoulos", "oglu",
    "escu", "ovich", "ovic", "idze", "shvili", "sdottir", "quist", "kova", "singh",
];

/// Whether a word is built as surnames are, however it is written: behind a title only names are.
pub(super) fn is_built(word: &str) -> bool {
    let key = key(word);
    key.len() > 5
        && (ENDS.iter().any(|end| key.ends_with(end))
            || ["o'", "mc", "d'"].iter().any(|of| key.starts_with(of)))
}

/// Whether this is a surname that is known, or built as surnames are.
pub(super) fn is_surname(word: &str) -> bool {
    let key = key(word);
    let capital = word.starts_with(char::is_uppercase);
    key.split('-').any(|half| SURNAMES.contains(half))
        || (capital && (is_built(word) || FOREIGN.contains(key.as_str())))
}

/// Whether this is a surname somewhere, a word there or not.
pub(super) fn is_any_surname(word: &str) -> bool {
    is_surname(word) || FOREIGN.contains(key(word).as_str())
}

/// Whether it is a surname that says nothing by itself.
pub(super) fn is_eponym(word: &str) -> bool {
    // "Child-Pugh" is one by either half.
    key(word).split('-').any(|half| EPONYMS.contains(half))
}

/// Whether a text holds what could be a name: a given name, and a word that is written as names are.
pub(super) fn cues(text: &str) -> (bool, bool) {
    let words =
        || text.split(|sign: char| !sign.is_alphabetic() && sign != '-').filter(|word| !word.is_empty());
    let capital = |word: &str| word.starts_with(char::is_uppercase) && looks_like_a_name(word);
    let given = |word: &str| is_given(word) && (word.starts_with(char::is_uppercase) || !is_ambiguous(word));
    (words().any(given), words().any(capital))
}

/// Whether it is a word of the language as well.
pub(super) fn is_ambiguous(word: &str) -> bool {
    AMBIGUOUS.contains(key(word).as_str())
}

/// Whether a capitalized word at the beginning of a sentence is an auxiliary or an order: "Will", "May", "Mark".
pub(super) fn opens(text: &str, start: usize, word: &str) -> bool {
    let before = text[..start].trim_end();
    (before.is_empty() || before.ends_with(['.', '?', '!', ':']))
        && matches!(key(word).as_str(), "will" | "may" | "mark" | "do" | "an" | "pat" | "in" | "dose")
}

/// Whether it is no name.
pub(super) fn is_word(word: &str) -> bool {
    let key = key(word);
    OTHERS.contains(key.as_str()) || WORKS.contains(key.as_str())
}

/// Whether it is written as names are: with small letters, and none of the words that titles have.
pub(super) fn looks_like_a_name(word: &str) -> bool {
    let initial = word.trim_end_matches('.').chars().count() == 1;
    initial || (word.chars().any(char::is_lowercase) && !is_word(word))
}

/// Whether a word is built as drugs, diseases and procedures are.
pub(super) fn is_medical(word: &str) -> bool {
    static ENDS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?:itis|[oa]sis|emia|uria|oma|omas|pathy|plasty|ectomy|[ot]omy|oscopy|graphy|gram|grams|therapy|mab|nib|pril|sartan|olol|statin|xaban|gatran|parin|grel|azole|mycin|cillin|oxacin|cycline|pine|tide|flozin|gliptin|formin|sone|olone|oxetine|pram|prazole|tidine|setron|triptan|barbital|azepam|zolam|codone|morphone|caine|curium|vir|virus|coccus|ella|ium|ine|ate|ide|ol|al|ic|ary|ous|ive|ity|tion|sion|ment|ness|ance|ence|ing|ers|ed|ly|gy|ism|logist|lysis|sepsis|dose|pril|fen|lax|pam|ase|eme)$",
        )
    });
    ENDS.is_match(&key(word))
}

/// The words of a name, up to the first that cannot belong to one. A possessive ends it.
pub(super) fn words_of_name(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for word in name.split(' ').filter(|word| !word.is_empty()) {
        let bare = word.strip_suffix("'s").unwrap_or(word);
        let initial = bare.trim_end_matches('.').chars().count() == 1 && bare.starts_with(char::is_uppercase);
        // "Mrs Haddad INR 7": what is measured is no name.
        let small = |word: &str| word.chars().any(char::is_lowercase);
        if words.first().copied().is_some_and(small) && !small(bare) && bare.chars().count() > 1 {
            break;
        }
        if is_word(bare) && !initial && !(words.is_empty() && is_given(bare)) {
            break;
        }
        words.push(bare);
        if bare.len() < word.len() {
            break;
        }
    }
    words
}

/// Whether what follows a name makes it an eponym, an author or an institution.
pub(super) fn is_work(behind: &str) -> bool {
    let behind = behind.strip_prefix("'s").unwrap_or(behind);
    // What is in brackets is said of somebody.
    if behind.trim_start().starts_with(['(', ',']) {
        return false;
    }
    let mut next =
        behind.split(|sign: char| !sign.is_alphanumeric() && sign != '\'').filter(|word| !word.is_empty());
    let is_one = |word: &str| WORKS.contains(key(word).as_str());
    // "Rossi Treadmill Score" is one too; "Rossi in clinic" is not.
    let then = |first: &str, second: Option<&str>| {
        first.starts_with(char::is_uppercase) && second.is_some_and(is_one)
    };
    behind.starts_with([' ', '-', '\''])
        && next.next().is_some_and(|first| is_one(first) || then(first, next.next()))
}

/// Whether it is what is named after people: a name is not called so.
pub(super) fn is_work_word(word: &str) -> bool {
    WORKS.contains(key(word).as_str())
}

/// Whether a year stands behind a name, as behind that of an author.
pub(super) fn has_year(behind: &str) -> bool {
    static YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"^,? \(?(?:19|20)\d{2}\b"));
    YEAR.is_match(behind)
}

/// Whether what stands behind a name makes it an author's: a year, or initials and a reference.
pub(super) fn is_author(behind: &str) -> bool {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?: [A-Z]{1,3}\b)?(?:, [\p{L}' -]{2,30}){0,6},? ?(?:et al\b|(?i:nejm|jama|lancet|bmj|circulation|chest|blood|ann intern med|n engl j med|j am coll cardiol|stroke|gut|eur heart j)\b|\(?(?:19|20)\d{2}[;:)])",
        )
    });
    has_year(behind) || REFERENCE.is_match(behind)
}

/// Whether what stands before a name makes it one that is cited.
pub(super) fn is_cited(before: &str) -> bool {
    static CITED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:\b(?:by|dr|drs|prof|professor|doctor|author|authors|speaker|lecturer|investigator|surgeon|according to|after|brand|trade|generic|drug|product|study|trial|et al|and colleagues|president|sir|nobel)\b\.?[ :,]*(?:name(?:s|d)?(?: is| was|:)? )?|\p{Lu}[\p{L}'-]+ & )$",
        )
    });
    CITED.is_match(before)
}

/// How many bytes of a clause may part a name from the word of a lesson that it belongs to.
const REACH: usize = 48;

/// How many places of a name are looked at.
const MOST: usize = 8;

/// Whether a name in a text is one of a lesson: who speaks, writes or appears there is cited. The word of the lesson
/// stands in the same clause and within reach, there or where the same name is written again; elsewhere a name is a
/// name, whatever else the text asks about.
pub(super) fn is_lessons(text: &str, name: Range<usize>) -> bool {
    static LESSON: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:according to|lecture[rsd]?|talk|speakers?|slides?|author(?:s|ed)?|papers?|articles?|et al|published|professor|video|vignette|module|recording|podcast|interview|simulation|scenario|transcript|who (?:is|was|are|were|invented|described|discovered|wrote|said|gave|presented)|what (?:did|does) [^?]{0,30}(?:say|said|show|mean|find|found|teach|recommend|think|describe|discover|write|explain|conclude|suggest))\b",
        )
    });
    let word = text[name].split(' ').next().unwrap_or_default().trim_end_matches("'s");
    // Whoever writes one name many times gains nothing by it.
    text.match_indices(word).take(MOST).any(|(start, word)| {
        let end = start + word.len();
        let around = boundary(text, start.saturating_sub(REACH))..boundary(text, end.saturating_add(REACH));
        LESSON.find_iter(&text[around.clone()]).any(|hit| {
            let hit = around.start + hit.start()..around.start + hit.end();
            let between = text.get(hit.end.min(end)..hit.start.max(start).max(hit.end.min(end)));
            between.is_some_and(|between| !ends_clause(between))
        })
    })
}

/// The end of the sign at a place, or the end of the text.
fn boundary(text: &str, place: usize) -> usize {
    (place..text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len())
}

/// Whether a clause ends in what stands between two words. The dot of "Dr." ends none.
fn ends_clause(between: &str) -> bool {
    static END: LazyLock<Regex> = LazyLock::new(|| pattern(r"[?!;\n]|[^\W\d_]{4,}[.:] |\d[.] "));
    END.is_match(between)
}

/// Whether a text is written as a title, each word with a capital: there, capitals say nothing.
pub(super) fn is_titled(text: &str) -> bool {
    let long: Vec<&str> =
        text.split(|sign: char| !sign.is_alphabetic()).filter(|word| word.chars().count() > 3).collect();
    let capital = long.iter().filter(|word| word.starts_with(char::is_uppercase)).count();
    long.len() > 4 && capital * 10 > long.len() * 6
}

/// Whether a word in capitals is an abbreviation: in a text that is not all in capitals, four letters are needed.
pub(super) fn is_acronym(text: &str, word: &str) -> bool {
    let letters = word.chars().filter(|sign| sign.is_alphabetic()).count();
    let short = letters < 4 && letters > 1;
    short && !word.chars().any(char::is_lowercase) && text.chars().any(char::is_lowercase)
}
