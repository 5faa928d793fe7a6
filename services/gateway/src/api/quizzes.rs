//! The learner's side of a quiz: rules before the start, answers, results, evaluation.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::designations::{Offer, offer_view};
use super::items::{Form, form_view};
use super::page::{Page, PageQuery};
use super::values;
use crate::Edge;
use crate::domain::time::instant;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(quiz))
        .routes(routes!(attempts, start))
        .routes(routes!(attempt))
        .routes(routes!(answer))
        .routes(routes!(submit))
        .routes(routes!(feedback))
        .routes(routes!(evaluate))
        .routes(routes!(leaderboard))
}

/// What a learner sees before the start.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Quiz {
    pub(crate) form: Form,
    pub(crate) offers: Vec<Offer>,
    pub(crate) attempts_made: i32,
    pub(crate) evaluation_given: bool,
    pub(crate) leaderboard: bool,
    /// Why no attempt can begin now.
    pub(crate) closed: Option<Closed>,
}

/// Why a quiz is closed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Closed {
    #[schema(example = "RETAKES_USED_UP")]
    pub(crate) code: String,
    pub(crate) message: String,
}

/// An answer to choose, in the order of this attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Choice {
    pub(crate) number: i32,
    pub(crate) text: String,
    /// Whether it is right; shown with the feedback.
    pub(crate) correct: Option<bool>,
}

/// A question in the order of this attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Question {
    pub(crate) position: i32,
    pub(crate) stem: String,
    #[schema(value_type = values::ItemKind)]
    pub(crate) kind: String,
    pub(crate) options: Vec<Choice>,
    /// The number of the chosen option.
    pub(crate) chosen: Option<i32>,
    /// Whether the chosen option is right; shown with the feedback.
    pub(crate) correct: Option<bool>,
    /// Shown with the feedback.
    pub(crate) explanation: String,
    /// Shown with the feedback.
    pub(crate) quote: String,
    /// Why nothing is quoted: the source was retracted or called into doubt since.
    pub(crate) notice: Option<String>,
    /// What the question is about; shown after the attempt was submitted.
    pub(crate) source_id: String,
    pub(crate) source_version_id: String,
}

impl Question {
    /// Whether this is the option that was chosen.
    pub(crate) fn is_chosen(&self, option: &Choice) -> bool {
        self.chosen == Some(option.number)
    }
}

/// A learner's run through a quiz.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Attempt {
    #[schema(example = "att_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    pub(crate) form_id: String,
    pub(crate) number: i32,
    /// The threshold that was shown.
    pub(crate) threshold_percent: i32,
    pub(crate) started_at: String,
    pub(crate) result: Option<AttemptResult>,
    /// Whether the learner gave the evaluation of the activity.
    pub(crate) evaluation_given: bool,
    /// When the right answers are shown: `later`, until the attempt passed or was the last one that the quiz
    /// allows; then `on_request`, at `POST /v1/attempts/{id}/feedback`; and `shown`.
    #[schema(value_type = values::Feedback)]
    pub(crate) feedback: String,
    pub(crate) questions: Vec<Question>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AttemptResult {
    pub(crate) right_answers: i32,
    pub(crate) items: i32,
    pub(crate) percent: i32,
    pub(crate) passed: bool,
    pub(crate) completed_at: String,
}

pub(crate) fn attempt_view(attempt: proto::Attempt) -> Attempt {
    let ended = attempt.completed_at > 0;
    let is_shown = attempt.feedback == "shown";
    let choice = |option: proto::Option| Choice {
        number: option.number,
        text: option.text,
        correct: is_shown.then_some(option.correct),
    };
    let question = |question: proto::Question| Question {
        position: question.position,
        stem: question.stem,
        kind: question.kind,
        options: question.options.into_iter().map(choice).collect(),
        chosen: (question.chosen > 0).then_some(question.chosen),
        correct: is_shown.then_some(question.correct),
        explanation: question.explanation,
        quote: question.quote,
        notice: Some(question.notice).filter(|notice| !notice.is_empty()),
        source_id: question.source_id,
        source_version_id: question.source_version_id,
    };
    Attempt {
        id: attempt.id,
        program_id: attempt.program_id,
        form_id: attempt.form_id,
        number: attempt.number,
        threshold_percent: attempt.threshold,
        started_at: instant(attempt.started_at),
        result: ended.then(|| AttemptResult {
            right_answers: attempt.right_answers,
            items: attempt.items,
            percent: attempt.right_answers * 100 / attempt.items.max(1),
            passed: attempt.passed,
            completed_at: instant(attempt.completed_at),
        }),
        evaluation_given: attempt.evaluation_given,
        feedback: attempt.feedback,
        questions: attempt.questions.into_iter().map(question).collect(),
    }
}

impl Edge {
    pub(crate) async fn quiz(&self, identity: &Identity, program: &str) -> Result<Quiz, ApiError> {
        let request = proto::GetQuizRequest { program_id: program.to_owned() };
        let quiz = self.credits.clone().get_quiz(identity.request(request)?).await?.into_inner();
        Ok(Quiz {
            form: form_view(quiz.form.unwrap_or_default()),
            offers: quiz.offers.into_iter().map(offer_view).collect(),
            attempts_made: quiz.attempts_made,
            evaluation_given: quiz.evaluation_given,
            leaderboard: quiz.leaderboard,
            closed: (!quiz.closed_code.is_empty())
                .then_some(Closed { code: quiz.closed_code, message: quiz.closed_message }),
        })
    }

    /// The newest attempts of the caller before `after`, and what the next ones come after.
    pub(crate) async fn attempts(
        &self,
        identity: &Identity,
        program: &str,
        limit: i32,
        after: &str,
    ) -> Result<(Vec<Attempt>, String), ApiError> {
        let request =
            proto::ListAttemptsRequest { program_id: program.to_owned(), limit, after: after.to_owned() };
        let listed = self.credits.clone().list_attempts(identity.request(request)?).await?.into_inner();
        Ok((listed.attempts.into_iter().map(attempt_view).collect(), listed.next))
    }

    pub(crate) async fn attempt(&self, identity: &Identity, id: &str) -> Result<Attempt, ApiError> {
        let request = proto::GetAttemptRequest { attempt_id: id.to_owned() };
        Ok(attempt_view(self.credits.clone().get_attempt(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn start_attempt(
        &self,
        identity: &Identity,
        program: &str,
        form: String,
    ) -> Result<Attempt, ApiError> {
        let request = proto::StartAttemptRequest { program_id: program.to_owned(), form_id: form };
        Ok(attempt_view(self.credits.clone().start_attempt(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn save_answer(
        &self,
        identity: &Identity,
        id: &str,
        position: i32,
        option: i32,
    ) -> Result<Attempt, ApiError> {
        let request = proto::SaveAnswerRequest { attempt_id: id.to_owned(), position, option };
        Ok(attempt_view(self.credits.clone().save_answer(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn submit_attempt(&self, identity: &Identity, id: &str) -> Result<Attempt, ApiError> {
        let request = proto::SubmitAttemptRequest { attempt_id: id.to_owned() };
        Ok(attempt_view(self.credits.clone().submit_attempt(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn show_feedback(&self, identity: &Identity, id: &str) -> Result<Attempt, ApiError> {
        let request = proto::ShowFeedbackRequest { attempt_id: id.to_owned() };
        Ok(attempt_view(self.credits.clone().show_feedback(identity.request(request)?).await?.into_inner()))
    }

    pub(crate) async fn evaluate(
        &self,
        identity: &Identity,
        program: String,
        ratings: BTreeMap<String, i32>,
        change: String,
    ) -> Result<Evaluation, ApiError> {
        let request =
            proto::EvaluateRequest { program_id: program, ratings: ratings.into_iter().collect(), change };
        let given = self.credits.clone().evaluate(identity.request(request)?).await?.into_inner();
        Ok(Evaluation { id: given.id, program_id: given.program_id, given_at: instant(given.given_at) })
    }
}

/// Shows the rules of the open quiz: threshold, number of questions, retakes, credit.
#[utoipa::path(get, path = "/v1/programs/{id}/quiz", operation_id = "getQuiz", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Quiz)))]
async fn quiz(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Quiz>, ApiError> {
    Ok(Json(edge.quiz(&identity, &id).await?))
}

/// A learner's attempts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptList {
    data: Vec<Attempt>,
    next_cursor: Option<String>,
}

/// Lists your attempts at a program's quizzes, failed ones too.
#[utoipa::path(get, path = "/v1/programs/{id}/attempts", operation_id = "listAttempts", tag = "Quizzes", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = AttemptList)))]
async fn attempts(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<AttemptList>, ApiError> {
    let (data, next) = edge.attempts(&identity, &id, page.limit, &page.after).await?;
    Ok(Json(AttemptList { data, next_cursor: page.next(&edge, &next).await? }))
}

/// An attempt to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAttempt {
    /// The form whose terms were shown to the learner, as `GET /v1/programs/{id}/quiz` names it.
    #[schema(example = "form_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    form_id: String,
}

/// Begins an attempt, or goes on with the one that is under way. When another quiz was opened since its terms were read, it
/// is refused with `QUIZ_CHANGED`: no one is held to a threshold that they were not shown.
#[utoipa::path(post, path = "/v1/programs/{id}/attempts", operation_id = "startAttempt", tag = "Quizzes", params(("id" = String, Path)),
    request_body = NewAttempt, responses((status = 201, body = Attempt)))]
async fn start(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewAttempt>,
) -> Result<Response, ApiError> {
    let attempt = edge.start_attempt(&identity, &id, new.form_id).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, format!("/v1/attempts/{}", attempt.id))], Json(attempt))
        .into_response())
}

/// Reads an attempt of your own.
#[utoipa::path(get, path = "/v1/attempts/{id}", operation_id = "getAttempt", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Attempt)))]
async fn attempt(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Attempt>, ApiError> {
    Ok(Json(edge.attempt(&identity, &id).await?))
}

/// A choice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAnswer {
    /// The number of the option, as this attempt shows it.
    #[schema(example = 2, minimum = 1, maximum = 6)]
    option: i32,
}

/// Keeps a choice; it can be changed until the attempt is submitted.
#[utoipa::path(put, path = "/v1/attempts/{id}/answers/{position}", operation_id = "saveAnswer", tag = "Quizzes",
    params(("id" = String, Path), ("position" = i32, Path, description = "The question, as this attempt counts them")), request_body = NewAnswer,
    responses((status = 200, body = Attempt)))]
async fn answer(
    State(edge): State<Edge>,
    identity: Identity,
    Path((id, position)): Path<(String, i32)>,
    Json(answer): Json<NewAnswer>,
) -> Result<Json<Attempt>, ApiError> {
    Ok(Json(edge.save_answer(&identity, &id, position, answer.option).await?))
}

/// Ends an attempt and scores the stored answers. Again, it answers with the same result.
#[utoipa::path(post, path = "/v1/attempts/{id}/submit", operation_id = "submitAttempt", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Attempt)))]
async fn submit(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Attempt>, ApiError> {
    Ok(Json(edge.submit_attempt(&identity, &id).await?))
}

/// Tells which answers of the last attempt were right. From then on you have seen the key: no other attempt at a quiz of
/// this program can be begun, also when the provider opens another one.
#[utoipa::path(post, path = "/v1/attempts/{id}/feedback", operation_id = "showFeedback", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Attempt)))]
async fn feedback(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Attempt>, ApiError> {
    Ok(Json(edge.show_feedback(&identity, &id).await?))
}

/// Each from 1 (not at all) to 5 (fully).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the ratings; credits knows which are asked for")]
struct Ratings {
    #[schema(minimum = 1, maximum = 5)]
    objectives_met: i32,
    #[schema(minimum = 1, maximum = 5)]
    free_of_bias: i32,
    #[schema(minimum = 1, maximum = 5)]
    will_change_practice: i32,
    #[schema(minimum = 1, maximum = 5)]
    overall: i32,
}

/// What a learner says about an activity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "ratings": { "objectives_met": 5, "free_of_bias": 5, "will_change_practice": 4, "overall": 5 },
    "change": "I check the kidney function before I choose a dose" }))]
pub(crate) struct NewEvaluation {
    /// `objectives_met`, `free_of_bias`, `will_change_practice`, `overall`: each from 1 (not at all) to 5 (fully).
    #[schema(value_type = Ratings)]
    ratings: BTreeMap<String, i32>,
    /// What will change in practice.
    #[serde(default)]
    #[schema(max_length = 2000)]
    change: String,
}

/// An evaluation that was given.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Evaluation {
    #[schema(example = "eval_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    id: String,
    program_id: String,
    given_at: String,
}

/// Gives the evaluation of an activity, once.
#[utoipa::path(post, path = "/v1/programs/{id}/evaluations", operation_id = "evaluateProgram", tag = "Quizzes", params(("id" = String, Path)),
    request_body = NewEvaluation, responses((status = 201, body = Evaluation)))]
async fn evaluate(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewEvaluation>,
) -> Result<Response, ApiError> {
    // What was said is read by no one but in counts: the quiz shows that it was given.
    let location = format!("/v1/programs/{id}/quiz");
    let given = edge.evaluate(&identity, id, new.ratings, new.change).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(given)).into_response())
}

/// A place on the leaderboard, under a pseudonym that cannot be traced to anyone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Place {
    pub(crate) rank: i32,
    #[schema(example = "swift otter 07")]
    pub(crate) name: String,
    pub(crate) percent: i32,
    /// Whether it is yours.
    pub(crate) you: bool,
}

/// The best results.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Leaderboard {
    data: Vec<Place>,
    next_cursor: Option<String>,
}

/// Shows the best results of the open quiz under pseudonyms, if the provider wants them shown and at least three took part.
#[utoipa::path(get, path = "/v1/programs/{id}/leaderboard", operation_id = "getLeaderboard", tag = "Quizzes", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Leaderboard)))]
async fn leaderboard(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<Leaderboard>, ApiError> {
    let places = edge.leaderboard(&identity, &id).await?;
    let (data, next_cursor) =
        page.of(&edge, places, |place| format!("{} {}", place.rank, place.name)).await?;
    Ok(Json(Leaderboard { data, next_cursor }))
}

impl Edge {
    /// The best results of the open quiz.
    pub(crate) async fn leaderboard(
        &self,
        identity: &Identity,
        program: &str,
    ) -> Result<Vec<Place>, ApiError> {
        let request = proto::GetLeaderboardRequest { program_id: program.to_owned() };
        let board = self.credits.clone().get_leaderboard(identity.request(request)?).await?.into_inner();
        let place = |place: proto::Place| Place {
            rank: place.rank,
            name: place.name,
            percent: place.percent,
            you: place.you,
        };
        Ok(board.places.into_iter().map(place).collect())
    }
}
