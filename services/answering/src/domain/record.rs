//! What the other services hear of a question and its answer.

use preceptor_proto::answering::v1::{Citation, Message, Outcome};
use preceptor_proto::events::v1::MessageRecorded;

/// Every citation of what was quoted: of the answer, or of the closest passages.
pub(crate) fn quoted(record: &Message) -> impl Iterator<Item = &Citation> {
    let closest = record.closest.iter().flat_map(|closest| &closest.quotes);
    record.sentences.iter().chain(closest).flat_map(|sentence| &sentence.citations)
}

/// What the others hear: ids and outcomes, no words.
pub(crate) fn event(record: &Message) -> MessageRecorded {
    let mut cited: Vec<String> = Vec::new();
    for citation in quoted(record) {
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
        closest: record.outcome() == Outcome::Closest,
        refusal_code: record.refusal.as_ref().map(|refusal| refusal.code.clone()).unwrap_or_default(),
        cited_source_ids: cited,
        quarantined: record.quarantined,
    }
}
