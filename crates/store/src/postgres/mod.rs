//! Cells on PostgreSQL: many orgs in one database, and four walls between them.
//!
//! 1. Row security, forced on every table of tenants: without a tenant there is no row, with one there are only its own.
//! 2. The tenant is set as the first statement of every transaction and ends with it. A connection that comes from the
//!    pool with a tenant still on it is a defect of someone's, and is refused.
//! 3. Every service connects as a role of its own that owns nothing and is granted its own tables only.
//! 4. Every key, unique key and reference begins with the org, since those are checked past row security.
//!
//! Writers of one org and service take turns, as they do on SQLite: the numbers of the outbox put them in order anyway,
//! and what a transaction has read stays true until it commits. In one process they wait without a connection, so an
//! org that writes much does not take the pool from the others; across processes they wait for an advisory lock.

mod access;
mod catalog;
mod migrate;
mod pool;
mod prepare;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use preceptor_core::Clock;
use preceptor_core::id::OrgId;
use preceptor_runtime::shielded;
use sea_orm::sea_query::{Alias, Expr, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult, Statement};
use tokio::sync::OwnedMutexGuard;

pub use catalog::{Finding, inspect, inspect_on};
pub(crate) use migrate::hand_over;
pub use migrate::migrate;
pub use prepare::{Prepared, Tenancy, prepare};

use crate::{Schema, StoreError};
pub(crate) use pool::Pool;
use pool::Use;

/// The role that owns every table. No one logs in as it.
pub(crate) const OWNER: &str = "preceptor_owner";
/// The role that migrates, as a member of the owner.
pub(crate) const MIGRATOR: &str = "migrator";
/// The setting that holds the tenant of a transaction.
pub(crate) const TENANT: &str = "app.org";
/// The table of the orgs that have rows in a cell: nothing of them but their ids, and so without row security.
pub(crate) const ORGS: &str = "preceptor_org";
/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The cell: `postgres://host:port/database`, without a name or password.
    pub cell: String,
    /// The control database, in the same form.
    pub control: String,
    /// A folder with one file per role, `<role>.password`.
    pub secrets: PathBuf,
    /// Connections per service, for reading and for writing each.
    pub connections: u32,
}

/// The role of a service, or of the migrator.
pub(crate) fn role(of: &str) -> String {
    format!("preceptor_{of}")
}

/// A cell.
#[derive(Debug)]
pub(crate) struct Cell {
    config: Config,
    clock: Arc<dyn Clock>,
    services: Mutex<HashMap<&'static str, Arc<Service>>>,
}

/// One service's way into a cell.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    reading: Pool,
    writing: Pool,
    clock: Arc<dyn Clock>,
    turns: Turns,
    /// Orgs that are known to be in the cell's directory.
    met: Mutex<BTreeSet<OrgId>>,
}

/// Per org who may write: one at a time.
#[derive(Debug, Default)]
struct Turns(Mutex<HashMap<OrgId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn take(&self, org: OrgId) -> Result<OwnedMutexGuard<()>, StoreError> {
        let turn = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(org).or_default());
        tokio::time::timeout(PATIENCE, turn.lock_owned()).await.map_err(|_| StoreError::Busy)
    }
}

impl Cell {
    /// The cell, brought up to date by the one who may migrate; everyone else is told when it is not.
    pub(crate) async fn open(
        config: &Config,
        schemas: &[Schema],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        migrate::migrate_or_check(config, migrate::Database::Cell, schemas, clock.now()).await?;
        Ok(Self { config: config.clone(), clock, services: Mutex::default() })
    }

    /// A service of this process. Only its own password is read.
    pub(crate) fn service(&self, name: &'static str) -> Result<Arc<Service>, StoreError> {
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = services.get(name) {
            return Ok(Arc::clone(service));
        }
        let pool = |purpose| Pool::open(&self.config, &self.config.cell, name, purpose);
        let service = Arc::new(Service {
            name,
            reading: pool(Use::Reading)?,
            writing: pool(Use::Writing)?,
            clock: Arc::clone(&self.clock),
            turns: Turns::default(),
            met: Mutex::default(),
        });
        services.insert(name, Arc::clone(&service));
        Ok(service)
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        let services = std::mem::take(&mut *self.services.lock().unwrap_or_else(PoisonError::into_inner));
        for service in services.into_values() {
            service.reading.close().await;
            service.writing.close().await;
        }
    }
}

#[derive(FromQueryResult)]
struct Entered {
    before: String,
}

/// Sets the tenant, and with `turn` waits for that lock. `false` when the connection came with someone's tenant.
async fn enter(tx: &DatabaseTransaction, org: OrgId, turn: Option<&str>) -> Result<bool, StoreError> {
    // The columns are computed from left to right: what was, what is, and then the wait.
    let columns = format!(
        "coalesce(current_setting('{TENANT}', true), '') AS before, set_config('{TENANT}', $1, true) AS now"
    );
    let org = org.to_string();
    let statement = match turn {
        None => Statement::from_sql_and_values(
            tx.get_database_backend(),
            format!("SELECT {columns}"),
            [org.into()],
        ),
        Some(service) => {
            let lock = format!("{service}/{org}");
            let sql =
                format!("SELECT {columns}, pg_advisory_xact_lock(hashtextextended($2, 0)) IS NULL AS turn");
            Statement::from_sql_and_values(tx.get_database_backend(), sql, [org.into(), lock.into()])
        }
    };
    let entered = Entered::find_by_statement(statement).one(tx).await?;
    Ok(entered.is_some_and(|entered| entered.before.is_empty()))
}

/// Opens a transaction of `org`.
async fn begin(pool: &Pool, org: OrgId, turn: Option<&str>) -> Result<DatabaseTransaction, StoreError> {
    let tx = pool.begin().await?;
    if enter(&tx, org, turn).await? {
        return Ok(tx);
    }
    // Its open transaction ends with this one, so the connection is clean when it goes back.
    tx.rollback().await?;
    tracing::error!(org.id = %org, "a connection came back to the pool inside a transaction and was not used");
    Err(StoreError::Unavailable("a connection was not in order".into()))
}

impl Service {
    /// A transaction that reads: every statement sees the same state.
    pub(crate) async fn read(self: &Arc<Self>, org: OrgId) -> Result<DatabaseTransaction, StoreError> {
        let service = Arc::clone(self);
        // sqlx hands a connection with an open transaction back to its pool when `begin` is canceled.
        shielded(async move { begin(&service.reading, org, None).await }).await
    }

    /// A transaction that writes, when it is this writer's turn, with what keeps the turn.
    pub(crate) async fn write(
        self: &Arc<Self>,
        org: OrgId,
    ) -> Result<(DatabaseTransaction, OwnedMutexGuard<()>), StoreError> {
        let turn = self.turns.take(org).await?;
        let service = Arc::clone(self);
        let tx = shielded(async move {
            service.meet(org).await?;
            begin(&service.writing, org, Some(service.name)).await
        });
        Ok((tx.await?, turn))
    }

    /// A transaction for the relay, which marks its own rows and waits for no one.
    pub(crate) async fn mark(self: &Arc<Self>, org: OrgId) -> Result<DatabaseTransaction, StoreError> {
        let service = Arc::clone(self);
        shielded(async move { begin(&service.writing, org, None).await }).await
    }

    /// Puts an org into the cell's directory before its first row.
    async fn meet(&self, org: OrgId) -> Result<(), StoreError> {
        if self.met.lock().unwrap_or_else(PoisonError::into_inner).contains(&org) {
            return Ok(());
        }
        let insert = Query::insert()
            .into_table(Alias::new(ORGS))
            .columns(["org_id", "met_at"].map(Alias::new))
            .values_panic([Expr::value(org.to_string()), Expr::value(self.clock.now().micros())])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .to_owned();
        let tx = self.writing.begin().await?;
        tx.execute(&insert).await?;
        tx.commit().await?;
        self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(org);
        Ok(())
    }

    /// The orgs that have rows in the cell.
    pub(crate) async fn orgs(self: &Arc<Self>) -> Result<Vec<OrgId>, StoreError> {
        let service = Arc::clone(self);
        let rows = shielded(async move {
            let query = Query::select().column(Alias::new("org_id")).from(Alias::new(ORGS)).to_owned();
            let tx = service.reading.begin().await?;
            Ok::<_, StoreError>(tx.query_all(&query).await?)
        })
        .await?;
        Ok(rows.iter().filter_map(|row| row.try_get::<String>("", "org_id").ok()?.parse().ok()).collect())
    }
}

/// The control database as the service that owns it: connections for reading, and for writing.
pub(crate) async fn control(
    config: &Config,
    schema: Schema,
    clock: &Arc<dyn Clock>,
) -> Result<(Pool, Pool), StoreError> {
    migrate::migrate_or_check(config, migrate::Database::Control, &[schema], clock.now()).await?;
    let pool = |purpose| Pool::open(config, &config.control, schema.service, purpose);
    Ok((pool(Use::Reading)?, pool(Use::Writing)?))
}
