//! Contexts for names that stand alone: a given name, a surname, initials. A name has to be known there.

use std::sync::LazyLock;

use regex::Regex;

use super::{AGE, FULL, NAME, PATIENT, Proof, Rule, TITLES, lexicon, rule};
use crate::{Finding, Kind, pattern};

/// What is taken by people: by name or by the endings of international names.
pub(super) const DRUG: &str = r"(?:warfarin|coumadin|eliquis|xarelto|pradaxa|lixiana|savaysa|lovenox|plavix|aspirin|asa|insulin|ibuprofen|heparin|blood thinners?|anticoag\w*|antiplatelets?|antibiotics?|chemo\w*|steroids?|dialysis|oxygen|doacs?|noacs?|vka|hrt|marcumar|sintrom|\w+(?:xaban|gatran|parin|grel|statin|pril|sartan|olol|mab|nib|cillin|mycin|azole|pine|tide|gliflozin|gliptin|formin|sone|lone|oxetine|pram|coumon|coumarol)s?)";

/// What only a person does, whoever it is.
fn acts(verb: &str) -> String {
    format!(
        r"(?i:(?:(?:is|was|has been|stays|went|got) ){verb}(?:also |now |still |currently |already |just )?(?:on|taking|takes|took|started|started on|put on|using|given) (?:an? |the |her |his |two |three |\d+ )?{DRUG}\b|is bleeding|bleeds|bled|fell\b|vomited|complains|refuses|was (?:admitted|discharged|shot|intubated|seen in|hospitali[sz]ed)|(?:is )?my patient|is (?:anticoagulated|admitted|vomiting|pregnant|septic|my patient|in my|in bed|in room|on the ward|on my|\d{{1,3}}\b)|(?:says|said|wants|asks|asked|called|reports|denies) (?:her|his|she|he|to|if|that|about|for|bleeding)|has (?:a |an |new |had |chronic |severe |recurrent )*(?:af|afib|atrial|dvt|pe|gi bleed|bleed\w*|stroke|tia|cancer|diabetes|pneumonia|fever|jaundice|chest|pain|ckd|copd|hiv)\b)"
    )
}

pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = alone();
    rules.extend(beside());
    rules.extend(named());
    rules.extend(titled());
    rules
});

/// A given name alone, and what is said of a person.
fn alone() -> Vec<Rule> {
    let acts = acts("?");
    let does = r"(?i:has|had|is (?:\d|on|a|an|bleeding|in|my|now|still|due|scheduled|allergic|pregnant|diabetic|taking|having|going)|was (?:admitted|started|given|put|on|taking|born|found|seen|discharged|told)|takes?|took|says|said|wants?|wanted|needs?|fell|bleeds?|bled|called|asks?|asked|complains|weighs|feels|felt|stopped|refuses|refused|missed|reports|denies|lives|vomited|died|turned|forgot|keeps|came in|and (?:her|his))";
    let behind = r"(?:[?.,;:!)]|$| (?i:have|has|take|takes|get|be|is|with|who|on|and|before|after|if|an?|the|now|today|tonight|tomorrow|for|w/|post|until|via|please|pls|thx|so|but|because|since|or|at|to|start|stop|tolerate|eat|drink|use|restart|continue|switch|receive|need|vitamin|hold|given|when|whose|aged?|\d))";
    vec![
        rule(Proof::Person, &format!(r"\b{FULL},? (?i:(?:who|also|now|just|still|currently) )*{does}\b")),
        rule(Proof::Alone, &format!(r"\b{NAME} ?[,(] ?\d{{1,3}} ?[,)]")),
        rule(Proof::Alone, &format!(r"\b{NAME},? (?i:(?:who|also|now|just|still|currently) )*{does}\b")),
        rule(Proof::Person, &format!(r"\b{NAME},? (?:(?i:who|also|now|just|still|currently) )*{acts}")),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:for|in|of|to|about|on|with|give|gave|giving|told|tell|treat|treating|saw|see|seeing|stop|hold|dose|dosing|does|can|could|should|would|did|is|has|had|let|ask|asked|switch|start|bridge|admit|admitted|discharge|discharged|met) {NAME}{behind}"
            ),
        ),
        // An initial and a surname, in either order.
        rule(
            Proof::Person,
            r"\b(?i:for|in|of|to|about|can|could|should|does|did|is|give|gave|with|treat|saw|stop|hold) (?P<name>\p{Lu}\.? ?\p{Lu}\p{Ll}[\p{L}'-]+)",
        ),
        // Somebody who is written with a capital, and what is taken by people.
        rule(
            Proof::Word,
            &format!(
                r"(?:^|[.!?:] |\b(?i:and|but|that|because|if|when) )(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+(?: \p{{Lu}}[\p{{L}}'-]+)?) (?i:takes|took|is taking|is on|was put on|was started on|bleeds on|bled on|is bleeding on|stopped taking) (?i:an? |the |her |his )?(?i:{DRUG})\b"
            ),
        ),
        rule(
            Proof::Person,
            r"\b(?P<name>\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}'-]+)?)'s? (?i:inr|potassium|creatinine|egfr|hba1c|bp|blood pressure|h[ae]moglobin|platelets|labs?|chart|bed|room|warfarin|apixaban|insulin|medications?|meds|daughter|son|wife|husband|mother|father|family|kids?|weight|age|kidneys?|stroke|bleed|fall|pacemaker|surgery|colonoscopy)\b",
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:re|regarding|concerning|about|question on|update on)[ :]{{1,2}}{TITLES}{NAME}(?: ?[-,:;?.(]|$)"
            ),
        ),
    ]
}

/// A name beside what only a patient has.
fn beside() -> Vec<Rule> {
    let relative = r"(?i:mother|father|mom|mum|mommy|dad|daddy|son|daughter|wife|husband|spouse|partner|brother|sister|grand(?:mother|father|ma|pa|son|daughter)|granny|nana|uncle|aunt(?:ie|y)?|niece|nephew|cousin|neighbou?r|friend|roommate|caregiver|twin [ab12]|baby(?: boy| girl)?|little|old|poor|young|resident|inmate)";
    vec![
        rule(
            Proof::Person,
            &format!(r"\b{NAME}(?: ?[,(;-]| is| was){{0,2}} ?(?:(?i:an?|the|now|currently|who is) )?{AGE}"),
        ),
        rule(Proof::Person, &format!(r"\b{FULL} ?[,/;] ?\d{{1,3}}(?: ?[,/;)]|$)")),
        rule(
            Proof::Person,
            &format!(
                r"\b\d{{1,3}} ?-? ?(?i:y|yo|y/o|yrs?|years?|[mf])\b[ -]?(?i:old)?,? ?(?i:man|woman|male|female|m|f|lady|gentleman|boy|girl|patient|pt)?,? ?(?i:named |called )?{TITLES}{NAME}"
            ),
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b{NAME},? (?:(?i:is|was|here|now) )?(?i:in|from|on|at) (?i:the )?(?i:bed|room|rm|ward|icu|ccu|bay|cubicle|er|ed|floor|\d{{1,2}}[a-z]\b|\d{{1,2}} (?:north|south|east|west))"
            ),
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:room|bed|ward|rm|bay|cubicle|icu|ccu) ?#?\d{{0,4}}[a-z]? ?(?:[,:(-]|is|has)? ?{TITLES}{NAME}"
            ),
        ),
        rule(Proof::Person, &format!(r"\b{relative},? (?i:named |called |is )?{NAME}")),
        rule(
            Proof::Person,
            &format!(r"\b{PATIENT}\b(?i:'s| is| was| name)? ?[.,:(=-]? ?(?i:is )?{TITLES}{NAME}"),
        ),
        rule(Proof::Given, &format!(r"\b(?i:my|our|her|his) {relative},? (?P<name>\p{{Ll}}[\p{{L}}'-]+)")),
        rule(Proof::Person, &format!(r"\b{NAME}, (?i:my|our|her|his|the) {relative}\b")),
    ]
}

/// A name behind a word for a patient, for a relative or for a name.
fn named() -> Vec<Rule> {
    vec![
        rule(
            Proof::Word,
            &format!(
                r"\b(?i:(?:patients?|pts?|clients?) of (?:mine|ours)|one of (?:my|our) (?:patients|pts)),? (?i:named |called |is )?{TITLES}{NAME}"
            ),
        ),
        rule(Proof::Word, &format!(r"(?i:пациент\p{{L}}*|больн(?:ой|ого|ому|ая)) {NAME}")),
        rule(Proof::Word, &format!(r"\blittle {NAME}")),
        rule(
            Proof::Person,
            r"(?:^|\b(?i:for|in|of|patient|pt|about) |: )(?P<name>\p{Lu}[\p{L}'-]+), \p{Lu}[\p{L}'-]+(?: \p{Lu}\.?)?(?: ?[,(;:?-]| (?i:has|is|was|on|bleeds|needs|takes|\d)|$)",
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:the) {NAME} (?i:baby|family|kids?|boy|girl|twins?|infant|newborn|brothers|sisters)\b"
            ),
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:names?|surname|lastname|(?:last|first|full) name)(?:'s)?[ :=]{{1,3}}(?i:is )?{TITLES}{NAME}"
            ),
        ),
        rule(Proof::Anybody, &format!(r"\b(?i:(?:his|her|the|my|their|patient'?s?|pt'?s?) name)'s {NAME}")),
        rule(
            Proof::Anybody,
            &format!(
                r"\b(?i:(?:we|they|i|family|friends|everyone|people) calls?(?:ed)? (?:him|her|me)|goes by|nicknamed|known as|aka|a\.k\.a\.) (?:the )?{NAME}"
            ),
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:i have|i had|we have|we had|i've|we've|treating|i treat|i treated|caring for|follow|following|admitted|discharged|consulted on|rounding on|seeing|i saw|saw|met) (?i:an? )?(?i:patient |pt |gentleman |lady )?{TITLES}{NAME}"
            ),
        ),
        rule(
            Proof::Person,
            &format!(
                r"(?:^|\b(?i:hi|hello|hey)[,!.]? )(?i:this is|i am|i'm|my name is|it's|signed|from) {NAME}"
            ),
        ),
    ]
}

/// A title, however common with the living and the dead, and a name that does what patients do.
fn titled() -> Vec<Rule> {
    let acts = acts("?");
    // "Dr. Lee on warfarin" gives a lecture.
    let takes = self::acts("");
    let title = r"(?:Officer|Sgt|Sergeant|Captain|Capt|Lt|Lieutenant|Corporal|Colonel|Major|Chief|Judge|Pastor|Rev|Reverend|Father|Fr|Sister|Brother|Rabbi|Imam|Coach|Deacon|Miss|Senator|Mayor|Don|Doña|Pan|Pani|M|Aunt|Uncle|Auntie|Grandma|Grandpa|Granny|Nana|Baby)";
    vec![
        rule(
            Proof::Anybody,
            &format!(
                r"\b{title}\.? {NAME},? ?\(?(?:\d{{1,3}}[mfMF]?\)?,? )?(?:(?i:who|also|now|still) )?{acts}"
            ),
        ),
        rule(
            Proof::Anybody,
            &format!(
                r"\b(?:Dr|Prof|Professor|Doctor)\.? {NAME},? ?\(?(?:\d{{1,3}}[mfMF]?\)?,? )?(?:(?i:who|also|now|still) )?{takes}"
            ),
        ),
        rule(Proof::Anybody, &format!(r"\b(?:Dr|Prof|Professor|Doctor)\.? {NAME}(?:,| is)? ?\(?{AGE}")),
        rule(Proof::Anybody, &format!(r"\b{title}\.? {NAME}(?:,| is)? ?\(?{AGE}")),
        rule(Proof::Person, &format!(r"\b(?:Pan|Pani|Sr|Sra|Signor|Don|Doña|Dona|Smt|Bay|Bayan)\.? {NAME}")),
        rule(
            Proof::Word,
            &format!(
                r"\b(?:Mr|Mrs|Ms|Miss|Frau|Herrn?|Dr|Señora?|Mme)\b\.? (?:van|von|de|del|della|di|da|la|le|el|al|bin|ter)(?: (?:der|den|la|las|los|de))? {NAME}"
            ),
        ),
        rule(
            Proof::Person,
            r"(?i)\b(?:mr|mrs|ms|miss|mister|mstr|missus|master)\b\.? (?P<name>\p{L}[\p{L}'-]+)",
        ),
        rule(Proof::Anybody, &format!(r"\b(?i:mr|mrs|ms)\.? ?(?:&|and) ?(?i:mr|mrs|ms)\.? {NAME}")),
        rule(
            Proof::Anybody,
            r"\b(?:M\.|Mme\.?|Mlle\.?|Sr\.|D\.|Hr\.|Fr\.|Sig\.|Sig\.ra|Dott\.) (?P<name>\p{Lu}\p{Ll}[\p{L}'-]+) (?i:sous|saigne|toma|sangra|nimmt|blutet|prende|in|a|est|est[áa]|hat|ha|prend|con|mit|avec)\b",
        ),
    ]
}

/// Whether a word in capitals is an abbreviation: in a text that is not all in capitals, four letters are needed.
pub(super) fn is_acronym(text: &str, word: &str) -> bool {
    let letters = word.chars().filter(|sign| sign.is_alphabetic()).count();
    let short = letters < 4 && letters > 1;
    short && !word.chars().any(char::is_lowercase) && text.chars().any(char::is_lowercase)
}

/// A given name and a surname that are both known, written without capitals or all in capitals.
pub(super) fn find_pairs(text: &str, found: &mut Vec<Finding>) {
    static PAIR: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?P<first>\p{L}[\p{L}'-]+)(?: \p{L}\.?)?(?: |, )(?P<last>\p{L}[\p{L}'-]+)")
    });
    let given =
        |word: &str| lexicon::is_given(word) && !lexicon::is_ambiguous(word) && !lexicon::is_word(word);
    let surname = |word: &str| lexicon::is_surname(word) && !lexicon::is_eponym(word);
    let mut from = 0;
    while let Some(hit) = PAIR.captures_at(text, from) {
        let (first, last) = (&hit["first"], &hit["last"]);
        let place = hit.get(0).map_or(from..from, |whole| whole.range());
        let (lower, upper) = (both(first, last, char::is_lowercase), both(first, last, char::is_uppercase));
        let is_pair = given(first) && surname(last);
        let turned = surname(first) && given(last) && !given(first);
        let apart = lexicon::is_work(&text[place.end..])
            || lexicon::is_cited(&text[..place.start])
            || lexicon::is_lessons(text, place.clone());
        if ((lower && (is_pair || turned) && !hit[0].contains(',')) || (upper && (is_pair || turned)))
            && !apart
        {
            found.push(Finding { kind: Kind::Name, place: place.clone() });
        }
        // The second word may be the first of the next pair.
        from = hit.name("last").map_or(place.end, |last| last.start());
    }
}

fn both(first: &str, last: &str, is: impl Fn(char) -> bool) -> bool {
    first.chars().chain(last.chars()).filter(|sign| sign.is_alphabetic()).all(is)
}

/// Two letters that mean something else in a clinic.
const ABBREVIATIONS: &str = "AB AC AD AF AI AL AM AN AP AR AS AT AV BB BC BD BE BK BM BP BS CA CC CD CF CI CK CM CN CO CP CR CT CV CX DC DI DK DM DO DR DX EC ED EF EM EP ER ET EU EX FB FH FU FX GA GC GI GP GU HA HB HC HD HF HI HP HR HT HX IA IC ID IE II IM IO IQ IR IT IV IX KG LA LD LE LP LV MD ME MI ML MM MR MS MV NG NO NP NS OA OB OD OK ON OP OR OT PA PC PD PE PH PM PO PR PS PT PV PX RA RF RN RR RT RV RX SC SI SL SO SP SS ST SV TB TE TG TH TI TR TS TX UA UC UK UN UP US UV VA VF VT WE WT";

/// Initials of two or three letters: beside a patient, an age or a bed.
pub(super) fn find_initials(text: &str, found: &mut Vec<Finding>) {
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
