//! Initials: of a patient, beside an age or a bed.

use std::sync::LazyLock;

use regex::Regex;

use super::vocabulary::{PATIENT, acts};
use crate::{Finding, Kind, pattern};

/// Initials of a patient.
static POINTED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        format!(
            r"\b{PATIENT}\b,? ?(?i:named |called |initials? |is |\p{{Ll}}{{3,10}} )?\(?\p{{Lu}}\. ?\p{{Lu}}\.(?: ?\p{{Lu}}\.)?"
        ),
        r"\b(?i:initials?)\b(?i: are| is|:)? ?\p{Lu}\.? ?\p{Lu}\.?(?: ?\p{Lu}\.?)?\b".to_owned(),
        format!(r"\b(?:{PATIENT}|Mr|Mrs|Ms|Miss)\b\.?,? ?\p{{Lu}}\. ?\p{{Lu}}[\p{{L}}'-]+\p{{Ll}}\b"),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Two letters that mean something else in a clinic.
const ABBREVIATIONS: &str = "AB AC AD AF AI AL AM AN AP AR AS AT AV BB BC BD BE BK BM BP BS CA CC CD CF CI CK CM CN CO CP CR CT CV CX DC DI DK DM DO DR DX EC ED EF EM EP ER ET EU EX FB FH FU FX GA GC GI GP GU HA HB HC HD HF HI HP HR HT HX IA IC ID IE II IM IO IQ IR IT IV IX KG LA LD LE LP LV MD ME MI ML MM MR MS MV NG NO NP NS OA OB OD OK ON OP OR OT PA PC PD PE PH PM PO PR PS PT PV PX RA RF RN RR RT RV RX SC SI SL SO SP SS ST SV TB TE TG TH TI TR TS TX UA UC UK UN UP US UV VA VF VT WE WT";

/// Initials of two or three letters: beside a patient, an age or a bed.
fn find_pairs_of_letters(text: &str, found: &mut Vec<Finding>) {
    static INITIALS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let acts = acts("?");
        [
            format!(r"\b{PATIENT}\b,? \(?(?P<name>\p{{Lu}}{{2}})\b\)?,? ?(?:\(?\d{{1,3}} ?-?(?i:[mf]\b|y)|{acts}|(?i:has|needs|bleed\w*|on|is)\b)"),
            r"\b(?P<name>\p{Lu}{2}),? (?i:is |was )?(?i:in|from) (?i:bed|room|rm|ward|bay) ?#?\d".to_owned(),
            r"\b(?i:bed|room|rm|bay) ?#?\d{1,4}[,:]? (?P<name>\p{Lu}{2})\b".to_owned(),
            r"\b(?P<name>\p{Lu}\. ?\p{Lu}\.),? \(?(?:(?i:an?|is|is an?) )?\d{1,3} ?-?(?i:[mf]\b|y)".to_owned(),
            r"\b(?P<name>\p{Lu}{2}),? \d{2,3} ?-?(?:[MF]\b|(?i:y/?\.?o\b|yo[mf]\b|yr|year))".to_owned(),
            r"\b(?i:for|in|about) (?P<name>\p{Lu}\.\p{Lu}\.)(?:[ ?,)]|$)".to_owned(),
            format!(r"\b(?P<name>\p{{Lu}}\. ?\p{{Lu}}\.),? {acts}"),
            r"(?:^|[^\p{Han}])(?P<name>\p{Han}{2,4})[ ,]+(?i:takes|took|is|has|needs|bleeds|was|on)\b".to_owned(),
            r"(?:(?i:patient|pt)[ ,:]{1,2}|(?:患者|病人|患儿)[ :])(?P<name>[\p{Han}\p{Katakana}]{2,5})(?:[^\p{Han}\p{Katakana}]|$)".to_owned(),
        ]
        .iter()
        .map(|text| pattern(text))
        .collect()
    });
    let two = text
        .as_bytes()
        .windows(2)
        .any(|pair| pair[0].is_ascii_uppercase() && matches!(pair[1], b'A'..=b'Z' | b'.'));
    if !two && text.is_ascii() {
        return;
    }
    for initials in INITIALS.iter() {
        for hit in initials.captures_iter(text) {
            let Some(name) = hit.name("name") else { continue };
            let letters = name.as_str().replace(['.', ' '], "");
            if !ABBREVIATIONS.split(' ').any(|known| known == letters) {
                found.push(Finding { kind: Kind::Name, place: name.range() });
            }
        }
    }
}

pub(super) fn find(text: &str, found: &mut Vec<Finding>) {
    find_pairs_of_letters(text, found);
    if !text.chars().skip(1).any(char::is_uppercase) {
        return;
    }
    for initials in POINTED.iter() {
        found.extend(initials.find_iter(text).map(|hit| Finding { kind: Kind::Name, place: hit.range() }));
    }
}
