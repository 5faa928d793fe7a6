//! Connections to PostgreSQL: as one role, for one use, with every wait bounded.

use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use preceptor_core::Secret;
use preceptor_runtime::Breaker;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::{DatabaseConnection, DatabaseTransaction, SqlxPostgresConnector, TransactionTrait as _};
use tokio::time::Instant;

use super::{Config, role};
use crate::StoreError;

/// How long a caller waits for a connection, and for a server that is starting.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long it takes at most until a transaction is open: a peer that vanished says nothing.
const LONGEST_BEGIN: Duration = Duration::from_secs(7);
/// A connection that was idle for longer is asked whether it lives before it is used.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// What the server ends by itself: a statement, a wait for a lock, a transaction that no one goes on with.
const SERVER_LIMITS: [(&str, &str); 3] =
    [("statement_timeout", "8s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "10s")];
/// A pool that gave no one a connection for so long is given up: its connections may hang on a dead network.
const STUCK: Duration = Duration::from_secs(30);
/// Failures in a row after which the database is left alone, and for how long.
const FAILURES: u32 = 5;
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// Tries of an opening that failed before anything was done: a connection that is gone is found out by its use.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
/// Anyone who waited for longer has been patient enough.
const QUICK: Duration = Duration::from_secs(1);

/// What connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Transactions that cannot write, each on one state of the database.
    Reading,
    /// Transactions that write.
    Writing,
}

/// The password of a role.
fn password(secrets: &Path, of: &str) -> Result<Secret, StoreError> {
    let path = secrets.join(format!("{of}.password"));
    let problem = |what: String| StoreError::Unavailable(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| problem(error.to_string()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).map_err(|error| problem(error.to_string()))?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(problem("everyone can read it; make it private (chmod 600)".into()));
        }
    }
    Ok(Secret::new(text.trim()))
}

/// How `of` (a service, or the migrator) connects to `url`.
pub(crate) fn login(config: &Config, url: &str, of: &str) -> Result<PgConnectOptions, StoreError> {
    use sea_orm::sqlx::ConnectOptions as _;
    let options: PgConnectOptions =
        url.parse().map_err(|error| StoreError::Unavailable(format!("the database URL: {error}")))?;
    let password = password(&config.secrets, of)?;
    Ok(options
        .username(&role(of))
        .password(password.expose())
        .application_name(&format!("preceptor {of}"))
        .options(SERVER_LIMITS)
        .disable_statement_logging())
}

/// How `of` connects to `url` for a use.
fn options(config: &Config, url: &str, of: &str, purpose: Use) -> Result<PgConnectOptions, StoreError> {
    let options = login(config, url, of)?;
    Ok(match purpose {
        Use::Writing => options,
        Use::Reading => options.options([
            ("default_transaction_read_only", "on"),
            ("default_transaction_isolation", "repeatable read"),
        ]),
    })
}

/// Connections that are made when they are needed.
fn lazily(options: PgConnectOptions, connections: u32) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(1800))
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for >= ASK_AFTER {
                    sea_orm::sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

/// A pool that heals: what fails before anything was done is tried again, a database that is down is left alone for a
/// moment, and connections that never come back are given up.
#[derive(Debug)]
pub(crate) struct Pool {
    current: RwLock<DatabaseConnection>,
    options: PgConnectOptions,
    connections: u32,
    breaker: Breaker,
    served: Mutex<Instant>,
}

impl Pool {
    pub(crate) fn open(config: &Config, url: &str, of: &str, purpose: Use) -> Result<Self, StoreError> {
        let options = options(config, url, of, purpose)?;
        Ok(Self {
            current: RwLock::new(lazily(options.clone(), config.connections)),
            options,
            connections: config.connections,
            breaker: Breaker::new(FAILURES, LEFT_ALONE),
            served: Mutex::new(Instant::now()),
        })
    }

    /// The connections, for statements outside of a transaction.
    pub(crate) fn current(&self) -> DatabaseConnection {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens a transaction. Not to be canceled: see [`shielded`](preceptor_runtime::shielded).
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let began = Instant::now();
        let mut tries = 1;
        loop {
            if self.breaker.is_open() {
                return Err(StoreError::Unavailable(
                    "the database failed several times and is left alone for a second".into(),
                ));
            }
            let begun = tokio::time::timeout(LONGEST_BEGIN, async {
                self.current().begin().await.map_err(StoreError::from)
            })
            .await;
            let error = match begun.unwrap_or_else(|_| {
                Err(StoreError::Unavailable("the database did not answer in time".into()))
            }) {
                Ok(tx) => {
                    self.breaker.note(true);
                    *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                    return Ok(tx);
                }
                Err(error) => error,
            };
            let away = matches!(error, StoreError::Unavailable(_));
            self.breaker.note(!away);
            self.give_up_when_stuck();
            if !away || tries == TRIES || began.elapsed() > QUICK {
                return Err(error);
            }
            tokio::time::sleep(PAUSE * tries).await;
            tries += 1;
        }
    }

    /// Begins with fresh connections when the old ones served no one for long. A connection to a peer that vanished keeps
    /// its place in the pool until the system gives up, which takes a quarter of an hour.
    fn give_up_when_stuck(&self) {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if served.elapsed() < STUCK {
            return;
        }
        *served = Instant::now();
        tracing::warn!(
            "a pool of database connections has given out no connection for a while and is replaced"
        );
        *self.current.write().unwrap_or_else(PoisonError::into_inner) =
            lazily(self.options.clone(), self.connections);
    }

    /// Closes the connections and waits for them to end.
    pub(crate) async fn close(&self) {
        if let Err(error) = self.current().close_by_ref().await {
            tracing::warn!(%error, "a database did not close cleanly");
        }
    }
}
