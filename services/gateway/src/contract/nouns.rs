//! What paths name, and the one answer to an id that is none.

use preceptor_core::Kind;
use preceptor_core::id::{
    AccreditationId, AttemptId, ContestId, CredentialId, CreditId, FormId, GenerationId, ItemId, MessageId,
    ObjectiveId, OfferId, OrgId, PassageId, ProgramId, RegistryCallId, SessionId, SourceId, SourceVersionId,
    StaffId, TaskId,
};

use crate::error::ApiError;

/// A noun of the API: the segment of the path before an id, the prefix of its ids, and what is said of one that is not there.
/// The words are those of the service that owns it, so that no one can tell a malformed id from one that is not theirs.
pub(super) struct Noun {
    pub(super) segment: &'static str,
    pub(super) prefix: &'static str,
    code: &'static str,
    detail: &'static str,
}

const fn noun(segment: &'static str, prefix: &'static str, code: &'static str, detail: &'static str) -> Noun {
    Noun { segment, prefix, code, detail }
}

/// Every noun that stands before an id in a path.
pub(super) const NOUNS: &[Noun] = &[
    noun("programs", ProgramId::PREFIX, "PROGRAM_NOT_FOUND", "there is no such program"),
    noun("sources", SourceId::PREFIX, "SOURCE_NOT_FOUND", "there is no such source"),
    noun("messages", MessageId::PREFIX, "MESSAGE_NOT_FOUND", "there is no such message"),
    noun(
        "registry-calls",
        RegistryCallId::PREFIX,
        "REGISTRY_CALL_NOT_FOUND",
        "there is no such request to a registry",
    ),
    noun("tasks", TaskId::PREFIX, "TASK_NOT_FOUND", "there is no such task"),
    noun("items", ItemId::PREFIX, "ITEM_NOT_FOUND", "there is no such item"),
    noun("generations", GenerationId::PREFIX, "GENERATION_NOT_FOUND", "there is no such request for items"),
    noun("attempts", AttemptId::PREFIX, "ATTEMPT_NOT_FOUND", "there is no such attempt"),
    noun("credits", CreditId::PREFIX, "CREDIT_NOT_FOUND", "there is no such credit"),
    noun("offers", OfferId::PREFIX, "OFFER_NOT_FOUND", "there is no such credit offer"),
    noun(
        "accreditations",
        AccreditationId::PREFIX,
        "ACCREDITATION_NOT_FOUND",
        "there is no such accreditation; record it first",
    ),
    noun("staff", StaffId::PREFIX, "STAFF_NOT_FOUND", "there is no such member of staff"),
    noun("credentials", CredentialId::PREFIX, "CREDENTIAL_NOT_FOUND", "there is no such credential"),
    noun(
        "contested-identities",
        ContestId::PREFIX,
        "CONTEST_NOT_FOUND",
        "there is no such contested identity",
    ),
    noun("clinicians", "", "CLINICIAN_NOT_FOUND", "there is no such clinician"),
    noun("certificates", "", "CERTIFICATE_NOT_FOUND", "no certificate has this code; check every letter"),
    noun("logs", OrgId::PREFIX, "LOG_PART_NOT_FOUND", "there is no such log, or it is not that long yet"),
    noun("activities", "", "ACTIVITY_NOT_FOUND", "no certificate names this activity"),
    noun("issuers", "", "ISSUER_NOT_FOUND", "no provider of this name has issued a certificate"),
    noun("status-lists", "", "STATUS_LIST_NOT_FOUND", "no certificate names this list"),
    noun("pages", "", "PAGE_NOT_FOUND", "the source has no such page, or its pages cannot be drawn"),
];

/// The prefixes of ids in bodies and queries, by the name of the field.
pub(super) const FIELDS: &[(&str, &str)] = &[
    ("program_id", ProgramId::PREFIX),
    ("source_id", SourceId::PREFIX),
    ("session_id", SessionId::PREFIX),
    ("form_id", FormId::PREFIX),
    ("offer_id", OfferId::PREFIX),
    ("item_id", ItemId::PREFIX),
    ("item_ids", ItemId::PREFIX),
    ("passage_ids", PassageId::PREFIX),
    ("accreditation_id", AccreditationId::PREFIX),
    ("staff_id", StaffId::PREFIX),
    ("objective_id", ObjectiveId::PREFIX),
    ("version", SourceVersionId::PREFIX),
];

/// The form of an id: the prefix and a UUIDv7 in Crockford base 32.
pub(super) fn pattern(prefix: &str) -> String {
    format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")
}

/// The noun before a parameter of a path such as `/v1/programs/{id}/quiz`.
pub(super) fn before(path: &str, parameter: &str) -> Option<&'static Noun> {
    let segments: Vec<&str> = path.split('/').collect();
    let place = segments.iter().position(|segment| *segment == format!("{{{parameter}}}"))?;
    let name = *segments.get(place.checked_sub(1)?)?;
    NOUNS.iter().find(|noun| noun.segment == name)
}

impl Noun {
    /// One of them in words.
    pub(super) fn what(&self) -> String {
        let named = self.detail.strip_prefix("there is no such ");
        let named = named.and_then(|named| named.split([';', ',']).next()).map(str::to_owned);
        let singular = || match self.segment.strip_suffix("ies") {
            Some(stem) => format!("{stem}y"),
            None => self.segment.trim_end_matches('s').replace('-', " "),
        };
        named.unwrap_or_else(singular)
    }

    /// What is said of one that is not there.
    pub(super) fn not_found(&self) -> ApiError {
        ApiError::new(Kind::NotFound, self.code, self.detail)
    }
}

/// What is said of an address that leads nowhere.
pub(crate) fn nowhere() -> ApiError {
    ApiError::new(Kind::NotFound, "PATH_NOT_FOUND", "there is nothing at this address")
}
