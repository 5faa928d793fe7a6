//! The certificate as it hangs on a wall.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::json;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::fonts::Fonts;
use crate::{Details, Error, Facts, Logo, ornament};

/// The names of the attached files.
pub(crate) const CREDENTIAL: &str = "credential.json";
pub(crate) const JWT: &str = "credential.jwt";
pub(crate) const PROOF: &str = "certificate.tlog-proof";
pub(crate) const RECORD: &str = "certificate.record";
pub(crate) const STATUS_LIST: &str = "status-list.json";

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
    /// The signed list in which a void shows, on the sheet of a voided certificate.
    pub status_list: Option<String>,
}

/// The size of a sheet. Certificates lie on their long side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paper {
    /// US Letter.
    Letter,
    /// A4.
    A4,
}

impl Paper {
    pub(crate) const ALL: [Self; 2] = [Self::Letter, Self::A4];

    /// Width and height in millimeters.
    pub(crate) const fn size(self) -> (f64, f64) {
        match self {
            Self::Letter => (279.4, 215.9),
            Self::A4 => (297.0, 210.0),
        }
    }

    /// Its name in addresses and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::A4 => "a4",
        }
    }

    /// The paper of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paper| paper.name() == name)
    }
}

/// How a certificate is set.
#[derive(Debug, Clone)]
pub struct Layout {
    /// On what.
    pub paper: Paper,
    /// With which fonts.
    pub fonts: Arc<Fonts>,
    /// When the credit was voided, RFC 3339: such a sheet is marked all over.
    pub voided_at: Option<String>,
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
    frame: FileId,
    seal: FileId,
    logos: [(&'static str, FileId); 2],
    attached: [FileId; 5],
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let id = |path: &str| {
        RootedPath::new(VirtualRoot::Project, VirtualPath::new(path).expect("a constant path")).intern()
    };
    Names {
        main: id("main.typ"),
        facts: id("facts.json"),
        qr: id("qr.svg"),
        frame: id("frame.svg"),
        seal: id("seal.svg"),
        logos: ["logo.png", "logo.svg"].map(|name| (name, id(name))),
        attached: [CREDENTIAL, JWT, PROOF, RECORD, STATUS_LIST].map(id),
    }
});
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::builder().build()));
static TEMPLATE: LazyLock<Source> =
    LazyLock::new(|| Source::new(NAMES.main, include_str!("certificate.typ").to_owned()));

struct Sheet<'a> {
    fonts: &'a Fonts,
    files: HashMap<FileId, Bytes>,
    today: Datetime,
}

fn missing(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.vpath().get_without_slash()))
}

impl World for Sheet<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
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
        self.fonts.font(index)
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

/// Sets a certificate as PDF/A-3b and PDF/UA-1. The same input gives the same bytes. Takes a core for some 100 ms.
pub fn print(facts: &Facts, attachments: &Attachments, layout: &Layout) -> Result<Vec<u8>, Error> {
    facts.check()?;
    can_print(facts, &layout.fonts)?;
    // The typesetter has limits that it meets with a panic; a certificate must not take the process with it.
    catch_unwind(AssertUnwindSafe(|| typeset(facts, attachments, layout)))
        .unwrap_or_else(|_| Err(Error::Print("the typesetter gave up".into())))
}

/// Whether a logo can stand on certificates: one is set with it.
pub fn check_logo(logo: &Logo, fonts: &Arc<Fonts>) -> Result<(), Error> {
    let text = || "Sample".to_owned();
    let now = || "2026-01-01T00:00:00Z".to_owned();
    let facts = Facts {
        certificate_id: text(),
        subject_uuid: text(),
        code: text(),
        verify_url: text(),
        name: text(),
        degree: String::new(),
        provider: text(),
        activity: text(),
        format: text(),
        credit_name: text(),
        quarters: 1,
        designated_quarters: 1,
        is_credit: true,
        participation: String::new(),
        completed_at: now(),
        issued_at: now(),
        accreditation_statement: text(),
        designation_statement: text(),
        log_key: text(),
        published: None,
        status: None,
        details: Details { logo: Some(logo.clone()), ..Details::default() },
    };
    let attachments = Attachments {
        credential: text(),
        jwt: text(),
        proof: text(),
        record: text().into_bytes(),
        status_list: None,
    };
    let layout = Layout { paper: Paper::Letter, fonts: Arc::clone(fonts), voided_at: None };
    print(&facts, &attachments, &layout).map(|_| ())
}

/// Nothing is printed otherwise than it was stated: what cannot be drawn is named.
fn can_print(facts: &Facts, fonts: &Fonts) -> Result<(), Error> {
    let details = &facts.details;
    let texts = [
        &facts.person(),
        &facts.provider,
        &facts.activity,
        &facts.award(),
        &facts.accreditation_statement,
        &facts.designation_statement,
        &details.signatory_name,
        &details.signatory_title,
        &details.activity_number,
        &details.provider_number,
    ];
    let all =
        texts.into_iter().chain(&details.joint_providers).chain(&details.moc_statements).map(String::as_str);
    fonts.can_print(&all.collect::<String>()).map_err(Error::NotPrintable)
}

fn typeset(facts: &Facts, attachments: &Attachments, layout: &Layout) -> Result<Vec<u8>, Error> {
    let _forget = Forget;
    let issued = instant(&facts.issued_at)?;
    let sheet = Sheet { fonts: &layout.fonts, files: files(facts, attachments, layout)?, today: issued };
    let compiled = typst::compile::<PagedDocument>(&sheet);
    let document = compiled.output.map_err(|errors| Error::Print(words(&errors)))?;
    let options = PdfOptions {
        ident: Smart::Custom(facts.certificate_id.clone()),
        creator: Smart::Custom(Some("Preceptor".into())),
        timestamp: Some(Timestamp::new_utc(issued)),
        page_ranges: None,
        standards: PdfStandards::new(&[PdfStandard::A_3b, PdfStandard::Ua_1])
            .map_err(|error| Error::Print(error.message().to_string()))?,
        tagged: true,
        pretty: false,
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| Error::Print(words(&errors)))
}

fn files(facts: &Facts, attachments: &Attachments, layout: &Layout) -> Result<HashMap<FileId, Bytes>, Error> {
    // The list comes last, and only where there is one.
    let attached = [
        attachments.credential.as_bytes(),
        attachments.jwt.as_bytes(),
        attachments.proof.as_bytes(),
        attachments.record.as_slice(),
    ]
    .into_iter()
    .chain(attachments.status_list.as_ref().map(String::as_bytes));
    let mut files: HashMap<FileId, Bytes> =
        NAMES.attached.iter().zip(attached).map(|(id, bytes)| (*id, Bytes::new(bytes.to_vec()))).collect();
    files.insert(NAMES.facts, Bytes::from_string(data(facts, layout, attachments.status_list.is_some())?));
    files.insert(NAMES.qr, Bytes::from_string(qr(&facts.verify_url)?));
    files.insert(NAMES.frame, Bytes::new(ornament::frame(layout.paper)));
    files.insert(NAMES.seal, Bytes::new(ornament::seal()));
    if let Some(logo) = &facts.details.logo {
        let content = STANDARD
            .decode(&logo.base64)
            .map_err(|error| Error::Print(format!("the logo cannot be read: {error}")))?;
        let id = NAMES.logos.iter().find(|(name, _)| *name == logo_file(logo)).map(|(_, id)| *id);
        files.extend(id.map(|id| (id, Bytes::new(content))));
    }
    Ok(files)
}

/// The name under which the sheet finds a logo: its ending says what it is.
fn logo_file(logo: &Logo) -> &'static str {
    if logo.media_type == "image/png" { "logo.png" } else { "logo.svg" }
}

fn words(errors: &[SourceDiagnostic]) -> String {
    errors.iter().map(|error| error.message.to_string()).collect::<Vec<_>>().join("; ")
}

fn qr(url: &str) -> Result<String, Error> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M)
        .map_err(|error| Error::Print(error.to_string()))?;
    let mut svg = code.render::<svg::Color<'_>>();
    svg.quiet_zone(false).module_dimensions(1, 1);
    Ok(svg.dark_color(svg::Color("#1d2733")).light_color(svg::Color("#fffdf8")).build())
}

fn zoned(instant: &str) -> Result<jiff::Zoned, Error> {
    let instant: jiff::Timestamp =
        instant.parse().map_err(|error: jiff::Error| Error::Print(error.to_string()))?;
    Ok(instant.to_zoned(jiff::tz::TimeZone::UTC))
}

fn instant(text: &str) -> Result<Datetime, Error> {
    let zoned = zoned(text)?;
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let date = (i32::from(zoned.year()), part(zoned.month()), part(zoned.day()));
    let time = (part(zoned.hour()), part(zoned.minute()), part(zoned.second()));
    Datetime::from_ymd_hms(date.0, date.1, date.2, time.0, time.1, time.2)
        .ok_or_else(|| Error::Print(format!("{text} is not a date")))
}

/// A day as a person writes it, with the zone in which it was that day.
fn date(instant: &str) -> Result<String, Error> {
    Ok(zoned(instant)?.strftime("%B %-d, %Y (UTC)").to_string())
}

/// The numbers and dates of the activity, those that are known.
fn numbers(facts: &Facts) -> Result<Vec<(&'static str, String)>, Error> {
    let details = &facts.details;
    let date = |instant: &str| if instant.is_empty() { Ok(String::new()) } else { date(instant) };
    let all = [
        ("Activity ID", details.activity_id.clone()),
        ("Accreditor’s activity number", details.activity_number.clone()),
        ("Provider number", details.provider_number.clone()),
        ("Released", date(&details.released_on)?),
        ("Reviewed", date(&details.reviewed_on)?),
        ("Gives credit until", date(&details.terminates_on)?),
        ("Issued", date(&facts.issued_at)?),
    ];
    Ok(all.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

/// Why an attentive reader should ask: a confirmed accreditation needs no remark.
fn notice(details: &Details, fonts: &Fonts) -> String {
    if details.accreditation_confirmed {
        return String::new();
    }
    // The org's name is no one's statement on this certificate: one that cannot be drawn holds nothing up.
    let org = if fonts.can_print(&details.org).is_ok() { details.org.clone() } else { String::new() };
    Details { org, ..Details::default() }.standing()
}

/// Statements beside those of accreditation and designation.
fn statements(facts: &Facts) -> Vec<String> {
    let details = &facts.details;
    let mut all = Vec::new();
    if !details.joint_providers.is_empty() {
        let everyone: Vec<&str> =
            std::iter::once(&facts.provider).chain(&details.joint_providers).map(String::as_str).collect();
        all.push(format!(
            "This activity has been planned and implemented through the joint providership of {}.",
            listed(&everyone)
        ));
    }
    all.extend(details.moc_statements.iter().cloned());
    all
}

/// Names in a sentence.
fn listed(names: &[&str]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.concat(),
    }
}

/// What is attached: name, media type and description.
fn described(with_list: bool) -> Vec<serde_json::Value> {
    let files = [
        (
            CREDENTIAL,
            "application/json",
            "The certificate as an Open Badges 3.0 credential, signed by the provider",
        ),
        (JWT, "application/jwt", "The same credential as a JWT"),
        (
            PROOF,
            "text/plain",
            "Proof that the provider's log holds the record of this certificate (C2SP tlog-proof)",
        ),
        (RECORD, "application/octet-stream", "The record that the proof is about"),
        (
            STATUS_LIST,
            "application/json",
            "The provider’s signed list of voided certificates, which names this one",
        ),
    ];
    let attached = files.into_iter().take(if with_list { 5 } else { 4 });
    attached.map(|(name, kind, what)| json!({ "name": name, "type": kind, "what": what })).collect()
}

fn data(facts: &Facts, layout: &Layout, with_list: bool) -> Result<String, Error> {
    let mut format = facts.format.clone();
    if let Some(first) = format.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let award = facts.award();
    let (verb, lead, large, note) = if facts.is_credit {
        ("has successfully completed the activity", "and is awarded", award.clone(), "")
    } else {
        let hours = format!("{} hour(s) of participation", amount(facts.quarters));
        ("has participated in the activity", "for", hours, facts.participation.as_str())
    };
    let (width, height) = layout.paper.size();
    let end = if award.ends_with('.') { "" } else { "." };
    let voided = layout.voided_at.as_deref().map(date).transpose()?;
    let title = if voided.is_some() { format!("Void: {}", facts.title()) } else { facts.title().to_owned() };
    let page = facts.verify_url.rsplit_once('/').map_or(facts.verify_url.as_str(), |(page, _)| page);
    let data = json!({
        "width": width,
        "height": height,
        "logo": facts.details.logo.as_ref().map(logo_file).unwrap_or_default(),
        "title": title,
        "voided": voided,
        "description": format!("{title} issued by {} to {} for “{}”: {award}{end}", facts.provider, facts.person(), facts.activity),
        "person": facts.person(),
        "provider": facts.provider,
        "verb": verb,
        "activity": facts.activity,
        "format": format,
        "award_lead": lead,
        "award": large,
        "award_note": note,
        "completed": date(&facts.completed_at)?,
        "issued": date(&facts.issued_at)?,
        "accreditation_statement": facts.accreditation_statement,
        "designation_statement": facts.designation_statement,
        "statements": statements(facts),
        "notice": notice(&facts.details, &layout.fonts),
        "numbers": numbers(facts)?,
        "signatory_name": facts.details.signatory_name,
        "signatory_title": facts.details.signatory_title,
        "code": facts.code,
        "verify_url": facts.verify_url,
        "verify_page": page.trim_start_matches("https://"),
        "attachments": described(with_list),
    });
    Ok(data.to_string())
}
