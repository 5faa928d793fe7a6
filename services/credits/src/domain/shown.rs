//! What is shown to whom. Learners see what an activity is worth, what they were asked and how it rests on sources; who of
//! the staff did it is the provider's, and what a source said that lost its standing is repeated to no learner.

use std::collections::BTreeSet;

use preceptor_core::id::StaffId;
use preceptor_core::{Capability, Scope};
use serde_json::{Value, json};

use super::items::ItemView;
use super::offers::OfferView;
use crate::store::form;

/// In the place of what a source said.
pub(crate) const NO_LONGER_QUOTED: &str =
    "The source of this question was retracted or called into doubt, so it is no longer quoted.";

/// Whether the subject is shown what is the provider's own. Anyone who is not known to be is a learner here.
fn sees_provider(scope: &Scope) -> bool {
    scope.grants(Capability::ReadContent) || scope.grants(Capability::ReadAudit)
}

/// An offer without the person who made it.
pub(super) fn offer(scope: &Scope, mut view: OfferView) -> OfferView {
    if !sees_provider(scope) {
        view.offer.designated_by.clear();
    }
    view
}

/// A form without the person who froze it.
pub(super) fn form(scope: &Scope, mut row: form::Model) -> form::Model {
    if !sees_provider(scope) {
        row.frozen_by.clear();
    }
    row
}

/// A document without ids of staff, wherever they stand in it. Records of the log stay as they were signed: their bytes
/// are what the proofs are about.
pub(super) fn document(scope: &Scope, mut document: Value) -> Value {
    if !sees_provider(scope) {
        clear_staff(&mut document);
    }
    document
}

fn clear_staff(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.parse::<StaffId>().is_ok() {
                text.clear();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(clear_staff),
        Value::Object(fields) => fields.values_mut().for_each(clear_staff),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What may be quoted of the sources of a quiz.
pub(super) struct Quoting {
    /// The source versions that lost their standing.
    suspended: BTreeSet<String>,
    /// Whether they are quoted all the same, beside the notice.
    all: bool,
}

impl Quoting {
    pub(super) fn new(scope: &Scope, suspended: BTreeSet<String>) -> Self {
        Self { suspended, all: sees_provider(scope) }
    }

    /// Why an item is not quoted, or, to the provider, should not be any more.
    pub(super) fn notice(&self, item: &ItemView) -> Option<&'static str> {
        self.suspended.contains(&item.version.source_version_id).then_some(NO_LONGER_QUOTED)
    }

    /// The passages of an item; of a source that lost its standing, which they were and no more.
    pub(super) fn passages(&self, item: &ItemView) -> Vec<Value> {
        let quoted = self.all || self.notice(item).is_none();
        let quote = |quote: &str| if quoted { quote.to_owned() } else { String::new() };
        let passages = item.passages.iter();
        passages.map(|passage| json!({ "id": passage.passage_id, "quote": quote(&passage.quote) })).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_staff_are_cleared_wherever_they_stand() {
        let staff = StaffId::generate().to_string();
        let mut document = json!({
            "by": staff,
            "parts": [{ "actor": staff, "text": "staff of the clinic", "number": 3 }, staff],
            "record": "73746166665f",
        });
        clear_staff(&mut document);
        let cleared = json!({
            "by": "",
            "parts": [{ "actor": "", "text": "staff of the clinic", "number": 3 }, ""],
            "record": "73746166665f",
        });
        assert_eq!(document, cleared);
    }
}
