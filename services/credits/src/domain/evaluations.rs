//! What learners say about an activity: link 7.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor_core::Scope;
use preceptor_core::id::EvaluationId;
use preceptor_keys::DataKey;
use preceptor_phi::Guarded;
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
            return Err(Error::field(
                "ratings",
                format!("{unknown} is not asked; rate {}", RATINGS.join(", ")),
            ));
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
        let change =
            Guarded::new(change.trim()).map_err(|found| Error::Identifying { field: "change", found })?;
        let scope = call.shared_scope();
        let id = EvaluationId::generate().to_string();
        let change = self.sealed_change(&scope, &id, &change).await?;
        let mut tx = self.deps.store.write(&scope).await?;
        if let Some(given) = attempts::evaluation(&tx, program, scope.subject()).await? {
            return Ok(given);
        }
        let responses = serde_json::json!({ "ratings": ratings, "change": change });
        let row = evaluation::Model {
            org_id: tx.org_key(),
            id,
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

    /// A learner's own words as they are stored: sealed under a key of their own, since the guard may have missed
    /// something.
    async fn sealed_change(
        &self,
        scope: &Scope,
        id: &str,
        change: &Guarded,
    ) -> Result<serde_json::Value, Error> {
        let org = scope.org();
        let (key, wrapped) = DataKey::make(&*self.deps.keys, org, id).await?;
        let sealed =
            key.seal(&format!("{org}/credits_evaluation/change/{id}"), change.as_str().as_bytes())?;
        Ok(serde_json::json!({ "wrapped_key": STANDARD.encode(wrapped), "sealed": STANDARD.encode(sealed) }))
    }
}
