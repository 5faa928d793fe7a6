//! Numbers that stand for a person: social security, records, accounts, cards.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, grammar, pattern};

/// Nine digits as they are grouped in a social security number.
static GROUPED_SSN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|\D)\(?\d{3}\)? ?[-. /_]{1,2} ?\d{2} ?[-. /_]{1,2} ?\d{4}\b|(?:^|[^\w*#])[xX*#]{3}[-. ]?[xX*#]{2}[-. ]?\d{4}\b",
    )
});

/// Words for a social security or taxpayer number, and any nine digits (or the last four) behind them.
static NAMED_SSN: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let word = r"(?i)\b(?:s[. ]{0,2}s[. ]{0,2}n\b\.?|socsec|ss ?(?:#|no\b\.?|num\w*)|soc(?:ial)?s?\b\.?(?: ?(?:sec|insurance)\w*\.?)?|i\.?t\.?i\.?n|tin|tax(?:payer)? id\w*|national (?:id|insurance|identity|identification)\w*|nino|n\.?s\.?s|segur(?:o|idad) social|s[eé]curit[eé] sociale|s[eé]cu|previd\w+ social)";
    let (gap, nine, last) = (grammar::gap(), grammar::digits(9, 15), grammar::last_four());
    [
        format!(r"{word}{gap}{nine}\b"),
        format!(r"{word}{gap}{last}"),
        format!(r"{word}[^\d\n.!?]{{0,30}}\d(?:[ ,./_-]{{0,3}}\d){{8,14}}\b"),
        format!(r"{word}[^\d\n.!?]{{0,16}}\d{{4}}[ ,(]{{0,3}}(?:is |are |were )?(?:(?:the|her|his|its) )?(?:last|final) (?:four|4)\b"),
        format!(r"{word}[^\d\n.!?]{{0,30}}\d{{3}}\D{{1,8}}\d{{2}}\D{{0,8}}\d{{4}}\b"),
        format!(
            r"{word}[^\d\n.!?]{{0,30}}(?:\b(?:ends?|ending|last[ -]?(?:4|four)?)\b[^\d\n]{{0,20}}|[x*#•-]{{4,9}})\d{{4}}\b"
        ),
        r"(?i)\b(?:end|tail) of (?:(?:his|her|the|my|their) )?(?:ssn|social)\b[^\d\n.!?]{0,24}\d{4}\b".to_owned(),
        r"(?i)\b(?:last|final)[ -](?:four|4)\b[^\d\n.!?]{0,24}\b(?:ssn|social)\b[^\d\n.!?]{0,24}\d{4}\b"
            .to_owned(),
        r"(?i)\b\d{4}\b[^\d\n.!?]{0,24}\b(?:last|final)[ -](?:four|4)\b[^\d\n.!?]{0,24}\b(?:ssn|social)\b"
            .to_owned(),
        r"(?i)\bssn[:#]?\d(?:[ ./_-]{0,3}\d){8}\b".to_owned(),
        r"(?i)\b\d(?:[ ./_-]?\d){8}\b[^\d\n.!?]{0,12}\b(?:ssn|social security|social)\b".to_owned(),
        r"(?i)\b(?:national insurance|nino|\bni)\b[^\d\n]{0,12}[a-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b"
            .to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// The numbers that other states give to a person. Short names count in capitals: "sin" and "nie" are words.
static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:(?i:sozialversicherungs?\w*|sv-?(?:nummer|nr)|steuer-?id\w*|codice fiscale|pesel|person(?:en|al)?(?:nummer|ausweis\w*)|c[eé]dula|aadhaa?r|citizen(?:ship)? (?:id|no|number)\w*|identity (?:card|no|number)\w*|id card|rodné číslo|マイナンバ|個人番号|身份证号?码?|居民身份证|주민(?:등록)?번호|fødselsnummer|kvnr|krankenversicher\w+|versicher\w+nummer)|SVNR|SIN|NI[EFR]|DNI|RUT|BSN|AHV|AVS|CPF|CNP|CURP|NRIC|HKID|INSEE|TCKN|PPSN?)\b[^\d\n.!?]{0,16}?(?P<value>[A-Za-z]{0,6}\d[A-Za-z\d]*(?:[ ./-]{1,2}(?:[A-Z] )?[A-Za-z\d]*\d[A-Za-z\d]*)*)",
    )
});

/// What a number may look like: letters in front, groups behind.
const VALUE: &str = r"(?P<value>[a-z]{0,8}[-/ ]?\d[\da-z]*(?:,\d{3})*(?:[-./_: ]{1,2}(?:[a-z]{1,2}[-./_])?[a-z]{0,2}\d[\da-z]*)*)";

/// Words whose numbers are a person's whatever they look like.
static STRONG: LazyLock<Regex> = LazyLock::new(|| {
    let numbered = r"(?:med(?:ical)?\.? ?rec(?:ord)?s?|health ?(?:record|care|card)?(?: card)?|record|rec|chart|patient|pat|pt|hospital|hosp|clinic|unit|ward|member|membership|subscriber|insurance|insured|policy|plan|group|account|acct|case|file|folder|dossier|encounter|enc|visit|admission|accession|acc|specimen|sample|lab|requisition|order|referral|beneficiary|medicare|medicaid|nhs|chi|ur|d\.?l|driv(?:er'?s?|ing)? ?(?:li[cs]en[cs]e|lic)?|li[cs]en[cs]e|lic|enrollee|bill|invoice|statement|barcode|episode|scan|image|study subject|green card|alien|registrant|donor|recipient|transplant|kaiser|cigna|humana|aetna|bcbs|anthem|tricare|medi-?cal|certificate|device|serial|plate|passport|vehicle|claim|registration|registry|auth(?:orization)?|pre-?auth(?:orization)?|confirmation|guarantor|ticket|tracking|tube|payer|provider|card ?holder|health ?plan|study|empi|mpi|enrol?lment|randomi[sz]ation|prescription|rx|identification|identity|reference|ref|urn|wrist ?band|bracelet|subject|participant|inmate|prisoner|student|employee|staff|military|service|veteran|dod|tribal|badge|epic|cerner|meditech|athena|historia(?: cl[ií]nica)?|expediente|prontu[aá]rio|cartella(?: clinica)?|paciente|patiente|paziente|dokument|akten?|fall|kranken\w*|patienten?)";
    let number = r"(?:(?:id|i\.d\.|identifier|identification|number|num|nummer|n[uú]mero|nr|no|code|mrn)\b\.?|n\.|nº|n°|#|№|s/n\b)";
    let between = grammar::gap();
    pattern(&format!(
        r"(?i)\b(?:m[. ]?r[. ]?n\.?|mr ?(?:#|no\b\.?|number)|emr|ehr|uhid|csn|fin(?:\b|\d)|hicn|mbi|nhs|vin|urn|s/n|(?:n[uú]m(?:ero|\.)?|n[o°]\.?) de (?:historia|expediente|paciente|dossier)(?: cl[ií]nica)?|historia cl[ií]nica|(?:num[eé]ro|n°|nº) de dossier|cartella(?: clinica)?|\p{{L}}*(?:patient|fall|akten?|kranken|versicher)\p{{L}}*(?:nummer|nr)|medicare beneficiary|har(?:\b|\d)|e?mpi\b|barcode\b|wrist ?band\b|bracelet\b|driv\w*'?s? li[cs]en[cs]e\b|rx ?(?:bin|pcn|grp)|{numbered}\.?(?:'s)? ?{number})(?: ?{number})*{between}{VALUE}"
    ))
});

/// Any other word with a number of its own, unless it numbers goods or pages.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?P<word>\p{{L}}+)\.?[ -](?:(?:number|no|nr|id|identifier)\b\.?|nº|n°|#){}{VALUE}",
        grammar::gap()
    ))
});
/// What is numbered and belongs to nobody.
const GOODS: &[&str] = &[
    "lot",
    "batch",
    "catalog",
    "catalogue",
    "model",
    "version",
    "item",
    "question",
    "page",
    "slide",
    "table",
    "figure",
    "line",
    "issue",
    "volume",
    "article",
    "total",
    "the",
    "a",
    "any",
    "gene",
    "accession",
    "part",
    "product",
    "ref",
    "recommendation",
    "step",
    "section",
    "chapter",
    "module",
    "course",
    "activity",
    "trial",
];

/// Words whose numbers are a person's when they are long enough to be no year, dose or count.
static WEAK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:(?-i:MR)|medical records?|med rec|record|chart|patient|pt|client|member|subscriber|insurance|insured|policy|account|acct|case|file|encounter|visit|admission|accession|specimen|sample|requisition|referral|lab slip|slip|wrist ?band|bracelet|grp|enc|uhc|united ?health\w*|ohip|hcn|ramq|medicare|medicaid|(?:driving |driver'?s? )?licen[cs]e|passport|plate|serial|claim|id|i\.d\.|identifier|hospital|hc|nhc|dossier|epic|cerner|mpi|empi|phn|hrn|ipp|npi|dea|pid|ur|badge|subject|participant|inmate|enrollee|lic|episode|scan|bill|invoice|barcode|donor|kaiser|cigna|humana|aetna|bcbs|anthem|tricare|medi-?cal|pt id|sn|kvnr|green card|randomi[sz]ation|volunteer|medicaid|cin)\.?(?:\W{{1,3}}(?:is|was|of)\b)?[ :#=(\[-]{{1,4}}{VALUE}"
    ))
});
/// Plates mix letters and figures.
static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:lic(?:en[cs]e)?|number|registration|reg|car|vehicle|tag)\.? (?:plates?|tag)\b[ :#]*(?:is|no\.?|number)?[ :#]*(?:[a-z]{1,3}\d{1,4}[ -]?[a-z]{1,3}\b|[a-z\d]{0,4}[ -]?(?:[a-z]{1,4}[ -]?\d{2,4}|\d{1,4}[ -]?[a-z]{1,4}[ -]?\d{0,4})\b)|\b(?i:plates?)\b[ :#]*(?:[A-Z]{2,3}[ -]?\d{3,4}|\d{1,3}[ -]?[A-Z]{3}[ -]?\d{0,4})\b",
    )
});

/// Numbers whose form alone says what they are.
static FORMS: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    [
        // A Medicare beneficiary identifier.
        (Kind::RecordNumber, r"(?i)\b[1-9][ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d[ -]?[ac-hj-km-np-rt-y][ac-hj-km-np-rt-y0-9]\d[ -]?[ac-hj-km-np-rt-y]{2}\d{2}\b"),
        (Kind::Payment, r"(?i)\biban\b[^\d\n]{0,12}[a-z]{2}\d{2}(?: ?[a-z0-9]{2,4}){3,8}\b"),
        (Kind::Payment, r"\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b"),
        (Kind::Payment, r"(?i)\b(?:credit|debit|card|carte|tarjeta|karte|kreditkarte|visa|master ?card|amex|american express|maestro|discover|cc)\b[^\d\n]{0,24}\d{4}(?:[ ./_-]{0,2}\d{2,6}){2,4}\b"),
        (Kind::Payment, r"(?i)\b(?:credit|debit|card|visa|master ?card|amex|account|acct|a/c)\b[^\d\n]{0,16}\b(?:ending|ends|last)\b[^\d\n]{0,16}\d{4}\b"),
        (Kind::SocialSecurity, r"(?i)\b[a-z]{6}\d{2}[a-ehlmprst]\d{2}[a-z]\d{3}[a-z]\b"),
        (Kind::SocialSecurity, r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b|\b756\.\d{4}\.\d{4}\.\d{2}\b"),
        (Kind::Payment, r"(?i)(?:[x*#•]{4}[ -]?){2,3}[x*#•\d]{0,4}[ -]?\d{3,5}\b"),
        (Kind::Payment, r"(?i)\b(?:credit|debit|card|visa|master ?card|amex)\b[^\d\n]{0,20}\b(?:last|final)[ -](?:four|4)\b(?: digits)?[^\d\n]{0,12}\d{4}\b"),
        (Kind::Payment, r"(?i)\b(?:ends?|ending)(?: (?:w/?|with|in))? ?\d{4}\b[^\d\n]{0,12}\b(?:card|visa|master ?card|amex|discover)\b"),
        (Kind::Payment, r"(?i)\b(?:last|final)[ -](?:four|4)\b[^\d\n]{0,20}\b(?:credit|debit|card|visa|master ?card|amex)\b[^\d\n]{0,12}\d{4}\b"),
        // A brand and four digits that are no year.
        (Kind::Payment, r"(?i)\b(?:visa|master ?card|amex)\b[ #:x*-]{1,3}(?:[03-9]\d|1[0-8]|2[1-9])\d{2}\b"),
        (Kind::Payment, r"\b(?:bc1[a-z0-9]{20,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34})\b"),
        (Kind::RecordNumber, r"(?i)\b(?:mrn|medical record)\b[^\d\n.!?]{0,40}\d(?:[ ./-]?\d){4,}\b"),
        (Kind::Payment, r"(?i)\b(?:card|visa|master ?card|amex|discover|debit|credit|cc|acct|account)\b[^\d\nx*#•]{0,8}(?:[x*#•]{1,12}|\.{2,4}) ?\d{4}\b"),
        (Kind::RecordNumber, r"(?i)\b[a-z]{0,3}\d{4,}\b[ ,]{0,2}\(?(?:(?:is|=|as) )?(?:(?:her|his|the|their) )?(?:mrn\b|(?:hospital|medical record|record|chart|patient|nhs|account|insurance|member) ?(?:number|no|id)\b)"),
    ]
    .map(|(kind, text)| (kind, pattern(text)))
    .into_iter()
    .collect()
});

/// Codes of cards and banks, as short as three digits.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:cvv2?|cvc2?|(?:card|atm|debit) pin|routing|sort code|swift|bic)\b[ :#]*(?:number|no\.?|code|is)?[ :#]*(?:is )?[a-z]{0,8}\d{3,9}\b",
    )
});

/// Digits in a row, or grouped, enough for a card.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    // Behind a label, or in the groups that are printed on cards, whatever parts them.
    let gap = format!("{}{{1,3}}", grammar::BETWEEN_GROUPS);
    pattern(&format!(
        r"\b(?:\d(?:[ .-]{{0,2}}\d){{11,18}}|\d{{4}}(?:{gap}\d{{4}}){{3}}|3\d{{3}}{gap}\d{{6}}{gap}\d{{4,5}})\b"
    ))
});
/// A card behind its label: whole, or its last digits.
static NAMED_CARD: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let (gap, whole, last) = (grammar::gap(), grammar::digits(12, 19), grammar::last_four());
    let word = r"(?i)\b(?:credit|debit|cards?|carte|tarjeta|karte|kreditkarte|carta di credito|visa|master ?card|mc|amex|american express|maestro|discover|diners|jcb|unionpay|cc|hsa|fsa|pan|paid|charged|billed|copay)\b";
    [pattern(&format!(r"{word}{gap}{whole}\b")), pattern(&format!(r"{word}{gap}{last}"))]
});
/// Digits in a row that are too many for a dose or a year. Decimals and digits behind a comma are amounts.
static LONG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[^\w.,])(?P<value>[A-Za-z]{0,4}[-#]?\d{6,}[A-Za-z]?)(?P<behind>[^\w]|$)")
});
/// What an amount is of.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^ ?(?:%|x ?10|/[a-zµμ]|[mkµμn]?g\b|[mµμdn]?l\b|iu\b|units?\b|u\b|copies|cells|platelets|spermatozoa|colony|cfu|people|patients|participants|persons|women|men|children|deaths|cases|individuals|dollars|usd|eur|years|per\b|genomes?|reads|bases|bp\b)",
    )
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut add = |kind, place| found.push(Finding { kind, place });
    if digits(text) == 0 {
        return;
    }
    PLATE.find_iter(text).for_each(|hit| add(Kind::RecordNumber, hit.range()));
    // The shortest number that stands for anybody has three digits.
    if digits(text) < 3 {
        return;
    }
    for hit in STRONG.captures_iter(text) {
        if digits(&hit["value"]) >= 3 && !is_year(&hit["value"]) && !is_count(text, &hit) {
            add(Kind::RecordNumber, whole(&hit));
        }
    }
    CODE.find_iter(text).for_each(|hit| add(Kind::Payment, hit.range()));
    // Everything else has four of them.
    if digits(text) < 4 {
        return;
    }
    GROUPED_SSN.find_iter(text).for_each(|hit| add(Kind::SocialSecurity, hit.range()));
    for named in NAMED_SSN.iter() {
        named.find_iter(text).for_each(|hit| add(Kind::SocialSecurity, hit.range()));
    }
    for hit in FOREIGN.captures_iter(text).filter(|hit| digits(&hit["value"]) >= 6) {
        add(Kind::SocialSecurity, whole(&hit));
    }
    for hit in NUMBERED.captures_iter(text) {
        let of_goods = GOODS.contains(&hit["word"].to_lowercase().as_str());
        if !of_goods && is_long_enough(&hit["value"]) {
            add(Kind::RecordNumber, whole(&hit));
        }
    }
    for hit in WEAK.captures_iter(text) {
        let before = text[..whole(&hit).start].trim_end().rsplit(' ').next().unwrap_or_default();
        // Goods are counted: a number with a hyphen is none of them.
        let counted = !(hit["value"].contains('-') && digits(&hit["value"]) > 5);
        let of_goods = counted && GOODS.contains(&before.to_lowercase().as_str()) && !is_determiner(before);
        if !of_goods && is_long_enough(&hit["value"]) && !is_count(text, &hit) {
            add(Kind::RecordNumber, whole(&hit));
        }
    }
    for (kind, form) in FORMS.iter() {
        form.find_iter(text).for_each(|hit| add(*kind, hit.range()));
    }
    for hit in CARD.find_iter(text).filter(|hit| is_card(hit.as_str())) {
        add(Kind::Payment, hit.range());
    }
    // A whole card has twelve digits at least.
    for card in NAMED_CARD.iter().skip(usize::from(digits(text) < 12)) {
        card.find_iter(text).for_each(|hit| add(Kind::Payment, hit.range()));
    }
    for hit in LONG.captures_iter(text) {
        let (Some(value), Some(behind)) = (hit.name("value"), hit.name("behind")) else { continue };
        if !is_amount(value.as_str(), &text[behind.start()..]) {
            add(Kind::RecordNumber, value.range());
        }
    }
}

fn is_determiner(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "the" | "a" | "any" | "total")
}

fn whole(hit: &regex::Captures<'_>) -> Range<usize> {
    hit.get(0).map_or(0..0, |all| all.range())
}

fn digits(value: &str) -> usize {
    value.bytes().filter(u8::is_ascii_digit).count()
}

pub(crate) fn is_year(value: &str) -> bool {
    value.len() == 4 && (value.starts_with("19") || value.starts_with("20"))
}

/// Whether a number behind a weak word is one of a person: not years, not "2015-2020", not "12 of 20".
fn is_long_enough(value: &str) -> bool {
    // "policy 4471": a word and its number.
    let number = value.split_once(' ').filter(|(word, _)| {
        matches!(word.to_lowercase().as_str(), "policy" | "number" | "no" | "id" | "card" | "record" | "file")
    });
    let value = number.map_or(value, |(_, number)| number);
    let groups: Vec<&str> =
        value.split([' ', '-', '/', '.', '_']).filter(|group| !group.is_empty()).collect();
    let first = groups.first().copied().unwrap_or_default();
    let joined = !value.contains([' ', '.']);
    let all_years = groups.iter().all(|group| is_year(group));
    !all_years
        && (digits(first) >= 5
            || digits(value) >= 9
            || (joined && digits(value) >= 6)
            || (groups.len() > 2 && digits(value) >= 7 && !groups.iter().any(|group| is_year(group)))
            || (digits(first) >= 4 && first.starts_with(char::is_alphabetic)))
}

/// Whether a number with commas counts things: "records of 482,910 patients".
fn is_count(text: &str, hit: &regex::Captures<'_>) -> bool {
    static TIMES: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)^ ?(?:h\b|hrs?\b|hours?|days?|weeks?|wks?\b|months?|min)"));
    let behind = &text[whole(hit).end..];
    TIMES.is_match(behind) || hit["value"].contains(',') && UNIT.is_match(&text[whole(hit).end..])
}

/// Round numbers and numbers with a unit count things.
fn is_amount(value: &str, behind: &str) -> bool {
    (value.ends_with("000") && value.trim_end_matches('0').len() < 5) || UNIT.is_match(behind)
}

/// Whether digits are those of a card: years and round amounts in a row are none, whatever their sum.
fn is_card(text: &str) -> bool {
    let groups = || text.split(|sign: char| !sign.is_ascii_digit()).filter(|group| !group.is_empty());
    let is_list = groups().count() > 2 && groups().all(|group| is_year(group) || group.ends_with("00"));
    !is_list && passes_luhn(text)
}

/// ISO/IEC 7812: the check digit of cards.
fn passes_luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|sign| sign.to_digit(10)).collect();
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    (12..=19).contains(&digits.len())
        && digits.iter().any(|digit| *digit != 0)
        && weighed.sum::<u32>() % 10 == 0
}
