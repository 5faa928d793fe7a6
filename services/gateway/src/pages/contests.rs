//! The admin's page of numbers and licenses that several people state.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::people::People;
use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{ContestDecision, ContestedIdentity, Page};
use crate::error::ApiError;
use crate::extract::{Form, Path};
use crate::identity::Identity;

/// Contests that are shown beside a refusal.
const MOST: i32 = 50;

#[derive(Template)]
#[template(path = "contests.html")]
struct ContestsPage {
    frame: Frame,
    people: People,
    contests: Vec<ContestedIdentity>,
    next: Option<String>,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionForm {
    #[serde(default)]
    upheld: String,
    reason: String,
    evidence: String,
}

/// The page beside a refusal.
async fn refused(edge: &Edge, identity: &Identity, problem: String) -> Result<ContestsPage, ApiError> {
    let (contests, _) = edge.contests(identity, MOST, String::new()).await?;
    let people = People::of(edge, identity).await?;
    Ok(ContestsPage { frame: Frame::of(identity), people, contests, next: None, problem })
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    page: Page,
) -> Result<Html<String>, PageError> {
    let (contests, next) = edge.contests(&identity, page.limit, page.after.clone()).await?;
    let next = page.next(&edge, &next).await?;
    let people = People::of(&edge, &identity).await?;
    html(&ContestsPage { frame: Frame::of(&identity), people, contests, next, problem: String::new() })
}

/// Decides; a refusal that the admin can mend is shown where they were.
pub(super) async fn decide(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, PageError> {
    let decision = ContestDecision { upheld: form.upheld, reason: form.reason, evidence: form.evidence };
    match edge.decide_contest(&identity, id, decision).await {
        Ok(_) => Ok(Redirect::to("/console/contested-identities").into_response()),
        Err(error) if error.code() == "INVALID_FIELD" => {
            let page = refused(&edge, &identity, error.detail().to_owned()).await?;
            Ok((error.status(), html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
