//! `/v1`: one module per noun. The router and the OpenAPI document come from the same declarations.

mod audit;
mod certificates;
mod clinicians;
mod credits;
mod designations;
mod health;
mod idempotency;
mod insight;
mod items;
mod messages;
mod orgs;
mod programs;
mod quizzes;
mod registry_keys;
mod sources;
mod verifications;
mod view;

use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use preceptor_core::Kind;
use preceptor_core::id::EventId;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::Edge;
use crate::error::{ApiError, Problem, ProblemOf};

pub(crate) use certificates::Certificate;
pub(crate) use clinicians::{Clinician, PROFESSIONS, Statement};
pub(crate) use credits::Credit;
pub(crate) use designations::Offer;
pub(crate) use idempotency::forget_answers;
pub(crate) use insight::Report;
pub(crate) use items::{Generation, Item, ItemPage, NewForm, Wanted};
pub(crate) use messages::{NewMessage, Reply};
pub(crate) use quizzes::{Attempt, Place, Quiz};
pub(crate) use verifications::{NLM_NOTICE, NewVerification, Task};
pub(crate) use view::{Message, Program, Source, program_view, source_view};

/// The largest JSON body.
const LARGEST_JSON: usize = 8 << 20;
pub(crate) const REQUEST_ID: &str = "x-request-id";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Preceptor API",
        version = "1",
        description = "Accredited programs that answer questions from their approved sources. Every error is a problem detail (RFC 9457) whose \
            `code` is stable; `/errors/{code}` explains it. Writes take an `Idempotency-Key`. Lists are pages with an opaque `cursor`."
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    tags(
        (name = "Programs", description = "Programs, their objectives, publication and withdrawal"),
        (name = "Sources", description = "Files, their reading, review and approval"),
        (name = "Messages", description = "Questions and cited answers"),
        (name = "Verification", description = "What registries and reviewers say about sources"),
        (name = "Quizzes", description = "Items, frozen quizzes, attempts, evaluations"),
        (name = "Credits", description = "Accreditation, designation, claims, certificates, provenance"),
        (name = "Clinicians", description = "Who a learner is, and how surely it is known"),
        (name = "Insight", description = "Questions by objective, and counts"),
        (name = "Audit", description = "The append-only log and what verifies it"),
        (name = "Organisation", description = "Staff, learners, tokens")
    )
)]
struct Document;

fn declared(largest_upload_mib: usize) -> OpenApiRouter<Edge> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(programs::router())
        .merge(sources::router(largest_upload_mib))
        .merge(messages::router())
        .merge(verifications::router())
        .merge(registry_keys::router())
        .merge(items::router())
        .merge(quizzes::router())
        .merge(designations::router())
        .merge(credits::router())
        .merge(certificates::router())
        .merge(clinicians::router())
        .merge(insight::router())
        .merge(audit::router())
        .merge(orgs::router())
}

/// The OpenAPI document of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut document = declared(0).into_openapi();
    let scheme =
        SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("An API token or a learner token")).build());
    document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    document
}

/// The routes of the API.
pub(crate) fn router(edge: &Edge) -> Router<Edge> {
    let (api, _) = declared(edge.config.largest_upload_mib).split_for_parts();
    let document = openapi();
    api.layer(DefaultBodyLimit::max(LARGEST_JSON))
        .layer(from_fn_with_state(edge.clone(), idempotency::layer))
        .route("/openapi.json", get(move || async move { axum::Json(document) }))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(from_fn(request_id))
}

/// An id by which a request is found in the logs.
pub(crate) fn new_request_id() -> String {
    EventId::generate().to_string().replace("evt_", "req_")
}

/// Whether the client asks for server-sent events.
fn wants_stream(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Gives every request an id, and writes it into its problem.
async fn request_id(request: Request, next: Next) -> Response {
    let id = new_request_id();
    let mut response = next.run(request).await;
    if let Some(ProblemOf(mut problem)) = response.extensions_mut().remove::<ProblemOf>() {
        problem.request_id.clone_from(&id);
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        if parts.status.is_server_error() {
            tracing::error!(request.id = id, problem.code = problem.code, "a request failed");
        }
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response = Response::from_parts(parts, body.into());
    }
    if let Ok(value) = id.parse() {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A JSON body whose problems are told in our form.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned> FromRequest<Edge> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, edge).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(ApiError::new(Kind::InvalidInput, "BODY_NOT_JSON", "send the body as application/json"))
            }
            Err(JsonRejection::BytesRejection(_)) => {
                Err(ApiError::new(Kind::InvalidInput, "BODY_TOO_LARGE", "the body is larger than this operation takes"))
            }
            Err(rejection) => Err(ApiError::field("", rejection.body_text())),
        }
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters; an unknown one is an error, not ignored.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: serde::de::DeserializeOwned + Send> FromRequestParts<Edge> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, ApiError> {
        let parsed: Result<axum::extract::Query<T>, QueryRejection> = axum::extract::Query::from_request_parts(parts, edge).await;
        parsed
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| ApiError::new(Kind::InvalidInput, "QUERY_INVALID", rejection.body_text()))
    }
}

/// How many things a page holds: what was asked for, when that is possible.
fn page_limit(asked: Option<i32>, usual: i32) -> Result<i32, ApiError> {
    match asked.unwrap_or(usual) {
        limit @ 1..=100 => Ok(limit),
        _ => Err(ApiError::new(Kind::InvalidInput, "QUERY_INVALID", "limit must be between 1 and 100")),
    }
}

/// One page of a list.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many, at most 100.
    #[param(example = 20, minimum = 1, maximum = 100)]
    pub(crate) limit: Option<i32>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// The limit, when it is one.
    pub(crate) fn limit(&self) -> Result<i32, ApiError> {
        page_limit(self.limit, 20)
    }
}
