//! The pages: plain HTML that works without scripts where it can, made better by small modules where they run.

mod certificates;
mod chat;
mod clinician;
mod console;
mod contests;
mod credit;
mod failure;
mod files;
mod history;
mod items;
mod learner_attempts;
mod offers;
mod people;
mod public;
mod quiz;
mod reference;
mod review;
mod session;
mod source;
mod staff;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::response::Html;
use axum::routing::{get, post};
use preceptor_core::{Capability, Fault};

use crate::Edge;
use crate::identity::Identity;

pub(crate) use failure::PageError;

/// The routes of the pages.
pub(crate) fn router(edge: &Edge) -> Router<Edge> {
    let largest = (edge.config.largest_upload_mib << 20) + (1 << 20);
    Router::new()
        .route("/", get(session::home))
        .route("/sign-in", get(session::form).post(session::sign_in))
        .route("/sign-in/who", post(session::who))
        .route("/sign-out", post(session::sign_out))
        .route("/programs/{id}", get(chat::page).post(chat::ask))
        .route("/programs/{id}/quiz", get(quiz::page).post(quiz::start))
        .route("/programs/{id}/evaluation", post(quiz::evaluate))
        .route("/attempts/{id}", get(quiz::attempt).post(quiz::answer))
        .route("/attempts/{id}/claim", post(quiz::claim))
        .route("/attempts/{id}/feedback", post(quiz::feedback))
        .route("/credits", get(credit::transcript))
        .route("/credits/{id}", get(credit::credit))
        .route("/credits/{id}/history", get(history::page))
        .route("/verify", get(credit::verify_form))
        .route("/verify/{code}", get(credit::verify))
        .route("/activities/{code}", get(public::activity))
        .route("/activities/{code}/badge.svg", get(public::badge_image))
        .route("/issuers/{code}", get(public::issuer))
        .route("/me/clinician", get(clinician::page).post(clinician::state))
        .route("/me/clinician/code", post(clinician::send_code))
        .route("/me/clinician/confirm", post(clinician::confirm))
        .route("/sources/{id}", get(source::page))
        .route("/console", get(console::programs).post(console::create))
        .route("/console/programs/{id}", get(console::program))
        .route("/console/programs/{id}/objectives", post(console::set_objectives))
        .route("/console/programs/{id}/sources", post(console::upload).layer(DefaultBodyLimit::max(largest)))
        .route("/console/programs/{id}/publish", post(console::publish))
        .route("/console/programs/{id}/withdraw", post(console::withdraw))
        .route("/console/programs/{id}/items", get(items::page).post(items::generate))
        .route("/console/programs/{id}/quiz", post(items::freeze))
        .route("/console/programs/{id}/learner-attempts", get(learner_attempts::page))
        .route("/console/programs/{id}/offers", get(offers::page).post(offers::designate))
        .route("/console/items/{id}/decision", post(items::decide))
        .route("/console/sources/{id}/verification", post(items::verify))
        .route("/console/tasks/{id}/close", post(items::close_task))
        .route("/console/contested-identities", get(contests::page))
        .route("/console/contested-identities/{id}/decision", post(contests::decide))
        .route("/console/sources/{id}", get(review::page))
        .route("/console/generations/{id}/cancel", post(items::cancel))
        .route("/console/sources/{id}/cancel-reading", post(review::cancel_reading))
        .route("/console/sources/{id}/submit", post(review::submit))
        .route("/console/sources/{id}/decision", post(review::decide))
        .route("/console/certificates", get(certificates::page).post(certificates::choose))
        .route("/console/staff", get(staff::page).post(staff::invite))
        .route("/console/staff/{id}", post(staff::change))
        .route("/console/staff/{id}/link", post(staff::send_link))
        .route("/console/credentials", post(staff::create_credential))
        .route("/console/credentials/{id}/revoke", post(staff::revoke))
        .route("/reference", get(reference::page))
        .route("/errors", get(reference::codes))
        .route("/errors/{code}", get(reference::code))
        .route("/static/{file}", get(files::serve))
        .fallback(failure::not_found)
}

/// Renders a template.
pub(crate) fn html(template: &impl Template) -> Result<Html<String>, PageError> {
    template.render().map(Html).map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        PageError::from(Fault::internal())
    })
}

/// Who looks at a page. Without a session it leads to the sign-in page.
#[derive(Debug)]
pub(crate) struct Visitor(pub(crate) Identity);

impl FromRequestParts<Edge> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, PageError> {
        let identity = Identity::from_request_parts(parts, edge).await?;
        Ok(Self(identity))
    }
}

/// What the frame of every page shows of the visitor.
#[derive(Debug)]
pub(crate) struct Frame {
    name: String,
    staff: bool,
    admin: bool,
    known: bool,
}

impl Frame {
    fn of(identity: &Identity) -> Self {
        let staff =
            identity.scope.grants(Capability::ReadContent) || identity.scope.grants(Capability::ReadInsight);
        let admin = identity.scope.grants(Capability::Administer);
        Self { name: identity.display_name.clone(), staff, admin, known: true }
    }

    /// A page that needs no session.
    const fn stranger() -> Self {
        Self { name: String::new(), staff: false, admin: false, known: false }
    }
}
