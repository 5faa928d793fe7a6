//! What a learner states about themselves, and the code that proves their address.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Clinician, PROFESSIONS, Statement};
use crate::error::ApiError;
use crate::extract::Form;
use crate::identity::Identity;

#[derive(Template)]
#[template(path = "clinician.html")]
struct ClinicianPage {
    frame: Frame,
    clinician: Clinician,
    professions: &'static [&'static str],
    problem: String,
    notice: String,
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: String,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
) -> Result<Html<String>, PageError> {
    html(&shown(&edge, &identity, String::new(), String::new()).await?)
}

async fn shown(
    edge: &Edge,
    identity: &Identity,
    problem: String,
    notice: String,
) -> Result<ClinicianPage, PageError> {
    let clinician = edge.clinician(identity).await?;
    Ok(ClinicianPage { frame: Frame::of(identity), clinician, professions: &PROFESSIONS, problem, notice })
}

/// A refusal that the person can mend is shown where they were.
async fn answered(
    edge: &Edge,
    identity: &Identity,
    outcome: Result<Clinician, ApiError>,
    notice: &str,
) -> Result<Response, PageError> {
    match outcome {
        Ok(_) if notice.is_empty() => Ok(Redirect::to("/me/clinician").into_response()),
        Ok(_) => Ok(html(&shown(edge, identity, String::new(), notice.to_owned()).await?)?.into_response()),
        Err(error) if error.status().is_client_error() => {
            let page = shown(edge, identity, error.detail().to_owned(), String::new()).await?;
            Ok((error.status(), html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn state(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(form): Form<Statement>,
) -> Result<Response, PageError> {
    let outcome = edge.state_clinician(&identity, form).await;
    answered(&edge, &identity, outcome, "").await
}

pub(super) async fn send_code(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
) -> Result<Response, PageError> {
    let outcome = edge.send_email_code(&identity).await;
    answered(
        &edge,
        &identity,
        outcome,
        "A code is on its way to your address. It can be used for 15 minutes.",
    )
    .await
}

pub(super) async fn confirm(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(form): Form<CodeForm>,
) -> Result<Response, PageError> {
    let outcome = edge.confirm_email(&identity, form.code).await;
    answered(&edge, &identity, outcome, "").await
}
