//! The admin's page on which a program is designated for credit, with what the levels of a credential mean.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use preceptor_core::Capability;
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Accreditation, NewOffer, Offer};
use crate::error::ApiError;
use crate::extract::{Form, Path};
use crate::identity::Identity;

#[derive(Template)]
#[template(path = "offers.html")]
struct OffersPage {
    frame: Frame,
    program_id: String,
    title: String,
    offers: Vec<Offer>,
    accreditations: Vec<Accreditation>,
    may_designate: bool,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Designation {
    accreditation_id: String,
    credit_type: String,
    activity_format: String,
    maximum: f64,
    terminates_at: String,
    minimum_level: Option<i32>,
    #[serde(default)]
    evaluation_required: Option<String>,
    #[serde(default)]
    activity_number: String,
    #[serde(default)]
    joint_providers: String,
    #[serde(default)]
    moc_statements: String,
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

async fn shown(
    edge: &Edge,
    identity: &Identity,
    id: String,
    problem: String,
) -> Result<OffersPage, ApiError> {
    let title = edge.program(identity, &id).await?.title;
    Ok(OffersPage {
        frame: Frame::of(identity),
        title,
        offers: edge.offers(identity, &id).await?,
        accreditations: edge.accreditations(identity).await?,
        may_designate: identity.scope.grants(Capability::Administer),
        problem,
        program_id: id,
    })
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    html(&shown(&edge, &identity, id, String::new()).await?)
}

/// Designates; a refusal that the admin can mend is shown where they were.
pub(super) async fn designate(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Designation>,
) -> Result<Response, PageError> {
    let new = NewOffer {
        credit_type: form.credit_type,
        activity_format: form.activity_format,
        maximum: form.maximum,
        terminates_at: form.terminates_at,
        evaluation_required: form.evaluation_required.is_some(),
        minimum_level: form.minimum_level,
        accreditation_id: form.accreditation_id,
        activity_number: form.activity_number,
        joint_providers: lines(&form.joint_providers),
        moc_statements: lines(&form.moc_statements),
        ..NewOffer::default()
    };
    match edge.designate(&identity, id.clone(), new).await {
        Ok(_) => Ok(Redirect::to(&format!("/console/programs/{id}/offers")).into_response()),
        Err(error)
            if error.status().is_client_error() && ![401, 403, 404].contains(&error.status().as_u16()) =>
        {
            let page = shown(&edge, &identity, id, error.detail().to_owned()).await?;
            Ok((error.status(), html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
