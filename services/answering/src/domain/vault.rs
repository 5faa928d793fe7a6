//! Words of learners at rest. What the guard lets pass may still name someone, so nothing of it is stored in clear:
//! everything that a learner writes, and what is answered, is sealed under a key of that learner, and the key is kept
//! wrapped under a key of the org. Destroying the wrapped key destroys the words, wherever copies of them are.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::id::OrgId;
use preceptor_keys::{DataKey, Keys};
use preceptor_phi::Guarded;
use preceptor_proto::answering::v1::Message;
use preceptor_store::TenantTx;
use prost::Message as _;

use crate::Error;
use crate::store::{self, feedback, message};

/// Opened keys that are remembered.
const MOST_KEYS: usize = 1024;

type Opened = HashMap<(OrgId, String), Arc<DataKey>>;

/// Seals and opens what learners wrote.
pub(crate) struct Vault {
    keys: Arc<dyn Keys>,
    /// Of keys that are stored: one of a transaction that may still fail is not remembered.
    opened: Mutex<Opened>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

fn place(org: OrgId, column: &str, id: &str) -> String {
    format!("{org}/answering_{column}/{id}")
}

impl Vault {
    pub(crate) fn new(keys: Arc<dyn Keys>) -> Self {
        Self { keys, opened: Mutex::default() }
    }

    /// The stored keys of learners. Those that are remembered are not opened again, and the others together.
    pub(crate) async fn stored(
        &self,
        tx: &TenantTx,
        subjects: BTreeSet<&str>,
    ) -> Result<LearnersKeys, Error> {
        let org = tx.org();
        let (mut found, mut others) = (HashMap::new(), Vec::new());
        {
            let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            for subject in subjects {
                match known.get(&(org, subject.to_owned())) {
                    Some(key) => drop(found.insert(subject.to_owned(), Arc::clone(key))),
                    None => others.push(subject.to_owned()),
                }
            }
        }
        if !others.is_empty() {
            let rows = store::keys(tx, others).await?;
            let stored: Vec<(&str, &[u8])> =
                rows.iter().map(|row| (row.subject.as_str(), row.wrapped_key.as_slice())).collect();
            let keys = DataKey::open_all(&*self.keys, org, &stored).await?;
            let opened = rows.iter().map(|row| row.subject.clone()).zip(keys.into_iter().map(Arc::new));
            let opened: HashMap<_, _> = opened.collect();
            self.remember(org, &opened);
            found.extend(opened);
        }
        Ok(LearnersKeys(found))
    }

    fn remember(&self, org: OrgId, keys: &HashMap<String, Arc<DataKey>>) {
        let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() + keys.len() > MOST_KEYS {
            all.clear();
        }
        all.extend(keys.iter().map(|(subject, key)| ((org, subject.clone()), Arc::clone(key))));
    }

    /// The key of a learner, made when they first write.
    async fn key(&self, tx: &TenantTx, subject: &str) -> Result<Arc<DataKey>, Error> {
        if let Some(key) = self.stored(tx, BTreeSet::from([subject])).await?.0.remove(subject) {
            return Ok(key);
        }
        let (key, wrapped) = DataKey::make(&*self.keys, tx.scope().org(), subject).await?;
        store::keep_key(tx, subject, wrapped).await?;
        Ok(Arc::new(key))
    }

    /// Puts a question that passed the guard, or one that did not without its words, on record with its answer.
    pub(crate) async fn keep_message(
        &self,
        tx: &TenantTx,
        question: Option<&Guarded>,
        mut record: Message,
    ) -> Result<Message, Error> {
        record.question = question.map(|question| question.as_str().to_owned()).unwrap_or_default();
        let key = self.key(tx, &record.subject).await?;
        let sealed =
            key.seal(&place(tx.scope().org(), "message/record", &record.id), &record.encode_to_vec())?;
        let row = message::Model {
            org_id: tx.org_key(),
            id: record.id.clone(),
            session_id: record.session_id.clone(),
            program_id: record.program_id.clone(),
            program_version_id: record.program_version_id.clone(),
            subject: record.subject.clone(),
            asked_at: record.asked_at,
            record: sealed,
        };
        tx.insert(row).await?;
        Ok(record)
    }

    /// Keeps what a learner thought of their answer.
    pub(crate) async fn keep_feedback(
        &self,
        tx: &TenantTx,
        about: &message::Model,
        helpful: bool,
        comment: &Guarded,
    ) -> Result<(), Error> {
        let key = self.key(tx, &about.subject).await?;
        let id = preceptor_core::id::EventId::generate().to_string();
        let sealed =
            key.seal(&place(tx.scope().org(), "feedback/sealed", &id), comment.as_str().as_bytes())?;
        let row = feedback::Model {
            org_id: tx.org_key(),
            id,
            message_id: about.id.clone(),
            helpful,
            sealed: Some(sealed),
            given_at: tx.now().micros(),
        };
        Ok(tx.insert(row).await?)
    }
}

/// Opened keys, by learner.
#[derive(Debug)]
pub(crate) struct LearnersKeys(HashMap<String, Arc<DataKey>>);

impl LearnersKeys {
    /// The message of a row.
    pub(crate) fn message(&self, org: OrgId, row: &message::Model) -> Result<Message, Error> {
        let damaged = |what: String| Error::Defect(format!("a recorded message cannot be read: {what}"));
        let key = self.0.get(&row.subject).ok_or_else(|| damaged("its key is gone".to_owned()))?;
        let record = key.unseal(&place(org, "message/record", &row.id), &row.record)?;
        Message::decode(record.as_slice()).map_err(|error| damaged(error.to_string()))
    }

    /// What a learner wrote about an answer.
    pub(crate) fn comment(
        &self,
        org: OrgId,
        about: &message::Model,
        said: &feedback::Model,
    ) -> Result<String, Error> {
        let (Some(sealed), Some(key)) = (&said.sealed, self.0.get(&about.subject)) else {
            return Ok(String::new());
        };
        let text = key.unseal(&place(org, "feedback/sealed", &said.id), sealed)?;
        String::from_utf8(text).map_err(|error| Error::Defect(error.to_string()))
    }
}
