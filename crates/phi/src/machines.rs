//! Addresses of machines: of the network, of hardware, of files and of pages that are not the literature's.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;

use crate::{Finding, Kind, pattern};

static IPV4: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\w.])(?P<address>\d{1,3}(?:(?:\.\d{1,3}){3}|(?: ?\. ?\d{1,3}){3}))(?:[^\w.]|\.?$|\.\s|/\d|:\d)",
    )
});
/// What also has four numbers with dots: chapters and versions.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:§|\b(?:section|sect\.?|version|v|ver\.?|release|chapter|figure|fig\.?|table|step|ec|item|appendix|recommendation|rec\.?|standard|paragraph|part))[ .:]*$",
    )
});
/// What is before an address whose numbers are all small.
static IP_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:ip(?:v4)?|inet|dns|host|server|ping|addr(?:ess)?)\b[^\d\n.]{0,16}$"));
/// The same with other signs, behind its label.
static BEFORE_IP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?P<address>\d{1,3}(?:[ .,_/-]{1,3}\d{1,3}){3})[ ,(]{0,3}(?:is |was |= ?)?(?:the |her |his |pump'?s? )?ip\b",
    )
});
static NAMED_IPV4: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:ip(?:v4)?|inet)\b(?: ?(?:addr(?:ess)?|is|was|no|number|from|at|of|the|her|his|pump|for|pt|patient)\b\.?)*[ :=#(]*(?P<address>\d{1,3}(?:[ .,_/-]{1,3}\d{1,3}){3})\b",
    )
});
static IPV6: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:^|[^\w:])(?P<address>[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?::\d{1,3}(?:\.\d{1,3}){3})?)(?:[^\w:]|$)",
    )
});
static HARDWARE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        // Doses that are tapered have hyphens as well: a letter or a leading zero is needed with those.
        r"(?i)\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\b(?:0[0-9a-f]|[a-f][0-9a-f]|[0-9][a-f])(?:-[0-9a-f]{2}){5}\b|\b(?:[0-9a-f]{2}-){5}(?:[a-f][0-9a-f]|[0-9][a-f])\b",
        r"(?i)\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b",
        r"(?i)\bmac\b(?: addr(?:ess)?)?[ :=]*(?:is |of )?(?:[0-9a-f]{2}[ :.-]?){5}[0-9a-f]{2}\b",
        r"(?i)\b[0-9a-f]{12}\b[ ,(]{0,3}mac\b",
        r"(?i)\bimei\b[ :#]*(?:is |no\.? |number )?\d(?:[ -]?\d){13,15}\b",
        r"(?i)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
        r"(?i)\b(?:udid|uuid|guid|(?:device|android|advertising|hardware|machine|sensor|session|install(?:ation)?|app|phone|tablet|browser|cookie) ?id|session(?:[ _]?(?:id|token))?|token|cookie|fingerprint|idfa|gaid)\b[ :=#]*(?:is )?[0-9a-f][0-9a-f-]{11,}\b",
        r"(?i)\b(?:ip|ipv6|localhost|loopback)\b[^\n]{0,12}(?:^|[^\w:])::[0-9a-f]{1,4}\b|(?:^|[^\w:])::1\b[^\n]{0,10}\blocalhost\b",
        r"(?i)\bip\b[ :]*0x[0-9a-f]{8}\b|\b0x[0-9a-f]{8}\b ?ip\b",
    ]
    .map(pattern)
    .into_iter()
    .collect()
});

/// What hardware is called where its number has no signs.
static HARDWARE_CUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\bmac\b|imei|0x|u[du]id|guid|(?:device|android|advertising|hardware|machine|sensor|session|cookie) ?id|\bip(?:v4)?\b|inet|serial|iccid|idfa|bssid|session",
    )
});

/// What a machine is called by.
static HOST_CUE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)host ?name|computer|machine|workstation|ssid|node ?name"));

/// Files and hosts of an institution's own network.
static PLACES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)\b[a-z0-9]*[0-9-][a-z0-9-]*\.(?:[a-z0-9-]+\.)*(?:local|lan|internal|intranet|corp|localdomain|home\.arpa)\b",
        r"\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+\.(?:local|lan|internal|intranet|corp|localdomain)\b",
        r"(?i)\b(?:host ?name|computer(?: name)?|machine(?: name)?|workstation|ssid|node ?name)\b[ :=]{1,3}(?:is )?[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*[-_]?\d[\w-]*",
        r"\\\\[\w.-]+\\\S+",
        r"(?i)(?:^|[^\w])[a-z]:\\\S+",
        r"(?:^|[\s:(])/(?:home|users|Users|mnt|var|srv)/\w\S*",
        r"(?i)\b(?:ftps?|sftp|wss?|smb|nfs|ssh|telnet|rdp|dicom|hl7|ldaps?|file|mllp)://\S+",
        r"(?i)\bh(?:tt|xx)ps?://(?:localhost|[\w-]+|\d[\d.]*|\[[0-9a-f:]+\])(?::\d+)?(?:/\S*|\s|$)",
        r"(?i)\b(?:h(?:tt|xx)ps?://|www\.|[\w-]+\.)[\w.-]+(?::\d+)?/\S*?(?:patients?|charts?|mychart|mrn|records?|portal|profiles?|users?|members?|accounts?|encounters?|visits?)\b[/?=&#]\S*\d{3,}\S*",
        r"(?i)\bhxxps?://\S+",
    ]
    .map(pattern)
    .into_iter()
    .collect()
});

static PAGE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:https?://(?:[^\s/@]*@)?|www\.)(?P<host>[\w-]+(?:\.[\w-]+)+)(?P<rest>(?::\d+)?(?:[/?#]\S*)?)|(?P<bare>(?:[\w-]+\.)+(?:com|net|org|io|app|health|care|co|info|me|us|de|fr|es|it|uk|ca|edu|gov))(?:/\S*\d\S*|/?[?#]\S+=\S+))",
    )
});
/// Hosts of authorities, universities, societies, journals and reference works.
static PUBLIC: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:^|\.)(?:[\w-]+\.(?:gov|edu|org|int|mil)|(?:gov|nhs|ac|edu|org)\.[a-z]{2}|(?:nejm|thelancet|bmj|jamanetwork|nature|science|cell|sciencedirect|springer|springernature|biomedcentral|wiley|elsevier|karger|mdpi|sagepub|tandfonline|oup|lww|uptodate|dynamed|dynamedex|mdcalc|medscape|webmd|healthline|drugs|epocrates|clinicalkey|cochranelibrary|statpearls|wikipedia|youtube|vimeo|google|bing|github|researchgate|practiceupdate|qxmd|eliquis|xarelto|pradaxa|fda|ema|europa|canada|nice)\.(?:com|net|eu|ca|de|fr|es|it|uk|co\.uk))$",
    )
});
/// What names a person in an address of a page.
static PERSONAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)/~|my ?chart|portal|[/.](?:patients?|phr|ehr|emr|visit|users?|profiles?|members?|people|caringbridge|gofundme)[/.]|[?&](?:id|pid|mrn|patient|user|uid|name|dob|email|token|session)=",
    )
});

fn find_pages(text: &str, found: &mut Vec<Finding>) {
    for hit in PAGE.captures_iter(text) {
        let (Some(whole), Some(host)) = (hit.get(0), hit.name("host").or_else(|| hit.name("bare"))) else {
            continue;
        };
        let host = host.as_str().trim_end_matches('.');
        if !PUBLIC.is_match(host) || PERSONAL.is_match(whole.as_str()) {
            found.push(Finding { kind: Kind::MachineAddress, place: whole.range() });
        }
    }
}

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let machine = |place| Finding { kind: Kind::MachineAddress, place };
    if text.contains("://") || text.contains("www.") || text.contains("WWW.") || text.contains(['/', '?']) {
        find_pages(text, found);
    }
    if text.contains(['/', '\\'])
        || HOST_CUE.is_match(text)
        || [".l", ".i", ".c"].iter().any(|end| text.contains(end))
    {
        for place in PLACES.iter() {
            found.extend(place.find_iter(text).map(|hit| machine(hit.range())));
        }
    }
    let count = |sign: char| text.matches(sign).count();
    if count('.') > 2 {
        find_ipv4(text, found);
    }
    if HARDWARE_CUE.is_match(text) {
        find_named_ipv4(text, found);
    }
    if count(':') > 1 {
        find_ipv6(text, found);
    }
    if count(':').max(count('-')).max(count('.')) > 1 || HARDWARE_CUE.is_match(text) {
        for hardware in HARDWARE.iter() {
            found.extend(hardware.find_iter(text).map(|hit| machine(hit.range())));
        }
    }
}

fn find_ipv4(text: &str, found: &mut Vec<Finding>) {
    for hit in IPV4.captures_iter(text) {
        let Some(address) = hit.name("address") else { continue };
        let groups = address.as_str().split('.').map(|group| group.trim().parse::<u8>());
        let groups: Vec<u8> = groups.filter_map(Result::ok).collect();
        // Sections of chapters are small throughout; addresses that are, are found by their label.
        let before = &text[..address.start()];
        let is_one =
            groups.len() == 4 && (groups.iter().any(|group| *group > 9) || IP_BEFORE.is_match(before));
        if is_one && !NUMBERED.is_match(before) {
            found.push(Finding { kind: Kind::MachineAddress, place: address.range() });
        }
    }
}

fn find_named_ipv4(text: &str, found: &mut Vec<Finding>) {
    for hit in NAMED_IPV4.captures_iter(text).chain(BEFORE_IP.captures_iter(text)) {
        let Some(address) = hit.name("address") else { continue };
        let groups =
            address.as_str().split(|sign: char| !sign.is_ascii_digit()).filter(|group| !group.is_empty());
        // Amounts that follow "IP", intraperitoneal, are small: the first group of an address seldom is.
        let numbers: Vec<u16> = groups.filter_map(|group| group.parse().ok()).collect();
        if numbers.len() == 4 && numbers[0] > 9 && numbers.iter().all(|number| *number < 256) {
            found.push(Finding { kind: Kind::MachineAddress, place: address.range() });
        }
    }
}

fn find_ipv6(text: &str, found: &mut Vec<Finding>) {
    for hit in IPV6.captures_iter(text) {
        let Some(address) = hit.name("address") else { continue };
        // "::" alone, and short pairs such as "a::b", are punctuation.
        if address.as_str().parse::<Ipv6Addr>().is_ok() && address.len() > 6 {
            found.push(Finding { kind: Kind::MachineAddress, place: address.range() });
        }
    }
}
