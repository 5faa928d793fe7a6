//! Cells on SQLite: one file per org, which is its tenant wall.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use preceptor_core::Clock;
use preceptor_core::id::OrgId;
use preceptor_runtime::shielded;
use rustix::process::{Resource, getrlimit};
use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait as _};
use tokio::sync::OnceCell;

use crate::sqlite::{self, Pools};
use crate::{Schema, StoreError};

/// Reading connections per cell, where the process may have enough files open.
const READERS: u64 = 4;
/// Open files that a process needs for each of them: many cells are open at the same time, and each connection has three.
const FILES_PER_READER: u64 = 256;

/// Reading connections that a cell of this process gets.
fn readers() -> u32 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    (files / FILES_PER_READER).clamp(1, READERS) as u32
}

/// The files of a folder.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    schemas: Vec<Schema>,
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<OrgId, Arc<OnceCell<Pools>>>>,
}

/// What went wrong with a folder.
fn unavailable(folder: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |error| StoreError::Unavailable(format!("{}: {error}", folder.display()))
}

impl Files {
    /// The files of `folder`, which is made when it is missing. Nothing is opened before it is used.
    pub(crate) fn new(
        folder: PathBuf,
        schemas: Vec<Schema>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&folder).map_err(unavailable(&folder))?;
        Ok(Self { folder, schemas, clock, open: Mutex::default() })
    }

    /// The orgs that have a file.
    pub(crate) fn orgs(&self) -> Result<Vec<OrgId>, StoreError> {
        let entries = std::fs::read_dir(&self.folder).map_err(unavailable(&self.folder))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names: Vec<String> = names.collect::<std::io::Result<_>>().map_err(unavailable(&self.folder))?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".db")?.parse().ok()).collect())
    }

    /// An org's file, opened and up to date.
    pub(crate) async fn pools(self: &Arc<Self>, org: OrgId) -> Result<Pools, StoreError> {
        let cell = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(org).or_default())
        };
        let files = Arc::clone(self);
        // Opening runs migrations, which must not stop half-way with their caller.
        shielded(async move { cell.get_or_try_init(|| files.open(org)).await.cloned() }).await
    }

    async fn open(&self, org: OrgId) -> Result<Pools, StoreError> {
        let pools = sqlite::open(&self.folder.join(format!("{org}.db")), readers()).await?;
        for schema in &self.schemas {
            schema.apply(&pools.writer, self.clock.now()).await?;
        }
        Ok(pools)
    }

    /// Closes every open file.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for pools in open.values().filter_map(|cell| cell.get()) {
            pools.close().await;
        }
    }
}

/// Opens a transaction that takes the write lock of the file at once: writers take turns.
pub(crate) async fn begin(pools: Pools) -> Result<DatabaseTransaction, StoreError> {
    // sqlx hands a connection with an open transaction back to its pool when `begin` is canceled.
    let tx = shielded(async move {
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        pools.writer.begin_with_options(immediate).await
    })
    .await?;
    Ok(tx)
}
