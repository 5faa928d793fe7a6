//! The admin's page of what holds for all certificates: their paper, and the names that they cannot show.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use serde::Deserialize;

use super::people::People;
use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::values::PaperSetting;
use crate::api::{CertificateSettings, NewCertificateSettings};
use crate::extract::Form;

#[derive(Template)]
#[template(path = "certificates.html")]
struct CertificatesPage {
    frame: Frame,
    people: People,
    settings: CertificateSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingsForm {
    paper: PaperSetting,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
) -> Result<Html<String>, PageError> {
    let settings = edge.certificate_settings(&identity).await?;
    let people = People::of(&edge, &identity).await?;
    html(&CertificatesPage { frame: Frame::of(&identity), people, settings })
}

pub(super) async fn choose(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Form(form): Form<SettingsForm>,
) -> Result<Redirect, PageError> {
    edge.set_certificate_settings(&identity, NewCertificateSettings { paper: form.paper }).await?;
    Ok(Redirect::to("/console/certificates"))
}
