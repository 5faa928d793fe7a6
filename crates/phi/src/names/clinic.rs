//! Contexts of notes, lists and letters: what stands before a name there, how a name is written there, and names that
//! need no context because both of their words are known.

use std::sync::LazyLock;

use regex::Regex;

use super::contexts::DRUG;
use super::{AGE, FULL, NAME, PATIENT, Proof, RELATIVE, Rule, TITLES, lexicon, rule};
use crate::{Finding, Kind, pattern};

/// What introduces a person in a note or a letter.
const INTRODUCED: &str = r"(?i:(?:was |pt |patient )?seen(?: and examined)? (?:today|yesterday|tonight|this (?:am|pm|morning|afternoon)|in (?:clinic|the ed|the er|office)|on rounds)|consult(?:ed|ation)?(?: request(?:ed)?)?(?: for| on| re| about)?|(?:thanks?(?: you)?|thx|ty|grateful|appreciate) (?:for )?(?:referring|seeing|sending|accepting|the referral of|your referral of)|attn|attention|(?:discharge|progress|clinic|admission|operative|op|procedure|transfer|nursing|ed|icu|case|death)? ?(?:summary|notes?|letter|report|list)|h&p|hx|cc|hpi|h/o|admit(?:ted|ting)?|new (?:pt|patient|admit|consult|admission)|f/?u|follow[ -]?up|hand ?-?off|sign ?-?out|referral|referred|subject|sub|fwd?|ref|re|poa|nok|next of kin|hcp|hcpoa|proxy|guardian|caregiver|carer|emergency contact|contact|(?:identified|identifies|listed|registered|known|documented|labell?ed) as|alias|a\.?k\.?a\.?|n[eé]e|name|initials|client|resident|inmate|prisoner|veteran|donor|recipient|sender|signed|from|written by patient|rounding on|covering|spoke (?:to|with)|talked (?:to|with)|called by|message from|call from|letter from|question from)";

/// Who is addressed so is nobody's lecturer.
const RANKS: &str = r"(?:Officer|Ofc|Sgt|SSgt|MSgt|Sergeant|Capt|Captain|Lt|Lieutenant|Cpl|Corporal|Pvt|Private|PFC|Col|Colonel|Maj|Cdr|Chief|Judge|Pastor|Rev|Reverend|Fr|Father|Deacon|Rabbi|Imam|Coach|Brother|Sister|Bro|Sis|Miss|Master|Mstr|Smt|Shri|Sri|Kumari|Kum|Bhai|Sardar|Haji|Hajji|Sheikh|Don|Doña|Dona|Pan|Pani|Pani|Bay|Bayan|Tuan|Puan|Encik|Datuk|Khun|Nana|Aunt|Auntie|Uncle|Grandma|Grandpa|Grandmother|Grandfather|Baby|Little)";

pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let measured = r"(?:INR|inr|K\+?|Cr|creat(?:inine)?|BUN|BP|bp|HR|Hgb|Hb|hgb|plts?|Plts?|PLT|WBC|Na|trop\w*|A1[cC]|a1c|eGFR|egfr|CrCl|crcl|GFR|lactate|temp|sats?|SpO2|glucose|sugar|BG|potassium|EF)";
    let (cite, gap) = (r"(?:[\x22'(\[]{1,2})?", r"(?: ?[.,:;#=>|/-]{1,2} ?| )");
    vec![
        rule(Proof::Called, &format!(r"\b{INTRODUCED}{gap}{cite}{TITLES}{NAME}")),
        rule(
            Proof::Called,
            &format!(
                r"\b{PATIENT}\b(?i:'s name|'s| name| here| today)?(?i: is| was| being)?{gap}{cite}(?i:named |called |name )?{TITLES}{NAME}"
            ),
        ),
        // A title without the space behind it.
        rule(Proof::Word, &format!(r"\b(?:Mr|Mrs|Ms|Mx|Mstr|Smt|Mme|Mlle|Sra|Srta|Hr|Fr)\.{NAME}")),
        rule(Proof::Called, &format!(r"\b{RANKS}\.? ?{NAME}")),
        rule(
            Proof::Word,
            &format!(r"\b(?:Sgt|Capt|Lt|Cpl|Rev|Pastor|Rabbi|Smt|Shri|Mstr|Encik|Puan|Khun|Pani?)\.? {FULL}"),
        ),
        // Forms of address elsewhere, before a name and behind it.
        rule(
            Proof::Word,
            &format!(
                r"(?:\b(?i:doña|el sr\.?|la sra\.?|del sr\.?|sr\.|dhr\.?|mevr\.?|mw\.|de heer|mevrouw|fru|herra|rouva|sig\.(?:na|ra)?|signor|senhora?|gospodin|gospođa|uncle|auntie)|(?:г-н|г-жа|господин|госпожа|пан|пані)|(?:ο κ|η κ)\.?) {NAME}"
            ),
        ),
        rule(Proof::Called, &format!(r"\b(?i:pan|pani|pana|bay|bayan|herr|hr|don) {NAME}")),
        rule(Proof::Word, r"\b(?P<name>\p{Lu}\p{Ll}[\p{L}]+)-(?:san|sama|kun|ssi|nim|ji|sensei)\b"),
        // What says of a word alone that it is a person.
        rule(
            Proof::Shaped,
            r"(?:^|[.!?:;\n] |(?i:seen|saw|pt|patient|re|about|for) )(?P<name>\p{Lu}\p{Ll}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]+)?)(?:, [1-9]\d(?:,|$)|,? \(?(?:[1-9]\d|10\d) ?-?(?i:[mf]\b|yo[mf]?\b|y/o|y\.o)|(?:, | \()(?:[1-9]\d|10\d) (?i:yrs?\b|years?\b))",
        ),
        rule(Proof::Shaped, &format!(r"\b(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}-]+)'s {RELATIVE}\b")),
        rule(
            Proof::Shaped,
            r"\b(?i:saw|met|spoke with|spoke to|examined|consented|rounded on|called|texted|visited|discharged|admitted) (?P<name>\p{Lu}\p{Ll}[\p{L}'-]+)(?: (?i:this|today|yesterday|again|in clinic|on rounds|last|tonight|and (?:he|she)|who|he|she)\b|,)",
        ),
        rule(
            Proof::Shaped,
            &format!(
                r"\b(?i:bed|room|rm|bay|cubicle) ?#?\d{{1,4}}[a-z]?[ ,:-]{{1,3}}(?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+)(?:,? {measured}|, (?i:\d|he|she|on|with|has|is|bleed))"
            ),
        ),
        rule(Proof::Shaped, &format!(r"\b{PATIENT} [(\[](?P<name>\p{{Lu}}\p{{Ll}}[\p{{L}}'-]+)[)\]]")),
        // Whatever a label says, behind it stand a given name and a surname.
        rule(Proof::Known, &format!(r": ?{FULL}")),
        // What is taken, of whom.
        rule(
            Proof::Person,
            &format!(
                r"\b(?P<name>\p{{Lu}}[\p{{L}}-]+(?: \p{{Lu}}[\p{{L}}'-]+)?)'s (?i:{DRUG}|doses?|drip|pump|chart|notes?|admission|discharge|bridge|bridging|procedure|scope|cath|echo|pcp|allerg\w+|renal|cough|pain|fever|rash|bruis\w+|bp|sugar|levels?|vitals?|transfusion|case)\b"
            ),
        ),
        // Child, wife, daughter, care or baby of somebody, as on Indian records.
        rule(Proof::Called, &format!(r"\b(?i:[swdcbh]/o)[ .:]{{1,2}}{TITLES}{NAME}")),
        rule(Proof::Called, &format!(r"\b{RELATIVE}(?: ?[,(:/-] ?| (?i:is |named |called )?){TITLES}{NAME}")),
        rule(Proof::Called, &format!(r"\b{NAME} ?[,(] ?(?i:(?:my|our|her|his|the|pt'?s?) )?{RELATIVE}\b")),
        // Surname and initial, with an age behind.
        rule(
            Proof::Word,
            &format!(
                r"(?P<name>\p{{Lu}}[\p{{L}}'-]{{2,}}),? \p{{Lu}}\.?(?: ?\p{{Lu}}\.?)?(?: ?[,(;/|-]){{0,2}} ?{AGE}"
            ),
        ),
        rule(
            Proof::Called,
            &format!(
                r"\b{NAME}(?: \p{{Lu}}\.?)?(?: ?[,(;:|/-]| is| was){{0,2}} ?(?:{AGE}|\d{{1,3}} ?/ ?[MFmf]\b)"
            ),
        ),
        // Surname first, with more than one given name.
        rule(
            Proof::Person,
            r"(?:^|[:;|] |\b(?i:for|in|of|patient|pt|about|re|on|seen) )(?P<name>\p{Lu}[\p{L}'-]+), ?\p{Lu}[\p{L}'-]+(?: \p{Lu}[\p{L}'-]*\.?){1,2}(?: ?[,(;:?/-]| (?i:has|is|was|on|bleeds|needs|takes|\d)|$)",
        ),
        // What a form calls its fields.
        rule(
            Proof::Anybody,
            &format!(
                r"\b(?i:(?:last|first|family|given|maiden|middle|full|sur|f|l|pt|patient) ?names?|last|first|surname|fname|lname) ?[:=] ?{cite}{NAME}"
            ),
        ),
        // A line that begins with somebody.
        rule(Proof::Person, &format!(r"(?:^|\n){NAME} ?(?::| -) ")),
        rule(Proof::Person, &format!(r"(?:^|\n){FULL}, ")),
        // What was measured, of whom.
        rule(
            Proof::Person,
            &format!(
                r"\b{NAME},?:? (?:(?i:has|with|w/|had) )?(?:an? )?{measured}(?i: is| of| was|:)? ?[<>]?\d"
            ),
        ),
        // What somebody did, and what is asked about it.
        rule(
            Proof::Person,
            &format!(
                r"\b(?i:did|does|will|would|should|can|could|may|must|has|had) {TITLES}{NAME} (?i:bleed|bled|have|need|take|taken|get|stay|stop|start|tolerate|require|qualify|eat|drink|drive|travel|fly|fall|die|clot|go|come|want|refuse|return|continue|restart|switch|resume|undergo|be on|be given|still|also)\b"
            ),
        ),
        // Those who bear a name.
        rule(
            Proof::Person,
            r"\b[Tt]he (?P<name>\p{Lu}[\p{L}'-]+?)s (?i:\(|both|are|were|have|want|asked?|came|on|and their)",
        ),
        rule(
            Proof::Person,
            &format!(
                r"\b{NAME} (?i:fam|family|household|residence|twins?|kids?|couple|sisters|brothers|siblings)\b"
            ),
        ),
    ]
});

/// Names in texts of a person, whatever stands around: a given name with a surname, with an initial, or in the letters
/// of another script.
pub(super) fn find(text: &str, found: &mut Vec<Finding>, (given, titled): (bool, bool)) {
    if given && !titled {
        find_full(text, found);
        find_with_initial(text, found);
        find_alone(text, found);
    }
    if given {
        find_lower_with_initial(text, found);
    }
    find_lower(text, found);
    find_labelled(text, found);
    if !text.is_ascii() {
        find_elsewhere(text, found);
    }
}

/// Whether a text speaks of one person.
fn is_of_one(text: &str) -> bool {
    static ONE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:he|she|his|her|him|pt|pt's|patient is|my patient|this patient|our patient|mrn|dob|ssn)\b|\b\d{1,3} ?-?(?:yo|y/o|y\.o|yrs?|years? old|[mf]\b)",
        )
    });
    ONE.is_match(text)
}

/// Whether a text is about who did a thing first: those are known to everybody.
fn is_history(text: &str) -> bool {
    static HISTORY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:described|discovered|invented|proposed|coined|founded|introduced|pioneer\w*|nobel|president|actor|actress|singer|history|famous|trial|study|eponym\w*|named after|theory|textbook|philosopher|et al|guidelines?|(?:cardi|neur|path|physi|bacteri|psych)\w*ologist|physician|surgeon|nurse in|scientist|inventor)\b",
        )
    });
    HISTORY.is_match(text)
}

/// A given name that is no word, and a surname behind it.
fn find_full(text: &str, found: &mut Vec<Finding>) {
    static BOTH: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?P<first>\p{Lu}[\p{L}'-]+)(?: \p{Lu}\.?)?(?: (?i:de|da|di|del|van|von|der|den|bin|al|el|la|dos|la))* (?P<last>\p{Lu}[\p{L}'-]+)",
        )
    });
    let (of_one, history) = (LazyLock::new(|| is_of_one(text)), LazyLock::new(|| is_history(text)));
    let mut from = 0;
    while let Some(hit) = BOTH.captures_at(text, from) {
        let (Some(whole), first, last) = (hit.get(0), &hit["first"], hit["last"].trim_end_matches("'s"))
        else {
            return;
        };
        from = hit.name("last").map_or(whole.end(), |last| last.start());
        let sure = lexicon::is_given(first) && !lexicon::is_ambiguous(first) && !lexicon::is_word(first);
        let known = lexicon::is_surname(last) || (lexicon::is_given(last) && !lexicon::is_ambiguous(last));
        let is_sign = (lexicon::is_eponym(first) || lexicon::is_eponym(last)) && !*of_one;
        let built = lexicon::looks_like_a_name(last) && last.len() > 2 && *of_one;
        let (before, behind) = (&text[..whole.start()], &text[whole.end()..]);
        let cited = lexicon::is_work(behind)
            || lexicon::is_work_word(last)
            || is_sign
            || lexicon::is_cited(before)
            || lexicon::has_year(behind)
            || lexicon::is_lessons(text, whole.range());
        if sure && (known || built) && !cited && !*history {
            found.push(Finding { kind: Kind::Name, place: whole.range() });
        }
    }
}

/// A given name that is no word, and the initial of a surname.
fn find_with_initial(text: &str, found: &mut Vec<Finding>) {
    static INITIAL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?:^|[\s(:,;])(?P<name>(?P<first>\p{Lu}\p{L}+) \p{Lu}\.?)(?:[ ,;:?)(]|'s|$)")
    });
    for hit in INITIAL.captures_iter(text) {
        let first = &hit["first"];
        let sure = lexicon::is_given(first)
            && !lexicon::is_ambiguous(first)
            && !lexicon::is_surname(first)
            && !lexicon::is_eponym(first)
            && !lexicon::is_word(first)
            && first.chars().any(char::is_lowercase);
        if let Some(name) = hit.name("name").filter(|name| sure && !lexicon::is_lessons(text, name.range())) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// How long a question about one's own patient is.
const LONGEST: usize = 240;

/// A given name that is no word in a text that speaks of one person.
fn find_alone(text: &str, found: &mut Vec<Finding>) {
    // Long texts are the cases of exams, whose people are invented.
    if text.len() > LONGEST || !is_of_one(text) || is_history(text) || !text.chars().any(char::is_lowercase) {
        return;
    }
    for word in text.split(|sign: char| !sign.is_alphabetic() && !matches!(sign, '-' | '\'')) {
        let name = word.strip_suffix("'s").unwrap_or(word);
        let written = name.starts_with(char::is_uppercase) && name.chars().skip(1).any(char::is_lowercase);
        let sure = written
            && name.len() > 3
            && lexicon::is_given(name)
            && !lexicon::is_ambiguous(name)
            && !lexicon::is_word(name)
            && !lexicon::is_surname(name)
            && !lexicon::is_eponym(name);
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let place = start..start + name.len();
        let behind = &text[place.end..];
        let cited = || {
            lexicon::is_work(behind)
                || lexicon::is_cited(&text[..start])
                || lexicon::has_year(behind)
                || lexicon::is_lessons(text, place.clone())
        };
        if sure && !cited() {
            found.push(Finding { kind: Kind::Name, place });
        }
    }
}

/// A name in small letters, behind what only a person has.
fn find_lower(text: &str, found: &mut Vec<Finding>) {
    static LOWER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)(?:\b(?:pt|ptnt|patient|client|mr|mrs|ms|miss|name|named|called|(?:seen|saw) (?:today|yesterday)|re|for|my (?:mother|father|mom|dad|wife|husband|son|daughter))\b(?:'s)?[ .:,=#-]{1,3}(?:is |was |named )?)(?P<name>\p{Ll}[\p{L}'-]{2,}(?: \p{L}\b| \p{Ll}[\p{L}'-]+)?)",
        )
    });
    if !CUE.is_match(text) {
        return;
    }
    let mut from = 0;
    while let Some(hit) = LOWER.captures_at(text, from) {
        let Some(name) = hit.name("name") else { return };
        // A word for a patient may be followed by one for a name.
        from = name.start();
        if !name.as_str().starts_with(char::is_lowercase) {
            continue;
        }
        let strong =
            !hit[0].to_lowercase().starts_with("for") && !hit[0].to_lowercase().starts_with("called");
        let mut words = name.as_str().split(' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let plain =
            |word: &str| !lexicon::is_word(word) && !lexicon::is_ambiguous(word) && !lexicon::is_eponym(word);
        let lower = hit[0].to_lowercase();
        let titled = ["mr", "ms", "miss"].iter().any(|title| lower.starts_with(title));
        let known = |word: &str| {
            plain(word)
                && (lexicon::is_given(word)
                    || lexicon::is_surname(word)
                    || (titled && lexicon::is_built(word)))
        };
        // What follows a label for a name may be a word elsewhere.
        let labelled =
            hit[0].to_lowercase().starts_with("name") && plain(first) && lexicon::is_any_surname(first);
        let surname = |word: &str| plain(word) && lexicon::is_any_surname(word);
        let follows = |word: &str| surname(word) || known(word) || word.chars().count() == 1;
        let both = labelled || second.is_some_and(|second| known(first) && follows(second));
        if (both || (strong && known(first))) && !lexicon::is_work(&text[name.start() + first.len()..]) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// What a form has behind its label for a name, however it is written.
fn find_labelled(text: &str, found: &mut Vec<Finding>) {
    static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?i)\b(?:(?:pt|patient|client|full|legal)(?:'?s)? ?name|(?:last|first|family|given|maiden|f|l) ?names?|surname) ?(?:is|was)?[ ]?(?:[:=]|-(?: |>)) ?["']?(?P<name>\p{L}[\p{L}'-]+)"#,
        )
    });
    const NONE: [&str; 12] = [
        "unknown",
        "withheld",
        "redacted",
        "not",
        "none",
        "na",
        "field",
        "anonymous",
        "xxx",
        "null",
        "n",
        "blank",
    ];
    static CAPITALS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?i:patient|pt|name|re|client|attn|seen)\b ?[:# ] ?(?P<name>(?P<one>\p{Lu}{3,}),? (?P<other>\p{Lu}{3,}))\b",
        )
    });
    for hit in CAPITALS.captures_iter(text) {
        let known =
            |word: &str| super::is_known(word) && !lexicon::is_ambiguous(word) && !lexicon::is_eponym(word);
        if let Some(name) = hit.name("name").filter(|_| known(&hit["one"]) || known(&hit["other"])) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
    for name in LABELLED.captures_iter(text).filter_map(|hit| hit.name("name")) {
        if !lexicon::is_word(name.as_str()) && !NONE.contains(&name.as_str().to_lowercase().as_str()) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// A given name and an initial in small letters, and what people do.
fn find_lower_with_initial(text: &str, found: &mut Vec<Finding>) {
    static DOES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(?P<name>(?P<first>\p{Ll}{3,}) \p{Ll}\.?),? (?:is|was|has|had|needs|takes|took|came|fell|asks|asked|wants|wanted|says|said|bled|in (?:bed|room|rm)|\d{1,3} ?(?:y|[mf]\b))",
        )
    });
    for hit in DOES.captures_iter(text) {
        let first = &hit["first"];
        let sure = lexicon::is_given(first) && !lexicon::is_ambiguous(first) && !lexicon::is_word(first);
        if let Some(name) = hit.name("name").filter(|_| sure) {
            found.push(Finding { kind: Kind::Name, place: name.range() });
        }
    }
}

/// A cheap look before names in small letters are looked for.
static CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:pt|ptnt|patient|client|mrs?|ms|miss|named?|called|today|yesterday|re|for|my)\b")
});

/// Names in scripts that have no capitals: a surname that is common, beside a patient, an age or a form of address.
fn find_elsewhere(text: &str, found: &mut Vec<Finding>) {
    static ELSEWHERE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let chinese = "[王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎余潘杜戴夏钟鐘汪田任姜范方石姚谭廖邹熊金陆陸郝孔崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚文]";
        [
            format!(r"(?:患者|病人|患儿|患兒|病患|姓名|名叫|叫做?|产妇|老人|男孩|女孩)(?:是|为|叫|名为)?[ :,]{{0,2}}(?P<name>{chinese}\p{{Han}}{{1,2}})(?:[ ,.。;:()?!、]|[男女因患有服于出]|$)"),
            format!(r"(?:^|[ ,.。;:(、])(?P<name>{chinese}\p{{Han}}{{1,2}})[ ,(]{{1,3}}(?:[男女]|\d{{1,3}} ?(?:岁|歲|[MF]\b|y))"),
            format!(r"(?P<name>{chinese}某?某?\p{{Han}}{{0,2}})(?:先生|女士|小姐|太太|大爷|阿姨|奶奶|爷爷)"),
            r"(?:^|[^\p{Han}\p{Hiragana}\p{Katakana}])(?P<name>[\p{Han}\p{Katakana}]{2,5})(?: ?[\p{Han}\p{Katakana}]{1,4})?(?:さん|様|氏|くん|君|ちゃん)".to_owned(),
            r"(?:患者名?|氏名|名前)(?:は|:| )? ?(?P<name>[\p{Han}\p{Katakana}]{2,5})(?:[ ,.。、(は]|$)".to_owned(),
            r"(?:환자|이름은?|성명|성함은?)[ :,]{1,3}(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추][가-힣]{1,2})(?:[ ,.()은는이가]|씨|님|$)".to_owned(),
            r"(?:^|[ ,.])(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추][가-힣]{1,2}) ?(?:씨|님)(?:[ ,.()은는이가의]|$)".to_owned(),
            r"(?:المريضة?|مريضي|السيدة?|اسمه|اسمها) (?P<name>\p{Arabic}{3,}(?: \p{Arabic}{3,})?)".to_owned(),
            r"(?:(?i:пациент\p{L}*|больн\p{L}+|зовут|имя|фио)[ :,]{1,2})(?P<name>\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}*\.?){0,2})".to_owned(),
        ]
        .iter()
        .map(|text| pattern(text))
        .collect()
    });
    for elsewhere in ELSEWHERE.iter() {
        let names = elsewhere.captures_iter(text).filter_map(|hit| hit.name("name").map(|name| name.range()));
        found.extend(names.map(|place| Finding { kind: Kind::Name, place }));
    }
}
