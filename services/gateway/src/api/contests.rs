//! Numbers and licenses that several people state: the admin finds out whose they are.

use axum::extract::State;
use preceptor_proto::credentials::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::clinicians::Clinician;
use super::page::{Page, PageQuery};
use super::shapes::each;
use super::values;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(decide))
}

/// A number or a license that several people state. Until it is decided, each of them is known by their own statement only.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ContestedIdentity {
    #[schema(example = "cont_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    #[schema(value_type = values::ContestedThing)]
    pub(crate) about: String,
    #[schema(value_type = values::ContestState)]
    pub(crate) state: &'static str,
    pub(crate) opened_at: String,
    /// Who states it, as only the admin sees them.
    pub(crate) parties: Vec<Clinician>,
    /// The pseudonym of whose it is; absent when it is no one's of these, and while no one decided.
    pub(crate) upheld: Option<String>,
    pub(crate) reason: String,
    pub(crate) evidence: String,
    pub(crate) decided_by: String,
    pub(crate) decided_at: Option<String>,
}

impl ContestedIdentity {
    /// The name of one of the parties; the pseudonym itself where it belongs to none of them.
    pub(crate) fn name_of<'a>(&'a self, learner: &'a str) -> &'a str {
        self.parties
            .iter()
            .find(|party| party.learner == learner)
            .map_or(learner, |party| party.name.as_str())
    }
}

fn contest_view(row: proto::Contest) -> ContestedIdentity {
    ContestedIdentity {
        id: row.id,
        about: row.about,
        state: if row.decided_at == 0 { "open" } else { "decided" },
        opened_at: instant(row.opened_at),
        parties: each(row.parties),
        upheld: Some(row.upheld).filter(|upheld| !upheld.is_empty()),
        reason: row.reason,
        evidence: row.evidence,
        decided_by: row.decided_by,
        decided_at: rfc3339(row.decided_at),
    }
}

/// A page of contested identities.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContestedIdentityPage {
    pub(crate) data: Vec<ContestedIdentity>,
    pub(crate) next_cursor: Option<String>,
}

/// Whose a number or license is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContestDecision {
    /// The pseudonym of whose it is; left out when it is no one's of those who state it.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(crate) upheld: String,
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "The board answered the query to the address on its record"
    )]
    pub(crate) reason: String,
    /// Where it was looked up and what was seen. It is stored sealed.
    #[schema(
        min_length = 1,
        max_length = 2000,
        example = "Mail of the medical board, 2026-11-24, reference 4711"
    )]
    pub(crate) evidence: String,
}

impl Edge {
    /// Contested identities behind a place, and what the next ones go on behind.
    pub(crate) async fn contests(
        &self,
        identity: &Identity,
        limit: i32,
        after: String,
    ) -> Result<(Vec<ContestedIdentity>, String), ApiError> {
        let request = proto::ListContestsRequest { limit, after };
        let listed = self.credentials.clone().list_contests(identity.request(request)?).await?.into_inner();
        Ok((listed.contests.into_iter().map(contest_view).collect(), listed.next))
    }

    pub(crate) async fn decide_contest(
        &self,
        identity: &Identity,
        id: String,
        decision: ContestDecision,
    ) -> Result<ContestedIdentity, ApiError> {
        let ContestDecision { upheld, reason, evidence } = decision;
        let request = proto::DecideContestRequest { contest_id: id, upheld, reason, evidence };
        Ok(contest_view(
            self.credentials.clone().decide_contest(identity.request(request)?).await?.into_inner(),
        ))
    }
}

/// Lists numbers and licenses that several people state, oldest first.
#[utoipa::path(get, path = "/v1/contested-identities", operation_id = "listContestedIdentities", tag = "Clinicians", params(PageQuery),
    responses((status = 200, body = ContestedIdentityPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    page: Page,
) -> Result<Json<ContestedIdentityPage>, ApiError> {
    let (data, next) = edge.contests(&identity, page.limit, page.after.clone()).await?;
    Ok(Json(ContestedIdentityPage { data, next_cursor: page.next(&edge, &next).await? }))
}

/// Decides whose a number or license is. Who is upheld is known again by what was checked of them, the others are not known
/// by this statement any more. Deciding again mends a mistake.
#[utoipa::path(post, path = "/v1/contested-identities/{id}/decision", operation_id = "decideContestedIdentity", tag = "Clinicians",
    params(("id" = String, Path)), request_body = ContestDecision,
    responses((status = 200, body = ContestedIdentity)))]
async fn decide(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decision): Json<ContestDecision>,
) -> Result<Json<ContestedIdentity>, ApiError> {
    Ok(Json(edge.decide_contest(&identity, id, decision).await?))
}
