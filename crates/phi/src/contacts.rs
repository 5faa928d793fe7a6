//! Where a person or a machine is reached.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, pattern};

static CONTACTS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let reached = r"(?:phones?|telephones?|tele?\b\.?|t[eé]l[eé]phone|tel[eé]fono|m[oó]vil|mobile|cell(?:phone|ular)?|handy|fax|pager|beeper|desk|landline|voice ?mail|whats ?app|viber|signal|sms|text(?:ed|ing)?|call(?:ed|ing|s|back)?|dial(?:ed)?|ring|rang|reach(?:ed|able)?|contact(?:ed)?|answering|messages?|registered|number|no|ext|extension|line|ph|mob|hp|kin)";
    [
        // E-mail, also with the signs written out.
        r"(?i)[\p{L}0-9._%+'-]+ ?@ ?[\p{L}0-9-]+(?:(?:\.| \. )[\p{L}0-9-]+)*(?:\.| \. )[\p{L}]{2,}".to_owned(),
        r"(?i)\b[\p{L}0-9._%+-]+ ?(?:\[ ?at ?\]|\( ?at ?\)|\{ ?at ?\}|<at>| at ) ?[\p{L}0-9-]+ ?(?:\[ ?dot ?\]|\( ?dot ?\)|\{ ?dot ?\}|<dot>| dot |\.)[ ]?(?:com|org|net|edu|gov|example|io|de|uk|fr|es|it|co|us|ca|info|mail|health)\b".to_owned(),
        r"(?i)\b(?:e-?mail|mailto|mail address)\b[ :=]*(?:is|address)?[ :=]*\S+@\S+".to_owned(),
        // Profiles and handles.
        r"(?i)\b(?:facebook|fb|instagram|linkedin|twitter|tiktok|snapchat|x|t|wa)\.(?:com|me)/[\w./?=-]+".to_owned(),
        r"(?i)\b(?:instagram|insta|facebook|twitter|snapchat|telegram|skype|tiktok|handle|username)\b[^@\n.!?]{0,20}@[\p{L}\w.]{3,}".to_owned(),
        // A number behind a word for reaching somebody.
        format!(r"(?i)\b{reached}\b[^\d\n+(.!?]{{0,24}}[.:]?\n?[ ]?[+(]{{0,2}}\d(?:[ ().x/-]{{0,3}}\d){{6,18}}\b"),
        // Numbers whose grouping says what they are: international, North American, trunk zero.
        r"(?:^|[^\w.])\+\d{1,3}[ .-]?(?:\(0\)[ .-]?)?\(?\d{1,5}\)?(?:[ .-]?\d{2,5}){2,5}\b".to_owned(),
        r"\b00\d{1,3}[ .-](?:\(0\)[ .-]?)?\d{1,4}(?:[ .-]\d{2,4}){1,5}\b".to_owned(),
        r"(?:^|[^\w.])(?:\+?1[ .-]?)?\(\d{2,5}\) ?[\d][\d .-]{4,11}\d(?: ?(?:x|ext\.?) ?\d{1,5})?\b".to_owned(),
        r"\b(?:1[ .-])?\d{3} ?[ .\-/] ?\d{3} ?[ .\-/] ?\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?\b".to_owned(),
        r"(?:^|[^\w.,])0\d{1,4}[ ./-]\d{2,4}(?:[ .-]?\d{2,4}){1,3}\b".to_owned(),
        r"(?i)\b(?:call|phone|ring|text|tel|ph|cell)\b[^\d\n]{0,12}\d{3}[ .-]\d{4}\b".to_owned(),
        // Where somebody lives.
        r"\b\d{1,5}[A-Za-z]? (?:[NSEW]\.? )?(?:\p{Lu}[\p{L}'.-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Terrace|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Square|Sq|Place|Pl|Trail|Close|Crescent|Mews|Row)\b".to_owned(),
        r"(?i)\b(?:lives?|living|resid(?:es?|ing)|address|home|staying)\b[ :]*(?:is|at|on|in)*[ :]*\d{1,5}[a-z]? [\p{L}][\p{L}'. -]{2,40}".to_owned(),
        r"(?i)\b\d{1,5} [\p{L}'.-]+(?: [\p{L}'.-]+)? (?:street|avenue|boulevard|drive|lane)\b".to_owned(),
        r"(?i)\b(?:p\.? ?o\.? box|apt\.?|apartment|suite) ?#? ?\d{1,6}\b".to_owned(),
        r"(?i)\b(?:zip|zip ?code|postal ?code|post ?code)\b[ :]*(?:is)?[ :]*[a-z]{0,2}\d[\da-z -]{2,8}\b".to_owned(),
        r"\b[A-Z][a-z]+,? [A-Z]{2} \d{5}(?:-\d{4})?\b".to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

static IPV4: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[^\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?:[^\w.]|\.?$|\.\s|/\d|:\d)")
});
/// What also has four numbers with dots: chapters and versions.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:section|sect\.?|§|version|v|ver\.?|release|chapter|figure|fig\.?|table|step|ec|item|appendix)[ .:]*$",
    )
});
static IPV6: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)(?:^|[^\w:])(?P<address>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?:[^\w:]|$)")
});
static HARDWARE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b",
        r"(?i)\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b",
        r"(?i)\bmac(?: address)?[ :]+(?:is )?[0-9a-f]{12}\b",
        r"(?i)\bimei[ :#]*\d{14,16}\b",
    ]
    .map(pattern)
    .into_iter()
    .collect()
});

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    for contact in CONTACTS.iter() {
        found.extend(contact.find_iter(text).map(|hit| Finding { kind: Kind::Contact, place: hit.range() }));
    }
    let machine = |place| Finding { kind: Kind::MachineAddress, place };
    for hit in IPV4.captures_iter(text) {
        let Some(address) = hit.name("address") else { continue };
        if address.as_str().parse::<Ipv4Addr>().is_ok() && !NUMBERED.is_match(&text[..address.start()]) {
            found.push(machine(address.range()));
        }
    }
    for hit in IPV6.captures_iter(text) {
        let Some(address) = hit.name("address") else { continue };
        // "::" alone, and short pairs such as "a::b", are punctuation.
        if address.as_str().parse::<Ipv6Addr>().is_ok() && address.len() > 6 {
            found.push(machine(address.range()));
        }
    }
    for hardware in HARDWARE.iter() {
        found.extend(hardware.find_iter(text).map(|hit| machine(hit.range())));
    }
}
