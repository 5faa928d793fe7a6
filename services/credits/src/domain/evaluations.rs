//! What learners say about an activity: link 7.

use std::collections::BTreeMap;

use preceptor_core::id::EvaluationId;
use preceptor_rpc::Call;
use preceptor_store::AuditEntry;

use super::{Credits, program_id};
use crate::Error;
use crate::store::{attempts, evaluation};

/// What is asked, each rated from 1 (not at all) to 5 (fully).
pub(crate) const RATINGS: [&str; 4] = ["objectives_met", "free_of_bias", "will_change_practice", "overall"];
const MOST_TEXT: usize = 2000;

impl Credits {
    /// Keeps an evaluation. It is given once; giving it again answers with the first.
    pub(crate) async fn evaluate(
        &self,
        call: &Call,
        program: &str,
        ratings: BTreeMap<String, i32>,
        change: &str,
    ) -> Result<evaluation::Model, Error> {
        self.program_or_own_work(call, program).await?;
        if let Some(unknown) = ratings.keys().find(|name| !RATINGS.contains(&name.as_str())) {
            return Err(Error::field("ratings", format!("{unknown} is not asked; rate {}", RATINGS.join(", "))));
        }
        if let Some(open) = RATINGS.iter().find(|name| !ratings.contains_key(**name)) {
            return Err(Error::field("ratings", format!("{open} is missing")));
        }
        if ratings.values().any(|rating| !(1..=5).contains(rating)) {
            return Err(Error::field("ratings", "each is between 1 and 5"));
        }
        if change.chars().count() > MOST_TEXT {
            return Err(Error::field("change", format!("must have at most {MOST_TEXT} characters")));
        }
        let scope = call.shared_scope();
        let mut tx = self.deps.store.write(&scope).await?;
        if let Some(given) = attempts::evaluation(&tx, program, scope.subject()).await? {
            return Ok(given);
        }
        let responses = serde_json::json!({ "ratings": ratings, "change": change.trim() });
        let row = evaluation::Model {
            org_id: tx.org_key(),
            id: EvaluationId::generate().to_string(),
            program_id: program.to_owned(),
            learner: scope.subject().to_owned(),
            responses: responses.to_string(),
            given_at: tx.now().micros(),
        };
        tx.insert(row.clone()).await?;
        tx.audit(AuditEntry::done("evaluation.given", &row.id).in_program(program_id(program)?))?;
        tx.commit().await?;
        Ok(row)
    }
}
