//! How SQLite files are opened: always the same way.

// Named so that every build has the same SQLite, with the same features.
use libsqlite3_sys as _;
use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use crate::StoreError;

/// How long a statement waits for the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A pair of pools on one file: SQLite has one writer and many readers.
#[derive(Debug, Clone)]
pub struct Pools {
    /// Exactly one connection, so that writers queue here and not on the file lock.
    pub writer: DatabaseConnection,
    /// Connections that cannot write.
    pub reader: DatabaseConnection,
}

/// Opens `path`, which is made when it is missing. `readers` bounds the reading connections.
pub async fn open(path: &Path, readers: u32) -> Result<Pools, StoreError> {
    let writer = connect(path, 1, false).await?;
    let reader = connect(path, readers, true).await?;
    Ok(Pools { writer, reader })
}

impl Pools {
    /// Closes both pools and waits for their connections to end.
    pub async fn close(&self) {
        for pool in [&self.reader, &self.writer] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "a database did not close cleanly");
            }
        }
    }
}

async fn connect(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection, StoreError> {
    let name = path
        .to_str()
        .ok_or_else(|| StoreError::Unavailable(format!("{} is not a valid path", path.display())))?;
    let mut options = ConnectOptions::new(format!("sqlite://{name}?mode=rwc"));
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(Duration::from_secs(60))
        .sqlx_logging(false)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| pragmas(options, read_only));
    Ok(Database::connect(options).await?)
}

fn pragmas(options: SqliteConnectOptions, read_only: bool) -> SqliteConnectOptions {
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged commit survives a power cut, not only a crash of the process.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        // Without it `INSERT OR REPLACE` slips past delete triggers.
        .pragma("recursive_triggers", "on")
        .pragma("trusted_schema", "off")
        // Pages in memory per connection, in KiB: many cells are open at the same time.
        .pragma("cache_size", "-512");
    if read_only { options.pragma("query_only", "on") } else { options }
}
