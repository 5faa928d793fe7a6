//! What is kept of a question and its answer. The record is the contract's own message, encoded once.

use preceptor_proto::answering::v1::{Message, Outcome};
use preceptor_proto::events::v1::MessageRecorded;
use preceptor_store::TenantTx;
use prost::Message as _;

use crate::Error;
use crate::store::message;

/// The row of a message.
pub(crate) fn row(tx: &TenantTx, record: &Message) -> message::Model {
    message::Model {
        org_id: tx.org_key(),
        id: record.id.clone(),
        session_id: record.session_id.clone(),
        program_id: record.program_id.clone(),
        program_version_id: record.program_version_id.clone(),
        subject: record.subject.clone(),
        asked_at: record.asked_at,
        record: record.encode_to_vec(),
    }
}

/// The message of a row.
pub(crate) fn decode(row: &message::Model) -> Result<Message, Error> {
    Message::decode(row.record.as_slice()).map_err(|error| Error::Defect(format!("a recorded message cannot be read: {error}")))
}

/// What the others hear: ids and outcomes, no words.
pub(crate) fn event(record: &Message) -> MessageRecorded {
    let mut cited: Vec<String> = Vec::new();
    for citation in record.sentences.iter().flat_map(|sentence| &sentence.citations) {
        if !cited.contains(&citation.source_id) {
            cited.push(citation.source_id.clone());
        }
    }
    MessageRecorded {
        message_id: record.id.clone(),
        session_id: record.session_id.clone(),
        program_id: record.program_id.clone(),
        program_version_id: record.program_version_id.clone(),
        subject: record.subject.clone(),
        answered: record.outcome() == Outcome::Answered,
        refusal_code: record.refusal.as_ref().map(|refusal| refusal.code.clone()).unwrap_or_default(),
        cited_source_ids: cited,
        quarantined: record.quarantined,
    }
}
