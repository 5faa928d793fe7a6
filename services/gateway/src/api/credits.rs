//! Accreditation, designation, claims, transcripts, certificates.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_core::{Fault, Kind, Timestamp};
use preceptor_proto::credits::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::programs::Reason;
use super::{Json, PageQuery, Query};
use crate::domain::cursor;
use crate::domain::time::rfc3339;
use crate::error::{ApiError, Problem};
use crate::identity::Identity;
use crate::{CALL_TIMEOUT, Edge};

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(accreditations, record_accreditation))
        .routes(routes!(offers, designate))
        .routes(routes!(claim))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(void))
        .routes(routes!(provenance))
        .routes(routes!(certificate))
        .routes(routes!(badge))
        .routes(routes!(look_up))
}

/// An amount of credit in quarters: what is not in steps of 0.25 is no amount.
pub(crate) fn quarters(amount: f64) -> Result<i64, ApiError> {
    let quarters = amount * 4.0;
    if quarters.is_finite() && quarters.fract() == 0.0 && quarters.abs() < 1e6 {
        return Ok(quarters as i64);
    }
    let detail = "claim in steps of 0.25, more than 0 and at most what the activity is designated for";
    Err(Fault::new(Kind::InvalidInput, "AMOUNT_NOT_ALLOWED", detail).with("field", "amount").into())
}

fn amount(quarters: i64) -> f64 {
    quarters as f64 / 4.0
}

/// An instant in RFC 3339, or a day, which begins at midnight UTC.
fn instant(field: &str, text: &str) -> Result<i64, ApiError> {
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
    /// `accme` or `joint_accreditation`.
    pub(crate) body: String,
    pub(crate) provider: String,
    pub(crate) provider_number: String,
    /// `accreditation`, `commendation`, `provisional` or `probation`.
    pub(crate) status: String,
    pub(crate) valid_from: Option<String>,
    pub(crate) valid_until: Option<String>,
    pub(crate) recorded_by: String,
}

fn accreditation_view(row: proto::Accreditation) -> Accreditation {
    Accreditation {
        id: row.id,
        body: row.body,
        provider: row.provider,
        provider_number: row.provider_number,
        status: row.status,
        valid_from: rfc3339(row.valid_from),
        valid_until: rfc3339(row.valid_until),
        recorded_by: row.recorded_by,
    }
}

/// An accreditation to record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccreditation {
    #[schema(example = "accme")]
    body: String,
    /// The provider's name as its statements carry it.
    #[schema(example = "Harbor Medical Education")]
    provider: String,
    #[serde(default)]
    provider_number: String,
    #[serde(default)]
    status: String,
    #[schema(example = "2024-07-01")]
    valid_from: String,
    #[schema(example = "2028-07-01")]
    valid_until: String,
}

/// The accreditations of the provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccreditationList {
    data: Vec<Accreditation>,
}

/// Lists the periods in which the provider is accredited.
#[utoipa::path(get, path = "/v1/accreditations", operation_id = "listAccreditations", tag = "Credits",
    responses((status = 200, body = AccreditationList)))]
async fn accreditations(State(edge): State<Edge>, identity: Identity) -> Result<Json<AccreditationList>, ApiError> {
    let listed = edge.credits.clone().list_accreditations(identity.request(proto::ListAccreditationsRequest {})?).await?.into_inner();
    Ok(Json(AccreditationList { data: listed.accreditations.into_iter().map(accreditation_view).collect() }))
}

/// Records a period in which the provider is accredited.
#[utoipa::path(post, path = "/v1/accreditations", operation_id = "recordAccreditation", tag = "Credits", request_body = NewAccreditation,
    responses((status = 201, body = Accreditation), (status = 400, body = Problem)))]
async fn record_accreditation(
    State(edge): State<Edge>,
    identity: Identity,
    Json(new): Json<NewAccreditation>,
) -> Result<Response, ApiError> {
    let request = proto::RecordAccreditationRequest {
        valid_from: instant("valid_from", &new.valid_from)?,
        valid_until: instant("valid_until", &new.valid_until)?,
        body: new.body,
        provider: new.provider,
        provider_number: new.provider_number,
        status: new.status,
    };
    let row = edge.credits.clone().record_accreditation(identity.request(request)?).await?.into_inner();
    Ok((StatusCode::CREATED, axum::Json(accreditation_view(row))).into_response())
}

/// A designation: at most so many credits of a type for a program, in a window of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Offer {
    #[schema(example = "offer_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    /// As it was when it was designated.
    pub(crate) activity_title: String,
    #[schema(example = "ama_pra_1")]
    pub(crate) credit_type: String,
    pub(crate) credit_name: String,
    pub(crate) activity_format: String,
    /// The most that can be claimed.
    #[schema(example = 0.75)]
    pub(crate) maximum: f64,
    pub(crate) opens_at: Option<String>,
    pub(crate) terminates_at: Option<String>,
    pub(crate) evaluation_required: bool,
    /// How surely a credential has to be known, 0 to 3.
    pub(crate) minimum_level: i32,
    pub(crate) source_classes: Vec<String>,
    /// Who receives the credit itself; others receive a certificate of participation.
    pub(crate) credit_professions: Vec<String>,
    pub(crate) accreditation_statement: String,
    pub(crate) designation_statement: String,
    pub(crate) statements_sha256: String,
    pub(crate) designated_by: String,
    pub(crate) designated_at: Option<String>,
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
        opens_at: rfc3339(offer.opens_at),
        terminates_at: rfc3339(offer.terminates_at),
        evaluation_required: offer.evaluation_required,
        minimum_level: offer.minimum_level,
        source_classes: offer.source_classes,
        credit_professions: offer.credit_professions,
        accreditation_statement: offer.accreditation_statement,
        designation_statement: offer.designation_statement,
        statements_sha256: offer.statements_sha256,
        designated_by: offer.designated_by,
        designated_at: rfc3339(offer.designated_at),
    }
}

/// A designation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOffer {
    #[schema(example = "ama_pra_1")]
    credit_type: String,
    #[schema(example = "enduring_material")]
    activity_format: String,
    /// In steps of 0.25.
    #[schema(example = 0.75)]
    maximum: f64,
    /// From now on when left out; never earlier.
    opens_at: Option<String>,
    #[schema(example = "2029-06-30")]
    terminates_at: String,
    #[serde(default)]
    evaluation_required: bool,
    /// How surely a credential has to be known, 0 to 3.
    #[serde(default)]
    minimum_level: i32,
    /// The source classes that count; all when left out.
    #[serde(default)]
    source_classes: Vec<String>,
    accreditation_id: String,
}

/// The offers of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferList {
    data: Vec<Offer>,
}

/// Lists for what credit a program is designated.
#[utoipa::path(get, path = "/v1/programs/{id}/offers", operation_id = "listOffers", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = OfferList), (status = 404, body = Problem)))]
async fn offers(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<OfferList>, ApiError> {
    Ok(Json(OfferList { data: edge.offers(&identity, &id).await? }))
}

/// Designates a program for credit. Designation is never retroactive and never changed.
#[utoipa::path(post, path = "/v1/programs/{id}/offers", operation_id = "designateProgram", tag = "Credits", params(("id" = String, Path)),
    request_body = NewOffer, responses((status = 201, body = Offer), (status = 400, body = Problem), (status = 409, body = Problem)))]
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
        opens_at: new.opens_at.as_deref().map(|text| instant("opens_at", text)).transpose()?.unwrap_or_default(),
        terminates_at: instant("terminates_at", &new.terminates_at)?,
        evaluation_required: new.evaluation_required,
        minimum_level: new.minimum_level,
        source_classes: new.source_classes,
        accreditation_id: new.accreditation_id,
    };
    let offer = edge.credits.clone().designate(identity.request(request)?).await?.into_inner();
    Ok((StatusCode::CREATED, axum::Json(offer_view(offer))).into_response())
}

/// A remark on a credit that leaves it valid.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Annotation {
    pub(crate) text: String,
    pub(crate) noted_at: Option<String>,
}

fn annotations(rows: Vec<proto::Annotation>) -> Vec<Annotation> {
    rows.into_iter().map(|row| Annotation { text: row.text, noted_at: rfc3339(row.noted_at) }).collect()
}

/// A credit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Credit {
    #[schema(example = "cred_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    pub(crate) program_title: String,
    pub(crate) offer_id: String,
    pub(crate) attempt_id: String,
    pub(crate) credit_type: String,
    pub(crate) credit_name: String,
    #[schema(example = 0.75)]
    pub(crate) amount: f64,
    pub(crate) issued_at: Option<String>,
    pub(crate) quiz_completed_at: Option<String>,
    pub(crate) content_verified_at: Option<String>,
    /// `credit`, or `participation` for professions that receive a certificate of participation.
    pub(crate) recognition: String,
    pub(crate) profession: String,
    /// The learner's pseudonym.
    pub(crate) learner: String,
    /// `live` or `voided`.
    pub(crate) state: String,
    pub(crate) void_reason: String,
    pub(crate) voided_at: Option<String>,
    pub(crate) annotations: Vec<Annotation>,
    /// `preparing` or `ready`.
    pub(crate) certificate_state: String,
}

pub(crate) fn credit_view(credit: proto::Credit) -> Credit {
    Credit {
        id: credit.id,
        program_id: credit.program_id,
        program_title: credit.program_title,
        offer_id: credit.offer_id,
        attempt_id: credit.attempt_id,
        credit_type: credit.credit_type,
        credit_name: credit.credit_name,
        amount: amount(credit.quarters),
        issued_at: rfc3339(credit.issued_at),
        quiz_completed_at: rfc3339(credit.quiz_completed_at),
        content_verified_at: rfc3339(credit.content_verified_at),
        recognition: credit.recognition,
        profession: credit.profession,
        learner: credit.learner,
        state: credit.state,
        void_reason: credit.void_reason,
        voided_at: rfc3339(credit.voided_at),
        annotations: annotations(credit.annotations),
        certificate_state: credit.certificate_state,
    }
}

/// A claim.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClaim {
    offer_id: String,
    /// Commensurate with your participation, in steps of 0.25.
    #[schema(example = 0.75)]
    amount: f64,
}

impl Edge {
    pub(crate) async fn offers(&self, identity: &Identity, program: &str) -> Result<Vec<Offer>, ApiError> {
        let request = proto::ListOffersRequest { program_id: program.to_owned() };
        let listed = self.credits.clone().list_offers(identity.request(request)?).await?.into_inner();
        Ok(listed.offers.into_iter().map(offer_view).collect())
    }

    /// Claims a credit; says whether it is new.
    pub(crate) async fn claim(&self, identity: &Identity, attempt: String, offer: String, amount: f64) -> Result<(Credit, bool), ApiError> {
        let request = proto::ClaimCreditRequest { attempt_id: attempt, offer_id: offer, quarters: quarters(amount)? };
        let credit = self.credits.clone().claim_credit(identity.request(request)?).await?.into_inner();
        let fresh = credit.fresh;
        Ok((credit_view(credit), fresh))
    }

    pub(crate) async fn credit(&self, identity: &Identity, id: &str) -> Result<Credit, ApiError> {
        let request = proto::GetCreditRequest { credit_id: id.to_owned() };
        Ok(credit_view(self.credits.clone().get_credit(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn transcript(&self, identity: &Identity, limit: i32, after: String) -> Result<CreditPage, ApiError> {
        let request = proto::ListCreditsRequest { program_id: String::new(), limit, after };
        let listed = self.credits.clone().list_credits(identity.request(request)?).await?.into_inner();
        Ok(CreditPage { next_cursor: cursor::encode(&listed.next), data: listed.credits.into_iter().map(credit_view).collect() })
    }

    pub(crate) async fn provenance(&self, identity: &Identity, id: &str) -> Result<serde_json::Value, ApiError> {
        let request = proto::GetCreditRequest { credit_id: id.to_owned() };
        let provenance = self.credits.clone().get_provenance(identity.request(request)?).await?.into_inner();
        serde_json::from_str(&provenance.document).map_err(|_| Fault::internal().into())
    }

    pub(crate) async fn certificate(&self, identity: &Identity, id: &str) -> Result<proto::CertificateFiles, ApiError> {
        let request = proto::GetCreditRequest { credit_id: id.to_owned() };
        Ok(self.credits.clone().get_certificate(identity.request(request)?).await?.into_inner())
    }

    /// What a certificate says, for anybody with its code.
    pub(crate) async fn look_up(&self, code: &str) -> Result<Certificate, ApiError> {
        let request = unscoped(proto::LookUpCertificateRequest { code: code.to_owned() }, CALL_TIMEOUT);
        let found = self.credits.clone().look_up_certificate(request).await?.into_inner();
        Ok(Certificate {
            code: found.code,
            name: found.name,
            program_title: found.program_title,
            provider: found.provider,
            credit_name: found.credit_name,
            amount: amount(found.quarters),
            recognition: found.recognition,
            issued_at: rfc3339(found.issued_at),
            completed_at: rfc3339(found.completed_at),
            state: found.state,
            annotations: annotations(found.annotations),
            signing_key: found.signing_key,
        })
    }
}

/// Claims a credit for a passed attempt. The same claim again answers with the same credit.
#[utoipa::path(post, path = "/v1/attempts/{id}/claims", operation_id = "claimCredit", tag = "Credits", params(("id" = String, Path)),
    request_body = NewClaim, responses((status = 201, description = "A new credit", body = Credit), (status = 200, description = "The credit of an earlier claim", body = Credit),
        (status = 400, body = Problem), (status = 409, body = Problem)))]
async fn claim(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewClaim>,
) -> Result<Response, ApiError> {
    let (credit, fresh) = edge.claim(&identity, id, new.offer_id, new.amount).await?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, [(header::LOCATION, format!("/v1/credits/{}", credit.id))], axum::Json(credit)).into_response())
}

/// A page of credits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditPage {
    pub(crate) data: Vec<Credit>,
    pub(crate) next_cursor: Option<String>,
}

/// Lists your transcript; for those who read the record, everybody's. Newest first.
#[utoipa::path(get, path = "/v1/credits", operation_id = "listCredits", tag = "Credits", params(PageQuery),
    responses((status = 200, body = CreditPage)))]
async fn list(State(edge): State<Edge>, identity: Identity, Query(page): Query<PageQuery>) -> Result<Json<CreditPage>, ApiError> {
    Ok(Json(edge.transcript(&identity, page.limit()?, cursor::decode(page.cursor.as_deref())?).await?))
}

/// Reads a credit.
#[utoipa::path(get, path = "/v1/credits/{id}", operation_id = "getCredit", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = Credit), (status = 404, body = Problem)))]
async fn get(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<Credit>, ApiError> {
    Ok(Json(edge.credit(&identity, &id).await?))
}

/// Ends a credit by a new entry that says why. The learner can claim again afterwards.
#[utoipa::path(post, path = "/v1/credits/{id}/void", operation_id = "voidCredit", tag = "Credits", params(("id" = String, Path)),
    request_body = Reason, responses((status = 200, body = Credit), (status = 409, body = Problem)))]
async fn void(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Result<Json<Credit>, ApiError> {
    let request = proto::VoidCreditRequest { credit_id: id, reason: why.reason };
    Ok(Json(credit_view(edge.credits.clone().void_credit(identity.request(request)?).await?.into_inner())))
}

/// Tells how a credit was earned: the whole chain, with times, hashes and the proof of the log.
#[utoipa::path(get, path = "/v1/credits/{id}/provenance", operation_id = "getProvenance", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 404, body = Problem)))]
async fn provenance(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<serde_json::Value>, ApiError> {
    Ok(Json(edge.provenance(&identity, &id).await?))
}

/// Downloads your certificate as a PDF that proves itself: `preceptor verify` checks it without any network.
#[utoipa::path(get, path = "/v1/credits/{id}/certificate", operation_id = "getCertificate", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn certificate(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Response, ApiError> {
    let files = edge.certificate(&identity, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"certificate-{}.pdf\"", files.code)),
    ];
    Ok((headers, files.pdf).into_response())
}

/// A certificate as a badge.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Badge {
    /// Open Badges 3.0, with its Data Integrity proof.
    credential: serde_json::Value,
    /// The same as a JWT.
    jwt: String,
}

/// Downloads your certificate as an Open Badges 3.0 credential, in both of its forms.
#[utoipa::path(get, path = "/v1/credits/{id}/badge", operation_id = "getBadge", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = Badge), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn badge(State(edge): State<Edge>, identity: Identity, Path(id): Path<String>) -> Result<Json<Badge>, ApiError> {
    let files = edge.certificate(&identity, &id).await?;
    let credential = serde_json::from_str(&files.badge).map_err(|_| ApiError::from(Fault::internal()))?;
    Ok(Json(Badge { credential, jwt: files.jwt }))
}

/// What a certificate says already, and nothing more.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Certificate {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) program_title: String,
    pub(crate) provider: String,
    pub(crate) credit_name: String,
    pub(crate) amount: f64,
    pub(crate) recognition: String,
    pub(crate) issued_at: Option<String>,
    pub(crate) completed_at: Option<String>,
    /// `live` or `voided`.
    pub(crate) state: String,
    pub(crate) annotations: Vec<Annotation>,
    /// The provider's key, to compare with the one on the file.
    pub(crate) signing_key: String,
}

/// Looks a certificate up by its code. Needs no credential: whoever holds the code holds the certificate.
#[utoipa::path(get, path = "/v1/certificates/{code}", operation_id = "lookUpCertificate", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, body = Certificate), (status = 404, body = Problem)), security(()))]
async fn look_up(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Json<Certificate>, ApiError> {
    Ok(Json(edge.look_up(&code).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quarters_are_amounts() {
        assert_eq!(quarters(0.75).expect("quarters"), 3);
        assert_eq!(quarters(-1.0).expect("quarters, for the room to refuse"), -4);
        for wrong in [0.3, 0.1, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(quarters(wrong).expect_err("no amount").code(), "AMOUNT_NOT_ALLOWED");
        }
    }

    #[test]
    fn days_and_instants_are_taken() {
        assert_eq!(instant("x", "1970-01-02").expect("a day"), 86_400_000_000);
        assert_eq!(instant("x", "1970-01-01T00:00:01Z").expect("an instant"), 1_000_000);
        assert!(instant("x", "tomorrow").is_err());
    }
}
