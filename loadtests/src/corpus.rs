//! A program that the benchmarks make themselves, so that they need no data beside the repository: invented leaflets about
//! invented drugs, the same for the same seed.

use preceptor_testkit::Dice;
use serde_json::{Value, json};

const BEGINNINGS: [&str; 12] =
    ["Alo", "Beta", "Cori", "Doxa", "Evo", "Felo", "Gali", "Hexa", "Iso", "Junta", "Keto", "Lumi"];
const MIDDLES: [&str; 10] = ["bri", "clo", "da", "fen", "ga", "lo", "mi", "ne", "ri", "ta"];
const ENDINGS: [&str; 6] = ["mab", "pril", "sartan", "statin", "vir", "xaban"];
const CONDITIONS: [&str; 8] = [
    "high blood pressure",
    "atrial fibrillation",
    "rheumatoid arthritis",
    "type 2 diabetes",
    "chronic heart failure",
    "bacterial pneumonia",
    "migraine",
    "hypothyroidism",
];
const GROUPS: [&str; 6] = [
    "adults",
    "older adults",
    "children above 12 years",
    "people on dialysis",
    "people below 60 kg",
    "pregnant women",
];
const EFFECTS: [&str; 8] = [
    "nausea",
    "a dry cough",
    "dizziness",
    "a rash",
    "low blood sodium",
    "bleeding of the gums",
    "joint pain",
    "insomnia",
];
const TESTS: [&str; 6] = [
    "serum potassium",
    "liver enzymes",
    "the platelet count",
    "creatinine clearance",
    "the QT interval",
    "fasting glucose",
];

/// Documents of one program, and questions that it answers.
#[derive(Debug)]
pub struct Corpus {
    /// Each a file of sections, as ingestion reads them.
    pub documents: Vec<Vec<u8>>,
    /// Each answered by one sentence of one document.
    pub questions: Vec<String>,
}

/// Makes `documents` leaflets and `questions` questions about them.
pub fn corpus(documents: usize, questions: usize, seed: u64) -> Corpus {
    let mut dice = Dice::new(seed);
    let drugs: Vec<String> = (0..documents).map(|number| drug(number, &mut dice)).collect();
    Corpus {
        documents: drugs.iter().map(|drug| leaflet(drug, &mut dice).to_string().into_bytes()).collect(),
        questions: (0..questions).map(|_| question(dice.pick(&drugs).clone(), &mut dice)).collect(),
    }
}

/// A name that no other document's drug has.
fn drug(number: usize, dice: &mut Dice) -> String {
    let (beginning, middle) =
        (BEGINNINGS[number % BEGINNINGS.len()], MIDDLES[number / BEGINNINGS.len() % MIDDLES.len()]);
    let more = MIDDLES[number / (BEGINNINGS.len() * MIDDLES.len()) % MIDDLES.len()];
    format!("{beginning}{middle}{more}{}", dice.pick(&ENDINGS))
}

fn leaflet(drug: &str, dice: &mut Dice) -> Value {
    let amount = |dice: &mut Dice| (dice.roll(40) + 1) * 5;
    let doses = GROUPS.map(|group| {
        format!("The usual starting dose of {drug} in {group} is {} mg taken once a day.", amount(dice))
    });
    let uses = format!(
        "{drug} is given to people with {} whose treatment so far did not suffice.",
        dice.pick(&CONDITIONS)
    );
    let effect = format!(
        "In trials {} percent of people who took {drug} had {}.",
        dice.roll(30) + 1,
        dice.pick(&EFFECTS)
    );
    let check =
        format!("Check {} every {} weeks while {drug} is taken.", dice.pick(&TESTS), dice.roll(11) + 1);
    let missed =
        format!("A dose of {drug} that was missed by more than {} hours is left out.", dice.roll(11) + 1);
    let part = |heading: &str, text: String| json!({ "heading": heading, "text": text });
    json!({ "title": format!("{drug}: a leaflet"), "sections": [
        part("Use", uses), part("Dose", doses.join(" ")), part("Side effects", effect), part("Monitoring", check), part("Missed dose", missed),
    ] })
}

fn question(drug: String, dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 => format!("What is the usual starting dose of {drug} in {}?", dice.pick(&GROUPS)),
        1 => format!("What should be checked while {drug} is taken?"),
        2 => format!("What happens when a dose of {drug} was missed?"),
        _ => format!("How many people had side effects with {drug}?"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_program_and_no_two_documents_are_about_one_drug() {
        let (one, other) = (corpus(150, 150, 1), corpus(150, 150, 1));
        assert_eq!((&one.documents, &one.questions), (&other.documents, &other.questions));
        assert_eq!(one.documents.iter().collect::<BTreeSet<_>>().len(), 150);
        assert!(one.questions.iter().collect::<BTreeSet<_>>().len() > 100, "questions differ");
    }
}
