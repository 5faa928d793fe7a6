//! Tenant transactions: the only handle that runs SQL on tenant tables.

use std::sync::Arc;

use preceptor_core::id::{EventId, OrgId};
use preceptor_core::{Clock, Scope, Timestamp};
use preceptor_runtime::tally;
use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, DatabaseConnection, DatabaseTransaction, DeleteMany, EntityTrait,
    FromQueryResult, IntoActiveModel, Iterable as _, QueryFilter as _, Select, UpdateMany, Value,
};
use tokio::sync::OwnedMutexGuard;

use crate::cells::Dirty;
use crate::outbox::{self, AUDIT_TYPE, Event, Producer};
use crate::{AuditEntry, OutboxSeals, StoreError, constraints};

/// Inserts of more rows than this are not told which of them was refused.
const MOST_EXPLAINED: usize = 128;

/// A table whose rows belong to orgs.
pub trait TenantEntity: EntityTrait {
    /// The column that holds the org.
    const ORG: Self::Column;
}

/// What statements run on.
#[derive(Debug)]
pub(crate) enum Connection {
    /// SQLite: a read outside a transaction saves two round trips, and the file is the tenant's own.
    Plain(DatabaseConnection),
    /// PostgreSQL: a transaction that reads.
    Snapshot(DatabaseTransaction),
    /// A transaction that writes, with what keeps other writers of the org waiting in this process.
    Write(DatabaseTransaction, Option<OwnedMutexGuard<()>>),
}

/// Runs `$call`, a statement, on whichever connection this is.
macro_rules! on {
    ($connection:expr, $db:ident => $call:expr) => {{
        tally::statement();
        match $connection {
            Connection::Plain($db) => $call,
            Connection::Snapshot($db) | Connection::Write($db, _) => $call,
        }
    }};
}

/// One org's rows, for one service, on behalf of one subject. Dropping it without [`commit`](Self::commit) undoes it.
#[derive(Debug)]
pub struct TenantTx {
    scope: Arc<Scope>,
    org: String,
    service: &'static str,
    connection: Connection,
    now: Timestamp,
    dirty: Dirty,
    seals: OutboxSeals,
    events: Vec<Event>,
    afterwards: Afterwards,
}

/// What is done when a transaction has committed.
#[derive(Default)]
struct Afterwards(Vec<Box<dyn FnOnce() + Send + Sync>>);

impl std::fmt::Debug for Afterwards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} things", self.0.len())
    }
}

impl TenantTx {
    pub(crate) fn new(
        scope: Arc<Scope>,
        service: &'static str,
        connection: Connection,
        clock: &dyn Clock,
        dirty: Dirty,
        seals: OutboxSeals,
    ) -> Self {
        let org = scope.org().to_string();
        Self {
            scope,
            org,
            service,
            connection,
            now: clock.now(),
            dirty,
            seals,
            events: Vec::new(),
            afterwards: Afterwards::default(),
        }
    }

    /// The org whose rows these are.
    pub fn org(&self) -> OrgId {
        self.scope.org()
    }

    /// The org in the form in which tables hold it.
    pub fn org_key(&self) -> String {
        self.org.clone()
    }

    /// On whose behalf.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The instant of this transaction: one instant for all of its rows.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A read that begins inside the org.
    pub fn find<E: TenantEntity>(&self) -> Select<E> {
        E::find().filter(E::ORG.eq(self.org.as_str()))
    }

    /// An update that begins inside the org.
    pub fn update<E: TenantEntity>(&self) -> UpdateMany<E> {
        E::update_many().filter(E::ORG.eq(self.org.as_str()))
    }

    /// A deletion that begins inside the org.
    pub fn delete<E: TenantEntity>(&self) -> DeleteMany<E> {
        E::delete_many().filter(E::ORG.eq(self.org.as_str()))
    }

    /// All rows of a read.
    pub async fn all<E: TenantEntity>(&self, select: Select<E>) -> Result<Vec<E::Model>, StoreError> {
        Ok(on!(&self.connection, db => select.all(db).await)?)
    }

    /// The first row of a read.
    pub async fn one<E: TenantEntity>(&self, select: Select<E>) -> Result<Option<E::Model>, StoreError> {
        Ok(on!(&self.connection, db => select.one(db).await)?)
    }

    /// All rows of a read in another shape: aggregates, joins, fewer columns.
    pub async fn all_as<E: TenantEntity, T: FromQueryResult + Send + Sync>(
        &self,
        select: Select<E>,
    ) -> Result<Vec<T>, StoreError> {
        Ok(on!(&self.connection, db => select.into_model::<T>().all(db).await)?)
    }

    /// Adds one row.
    pub async fn insert<M>(&self, model: M) -> Result<(), StoreError>
    where
        M: IntoActiveModel<<<M as IntoActiveModelOf>::Entity as EntityTrait>::ActiveModel>
            + IntoActiveModelOf,
        <M as IntoActiveModelOf>::Entity: TenantEntity,
        <<M as IntoActiveModelOf>::Entity as EntityTrait>::ActiveModel: Send,
    {
        self.insert_all::<M>(vec![model]).await
    }

    /// Adds rows, all or none. Rows of another org are refused before they reach the database.
    pub async fn insert_all<M>(&self, models: Vec<M>) -> Result<(), StoreError>
    where
        M: IntoActiveModel<<<M as IntoActiveModelOf>::Entity as EntityTrait>::ActiveModel>
            + IntoActiveModelOf,
        <M as IntoActiveModelOf>::Entity: TenantEntity,
        <<M as IntoActiveModelOf>::Entity as EntityTrait>::ActiveModel: Send,
    {
        type EntityOf<M> = <M as IntoActiveModelOf>::Entity;
        if models.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = models.into_iter().map(IntoActiveModel::into_active_model).collect();
        let own = Value::from(self.org.as_str());
        if rows.iter().any(|row| row.get(EntityOf::<M>::ORG).into_value().as_ref() != Some(&own)) {
            return Err(StoreError::Refused("a row of another org".into()));
        }
        if rows.iter().any(holds_nul) {
            return Err(StoreError::InvalidText);
        }
        // Rows of the record come in small numbers, and each refusal of one has to say what is missing.
        let kept =
            if rows.len() <= MOST_EXPLAINED { constraints::values::<EntityOf<M>>(&rows) } else { Vec::new() };
        on!(&self.connection, db => match EntityOf::<M>::insert_many(rows).exec_without_returning(db).await {
            Ok(_) => Ok(()),
            Err(error) => Err(constraints::explain::<EntityOf<M>>(db, error, &kept).await),
        })
    }

    /// Runs an update; returns how many rows it changed.
    pub async fn run_update<E: TenantEntity>(&self, update: UpdateMany<E>) -> Result<u64, StoreError> {
        Ok(on!(&self.connection, db => update.exec(db).await)?.rows_affected)
    }

    /// Runs a deletion; returns how many rows it removed.
    pub async fn run_delete<E: TenantEntity>(&self, delete: DeleteMany<E>) -> Result<u64, StoreError> {
        Ok(on!(&self.connection, db => delete.exec(db).await)?.rows_affected)
    }

    fn writing(&self) -> Result<&DatabaseTransaction, StoreError> {
        match &self.connection {
            Connection::Write(tx, _) => Ok(tx),
            Connection::Plain(_) | Connection::Snapshot(_) => {
                Err(StoreError::Refused("a write in a read".into()))
            }
        }
    }

    /// Tells the others of this change, in the same transaction: when it commits.
    pub fn emit(
        &mut self,
        event_type: &'static str,
        payload: &impl prost::Message,
    ) -> Result<EventId, StoreError> {
        self.writing()?;
        let id = EventId::generate();
        self.events.push(Event::new(id, event_type, payload.encode_to_vec()));
        Ok(id)
    }

    /// Puts an act on the org's record, in the same transaction: when it commits.
    pub fn audit(&mut self, entry: AuditEntry) -> Result<EventId, StoreError> {
        let scope = Arc::clone(&self.scope);
        self.audit_of(&scope, entry)
    }

    /// Puts an act of someone else in the same org on its record: for entries of several people that go together.
    pub fn audit_of(&mut self, scope: &Scope, entry: AuditEntry) -> Result<EventId, StoreError> {
        self.writing()?;
        if scope.org() != self.org() {
            return Err(StoreError::Refused("a record of another org".into()));
        }
        let id = EventId::generate();
        let payload = entry.encode(id, scope, self.service, self.now)?;
        self.events.push(Event::new(id, AUDIT_TYPE, payload));
        Ok(id)
    }

    /// Notes that the event was taken in by this service. `false` when it was before: its effect is there already.
    pub async fn first_sight(&self, event_id: &str) -> Result<bool, StoreError> {
        outbox::first_sight(self.writing()?, self.service, self.org(), event_id, self.now).await
    }

    /// Has something done when this transaction has committed, and only then: waking the one who waits for the change. It must
    /// not be more than that, because a process may die in between.
    pub fn on_commit(&mut self, work: impl FnOnce() + Send + Sync + 'static) {
        self.afterwards.0.push(Box::new(work));
    }

    /// Makes the change and its events visible together.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let (events, org, afterwards) =
            (std::mem::take(&mut self.events), self.org(), std::mem::take(&mut self.afterwards));
        let has_events = !events.is_empty();
        if has_events {
            let producer = Producer { service: self.service, org, now: self.now };
            outbox::write(self.writing()?, producer, events, &self.seals).await?;
        }
        let dirty = self.dirty;
        if let Connection::Write(tx, turn) = self.connection {
            preceptor_runtime::shielded(async move {
                let committed = tx.commit().await;
                drop(turn);
                committed
            })
            .await?;
        }
        if has_events {
            dirty.add(org);
        }
        for work in afterwards.0 {
            work();
        }
        Ok(())
    }
}

/// Whether a text of a row holds the character that PostgreSQL does not store. SQLite would cut the text there.
fn holds_nul<A: ActiveModelTrait>(row: &A) -> bool {
    <A::Entity as EntityTrait>::Column::iter()
        .any(|column| matches!(row.get(column).into_value(), Some(Value::String(Some(text))) if text.contains('\0')))
}

/// The entity of a model, so that inserts can name it.
pub trait IntoActiveModelOf {
    /// The entity.
    type Entity: EntityTrait;
}

impl<M: sea_orm::ModelTrait> IntoActiveModelOf for M {
    type Entity = M::Entity;
}
