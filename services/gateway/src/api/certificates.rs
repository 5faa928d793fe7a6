//! Certificates: for their holder as files, for anybody with the code as what they say.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use preceptor_core::Fault;
use preceptor_proto::credits::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credits::{Annotation, amount, annotations};
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;
use crate::{CALL_TIMEOUT, Edge};

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(certificate)).routes(routes!(badge)).routes(routes!(look_up))
}

impl Edge {
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
            issued_at: instant(found.issued_at),
            completed_at: rfc3339(found.completed_at),
            state: found.state,
            annotations: annotations(found.annotations),
            signing_key: found.signing_key,
        })
    }
}

/// Downloads your certificate as a PDF that proves itself: `preceptor verify` checks it without any network.
#[utoipa::path(get, path = "/v1/credits/{id}/certificate", operation_id = "getCertificate", tag = "Credits", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>)))]
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
    responses((status = 200, body = Badge)))]
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
    #[schema(value_type = super::values::Recognition)]
    pub(crate) recognition: String,
    pub(crate) issued_at: String,
    pub(crate) completed_at: Option<String>,
    #[schema(value_type = super::values::CreditState)]
    pub(crate) state: String,
    pub(crate) annotations: Vec<Annotation>,
    /// The provider's key, to compare with the one on the file.
    pub(crate) signing_key: String,
}

/// Looks a certificate up by its code. Needs no credential: whoever holds the code holds the certificate.
#[utoipa::path(get, path = "/v1/certificates/{code}", operation_id = "lookUpCertificate", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, body = Certificate)), security(()))]
async fn look_up(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Json<Certificate>, ApiError> {
    Ok(Json(edge.look_up(&code).await?))
}
