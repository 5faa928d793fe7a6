//! Attempts of everyone at a program's quizzes, for staff who read the record.

use axum::extract::State;
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A credit offer that an attempt counts for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AttemptedOffer {
    #[schema(example = "offer_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) offer_id: String,
    #[schema(example = "AMA PRA Category 1 Credit(s)™")]
    pub(crate) credit_name: String,
    /// The newest credit that was awarded for the attempt under this offer.
    pub(crate) credit_id: Option<String>,
    /// Null when none was awarded.
    #[schema(value_type = Option<values::CreditState>)]
    pub(crate) credit_state: Option<String>,
}

/// A learner's attempt as staff see it: how it went, and not what was answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LearnerAttempt {
    #[schema(example = "att_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    /// The learner's pseudonym.
    pub(crate) learner: String,
    /// The name that the learner stated, if one was stated; shown to admins only.
    pub(crate) name: Option<String>,
    pub(crate) form_id: String,
    /// Which quiz of the program it is, counted from 1.
    pub(crate) form_number: i64,
    /// Counts the learner's attempts at this quiz.
    pub(crate) number: i64,
    #[schema(value_type = values::AttemptState)]
    pub(crate) state: String,
    pub(crate) started_at: String,
    pub(crate) submitted_at: Option<String>,
    /// How many questions it has.
    pub(crate) items: i64,
    /// Null while it is under way.
    pub(crate) right_answers: Option<i64>,
    /// Null while it is under way.
    pub(crate) percent: Option<i64>,
    /// What passes.
    pub(crate) threshold_percent: i64,
    /// The credit offers that it counts for, and what was awarded under them.
    pub(crate) offers: Vec<AttemptedOffer>,
}

fn attempted_offer_view(offer: proto::AttemptedOffer) -> AttemptedOffer {
    AttemptedOffer {
        offer_id: offer.offer_id,
        credit_name: offer.credit_name,
        credit_id: offer.credit_id,
        credit_state: offer.credit_state,
    }
}

fn learner_attempt_view(attempt: proto::LearnerAttempt) -> LearnerAttempt {
    LearnerAttempt {
        id: attempt.id,
        learner: attempt.learner,
        name: attempt.name,
        form_id: attempt.form_id,
        form_number: attempt.form_number,
        number: attempt.number,
        state: attempt.state,
        started_at: instant(attempt.started_at),
        submitted_at: rfc3339(attempt.submitted_at),
        items: attempt.items,
        right_answers: attempt.right_answers,
        percent: attempt.percent,
        threshold_percent: attempt.threshold_percent,
        offers: attempt.offers.into_iter().map(attempted_offer_view).collect(),
    }
}

/// A page of attempts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LearnerAttemptPage {
    pub(crate) data: Vec<LearnerAttempt>,
    pub(crate) next_cursor: Option<String>,
}

/// Which attempts.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LearnerAttemptQuery {
    /// Those in this state only.
    #[param(inline)]
    pub(crate) state: Option<values::AttemptState>,
    /// Those that count for this credit offer only: about the sources that it counts, and not submitted outside of its time.
    pub(crate) offer_id: Option<String>,
}

impl Edge {
    /// Attempts of everyone at the quizzes of a program.
    pub(crate) async fn learner_attempts(
        &self,
        identity: &Identity,
        program: &str,
        query: &LearnerAttemptQuery,
        page: &Page,
    ) -> Result<LearnerAttemptPage, ApiError> {
        let request = proto::ListLearnerAttemptsRequest {
            program_id: program.to_owned(),
            state: query.state.map_or("", values::AttemptState::name).to_owned(),
            offer_id: query.offer_id.clone().unwrap_or_default(),
            limit: page.limit,
            after: page.after.clone(),
        };
        let listed =
            self.credits.clone().list_learner_attempts(identity.request(request)?).await?.into_inner();
        Ok(LearnerAttemptPage {
            next_cursor: page.next(self, &listed.next).await?,
            data: listed.attempts.into_iter().map(learner_attempt_view).collect(),
        })
    }
}

/// Lists the attempts of everyone at a program's quizzes, newest first, for staff who read the record. Who reads it is on
/// record.
#[utoipa::path(get, path = "/v1/programs/{id}/learner-attempts", operation_id = "listLearnerAttempts", tag = "Quizzes",
    params(("id" = String, Path), LearnerAttemptQuery, PageQuery), responses((status = 200, body = LearnerAttemptPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<LearnerAttemptQuery>,
    page: Page,
) -> Result<Json<LearnerAttemptPage>, ApiError> {
    Ok(Json(edge.learner_attempts(&identity, &id, &query, &page).await?))
}
