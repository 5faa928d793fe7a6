//! The item bank, and frozen quizzes.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use preceptor_proto::credits::v1 as proto;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, PageQuery};
use super::values;
use super::view::WorkProblem;
use crate::Edge;
use crate::domain::time::{instant, rfc3339};
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::identity::Identity;

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(list, write))
        .routes(routes!(generate))
        .routes(routes!(generation))
        .routes(routes!(cancel_generation))
        .routes(routes!(decide))
        .routes(routes!(freeze))
}

/// An answer to choose.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemOption {
    #[schema(example = "5 mg", min_length = 1, max_length = 500)]
    pub(crate) text: String,
    pub(crate) correct: bool,
}

/// A passage that an item is bound to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ItemPassage {
    pub(crate) passage_id: String,
    /// Verbatim from the passage: what answers the item.
    pub(crate) quote: String,
}

/// The newest version of an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Item {
    #[schema(example = "item_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) version_id: String,
    pub(crate) version_number: i64,
    pub(crate) program_id: String,
    pub(crate) source_id: String,
    pub(crate) source_version_id: String,
    #[schema(value_type = values::ItemKind)]
    pub(crate) kind: String,
    #[schema(value_type = values::Difficulty)]
    pub(crate) difficulty: String,
    pub(crate) stem: String,
    pub(crate) options: Vec<ItemOption>,
    pub(crate) explanation: String,
    pub(crate) passages: Vec<ItemPassage>,
    /// `extractive` for those made from the text, `hand` for those written.
    #[schema(value_type = values::ItemOrigin)]
    pub(crate) origin: String,
    pub(crate) author: String,
    pub(crate) sha256: String,
    #[schema(value_type = values::ItemState)]
    pub(crate) state: String,
    pub(crate) reviewer: String,
    pub(crate) reason: String,
    pub(crate) created_at: String,
    pub(crate) decided_at: Option<String>,
}

pub(crate) fn item_view(item: proto::Item) -> Item {
    let option = |option: proto::Option| ItemOption { text: option.text, correct: option.correct };
    let passage =
        |passage: proto::ItemPassage| ItemPassage { passage_id: passage.passage_id, quote: passage.quote };
    Item {
        id: item.id,
        version_id: item.version_id,
        version_number: item.version_number,
        program_id: item.program_id,
        source_id: item.source_id,
        source_version_id: item.source_version_id,
        kind: item.kind,
        difficulty: item.difficulty,
        stem: item.stem,
        options: item.options.into_iter().map(option).collect(),
        explanation: item.explanation,
        passages: item.passages.into_iter().map(passage).collect(),
        origin: item.origin,
        author: item.author,
        sha256: item.sha256,
        state: item.state,
        reviewer: item.reviewer,
        reason: item.reason,
        created_at: instant(item.created_at),
        decided_at: rfc3339(item.decided_at),
    }
}

/// Items to make from verified sources.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[schema(example = 10, minimum = 1, maximum = 200)]
    pub(crate) count: i32,
    /// Both when left out.
    #[serde(default)]
    pub(crate) kind: Option<values::ItemKind>,
    /// All when left out.
    #[serde(default)]
    pub(crate) difficulty: Option<values::Difficulty>,
}

/// An item written by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    /// Set to write a new version of this item.
    #[serde(default)]
    item_id: String,
    #[schema(example = "multiple_choice", value_type = values::ItemKind)]
    kind: String,
    #[schema(example = "moderate", value_type = values::Difficulty)]
    difficulty: String,
    #[schema(min_length = 1, max_length = 2000)]
    stem: String,
    /// Two for `true_false`, three to six for `multiple_choice`; exactly one is right.
    #[schema(min_items = 2, max_items = 6, example = json!([{ "text": "2.5 mg", "correct": false }, { "text": "5 mg", "correct": true },
        { "text": "10 mg", "correct": false }]))]
    options: Vec<ItemOption>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    explanation: String,
    /// The passages that answer it, all of one published source.
    #[schema(min_items = 1, max_items = 100)]
    passage_ids: Vec<String>,
}

/// Items.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemPage {
    pub(crate) data: Vec<Item>,
    pub(crate) next_cursor: Option<String>,
}

/// A request for drafts, which are made while the client does something else.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Generation {
    #[schema(example = "gen_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) program_id: String,
    pub(crate) wanted: i64,
    #[schema(value_type = values::GenerationState)]
    pub(crate) state: String,
    /// Verified sources that were read so far.
    pub(crate) sources_read: i64,
    /// The drafts that were made.
    pub(crate) item_ids: Vec<String>,
    /// Why there are fewer than were asked for; empty when there are not.
    pub(crate) note: String,
    /// Why there are none.
    pub(crate) problem: Option<WorkProblem>,
    pub(crate) asked_by: String,
    pub(crate) asked_at: String,
    pub(crate) ended_at: Option<String>,
}

fn generation_view(made: proto::Generation) -> Generation {
    let failed = !made.problem_code.is_empty();
    Generation {
        id: made.id,
        program_id: made.program_id,
        wanted: made.wanted,
        state: made.state,
        sources_read: made.sources_read,
        item_ids: made.item_ids,
        problem: failed.then(|| WorkProblem { code: made.problem_code, message: made.note.clone() }),
        note: if failed { String::new() } else { made.note },
        asked_by: made.asked_by,
        asked_at: instant(made.asked_at),
        ended_at: rfc3339(made.ended_at),
    }
}

/// Which items.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ItemQuery {
    /// Those in this state only.
    #[param(inline)]
    state: Option<values::ItemState>,
}

impl Edge {
    pub(crate) async fn items(
        &self,
        identity: &Identity,
        program: &str,
        state: &str,
        limit: i32,
        after: String,
    ) -> Result<(Vec<Item>, String), ApiError> {
        let request =
            proto::ListItemsRequest { program_id: program.to_owned(), state: state.to_owned(), limit, after };
        let listed = self.credits.clone().list_items(identity.request(request)?).await?.into_inner();
        Ok((listed.items.into_iter().map(item_view).collect(), listed.next))
    }

    pub(crate) async fn generate_items(
        &self,
        identity: &Identity,
        program: String,
        wanted: Wanted,
    ) -> Result<Generation, ApiError> {
        let Wanted { count, kind, difficulty } = wanted;
        let kind = kind.map(|kind| kind.name().to_owned()).unwrap_or_default();
        let difficulty = difficulty.map(|difficulty| difficulty.name().to_owned()).unwrap_or_default();
        let request = proto::GenerateItemsRequest { program_id: program, count, kind, difficulty };
        Ok(generation_view(
            self.credits.clone().generate_items(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn generation(&self, identity: &Identity, id: String) -> Result<Generation, ApiError> {
        let request = proto::GetGenerationRequest { generation_id: id };
        Ok(generation_view(
            self.credits.clone().get_generation(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn cancel_generation(
        &self,
        identity: &Identity,
        id: String,
    ) -> Result<Generation, ApiError> {
        let request = proto::CancelGenerationRequest { generation_id: id };
        Ok(generation_view(
            self.credits.clone().cancel_generation(identity.request(request)?).await?.into_inner(),
        ))
    }

    pub(crate) async fn decide_item(
        &self,
        identity: &Identity,
        item: String,
        approve: bool,
        reason: String,
    ) -> Result<Item, ApiError> {
        let request = proto::DecideItemRequest { item_id: item, approve, reason };
        Ok(item_view(self.credits.clone().decide_item(identity.request(request)?).await?.into_inner()))
    }
}

/// Lists the newest version of every item of a program.
#[utoipa::path(get, path = "/v1/programs/{id}/items", operation_id = "listItems", tag = "Quizzes", params(("id" = String, Path), ItemQuery, PageQuery),
    responses((status = 200, body = ItemPage)))]
async fn list(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<ItemQuery>,
    page: Page,
) -> Result<Json<ItemPage>, ApiError> {
    let state = query.state.map_or("", values::ItemState::name);
    let (data, next) = edge.items(&identity, &id, state, page.limit, page.after.clone()).await?;
    Ok(Json(ItemPage { data, next_cursor: page.next(&edge, &next).await? }))
}

/// Writes an item by hand. It counts once someone else approves it.
#[utoipa::path(post, path = "/v1/programs/{id}/items", operation_id = "writeItem", tag = "Quizzes", params(("id" = String, Path)),
    request_body = NewItem, responses((status = 201, body = Item)))]
async fn write(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewItem>,
) -> Result<Response, ApiError> {
    let option = |(place, option): (usize, ItemOption)| proto::Option {
        number: place as i32 + 1,
        text: option.text,
        correct: option.correct,
    };
    let request = proto::WriteItemRequest {
        program_id: id,
        item_id: new.item_id,
        kind: new.kind,
        difficulty: new.difficulty,
        stem: new.stem,
        options: new.options.into_iter().enumerate().map(option).collect(),
        explanation: new.explanation,
        passage_ids: new.passage_ids,
    };
    let item = edge.credits.clone().write_item(identity.request(request)?).await?.into_inner();
    let location = format!("/v1/programs/{}/items#{}", item.program_id, item.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(item_view(item))).into_response())
}

/// Has item drafts made from the verified sources of the published version. Ask for the result at `GET /v1/generations/{id}`.
/// Each draft is bound to its passage and waits for a reviewer, who cannot be the person who asked for it.
#[utoipa::path(post, path = "/v1/programs/{id}/items/generate", operation_id = "generateItems", tag = "Quizzes", params(("id" = String, Path)),
    request_body = Wanted, responses((status = 202, body = Generation)))]
async fn generate(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Result<Response, ApiError> {
    let asked = edge.generate_items(&identity, id, wanted).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/generations/{}", asked.id))], Json(asked))
        .into_response())
}

/// How far the making of drafts is.
#[utoipa::path(get, path = "/v1/generations/{id}", operation_id = "getGeneration", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Generation)))]
async fn generation(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Generation>, ApiError> {
    Ok(Json(edge.generation(&identity, id).await?))
}

/// Stops the making of drafts, which has then failed. A request that has ended stays as it is.
#[utoipa::path(post, path = "/v1/generations/{id}/cancel", operation_id = "cancelGeneration", tag = "Quizzes", params(("id" = String, Path)),
    responses((status = 200, body = Generation)))]
async fn cancel_generation(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Generation>, ApiError> {
    Ok(Json(edge.cancel_generation(&identity, id).await?))
}

/// A reviewer's decision on an item.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemDecision {
    approve: bool,
    /// A rejection needs one.
    #[serde(default)]
    #[schema(example = "Checked against the passage", max_length = 2000)]
    reason: String,
}

/// Approves or rejects an item version. Its author cannot.
#[utoipa::path(post, path = "/v1/items/{id}/decision", operation_id = "decideItem", tag = "Quizzes", params(("id" = String, Path)),
    request_body = ItemDecision, responses((status = 200, body = Item)))]
async fn decide(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(decision): Json<ItemDecision>,
) -> Result<Json<Item>, ApiError> {
    Ok(Json(edge.decide_item(&identity, id, decision.approve, decision.reason).await?))
}

/// A quiz to freeze.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewForm {
    /// Every approved item of a verified source when left out.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(crate) item_ids: Vec<String>,
    /// Percent of right answers that pass; 60 when left out.
    #[serde(default)]
    #[schema(example = 60, minimum = 0, maximum = 100)]
    pub(crate) threshold_percent: i32,
    /// How often a learner may try; 0 for as often as they like. 3 when left out.
    #[schema(example = 3, minimum = 0, maximum = 100)]
    pub(crate) most_attempts: Option<i32>,
    /// The source classes that count; all when left out.
    #[serde(default)]
    #[schema(value_type = Vec<values::SourceClass>)]
    pub(crate) source_classes: Vec<String>,
    /// Whether learners see the best results under pseudonyms.
    #[serde(default)]
    pub(crate) leaderboard: bool,
}

/// A frozen quiz.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Form {
    #[schema(example = "form_01k9w0x5c8f3v9q2d7t4m6n8rz")]
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) threshold_percent: i32,
    pub(crate) items: i32,
    /// 0: as often as they like.
    pub(crate) most_attempts: i32,
    pub(crate) source_classes: Vec<String>,
    pub(crate) sha256: String,
    pub(crate) frozen_by: String,
    pub(crate) frozen_at: String,
    pub(crate) content_verified_at: Option<String>,
}

pub(crate) fn form_view(form: proto::Form) -> Form {
    Form {
        id: form.id,
        number: form.number,
        threshold_percent: form.threshold,
        items: form.items,
        most_attempts: form.most_attempts,
        source_classes: form.source_classes,
        sha256: form.sha256,
        frozen_by: form.frozen_by,
        frozen_at: instant(form.frozen_at),
        content_verified_at: rfc3339(form.content_verified_at),
    }
}

impl Edge {
    pub(crate) async fn freeze(
        &self,
        identity: &Identity,
        program: String,
        new: NewForm,
    ) -> Result<Form, ApiError> {
        let request = proto::FreezeFormRequest {
            program_id: program,
            item_ids: new.item_ids,
            threshold: new.threshold_percent,
            most_attempts: new.most_attempts,
            source_classes: new.source_classes,
            leaderboard: new.leaderboard,
        };
        Ok(form_view(self.credits.clone().freeze_form(identity.request(request)?).await?.into_inner()))
    }
}

/// Freezes approved items as a quiz and opens it to learners. Threshold and items of a frozen quiz never change.
#[utoipa::path(post, path = "/v1/programs/{id}/quiz", operation_id = "freezeQuiz", tag = "Quizzes", params(("id" = String, Path)),
    request_body = NewForm, responses((status = 201, body = Form)))]
async fn freeze(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewForm>,
) -> Result<Response, ApiError> {
    let location = format!("/v1/programs/{id}/quiz");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(edge.freeze(&identity, id, new).await?))
        .into_response())
}
