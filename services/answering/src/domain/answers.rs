//! guard → search → gate → compose → check → cite → record.
//!
//! There are three outcomes: an answer in quotes, the closest passages with a word that they may not answer, and a refusal.

use std::sync::Arc;

use preceptor_core::id::{MessageId, ProgramId, SessionId};
use preceptor_proto::answering::v1::{Closest, Message, Outcome, Refusal, Sentence};
use preceptor_proto::retrieval::v1 as retrieval;
use preceptor_proto::retrieval::v1::retrieval_client::RetrievalClient;
use preceptor_rpc::{Call, Channel};
use preceptor_store::{Handle, TenantTx};

use super::citations::{cite, offers};
use super::compose::{Composer, Extractive, check};
use super::gate::{Decision, Gate, Verdict};
use super::guard::{self, Checked};
use super::{Vault, record};
use crate::store::session;
use crate::{Config, Deps, Error};

/// Passages that are asked for.
const HITS: i32 = 8;
/// What is searched for when nothing of a question may be read.
const ANYTHING: &str = "overview";

/// A question that was dealt with.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// What is on record.
    pub(crate) message: Message,
    /// The number of the version that answered.
    pub(crate) version_number: i64,
    /// Whether words alone were compared.
    pub(crate) lexical_only: bool,
    /// How many sources were considered.
    pub(crate) considered: i32,
}

/// A question on its way.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) program: ProgramId,
    pub(crate) question: String,
    /// The conversation it belongs to, or none yet.
    pub(crate) session: Option<SessionId>,
}

/// Answers questions.
#[derive(Debug)]
pub(crate) struct Answers {
    store: Handle,
    vault: Vault,
    retrieval: RetrievalClient<Channel>,
    gate: Gate,
    composer: Arc<dyn Composer>,
    config: Config,
}

impl Answers {
    pub(crate) fn new(deps: Deps, config: Config) -> Self {
        Self {
            store: deps.store,
            vault: Vault::new(deps.keys),
            retrieval: RetrievalClient::new(deps.retrieval),
            gate: Gate::fitted(),
            composer: Arc::new(Extractive),
            config,
        }
    }

    pub(crate) fn store(&self) -> &Handle {
        &self.store
    }

    /// What learners wrote, sealed.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Answers a question. When this returns, question and answer are on record.
    pub(crate) async fn ask(&self, call: &Call, asking: Asking) -> Result<Asked, Error> {
        let length = asking.question.trim().chars().count();
        if length == 0 || length > self.config.longest_question {
            return Err(Error::QuestionLength { most: self.config.longest_question });
        }
        let checked = guard::check(&asking.question);
        let readable = match &checked {
            Checked::PatientData(_) => redacted(&asking.question),
            Checked::Passed(_) | Checked::PatientSpecific(_) => asking.question.clone(),
        };
        let found = self.search(call, asking.program, readable).await?;
        let verdict = self.gate.decide(found.evidence.as_ref(), found.lexical_only, &self.config);
        let told = self.tell(&checked, verdict.decision, &found).await?;
        self.put_on_record(call, &asking, found, Outcomes { told, verdict, checked }).await
    }

    /// What the learner is told. Where nothing can be quoted, the question is declined.
    async fn tell(
        &self,
        checked: &Checked,
        decision: Decision,
        found: &retrieval::SearchResponse,
    ) -> Result<Told, Error> {
        let most = match decision {
            Decision::Answer => self.config.most_sentences,
            Decision::Closest => self.config.most_closest,
            Decision::Decline => 0,
        };
        let quotes = match checked {
            Checked::Passed(question) if most > 0 => self.compose(question.as_str(), found, most).await?,
            _ => Vec::new(),
        };
        Ok(match decision {
            _ if quotes.is_empty() => Told::Declined(refusal(checked, found)),
            Decision::Answer => Told::Answered(quotes),
            _ => Told::Closest(Closest { message: CLOSEST.to_owned(), quotes }),
        })
    }

    async fn search(
        &self,
        call: &Call,
        program: ProgramId,
        question: String,
    ) -> Result<retrieval::SearchResponse, Error> {
        let request = retrieval::SearchRequest { program_id: program.to_string(), question, limit: HITS };
        Ok(self.retrieval.clone().search(call.request(request)?).await?.into_inner())
    }

    async fn compose(
        &self,
        question: &str,
        found: &retrieval::SearchResponse,
        most: usize,
    ) -> Result<Vec<Sentence>, Error> {
        let proposals = self.composer.compose(question, &found.hits, most).await?;
        let cited = check(proposals, &found.hits, most).into_iter().filter_map(|proposal| {
            let passage = found.hits.get(proposal.hit)?.passage.as_ref()?;
            Some(Sentence { text: proposal.text, citations: vec![cite(passage, proposal.support)] })
        });
        Ok(cited.collect())
    }

    async fn put_on_record(
        &self,
        call: &Call,
        asking: &Asking,
        found: retrieval::SearchResponse,
        outcomes: Outcomes,
    ) -> Result<Asked, Error> {
        let mut tx = self.store.write(&call.shared_scope()).await?;
        let session = open_session(&tx, asking).await?;
        let Outcomes { told, verdict, checked } = outcomes;
        let quarantined = checked.kept().is_none();
        let composer = if matches!(told, Told::Declined(_)) { "" } else { self.composer.id() };
        let (outcome, sentences, closest, refusal) = match told {
            Told::Answered(sentences) => (Outcome::Answered, sentences, None, None),
            Told::Closest(closest) => (Outcome::Closest, Vec::new(), Some(closest), None),
            Told::Declined(refusal) => (Outcome::Declined, Vec::new(), None, Some(refusal)),
        };
        let message = Message {
            id: MessageId::generate().to_string(),
            session_id: session,
            program_id: asking.program.to_string(),
            program_version_id: found.program_version_id,
            subject: tx.scope().subject().to_owned(),
            // The vault puts in what may be kept.
            question: String::new(),
            quarantined,
            outcome: outcome.into(),
            composer: composer.to_owned(),
            sentences,
            closest,
            refusal,
            confidence: verdict.confidence as f32,
            asked_at: tx.now().micros(),
            corrections: if quarantined { Vec::new() } else { found.corrections },
            feedback: String::new(),
            evidence: if quarantined { None } else { found.evidence },
            notices: Vec::new(),
        };
        let message = self.vault.keep_message(&tx, checked.kept(), message).await?;
        tx.emit("message.recorded", &record::event(&message))?;
        tx.commit().await?;
        Ok(Asked {
            message,
            version_number: found.version_number,
            lexical_only: found.lexical_only,
            considered: found.hits.len() as i32,
        })
    }
}

/// What the learner is told.
enum Told {
    Answered(Vec<Sentence>),
    Closest(Closest),
    Declined(Refusal),
}

/// What became of a question.
struct Outcomes {
    told: Told,
    verdict: Verdict,
    checked: Checked,
}

/// A question without what identifies a patient, for finding sources only; it is not kept.
fn redacted(question: &str) -> String {
    let rest = preceptor_phi::redact(question);
    if rest.chars().any(char::is_alphanumeric) { rest } else { ANYTHING.to_owned() }
}

const CLOSEST: &str =
    "These may not answer your question. They are what this program says that comes closest.";
const NOT_IN_PROGRAM: &str =
    "Not found in this program, which seems to be about something else. These are its closest sources.";
const PATIENT_SPECIFIC: &str = "This program teaches; it does not advise on the care of an individual. Ask about the topic in general, or turn \
    to the clinician in charge. These sources cover it.";

/// Why there is no answer, and what comes closest.
fn refusal(checked: &Checked, found: &retrieval::SearchResponse) -> Refusal {
    let (code, message) = match checked {
        Checked::Passed(_) => ("NOT_IN_PROGRAM", NOT_IN_PROGRAM.to_owned()),
        Checked::PatientSpecific(_) => ("PATIENT_SPECIFIC", PATIENT_SPECIFIC.to_owned()),
        Checked::PatientData(identifying) => {
            let message = format!(
                "This question seems to hold data that identifies a patient ({identifying}), so it was not kept. Ask again without it. These \
                 sources may help."
            );
            ("PHI_DETECTED", message)
        }
    };
    Refusal { code: code.to_owned(), message, sources: offers(&found.hits) }
}

/// The conversation of a question: the one it names, if that is the learner's own in this program, or a new one.
async fn open_session(tx: &TenantTx, asking: &Asking) -> Result<String, Error> {
    let program = asking.program.to_string();
    if let Some(id) = asking.session {
        let known = session(tx, &id.to_string()).await?;
        let own = known.filter(|row| row.subject == tx.scope().subject() && row.program_id == program);
        return own.map(|row| row.id).ok_or(Error::SessionNotFound);
    }
    let row = session::Model {
        org_id: tx.org_key(),
        id: SessionId::generate().to_string(),
        program_id: program,
        subject: tx.scope().subject().to_owned(),
        opened_at: tx.now().micros(),
    };
    let id = row.id.clone();
    tx.insert(row).await?;
    Ok(id)
}
