//! Certificates: for their holder as files, for anyone with the code as what they say.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use preceptor_core::Fault;
use preceptor_proto::credits::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credits::{Annotation, amount, annotations};
use super::public::LINKED_CREDENTIAL;
use super::values::{BadgeFormat, PaperSize};
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;
use crate::{CALL_TIMEOUT, Edge};

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(certificate)).routes(routes!(badge)).routes(routes!(look_up))
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PaperQuery {
    /// The paper; the provider's usual one when it is left out.
    #[param(inline)]
    paper: Option<PaperSize>,
}

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BadgeQuery {
    /// `badge`, the default, is Open Badges 3.0 in JSON with its proof, as wallets take it; `jwt` the same as a JWT; `both` one
    /// JSON document with the two.
    #[param(inline)]
    format: Option<BadgeFormat>,
}

impl Edge {
    pub(crate) async fn certificate(
        &self,
        identity: &Identity,
        id: &str,
        paper: Option<PaperSize>,
    ) -> Result<proto::CertificateFiles, ApiError> {
        let paper = paper.map(PaperSize::name).unwrap_or_default();
        let request = proto::GetCertificateRequest { credit_id: id.to_owned(), paper: paper.to_owned() };
        Ok(self.credits.clone().get_certificate(identity.request(request)?).await?.into_inner())
    }

    /// What a certificate says, for anyone with its code.
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
            org_id: found.org_id,
            issuer_url: some(found.issuer_url),
            activity_url: some(found.activity_url),
            status_list_url: some(found.status_list_url),
            log_key: found.log_key,
            org_name: found.org_name,
            accreditation_confirmed: found.accreditation_confirmed,
        })
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A file to keep, under a name that says what it is.
fn file(kind: &'static str, code: &str, ending: &str, content: impl Into<Body>) -> Response {
    let name = format!("attachment; filename=\"certificate-{code}.{ending}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], content.into())
        .into_response()
}

/// Downloads your certificate as a PDF that proves itself: `preceptor verify` checks it without any network. After a void the
/// sheet is marked as void, and carries the signed list that says so.
#[utoipa::path(get, path = "/v1/credits/{id}/certificate", operation_id = "getCertificate", tag = "Credits",
    params(("id" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 409)))]
async fn certificate(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<PaperQuery>,
) -> Result<Response, ApiError> {
    let files = edge.certificate(&identity, &id, query.paper).await?;
    let name = if files.voided { format!("{}-void", files.code) } else { files.code };
    Ok(file("application/pdf", &name, "pdf", files.pdf))
}

/// A badge in both of its forms.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Badge {
    /// Open Badges 3.0, with its Data Integrity proof.
    credential: serde_json::Value,
    /// The same as a JWT.
    jwt: String,
}

/// Downloads your certificate as an Open Badge that wallets take, or as a JWT.
#[utoipa::path(get, path = "/v1/credits/{id}/badge", operation_id = "getBadge", tag = "Credits", params(("id" = String, Path), BadgeQuery),
    responses(
        (status = 200, content((serde_json::Value = "application/vc+ld+json"), (String = "text/plain"), (Badge = "application/json"))),
        (status = 409),
    ))]
async fn badge(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<BadgeQuery>,
) -> Result<Response, ApiError> {
    let files = edge.certificate(&identity, &id, None).await?;
    Ok(match query.format.unwrap_or(BadgeFormat::Badge) {
        // Media types and endings of Open Badges 3.0, section 5.
        BadgeFormat::Badge => file(LINKED_CREDENTIAL, &files.code, "badge.json", files.badge),
        BadgeFormat::Jwt => file("text/plain; charset=utf-8", &files.code, "badge.jwt", files.jwt),
        BadgeFormat::Both => {
            let credential =
                serde_json::from_str(&files.badge).map_err(|_| ApiError::from(Fault::internal()))?;
            Json(Badge { credential, jwt: files.jwt }).into_response()
        }
    })
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
    /// The key that signed it, to compare with the one on the file.
    pub(crate) signing_key: String,
    /// The organization on this platform whose key that is.
    pub(crate) org_id: String,
    /// What this platform says of that organization: its keys and its log.
    pub(crate) issuer_url: Option<String>,
    /// The activity.
    pub(crate) activity_url: Option<String>,
    /// The signed list in which a void shows.
    pub(crate) status_list_url: Option<String>,
    /// The verifier key of the organization's log.
    pub(crate) log_key: String,
    /// The org that issued it, under the name it has on this platform.
    pub(crate) org_name: String,
    /// Whether the operator of this platform had confirmed the provider's accreditation when the credit was awarded.
    pub(crate) accreditation_confirmed: bool,
}

/// Looks a certificate up by its code. Needs no credential: the code is enough.
#[utoipa::path(get, path = "/v1/certificates/{code}", operation_id = "lookUpCertificate", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, body = Certificate)), security(()))]
async fn look_up(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Json<Certificate>, ApiError> {
    Ok(Json(edge.look_up(&code).await?))
}
