//! Attempts of everyone at a program's quizzes, for staff who read the record.

use axum::extract::State;
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::shapes::{each, listed, shape};
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list))
}

shape! {
    /// A credit offer that an attempt counts for.
    AttemptedOffer of proto::AttemptedOffer {
        #[schema(example = "offer_01k9w0x5c8f3v9q2d7t4m6n8rz")]
        offer_id: String,
        #[schema(example = "AMA PRA Category 1 Credit(s)™")]
        credit_name: String,
        /// The newest credit that was awarded for the attempt under this offer.
        credit_id: Option<String>,
        /// Null when none was awarded.
        #[schema(value_type = Option<values::CreditState>)]
        credit_state: Option<String>,
    }

    /// A learner's attempt as staff see it: how it went, and not what was answered.
    LearnerAttempt of proto::LearnerAttempt {
        #[schema(example = "att_01k9w0x5c8f3v9q2d7t4m6n8rz")]
        id: String,
        /// The learner's pseudonym.
        learner: String,
        /// The name that the learner stated, if one was stated; shown to admins only.
        name: Option<String>,
        form_id: String,
        /// Which quiz of the program it is, counted from 1.
        form_number: i64,
        /// Counts the learner's attempts at this quiz.
        number: i64,
        #[schema(value_type = values::AttemptState)]
        state: String,
        started_at: String = instant,
        submitted_at: Option<String> = rfc3339,
        /// How many questions it has.
        items: i64,
        /// Null while it is under way.
        right_answers: Option<i64>,
        /// Null while it is under way.
        percent: Option<i64>,
        /// What passes.
        threshold_percent: i64,
        /// The credit offers that it counts for, and what was awarded under them.
        offers: Vec<AttemptedOffer> = each,
    }
}

listed! {
    /// A page of attempts, newest first.
    LearnerAttemptPage of LearnerAttempt
        = learner_attempts by credits.list_learner_attempts(proto::ListLearnerAttemptsRequest).attempts
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

impl LearnerAttemptQuery {
    /// The request that asks for them.
    pub(crate) fn of(&self, program: &str) -> proto::ListLearnerAttemptsRequest {
        proto::ListLearnerAttemptsRequest {
            program_id: program.to_owned(),
            state: self.state.map_or("", values::AttemptState::name).to_owned(),
            offer_id: self.offer_id.clone().unwrap_or_default(),
            ..proto::ListLearnerAttemptsRequest::default()
        }
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
    Ok(Json(LearnerAttemptPage::read(&edge, &identity, query.of(&id), &page).await?))
}
