//! Cells: where an org's rows are.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::id::OrgId;
use preceptor_core::{Clock, Scope};
use preceptor_runtime::shielded;
use sea_orm::{SqliteTransactionMode, TransactionOptions, TransactionTrait as _};
use tokio::sync::{Notify, OnceCell};

use crate::outbox::{self, Unsent};
use crate::sqlite::{self, Pools};
use crate::tx::Connection;
use crate::{Schema, StoreError, TenantTx};

/// Reading connections per cell.
const READERS: u32 = 4;

/// Where the embedded cells are.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the SQLite files, one per org.
    pub folder: PathBuf,
}

/// The orgs whose outbox has something new, per service. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dirty {
    orgs: Arc<Mutex<BTreeSet<OrgId>>>,
    changed: Arc<Notify>,
}

impl Dirty {
    pub(crate) fn mark(&self, org: OrgId) {
        self.orgs.lock().unwrap_or_else(PoisonError::into_inner).insert(org);
        self.changed.notify_one();
    }

    /// Waits until there is at least one org and takes them all.
    pub(crate) async fn take(&self) -> BTreeSet<OrgId> {
        loop {
            let taken = std::mem::take(&mut *self.orgs.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken;
            }
            self.changed.notified().await;
        }
    }
}

#[derive(Debug)]
struct Inner {
    config: Config,
    schemas: Vec<Schema>,
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<OrgId, Arc<OnceCell<Pools>>>>,
    dirty: HashMap<&'static str, Dirty>,
}

/// The orgs that have a cell in this folder.
fn existing(folder: &Path) -> std::io::Result<Vec<OrgId>> {
    let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<std::io::Result<_>>()?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".db")?.parse().ok()).collect())
}

/// All cells of a deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cells(Arc<Inner>);

impl Cells {
    /// Cells with the tables of `schemas`. Nothing is opened before it is used. Every org that has a cell counts as dirty:
    /// what was committed before a crash and not sent is sent now.
    pub fn new(config: Config, schemas: Vec<Schema>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", config.folder.display()));
        std::fs::create_dir_all(&config.folder).map_err(failed)?;
        let existing = existing(&config.folder).map_err(failed)?;
        let dirty: HashMap<_, _> = schemas.iter().map(|schema| (schema.service, Dirty::default())).collect();
        for (service, &org) in dirty.values().flat_map(|service: &Dirty| existing.iter().map(move |org| (service, org))) {
            service.mark(org);
        }
        Ok(Self(Arc::new(Inner { config, schemas, clock, open: Mutex::default(), dirty })))
    }

    /// What one service sees of the cells: its own tables, outbox and inbox.
    ///
    /// # Panics
    /// When the service's schema was not given to [`new`](Self::new): a defect in the wiring.
    pub fn handle(&self, service: &'static str) -> Handle {
        let dirty = self.0.dirty.get(service).cloned().expect("the service's schema is in the cells");
        Handle { cells: self.clone(), service, dirty }
    }

    async fn pools(&self, org: OrgId) -> Result<Pools, StoreError> {
        let cell = {
            let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(org).or_default())
        };
        let inner = Arc::clone(&self.0);
        // Opening runs migrations, which must not stop half-way with their caller.
        let pools = shielded(async move {
            cell.get_or_try_init(|| async {
                let pools = sqlite::open(&inner.config.folder.join(format!("{org}.db")), READERS).await?;
                for schema in &inner.schemas {
                    schema.apply(&pools.writer, inner.clock.now()).await?;
                }
                Ok::<_, StoreError>(pools)
            })
            .await
            .cloned()
        })
        .await?;
        Ok(pools)
    }

    /// Closes every open cell.
    pub async fn close(&self) {
        let open = std::mem::take(&mut *self.0.open.lock().unwrap_or_else(PoisonError::into_inner));
        for pools in open.values().filter_map(|cell| cell.get()) {
            pools.close().await;
        }
    }
}

/// One service's way into the cells. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    cells: Cells,
    service: &'static str,
    dirty: Dirty,
}

impl Handle {
    /// The service whose tables these are.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The orgs that have a cell.
    pub fn known_orgs(&self) -> Result<Vec<OrgId>, StoreError> {
        existing(&self.cells.0.config.folder).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Opens the org's rows for reading.
    pub async fn read(&self, scope: &Arc<Scope>) -> Result<TenantTx, StoreError> {
        let pools = self.cells.pools(scope.org()).await?;
        Ok(self.tenant(scope, Connection::Read(pools.reader)))
    }

    /// Opens a transaction on the org's rows. Writers of one org take turns.
    pub async fn write(&self, scope: &Arc<Scope>) -> Result<TenantTx, StoreError> {
        let pools = self.cells.pools(scope.org()).await?;
        // sqlx hands a connection with an open transaction back to its pool when `begin` is cancelled.
        let tx = shielded(async move {
            let immediate = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
            pools.writer.begin_with_options(immediate).await
        })
        .await?;
        Ok(self.tenant(scope, Connection::Write(tx)))
    }

    fn tenant(&self, scope: &Arc<Scope>, connection: Connection) -> TenantTx {
        TenantTx::new(Arc::clone(scope), self.service, connection, &*self.cells.0.clock, self.dirty.clone())
    }

    /// Waits for orgs whose outbox has something new.
    pub async fn dirty_orgs(&self) -> BTreeSet<OrgId> {
        self.dirty.take().await
    }

    /// Has the relay look at an org again: at start, and after a failure.
    pub fn mark_dirty(&self, org: OrgId) {
        self.dirty.mark(org);
    }

    /// The oldest events that are not on the bus yet.
    pub async fn unsent(&self, org: OrgId, limit: u64) -> Result<Vec<Unsent>, StoreError> {
        outbox::unsent(&self.cells.pools(org).await?.reader, self.service, org, limit).await
    }

    /// Notes that these events are on the bus.
    pub async fn mark_sent(&self, org: OrgId, sent: &[Unsent]) -> Result<(), StoreError> {
        outbox::mark_sent(&self.cells.pools(org).await?.writer, self.service, org, sent).await
    }
}
