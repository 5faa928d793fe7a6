//! What an administrator does once: roles, their passwords, and the two databases.

use std::path::Path;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, SqlxPostgresConnector, Statement};

use super::{Config, MIGRATOR, OWNER, role};
use crate::StoreError;

/// What no role of ours may do.
const NOTHING_MORE: &str = "NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION";
/// Two preparations take turns.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('preceptor roles', 0))";

/// What a preparation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Roles that were made, or given another password because none was in the folder.
    pub roles: Vec<String>,
    /// Databases that were made.
    pub databases: Vec<String>,
}

/// The services that log in to each database.
#[derive(Debug, Clone, Copy)]
pub struct Tenancy<'a> {
    /// Those with tables in the cell.
    pub cell: &'a [&'a str],
    /// The one with tables in the control database.
    pub control: &'a str,
}

/// Makes what is missing of the services' roles, their password files, and the databases of `config`. `admin` is the URL
/// of someone who may make roles and databases. Running it again changes nothing.
pub async fn prepare(
    admin: &str,
    config: &Config,
    tenancy: Tenancy<'_>,
    passwords: impl Fn() -> String,
) -> Result<Prepared, StoreError> {
    let options: PgConnectOptions = admin
        .parse()
        .map_err(|error| StoreError::Unavailable(format!("the administrator's database URL: {error}")))?;
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await;
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(
        pool.map_err(|error| StoreError::Unavailable(error.to_string()))?,
    );
    let prepared = prepare_with(&db, config, tenancy, passwords).await;
    // The lock ends with the connection.
    let closed = db.close_by_ref().await;
    let prepared = prepared?;
    closed?;
    Ok(prepared)
}

async fn prepare_with(
    db: &DatabaseConnection,
    config: &Config,
    tenancy: Tenancy<'_>,
    passwords: impl Fn() -> String,
) -> Result<Prepared, StoreError> {
    db.execute_unprepared(LOCK).await?;
    let mut prepared = Prepared::default();
    if !has(db, "SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER).await? {
        db.execute_unprepared(&format!("CREATE ROLE {OWNER} NOLOGIN {NOTHING_MORE}")).await?;
        prepared.roles.push(OWNER.to_owned());
    }
    // Making a database for another role needs membership in it.
    db.execute_unprepared(&format!("GRANT {OWNER} TO CURRENT_USER")).await?;
    for of in tenancy.cell.iter().copied().chain([tenancy.control, MIGRATOR]) {
        if login_role(db, &config.secrets, of, &passwords).await? {
            prepared.roles.push(role(of));
        }
    }
    db.execute_unprepared(&format!("GRANT {OWNER} TO {}", role(MIGRATOR))).await?;
    for (url, roles) in [(&config.cell, tenancy.cell), (&config.control, &[tenancy.control])] {
        prepared.databases.extend(database(db, url, roles).await?);
    }
    Ok(prepared)
}

async fn has(db: &DatabaseConnection, sql: &str, name: &str) -> Result<bool, StoreError> {
    let found = db
        .query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, [name.into()]))
        .await?;
    Ok(found.is_some())
}

/// Makes a role that logs in, or its password anew when the folder does not hold it. `false` when all is there.
async fn login_role(
    db: &DatabaseConnection,
    secrets: &Path,
    of: &str,
    passwords: &impl Fn() -> String,
) -> Result<bool, StoreError> {
    let name = role(of);
    let path = secrets.join(format!("{of}.password"));
    let exists = has(db, "SELECT 1 FROM pg_roles WHERE rolname = $1", &name).await?;
    let known = std::fs::read_to_string(&path).ok().map(|text| text.trim().to_owned());
    if exists && known.is_some() {
        return Ok(false);
    }
    let password = known.unwrap_or_else(passwords);
    if !password.bytes().all(|byte| byte.is_ascii_alphanumeric()) || password.is_empty() {
        return Err(StoreError::Migration(format!(
            "{}: a password has letters and digits only",
            path.display()
        )));
    }
    keep(&path, &password)?;
    let verb = if exists { "ALTER" } else { "CREATE" };
    db.execute_unprepared(&format!("{verb} ROLE {name} LOGIN {NOTHING_MORE} PASSWORD '{password}'")).await?;
    Ok(true)
}

/// Writes a file that only its owner can read.
fn keep(path: &Path, password: &str) -> Result<(), StoreError> {
    use std::io::Write as _;
    let write = || {
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(password.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display())))
}

/// Makes the database of a URL when it is missing, and lets our roles in and no one else.
async fn database(
    db: &DatabaseConnection,
    url: &str,
    services: &[&str],
) -> Result<Option<String>, StoreError> {
    let options: PgConnectOptions =
        url.parse().map_err(|error| StoreError::Unavailable(format!("a database URL: {error}")))?;
    let name = options.get_database().unwrap_or_default().to_owned();
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_plain {
        return Err(StoreError::Migration(format!(
            "{name:?} is not a valid database name: use small letters, digits and _ only"
        )));
    }
    let exists = has(db, "SELECT 1 FROM pg_database WHERE datname = $1", &name).await?;
    if !exists {
        // Texts are compared by their bytes, as on SQLite: ids are in order, and an index never depends on a locale.
        db.execute_unprepared(&format!(
            "CREATE DATABASE {name} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        ))
        .await?;
    }
    db.execute_unprepared(&format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")).await?;
    let roles: Vec<String> = services.iter().copied().chain([MIGRATOR]).map(role).collect();
    db.execute_unprepared(&format!("GRANT CONNECT ON DATABASE {name} TO {}", roles.join(", "))).await?;
    Ok((!exists).then_some(name))
}
