//! Who a learner is as a clinician.

use axum::extract::State;
use preceptor_proto::credentials::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::shapes::{each, listed, shape};
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(own, state))
        .routes(routes!(send_code))
        .routes(routes!(confirm))
        .routes(routes!(list))
        .routes(routes!(confirm_primary_source))
}

/// The professions by name, in the order of the contract.
pub(crate) const PROFESSIONS: [&str; 8] = [
    "physician",
    "physician_assistant",
    "nurse_practitioner",
    "nurse",
    "pharmacist",
    "dentist",
    "psychologist",
    "other",
];

fn profession_name(number: i32) -> &'static str {
    usize::try_from(number - 1).ok().and_then(|place| PROFESSIONS.get(place)).copied().unwrap_or_default()
}

/// How surely a credential is known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Assertion {
    #[schema(example = "asrt_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(value_type = values::Profession)]
    pub(crate) profession: &'static str,
    /// 0 self-attested, 1 matches a registry, which is public, 2 shown to be under the person's control, 3 primary source.
    #[schema(minimum = 0, maximum = 3)]
    pub(crate) level: i32,
    pub(crate) method: String,
    pub(crate) valid_from: Option<String>,
    pub(crate) valid_until: Option<String>,
}

shape! {
    /// A check, whatever came of it.
    Check of proto::Check {
        method: String,
        passed: bool,
        detail: String,
        actor: String,
        checked_at: String = instant,
    }
}

/// A clinician, as only they and the admin who checks them see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Clinician {
    pub(crate) learner: String,
    /// False when nothing was stated yet.
    pub(crate) stated: bool,
    /// Null when nothing was stated yet.
    #[schema(value_type = Option<values::Profession>)]
    pub(crate) profession: Option<&'static str>,
    pub(crate) name: String,
    pub(crate) degree: String,
    pub(crate) email: String,
    pub(crate) license_number: String,
    pub(crate) license_board: String,
    pub(crate) licensed_since: String,
    pub(crate) license_expires: String,
    pub(crate) specialty: String,
    pub(crate) npi: String,
    pub(crate) email_verified_at: Option<String>,
    pub(crate) assertion: Option<Assertion>,
    pub(crate) checks: Vec<Check>,
    /// What to do next.
    pub(crate) next_step: String,
}

impl Clinician {
    /// The profession as people read it; empty when nothing was stated.
    pub(crate) fn profession_in_words(&self) -> String {
        self.profession.unwrap_or_default().replace('_', " ")
    }

    /// Whether this is the profession that was stated.
    pub(crate) fn states(&self, profession: &str) -> bool {
        self.profession == Some(profession)
    }
}

impl From<proto::Clinician> for Clinician {
    fn from(row: proto::Clinician) -> Self {
        let assertion = |row: proto::Assertion| Assertion {
            id: row.id,
            profession: profession_name(row.profession),
            level: row.level,
            method: row.method,
            valid_from: rfc3339(row.valid_from),
            valid_until: rfc3339(row.valid_until),
        };
        Self {
            learner: row.learner,
            stated: row.stated,
            profession: Some(profession_name(row.profession)).filter(|name| !name.is_empty()),
            name: row.name,
            degree: row.degree,
            email: row.email,
            license_number: row.license_number,
            license_board: row.license_board,
            licensed_since: row.licensed_since,
            license_expires: row.license_expires,
            specialty: row.specialty,
            npi: row.npi,
            email_verified_at: rfc3339(row.email_verified_at),
            assertion: row.assertion.map(assertion),
            checks: each(row.checks),
            next_step: row.next_step,
        }
    }
}

/// What a person states about themselves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    #[schema(example = "physician", value_type = values::Profession)]
    profession: String,
    #[schema(example = "Ada Lovelace", min_length = 1, max_length = 200, format = "line")]
    name: String,
    #[serde(default)]
    #[schema(example = "MD", max_length = 200, format = "line")]
    degree: String,
    #[schema(example = "ada@example.org", max_length = 200, format = "email")]
    email: String,
    /// Needed by every profession but `other`.
    #[serde(default)]
    #[schema(example = "MD12345", max_length = 200, format = "line")]
    license_number: String,
    /// Needed by every profession but `other`.
    #[serde(default)]
    #[schema(example = "Medical Board of California", max_length = 200, format = "line")]
    license_board: String,
    /// Since when the license is held.
    #[schema(example = "2015-07-01", format = "date")]
    licensed_since: String,
    /// Later than `licensed_since`.
    #[serde(default)]
    #[schema(example = "2027-07-01", format = "date-or-empty")]
    license_expires: String,
    #[serde(default)]
    #[schema(example = "Cardiology", max_length = 200, format = "line")]
    specialty: String,
    /// Ten digits, the last of which checks the others.
    #[serde(default)]
    #[schema(example = "1234567893", pattern = "^([0-9]{10})?$")]
    npi: String,
}

impl Edge {
    pub(crate) async fn clinician(&self, identity: &Identity) -> Result<Clinician, ApiError> {
        let request = proto::GetClinicianRequest { learner: String::new() };
        Ok(Clinician::from(
            self.credentials.clone().get_clinician(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn state_clinician(
        &self,
        identity: &Identity,
        stated: Statement,
    ) -> Result<Clinician, ApiError> {
        let profession = PROFESSIONS
            .iter()
            .position(|name| *name == stated.profession)
            .map_or(0, |place| place as i32 + 1);
        let request = proto::StateClinicianRequest {
            profession,
            name: stated.name,
            email: stated.email,
            license_number: stated.license_number,
            license_board: stated.license_board,
            specialty: stated.specialty,
            npi: stated.npi,
            degree: stated.degree,
            licensed_since: stated.licensed_since,
            license_expires: stated.license_expires,
        };
        Ok(Clinician::from(
            self.credentials.clone().state_clinician(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn send_email_code(&self, identity: &Identity) -> Result<Clinician, ApiError> {
        let request = proto::SendEmailCodeRequest {};
        Ok(Clinician::from(
            self.credentials.clone().send_email_code(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn confirm_email(
        &self,
        identity: &Identity,
        code: String,
    ) -> Result<Clinician, ApiError> {
        let request = proto::ConfirmEmailRequest { code };
        Ok(Clinician::from(
            self.credentials.clone().confirm_email(identity.request(request)?).await?.into_inner(),
        ))
    }
}

/// Shows what you stated and what is known of it.
#[utoipa::path(get, path = "/v1/me/clinician", operation_id = "getClinician", tag = "Clinicians", responses((status = 200, body = Clinician)))]
async fn own(State(edge): State<Edge>, identity: Identity) -> Result<Json<Clinician>, ApiError> {
    Ok(Json(edge.clinician(&identity).await?))
}

/// States your profession, license and address. A new address has to be verified.
#[utoipa::path(put, path = "/v1/me/clinician", operation_id = "stateClinician", tag = "Clinicians", request_body = Statement,
    responses((status = 200, body = Clinician)))]
async fn state(
    State(edge): State<Edge>,
    identity: Identity,
    Json(stated): Json<Statement>,
) -> Result<Json<Clinician>, ApiError> {
    Ok(Json(edge.state_clinician(&identity, stated).await?))
}

/// Sends a code to the address you stated.
#[utoipa::path(post, path = "/v1/me/email-codes", operation_id = "sendEmailCode", tag = "Clinicians",
    responses((status = 200, body = Clinician)))]
async fn send_code(State(edge): State<Edge>, identity: Identity) -> Result<Json<Clinician>, ApiError> {
    Ok(Json(edge.send_email_code(&identity).await?))
}

/// The confirmation code that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// The eight digits that were mailed. Another code than the newest one is refused with `EMAIL_CODE_WRONG`.
    #[schema(example = "1234 5678", max_length = 32, pattern = "^[^0-9\\u0000]*([0-9][^0-9\\u0000]*){8}$")]
    code: String,
}

/// Verifies the address with the code that was sent to it.
#[utoipa::path(post, path = "/v1/me/email-verification", operation_id = "confirmEmail", tag = "Clinicians", request_body = Code,
    responses((status = 200, body = Clinician)))]
async fn confirm(
    State(edge): State<Edge>,
    identity: Identity,
    Json(code): Json<Code>,
) -> Result<Json<Clinician>, ApiError> {
    Ok(Json(edge.confirm_email(&identity, code.code).await?))
}

listed! {
    /// A page of clinicians.
    ClinicianPage of Clinician = clinicians by credentials.list_clinicians(proto::ListCliniciansRequest).clinicians
}

/// Lists clinicians, for the admin who checks them.
#[utoipa::path(get, path = "/v1/clinicians", operation_id = "listClinicians", tag = "Clinicians", params(PageQuery),
    responses((status = 200, body = ClinicianPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    page: Page,
) -> Result<Json<ClinicianPage>, ApiError> {
    Ok(Json(ClinicianPage::read(&edge, &identity, proto::ListCliniciansRequest::default(), &page).await?))
}

/// What was seen at the primary source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrimarySource {
    confirmed: bool,
    /// Where it was looked up and what was seen.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "State board's public register, 2026-11-24: active, no orders"
    )]
    evidence: String,
    /// Only that the source has the address which the person verified, for the holder of this license: level 2.
    #[serde(default)]
    address_only: bool,
}

/// Confirms a clinician's license at its primary source: the board's own record, seen by you.
#[utoipa::path(post, path = "/v1/clinicians/{learner}/primary-source", operation_id = "confirmPrimarySource", tag = "Clinicians",
    params(("learner" = String, Path)), request_body = PrimarySource,
    responses((status = 200, body = Clinician)))]
async fn confirm_primary_source(
    State(edge): State<Edge>,
    identity: Identity,
    Path(learner): Path<String>,
    Json(seen): Json<PrimarySource>,
) -> Result<Json<Clinician>, ApiError> {
    let request = proto::ConfirmPrimarySourceRequest {
        learner,
        confirmed: seen.confirmed,
        evidence: seen.evidence,
        address_only: seen.address_only,
    };
    Ok(Json(Clinician::from(
        edge.credentials.clone().confirm_primary_source(identity.request(request)?).await?.into_inner(),
    )))
}
