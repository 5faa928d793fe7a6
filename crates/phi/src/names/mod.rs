//! Names in a context that makes them a patient's.
//!
//! A capitalized word is no name by itself: eponyms, authors, brands and titles look the same. So each rule is a context
//! (a title of address, a word for a patient, an age, a bed, a relation, what is done to somebody) and what a name must
//! look like there; the weaker the context, the more a name has to show, up to a given name that is known.

mod clinic;
mod contexts;
mod lexicon;

use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex};

use crate::{Finding, Kind, pattern};

/// A written name: capitalized words with particles and initials between them.
const NAME: &str = r"(?P<name>\p{Lu}[\p{L}'-]*\.?(?: (?:(?:de|da|di|du|del|della|dos|van|von|der|den|ter|bin|ibn|al|el|la|le|y|e) ){0,2}\p{Lu}[\p{L}'-]*\.?){0,3})";
/// Two words or more of it.
const FULL: &str = r"(?P<name>\p{Lu}[\p{L}'-]*\.?(?: (?:(?:de|da|di|du|del|della|dos|van|von|der|den|ter|bin|ibn|al|el|la|le|y|e) ){0,2}\p{Lu}[\p{L}'-]*\.?){1,3})";
/// A name however it is written: known given names only.
const ANY: &str = r"(?P<name>[\p{L}][\p{L}'-]+(?: [\p{L}]\b\.?)?(?: (?:(?:de|da|di|van|von|bin|al|el) )?[\p{L}][\p{L}'-]+)?)";

const PATIENT: &str = r"(?i:patients?|pts?|ptnts?|pnts?|pat|clients?|inpatient|outpatient|veteran|paciente|patiente|paziente|patientin|patiënte?|pasient(?:en)?|pacjent(?:ka|ki|a|em)?)";
const PERSON: &str = r"(?i:patients?|pts?|clients?|m[ae]n|wom[ae]n|boy|girl|lad(?:y|ies)|gentlem[ae]n|guy|person|child|kid|baby|infant|toddler|newborn|teen\w*|adolescent|adult|male|female|veteran|resident|individual|neighbou?r|colleague|friend|farmer|teacher|smoker|diabetic|he|she|who|one|somebody|someone|old|yo|y/o|paciente|paziente|hombre|mujer|homme|femme|uomo|donna|Mann|Frau|niñ[oa]|se|s')";
const RELATIVE: &str = r"(?i:mother|father|mom|mum|dad|son|daughter|wife|husband|partner|child|baby|brother|sister|grand(?:mother|father|ma|pa|son|daughter)|uncle|aunt|niece|nephew|cousin|neighbou?r|friend|colleague|roommate|boss|dtr|hubby|sis|bro|fianc[ée]e?|girlfriend|boyfriend|gf|bf|spouse|stepson|stepdaughter|step(?:mom|dad)|madre|padre|abuel[oa]|t[ií][oa]|herman[oa]|mam[áa]|pap[áa]|nonn[oa]|sorella|fratello|oma|opa|Mutter|Vater|Tochter|Sohn|Schwester|Bruder|moeder|vader|dochter|zoon|grand-?mère|grand-?père|sœur|frère|avó|avô|babcia|matka|hij[oa]|espos[oa]|mère|père|mari|femme|figli[oa]|moglie|marito)";
const TITLES: &str = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|MR|MRS|mr|mrs|dr)\.? )?";
const AGE: &str = r"(?i:(?:aged? |age:? )?\d{1,3} ?-? ?(?:y\b|yo\b|y\.o|y/o|yr|year|m\b|f\b|ans\b|años|anni\b|jahre|months?|mo\b)|aged? \d|(?:male|female)\b|[mf]/\d|[mf] ?\d{2}\b|d\.?o\.?b|born|mrn|ssn|bed \w|room \w|ward \w|rm \d)";

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

fn rule(proof: Proof, context: &str) -> Rule {
    Rule {
        source: context.to_owned(),
        context: OnceLock::new(),
        proof,
        capital: context.contains(r"(?P<name>\p{Lu}"),
    }
}

/// Contexts, the strongest first.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let acted = r"(?i:dos(?:e|es|ing|age)|treat\w*|giv(?:e|en|ing)|gave|prescrib\w*|start\w*|stop\w*|hold\w*|switch\w*|continu\w*|discharg\w*|admit\w*|manag\w*|anticoagul\w*|transfus\w*|intubat\w*|operat\w*|saw|see|seeing|seen|bridg\w*|\w+oscopy|\w+ectomy|surgery|biopsy|scan|mri|ct|labs?|results?|inr|potassium|creatinine|hba1c|bp|care|visit|warfarin|apixaban|rivaroxaban|dabigatran|heparin|insulin|metformin|statin|antibiotics?|chart|record|notes?|regarding|about|re)";
    let does = r"(?i:(?:is|was|has been|will be|be|been)? ?(?:has|have|had|takes?|took|taking|bleeds?|bled|bleeding|needs?|presents?|presented|came|comes|complains?|weighs|gets?|receives?|receiving|develop(?:s|ed)|fell|wants?|asks?|tolerates?|admitted|discharged|allergic|diagnosed|on|in (?:bed|room|ward|icu|clinic)|pregnant|diabetic|hypotensive|septic|safe|eligible|due|scheduled|vomit\w*|refus\w*|suffer\w*|bleeding|start(?:ed)?|stop(?:ped)?|died|deceased))";
    vec![
        // A title of address. "Miss" is a verb too.
        rule(
            Proof::Word,
            &format!(
                r"\b(?:Mr|Mrs|Ms|Mx|MRS|Mister|Sra|Srta|Señora?|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Signora?|Sig\.ra)\b\.? {NAME}"
            ),
        ),
        rule(
            Proof::Word,
            &format!(
                r"\b(?i:señora?|sra|srta|signora?|monsieur|madame|frau|herrn?|mister|missus)\b\.? {NAME}"
            ),
        ),
        rule(Proof::TwoWords, &format!(r"\b(?:Miss|MR|Sr|Don|Doña|M\.)\b\.? {NAME}")),
        rule(Proof::Known, &format!(r"(?i)\b(?:mr|mrs|ms|miss)\b\.? {ANY}")),
        rule(Proof::Word, r"\bmrs\.? (?P<name>\p{L}[\p{L}'-]+)\b"),
        // What says that a name follows.
        rule(
            Proof::Word,
            &format!(
                r"\b{PERSON}\b[^.!?\n]{{0,40}}?\b(?i:named|called|by the name of|goes by|known as|llamad[oa]|nommée?|namens|chiamat[oa]|di nome|appelée?|llama|appelle|heißt)[ :,]{{1,2}}{TITLES}{NAME}"
            ),
        ),
        rule(
            Proof::Known,
            &format!(
                r"\b(?i:named|called|by the name of|goes by|llamad[oa]|nommée?|namens|chiamat[oa])[ :,]{{1,2}}{TITLES}{NAME}"
            ),
        ),
        rule(
            Proof::Word,
            &format!(
                r"(?:^|[^\w])(?:(?i:(?:her|his|their|my|patient'?s?|pt'?s?|client'?s?|whose|full|last|first|maiden|legal|family|given|sur|middle) ?-?names?)|(?:Name|NAME|Surname|Patient name)|(?i:nombre|nom|nome|apellido|cognome|nachname)) ?(?i:is|was|being|es|est|è|ist)?[ :=,-]{{1,3}}{TITLES}{NAME}"
            ),
        ),
        rule(Proof::Known, &format!(r"(?i)\bnames? ?(?:is|was|=|:)?[ :=]{{1,2}}{ANY}")),
        rule(
            Proof::TwoWords,
            &format!(r"\b(?i:i am|i'm|this is|meet|signed|sincerely|regards),? {TITLES}{NAME}"),
        ),
        // A patient, and a name right behind.
        rule(
            Proof::TwoWords,
            &format!(
                r"\b(?:{PATIENT}\b(?i:'s)?(?: ?[,:;(#=/-]| is| was| -)?|(?i:pt)\.) ?(?i:is |was |named |called |name |known as )?\(?[\x22']?{TITLES}{NAME}"
            ),
        ),
        rule(
            Proof::Known,
            &format!(
                r"\b(?:{PATIENT}\b(?i:'s)?(?: ?[,:;(=-]| is| was)?|(?i:pt)\.) ?(?i:named |called |name |known as )?{ANY}"
            ),
        ),
        rule(
            Proof::Known,
            &format!(
                r"\b(?i:case|resident|subject|participant|proband|baby|little|our|my|poor|old|about|re|regarding|concerning|for|with|in) ?[:,]? ?(?i:of )?{FULL}"
            ),
        ),
        // A name, and what only a patient has: an age, a bed, a number.
        rule(
            Proof::TwoWords,
            &format!(r"\b{FULL}(?: ?[,(;-]| is| was){{0,2}} ?(?:(?i:an?|the|now|currently|who is) )?{AGE}"),
        ),
        rule(Proof::Known, &format!(r"\b{FULL},? (?i:(?:in|from) )?(?:(?i:bed|room|ward|icu)\b|\()")),
        rule(
            Proof::Word,
            &format!(
                r"\b(?i:my|our|mi|mon|ma|mein\w*|mio|mia|nuestr[oa]|notre|unser\w*|minha|meu) {PATIENT}\b,? {TITLES}{NAME}"
            ),
        ),
        rule(Proof::Known, &format!(r"\b{FULL} ?[,/;] ?\d{{1,3}}(?: ?[,/;)]|$)")),
        rule(
            Proof::Known,
            &format!(
                r"\b\d{{1,3}} ?-? ?(?i:y|yo|y/o|yrs?|years?)\b[ -]?(?i:old)?,? ?(?i:man|woman|male|female|m|f|lady|gentleman|boy|girl|patient|pt)?,? ?{FULL}"
            ),
        ),
        rule(Proof::Known, &format!(r"\b(?i:room|bed|ward|rm) ?#?\d{{1,4}}[a-z]?[ ,:-]{{1,3}}{FULL}")),
        // A relation.
        rule(
            Proof::Word,
            &format!(
                r"\b(?i:my|our|his|her|their|the patient's|mi|mon|ma|mein|meine|mio|mia) {RELATIVE},? (?i:named |called )?{NAME}"
            ),
        ),
        rule(Proof::TwoWords, &format!(r"\b{RELATIVE} of {TITLES}{FULL}")),
        // What is done to somebody, and what somebody does.
        rule(
            Proof::Known,
            &format!(
                r"\b{acted}\b[^.!?\n]{{0,40}}?\b(?i:for|in|on|of|to|with|by|about|re|regarding)?[ :]{{1,2}}{FULL}"
            ),
        ),
        rule(
            Proof::Known,
            &format!(r"\b{FULL}(?:'s? )?,? ?(?:(?i:who|also|now|just|still|currently|not|a|the) )*{does}\b"),
        ),
        rule(
            Proof::Given,
            r"\b(?P<name>\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}'-]+)?)'s? (?i:inr|potassium|creatinine|egfr|gfr|hba1c|bp|blood|labs?|results?|chart|record|dose|warfarin|apixaban|insulin|medications?|meds|biopsy|scan|mri|ct|ecg|ekg|x-ray|surgery|operation|wound|diagnosis|condition|daughter|son|wife|husband|mother|father|family|weight|age|kidney|heart|liver)\b",
        ),
        // Surname first, as in lists and wristbands.
        rule(
            Proof::Known,
            r"(?P<last>\p{Lu}[\p{L}'-]+), ?(?P<name>\p{Lu}[\p{L}'-]+)(?: \p{Lu}\.?)?(?: ?[,(;:-]| (?i:has|is|was|on|\d)|$)",
        ),
    ]
});

/// Initials of a patient.
static INITIALS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
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

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let titled = lexicon::is_titled(text);
    let (given, capital) = lexicon::cues(text);
    for rule in RULES
        .iter()
        .chain(contexts::RULES.iter())
        .chain(clinic::RULES.iter())
        .filter(|rule| rule.applies(given, capital))
    {
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
        contexts::find_pairs(text, found);
    }
    clinic::find(text, found, (given, titled));
    contexts::find_initials(text, found);
    if !text.chars().skip(1).any(char::is_uppercase) {
        return;
    }
    for initials in INITIALS.iter() {
        found.extend(initials.find_iter(text).map(|hit| Finding { kind: Kind::Name, place: hit.range() }));
    }
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
        Proof::Alone => sure && capital && !titled && !contexts::is_acronym(text, first),
        Proof::Called => {
            let given = known && !opens && !lexicon::is_word(first) && says(first);
            capital && !titled && (given || words.iter().any(surname)) && !contexts::is_acronym(text, first)
        }
        Proof::Person => !titled && (sure || words.iter().any(surname)) && !contexts::is_acronym(text, first),
        Proof::Known => {
            sure && (words.len() > 1 || hit.name("last").is_some_and(|last| !lexicon::is_word(last.as_str())))
        }
    }
}
