//! Cells: where an org's rows are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use preceptor_core::id::OrgId;
use preceptor_core::{Clock, Scope};
use preceptor_runtime::Waiting;
use sea_orm::DatabaseTransaction;

use crate::files::{self, Files};
use crate::outbox::{self, Unsent};
use crate::postgres;
use crate::tx::Connection;
use crate::{OutboxSeals, Schema, StoreError, TenantTx};

/// Where the cells are.
#[derive(Debug, Clone)]
pub enum Config {
    /// A folder of SQLite files, one per org: the embedded engine.
    Files(PathBuf),
    /// A PostgreSQL database with the rows of many orgs.
    Postgres(postgres::Config),
}

/// The orgs whose outbox has something new, of one service.
pub(crate) type Dirty = Arc<Waiting<OrgId>>;

/// The cells of one engine.
#[derive(Debug)]
enum Engine {
    Files(Arc<Files>),
    Postgres(postgres::Cell),
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    clock: Arc<dyn Clock>,
    dirty: HashMap<&'static str, Dirty>,
    seals: OutboxSeals,
}

/// All cells of a deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cells(Arc<Inner>);

impl Cells {
    /// Cells with the tables of `schemas`, each of which may refer to those before it. On PostgreSQL the database is
    /// brought up to date where the migrator's password is at hand, and checked elsewhere; files are opened when they are
    /// used. Every known org counts as dirty: what was committed before a crash and not sent is sent now.
    /// What waits in outboxes is sealed by `seals`.
    pub async fn open(
        config: &Config,
        schemas: &[Schema],
        clock: Arc<dyn Clock>,
        seals: OutboxSeals,
    ) -> Result<Self, StoreError> {
        let engine = match config {
            Config::Files(folder) => {
                Engine::Files(Arc::new(Files::new(folder.clone(), schemas.to_vec(), Arc::clone(&clock))?))
            }
            Config::Postgres(config) => {
                Engine::Postgres(postgres::Cell::open(config, schemas, Arc::clone(&clock)).await?)
            }
        };
        let dirty = schemas.iter().map(|schema| (schema.service, Dirty::default())).collect();
        Ok(Self(Arc::new(Inner { engine, clock, dirty, seals })))
    }

    /// What one service sees of the cells: its own tables, outbox and inbox.
    pub async fn handle(&self, service: &'static str) -> Result<Handle, StoreError> {
        let dirty = self.0.dirty.get(service).cloned();
        let dirty =
            dirty.ok_or_else(|| StoreError::Migration(format!("the cells have no tables of {service}")))?;
        let way = match &self.0.engine {
            Engine::Files(files) => Way::Files(Arc::clone(files)),
            Engine::Postgres(cell) => Way::Postgres(cell.service(service)?),
        };
        let (clock, seals) = (Arc::clone(&self.0.clock), self.0.seals.clone());
        let handle = Handle { way, service, clock, dirty, seals };
        for org in handle.known_orgs().await? {
            handle.mark_dirty(org);
        }
        Ok(handle)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match &self.0.engine {
            Engine::Files(files) => files.close().await,
            Engine::Postgres(cell) => cell.close().await,
        }
    }
}

/// How a service gets to rows.
#[derive(Debug, Clone)]
enum Way {
    Files(Arc<Files>),
    Postgres(Arc<postgres::Service>),
}

/// One service's way into the cells. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    way: Way,
    service: &'static str,
    clock: Arc<dyn Clock>,
    dirty: Dirty,
    seals: OutboxSeals,
}

impl Handle {
    /// The service whose tables these are.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The orgs that have rows here.
    pub async fn known_orgs(&self) -> Result<Vec<OrgId>, StoreError> {
        let mut orgs = match &self.way {
            Way::Files(files) => files.orgs()?,
            Way::Postgres(service) => service.orgs().await?,
        };
        // An earlier version made rows of the deployment itself, which is no tenant.
        orgs.retain(|org| org.is_tenant());
        Ok(orgs)
    }

    /// Opens the org's rows for reading.
    pub async fn read(&self, scope: &Arc<Scope>) -> Result<TenantTx, StoreError> {
        refuse_platform(scope)?;
        let connection = match &self.way {
            Way::Files(files) => Connection::Plain(files.pools(scope.org()).await?.reader),
            Way::Postgres(service) => Connection::Snapshot(service.read(scope.org()).await?),
        };
        Ok(self.tenant(scope, connection))
    }

    /// Opens a transaction on the org's rows. Writers of one org take turns.
    pub async fn write(&self, scope: &Arc<Scope>) -> Result<TenantTx, StoreError> {
        refuse_platform(scope)?;
        let connection = match &self.way {
            Way::Files(files) => {
                Connection::Write(files::begin(files.pools(scope.org()).await?).await?, None)
            }
            Way::Postgres(service) => {
                let (tx, turn) = service.write(scope.org()).await?;
                Connection::Write(tx, Some(turn))
            }
        };
        Ok(self.tenant(scope, connection))
    }

    fn tenant(&self, scope: &Arc<Scope>, connection: Connection) -> TenantTx {
        let (dirty, seals) = (self.dirty.clone(), self.seals.clone());
        TenantTx::new(Arc::clone(scope), self.service, connection, &*self.clock, dirty, seals)
    }

    /// Waits for orgs whose outbox has something new.
    pub async fn dirty_orgs(&self) -> Vec<OrgId> {
        self.dirty.all().await
    }

    /// Has the relay look at an org again: at start, and after a failure.
    pub fn mark_dirty(&self, org: OrgId) {
        self.dirty.add(org);
    }

    /// The oldest events that are not on the bus yet, at most `limit` of each stream. A stream ends before an event that is
    /// not as it was committed.
    pub async fn unsent(&self, org: OrgId, limit: u64) -> Result<Vec<Unsent>, StoreError> {
        match &self.way {
            Way::Files(files) => {
                outbox::unsent(&files.pools(org).await?.reader, self.service, org, limit, &self.seals).await
            }
            Way::Postgres(service) => {
                outbox::unsent(&service.read(org).await?, self.service, org, limit, &self.seals).await
            }
        }
    }

    /// Notes that these events are on the bus.
    pub async fn mark_sent(&self, org: OrgId, sent: &[Unsent]) -> Result<(), StoreError> {
        let tx = self.marking(org).await?;
        outbox::mark_sent(&tx, self.service, org, sent).await?;
        preceptor_runtime::shielded(async move { tx.commit().await }).await?;
        Ok(())
    }

    /// A transaction on an org's outbox.
    async fn marking(&self, org: OrgId) -> Result<DatabaseTransaction, StoreError> {
        match &self.way {
            Way::Files(files) => files::begin(files.pools(org).await?).await,
            Way::Postgres(service) => service.mark(org).await,
        }
    }

    /// Seals the events that an earlier version left unsent and without a seal, as they are; returns how many. May be
    /// interrupted and repeated.
    pub async fn seal_earlier(&self) -> Result<u64, StoreError> {
        let mut sealed = 0;
        for org in self.known_orgs().await? {
            let tx = self.marking(org).await?;
            sealed += outbox::seal_earlier(&tx, self.service, org, &self.seals).await?;
            preceptor_runtime::shielded(async move { tx.commit().await }).await?;
        }
        Ok(sealed)
    }
}

/// The deployment's operator is in no tenant: asking on their behalf must not make a cell.
fn refuse_platform(scope: &Scope) -> Result<(), StoreError> {
    if scope.org().is_tenant() { Ok(()) } else { Err(StoreError::NotATenant) }
}
