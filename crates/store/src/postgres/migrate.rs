//! Bringing a database up to date, by the one role that may.

use std::time::Duration;

use preceptor_core::Timestamp;
use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::{ConnectionTrait, DatabaseConnection, SqlxPostgresConnector, Statement, TransactionTrait as _};

use super::access::{self, Rows};
use super::{Config, MIGRATOR, OWNER, pool};
use crate::schema::{Step, migrations_table};
use crate::{Schema, StoreError};

/// Two migrators take turns by this lock.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('preceptor migrations', 0)) AS locked";
const PAUSE: Duration = Duration::from_millis(200);
/// How long a migrator waits for another one. A large table takes long to change.
const TRIES: u32 = 1500;
/// No statement of a migration is ended by a timer.
const UNLIMITED: [(&str, &str); 3] =
    [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0"), ("lock_timeout", "30s")];

/// Which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// Rows of orgs.
    Cell,
    /// What exists before any org does.
    Control,
}

impl Database {
    fn url(self, config: &Config) -> &str {
        match self {
            Self::Cell => &config.cell,
            Self::Control => &config.control,
        }
    }

    fn rows(self) -> Rows {
        match self {
            Self::Cell => Rows::OfTheTenant,
            Self::Control => Rows::All,
        }
    }
}

/// Migrates where the migrator's password is at hand; elsewhere only looks whether someone has.
pub(crate) async fn migrate_or_check(
    config: &Config,
    database: Database,
    schemas: &[Schema],
    now: Timestamp,
) -> Result<(), StoreError> {
    if config.secrets.join(format!("{MIGRATOR}.password")).exists() {
        return migrate_one(config, database, schemas, now).await;
    }
    for schema in schemas {
        let reader = pool::Pool::open(config, database.url(config), schema.service, pool::Use::Reading)?;
        let checked = check(&reader.current(), schema).await;
        reader.close().await;
        checked?;
    }
    Ok(())
}

async fn check(db: &DatabaseConnection, schema: &Schema) -> Result<(), StoreError> {
    let missing = schema.missing(db).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreError::Migration(format!(
        "the tables of {} are not those of this version (missing: {}); run `preceptor database migrate` first",
        schema.service,
        missing.join(", ")
    )))
}

/// Brings the cell and the control database up to date, as the migrator.
pub async fn migrate(
    config: &Config,
    cell: &[Schema],
    control: Schema,
    now: Timestamp,
) -> Result<(), StoreError> {
    migrate_one(config, Database::Cell, cell, now).await?;
    migrate_one(config, Database::Control, &[control], now).await
}

async fn migrate_one(
    config: &Config,
    database: Database,
    schemas: &[Schema],
    now: Timestamp,
) -> Result<(), StoreError> {
    let options =
        pool::login(config, database.url(config), MIGRATOR)?.options(UNLIMITED).options([("role", OWNER)]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .connect_lazy_with(options);
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    let migrated = async {
        lock(&db).await?;
        lay_foundation(&db, database, schemas).await?;
        for schema in schemas {
            schema.apply(&db, now).await?;
        }
        Ok(())
    };
    let migrated = migrated.await;
    // The lock ends with the connection.
    let closed = db.close_by_ref().await;
    migrated.and(closed.map_err(StoreError::from))
}

async fn lock(db: &DatabaseConnection) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), LOCK)).await?;
        if row.is_some_and(|row| row.try_get("", "locked").unwrap_or(false)) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Busy)
}

async fn lay_foundation(
    db: &DatabaseConnection,
    database: Database,
    schemas: &[Schema],
) -> Result<(), StoreError> {
    let services: Vec<&str> = schemas.iter().map(|schema| schema.service).collect();
    let mut statements = access::foundation(&services);
    if database.rows() == Rows::OfTheTenant {
        statements.extend(access::directory(&services));
    }
    let tx = db.begin().await?;
    for statement in statements {
        tx.execute_unprepared(&statement).await?;
    }
    Ok(tx.commit().await?)
}

/// After the statements of a step: its new tables are handed to their service.
pub(crate) async fn hand_over(
    tx: &impl ConnectionTrait,
    service: &str,
    step: &Step,
) -> Result<(), StoreError> {
    let memory = migrations_table(service);
    let rows = if has_orgs(tx).await? { Rows::OfTheTenant } else { Rows::All };
    for table in access::new_tables(tx, service).await? {
        let statements = if table == memory {
            vec![format!("GRANT SELECT ON {table} TO {}", super::role(service))]
        } else {
            access::hand_over(service, &table, step.append_only.contains(&table.as_str()), rows)
        };
        for statement in statements {
            tx.execute_unprepared(&statement).await?;
        }
    }
    for statement in step.append_only.iter().flat_map(|table| access::only_grows(table)) {
        tx.execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// Whether this is a cell: only cells have a directory of orgs.
async fn has_orgs(db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let sql = format!("SELECT to_regclass('public.{}') IS NOT NULL AS found", super::ORGS);
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    Ok(row.is_some_and(|row| row.try_get("", "found").unwrap_or(false)))
}
