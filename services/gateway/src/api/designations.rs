//! Accreditation and designation: for what a program gives credit, and under whose name.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
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
use crate::domain::time::instant;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(accreditations, record_accreditation)).routes(routes!(offers, designate))
}

/// An instant in RFC 3339, or a day, which begins at midnight UTC.
fn moment(field: &str, text: &str) -> Result<i64, ApiError> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let parsed = whole.parse::<Timestamp>();
    parsed
        .map(Timestamp::micros)
        .map_err(|_| ApiError::field(format!("/{field}"), "must be a day or an instant in RFC 3339, such as 2026-12-31"))
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
    }
}

/// An accreditation to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccreditation {
    #[schema(example = "accme", value_type = values::AccreditingBody)]
    body: String,
    /// The provider's name as its statements carry it.
    #[schema(example = "Harbor Medical Education", min_length = 1, max_length = 300)]
    provider: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    provider_number: String,
    /// `accreditation` when left out.
    #[serde(default)]
    status: Option<values::AccreditationStatus>,
    #[schema(example = "2024-07-01")]
    valid_from: String,
    #[schema(example = "2028-07-01")]
    valid_until: String,
}

/// The accreditations of the provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccreditationList {
    data: Vec<Accreditation>,
    next_cursor: Option<String>,
}

/// Lists the periods in which the provider is accredited.
#[utoipa::path(get, path = "/v1/accreditations", operation_id = "listAccreditations", tag = "Credits", params(PageQuery),
    responses((status = 200, body = AccreditationList)))]
async fn accreditations(State(edge): State<Edge>, identity: Identity, page: Page) -> Result<Json<AccreditationList>, ApiError> {
    let listed = edge.credits.clone().list_accreditations(identity.request(proto::ListAccreditationsRequest {})?).await?.into_inner();
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
    };
    let row = edge.credits.clone().record_accreditation(identity.request(request)?).await?.into_inner();
    let location = format!("/v1/accreditations#{}", row.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(accreditation_view(row))).into_response())
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
    }
}

/// A designation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOffer {
    #[schema(example = "ama_pra_1", value_type = values::CreditType)]
    credit_type: String,
    #[schema(example = "enduring_material", value_type = values::ActivityFormat)]
    activity_format: String,
    /// In steps of 0.25.
    #[schema(example = 0.75, minimum = 0.25, maximum = 100, multiple_of = 0.25)]
    maximum: f64,
    /// From now on when left out; never earlier.
    opens_at: Option<String>,
    #[schema(example = "2029-06-30")]
    terminates_at: String,
    #[serde(default)]
    evaluation_required: bool,
    /// How surely a credential has to be known, 0 to 3.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3)]
    minimum_level: i32,
    /// The source classes that count; all when left out.
    #[serde(default)]
    #[schema(value_type = Vec<values::SourceClass>)]
    source_classes: Vec<String>,
    accreditation_id: String,
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
async fn offers(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>, page: Page) -> Result<Json<OfferList>, ApiError> {
    let (data, next_cursor) = page.of(&edge, edge.offers(&identity, &id).await?, |offer| offer.id.clone()).await?;
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
    let request = proto::DesignateRequest {
        program_id: id,
        credit_type: new.credit_type,
        activity_format: new.activity_format,
        designated_quarters: quarters(new.maximum)?,
        opens_at: new.opens_at.as_deref().map(|text| moment("opens_at", text)).transpose()?.unwrap_or_default(),
        terminates_at: moment("terminates_at", &new.terminates_at)?,
        evaluation_required: new.evaluation_required,
        minimum_level: new.minimum_level,
        source_classes: new.source_classes,
        accreditation_id: new.accreditation_id,
    };
    let offer = edge.credits.clone().designate(identity.request(request)?).await?.into_inner();
    let location = format!("/v1/programs/{}/offers#{}", offer.program_id, offer.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(offer_view(offer))).into_response())
}

impl Edge {
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
