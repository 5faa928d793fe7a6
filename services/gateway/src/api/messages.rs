//! Questions and cited answers, streamed or whole.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _};
use preceptor_core::{Fault, Timestamp};
use preceptor_proto::answering::v1 as proto;
use preceptor_proto::answering::v1::ask_event::Event as Answer;
use serde::{Deserialize, Serialize};
use tonic::Streaming;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{
    Closest, Done, Meta, Refusal, Sentence, closest_view, done_view, message_view, meta_view, outcome_of,
    refusal_view, sentence_view,
};
use super::{insight, values};
use crate::Edge;
use crate::domain::accept;
use crate::error::{ApiError, Problem};
use crate::extract::{Json, Path};
use crate::identity::Identity;
use crate::limits;
use crate::problems::RequestId;

/// A line of comment keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn router() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(ask, insight::messages))
        .routes(routes!(get))
        .routes(routes!(feedback))
}

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    #[schema(example = "How is the dose adjusted in renal failure?", min_length = 1, max_length = 2000)]
    pub(crate) question: String,
    /// The conversation it belongs to; a new one when left out.
    #[serde(default)]
    pub(crate) session_id: String,
}

/// An answer, the closest passages, or an honest refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reply {
    #[serde(flatten)]
    pub(crate) meta: Meta,
    #[schema(value_type = values::MessageOutcome)]
    outcome: &'static str,
    /// The answer; empty for the other outcomes.
    pub(crate) sentences: Vec<Sentence>,
    /// What comes closest, when the program may not hold the answer.
    pub(crate) closest: Option<Closest>,
    /// Why nothing is quoted, when the question was declined.
    pub(crate) refusal: Option<Refusal>,
    #[serde(flatten)]
    pub(crate) done: Done,
}

/// An event of a streamed answer: `meta` first, then each `sentence` or one `closest` or one `refusal`, then `done`; `error`
/// ends it early.
#[derive(ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the stream, which is written event by event")]
pub(crate) enum AnswerEvent {
    Meta(Meta),
    Sentence(Sentence),
    Closest(Closest),
    Refusal(Refusal),
    Done(Done),
    Error(Problem),
}

/// What a learner thought of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeedback {
    helpful: bool,
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
}

impl Edge {
    /// Asks; what comes back is on record already.
    pub(crate) async fn ask(
        &self,
        identity: &Identity,
        program: String,
        new: NewMessage,
    ) -> Result<Streaming<proto::AskEvent>, ApiError> {
        let request =
            proto::AskRequest { program_id: program, question: new.question, session_id: new.session_id };
        let time = Duration::from_secs(self.config.answer_timeout_seconds);
        Ok(self.answering.clone().ask(identity.call(time).request(request)?).await?.into_inner())
    }

    /// Asks and waits for the whole answer.
    pub(crate) async fn answer(
        &self,
        identity: &Identity,
        program: String,
        new: NewMessage,
    ) -> Result<Reply, ApiError> {
        let begun = self.clock.now();
        let events = self.ask(identity, program, new).await?;
        whole(events, self, begun).await
    }

    /// A message as it is on record, with what became of its sources since.
    pub(super) async fn message(&self, identity: &Identity, id: String) -> Result<proto::Message, ApiError> {
        let request = proto::GetMessageRequest { message_id: id };
        Ok(self.answering.clone().get_message(identity.request(request)?).await?.into_inner())
    }
}

/// Asks a question. It is answered with quotes, or the closest passages are quoted with a word that they may not answer it, or
/// it is declined. With `Accept: text/event-stream` the answer is streamed as the events `meta`, `sentence`, `closest`,
/// `refusal`, `done`; otherwise it comes as one JSON document.
#[utoipa::path(post, path = "/v1/programs/{id}/messages", operation_id = "ask", tag = "Messages", params(("id" = String, Path)),
    request_body = NewMessage,
    responses((status = 200, description = "The answer, the closest passages or the refusal", content((Reply = "application/json"), (AnswerEvent = "text/event-stream")))))]
async fn ask(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    id_of_request: RequestId,
    headers: HeaderMap,
    Json(new): Json<NewMessage>,
) -> Result<Response, ApiError> {
    let decision = edge.limit_questions(&identity).await?;
    let limit = limits::headers("questions", edge.config.questions_per_minute, &decision);
    let begun = edge.clock.now();
    let events = edge.ask(&identity, id, new).await?;
    if wants_stream(&headers) {
        let stream = server_sent(events, edge.clone(), id_of_request, begun);
        return Ok((limit, kept_alive(stream)).into_response());
    }
    Ok((limit, Json(whole(events, &edge, begun).await?)).into_response())
}

/// The answer in one piece.
async fn whole(
    mut events: Streaming<proto::AskEvent>,
    edge: &Edge,
    begun: Timestamp,
) -> Result<Reply, ApiError> {
    let (mut meta, mut sentences, mut closest, mut refusal, mut done) = (None, Vec::new(), None, None, None);
    while let Some(event) = events.message().await? {
        match event.event {
            Some(Answer::Meta(event)) => meta = Some(meta_view(event)),
            Some(Answer::Sentence(event)) => sentences.push(sentence_view(event)),
            Some(Answer::Closest(event)) => closest = Some(closest_view(event)),
            Some(Answer::Refusal(event)) => refusal = Some(refusal_view(event)),
            Some(Answer::Done(event)) => {
                let quoted = sentences.len() + closest.as_ref().map_or(0, |closest| closest.quotes.len());
                done = Some(done_view(event, quoted, edge.clock.now().since(begun)));
            }
            None => {}
        }
    }
    let (Some(meta), Some(done)) = (meta, done) else { return Err(Fault::internal().into()) };
    let outcome = outcome_of(closest.is_some(), refusal.is_some());
    Ok(Reply { meta, outcome, sentences, closest, refusal, done })
}

/// Whether the client would rather have the answer as it comes.
pub(super) fn wants_stream(headers: &HeaderMap) -> bool {
    accept::prefers(headers, "text/event-stream", "application/json")
}

/// The answer as server-sent events. A failure on the way is an event too: the status has left already.
fn server_sent(
    events: Streaming<proto::AskEvent>,
    edge: Edge,
    id: RequestId,
    begun: Timestamp,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut sentences = 0;
    events.filter_map(move |event| {
        let event = match event.map(|event| event.event) {
            Ok(Some(Answer::Meta(meta))) => named("meta", &meta_view(meta)),
            Ok(Some(Answer::Sentence(sentence))) => {
                sentences += 1;
                named("sentence", &sentence_view(sentence))
            }
            Ok(Some(Answer::Closest(closest))) => {
                sentences += closest.quotes.len();
                named("closest", &closest_view(closest))
            }
            Ok(Some(Answer::Refusal(refusal))) => named("refusal", &refusal_view(refusal)),
            Ok(Some(Answer::Done(done))) => {
                named("done", &done_view(done, sentences, edge.clock.now().since(begun)))
            }
            Ok(None) => return std::future::ready(None),
            Err(status) => named("error", &ApiError::from(status).problem(&id.0, &edge.config.public_url)),
        };
        std::future::ready(Some(Ok(event)))
    })
}

/// A stream of events that is never quiet for longer than [`HEARTBEAT`].
fn kept_alive(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> impl IntoResponse {
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

fn named(name: &str, data: &impl Serialize) -> Event {
    let text = serde_json::to_string(data).unwrap_or_else(|_| "{}".to_owned());
    Event::default().event(name).data(text)
}

/// Reads a message as it is on record.
#[utoipa::path(get, path = "/v1/messages/{id}", operation_id = "getMessage", tag = "Messages", params(("id" = String, Path)),
    responses((status = 200, body = super::view::Message)))]
async fn get(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<super::view::Message>, ApiError> {
    Ok(Json(message_view(edge.message(&identity, id).await?, None)))
}

/// Says what you think of an answer; it reaches the editor.
#[utoipa::path(post, path = "/v1/messages/{id}/feedback", operation_id = "leaveFeedback", tag = "Messages", params(("id" = String, Path)),
    request_body = NewFeedback, responses((status = 204)))]
async fn feedback(
    State(edge): State<Edge>,
    identity: Identity,
    Path(id): Path<String>,
    Json(new): Json<NewFeedback>,
) -> Result<StatusCode, ApiError> {
    let request = proto::LeaveFeedbackRequest { message_id: id, helpful: new.helpful, comment: new.comment };
    edge.answering.clone().leave_feedback(identity.request(request)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_has_a_heartbeat() {
        let begun = tokio::time::Instant::now();
        let mut body = kept_alive(futures::stream::pending()).into_response().into_body().into_data_stream();
        for beat in 1..=3 {
            let beat_of_stream = body.next().await.expect("a beat").expect("bytes");
            assert!(beat_of_stream.starts_with(b":"), "a comment, which clients skip: {beat_of_stream:?}");
            assert_eq!(begun.elapsed().as_secs(), beat * HEARTBEAT.as_secs());
        }
    }
}
