//! Each family of rules by texts that no other family finds, so that none can be lost unseen.

use std::collections::BTreeSet;

use preceptor_phi::{Kind, scan};

/// A family, what it finds, and texts that only it finds.
const FAMILIES: &[(&str, Kind, &[&str])] = &[
    ("misspelt labels", Kind::RecordNumber, &["mecidal recrod 55192", "mnr 88219", "patietn number 5519"]),
    ("misspelt labels", Kind::DateOfBirth, &["dobb 4/12/1971", "brithday 4/12"]),
    ("misspelt labels", Kind::Name, &["patietn Quorvath Zelm bleeds"]),
    ("keys", Kind::RecordNumber, &["patientId=5519A", "chart_number: 5519"]),
    ("scanned digits", Kind::SocialSecurity, &["5O2-44-1l93", "3l8-77-2O54 on warfarin"]),
    ("scripts without spaces", Kind::Contact, &["090-1234-5678に電話"]),
    ("charts", Kind::Name, &["PID|1||^^^||QUORVATH^ZELM", "\"family\":\"Quorvath\"", "<given>Zelm</given>"]),
    ("charts", Kind::RecordNumber, &["PV1|1|I|A12|B77120"]),
    ("charts", Kind::DateOfBirth, &["<birthTime value=\"19510412\"/>"]),
    ("components", Kind::Name, &["seen KOWALSKI^JOHN^T"]),
    ("a date that fits an age", Kind::DateOfBirth, &["72 on warfarin, age 72, 4-12-51"]),
    (
        "a date of a stay",
        Kind::DateOfBirth,
        &["admitted 3/4/2023 with a bleed", "discharged on 9 March 2023"],
    ),
    ("a date beside a person", Kind::DateOfBirth, &["M 3/8/2004 CKD", "Jane 4/12/1951, F"]),
    ("a date long ago", Kind::DateOfBirth, &["3/8/1944 with CKD"]),
    ("a day in the life of one", Kind::DateOfBirth, &["she had a stent on 3/4/2023"]),
    ("a year of one", Kind::DateOfBirth, &["born in 1929, do we treat her"]),
    ("leading zeros", Kind::RecordNumber, &["00919 on warfarin", "03-1127 bled"]),
    ("letters and groups", Kind::RecordNumber, &["SP-23-11820", "88123-AC", "23-5519-B"]),
    ("three groups", Kind::RecordNumber, &["7718-82-4419 stays"]),
    ("three groups of three", Kind::SocialSecurity, &["943-476-591 bleeds"]),
    ("the last four", Kind::SocialSecurity, &["the last four: 4417"]),
    ("hardware without signs", Kind::MachineAddress, &["pump 0017e9aabbcc"]),
    ("an address behind its label", Kind::MachineAddress, &["IP: 192,168,1,77", "ipv4 73-162-44-10"]),
    ("hosts", Kind::MachineAddress, &["hostname WS-ICU-0412", "pacs.ward.local is down"]),
    ("mail cut short", Kind::Contact, &["jdoe51 gmail", "mkow48@"]),
    ("streets elsewhere", Kind::Contact, &["Av. Paulista 1578", "lives on Oak Lane"]),
    ("spoken groups", Kind::Contact, &["reach pt at four-one-five, 555, twenty-six seventy-one"]),
    ("introduced", Kind::Name, &["seen today: Tomasz", "POA - Denise", "Attn: Okafor"]),
    ("titles without a space", Kind::Name, &["Mr.Quorvath bleeds"]),
    ("ranks", Kind::Name, &["Sgt. Zelm Quorvath, PTSD", "Pastor Kowalski"]),
    ("of whom", Kind::Name, &["w/o Kowalski", "dtr Philippa injects"]),
    ("surname and initial", Kind::Name, &["Quorvath Z 66M", "Quorvath, Z. 66F"]),
    ("fields of a form", Kind::Name, &["LAST: Quorvath", "pt name=quorvath", "surname: quorvath"]),
    ("those who bear a name", Kind::Name, &["Kowalski fam waits", "the Kowalskis are here"]),
    (
        "a word that is a person",
        Kind::Name,
        &["Quorvath, 41, TB", "Quorvath's wife", "pt (Quorvath) missed doses"],
    ),
    ("address elsewhere", Kind::Name, &["Quorvath-san", "doña Quorvath", "г-н Петров"]),
    ("measured", Kind::Name, &["INR on Kowalski", "Kowalski INR 4.4"]),
    ("asked about", Kind::Name, &["why did Kowalski bleed"]),
    ("both names known", Kind::Name, &["warfarin, Agnieszka Wisniewska, three times"]),
    (
        "a name and an initial",
        Kind::Name,
        &["Agnieszka B., warfarin", "agnieszka k is back", "heparin or not, Agnieszka B?"],
    ),
    ("a given name of one", Kind::Name, &["he is like Agnieszka then"]),
    ("a patient and a word", Kind::Name, &["pt Grace, warfarin"]),
    ("address in any letters", Kind::Name, &["pani Grace"]),
    ("met", Kind::Name, &["spoke with Quorvath this am"]),
    ("a bed and a value", Kind::Name, &["bed 12 Quorvath, plt 40"]),
    ("a label and both names", Kind::Name, &["GP: Agnieszka Quorvath"]),
    ("what somebody has", Kind::Name, &["Kowalski's bridging"]),
    ("a relative behind", Kind::Name, &["Grace (daughter) injects"]),
    ("a word and an age", Kind::Name, &["Grace 61/F"]),
    ("surname first", Kind::Name, &["ward two: Kowalski, Zelm Torvald, 03"]),
    ("a line of somebody", Kind::Name, &["Kowalski - restart?", "Quorvath Kowalski, restart?"]),
    ("an initial in front", Kind::Name, &["(Q. Kowalski wants tea"]),
    ("small letters", Kind::Name, &["pt nakagawa", "re wisniewski agnieszka"]),
    ("other scripts", Kind::Name, &["患者王小明，男", "佐藤様", "박영희 님"]),
];

#[test]
fn every_family_finds_its_own() {
    let finds = |kind: &Kind, text: &&&str| !scan(text).contains(kind);
    let missed: Vec<_> = FAMILIES
        .iter()
        .flat_map(|(family, kind, texts)| {
            texts.iter().filter(|text| finds(kind, text)).map(move |text| (family, text, scan(text)))
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// A word of a lesson excuses the name that it belongs to, and nothing else of the text.
#[test]
fn a_word_of_a_lesson_excuses_only_its_own_name() {
    for cited in [
        "what did Olga Tanaka say about bridging",
        "Olga Tanaka's lecture on heparin",
        "the slides of Olga Tanaka",
        "according to Olga Tanaka, is bridging needed",
    ] {
        assert_eq!(scan(cited), BTreeSet::new(), "{cited}");
    }
    for identifying in [
        "The slides were good. Can Olga Tanaka restart warfarin?",
        "great video! Olga is bleeding on xarelto",
        "Olga Tanaka takes apixaban; what does the module say on surgery?",
        "According to Maria Rossi, bridging is out. So can Olga Tanaka stop?",
        "the paper on heparin was helpful, thanks, and now to dose for Olga Tanaka, who bleeds",
    ] {
        assert!(scan(identifying).contains(&Kind::Name), "{identifying}");
    }
}

/// Days and numbers of works, of cohorts and of doses.
#[test]
fn what_is_nobodys_passes() {
    for clean in [
        "trial from 3/1/2019 to 6/30/2021",
        "approved on 10/19/2010",
        "patients admitted between 3/1/2019 and 6/30/2021",
        "updated 04-12-2023",
        "prednisone 60-50-40-30-20-10",
        "allopurinol 100-200-300 mg",
        "insulin 10-10-12-20",
        "patients 18201 and numbers 482910 people",
        "compounds BMS-986165, LY2951742, AZD9291",
        "Child-Pugh B, Child Pugh C",
        "mRNA-1273 booster",
        "Connolly SJ, NEJM 2009;361:1139-51",
        "Goodman & Gilman on heparin",
        "How does Cushing differ from Addison",
        "Dr. Lee on warfarin",
    ] {
        assert_eq!(scan(clean), BTreeSet::new(), "{clean}");
    }
}
