//! The signer of a log's heads. It remembers what it signed outside the database, and signs nothing that does not
//! continue it.
//!
//! Before a signature three things must hold. The remembered head and the one in the tables are joined by an RFC 6962
//! consistency proof. The records that came since, hashed again from their stored bytes, lead from the one root to the
//! other. And the tables do not show a signature that the memory has forgotten: then the memory was lost or put back, and
//! a person has to look.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::id::OrgId;
use preceptor_core::{Scope, SystemActor};
use preceptor_keys::{KeyError, KeyName, Keys, MemoryError, Purpose, SignedHead, SignerMemory};
use preceptor_runtime::Health;
use preceptor_runtime::health::State;
use preceptor_store::{Handle, TenantTx};
use preceptor_tlog::{Checkpoint, LogKey, check_consistency};

use crate::domain::Frontier;
use crate::store::{self, proofs, signed};
use crate::{Config, Deps, Error};

/// The name of the part in the health of the process.
const PART: &str = "log";
/// How often a signature is tried again when other processes sign at the same time.
const TRIES: usize = 8;
/// Records that are hashed again at a time.
const PAGE: u64 = 1000;

/// A head with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) head: Checkpoint,
    pub(crate) note: String,
    pub(crate) key: LogKey,
    pub(crate) updated_at: i64,
}

/// Signs heads, one at a time for each log.
#[derive(Debug)]
pub(crate) struct Signer {
    store: Handle,
    keys: Arc<dyn Keys>,
    memory: Arc<dyn SignerMemory>,
    health: Health,
    config: Config,
    logs: Mutex<HashMap<OrgId, Arc<Turn>>>,
    refused: Mutex<BTreeSet<OrgId>>,
}

/// One log's turn to be signed, and what was signed last by this process.
#[derive(Debug, Default)]
struct Turn {
    busy: tokio::sync::Mutex<()>,
    last: Mutex<Option<Signed>>,
}

impl Turn {
    fn last(&self) -> Option<Signed> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the signer found.
enum Look {
    /// The head that was signed last, by this process.
    Signed(Signed),
    /// One that continues it, and when it was written.
    Continues(Checkpoint, i64),
}

impl Signer {
    pub(crate) fn new(deps: &Deps, config: Config) -> Self {
        Self {
            store: deps.store.clone(),
            keys: Arc::clone(&deps.keys),
            memory: Arc::clone(&deps.memory),
            health: deps.health.clone(),
            config,
            logs: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    pub(crate) fn origin(&self, org: OrgId) -> String {
        format!("{}/{org}", self.config.deployment)
    }

    /// The org's log under its name, with the key that signs its checkpoints.
    pub(crate) async fn log_key(&self, org: OrgId) -> Result<LogKey, Error> {
        let keys = self.keys.public_keys(KeyName::of_org(Purpose::AuditLog, org)).await?;
        let raw = keys.into_iter().next().and_then(|key| key.bytes.try_into().ok());
        let raw = raw.ok_or_else(|| KeyError::Unavailable("the log has no key".into()))?;
        Ok(LogKey::new(self.origin(org), raw))
    }

    /// A signed head that covers the leaf at `index`: the last that was signed, or the present one.
    pub(crate) async fn covering(&self, org: OrgId, index: u64) -> Result<Signed, Error> {
        match self.turn(org).last() {
            Some(last) if index < last.head.size => Ok(last),
            _ => self.present(org).await,
        }
    }

    /// The present head, signed.
    pub(crate) async fn present(&self, org: OrgId) -> Result<Signed, Error> {
        let outcome = self.signed(org).await.map_err(loudly);
        self.tell(org, outcome.as_ref().err());
        outcome
    }

    fn turn(&self, org: OrgId) -> Arc<Turn> {
        Arc::clone(self.logs.lock().unwrap_or_else(PoisonError::into_inner).entry(org).or_default())
    }

    /// Says in the health of the process whether any log is not what was signed.
    pub(crate) fn tell(&self, org: OrgId, error: Option<&Error>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match error {
            Some(Error::Inconsistent(why)) => {
                tracing::error!(org.id = %org, why, "the stored log is not the one that was signed: nothing of it is signed until a person has looked");
                refused.insert(org)
            }
            Some(_) => false,
            None => refused.remove(&org),
        };
        match refused.len() {
            0 if changed => self.health.set(PART, State::Ready),
            count if changed => {
                let why = format!(
                    "the stored log of {count} organizations is not the one that was signed; see the process's own log"
                );
                self.health.set(PART, State::Degraded(why));
            }
            _ => {}
        }
    }

    async fn signed(&self, org: OrgId) -> Result<Signed, Error> {
        let turn = self.turn(org);
        let _busy = turn.busy.lock().await;
        let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org));
        let key = self.log_key(org).await?;
        for _ in 0..TRIES {
            // In this order: whatever was signed before this look was in the tables before it.
            let last = self.memory.last(org).await.map_err(memory_error)?;
            let looked = self.look(&scope, &turn, &key, last.as_ref()).await;
            match looked {
                Ok(Look::Signed(known)) => return Ok(known),
                Ok(Look::Continues(head, updated_at)) => {
                    let next = SignedHead { origin: head.origin.clone(), size: head.size, root: head.root };
                    match self.memory.advance(org, last.as_ref(), &next).await {
                        Ok(()) => return self.sign(&scope, &turn, key, head, updated_at).await,
                        Err(MemoryError::Moved) => {}
                        Err(error) => return Err(memory_error(error)),
                    }
                }
                // Another process may have signed between the two looks.
                Err(error) if self.memory.last(org).await.map_err(memory_error)? == last => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Err(KeyError::Unavailable("others sign all the time".into()).into())
    }

    /// Looks whether the tables continue what was signed last.
    async fn look(
        &self,
        scope: &Arc<Scope>,
        turn: &Turn,
        key: &LogKey,
        last: Option<&SignedHead>,
    ) -> Result<Look, Error> {
        let tx = self.store.read(scope).await?;
        let (frontier, updated_at) = store::read_head(&tx).await?;
        let head =
            Checkpoint { origin: self.origin(scope.org()), size: frontier.size(), root: frontier.root().0 };
        if let Some(known) =
            turn.last().filter(|known| known.head == head && last.is_some_and(|last| is(last, &head)))
        {
            return Ok(Look::Signed(known));
        }
        not_forgotten(key, signed::last(&tx).await?.as_ref(), last)?;
        continued(&tx, last, &head).await?;
        Ok(Look::Continues(head, updated_at))
    }

    /// Puts the signature under a head that the memory has taken in.
    async fn sign(
        &self,
        scope: &Arc<Scope>,
        turn: &Turn,
        key: LogKey,
        head: Checkpoint,
        updated_at: i64,
    ) -> Result<Signed, Error> {
        let text = head.to_string();
        let signature =
            self.keys.sign(KeyName::of_org(Purpose::AuditLog, scope.org()), text.as_bytes()).await?;
        let note = key.checkpoint(&text, &signature.bytes);
        // An empty log is no row: no one's tables are made by looking.
        if head.size > 0 {
            let tx = self.store.write(scope).await?;
            signed::keep(&tx, head.size, &note).await?;
            tx.commit().await?;
        }
        let signed = Signed { head, note, key, updated_at };
        *turn.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(signed.clone());
        Ok(signed)
    }

    /// That the log continues what `note` states, which it must have signed itself.
    pub(crate) async fn confirm(&self, org: OrgId, note: &str) -> Result<Signed, Error> {
        let stated =
            self.log_key(org).await?.open(note).map_err(|refusal| Error::NotOurs(refusal.to_string()))?;
        let present = self.present(org).await?;
        let scope = Arc::new(Scope::of_system(SystemActor::Sequencer, org));
        let tx = self.store.read(&scope).await?;
        let joined = joined(&tx, &stated, &present.head).await.map_err(loudly);
        self.tell(org, joined.as_ref().err());
        joined.map(|()| present)
    }
}

/// A log whose parts do not fit together is not the one that was signed.
fn loudly(error: Error) -> Error {
    match error {
        Error::DamagedHead => Error::Inconsistent("what is stored does not fit together".into()),
        other => other,
    }
}

/// What is wrong with the memory, as the service tells it.
pub(crate) fn memory_error(error: MemoryError) -> Error {
    match error {
        MemoryError::Damaged | MemoryError::Backwards { .. } => Error::Inconsistent(error.to_string()),
        MemoryError::Unavailable(why) => KeyError::Unavailable(why).into(),
        MemoryError::Moved => KeyError::Unavailable(error.to_string()).into(),
    }
}

fn is(last: &SignedHead, head: &Checkpoint) -> bool {
    (last.origin.as_str(), last.size, last.root) == (head.origin.as_str(), head.size, head.root)
}

fn as_checkpoint(head: &SignedHead) -> Checkpoint {
    Checkpoint { origin: head.origin.clone(), size: head.size, root: head.root }
}

/// The tables show the last signature too. When it is younger than the memory, the memory was lost or put back.
fn not_forgotten(key: &LogKey, row: Option<&signed::Last>, last: Option<&SignedHead>) -> Result<(), Error> {
    let Some(row) = row else { return Ok(()) };
    let shown = key
        .open(&row.note)
        .map_err(|_| Error::Inconsistent("the signature in the tables is not the log's".into()))?;
    let Some(last) = last else {
        return Err(Error::Inconsistent(format!(
            "a head of {} records was signed, and the memory of the signer is gone",
            shown.size
        )));
    };
    if shown.size > last.size || shown.contradicts(&as_checkpoint(last)) {
        let why =
            format!("a head of {} records was signed, and the signer remembers {}", shown.size, last.size);
        return Err(Error::Inconsistent(why));
    }
    Ok(())
}

/// That the tables hold what was signed before, and nothing since but what their own bytes say.
async fn continued(tx: &TenantTx, last: Option<&SignedHead>, head: &Checkpoint) -> Result<(), Error> {
    let mut frontier = match last {
        Some(last) => {
            joined(tx, &as_checkpoint(last), head).await?;
            proofs::frontier(tx, last.size).await?
        }
        None => Frontier::default(),
    };
    while frontier.size() < head.size {
        let page = store::leaves(tx, frontier.size() as i64, PAGE.min(head.size - frontier.size())).await?;
        if page.is_empty() {
            return Err(Error::Inconsistent(format!("record {} is missing", frontier.size())));
        }
        for leaf in page {
            if leaf.idx as u64 != frontier.size()
                || frontier.append(&leaf.record).0.0.as_slice() != leaf.leaf_hash
            {
                return Err(Error::Inconsistent(format!("record {} is not what its hash says", leaf.idx)));
            }
        }
    }
    if frontier.root().0 == head.root {
        Ok(())
    } else {
        Err(Error::Inconsistent("the head is not the root over the records".into()))
    }
}

/// That a later head continues an earlier one, by a proof from stored hashes.
async fn joined(tx: &TenantTx, earlier: &Checkpoint, later: &Checkpoint) -> Result<(), Error> {
    let proof = if later.size < earlier.size {
        Vec::new()
    } else {
        proofs::consistency(tx, earlier.size, later.size).await?
    };
    check_consistency(earlier, later, &proof).map_err(|refusal| Error::Inconsistent(refusal.to_string()))
}
