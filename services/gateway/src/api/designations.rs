//! Accreditation and designation: for what a program gives credit, and under whose name.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use preceptor_core::Timestamp;
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credits::{amount, quarters};
use super::page::{Page, PageQuery};
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(accreditations, record_accreditation))
        .routes(routes!(decide_accreditation))
        .routes(routes!(offers, designate))
}

/// An instant in RFC 3339, or a day, which begins at midnight UTC.
fn moment(field: &str, text: &str) -> Result<i64, ApiError> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let parsed = whole.parse::<Timestamp>();
    parsed.map(Timestamp::micros).map_err(|_| {
        ApiError::field(format!("/{field}"), "must be a day or an instant in RFC 3339, such as 2026-12-31")
    })
}

/// A period in which the provider is accredited.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Accreditation {
    #[schema(example = "accr_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(value_type = values::AccreditingBody)]
    pub(crate) body: String,
    pub(crate) provider: String,
    pub(crate) provider_number: String,
    #[schema(value_type = values::AccreditationStatus)]
    pub(crate) status: String,
    pub(crate) valid_from: String,
    pub(crate) valid_until: String,
    pub(crate) recorded_by: String,
    /// What the operator of this platform found out about it.
    #[schema(value_type = values::AccreditationState)]
    pub(crate) state: String,
    /// What that rests on.
    pub(crate) evidence: String,
    pub(crate) decided_at: Option<String>,
    /// Who signs the provider's certificates.
    pub(crate) signatory_name: String,
    pub(crate) signatory_title: String,
    /// Empty for none.
    #[schema(value_type = Option<values::LogoType>)]
    pub(crate) logo_type: Option<String>,
    pub(crate) logo_sha256: String,
    /// Whose it is.
    pub(crate) org_id: String,
    pub(crate) org_name: String,
    /// Scripts of which certificates of this deployment can show no name: such names are refused with `NAME_NOT_PRINTABLE`
    /// until the operator installs fonts. Empty when all scripts that are looked for can be shown.
    pub(crate) unprintable_scripts: Vec<String>,
}

fn accreditation_view(row: proto::Accreditation) -> Accreditation {
    Accreditation {
        id: row.id,
        body: row.body,
        provider: row.provider,
        provider_number: row.provider_number,
        status: row.status,
        valid_from: instant(row.valid_from),
        valid_until: instant(row.valid_until),
        recorded_by: row.recorded_by,
        state: row.state,
        evidence: row.evidence,
        decided_at: rfc3339(row.decided_at),
        signatory_name: row.signatory_name,
        signatory_title: row.signatory_title,
        logo_type: Some(row.logo_type).filter(|kind| !kind.is_empty()),
        logo_sha256: row.logo_sha256,
        org_id: row.org_id,
        org_name: row.org_name,
        unprintable_scripts: row.unprintable_scripts,
    }
}

/// An accreditation to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccreditation {
    #[schema(example = "accme", value_type = values::AccreditingBody)]
    body: String,
    /// The provider's name as its statements carry it.
    #[schema(example = "Harbor Medical Education", min_length = 1, max_length = 300, format = "line")]
    provider: String,
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    provider_number: String,
    /// `accreditation` when left out.
    #[serde(default)]
    status: Option<values::AccreditationStatus>,
    #[schema(example = "2024-07-01")]
    valid_from: String,
    #[schema(example = "2028-07-01")]
    valid_until: String,
    /// Who signs the provider's certificates.
    #[serde(default)]
    #[schema(max_length = 200, format = "line")]
    signatory_name: String,
    #[serde(default)]
    #[schema(max_length = 200, format = "line")]
    signatory_title: String,
    /// The provider's logo for its certificates, in base64: a PNG, or an SVG that refers to nothing outside of itself; at most 256 KiB.
    #[serde(default)]
    #[schema(
        max_length = 360_000,
        example = "",
        pattern = "^\\s*([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\\s*$"
    )]
    logo: String,
}

/// What the operator found out about an accreditation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccreditationDecision {
    confirm: bool,
    /// Where it was looked up and what was seen.
    #[schema(
        example = "Public list of the accreditor, 2026-11-24: accredited until 2028-07-01 under this number and name",
        min_length = 1,
        max_length = 2000
    )]
    evidence: String,
}

/// The accreditations of the provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccreditationList {
    data: Vec<Accreditation>,
    next_cursor: Option<String>,
}

/// Lists the periods in which the provider is accredited; to the operator of this platform, those of every provider.
#[utoipa::path(get, path = "/v1/accreditations", operation_id = "listAccreditations", tag = "Credits", params(PageQuery),
    responses((status = 200, body = AccreditationList)))]
async fn accreditations(
    State(edge): State<Edge>,
    identity: Identity,
    page: Page,
) -> Result<Json<AccreditationList>, ApiError> {
    let listed = edge
        .credits
        .clone()
        .list_accreditations(identity.request(proto::ListAccreditationsRequest {})?)
        .await?
        .into_inner();
    let (rows, next_cursor) = page.of(&edge, listed.accreditations, |row| row.id.clone()).await?;
    Ok(Json(AccreditationList { data: rows.into_iter().map(accreditation_view).collect(), next_cursor }))
}

/// Records a period in which the provider is accredited.
#[utoipa::path(post, path = "/v1/accreditations", operation_id = "recordAccreditation", tag = "Credits", request_body = NewAccreditation,
    responses((status = 201, body = Accreditation)))]
async fn record_accreditation(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewAccreditation>,
) -> Result<Response, ApiError> {
    let request = proto::RecordAccreditationRequest {
        valid_from: moment("valid_from", &new.valid_from)?,
        valid_until: moment("valid_until", &new.valid_until)?,
        body: new.body,
        provider: new.provider,
        provider_number: new.provider_number,
        status: new.status.map(|status| status.name().to_owned()).unwrap_or_default(),
        signatory_name: new.signatory_name,
        signatory_title: new.signatory_title,
        logo: BASE64.decode(new.logo.trim()).map_err(|_| ApiError::field("/logo", "must be base64"))?,
    };
    let row = edge.credits.clone().record_accreditation(identity.request(request)?).await?.into_inner();
    let location = format!("/v1/accreditations#{}", row.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(accreditation_view(row))).into_response())
}

/// Confirms or rejects an accreditation, as the operator of this platform, with what was seen at the accreditor. Under one
/// that was rejected nothing can be designated or claimed; certificates say whether it was confirmed when they were earned.
#[utoipa::path(post, path = "/v1/accreditations/{id}/decision", operation_id = "decideAccreditation", tag = "Credits",
    params(("id" = String, Path)), request_body = AccreditationDecision,
    responses((status = 200, body = Accreditation)))]
async fn decide_accreditation(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decision): Json<AccreditationDecision>,
) -> Result<Json<Accreditation>, ApiError> {
    let request = proto::DecideAccreditationRequest {
        accreditation_id: id,
        confirm: decision.confirm,
        evidence: decision.evidence,
    };
    Ok(Json(accreditation_view(
        edge.credits.clone().decide_accreditation(identity.request(request)?).await?.into_inner(),
    )))
}

/// A designation: at most so many credits of a type for a program, in a window of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Offer {
    #[schema(example = "offer_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    /// As it was when it was designated.
    pub(crate) activity_title: String,
    #[schema(example = "ama_pra_1", value_type = values::CreditType)]
    pub(crate) credit_type: String,
    pub(crate) credit_name: String,
    #[schema(value_type = values::ActivityFormat)]
    pub(crate) activity_format: String,
    /// The most that can be claimed.
    #[schema(example = 0.75)]
    pub(crate) maximum: f64,
    pub(crate) opens_at: String,
    pub(crate) terminates_at: String,
    pub(crate) evaluation_required: bool,
    /// How surely a credential has to be known, 0 to 3.
    #[schema(minimum = 0, maximum = 3)]
    pub(crate) minimum_level: i32,
    #[schema(value_type = Vec<values::SourceClass>)]
    pub(crate) source_classes: Vec<String>,
    /// Who receives the credit itself; others receive a certificate of participation.
    #[schema(value_type = Vec<values::Profession>)]
    pub(crate) credit_professions: Vec<String>,
    pub(crate) accreditation_statement: String,
    pub(crate) designation_statement: String,
    pub(crate) statements_sha256: String,
    pub(crate) designated_by: String,
    pub(crate) designated_at: String,
    /// The provider as the accreditation names it.
    pub(crate) provider: String,
    pub(crate) provider_number: String,
    /// The org that gives the activity, under the name it has on this platform.
    pub(crate) org_name: String,
    /// What the operator of this platform found out about the accreditation: `unconfirmed`, `confirmed` or `rejected`.
    #[schema(value_type = values::AccreditationState)]
    pub(crate) accreditation_state: String,
    /// Said beside the accreditation statement wherever it is shown; empty when the accreditation is confirmed.
    pub(crate) accreditation_notice: String,
    /// The activity's number at the accreditor (PARS).
    pub(crate) activity_number: String,
    pub(crate) released_at: String,
    pub(crate) reviewed_at: Option<String>,
    pub(crate) joint_providers: Vec<String>,
    pub(crate) moc_statements: Vec<String>,
    /// Scripts of which certificates of this deployment can show no name: learners with such names are refused with
    /// `NAME_NOT_PRINTABLE` until the operator installs fonts. Empty when all scripts that are looked for can be shown.
    pub(crate) unprintable_scripts: Vec<String>,
}

/// What is said beside an accreditation that no one but the provider vouches for.
fn notice(org: &str, state: &str) -> String {
    let whose = if org.is_empty() { "the provider" } else { org };
    match state {
        "confirmed" => String::new(),
        "rejected" => format!("Stated by {whose}; rejected by the operator of this platform."),
        _ => format!("Stated by {whose}; accreditation not confirmed by the operator of this platform."),
    }
}

pub(crate) fn offer_view(offer: proto::Offer) -> Offer {
    Offer {
        id: offer.id,
        program_id: offer.program_id,
        activity_title: offer.activity_title,
        credit_type: offer.credit_type,
        credit_name: offer.credit_name,
        activity_format: offer.activity_format,
        maximum: amount(offer.designated_quarters),
        opens_at: instant(offer.opens_at),
        terminates_at: instant(offer.terminates_at),
        evaluation_required: offer.evaluation_required,
        minimum_level: offer.minimum_level,
        source_classes: offer.source_classes,
        credit_professions: offer.credit_professions,
        accreditation_statement: offer.accreditation_statement,
        designation_statement: offer.designation_statement,
        statements_sha256: offer.statements_sha256,
        designated_by: offer.designated_by,
        designated_at: instant(offer.designated_at),
        accreditation_notice: notice(&offer.org_name, &offer.accreditation_state),
        provider: offer.provider,
        provider_number: offer.provider_number,
        org_name: offer.org_name,
        accreditation_state: offer.accreditation_state,
        activity_number: offer.activity_number,
        released_at: instant(offer.released_at),
        reviewed_at: rfc3339(offer.reviewed_at),
        joint_providers: offer.joint_providers,
        moc_statements: offer.moc_statements,
        unprintable_scripts: offer.unprintable_scripts,
    }
}

/// A line of a certificate.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 600, format = "line")]
#[expect(dead_code, reason = "describes a text")]
pub(crate) struct CertificateLine(String);

/// A designation to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credit_type": "ama_pra_1", "activity_format": "enduring_material", "maximum": 0.75,
    "terminates_at": "2028-06-30", "accreditation_id": "accr_01k9w0x5c8f3v9q2d7t4m6n8rz" }))]
pub(crate) struct NewOffer {
    #[schema(example = "ama_pra_1", value_type = values::CreditType)]
    pub(crate) credit_type: String,
    #[schema(example = "enduring_material", value_type = values::ActivityFormat)]
    pub(crate) activity_format: String,
    /// In steps of 0.25.
    #[schema(example = 0.75, minimum = 0.25, maximum = 100, multiple_of = 0.25)]
    pub(crate) maximum: f64,
    /// From now on when left out; never earlier.
    pub(crate) opens_at: Option<String>,
    #[schema(example = "2028-06-30")]
    pub(crate) terminates_at: String,
    #[serde(default)]
    pub(crate) evaluation_required: bool,
    /// How surely a credential has to be known: 0 stated by the person, 1 matches a registry, 2 proved to be under the
    /// person's control, 3 seen at the primary source. 1 when left out.
    #[schema(example = 1, minimum = 0, maximum = 3)]
    pub(crate) minimum_level: Option<i32>,
    /// The source classes that count; all when left out.
    #[serde(default)]
    #[schema(value_type = Vec<values::SourceClass>)]
    pub(crate) source_classes: Vec<String>,
    pub(crate) accreditation_id: String,
    /// The activity's number at the accreditor (PARS).
    #[serde(default)]
    #[schema(max_length = 100, format = "line")]
    pub(crate) activity_number: String,
    /// The day on which the activity was released; the day on which credit opens when left out.
    pub(crate) released_at: Option<String>,
    /// The day of the last review of its content since then.
    pub(crate) reviewed_at: Option<String>,
    /// Who provides the activity together with the accredited provider.
    #[serde(default)]
    #[schema(max_items = 8, value_type = Vec<CertificateLine>)]
    pub(crate) joint_providers: Vec<String>,
    /// Statements of boards about maintenance of certification, as certificates carry them.
    #[serde(default)]
    #[schema(max_items = 8, value_type = Vec<CertificateLine>)]
    pub(crate) moc_statements: Vec<String>,
}

/// The offers of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferList {
    data: Vec<Offer>,
    next_cursor: Option<String>,
}

/// Lists for what credit a program is designated.
#[utoipa::path(get, path = "/v1/programs/{id}/offers", operation_id = "listOffers", tag = "Credits", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = OfferList)))]
async fn offers(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<OfferList>, ApiError> {
    let (data, next_cursor) =
        page.of(&edge, edge.offers(&identity, &id).await?, |offer| offer.id.clone()).await?;
    Ok(Json(OfferList { data, next_cursor }))
}

/// Designates a program for credit. Designation is never retroactive and never changed.
#[utoipa::path(post, path = "/v1/programs/{id}/offers", operation_id = "designateProgram", tag = "Credits", params(("id" = String, Path)),
    request_body = NewOffer, responses((status = 201, body = Offer)))]
async fn designate(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewOffer>,
) -> Result<Response, ApiError> {
    let offer = edge.designate(&identity, id, new).await?;
    let location = format!("/v1/programs/{}/offers#{}", offer.program_id, offer.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(offer)).into_response())
}

impl Edge {
    pub(crate) async fn accreditations(&self, identity: &Identity) -> Result<Vec<Accreditation>, ApiError> {
        let listed = self
            .credits
            .clone()
            .list_accreditations(identity.request(proto::ListAccreditationsRequest {})?)
            .await?
            .into_inner();
        Ok(listed.accreditations.into_iter().map(accreditation_view).collect())
    }

    pub(crate) async fn designate(
        &self,
        identity: &Identity,
        program: String,
        new: NewOffer,
    ) -> Result<Offer, ApiError> {
        let day = |field: &str, text: Option<&str>| text.map(|text| moment(field, text)).transpose();
        let request = proto::DesignateRequest {
            program_id: program,
            credit_type: new.credit_type,
            activity_format: new.activity_format,
            designated_quarters: quarters(new.maximum)?,
            opens_at: day("opens_at", new.opens_at.as_deref())?.unwrap_or_default(),
            terminates_at: moment("terminates_at", &new.terminates_at)?,
            evaluation_required: new.evaluation_required,
            minimum_level: new.minimum_level,
            source_classes: new.source_classes,
            accreditation_id: new.accreditation_id,
            activity_number: new.activity_number,
            released_at: day("released_at", new.released_at.as_deref())?.unwrap_or_default(),
            reviewed_at: day("reviewed_at", new.reviewed_at.as_deref())?.unwrap_or_default(),
            joint_providers: new.joint_providers,
            moc_statements: new.moc_statements,
        };
        Ok(offer_view(self.credits.clone().designate(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn offers(&self, identity: &Identity, program: &str) -> Result<Vec<Offer>, ApiError> {
        let request = proto::ListOffersRequest { program_id: program.to_owned() };
        let listed = self.credits.clone().list_offers(identity.request(request)?).await?.into_inner();
        Ok(listed.offers.into_iter().map(offer_view).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_are_taken() {
        assert_eq!(moment("x", "1970-01-02").expect("a day"), 86_400_000_000);
        assert_eq!(moment("x", "1970-01-01T00:00:01Z").expect("an instant"), 1_000_000);
        assert!(moment("x", "tomorrow").is_err());
    }
}
