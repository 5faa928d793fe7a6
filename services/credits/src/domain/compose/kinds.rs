//! What can be asked for: quantities and drugs.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What something is. Only things of one kind stand against each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A number with this unit.
    Quantity { unit: String, percent: bool },
    /// A drug.
    Drug { family: Option<&'static str> },
}

/// Something in a sentence that can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// Where, in bytes of the sentence.
    pub(crate) range: Range<usize>,
    /// As it is written there.
    pub(crate) text: String,
    pub(crate) kind: Kind,
    /// The number, for quantities.
    pub(crate) value: f64,
}

/// A number and the unit that follows it. Ranges and ratios are left alone: half of one is no answer.
static QUANTITY: LazyLock<Regex> = LazyLock::new(|| {
    let units = "mg/kg|mg/dL|mg/day|mg/mL|mmol/L|mmol/mol|g/dL|mL/min|mm ?Hg|kg/m2|µg|μg|mcg|mg|kg|ng/mL|pg/mL|IU/L|IU|mL|dL|cm|mm|Gy|Hz|kHz|MHz|years|year|months|month|weeks|week|days|day|hours|hour|minutes|minute|seconds|patients|women|men|children|infants|participants|subjects|cases|adults|studies|trials|countries|centers|centres|hospitals|practices|sites|slides|images|readers|pathologists";
    Regex::new(&format!(
        r"(?x) (?P<number> \d{{1,3}}(?:,\d{{3}})+ | \d+(?:\.\d+)? ) (?: (?P<percent> \s?% ) | [\s-]?(?P<unit> {} ) \b )",
        units.replace(' ', r"\ ")
    ))
    .expect("a constant pattern")
});

/// Endings of international nonproprietary names and the families they stand for (WHO INN stem list).
const STEMS: &[(&str, &str)] = &[
    ("xaban", "xaban"),
    ("gatran", "gatran"),
    ("parin", "parin"),
    ("plase", "plase"),
    ("grel", "grel"),
    ("prazole", "prazole"),
    ("tidine", "tidine"),
    ("statin", "statin"),
    ("sartan", "sartan"),
    ("olol", "olol"),
    ("dipine", "dipine"),
    ("thiazide", "thiazide"),
    ("semide", "semide"),
    ("gliptin", "gliptin"),
    ("gliflozin", "gliflozin"),
    ("glitazone", "glitazone"),
    ("glutide", "glutide"),
    ("formin", "formin"),
    ("cillin", "cillin"),
    ("mycin", "mycin"),
    ("floxacin", "floxacin"),
    ("cycline", "cycline"),
    ("penem", "penem"),
    ("conazole", "conazole"),
    ("vudine", "vudine"),
    ("ciclovir", "ciclovir"),
    ("tegravir", "tegravir"),
    ("navir", "navir"),
    ("buvir", "buvir"),
    ("asvir", "asvir"),
    ("tinib", "tinib"),
    ("ciclib", "ciclib"),
    ("zomib", "zomib"),
    ("parib", "parib"),
    ("taxel", "taxel"),
    ("rubicin", "rubicin"),
    ("platin", "platin"),
    ("umab", "mab"),
    ("imab", "mab"),
    ("omab", "mab"),
    ("amab", "mab"),
    ("setron", "setron"),
    ("triptan", "triptan"),
    ("oxetine", "oxetine"),
    ("azepam", "azepam"),
    ("barbital", "barbital"),
    ("caine", "caine"),
    ("profen", "profen"),
    ("coxib", "coxib"),
    ("olone", "olone"),
    ("asone", "asone"),
    ("dronate", "dronate"),
    ("terol", "terol"),
    ("tropium", "tropium"),
    ("lukast", "lukast"),
];

/// Drugs whose names do not end in a stem.
const DRUGS: &[&str] = &[
    "warfarin",
    "heparin",
    "aspirin",
    "paracetamol",
    "acetaminophen",
    "insulin",
    "digoxin",
    "lithium",
    "morphine",
    "codeine",
    "fentanyl",
    "naloxone",
    "amiodarone",
    "isoniazid",
    "rifampicin",
    "ethambutol",
    "pyrazinamide",
    "chloroquine",
    "artesunate",
    "tamoxifen",
    "methotrexate",
    "cisplatin",
    "fluorouracil",
    "cyclophosphamide",
    "levodopa",
    "valproate",
    "phenytoin",
    "carbamazepine",
    "lamotrigine",
    "levetiracetam",
    "gabapentin",
    "clozapine",
    "haloperidol",
    "risperidone",
    "olanzapine",
    "quetiapine",
    "sertraline",
    "citalopram",
    "escitalopram",
    "bupropion",
    "mirtazapine",
    "propofol",
    "ketamine",
    "midazolam",
    "dexmedetomidine",
    "oxytocin",
    "misoprostol",
    "magnesium",
    "furosemide",
    "spironolactone",
    "clonidine",
    "nitroglycerin",
    "adenosine",
    "epinephrine",
    "norepinephrine",
    "dopamine",
    "vasopressin",
    "vancomycin",
    "linezolid",
    "metronidazole",
];

/// The family of a drug name, if its ending tells one. `None` when it is no drug that is known.
pub(crate) fn drug_family(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    if word.len() < 6 {
        return None;
    }
    STEMS.iter().find(|(ending, _)| word.ends_with(ending)).map(|(_, family)| *family)
}

fn is_drug(word: &str) -> bool {
    // Words of everyday English that end like drugs.
    const NOT_DRUGS: [&str; 6] = ["cholesterol", "control", "protocol", "monopole", "quinolone", "alone"];
    let lower = word.to_lowercase();
    !NOT_DRUGS.contains(&lower.as_str())
        && (DRUGS.contains(&lower.as_str()) || (drug_family(&lower).is_some() && !lower.ends_with("ontrol")))
}

/// Everything in a sentence that can be asked for.
pub(crate) fn targets(sentence: &str) -> Vec<Target> {
    let mut found = quantities(sentence);
    found.extend(drugs(sentence));
    found
}

fn quantities(sentence: &str) -> Vec<Target> {
    let quantity = |captures: regex::Captures<'_>| {
        let whole = captures.get(0)?;
        let number = captures.name("number")?;
        let before = sentence[..number.start()].chars().next_back();
        let after = sentence[whole.end()..].trim_start();
        // Part of a range, a ratio, a comparison or a code: "5-10 mg", "1/2", "=30%", "CD8 10"; or of a number in groups: "10 931".
        if continues_a_number(&sentence[..number.start()], number.as_str())
            || before.is_some_and(|c| c.is_alphanumeric() || "-–−±./:=<>≤≥~+".contains(c))
            || after.starts_with(['-', '–', '±'])
            || after.starts_with("to ")
            // Part of a longer word, or the level of a confidence interval: "95%CI", "95% CI".
            || sentence[whole.end()..].starts_with(char::is_alphanumeric)
            || ["CI", "C.I", "confidence", "credible"].iter().any(|word| after.starts_with(word))
        {
            return None;
        }
        let tail = sentence[..number.start()].trim_end();
        let connected =
            ["to", "and", "or", "between", "versus", "vs", "vs.", "±", "–", "-", "=", "<", ">", "≤", "≥"];
        if connected.iter().any(|word| {
            tail.ends_with(word) && tail[..tail.len() - word.len()].ends_with(|c: char| !c.is_alphanumeric())
        }) && !tail.ends_with("between")
        {
            let mut earlier = tail.chars().rev().take(24);
            if earlier.any(|c| c.is_ascii_digit()) || tail.ends_with(['±', '–', '=', '<', '>', '≤', '≥'])
            {
                return None;
            }
        }
        let percent = captures.name("percent").is_some();
        let unit = captures.name("unit").map(|unit| singular(unit.as_str())).unwrap_or_default();
        let value: f64 = number.as_str().replace(',', "").parse().ok()?;
        Some(Target {
            range: whole.range(),
            text: whole.as_str().to_owned(),
            kind: Kind::Quantity { unit, percent },
            value,
        })
    };
    QUANTITY.captures_iter(sentence).filter_map(quantity).collect()
}

/// Whether a number of three digits is the end of a larger one that is written in groups.
fn continues_a_number(before: &str, number: &str) -> bool {
    let digits = number.split('.').next().unwrap_or_default();
    let mut ahead = before.chars().rev();
    digits.len() == 3
        && ahead.next().is_some_and(char::is_whitespace)
        && ahead.next().is_some_and(|c| c.is_ascii_digit())
}

/// Units that have a plural of their own.
const COUNTED: [&str; 6] = ["year", "month", "week", "day", "hour", "minute"];

fn singular(unit: &str) -> String {
    let one = unit.trim_end_matches('s');
    if COUNTED.contains(&one) { one.to_owned() } else { unit.to_owned() }
}

/// Another quantity in the notation of this one: "5 years" beside "1-year" is "5-year", and "20mg" beside "90 mg" is "20 mg".
pub(super) fn in_notation_of(target: &str, other: &str) -> String {
    let split =
        |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let (suffix, digits) = (&target[split(target)..], &other[..split(other)]);
    let unit = suffix.trim_start();
    let one = unit.trim_end_matches('s');
    if suffix.starts_with('-') || !COUNTED.contains(&one) {
        return format!("{digits}{suffix}");
    }
    let plural = if number(digits) == Some(1.0) { "" } else { "s" };
    format!("{digits}{}{one}{plural}", &suffix[..suffix.len() - unit.len()])
}

fn drugs(sentence: &str) -> Vec<Target> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in sentence.char_indices().chain([(sentence.len(), ' ')]) {
        match (c.is_alphabetic(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = &sentence[from..at];
                // Joined words are names of something else: "non-heparin", "aspirin/dipyridamole".
                let joined = sentence[..from].ends_with(['-', '/', '\''])
                    || sentence[at..].starts_with(['-', '/', '\'']);
                if !joined && is_drug(word) {
                    found.push(Target {
                        range: from..at,
                        text: word.to_owned(),
                        kind: Kind::Drug { family: None },
                        value: 0.0,
                    });
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

impl Target {
    /// How far another text of this kind is: the logarithm of the ratio of the numbers. Nothing for drugs.
    pub(crate) fn distance(&self, other: &str) -> Option<f64> {
        self.distance_to(number(other)?)
    }

    /// The same to a number.
    pub(super) fn distance_to(&self, value: f64) -> Option<f64> {
        (self.value > 0.0 && value > 0.0).then(|| (self.value / value).ln().abs())
    }
}

/// The number a quantity begins with.
pub(crate) fn number(text: &str) -> Option<f64> {
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ',')
        .filter(|c| *c != ',')
        .collect();
    digits.trim_end_matches('.').parse().ok()
}

/// Numbers by size, words by the alphabet: an order that gives nothing away.
pub(crate) fn in_natural_order(options: &mut [(String, bool)]) {
    options.sort_by(|(a, _), (b, _)| match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.to_lowercase().cmp(&b.to_lowercase()),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sentence: &str) -> Vec<String> {
        targets(sentence).into_iter().map(|target| target.text).collect()
    }

    #[test]
    fn quantities_come_with_their_unit() {
        assert_eq!(
            found("The dose is 2.5 mg twice a day for 12 weeks in 1,204 patients (35%)."),
            ["2.5 mg", "12 weeks", "1,204 patients", "35%"]
        );
    }

    #[test]
    fn half_of_a_range_is_no_answer() {
        assert!(
            found("Between 5-10 mg, 5 to 10 mg, 3 ± 2 days and P<0.05 were seen, as was 1/2 year.")
                .iter()
                .all(|text| text != "5-10 mg" && text != "10 mg" && text != "2 days")
        );
        assert!(found("The odds were higher (OR = 9.2, 95%CI = 1.5-54.7; 95% CI 2.1 to 3.4; 99% confidence interval).").is_empty());
        // Letters of more than one byte before it.
        assert!(found("PINP was 56.2 ± 21.9 μg/mL; and sCTX, 0.58 ± 0.2 μg was found.").is_empty());
        assert!(found("The ratio was 1.5 (95% CI=1.2 to 1.9).").iter().all(|text| text != "1.9"));
    }

    #[test]
    fn a_number_in_groups_is_one_number() {
        assert!(found("Measurements were made on 10 931 patients in the ward.").is_empty());
        assert_eq!(found("In 2004 we saw 931 patients in the ward."), ["931 patients"]);
    }

    #[test]
    fn notation_gives_nothing_away() {
        assert_eq!(in_notation_of("1-year", "5 years"), "5-year");
        assert_eq!(in_notation_of("12 years", "1-year"), "1 year");
        assert_eq!(in_notation_of("1 month", "3 months"), "3 months");
        assert_eq!(in_notation_of("90 mg", "20mg"), "20 mg");
        assert_eq!(in_notation_of("92%", "99.5 %"), "99.5%");
        assert_eq!(in_notation_of("104 patients", "1,204 patients"), "1,204 patients");
    }

    #[test]
    fn drugs_are_known_by_name_or_ending() {
        assert_eq!(found("Warfarin was compared with apixaban and a control."), ["Warfarin", "apixaban"]);
        assert_eq!(drug_family("rivaroxaban"), drug_family("apixaban"));
        assert_eq!(drug_family("control"), None);
    }

    #[test]
    fn order_gives_nothing_away() {
        let mut options =
            vec![("10 mg".to_owned(), true), ("2.5 mg".to_owned(), false), ("1,000 mg".to_owned(), false)];
        in_natural_order(&mut options);
        assert_eq!(
            options.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(),
            ["2.5 mg", "10 mg", "1,000 mg"]
        );
    }
}
