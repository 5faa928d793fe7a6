//! The certificate as it hangs on a wall.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::key::IssuerKey;
use crate::{Error, Facts};

/// The names of the attached files.
pub(crate) const CREDENTIAL: &str = "credential.json";
pub(crate) const JWT: &str = "credential.jwt";
pub(crate) const PROOF: &str = "certificate.tlog-proof";
pub(crate) const RECORD: &str = "certificate.record";

/// What is attached to the file, so that it proves itself.
#[derive(Debug, Clone)]
pub struct Attachments {
    /// The signed credential, JSON.
    pub credential: String,
    /// The same as a JWT.
    pub jwt: String,
    /// The proof of the log (C2SP `tlog-proof`).
    pub proof: String,
    /// The record that the proof is about, exactly as it was logged.
    pub record: Vec<u8>,
}

/// An amount as certificates write it: with two decimals.
pub fn amount(quarters: i64) -> String {
    format!("{}.{:02}", quarters / 4, quarters % 4 * 25)
}

/// Names of files inside the document. They are interned forever, hence a fixed set.
struct Names {
    main: FileId,
    facts: FileId,
    qr: FileId,
    attached: [FileId; 4],
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let id = |path: &str| RootedPath::new(VirtualRoot::Project, VirtualPath::new(path).expect("a constant path")).intern();
    Names { main: id("main.typ"), facts: id("facts.json"), qr: id("qr.svg"), attached: [CREDENTIAL, JWT, PROOF, RECORD].map(id) }
});
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::builder().build()));
static TEMPLATE: LazyLock<Source> = LazyLock::new(|| Source::new(NAMES.main, include_str!("certificate.typ").to_owned()));

struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let files: [&'static [u8]; 4] = [
        include_bytes!("../fonts/LibertinusSerif-Regular.otf"),
        include_bytes!("../fonts/LibertinusSerif-Semibold.otf"),
        include_bytes!("../fonts/LibertinusSerif-Italic.otf"),
        include_bytes!("../fonts/DejaVuSans.ttf"),
    ];
    let fonts: Vec<Font> = files.into_iter().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    assert!(fonts.len() >= files.len(), "a font of this binary cannot be read");
    Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
});

/// What is drawn for a sign that no font has.
const NO_GLYPH: char = '□';

/// Whether our fonts can draw a sign, and it leaves the text around it as it is.
fn is_drawn(sign: char) -> bool {
    let turns = matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let has_glyph = || FONTS.fonts.iter().any(|font| font.info().coverage.contains(sign as u32));
    !sign.is_control() && !turns && (sign.is_whitespace() || has_glyph())
}

/// Every text of `value` as it can be drawn. The credential keeps what was stated; this is for the sheet alone.
fn drawable(value: Value) -> Value {
    match value {
        Value::String(text) => text.chars().map(|sign| if is_drawn(sign) { sign } else { NO_GLYPH }).collect::<String>().into(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, drawable(value))).collect(),
        other => other,
    }
}

struct Sheet {
    files: HashMap<FileId, Bytes>,
    today: Datetime,
}

fn missing(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.vpath().get_without_slash()))
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        NAMES.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == NAMES.main { Ok(TEMPLATE.clone()) } else { Err(missing(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or_else(|| missing(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Some(self.today)
    }
}

/// Frees what the typesetter remembers of earlier documents, however this one ends.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        /// Documents after which something that was not used again is forgotten.
        const AGE: usize = 4;
        typst::comemo::evict(AGE);
    }
}

/// Sets a certificate as PDF/A-3b. The same input gives the same bytes. Takes a core for some 100 ms.
pub fn print(facts: &Facts, key: &IssuerKey, attachments: &Attachments) -> Result<Vec<u8>, Error> {
    // The typesetter has limits that it meets with a panic; a certificate must not take the process with it.
    catch_unwind(AssertUnwindSafe(|| typeset(facts, key, attachments)))
        .unwrap_or_else(|_| Err(Error::Print("the typesetter gave up".into())))
}

fn typeset(facts: &Facts, key: &IssuerKey, attachments: &Attachments) -> Result<Vec<u8>, Error> {
    let _forget = Forget;
    let issued = instant(&facts.issued_at)?;
    let attached: [&[u8]; 4] =
        [attachments.credential.as_bytes(), attachments.jwt.as_bytes(), attachments.proof.as_bytes(), &attachments.record];
    let mut files: HashMap<FileId, Bytes> =
        NAMES.attached.iter().zip(attached).map(|(id, bytes)| (*id, Bytes::new(bytes.to_vec()))).collect();
    files.insert(NAMES.facts, Bytes::from_string(data(facts, key)?));
    files.insert(NAMES.qr, Bytes::from_string(qr(&facts.verify_url)?));
    let sheet = Sheet { files, today: issued };

    let compiled = typst::compile::<PagedDocument>(&sheet);
    let document = compiled.output.map_err(|errors| Error::Print(words(&errors)))?;
    let options = PdfOptions {
        ident: Smart::Custom(facts.certificate_id.clone()),
        creator: Smart::Custom(Some("Preceptor".into())),
        timestamp: Some(Timestamp::new_utc(issued)),
        page_ranges: None,
        standards: PdfStandards::new(&[PdfStandard::A_3b]).map_err(|error| Error::Print(error.message().to_string()))?,
        tagged: true,
        pretty: false,
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| Error::Print(words(&errors)))
}

fn words(errors: &[SourceDiagnostic]) -> String {
    errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; ")
}

fn qr(url: &str) -> Result<String, Error> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).map_err(|error| Error::Print(error.to_string()))?;
    Ok(code.render::<svg::Color<'_>>().module_dimensions(1, 1).dark_color(svg::Color("#1d2733")).light_color(svg::Color("#fffdf8")).build())
}

fn zoned(instant: &str) -> Result<jiff::Zoned, Error> {
    let instant: jiff::Timestamp = instant.parse().map_err(|error: jiff::Error| Error::Print(error.to_string()))?;
    Ok(instant.to_zoned(jiff::tz::TimeZone::UTC))
}

fn instant(text: &str) -> Result<Datetime, Error> {
    let zoned = zoned(text)?;
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let date = (i32::from(zoned.year()), part(zoned.month()), part(zoned.day()));
    let time = (part(zoned.hour()), part(zoned.minute()), part(zoned.second()));
    Datetime::from_ymd_hms(date.0, date.1, date.2, time.0, time.1, time.2).ok_or_else(|| Error::Print(format!("{text} is no date")))
}

/// A date as a person writes it.
fn date(instant: &str) -> Result<String, Error> {
    Ok(zoned(instant)?.strftime("%B %-d, %Y").to_string())
}

fn data(facts: &Facts, key: &IssuerKey) -> Result<String, Error> {
    let files = [
        (CREDENTIAL, "application/json", "The certificate as an Open Badges 3.0 credential, signed by the provider"),
        (JWT, "application/jwt", "The same credential as a JWT"),
        (PROOF, "text/plain", "Proof that the provider's log holds the record of this certificate (C2SP tlog-proof)"),
        (RECORD, "application/octet-stream", "The record that the proof is about"),
    ];
    let files = files.map(|(name, kind, what)| json!({ "name": name, "type": kind, "what": what }));
    let mut format = facts.format.clone();
    if let Some(first) = format.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let data = json!({
        "title": facts.title(),
        "person": facts.person(),
        "provider": facts.provider,
        "verb": if facts.is_credit { "has successfully completed the activity" } else { "has participated in the activity" },
        "activity": facts.activity,
        "format": format,
        "award": if facts.is_credit { format!("and was awarded {}", facts.award()) } else { facts.award() },
        "completed": date(&facts.completed_at)?,
        "issued": date(&facts.issued_at)?,
        "accreditation_statement": facts.accreditation_statement,
        "designation_statement": facts.designation_statement,
        "certificate_id": facts.certificate_id,
        "code": facts.code,
        "verify_url": facts.verify_url,
        "key": key.multikey(),
    });
    let mut shown = drawable(data);
    shown["attachments"] = json!(files);
    shown["omits"] = json!(!facts.person().chars().all(is_drawn));
    Ok(shown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_or_turns_the_text_is_not_drawn() {
        assert!("Zoë Müller-Łukasz, MD ™ · דנה · ليلى".chars().all(is_drawn));
        let shown = drawable(json!({ "person": "a\u{202e}b\u{7}漢🩺" }));
        assert_eq!(shown["person"], "a□b□□□");
    }
}
