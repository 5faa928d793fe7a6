//! Transcript, credit, and the page that verifies a certificate for anyone.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, Redirect};
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Certificate, Credit, Page};
use crate::extract::{Path, Query};

#[derive(Template)]
#[template(path = "transcript.html")]
struct TranscriptPage {
    frame: Frame,
    own: bool,
    credits: Vec<Credit>,
    /// Leads to older ones.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "credit.html")]
struct CreditPage {
    frame: Frame,
    is_holder: bool,
    credit: Credit,
}

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    frame: Frame,
    code: String,
    certificate: Option<Certificate>,
    problem: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeQuery {
    #[serde(default)]
    code: String,
}

pub(super) async fn transcript(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    page: Page,
) -> Result<Html<String>, PageError> {
    let credits = edge.transcript(&identity, &page).await?;
    let own = !identity.scope.grants(preceptor_core::Capability::ReadAudit);
    html(&TranscriptPage {
        frame: Frame::of(&identity),
        own,
        credits: credits.data,
        next: credits.next_cursor,
    })
}

pub(super) async fn credit(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let credit = edge.credit(&identity, &id).await?;
    html(&CreditPage {
        frame: Frame::of(&identity),
        is_holder: credit.learner == identity.scope.subject(),
        credit,
    })
}

/// Leads from the form to the page of the code.
pub(super) async fn verify_form(
    Query(query): Query<CodeQuery>,
) -> Result<Result<Redirect, Html<String>>, PageError> {
    let code: String = query.code.chars().filter(char::is_ascii_alphanumeric).collect();
    if !code.is_empty() {
        return Ok(Ok(Redirect::to(&format!("/verify/{code}"))));
    }
    let page = VerifyPage { frame: Frame::stranger(), code, certificate: None, problem: String::new() };
    Ok(Err(html(&page)?))
}

pub(super) async fn verify(
    State(edge): State<Edge>,
    Path(code): Path<String>,
) -> Result<axum::response::Response, PageError> {
    use axum::response::IntoResponse as _;
    let (status, certificate, problem) = match edge.look_up(&code).await {
        Ok(certificate) => (StatusCode::OK, Some(certificate), String::new()),
        Err(error) if error.code() == "CERTIFICATE_NOT_FOUND" => {
            (error.status(), None, error.detail().to_owned())
        }
        Err(error) => return Err(error.into()),
    };
    Ok((status, html(&VerifyPage { frame: Frame::stranger(), code, certificate, problem })?).into_response())
}
