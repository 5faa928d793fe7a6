//! `preceptor.answering.v1.Answering`: decode, call, encode.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use preceptor_core::Capability;
use preceptor_core::id::{OrgId, ProgramId};
use preceptor_phi::Guarded;
use preceptor_proto::answering::v1 as proto;
use preceptor_proto::answering::v1::answering_server::{Answering, AnsweringServer};
use preceptor_proto::answering::v1::ask_event::Event;
use preceptor_rpc::Call;
use preceptor_store::TenantTx;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::Error;
use crate::domain::{Answers, Asked, Asking, LearnersKeys, label, quoted};
use crate::store::{self, feedback, message, notice};

/// Messages per page.
const MOST_MESSAGES: i32 = 100;
const LONGEST_COMMENT: usize = 2000;

#[derive(Debug)]
pub(crate) struct Server {
    answers: Arc<Answers>,
}

impl Server {
    pub(crate) fn new(answers: Arc<Answers>) -> Self {
        Self { answers }
    }

    pub(crate) fn into_service(self) -> AnsweringServer<Self> {
        AnsweringServer::new(self)
    }

    /// A message that this caller may see: its own, or any of its program for staff.
    async fn visible(&self, call: &Call, id: &str) -> Result<message::Model, Error> {
        let tx = self.answers.store().read(&call.shared_scope()).await?;
        let scope = call.scope();
        let sees_all = scope.grants(Capability::ReadInsight) || scope.grants(Capability::Operate);
        let visible = |row: &message::Model| {
            let reaches = row.program_id.parse().is_ok_and(|program: ProgramId| scope.reaches(program));
            reaches && (sees_all || row.subject == scope.subject())
        };
        message(&tx, id).await?.filter(visible).ok_or(Error::MessageNotFound)
    }

    /// The messages of rows, opened, with what their learners thought of them and what became of their sources.
    async fn shown(&self, tx: &TenantTx, rows: &[message::Model]) -> Result<Vec<proto::Message>, Error> {
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        // The last word counts.
        let said: HashMap<_, _> =
            feedback(tx, &ids).await?.into_iter().map(|row| (row.message_id.clone(), row)).collect();
        let subjects = rows.iter().map(|row| row.subject.as_str()).collect();
        let keys = self.answers.vault().stored(tx, subjects).await?;
        let open = |row: &message::Model| opened(&keys, tx.org(), row, said.get(&row.id));
        let messages = rows.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let notices = store::notices(tx, messages.iter().flat_map(cited).collect()).await?;
        Ok(messages.into_iter().map(|message| with_notices(message, &notices)).collect())
    }
}

/// A message of a row, opened, with what its learner thought of it.
fn opened(
    keys: &LearnersKeys,
    org: OrgId,
    row: &message::Model,
    said: Option<&feedback::Model>,
) -> Result<proto::Message, Error> {
    let message = keys.message(org, row)?;
    let Some(said) = said else { return Ok(message) };
    let verdict = if said.helpful { "helpful" } else { "not helpful" };
    let comment = keys.comment(org, row, said)?;
    let feedback = if comment.is_empty() { verdict.to_owned() } else { format!("{verdict}: {comment}") };
    Ok(proto::Message { feedback, ..message })
}

fn program(id: &str) -> Result<ProgramId, Error> {
    id.parse().map_err(|_| Error::InvalidField { field: "program_id", what: "is not an id" })
}

type Events = Pin<Box<dyn Stream<Item = Result<proto::AskEvent, Status>> + Send>>;

#[tonic::async_trait]
impl Answering for Server {
    type AskStream = Events;

    async fn ask(&self, request: Request<proto::AskRequest>) -> Result<Response<Events>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let session = match request.session_id.as_str() {
            "" => None,
            id => Some(id.parse().map_err(|_| Error::SessionNotFound)?),
        };
        let asking = Asking { program: program(&request.program_id)?, question: request.question, session };
        let asked = self.answers.ask(&call, asking).await?;
        let events = events(asked).into_iter().map(|event| Ok(proto::AskEvent { event: Some(event) }));
        Ok(Response::new(Box::pin(tokio_stream::iter(events))))
    }

    async fn get_message(
        &self,
        request: Request<proto::GetMessageRequest>,
    ) -> Result<Response<proto::Message>, Status> {
        let call = Call::of(&request)?;
        let row = self.visible(&call, &request.into_inner().message_id).await?;
        let tx = self.answers.store().read(&call.shared_scope()).await.map_err(Error::from)?;
        let message = self.shown(&tx, &[row]).await?.pop().ok_or(Error::MessageNotFound)?;
        Ok(Response::new(message))
    }

    async fn list_messages(
        &self,
        request: Request<proto::ListMessagesRequest>,
    ) -> Result<Response<proto::ListMessagesResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        let program = program(&request.program_id)?;
        if !call.scope().reaches(program) {
            return Ok(Response::new(proto::ListMessagesResponse::default()));
        }
        let limit = request.limit.clamp(1, MOST_MESSAGES) as usize;
        let tx = self.answers.store().read(&call.shared_scope()).await.map_err(Error::from)?;
        let rows = store::messages(&tx, &program.to_string(), &request.after, limit as u64 + 1).await?;
        let next = if rows.len() > limit { rows[limit - 1].id.clone() } else { String::new() };
        let messages = self.shown(&tx, &rows[..rows.len().min(limit)]).await?;
        Ok(Response::new(proto::ListMessagesResponse { messages, next }))
    }

    async fn leave_feedback(
        &self,
        request: Request<proto::LeaveFeedbackRequest>,
    ) -> Result<Response<proto::LeaveFeedbackResponse>, Status> {
        let call = Call::of(&request)?;
        let request = request.into_inner();
        if request.comment.chars().count() > LONGEST_COMMENT {
            return Err(Error::InvalidField { field: "comment", what: "has at most 2000 characters" }.into());
        }
        let comment =
            Guarded::new(&request.comment).map_err(|found| Error::Identifying { field: "comment", found })?;
        let row = self.visible(&call, &request.message_id).await?;
        if row.subject != call.scope().subject() {
            return Err(Error::MessageNotFound.into());
        }
        let tx = self.answers.store().write(&call.shared_scope()).await.map_err(Error::from)?;
        self.answers.vault().keep_feedback(&tx, &row, request.helpful, &comment).await?;
        tx.commit().await.map_err(Error::from)?;
        Ok(Response::new(proto::LeaveFeedbackResponse {}))
    }
}

/// The source versions that an answer or the closest passages quote, or that a refusal offers.
fn cited(message: &proto::Message) -> Vec<String> {
    let offered = message.refusal.iter().flat_map(|refusal| &refusal.sources);
    quoted(message).chain(offered).map(|citation| citation.source_version_id.clone()).collect()
}

/// The message with what became of its sources since.
fn with_notices(mut message: proto::Message, notices: &[notice::Model]) -> proto::Message {
    let own = cited(&message);
    let notice = |row: &notice::Model| proto::Notice {
        source_version_id: row.source_version_id.clone(),
        verdict: row.verdict.clone(),
        text: "A source that this answer quotes was retracted since. Do not rely on it.".to_owned(),
        noted_at: row.noted_at,
    };
    message.notices = notices.iter().filter(|row| own.contains(&row.source_version_id)).map(notice).collect();
    message
}

/// What is streamed: meta, then sentences or the closest passages or one refusal, then done.
fn events(asked: Asked) -> Vec<Event> {
    let Asked { message, version_number, lexical_only, considered } = asked;
    let mut events = vec![Event::Meta(proto::Meta {
        message_id: message.id,
        session_id: message.session_id,
        program_version_id: message.program_version_id,
        version_number,
        corrections: message.corrections,
        lexical_only,
    })];
    events.extend(message.sentences.into_iter().map(Event::Sentence));
    events.extend(message.closest.map(Event::Closest));
    events.extend(message.refusal.map(Event::Refusal));
    events.push(Event::Done(proto::Done {
        confidence: message.confidence,
        confidence_label: label(f64::from(message.confidence)).to_owned(),
        considered,
    }));
    events
}
