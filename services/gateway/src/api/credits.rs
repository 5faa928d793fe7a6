//! Claims, transcripts, and how a credit was earned.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_core::{Fault, Kind};
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::programs::Reason;
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(claim))
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(void))
        .routes(routes!(provenance))
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

pub(super) fn amount(quarters: i64) -> f64 {
    quarters as f64 / 4.0
}

/// A remark on a credit that leaves it valid.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Annotation {
    pub(crate) text: String,
    pub(crate) noted_at: String,
}

pub(super) fn annotations(rows: Vec<proto::Annotation>) -> Vec<Annotation> {
    rows.into_iter().map(|row| Annotation { text: row.text, noted_at: instant(row.noted_at) }).collect()
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
    #[schema(value_type = values::CreditType)]
    pub(crate) credit_type: String,
    pub(crate) credit_name: String,
    #[schema(example = 0.75)]
    pub(crate) amount: f64,
    pub(crate) issued_at: String,
    pub(crate) quiz_completed_at: Option<String>,
    pub(crate) content_verified_at: Option<String>,
    /// `credit`, or `participation` for professions that receive a certificate of participation.
    #[schema(value_type = values::Recognition)]
    pub(crate) recognition: String,
    #[schema(value_type = values::Profession)]
    pub(crate) profession: String,
    /// The learner's pseudonym.
    pub(crate) learner: String,
    #[schema(value_type = values::CreditState)]
    pub(crate) state: String,
    pub(crate) void_reason: String,
    pub(crate) voided_at: Option<String>,
    pub(crate) annotations: Vec<Annotation>,
    #[schema(value_type = values::CertificateState)]
    pub(crate) certificate_state: String,
    /// The verification code, in your own credits once the certificate is signed.
    #[schema(example = "9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T")]
    pub(crate) certificate_code: Option<String>,
    /// The page on which anyone who has this link can check the certificate: share it as you like.
    #[schema(format = "uri", example = "https://learn.example.org/verify/9Q2D7T4M6N8RZ1K9W0X5C8F3V9Q2D7T")]
    pub(crate) verify_url: Option<String>,
    /// The provider as its accreditation names it.
    pub(crate) provider: String,
    /// Whether the operator of this platform had confirmed the accreditation when the credit was awarded.
    pub(crate) accreditation_confirmed: bool,
}

fn view(credit: proto::Credit, public_url: &str) -> Credit {
    let code = Some(credit.certificate_code).filter(|code| !code.is_empty());
    Credit {
        verify_url: code.as_ref().map(|code| format!("{}/verify/{code}", public_url.trim_end_matches('/'))),
        certificate_code: code,
        id: credit.id,
        program_id: credit.program_id,
        program_title: credit.program_title,
        offer_id: credit.offer_id,
        attempt_id: credit.attempt_id,
        credit_type: credit.credit_type,
        credit_name: credit.credit_name,
        amount: amount(credit.quarters),
        issued_at: instant(credit.issued_at),
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
        provider: credit.provider,
        accreditation_confirmed: credit.accreditation_confirmed,
    }
}

/// A claim.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClaim {
    offer_id: String,
    /// Commensurate with your participation, in steps of 0.25.
    #[schema(example = 0.75, minimum = 0.25, maximum = 100, multiple_of = 0.25)]
    amount: f64,
}

impl Edge {
    fn credit_view(&self, credit: proto::Credit) -> Credit {
        view(credit, &self.config.public_url)
    }

    /// Claims a credit; says whether it is new.
    pub(crate) async fn claim(
        &self,
        identity: &Identity,
        attempt: String,
        offer: String,
        amount: f64,
    ) -> Result<(Credit, bool), ApiError> {
        let request =
            proto::ClaimCreditRequest { attempt_id: attempt, offer_id: offer, quarters: quarters(amount)? };
        let credit = self.credits.clone().claim_credit(identity.request(request)?).await?.into_inner();
        let fresh = credit.fresh;
        Ok((self.credit_view(credit), fresh))
    }

    pub(crate) async fn credit(&self, identity: &Identity, id: &str) -> Result<Credit, ApiError> {
        let request = proto::GetCreditRequest { credit_id: id.to_owned() };
        Ok(self.credit_view(self.credits.clone().get_credit(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn transcript(&self, identity: &Identity, page: &Page) -> Result<CreditPage, ApiError> {
        let request = proto::ListCreditsRequest {
            limit: page.limit,
            after: page.after.clone(),
            ..proto::ListCreditsRequest::default()
        };
        let listed = self.credits.clone().list_credits(identity.request(request)?).await?.into_inner();
        let view = |credit| self.credit_view(credit);
        Ok(CreditPage {
            next_cursor: page.next(self, &listed.next).await?,
            data: listed.credits.into_iter().map(view).collect(),
        })
    }

    /// The newest credits that the caller earned in a program, also for those who read the record.
    pub(crate) async fn own_credits(
        &self,
        identity: &Identity,
        program: &str,
    ) -> Result<Vec<Credit>, ApiError> {
        let request = proto::ListCreditsRequest {
            program_id: program.to_owned(),
            limit: 100,
            after: String::new(),
            own: true,
        };
        let listed = self.credits.clone().list_credits(identity.request(request)?).await?.into_inner();
        Ok(listed.credits.into_iter().map(|credit| self.credit_view(credit)).collect())
    }

    pub(crate) async fn provenance(
        &self,
        identity: &Identity,
        id: &str,
    ) -> Result<serde_json::Value, ApiError> {
        let request = proto::GetCreditRequest { credit_id: id.to_owned() };
        let provenance = self.credits.clone().get_provenance(identity.request(request)?).await?.into_inner();
        serde_json::from_str(&provenance.document).map_err(|_| Fault::internal().into())
    }
}

/// Claims a credit for a passed attempt. The same claim again answers with the same credit; with another amount it is refused.
#[utoipa::path(post, path = "/v1/attempts/{id}/claims", operation_id = "claimCredit", tag = "Credits", params(("id" = String, Path)),
    request_body = NewClaim, responses((status = 201, description = "A new credit", body = Credit), (status = 200, description = "The credit of an earlier claim", body = Credit)))]
async fn claim(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewClaim>,
) -> Result<Response, ApiError> {
    let (credit, fresh) = edge.claim(&identity, id, new.offer_id, new.amount).await?;
    if !fresh {
        return Ok(Json(credit).into_response());
    }
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/v1/credits/{}", credit.id))], Json(credit))
        .into_response())
}

/// A page of credits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreditPage {
    pub(crate) data: Vec<Credit>,
    pub(crate) next_cursor: Option<String>,
}

/// Lists your transcript; for those who read the record, everyone's. Newest first.
#[utoipa::path(get, path = "/v1/credits", operation_id = "listCredits", tag = "Credits", params(PageQuery),
    responses((status = 200, body = CreditPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    page: Page,
) -> Result<Json<CreditPage>, ApiError> {
    Ok(Json(edge.transcript(&identity, &page).await?))
}

/// Reads a credit.
#[utoipa::path(get, path = "/v1/credits/{id}", operation_id = "getCredit", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = Credit), (status = 409)))]
async fn get(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Credit>, ApiError> {
    Ok(Json(edge.credit(&identity, &id).await?))
}

/// Ends a credit by a new entry that says why. The learner can claim again afterwards.
#[utoipa::path(post, path = "/v1/credits/{id}/void", operation_id = "voidCredit", tag = "Credits", params(("id" = String, Path)),
    request_body = Reason, responses((status = 200, body = Credit)))]
async fn void(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Result<Json<Credit>, ApiError> {
    let request = proto::VoidCreditRequest { credit_id: id, reason: why.reason };
    Ok(Json(
        edge.credit_view(edge.credits.clone().void_credit(identity.request(request)?).await?.into_inner()),
    ))
}

/// Tells how a credit was earned: the whole chain, with times, hashes and the proof of the log.
#[utoipa::path(get, path = "/v1/credits/{id}/provenance", operation_id = "getProvenance", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value), (status = 409)))]
async fn provenance(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, ApiError> {
    Ok(Json(edge.provenance(&identity, &id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quarters_are_amounts() {
        assert_eq!(quarters(0.75).expect("quarters"), 3);
        assert_eq!(quarters(-1.0).expect("quarters, for the service to refuse"), -4);
        for wrong in [0.3, 0.1, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(quarters(wrong).expect_err("no amount").code(), "AMOUNT_NOT_ALLOWED");
        }
    }
}
