//! The contexts in which a word is somebody's name, by kind of context, and what a name has to show in each.

use std::sync::LazyLock;

use super::vocabulary::{
    ACTED, AGE, ANY, BEHIND, CITE, DOES, DRUG, FULL, GAP, INTRODUCED, KIN, MEASURED, NAME, PATIENT, PERSON,
    RANK, RANKS, RELATIVE, SAID, TITLES, acts,
};
use super::{Proof, Rule, rule};

/// Every context, by kind.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [
        titles(),
        address(),
        doctors(),
        labels(),
        introductions(),
        patients(),
        relatives(),
        ages(),
        beds(),
        lists(),
        deeds(),
        belongings(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// Contexts in which a name has to show the same.
fn rules(proof: Proof, contexts: Vec<String>) -> Vec<Rule> {
    contexts.into_iter().map(|context| rule(proof, context)).collect()
}

/// A form of address. "Miss" is a verb too.
fn titles() -> Vec<Rule> {
    [
        rules(Proof::Word, vec![format!(r"\b(?:Mr|Mrs|Ms|Mx|MRS|Mister|Sra|Srta|Señora?|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Signora?|Sig\.ra)\b\.? {NAME}"), format!(r"\b(?i:señora?|sra|srta|signora?|monsieur|madame|frau|herrn?|mister|missus)\b\.? {NAME}"), r"\bmrs\.? (?P<name>\p{L}[\p{L}'-]+)\b".to_owned(), format!(r"\b(?:Mr|Mrs|Ms|Mx|Mstr|Smt|Mme|Mlle|Sra|Srta|Hr|Fr)\.{NAME}"), format!(r"\b(?:Mr|Mrs|Ms|Miss|Frau|Herrn?|Dr|Señora?|Mme|[Mm]evrouw|[Mm]evr|[Dd]hr|[Dd]e heer|[Ss]ignora?|[Ss]ig)\b\.? (?:van|von|de|del|della|di|da|la|le|el|al|bin|ter)(?: (?:der|den|la|las|los|de))? {NAME}")]),
        rules(Proof::TwoWords, vec![format!(r"\b(?:Miss|MR|Sr|Don|Doña|M\.)\b\.? {NAME}")]),
        rules(Proof::Known, vec![format!(r"(?i)\b(?:mr|mrs|ms|miss)\b\.? {ANY}")]),
        rules(Proof::Person, vec![r"(?i)\b(?:mr|mrs|ms|miss|mister|mstr|missus|master)\b\.? (?P<name>\p{L}[\p{L}'-]+)".to_owned()]),
        rules(Proof::Anybody, vec![format!(r"\b(?i:mr|mrs|ms)\.? ?(?:&|and) ?(?i:mr|mrs|ms)\.? {NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Forms of address elsewhere, before a name and behind it, and ranks.
fn address() -> Vec<Rule> {
    [
        rules(Proof::Word, vec![format!(r"(?:\b(?i:doña|el sr\.?|la sra\.?|del sr\.?|sr\.|dhr\.?|mevr\.?|mw\.|de heer|mevrouw|fru|herra|rouva|sig\.(?:na|ra)?|signor|senhora?|gospodin|gospođa|uncle|auntie)|(?:г-н|г-жа|господин|госпожа|пан|пані)|(?:ο κ|η κ)\.?) {NAME}"), r"\b(?P<name>\p{Lu}\p{Ll}[\p{L}]+)-(?:san|sama|kun|ssi|nim|ji|sensei)\b".to_owned(), format!(r"\b(?:Sgt|Capt|Lt|Cpl|Rev|Pastor|Rabbi|Smt|Shri|Mstr|Encik|Puan|Khun|Pani?)\.? {FULL}")]),
        rules(Proof::Called, vec![format!(r"\b(?i:pan|pani|pana|bay|bayan|herr|hr|don) {NAME}"), format!(r"\b{RANKS}\.? ?{NAME}")]),
        rules(Proof::Person, vec![format!(r"\b(?:Pan|Pani|Sr|Sra|Signor|Don|Doña|Dona|Smt|Bay|Bayan)\.? {NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A title, however common with the living and the dead, and a name that does what patients do.
fn doctors() -> Vec<Rule> {
    let acts = acts("?");
    // "Dr. Lee on warfarin" gives a lecture.
    let takes = self::acts("");
    [
        rules(Proof::Anybody, vec![format!(r"\b{RANK}\.? {NAME},? ?\(?(?:\d{{1,3}}[mfMF]?\)?,? )?(?:(?i:who|also|now|still) )?{acts}"), format!(r"\b(?:Dr|Prof|Professor|Doctor)\.? {NAME},? ?\(?(?:\d{{1,3}}[mfMF]?\)?,? )?(?:(?i:who|also|now|still) )?{takes}"), format!(r"\b(?:Dr|Prof|Professor|Doctor)\.? {NAME}(?:,| is)? ?\(?{AGE}"), format!(r"\b{RANK}\.? {NAME}(?:,| is)? ?\(?{AGE}"), r"\b(?:M\.|Mme\.?|Mlle\.?|Sr\.|D\.|Hr\.|Fr\.|Sig\.|Sig\.ra|Dott\.) (?P<name>\p{Lu}\p{Ll}[\p{L}'-]+) (?i:sous|saigne|toma|sangra|nimmt|blutet|prende|in|a|est|est[áa]|hat|ha|prend|con|mit|avec)\b".to_owned()]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What says that a name follows: a word for a name, a field of a form.
fn labels() -> Vec<Rule> {
    [
        rules(Proof::Word, vec![format!(r"\b{PERSON}\b[^.!?\n]{{0,40}}?\b(?i:named|called|by the name of|goes by|known as|llamad[oa]|nommée?|namens|chiamat[oa]|di nome|appelée?|llama|appelle|heißt)[ :,]{{1,2}}{TITLES}{NAME}"), format!(r"(?:^|[^\w])(?:(?i:(?:her|his|their|my|patient'?s?|pt'?s?|client'?s?|whose|full|last|first|maiden|legal|family|given|sur|middle) ?-?names?)|(?:Name|NAME|Surname|Patient name)|(?i:nombre|nom|nome|apellido|cognome|nachname)) ?(?i:is|was|being|es|est|è|ist)?[ :=,-]{{1,3}}{TITLES}{NAME}")]),
        rules(Proof::Known, vec![format!(r"\b(?i:named|called|by the name of|goes by|llamad[oa]|nommée?|namens|chiamat[oa])[ :,]{{1,2}}{TITLES}{NAME}"), format!(r"(?i)\bnames? ?(?:is|was|=|:)?[ :=]{{1,2}}{ANY}")]),
        rules(Proof::Anybody, vec![format!(r"\b(?i:(?:last|first|family|given|maiden|middle|full|sur|f|l|pt|patient) ?names?|last|first|surname|fname|lname) ?[:=] ?{CITE}{NAME}"), format!(r"\b(?i:(?:his|her|the|my|their|patient'?s?|pt'?s?) name)'s {NAME}"), format!(r"\b(?i:(?:we|they|i|family|friends|everyone|people) calls?(?:ed)? (?:him|her|me)|goes by|nicknamed|known as|aka|a\.k\.a\.) (?:the )?{NAME}")]),
        rules(Proof::Person, vec![format!(r"\b(?i:names?|surname|lastname|(?:last|first|full) name)(?:'s)?[ :=]{{1,3}}(?i:is )?{TITLES}{NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What introduces a person in a note or a letter, and a line that begins with one.
fn introductions() -> Vec<Rule> {
    [
        rules(
            Proof::Called,
            vec![format!(r"(?:^|[.?!,\n] ?)(?i:thanks?(?: you)?|thx|ty|regards|sincerely|best|cheers|love),? (?:- ?)?{NAME}(?: ?[(.,\n]|$)")],
        ),
        rules(Proof::TwoWords, vec![format!(r"\b(?i:i am|i'm|this is|meet|signed|sincerely|regards),? {TITLES}{NAME}")]),
        rules(Proof::Person, vec![format!(r"(?:^|\b(?i:hi|hello|hey)[,!.]? )(?i:this is|i am|i'm|my name is|it'?s|signed|from) {NAME}"), format!(r"\b(?i:re|regarding|concerning|about|question on|update on)[ :]{{1,2}}{TITLES}{NAME}(?: ?[-,:;?.(]|$)"), format!(r"(?:^|\n){NAME} ?(?::| -) "), format!(r"(?:^|\n){FULL}, ")]),
        rules(Proof::Called, vec![format!(r"\b{INTRODUCED}{GAP}{CITE}{TITLES}{NAME}")]),
        rules(Proof::Known, vec![format!(r": ?{FULL}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A name behind a word for a patient.
fn patients() -> Vec<Rule> {
    [
        rules(
            Proof::Shaped,
            vec![format!(r"\b{PATIENT},? (?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+)(?: ?[-,:;]{{1,2}} ?| ){MEASURED}(?i: is| of| was|:)? ?[<>]?\d")],
        ),
        rules(Proof::TwoWords, vec![format!(r"\b(?:{PATIENT}\b(?i:'s)?(?: ?[,:;(#=/-]| is| was| -)?|(?i:pt)\.) ?(?i:is |was |named |called |name |known as )?\(?[\x22']?{TITLES}{NAME}")]),
        rules(Proof::Known, vec![format!(r"\b(?:{PATIENT}\b(?i:'s)?(?: ?[,:;(=-]| is| was)?|(?i:pt)\.) ?(?i:named |called |name |known as )?{ANY}"), format!(r"\b(?i:case|resident|subject|participant|proband|baby|little|our|my|poor|old|about|re|regarding|concerning|for|with|in) ?[:,]? ?(?i:of )?{FULL}")]),
        rules(Proof::Word, vec![format!(r"\b(?i:my|our|mi|mon|ma|mein\w*|mio|mia|nuestr[oa]|notre|unser\w*|minha|meu) {PATIENT}\b,? {TITLES}{NAME}"), format!(r"\b(?i:(?:patients?|pts?|clients?) of (?:mine|ours)|one of (?:my|our) (?:patients|pts)),? (?i:named |called |is )?{TITLES}{NAME}"), format!(r"(?i:пациент\p{{L}}*|больн(?:ой|ого|ому|ая)) {NAME}"), format!(r"\blittle {NAME}")]),
        rules(Proof::Called, vec![format!(r"\b{PATIENT}\b(?i:'s name|'s| name| here| today)?(?i: is| was| being)?{GAP}{CITE}(?i:named |called |name )?{TITLES}{NAME}")]),
        rules(Proof::Shaped, vec![format!(r"\b{PATIENT} [(\[](?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+)[)\]]")]),
        rules(Proof::Person, vec![format!(r"\b{PATIENT}\b(?i:'s| is| was| name)? ?[.,:(=-]? ?(?i:is )?{TITLES}{NAME}"), format!(r"\b(?i:i have|i had|we have|we had|i've|we've|treating|i treat|i treated|caring for|follow|following|admitted|discharged|consulted on|rounding on|seeing|i saw|saw|met) (?i:an? )?(?i:patient |pt |gentleman |lady )?{TITLES}{NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A relation, and those who bear a name together.
fn relatives() -> Vec<Rule> {
    [
        rules(Proof::Word, vec![format!(r"\b(?i:my|our|his|her|their|the patient's|mi|mon|ma|mein|meine|mio|mia) {RELATIVE},? (?i:named |called )?{NAME}")]),
        rules(Proof::TwoWords, vec![format!(r"\b{RELATIVE} of {TITLES}{FULL}")]),
        rules(Proof::Called, vec![format!(r"\b(?i:[swdcbh]/o)[ .:]{{1,2}}{TITLES}{NAME}"), format!(r"\b{RELATIVE}(?: ?[,(:/-] ?| (?i:is |named |called )?){TITLES}{NAME}"), format!(r"\b{NAME} ?[,(] ?(?i:(?:my|our|her|his|the|pt'?s?) )?{RELATIVE}\b")]),
        rules(Proof::Person, vec![format!(r"\b{KIN},? (?i:named |called |is )?{NAME}"), format!(r"\b{NAME}, (?i:my|our|her|his|the) {KIN}\b"), format!(r"\b{NAME} (?i:fam|family|household|residence|twins?|kids?|couple|sisters|brothers|siblings)\b"), format!(r"\b(?i:the) {NAME} (?i:baby|family|kids?|boy|girl|twins?|infant|newborn|brothers|sisters)\b"), r"\b[Tt]he (?P<name>\p{Lu}[\p{L}'-]+?)s (?i:\(|both|are|were|have|want|asked?|came|on|and their)".to_owned()]),
        rules(Proof::Given, vec![format!(r"\b(?i:my|our|her|his) {KIN},? (?P<name>\p{{Ll}}[\p{{L}}'-]+)")]),
        rules(Proof::Shaped, vec![format!(r"\b(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}-]+)'s {RELATIVE}\b")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A name, and an age beside it.
fn ages() -> Vec<Rule> {
    [
        rules(Proof::TwoWords, vec![format!(r"\b{FULL}(?: ?[,(;-]| is| was){{0,2}} ?(?:(?i:an?|the|now|currently|who is) )?{AGE}")]),
        rules(Proof::Known, vec![format!(r"\b{FULL} ?[,/;] ?\d{{1,3}}(?: ?[,/;)]|$)"), format!(r"\b\d{{1,3}} ?-? ?(?i:y|yo|y/o|yrs?|years?)\b[ -]?(?i:old)?,? ?(?i:man|woman|male|female|m|f|lady|gentleman|boy|girl|patient|pt)?,? ?{FULL}")]),
        rules(Proof::Shaped, vec![r"(?:^|[.!?:;\n] |(?i:seen|saw|pt|patient|re|about|for) )(?P<name>\p{Lu}\p{Ll}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)?)(?:, [1-9]\d(?:,|$)|,? \(?(?:[1-9]\d|10\d) ?-?(?i:[mf]\b|yo[mf]?\b|y/o|y\.o)|(?:, | \()(?:[1-9]\d|10\d) (?i:yrs?\b|years?\b))".to_owned()]),
        rules(Proof::Word, vec![format!(r"(?P<name>\p{{Lu}}[\p{{L}}'-]{{2,}}),? \p{{Lu}}\.?(?: ?\p{{Lu}}\.?)?(?: ?[,(;/|-]){{0,2}} ?{AGE}")]),
        rules(Proof::Called, vec![format!(r"\b{NAME}(?: \p{{Lu}}\.?)?(?: ?[,(;:|/-]| is| was){{0,2}} ?(?:{AGE}|\d{{1,3}} ?/ ?[MFmf]\b)")]),
        rules(Proof::Alone, vec![format!(r"\b{NAME} ?[,(] ?\d{{1,3}} ?[,)]")]),
        rules(Proof::Person, vec![format!(r"\b{NAME}(?: ?[,(;-]| is| was){{0,2}} ?(?:(?i:an?|the|now|currently|who is) )?{AGE}"), format!(r"\b{FULL} ?[,/;] ?\d{{1,3}}(?: ?[,/;)]|$)"), format!(r"\b\d{{1,3}} ?-? ?(?i:y|yo|y/o|yrs?|years?|[mf])\b[ -]?(?i:old)?,? ?(?i:man|woman|male|female|m|f|lady|gentleman|boy|girl|patient|pt)?,? ?(?i:named |called )?{TITLES}{NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A name, and a bed.
fn beds() -> Vec<Rule> {
    [
        rules(Proof::Known, vec![format!(r"\b{FULL},? (?i:(?:in|from) )?(?:(?i:bed|room|ward|icu)\b|\()"), format!(r"\b(?i:room|bed|ward|rm) ?#?\d{{1,4}}[a-z]?[ ,:-]{{1,3}}{FULL}")]),
        rules(Proof::Shaped, vec![format!(r"\b(?i:bed|room|rm|bay|cubicle) ?#?\d{{1,4}}[a-z]?[ ,:-]{{1,3}}(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+)(?:,? {MEASURED}|, (?i:\d|he|she|on|with|has|is|bleed))")]),
        rules(Proof::Person, vec![format!(r"\b{NAME},? (?:(?i:is|was|here|now) )?(?i:in|from|on|at) (?i:the )?(?i:bed|room|rm|ward|icu|ccu|bay|cubicle|er|ed|floor|\d{{1,2}}[a-z]\b|\d{{1,2}} (?:north|south|east|west))"), format!(r"\b(?i:room|bed|ward|rm|bay|cubicle|icu|ccu) ?#?\d{{0,4}}[a-z]? ?(?:[,:(-]|is|has)? ?{TITLES}{NAME}")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Surname first, as in lists and wristbands.
fn lists() -> Vec<Rule> {
    [
        rules(Proof::Known, vec![r"(?P<last>\p{Lu}[\p{L}'-]+), ?(?P<name>\p{Lu}[\p{L}'-]+)(?: \p{Lu}\.?)?(?: ?[,(;:-]| (?i:has|is|was|on|\d)|$)".to_owned()]),
        rules(Proof::Person, vec![r"(?:^|[:;|] |\b(?i:for|in|of|patient|pt|about|re|on|seen) )(?P<name>\p{Lu}[\p{L}'-]+), ?\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]*\.?){1,2}(?: ?[,(;:?/-]| (?i:has|is|was|on|bleeds|needs|takes|\d)|$)".to_owned(), r"(?:^|\b(?i:for|in|of|patient|pt|about) |: )(?P<name>\p{Lu}[\p{L}'-]+), \p{Lu}[\p{L}'-]+(?: \p{Lu}\.?)?(?: ?[,(;:?-]| (?i:has|is|was|on|bleeds|needs|takes|\d)|$)".to_owned()]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is done to somebody, and what somebody does.
fn deeds() -> Vec<Rule> {
    let acts = acts("?");
    [
        rules(Proof::Known, vec![format!(r"\b{ACTED}\b[^.!?\n]{{0,40}}?\b(?i:for|in|on|of|to|with|by|about|re|regarding)?[ :]{{1,2}}{FULL}"), format!(r"\b{FULL}(?:'s? )?,? ?(?:(?i:who|also|now|just|still|currently|not|a|the) )*{DOES}\b")]),
        rules(Proof::Shaped, vec![r"\b(?i:saw|met|spoke with|spoke to|examined|consented|rounded on|called|texted|visited|discharged|admitted) (?P<name>\p{Lu}\p{Ll}[\p{L}'-]+)(?: (?i:this|today|yesterday|again|in clinic|on rounds|last|tonight|and (?:he|she)|who|he|she)\b|,)".to_owned()]),
        rules(Proof::Person, vec![format!(r"\b(?i:did|does|will|would|should|can|could|may|must|has|had) {TITLES}{NAME} (?i:bleed|bled|have|need|take|taken|get|stay|stop|start|tolerate|require|qualify|eat|drink|drive|travel|fly|fall|die|clot|go|come|want|refuse|return|continue|restart|switch|resume|undergo|be on|be given|still|also)\b"), format!(r"\b{FULL},? (?i:(?:who|also|now|just|still|currently) )*{SAID}\b"), format!(r"\b{NAME},? (?:(?i:who|also|now|just|still|currently) )*{acts}"), format!(r"\b(?i:for|in|of|to|about|on|with|give|gave|giving|told|tell|treat|treating|saw|see|seeing|stop|hold|dose|dosing|does|can|could|should|would|did|is|has|had|let|ask|asked|switch|start|bridge|admit|admitted|discharge|discharged|met) {NAME}{BEHIND}"), r"\b(?i:for|in|of|to|about|can|could|should|does|did|is|give|gave|with|treat|saw|stop|hold) (?P<name>\p{Lu}\.? ?\p{Lu}\p{Ll}[\p{L}'-]+)".to_owned()]),
        rules(Proof::Alone, vec![format!(r"\b{NAME},? (?i:(?:who|also|now|just|still|currently) )*{SAID}\b")]),
        rules(Proof::Word, vec![format!(r"(?:^|[.!?:] |\b(?i:and|but|that|because|if|when) )(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+(?: \p{{Lu}}[\p{{L}}'-]+)?) (?i:takes|took|is taking|is on|was put on|was started on|bleeds on|bled on|is bleeding on|stopped taking) (?i:an? |the |her |his )?(?i:{DRUG})\b")]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is somebody's: measured, taken, owned.
fn belongings() -> Vec<Rule> {
    [
        rules(Proof::Given, vec![r"\b(?P<name>\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}'-]+)?)'s? (?i:inr|potassium|creatinine|egfr|gfr|hba1c|bp|blood|labs?|results?|chart|record|dose|warfarin|apixaban|insulin|medications?|meds|biopsy|scan|mri|ct|ecg|ekg|x-ray|surgery|operation|wound|diagnosis|condition|daughter|son|wife|husband|mother|father|family|weight|age|kidney|heart|liver)\b".to_owned()]),
        rules(Proof::Person, vec![format!(r"\b(?P<name>\p{{Lu}}[\p{{L}}-]+(?: \p{{Lu}}[\p{{L}}'-]+)?)'s (?i:{DRUG}|doses?|drip|pump|chart|notes?|admission|discharge|bridge|bridging|procedure|scope|cath|echo|pcp|allerg\w+|renal|cough|pain|fever|rash|bruis\w+|bp|sugar|levels?|vitals?|transfusion|case)\b"), format!(r"\b{NAME},?:? (?:(?i:has|with|w/|had) )?(?:an? )?{MEASURED}(?i: is| of| was|:)? ?[<>]?\d"), r"\b(?P<name>\p{Lu}[\p{L}-]+(?: \p{Lu}[\p{L}'-]+)?)'s? (?i:inr|potassium|creatinine|egfr|hba1c|bp|blood pressure|h[ae]moglobin|platelets|labs?|chart|bed|room|warfarin|apixaban|insulin|medications?|meds|daughter|son|wife|husband|mother|father|family|kids?|weight|age|kidneys?|stroke|bleed|fall|pacemaker|surgery|colonoscopy)\b".to_owned()]),
    ]
    .into_iter()
    .flatten()
    .collect()
}
