//! The editor's item bank, verification of sources, and tasks.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use preceptor_core::Capability;
use preceptor_proto::ingestion::v1 as ingestion;
use serde::Deserialize;

use super::people::People;
use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Generation, Item, NewForm, NewVerification, Offer, Page, Quiz, Wanted};
use crate::error::ApiError;
use crate::extract::{Form, Path, Query};
use crate::identity::Identity;

const ITEMS: i32 = 100;

#[derive(Template)]
#[template(path = "items.html")]
struct ItemsPage {
    frame: Frame,
    people: People,
    program_id: String,
    title: String,
    may_write: bool,
    may_decide: bool,
    subject: String,
    /// `draft`, `approved` or `rejected`: which items are shown.
    state: String,
    items: Vec<Item>,
    /// Leads to more items of that state.
    next: Option<String>,
    /// The request for drafts that the visitor waits for.
    generation: Option<Generation>,
    /// How many items are approved, and `+` where there are more.
    approved: String,
    quiz: Option<Quiz>,
    offers: Vec<Offer>,
}

#[derive(Deserialize)]
pub(super) struct Count {
    count: i32,
}

#[derive(Deserialize)]
pub(super) struct Decision {
    decision: String,
    #[serde(default)]
    reason: String,
    program_id: String,
}

#[derive(Deserialize)]
pub(super) struct Terms {
    threshold_percent: i32,
    most_attempts: i32,
    #[serde(default)]
    leaderboard: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Verification {
    #[serde(default)]
    identifier: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    statement: String,
}

#[derive(Deserialize)]
pub(super) struct Outcome {
    outcome: String,
    program_id: String,
}

fn back(program: &str) -> Redirect {
    Redirect::to(&format!("/console/programs/{program}/items"))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    generation: Option<String>,
    state: Option<String>,
    #[serde(rename = "cursor")]
    _cursor: Option<String>,
}

/// The items of the state that was asked for; else what waits for a decision, or what is approved where nothing waits.
async fn bank(
    edge: &Edge,
    identity: &Identity,
    (program, page): (&str, &Page),
    asked: &Asked,
    approved: (Vec<Item>, String),
) -> Result<Shown, ApiError> {
    let (state, (items, next)) = if let Some(state) = &asked.state {
        (state.clone(), edge.items(identity, program, state, ITEMS, page.after.clone()).await?)
    } else {
        let drafts = edge.items(identity, program, "draft", ITEMS, String::new()).await?;
        if drafts.0.is_empty() { ("approved".to_owned(), approved) } else { ("draft".to_owned(), drafts) }
    };
    // The link to more names the state: the cursor is good for that address.
    let next = page.filtered(&[("state", &state)]).next(edge, &next).await?;
    Ok(Shown { state, items, next })
}

/// The items that are shown.
struct Shown {
    state: String,
    items: Vec<Item>,
    next: Option<String>,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    page: Page,
) -> Result<Html<String>, PageError> {
    let generation = match &asked.generation {
        Some(generation) => Some(edge.generation(&identity, generation.clone()).await?),
        None => None,
    };
    let title = edge.program(&identity, &id).await?.title;
    let approved = edge.items(&identity, &id, "approved", ITEMS, String::new()).await?;
    let count = format!("{}{}", approved.0.len(), if approved.1.is_empty() { "" } else { "+" });
    let shown = bank(&edge, &identity, (&id, &page), &asked, approved).await?;
    let quiz = match edge.quiz(&identity, &id).await {
        Ok(quiz) => Some(quiz),
        Err(error) if error.code() == "QUIZ_NOT_FOUND" => None,
        Err(error) => return Err(error.into()),
    };
    html(&ItemsPage {
        frame: Frame::of(&identity),
        people: People::of(&edge, &identity).await?,
        title,
        may_write: identity.scope.grants(Capability::WriteContent),
        may_decide: identity.scope.grants(Capability::ApproveContent),
        subject: identity.scope.subject().to_owned(),
        approved: count,
        state: shown.state,
        items: shown.items,
        next: shown.next,
        generation,
        quiz,
        offers: edge.offers(&identity, &id).await?,
        program_id: id,
    })
}

pub(super) async fn generate(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(wanted): Form<Count>,
) -> Result<Redirect, PageError> {
    let wanted = Wanted { count: wanted.count, ..Wanted::default() };
    let asked = edge.generate_items(&identity, id.clone(), wanted).await?;
    Ok(Redirect::to(&format!("/console/programs/{id}/items?generation={}", asked.id)))
}

pub(super) async fn cancel(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let ended = edge.cancel_generation(&identity, id).await?;
    Ok(Redirect::to(&format!("/console/programs/{}/items?generation={}", ended.program_id, ended.id)))
}

pub(super) async fn decide(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Result<Redirect, PageError> {
    edge.decide_item(&identity, id.clone(), form.decision == "approve", form.reason).await?;
    Ok(Redirect::to(&format!("/console/programs/{}/items#{id}", form.program_id)))
}

pub(super) async fn freeze(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(terms): Form<Terms>,
) -> Result<Redirect, PageError> {
    let new = NewForm {
        threshold_percent: terms.threshold_percent,
        most_attempts: Some(terms.most_attempts),
        leaderboard: terms.leaderboard.is_some(),
        ..NewForm::default()
    };
    edge.freeze(&identity, id.clone(), new).await?;
    Ok(back(&id))
}

pub(super) async fn verify(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Verification>,
) -> Result<Redirect, PageError> {
    let new = if form.statement.trim().is_empty() {
        NewVerification::of_identifier(&form.identifier)
    } else {
        NewVerification::of_statement(form.class, form.statement)
    };
    edge.verify_source(&identity, id.clone(), new).await?;
    Ok(Redirect::to(&format!("/console/sources/{id}")))
}

pub(super) async fn close_task(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Outcome>,
) -> Result<Redirect, PageError> {
    let request = ingestion::CloseTaskRequest { task_id: id, outcome: form.outcome };
    edge.ingestion.clone().close_task(identity.request(request)?).await?;
    Ok(Redirect::to(&format!("/console/programs/{}", form.program_id)))
}
