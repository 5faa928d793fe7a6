//! Labels as the detectors know them: keys of charts are words again, typing errors in a label before a number are
//! mended, and letters that a scanner read for digits are digits.
//!
//! Nothing here decides: a label that was mended wrongly still needs a number of the right form behind it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::{pattern, replace};

/// What is written before a number of a person, long enough to be known with an error in it.
const LONG: [&str; 32] = [
    "account",
    "accession",
    "address",
    "birth",
    "birthdate",
    "birthday",
    "cellphone",
    "encounter",
    "health",
    "hospital",
    "insurance",
    "licence",
    "license",
    "medicaid",
    "medical",
    "medicare",
    "member",
    "mobile",
    "number",
    "pager",
    "passport",
    "patient",
    "phone",
    "policy",
    "prescription",
    "record",
    "security",
    "serial",
    "social",
    "specimen",
    "subscriber",
    "telephone",
];
/// The short ones: they need their own form of number right behind them.
const SHORT: [&str; 3] = ["dob", "mrn", "ssn"];
/// Words that are one error away from a label.
const WORDS: [&str; 56] = [
    "berth", "birch", "births", "brith", "char", "both", "chat", "dob", "dog", "dot", "doc", "dub",
    "ethical", "heath", "job", "man", "medial", "medicine", "men", "min", "mon", "mra", "mrd", "mri", "mrna",
    "mrs", "mr", "numb", "numbers", "page", "pages", "paged", "papers", "patent", "patience", "patents",
    "phase", "phones", "police", "records", "san", "sin", "sn", "son", "ss", "sst", "ssi", "sun", "wealth",
    "mob", "ob", "do", "health", "payer", "paper", "player",
];

/// The edits between two words, a swap of neighbors being one, up to `most`.
fn edits(one: &str, other: &str, most: usize) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > most {
        return most + 1;
    }
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    rows[0] = (0..=other.len()).collect();
    for i in 1..=one.len() {
        rows[i][0] = i;
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            rows[i][j] = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[one.len()][other.len()]
}

/// The label that a word was meant to be.
fn meant(word: &str, labels: &[&'static str]) -> Option<&'static str> {
    let word = word.to_lowercase();
    // A plural is no error: "patients 12" counts them.
    let is_plural = |label: &str| word.strip_suffix('s') == Some(label);
    let is_short = labels.iter().all(|label| word.len() < label.len().min(4));
    if is_short
        || WORDS.contains(&word.as_str())
        || labels.iter().any(|label| *label == word || is_plural(label))
    {
        return None;
    }
    let most = |label: &str| if label.len() < 7 { 1 } else { 2 };
    // The first letter is seldom wrong, and words that differ in it are others.
    let near = |label: &&&str| {
        label.as_bytes().first() == word.as_bytes().first() && edits(&word, label, most(label)) <= most(label)
    };
    labels.iter().find(near).copied()
}

/// Labels with an error in them, before a number.
fn mended(text: Cow<'_, str>) -> Cow<'_, str> {
    static BEFORE_DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\p{L}{4,13}\b[^\d\n.!?]{1,24}\d"));
    static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\p{L}{3,}"));
    static BEFORE_FORM: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)\b[a-z]{3,4}\b\W{1,3}(?:is |was )?[a-z]{0,3}\d[\d/. -]{4,}"));
    let mend = |labels: &'static [&'static str]| {
        move |hit: &Captures<'_>| {
            // The words between may hold the label.
            let fix = |word: &Captures<'_>| meant(&word[0], labels).unwrap_or(&word[0]).to_owned();
            WORD.replace_all(&hit[0], fix).into_owned()
        }
    };
    replace(replace(text, &BEFORE_DIGITS, mend(&LONG)), &BEFORE_FORM, mend(&SHORT))
}

/// The word for a patient before a name, with an error in it.
fn patient(text: Cow<'_, str>) -> Cow<'_, str> {
    static BEFORE_NAME: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?P<word>[Pp][a-z]{4,8})(?P<behind>[ :,]{1,2}\p{Lu}\p{Ll})"));
    replace(text, &BEFORE_NAME, |hit| {
        let word = meant(&hit["word"], &["patient"]).unwrap_or(&hit["word"]);
        format!("{word}{}", &hit["behind"])
    })
}

/// Keys of charts and programs as words: `patientId=`, `last_name:`, `MRN_0029183`.
fn keys(text: Cow<'_, str>) -> Cow<'_, str> {
    static KEYS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"\b(?P<key>\p{L}+(?:_\p{L}+)+|\p{Ll}+(?:\p{Lu}\p{L}*)+|\p{Lu}\p{Ll}+(?:\p{Lu}\p{L}*)+)(?P<behind>["']?>? ?[:=]|_?\d)|(?P<label>\b(?i:mrn|ssn|dob|id|phone|acct|account|chart|record|patient|pt))_(?P<value>#?[a-zA-Z]?\d)"#,
        )
    });
    static LABEL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:id|identifier|names?|birth|dob|phone|tel|number|no|mrn|ssn|patient|member|account|e?mail|address|given|family|serial|ip|mac)$|^(?:patient|pt|birth|member|account|first|last)",
        )
    });
    replace(text, &KEYS, |hit| {
        if let (Some(label), Some(value)) = (hit.name("label"), hit.name("value")) {
            return format!("{} {}", label.as_str(), value.as_str());
        }
        let (key, behind) = (&hit["key"], &hit["behind"]);
        if !LABEL.is_match(key) {
            return hit[0].to_owned();
        }
        let mut words = String::new();
        let mut lower = false;
        for sign in key.chars() {
            if (sign.is_uppercase() && lower) || sign == '_' {
                words.push(' ');
            }
            if sign != '_' {
                words.push(sign);
            }
            lower = sign.is_lowercase();
        }
        let gap =
            if behind.starts_with(|sign: char| sign == '_' || sign.is_ascii_digit()) { " " } else { "" };
        format!("{words}{gap}{}", behind.trim_start_matches('_'))
    })
}

/// Letters that stand for digits in numbers with signs between their groups, as scanners read them.
fn scanned(text: Cow<'_, str>) -> Cow<'_, str> {
    static MIXED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b[\dOoIl|]{1,4}(?:[./ -][\dOoIl|]{1,5}){2,5}\b|\b[\dOoIl|]{4}(?:[ -][\dOoIl|]{4}){3}\b|\b\d[\dOoIl|]{6,}\b|\b[OIl|]\d[\dOoIl|]{5,}\b",
        )
    });
    replace(text, &MIXED, |hit| {
        // A bar before a number or behind it parts the fields of a message.
        let (before, number, behind) = without_bars(&hit[0]);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        let letters = number.chars().filter(|sign| matches!(sign, 'O' | 'o' | 'I' | 'l' | '|')).count();
        // Four groups of four are a card, however few of its digits were read.
        let is_card = digits + letters == 16 && number.len() == 19 && digits > 0;
        if letters == 0 || ((digits < 4 || digits < letters) && !is_card) {
            return hit[0].to_owned();
        }
        let read = number
            .chars()
            .map(|sign| match sign {
                'O' | 'o' => '0',
                'I' | 'l' | '|' => '1',
                _ => sign,
            })
            .collect::<String>();
        format!("{before}{read}{behind}")
    })
}

/// A number, and the bars around it.
fn without_bars(number: &str) -> (&str, &str, &str) {
    let start = number.len() - number.trim_start_matches('|').len();
    let end = number.trim_end_matches('|').len().max(start);
    (&number[..start], &number[start..end], &number[end..])
}

/// A space between figures or Latin words and what is written without spaces.
pub(crate) fn apart(text: &str) -> String {
    static JOINTS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?P<before>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])(?P<behind>[a-zA-Z0-9])|(?P<last>[a-zA-Z0-9])(?P<first>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])",
        )
    });
    let part = |hit: &Captures<'_>| {
        let text = &hit[0];
        let mut signs = text.chars();
        format!("{} {}", signs.next().unwrap_or_default(), signs.as_str())
    };
    // A sign may stand between two that are to be parted.
    let once = JOINTS.replace_all(text, part);
    JOINTS.replace_all(&once, part).into_owned()
}

/// The text with its labels and scanned numbers as they were meant.
pub(crate) fn as_meant(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = patient(text);
    if !text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains(['=', ':']) {
        return text;
    }
    mended(scanned(keys(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_numbers_are_as_meant() {
        for (written, meant) in [
            ("patientId=0039102", "patient Id=0039102"),
            ("MRN_0029183", "MRN 0029183"),
            ("last_name: Doe", "last name: Doe"),
            ("dobb 4/12/1951", "dob 4/12/1951"),
            ("mnr 339102", "mrn 339102"),
            ("phnoe 4155552671", "phone 4155552671"),
            ("sosial secuirty 318772054", "social security 318772054"),
            ("O4/l2/1951", "04/12/1951"),
            ("patients 18201", "patients 18201"),
            ("IL-2 and IL-10", "IL-2 and IL-10"),
            ("the mri 2023.11.02", "the mri 2023.11.02"),
        ] {
            assert_eq!(as_meant(written.into()), meant, "{written}");
        }
    }
}
