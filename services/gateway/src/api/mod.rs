//! `/v1`: one module per noun. The router and the OpenAPI document come from the same declarations.

mod audit;
mod certificate_settings;
mod certificates;
mod clinicians;
mod contests;
mod credentials;
mod credits;
mod designations;
mod document;
mod health;
mod idempotency;
mod insight;
mod items;
mod keys;
mod learner_attempts;
mod logs;
mod messages;
mod orgs;
mod page;
mod programs;
mod public;
mod quizzes;
mod quoted;
mod registry_keys;
mod shapes;
mod sources;
mod staff;
mod upload;
pub(crate) mod values;
mod verifications;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;

use crate::Edge;
use crate::contract::{self, Contract, Terms};
use crate::error::Problem;

pub(crate) use certificate_settings::{CertificateSettings, NewCertificateSettings};
pub(crate) use certificates::Certificate;
pub(crate) use clinicians::{Clinician, PROFESSIONS, Statement};
pub(crate) use contests::{ContestDecision, ContestedIdentity};
pub(crate) use credentials::{Credential, NewCredential};
pub(crate) use credits::Credit;
pub(crate) use designations::{Accreditation, NewOffer, Offer};
pub(crate) use idempotency::forget_answers;
pub(crate) use insight::Report;
pub(crate) use items::{Generation, Item, NewForm, Wanted};
pub(crate) use learner_attempts::{LearnerAttempt, LearnerAttemptPage, LearnerAttemptQuery};
pub(crate) use messages::{NewMessage, Reply};
pub(crate) use page::Page;
pub(crate) use public::{Activity, Issuer};
pub(crate) use quizzes::{Attempt, Place, Quiz};
pub(crate) use staff::{NewInvitation, Staff};
pub(crate) use upload::{UploadForm, file_too_large};
pub(crate) use verifications::{NLM_NOTICE, NewVerification, Task};
pub(crate) use view::{Message, Program, Source, program_view, source_view};

/// No body that is held is larger: what the gate allows is less.
const LARGEST_BODY: usize = 8 << 20;

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
        (name = "Organization", description = "Staff, learners, tokens")
    )
)]
struct Document;

/// The routes of every noun. Each has a document of its own, which is merged into the one of the API.
pub(crate) fn parts(largest_upload_mib: usize) -> Vec<OpenApiRouter<Edge>> {
    vec![
        programs::router(),
        sources::router(largest_upload_mib),
        messages::router(),
        verifications::router(),
        registry_keys::router(),
        items::router(),
        quizzes::router(),
        learner_attempts::router(),
        designations::router(),
        credits::router(),
        certificates::router(),
        certificate_settings::router(),
        public::router(),
        clinicians::router(),
        contests::router(),
        keys::router(),
        insight::router(),
        audit::router(),
        logs::router(),
        orgs::router(),
        staff::router(),
        credentials::router(),
    ]
}

pub(crate) fn declared(largest_upload_mib: usize) -> OpenApiRouter<Edge> {
    parts(largest_upload_mib)
        .into_iter()
        .fold(OpenApiRouter::with_openapi(Document::openapi()), OpenApiRouter::merge)
}

/// The contract of a deployment.
pub(crate) fn contract(terms: &Terms) -> Contract {
    let mut document = declared(0).into_openapi();
    let scheme = SecurityScheme::Http(
        Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API token or a learner token"))
            .build(),
    );
    document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    Contract::new(&document, terms)
}

/// The OpenAPI document of a deployment with these terms.
pub fn openapi_of(terms: &Terms) -> serde_json::Value {
    contract(terms).document().clone()
}

/// The OpenAPI document of a deployment whose settings are the usual ones.
pub fn openapi() -> serde_json::Value {
    openapi_of(&Terms::default())
}

/// The routes of the API.
pub(crate) fn router(edge: &Edge) -> Router<Edge> {
    let (api, _) = declared(edge.config.largest_upload_mib).split_for_parts();
    api.layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(edge.clone(), idempotency::layer))
        .layer(from_fn_with_state(edge.clone(), contract::layer))
        .route("/openapi.json", document::route(edge.contract.document()))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
}
