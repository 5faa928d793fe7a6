//! What is shown to whom: what a source said that lost its standing is repeated to no learner.

use std::collections::BTreeSet;

use preceptor_core::{Capability, Scope};
use serde_json::{Value, json};

use super::items::ItemView;

/// In the place of what a source said.
pub(crate) const NO_LONGER_QUOTED: &str =
    "The source of this question was retracted or called into doubt, so it is no longer quoted.";

/// Whether the subject is shown what is the provider's own. Anyone who is not known to be is a learner here.
fn sees_provider(scope: &Scope) -> bool {
    scope.grants(Capability::ReadContent) || scope.grants(Capability::ReadAudit)
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
