//! Questions by objective, and counts, for the provider's own staff.

use std::collections::HashMap;

use axum::extract::State;
use preceptor_proto::alignment::v1 as alignment;
use preceptor_proto::analytics::v1 as analytics;
use preceptor_proto::answering::v1 as answering;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::view::{Message, alignment_view, message_view};
use crate::Edge;
use crate::domain::time::rfc3339;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(report))
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagePage {
    pub(crate) data: Vec<Message>,
    pub(crate) next_cursor: Option<String>,
}

/// Something that was counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    pub(crate) key: String,
    pub(crate) count: i64,
}

/// Counts of a program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Report {
    pub(crate) program_id: String,
    pub(crate) messages: i64,
    pub(crate) answered: i64,
    /// Questions to which the closest passages were shown instead of an answer.
    pub(crate) closest: i64,
    pub(crate) refused: i64,
    /// How many learners asked.
    pub(crate) learners: i64,
    pub(crate) refusals_by_code: Vec<Count>,
    /// By objective id; `none` for messages that fit no objective.
    pub(crate) messages_by_objective: Vec<Count>,
    pub(crate) citations_by_source: Vec<Count>,
    pub(crate) as_of: Option<String>,
}

fn counts(counts: Vec<analytics::Count>) -> Vec<Count> {
    counts.into_iter().map(|count| Count { key: count.key, count: count.count }).collect()
}

impl Edge {
    /// Messages of a program with their objectives, newest first.
    pub(crate) async fn messages(
        &self,
        identity: &Identity,
        program: &str,
        limit: i32,
        after: String,
    ) -> Result<(Vec<Message>, String), ApiError> {
        let request = answering::ListMessagesRequest { program_id: program.to_owned(), limit, after };
        let listed = self.answering.clone().list_messages(identity.request(request)?).await?.into_inner();
        let request = alignment::ListAlignmentsRequest {
            program_id: program.to_owned(),
            message_ids: listed.messages.iter().map(|message| message.id.clone()).collect(),
            limit,
            after: String::new(),
        };
        let classified = if listed.messages.is_empty() {
            Vec::new()
        } else {
            self.alignment
                .clone()
                .list_alignments(identity.request(request)?)
                .await?
                .into_inner()
                .classifications
        };
        let mut by_message: HashMap<String, _> =
            classified.into_iter().map(|row| (row.message_id.clone(), row)).collect();
        let data = listed.messages.into_iter().map(|message| {
            let alignment = by_message.remove(&message.id).map(alignment_view);
            message_view(message, alignment)
        });
        Ok((data.collect(), listed.next))
    }

    /// Counts of a program.
    pub(crate) async fn report(&self, identity: &Identity, program: &str) -> Result<Report, ApiError> {
        let request = analytics::GetProgramReportRequest { program_id: program.to_owned() };
        let report =
            self.analytics.clone().get_program_report(identity.request(request)?).await?.into_inner();
        Ok(Report {
            program_id: report.program_id,
            messages: report.messages,
            answered: report.answered,
            closest: report.closest,
            refused: report.refused,
            learners: report.learners,
            refusals_by_code: counts(report.refusals_by_code),
            messages_by_objective: counts(report.messages_by_objective),
            citations_by_source: counts(report.citations_by_source),
            as_of: rfc3339(report.as_of),
        })
    }
}

/// Lists the questions that were asked in a program, newest first, with their objectives.
#[utoipa::path(get, path = "/v1/programs/{id}/messages", operation_id = "listMessages", tag = "Insight", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = MessagePage)))]
pub(super) async fn messages(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    page: Page,
) -> Result<Json<MessagePage>, ApiError> {
    edge.program(&identity, &id).await?;
    let (data, next) = edge.messages(&identity, &id, page.limit, page.after.clone()).await?;
    Ok(Json(MessagePage { data, next_cursor: page.next(&edge, &next).await? }))
}

/// Counts questions by their outcome, refusals, learners, objectives and citations of a program.
#[utoipa::path(get, path = "/v1/programs/{id}/report", operation_id = "getReport", tag = "Insight", params(("id" = String, Path)),
    responses((status = 200, body = Report)))]
async fn report(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Report>, ApiError> {
    edge.program(&identity, &id).await?;
    Ok(Json(edge.report(&identity, &id).await?))
}
