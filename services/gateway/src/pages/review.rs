//! The review page: the document as it was read, and the decision.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use preceptor_core::{Capability, Fault};
use preceptor_proto::ingestion::v1 as proto;
use serde::Deserialize;

use super::people::People;
use super::source::{View, view};
use super::{Frame, PageError, Visitor, html};
use crate::Edge;
use crate::api::{NLM_NOTICE, Source, source_view};
use crate::error::ApiError;
use crate::extract::{Form, Path, Query};

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    frame: Frame,
    people: People,
    source: Source,
    program_title: String,
    view: View,
    may_write: bool,
    may_decide: bool,
    is_author: bool,
    nlm_notice: &'static str,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leaf {
    page: Option<i32>,
}

#[derive(Deserialize)]
pub(super) struct Decision {
    decision: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn page(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Query(leaf): Query<Leaf>,
) -> Result<Html<String>, PageError> {
    let document = edge.document(&identity, id, String::new()).await?;
    let source = document.source.clone().ok_or_else(|| ApiError::from(Fault::internal()))?;
    html(&ReviewPage {
        frame: Frame::of(&identity),
        people: People::of(&edge, &identity).await?,
        view: view(&document, source.id.clone(), source.version_id.clone(), 0..0, leaf.page),
        program_title: document.program_title,
        may_write: identity.scope.grants(Capability::WriteContent),
        may_decide: identity.scope.grants(Capability::ApproveContent),
        is_author: source.author == identity.scope.subject(),
        nlm_notice: NLM_NOTICE,
        source: source_view(source),
    })
}

pub(super) async fn cancel_reading(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    let request = identity.request(proto::CancelReadingRequest { source_id: id })?;
    let source = edge.ingestion.clone().cancel_reading(request).await?.into_inner();
    Ok(Redirect::to(&format!("/console/programs/{}", source.program_id)))
}

pub(super) async fn submit(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    edge.ingestion
        .clone()
        .submit_source(identity.request(proto::SubmitSourceRequest { source_id: id.clone() })?)
        .await?;
    Ok(Redirect::to(&format!("/console/sources/{id}")))
}

pub(super) async fn decide(
    State(edge): State<Edge>,
    Visitor(identity): Visitor,
    Path(id): Path<String>,
    Form(form): Form<Decision>,
) -> Result<Redirect, PageError> {
    let request = proto::DecideSourceRequest {
        source_id: id.clone(),
        approve: form.decision == "approve",
        reason: form.reason,
    };
    edge.ingestion.clone().decide_source(identity.request(request)?).await?;
    Ok(Redirect::to(&format!("/console/sources/{id}")))
}
