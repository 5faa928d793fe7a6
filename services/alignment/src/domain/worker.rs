//! Classifies recorded messages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use preceptor_core::id::OrgId;
use preceptor_models::EmbedError;
use preceptor_models::text::Analyzer;
use preceptor_proto::answering::v1 as answering;
use preceptor_proto::answering::v1::answering_client::AnsweringClient;
use preceptor_proto::events::v1::{MessageClassified, MessageRecorded};
use preceptor_proto::ingestion::v1 as ingestion;
use preceptor_proto::ingestion::v1::ingestion_client::IngestionClient;
use preceptor_proto::retrieval::v1 as retrieval;
use preceptor_proto::retrieval::v1::retrieval_client::RetrievalClient;
use preceptor_rpc::{Call, Channel};

use super::classify::{Classification, Objectives, Readers, Weights};
use crate::store::{self, classification};
use crate::{Deps, Error};

/// How long one message may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What made a classification: raised when the features or the method change.
const CLASSIFIER: &str = "objectives-1";

/// Classifies messages.
pub(crate) struct Worker {
    deps: Deps,
    ingestion: IngestionClient<Channel>,
    answering: AnsweringClient<Channel>,
    retrieval: RetrievalClient<Channel>,
    analyzer: Analyzer,
    weights: Weights,
    read: moka::sync::Cache<(String, i64), Arc<Objectives>>,
}

/// Programs whose objectives are kept read.
const PROGRAMS: u64 = 256;

impl Worker {
    pub(crate) fn new(deps: Deps) -> Self {
        Self {
            ingestion: IngestionClient::new(deps.ingestion.clone()),
            answering: AnsweringClient::new(deps.answering.clone()),
            retrieval: RetrievalClient::new(deps.retrieval.clone()),
            analyzer: Analyzer::default(),
            weights: Weights::fitted(),
            read: moka::sync::Cache::new(PROGRAMS),
            deps,
        }
    }

    /// Classifies a message and keeps the result, once per event.
    pub(crate) async fn classify(
        &self,
        org: OrgId,
        event_id: &str,
        recorded: &MessageRecorded,
    ) -> Result<(), Error> {
        let Some(embedder) = self.deps.embedder.clone().filter(|_| !recorded.quarantined) else {
            return Ok(());
        };
        let call = self.deps.system.call(org, PATIENCE).await?;
        let message = answering::GetMessageRequest { message_id: recorded.message_id.clone() };
        let message = self.answering.clone().get_message(call.request(message)?).await?.into_inner();
        let program = ingestion::GetProgramRequest { program_id: recorded.program_id.clone() };
        let program = self.ingestion.clone().get_program(call.request(program)?).await?.into_inner();

        let readers = Readers { embedder: &*embedder, kinds: &self.deps.kinds, analyzer: &self.analyzer };
        let objectives = self.objectives(&program, readers).await?;
        let unknown = objectives.unknown_terms(&message.question, &self.analyzer);
        let foreign = self.foreign(&call, &program.id, unknown).await?;
        let features = objectives.features(&message.question, &foreign, readers).await?;
        self.keep(&call, event_id, recorded, &program, self.weights.classify(&features)).await
    }

    async fn objectives(
        &self,
        program: &ingestion::Program,
        readers: Readers<'_>,
    ) -> Result<Arc<Objectives>, EmbedError> {
        let key = (program.id.clone(), program.revision);
        if let Some(known) = self.read.get(&key) {
            return Ok(known);
        }
        let texts: Vec<String> = program.objectives.iter().map(|objective| objective.text.clone()).collect();
        let read = Arc::new(Objectives::read(&program.title, &texts, readers).await?);
        self.read.insert(key, Arc::clone(&read));
        Ok(read)
    }

    /// Those of `terms` that the program's text lacks. A program that was withdrawn since has no words of its own.
    async fn foreign(
        &self,
        call: &Call,
        program: &str,
        terms: Vec<String>,
    ) -> Result<BTreeSet<String>, Error> {
        if terms.is_empty() {
            return Ok(BTreeSet::new());
        }
        let request = retrieval::KnownTermsRequest { program_id: program.to_owned(), terms: terms.clone() };
        let known = match self.retrieval.clone().known_terms(call.request(request)?).await {
            Ok(response) => response.into_inner().known,
            Err(status) => {
                let error = Error::from(status);
                if error.is_transient() {
                    return Err(error);
                }
                Vec::new()
            }
        };
        let mut known = known.into_iter();
        Ok(terms.into_iter().filter(|_| !known.next().unwrap_or(false)).collect())
    }

    async fn keep(
        &self,
        call: &Call,
        event_id: &str,
        recorded: &MessageRecorded,
        program: &ingestion::Program,
        result: Classification,
    ) -> Result<(), Error> {
        let mut tx = self.deps.store.write(&call.shared_scope()).await?;
        if !tx.first_sight(event_id).await? {
            return Ok(());
        }
        let objective = result.objective.and_then(|place| program.objectives.get(place));
        let row = classification::Model {
            org_id: tx.org_key(),
            message_id: recorded.message_id.clone(),
            program_id: recorded.program_id.clone(),
            objective_id: objective.map(|objective| objective.id.clone()).unwrap_or_default(),
            objective_text: objective.map(|objective| objective.text.clone()).unwrap_or_default(),
            confidence: result.confidence as f32,
            about_program: result.about as f32,
            classifier: CLASSIFIER.to_owned(),
            classified_at: tx.now().micros(),
        };
        let classified = MessageClassified {
            message_id: row.message_id.clone(),
            program_id: row.program_id.clone(),
            objective_id: row.objective_id.clone(),
            confidence: row.confidence,
            about_program: row.about_program,
        };
        store::keep(&tx, row).await?;
        tx.emit("alignment.message_classified", &classified)?;
        Ok(tx.commit().await?)
    }
}
