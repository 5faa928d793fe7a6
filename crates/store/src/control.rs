//! The control database: what exists before any org does.
//!
//! It holds the directory of orgs, staff and credentials. Only `auth` opens it. Its events go through an outbox of the
//! same form as those of the cells.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use preceptor_core::id::{EventId, OrgId};
use preceptor_core::{Clock, Scope, Timestamp};
use preceptor_runtime::{shielded, tally};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait, Select, UpdateMany,
};

use crate::cells::Dirty;
use crate::outbox::{self, AUDIT_TYPE, Event, Producer, Unsent};
use crate::sqlite::{self, Pools};
use crate::{AuditEntry, OutboxSeals, Schema, StoreError, files, postgres};

/// Where the control database is.
#[derive(Debug, Clone)]
pub enum ControlConfig {
    /// An SQLite file: the embedded engine.
    File(PathBuf),
    /// A PostgreSQL database.
    Postgres(postgres::Config),
}

/// The connections of an engine.
#[derive(Debug)]
enum Engine {
    File(Pools),
    Postgres(Box<Pair>),
}

/// Connections that read, and those that write.
#[derive(Debug)]
struct Pair {
    reading: postgres::Pool,
    writing: postgres::Pool,
}

impl Engine {
    fn reader(&self) -> DatabaseConnection {
        match self {
            Self::File(pools) => pools.reader.clone(),
            Self::Postgres(pair) => pair.reading.current(),
        }
    }

    fn writer(&self) -> DatabaseConnection {
        match self {
            Self::File(pools) => pools.writer.clone(),
            Self::Postgres(pair) => pair.writing.current(),
        }
    }

    async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        match self {
            Self::File(pools) => files::begin(pools.clone()).await,
            Self::Postgres(pair) => pair.writing.begin().await,
        }
    }
}

/// Reading connections to the file.
const READERS: u32 = 4;

/// The control database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    engine: Arc<Engine>,
    service: &'static str,
    clock: Arc<dyn Clock>,
    dirty: Dirty,
    seals: OutboxSeals,
}

impl Control {
    /// Opens the database with the tables of `schema`. What waits in its outbox is sealed by `seals`.
    pub async fn open(
        config: &ControlConfig,
        schema: Schema,
        clock: Arc<dyn Clock>,
        seals: OutboxSeals,
    ) -> Result<Self, StoreError> {
        let engine = match config {
            ControlConfig::File(path) => {
                let pools = sqlite::open(path, READERS).await?;
                schema.apply(&pools.writer, clock.now()).await?;
                Engine::File(pools)
            }
            ControlConfig::Postgres(config) => {
                let (reading, writing) = postgres::control(config, schema, &clock).await?;
                Engine::Postgres(Box::new(Pair { reading, writing }))
            }
        };
        let control =
            Self { engine: Arc::new(engine), service: schema.service, clock, dirty: Dirty::default(), seals };
        for org in outbox::unsent_orgs(&control.engine.reader(), control.service).await? {
            control.dirty.add(org);
        }
        Ok(control)
    }

    /// All rows of a read.
    pub async fn all<E: EntityTrait>(&self, select: Select<E>) -> Result<Vec<E::Model>, StoreError> {
        tally::statement();
        Ok(select.all(&self.engine.reader()).await?)
    }

    /// The first row of a read.
    pub async fn one<E: EntityTrait>(&self, select: Select<E>) -> Result<Option<E::Model>, StoreError> {
        tally::statement();
        Ok(select.one(&self.engine.reader()).await?)
    }

    /// Opens a transaction.
    pub async fn write(&self) -> Result<ControlTx, StoreError> {
        let engine = Arc::clone(&self.engine);
        let tx = shielded(async move { engine.begin().await }).await?;
        Ok(ControlTx {
            tx,
            service: self.service,
            now: self.clock.now(),
            dirty: self.dirty.clone(),
            seals: self.seals.clone(),
            orgs: BTreeSet::new(),
        })
    }

    /// The service whose tables these are.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Waits for orgs whose events are not on the bus yet.
    pub async fn dirty_orgs(&self) -> Vec<OrgId> {
        self.dirty.all().await
    }

    /// Has the relay look at an org again.
    pub fn mark_dirty(&self, org: OrgId) {
        self.dirty.add(org);
    }

    /// The oldest events of an org that are not on the bus yet, at most `limit` of each stream. A stream ends before an event
    /// that is not as it was committed.
    pub async fn unsent(&self, org: OrgId, limit: u64) -> Result<Vec<Unsent>, StoreError> {
        outbox::unsent(&self.engine.reader(), self.service, org, limit, &self.seals).await
    }

    /// Seals the events that an earlier version left unsent and without a seal, as they are; returns how many.
    pub async fn seal_earlier(&self) -> Result<u64, StoreError> {
        let mut sealed = 0;
        for org in outbox::unsent_orgs(&self.engine.reader(), self.service).await? {
            sealed += outbox::seal_earlier(&self.engine.writer(), self.service, org, &self.seals).await?;
        }
        Ok(sealed)
    }

    /// Notes that these events are on the bus.
    pub async fn mark_sent(&self, org: OrgId, sent: &[Unsent]) -> Result<(), StoreError> {
        outbox::mark_sent(&self.engine.writer(), self.service, org, sent).await
    }

    /// Closes the database.
    pub async fn close(&self) {
        match &*self.engine {
            Engine::File(pools) => pools.close().await,
            Engine::Postgres(pair) => {
                pair.reading.close().await;
                pair.writing.close().await;
            }
        }
    }
}

/// A transaction on the control database. Dropping it without [`commit`](Self::commit) undoes it.
#[derive(Debug)]
pub struct ControlTx {
    tx: DatabaseTransaction,
    service: &'static str,
    now: Timestamp,
    dirty: Dirty,
    seals: OutboxSeals,
    orgs: BTreeSet<OrgId>,
}

impl ControlTx {
    /// The instant of this transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The first row of a read.
    pub async fn one<E: EntityTrait>(&self, select: Select<E>) -> Result<Option<E::Model>, StoreError> {
        tally::statement();
        Ok(select.one(&self.tx).await?)
    }

    /// All rows of a read.
    pub async fn all<E: EntityTrait>(&self, select: Select<E>) -> Result<Vec<E::Model>, StoreError> {
        tally::statement();
        Ok(select.all(&self.tx).await?)
    }

    /// Adds one row.
    pub async fn insert<M>(&self, model: M) -> Result<(), StoreError>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        tally::statement();
        M::Entity::insert(model.into_active_model()).exec_without_returning(&self.tx).await?;
        Ok(())
    }

    /// Runs an update; returns how many rows it changed.
    pub async fn update<E: EntityTrait>(&self, update: UpdateMany<E>) -> Result<u64, StoreError> {
        tally::statement();
        Ok(update.exec(&self.tx).await?.rows_affected)
    }

    /// Puts an act on the record of the scope's org, in the same transaction.
    pub async fn audit(&mut self, scope: &Scope, entry: AuditEntry) -> Result<EventId, StoreError> {
        let id = EventId::generate();
        let payload = entry.encode(id, scope, self.service, self.now)?;
        let producer = Producer { service: self.service, org: scope.org(), now: self.now };
        let event = Event::new(id, AUDIT_TYPE, payload);
        outbox::write(&self.tx, producer, vec![event], &self.seals).await?;
        self.orgs.insert(scope.org());
        Ok(id)
    }

    /// Makes the change and its events visible together.
    pub async fn commit(self) -> Result<(), StoreError> {
        let tx = self.tx;
        shielded(async move { tx.commit().await }).await?;
        for org in self.orgs {
            self.dirty.add(org);
        }
        Ok(())
    }
}
