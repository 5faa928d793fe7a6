//! Where a person is reached: telephones, mail, profiles, streets.

use std::sync::LazyLock;

use regex::Regex;

use crate::names::RELATIVE;
use crate::{Finding, Kind, grammar, pattern};

/// Lines behind a word for them or before whose they are: none has fewer than seven digits.
static LINES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let (gap, between) = (grammar::gap(), grammar::BETWEEN_GROUPS);
    let line = r"(?:phones?|telephones?|tele?\b\.?|t[eé]l[eé]phone|tel[eé]fono|m[oó]vil|mobile|cell(?:phone|ular)?|handy|fax|pager|beeper|landline|whats ?app|text|call(?: ?back)?|cb|reach|contact|ph|mob|home|work|office)";
    [
        // The groups of a line behind a word for it, whatever stands between; or a line of a town.
        format!(r"(?i)\b{line}\b{gap}(?:1{between}{{1,3}})?\d{{3}}{between}{{0,3}}\d{{3}}{between}{{0,3}}\d{{4}}\b"),
        format!(r"(?i)\b{line}\b{gap}(?:\d{{3}}[ .-]\d{{4}}|\d(?:[ .-]{{0,3}}\d){{8,13}})\b"),
        r"(?i)\b\d{3}[ .-]\d{4}\b[ ,(]{0,3}(?:is |was |= ?)?(?:(?:the|her|his|my|their|pt'?s?|a) )?(?:home|cell|mobile|work|office|phone|fax|tel|landline|callback|contact)\b".to_owned(),
        // A number, and whose it is.
        format!(r"(?i)\b\d(?:[ ().-]{{0,2}}\d){{8,13}}\b[ ,(:]{{0,3}}(?:is |was |= ?)?(?:(?:her|his|the|my|their|pt'?s?) )?(?:{RELATIVE}\b|家属|家人|妻子|丈夫|母亲|父亲|儿子|女儿|娘|息子|家族|妻|夫|母|父|보호자|가족)"),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Numbers, streets and codes: they all have a digit.
static NUMBERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let reached = r"(?:phones?|telephones?|tele?\b\.?|t[eé]l[eé]phone|tel[eé]fono|m[oó]vil|mobile|cell(?:phone|ular)?|handy|fax|pager|beeper|desk|landline|voice ?mail|whats ?app|viber|signal|sms|text(?:ed|ing)?|call(?:ed|ing|s|back)?|dial(?:ed)?|ring|rang|reach(?:ed|able)?|contact(?:ed)?|answering|messages?|registered|number|no|ext|extension|line|ph|mob|hp|kin|tfno|cellulare|portable|telefon(?:o|e)?|tlfn?|tfn|num[eé]ro|pgr|bleep)";
    [
        // A number behind a word for reaching somebody.
        format!(r"(?i)\b{reached}\b[^\d\n+(.!?]{{0,24}}[.:]?\n?[ ]?[+(]{{0,2}}\d(?:[ ().x/-]{{0,3}}\d){{6,18}}\b"),
        // Short ones: extensions and pagers.
        r"(?i)\b(?:ext(?:ension|n)?|pagers?|beepers?|bleeps?|beep(?:ed)?|pgr|bpr|spectra|ascom|vocera|dect|page (?:me|us|him|her|dr\.? \w+))\b\.?[ :#@]*(?:no\b\.?|number|is|at|me at|her at|him at)?[ :#]*\d(?:-?\d){2,6}\b".to_owned(),
        r"(?i)\b(?:pg|pgr|bpr|bleep|beep)\b\.?[ :#@]*\d{4,7}\b(?: ?[^\d ./%]|$)|\b(?:call|dial|ring|reach) (?:me |us |him |her )?(?:at |on |@ )?\d[- ]\d{4}\b".to_owned(),
        r"(?i)\b(?:call|reach|dial|ring|desk|phone|ward|page)\b[^\d\n.!?]{0,15}\bx ?\d{3,5}\b|\bx\d{4,5}\b is\b".to_owned(),
        r"(?i)\b(?:phone|mobile|cell|tel|landline|fax)\b[^\d\n.!?]{0,20}\b(?:ends?|ending|last)\b[^\d\n.!?]{0,16}\d{3,4}\b".to_owned(),
        // Numbers whose grouping says what they are: international, North American, trunk zero.
        r"(?:^|[^\w.])\+\d{1,3}[ .-]?(?:\(0\)[ .-]?)?\(?\d{1,5}\)?(?:[ .-]?\d{2,5}){2,5}\b".to_owned(),
        r"\b00\d{1,3}[ .-](?:\(0\)[ .-]?)?\d{1,4}(?:[ .-]\d{2,6}){1,5}\b".to_owned(),
        r"(?:^|[^\w.])(?:\+?1[ .-]?)?\(\d{2,5}\) ?[\d][\d .-]{4,11}\d(?: ?(?:x|ext\.?) ?\d{1,5})?\b".to_owned(),
        r"\b(?:1[ .-])?\(?\d{3}\)? ?[ .\-/] ?\d{3} ?[ .\-/] ?\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?\b".to_owned(),
        r"(?:^|[^\w.,])0(?:\d{2,4}[ .-]\d{2,4}[ ./-]\d{3,4}|\d[ .-]\d{4}[ .-]\d{4}|\d{1,4}[ .-]\d{2,4}(?:[ ./-]\d{2,4}){2,3}|\d{1,4}[ ./-]\d{6,8})\b".to_owned(),
        r"(?i)\b\d(?:[ ().-]{0,2}\d){8,13}\b[ ,(]{0,3}(?:is (?:her|his|the|my|their) )?(?:mobile|phone|cell|tel|fax|landline|whatsapp)\b".to_owned(),
        r"(?i)\b(?:call|phone|ring|text|tel|ph|cell|callback)\b[^\d\n]{0,12}\d{3}[ .-]\d{4}\b".to_owned(),
        // Where somebody lives.
        r"\b\d{1,5}[A-Za-z]? (?:[NSEW]\.? )?(?:(?:\p{Lu}[\p{L}'.-]+|\d{1,3}(?:st|nd|rd|th)) ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Terrace|Circle|Cir|Parkway|Pkwy|Highway|Hwy|Square|Sq|Place|Pl|Trail|Close|Crescent|Mews|Row|Gardens|Grove|Way)\b".to_owned(),
        r"(?i)\b(?:lives?|living|resid(?:es?|ing)|address|home|staying)\b[ :]*(?:is|at|on|in|number|no\.?|,)*[ :]*(?:(?:at|number|no\.?) )*\d{1,5}[a-z]?,? [\p{L}][\p{L}'. -]{2,40}".to_owned(),
        r"(?i)\b\d{1,5}[a-z]? [\p{L}'.-]+(?: [\p{L}'.-]+)? (?:street|avenue|boulevard|drive|lane)\b".to_owned(),
        // A number behind the name of a street, and districts of Japan.
        r"\b(?:[Aa]v(?:\.|da\.?|enida)|[Rr]ua|[Rr]\.|ul\.|[Pp]ra[cç]a|[Pp]za\.?|[Pp]laza|[Cc]/|[Cc]alle|[Cc]orso|[Vv]iale?|[Pp]iazza|[Pp]asseig) ?(?:(?:de|da|do|dei|del|della|la|las|los) )*\p{Lu}[\p{L}' -]{2,30},? (?:n[.º°]? ?)?\d{1,5}\b".to_owned(),
        r"\b\d{1,2}-\d{1,2}(?:-\d{1,3})?,? \p{Lu}\p{L}+[^\n]{0,20}-(?:ku|shi|gun|ch[oō]|machi)\b".to_owned(),
        r"(?i)\b\d{3,5} (?:ext|extension|extn)\b".to_owned(),
        // The word for a street in front, the number in front of it or behind the name.
        r"(?i)\b\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|impasse|chemin|quai|all[ée]e) (?:de |du |des |la |le |l')*\p{L}{3,}".to_owned(),
        r"\b(?:Rue|rue|Calle|calle|[Cc]/|Avda\.?|Avenida|avenida|Paseo|paseo|Plaza|Via|Viale|viale|Piazza|piazza|Corso|Rua|rua|Travessa|Pra[çc]a|[Uu]l\.|[Uu]lica) ?(?:de |del |della |dei |di |da |das |do |dos |des |la |las |los |el )*\p{Lu}[\p{L}'-]+(?: \p{Lu}?[\p{L}'-]+){0,3},? (?:n\.?[ºo]? ?)?\d{1,4}\b".to_owned(),
        r"\b\p{Lu}[\p{L}-]+(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|damm|ufer|straat|laan|gatan|vägen) ?\d{1,4}[a-z]?\b".to_owned(),
        r"\b(?:Calle|Carrera|Cra\.?|Cl\.?) \d{1,3}[A-Z]? ?# ?\d{1,3}".to_owned(),
        r"(?i)\b(?:rr|rural route|route|hwy|highway) ?\d{1,4},? box ?\d+\b".to_owned(),
        r"(?i)\b(?:lives?|living|resid(?:es?|ing)) in [\p{L} .'-]{3,40},? \d{5}\b".to_owned(),
        r"\b\p{Lu}\p{L}+ \d{1,3}[a-z]?, \d{4,5} \p{Lu}\p{Ll}{2,}\b".to_owned(),
        r"(?i)\b(?:p\.? ?o\.? box|postfach|apt\.?|apartment|suite) ?#? ?\d{1,6}[a-z]?\b".to_owned(),
        r"(?i)\b(?:zip|zip ?code|postal ?code|post ?code|plz|cap|c[oó]digo postal|code postal)\b[ :]*(?:is)?[ :]*[a-z]{0,2}\d[\da-z -]{2,8}\b".to_owned(),
        r"\b[A-Z][a-z]+,? [A-Z]{2} \d{5}(?:-\d{4})?\b".to_owned(),
        // Codes of British and Canadian post: no dose ends in such letters.
        r"\b[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b|\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]\d[A-Z]\d\b".to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// Mail, profiles, and streets without a number.
static MAIL: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let network = r"(?:instagram|insta|ig|facebook|fb|twitter|snapchat|snap|telegram|skype|tiktok|whatsapp|wechat|linkedin|discord|threads|bluesky|mastodon|cash ?app|cashtag|venmo|paypal|zelle|wattsapp|whats app|line id|reddit|insta(?:gram)?|handle|username|user name)";
    [
        // E-mail, also with the signs written out.
        r"(?i)[\p{L}0-9._%+'-]+ ?@ ?[\p{L}0-9-]+(?:(?:\.| \. )[\p{L}0-9-]+)*(?:\.| \. )[\p{L}]{2,}".to_owned(),
        r"\S@[\p{L}\d-]+(?:\.[\p{L}\d-]+)*\.\p{L}{2,}".to_owned(),
        r"(?i)[\p{L}0-9._%+'-]*[\p{L}0-9]@[\p{L}][\p{L}0-9-]{2,}".to_owned(),
        r"(?i)\b[\p{L}0-9._%+-]+ ?(?:<at>| at |@) ?[\p{L}0-9-]+ ?(?:<dot>| dot | ?\. ?)[ ]?(?:com|org|net|edu|gov|example|io|de|uk|fr|es|it|co|us|ca|info|mail|health)\b".to_owned(),
        r"(?i)\b(?:e-?mail|mailto|mail address)\b[ :=]*(?:is|address)?[ :=]*\S+@\S+".to_owned(),
        // A street where somebody lives, without its number.
        r"\b(?i:lives?|living|resid(?:es|ing)|stays?|staying|home|house|address)\b[^.!?\n]{0,60}\b(?i:on|at|in|of) (?:[NSEW]\.? )?(?:\p{Lu}[\p{L}'-]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Drive|Lane|Ln|Boulevard|Blvd|Court|Terrace|Circle|Parkway|Highway|Close|Crescent|Way)\b".to_owned(),
        // Profiles and handles.
        r"(?i)\b(?:facebook|fb|instagram|linkedin|twitter|tiktok|snapchat|x|t|wa)\.(?:com|me)/[\w./?=&-]+".to_owned(),
        format!(r"(?i)\b{network}\b[^@\n.!?]{{0,20}}@[\p{{L}}\w.]{{3,}}"),
        format!(r"(?i)(?:^|[\s(])@[\p{{L}}\w.]{{3,}}[^\n.!?]{{0,20}}\b{network}\b"),
        // A word with a digit, an underscore or a dot in it is a name nowhere else.
        format!(r"(?i)\b{network}\b(?: ?(?:is|name|id|handle|account|user))*[ :=]{{1,3}}[@$]?(?:\p{{L}}+:)?\p{{L}}+(?:[._-]\p{{L}}+)*[._-]?\d[\w.]*|\b{network}\b[ :=]{{1,3}}[@$][\w.-]{{3,}}|\b{network}[ :]{{1,3}}\p{{L}}+_\w+"),
        r"(?:^|[\s(])@\p{L}+(?:[._]?\d|_)[\w.]*".to_owned(),
        // A mail address that was cut.
        r"(?i)(?:^|[\s:(<,;])[a-z][\w.-]*[\d._][\w.-]*@(?:[\s,;)>?]|$)".to_owned(),
        format!(r"(?i)(?:^|[\s(])[\w.-]*\p{{L}}[\w.-]*[\d_][\w.-]* (?:on|at|via|in) {network}\b"),
        r"(?i)\b(?:gmail|googlemail|yahoo|hotmail|outlook|aol|icloud|protonmail|gmx)\b(?: is| address| acct| account)*[ :=]{1,3}(?:is )?[\w+-]*[._+\d][\w.+-]*\w".to_owned(),
        // Mail whose signs were left out, before a provider.
        r"(?i)\b(?:e-?mail|mail|correo|courriel)\b[^\n.!?]{0,40}?[ :=]+[\w.+-]+[ ,@(]{1,3}(?:at )?(?:gmail|googlemail|yahoo|hotmail|outlook|aol|icloud|protonmail|gmx|live|msn|comcast|verizon|qq|163)\b".to_owned(),
        r"(?i)\b[a-z][a-z._-]*\d[\w.-]*[ ,@(]{1,3}(?:at |on )?(?:gmail|googlemail|yahoo|hotmail|outlook|aol|icloud|protonmail|gmx|msn)\b".to_owned(),
    ]
    .iter()
    .map(|text| pattern(text))
    .collect()
});

/// What only mail and profiles have.
fn has_mail(text: &str) -> bool {
    static CUE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)@|<at>| dot |\.(?:com|me)/| at \S+\.|insta|facebook|twitter|snap|telegram|skype|tiktok|wechat|whatsapp|linkedin|\big\b|handle|user|gmail|yahoo|hotmail|outlook|aol|icloud|proton|gmx|e-?mail|correo|courriel|discord|venmo|cash ?app|cashtag|paypal|zelle|reddit|line id|\b(?:street|st|avenue|ave|road|rd|drive|lane|ln|boulevard|blvd|court|terrace|circle|parkway|highway|close|crescent|way)\b",
        )
    });
    CUE.is_match(text)
}

pub(crate) fn find(text: &str, found: &mut Vec<Finding>) {
    let mut add = |patterns: &[Regex]| {
        for contact in patterns {
            found.extend(
                contact.find_iter(text).map(|hit| Finding { kind: Kind::Contact, place: hit.range() }),
            );
        }
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits > 0 {
        add(&NUMBERS);
    }
    if digits >= 7 {
        add(&LINES);
    }
    if has_mail(text) {
        add(&MAIL);
    }
}
