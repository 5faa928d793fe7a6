//! The learner's way through a quiz: rules, questions, result, evaluation, claim.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{Attempt, Credit, Offer, Place, Quiz};
use crate::error::ApiError;
use crate::extract::{Form, Path};
use crate::identity::Identity;

/// Attempts that the page of a quiz shows: the newest ones.
const SHOWN_ATTEMPTS: i32 = 50;

#[derive(Template)]
#[template(path = "quiz.html")]
struct QuizPage {
    frame: Frame,
    program_id: String,
    title: String,
    quiz: Quiz,
    attempts: Vec<Attempt>,
    /// Empty where the provider shows none, or too few took part.
    places: Vec<Place>,
    problem: String,
}

#[derive(Template)]
#[template(path = "attempt.html")]
struct AttemptPage {
    frame: Frame,
    title: String,
    attempt: Attempt,
    offers: Vec<Claimable>,
    evaluation_given: bool,
    problem: String,
}

/// An offer with the amounts that can be claimed of it, and the credit that was claimed before.
struct Claimable {
    offer: Offer,
    amounts: Vec<f64>,
    credit: Option<Credit>,
}

/// The answers of a form by the name of their field, and which button was pressed.
#[derive(Deserialize)]
pub(super) struct Answers {
    #[serde(flatten)]
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct Begin {
    form_id: String,
}

#[derive(Deserialize)]
pub(super) struct Claim {
    offer_id: String,
    amount: f64,
}

#[derive(Deserialize)]
pub(super) struct Evaluation {
    objectives_met: i32,
    free_of_bias: i32,
    will_change_practice: i32,
    overall: i32,
    #[serde(default)]
    change: String,
    attempt_id: String,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    html(&quiz_page(&edge, &identity, id, String::new()).await?)
}

async fn quiz_page(
    edge: &Edge,
    identity: &Identity,
    id: String,
    problem: String,
) -> Result<QuizPage, ApiError> {
    let title = edge.program(identity, &id).await?.title;
    let quiz = edge.quiz(identity, &id).await?;
    // Anyone who tries the page out on a learner's behalf has no attempts.
    let attempts = if identity.scope.acting().is_some() {
        Vec::new()
    } else {
        edge.attempts(identity, &id, SHOWN_ATTEMPTS, "").await?.0
    };
    let places = if quiz.leaderboard { edge.leaderboard(identity, &id).await? } else { Vec::new() };
    Ok(QuizPage { frame: Frame::of(identity), program_id: id, title, quiz, attempts, places, problem })
}

/// Begins with the terms that the page showed; with others, it shows those first.
pub(super) async fn start(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(begin): Form<Begin>,
) -> Result<Response, PageError> {
    match edge.start_attempt(&identity, &id, begin.form_id).await {
        Ok(attempt) => Ok(Redirect::to(&format!("/attempts/{}", attempt.id)).into_response()),
        Err(error) if error.code() == "QUIZ_CHANGED" => {
            let page = quiz_page(&edge, &identity, id, error.detail().to_owned()).await?;
            Ok((error.status(), html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn attempt(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    html(&attempt_page(&edge, &identity, &id, String::new()).await?)
}

async fn attempt_page(
    edge: &Edge,
    identity: &Identity,
    id: &str,
    problem: String,
) -> Result<AttemptPage, ApiError> {
    let attempt = edge.attempt(identity, id).await?;
    let offers = edge.offers(identity, &attempt.program_id).await?;
    let title = match edge.program(identity, &attempt.program_id).await {
        Ok(program) => program.title,
        // What a learner did stays theirs when the program is withdrawn.
        Err(error) if error.code() == "PROGRAM_NOT_FOUND" => offers
            .first()
            .map_or_else(|| "A program that was withdrawn".to_owned(), |offer| offer.activity_title.clone()),
        Err(error) => return Err(error),
    };
    let held = edge.own_credits(identity, &attempt.program_id).await?;
    let claimable = |offer: Offer| Claimable {
        amounts: (1..=(offer.maximum * 4.0) as i32).rev().map(|quarters| f64::from(quarters) / 4.0).collect(),
        credit: held.iter().find(|credit| credit.offer_id == offer.id && credit.state == "live").cloned(),
        offer,
    };
    Ok(AttemptPage {
        frame: Frame::of(identity),
        title,
        offers: offers.into_iter().map(claimable).collect(),
        evaluation_given: attempt.evaluation_given,
        attempt,
        problem,
    })
}

/// Keeps what was chosen, and ends the attempt when that was asked for. Nothing chosen is lost when questions are open.
pub(super) async fn answer(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(answers): Form<Answers>,
) -> Result<Html<String>, PageError> {
    for (field, value) in &answers.fields {
        let Some(position) = field.strip_prefix('q').and_then(|number| number.parse().ok()) else { continue };
        let Ok(option) = value.parse() else { continue };
        edge.save_answer(&identity, &id, position, option).await?;
    }
    if answers.fields.get("action").map(String::as_str) != Some("submit") {
        return html(
            &attempt_page(
                &edge,
                &identity,
                &id,
                "Your answers are kept. Submit them when you are done.".into(),
            )
            .await?,
        );
    }
    let problem = match edge.submit_attempt(&identity, &id).await {
        Ok(_) => String::new(),
        Err(error) if error.code() == "QUIZ_INCOMPLETE" => error.detail().to_owned(),
        Err(error) => return Err(error.into()),
    };
    html(&attempt_page(&edge, &identity, &id, problem).await?)
}

/// Shows which answers of the last attempt were right.
pub(super) async fn feedback(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    edge.show_feedback(&identity, &id).await?;
    Ok(Redirect::to(&format!("/attempts/{id}")))
}

pub(super) async fn evaluate(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(given): Form<Evaluation>,
) -> Result<Redirect, PageError> {
    let ratings = [
        ("objectives_met", given.objectives_met),
        ("free_of_bias", given.free_of_bias),
        ("will_change_practice", given.will_change_practice),
        ("overall", given.overall),
    ];
    let ratings = ratings.into_iter().map(|(name, rating)| (name.to_owned(), rating)).collect();
    edge.evaluate(&identity, id, ratings, given.change).await?;
    Ok(Redirect::to(&format!("/attempts/{}", given.attempt_id)))
}

/// Claims; a refusal that the learner can mend is shown where they claimed.
pub(super) async fn claim(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(claim): Form<Claim>,
) -> Result<Response, PageError> {
    match edge.claim(&identity, id.clone(), claim.offer_id, claim.amount).await {
        Ok((credit, _)) => Ok(Redirect::to(&format!("/credits/{}", credit.id)).into_response()),
        Err(error) if error.status().is_client_error() && error.code() != "ATTEMPT_NOT_FOUND" => {
            let page = attempt_page(&edge, &identity, &id, error.detail().to_owned()).await?;
            Ok((error.status(), html(&page)?).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
