//! What certificates refer to, for anyone: activities, providers, lists of voided certificates.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use preceptor_core::Fault;
use preceptor_proto::credits::v1 as proto;
use preceptor_rpc::call::unscoped;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credits::amount;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::{CALL_TIMEOUT, Edge};

/// Credentials in linked data (Open Badges 3.0, section 5).
pub(crate) const LINKED_CREDENTIAL: &str = "application/vc+ld+json";
const LINKED: &str = "application/ld+json";
/// The contexts of what is published here.
const CONTEXTS: [&str; 2] =
    ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"];

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(activity)).routes(routes!(issuer)).routes(routes!(status_list))
}

/// An activity that certificates name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Activity {
    pub(crate) title: String,
    /// The provider, as it names itself.
    pub(crate) provider: String,
    /// Whether the operator of this platform has confirmed the provider's accreditation by now.
    pub(crate) accreditation_confirmed: bool,
    pub(crate) credit_name: String,
    /// Its format in words.
    #[schema(example = "enduring material")]
    pub(crate) format: String,
    /// For how many credits it is designated.
    pub(crate) maximum: f64,
    pub(crate) accreditation_statement: String,
    pub(crate) designation_statement: String,
    /// Its page, which is its id in badges.
    pub(crate) url: String,
    /// The page of its provider.
    pub(crate) issuer_url: String,
    /// Its achievement, as badges hold it.
    pub(crate) achievement: Value,
    /// SVG.
    #[serde(skip)]
    pub(crate) image: String,
}

/// A provider that issued certificates.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Issuer {
    /// The organization on this platform.
    pub(crate) org_id: String,
    /// Its name on this platform.
    pub(crate) org_name: String,
    /// The names under which it says that it is accredited.
    pub(crate) names: Vec<String>,
    /// Those of them whose accreditation the operator of this platform confirmed.
    pub(crate) confirmed_names: Vec<String>,
    /// The keys that it signs with, the newest first.
    #[schema(example = json!(["z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"]))]
    pub(crate) keys: Vec<String>,
    /// The verifier key of its log.
    pub(crate) log_key: String,
    /// Its page.
    pub(crate) url: String,
}

impl Edge {
    pub(crate) async fn activity(&self, code: &str) -> Result<Activity, ApiError> {
        let request = unscoped(proto::GetActivityRequest { code: code.to_owned() }, CALL_TIMEOUT);
        let found = self.credits.clone().get_activity(request).await?.into_inner();
        Ok(Activity {
            title: found.title,
            provider: found.provider,
            accreditation_confirmed: found.accreditation_confirmed,
            credit_name: found.credit_name,
            format: found.format,
            maximum: amount(found.designated_quarters),
            accreditation_statement: found.accreditation_statement,
            designation_statement: found.designation_statement,
            url: found.url,
            issuer_url: found.issuer_url,
            achievement: serde_json::from_str(&found.achievement)
                .map_err(|_| ApiError::from(Fault::internal()))?,
            image: found.image,
        })
    }

    pub(crate) async fn issuer(&self, name: &str) -> Result<Issuer, ApiError> {
        let request = unscoped(proto::GetIssuerRequest { name: name.to_owned() }, CALL_TIMEOUT);
        let found = self.credits.clone().get_issuer(request).await?.into_inner();
        Ok(Issuer {
            org_id: found.org_id,
            org_name: found.org_name,
            names: found.names,
            confirmed_names: found.confirmed_names,
            keys: found.keys,
            log_key: found.log_key,
            url: found.url,
        })
    }
}

impl Activity {
    /// The achievement as a document of its own.
    pub(crate) fn document(&self) -> Response {
        linked(&self.achievement)
    }
}

impl Issuer {
    /// The profile that badges name.
    pub(crate) fn document(&self) -> Response {
        let key = self.keys.first().map(|key| format!("did:key:{key}"));
        linked(&json!({ "id": key, "type": ["Profile"], "name": self.names.join(", "), "url": self.url }))
    }
}

/// A part of a badge as a document of its own.
fn linked(part: &Value) -> Response {
    let mut document = json!({ "@context": CONTEXTS });
    if let (Some(document), Some(part)) = (document.as_object_mut(), part.as_object()) {
        document.extend(part.clone());
    }
    open(LINKED, document.to_string())
}

/// Something that programs of others read, from wherever they run.
fn open(kind: &'static str, content: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "public, no-cache"),
    ];
    (headers, content).into_response()
}

/// Tells what an activity is that a certificate names.
#[utoipa::path(get, path = "/v1/activities/{code}", operation_id = "getActivity", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, body = Activity)), security(()))]
async fn activity(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Json<Activity>, ApiError> {
    Ok(Json(edge.activity(&code).await?))
}

/// Tells who issues certificates under which keys. The name stands on the provider's certificates.
#[utoipa::path(get, path = "/v1/issuers/{code}", operation_id = "getIssuer", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, body = Issuer)), security(()))]
async fn issuer(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Json<Issuer>, ApiError> {
    Ok(Json(edge.issuer(&code).await?))
}

/// Which certificates a provider voided: a Bitstring status list (W3C), signed by the provider as it is at this moment.
/// `preceptor verify --status-list` uses a copy without any network.
#[utoipa::path(get, path = "/v1/status-lists/{code}", operation_id = "getStatusList", tag = "Credits", params(("code" = String, Path)),
    responses((status = 200, content_type = "application/vc+ld+json", body = Value)), security(()))]
async fn status_list(State(edge): State<Edge>, Path(code): Path<String>) -> Result<Response, ApiError> {
    let request = unscoped(proto::GetStatusListRequest { name: code }, CALL_TIMEOUT);
    let found = edge.credits.clone().get_status_list(request).await?.into_inner();
    Ok(open(LINKED_CREDENTIAL, found.credential))
}
