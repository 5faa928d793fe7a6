//! What can go wrong with a store, classified once.

use preceptor_core::{Fault, Kind};
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, error::DatabaseError};
use sea_orm::{DbErr, RuntimeErr};

/// How SQLite begins when a unique key refused.
pub(crate) const UNIQUE: &str = "UNIQUE constraint failed:";
/// All that SQLite says when a foreign key refused.
pub(crate) const FOREIGN_KEY: &str = "foreign key";
/// How SQLite begins when a check refused; the name follows.
const CHECK: &str = "CHECK constraint failed: ";
/// How SQLite begins when a column may not be empty; the name follows.
const NOT_NULL: &str = "NOT NULL constraint failed: ";
/// What a guard of SQLite says about a row whose key is there already; PostgreSQL says that the key is a duplicate.
pub(crate) const REPLACEMENT: &str = "refuses replacement";
/// What refuses a change of a table that only grows.
pub const APPEND_ONLY: &str = "append_only";
/// What refuses a statement that the role of a service may not run: its grants, or the row security of a table.
pub const PRIVILEGE: &str = "privilege";

/// Why a statement or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row of that key exists; the name of the unique key where it has one.
    #[error("duplicate: {0}")]
    Duplicate(String),
    /// A constraint refused the change; the name says which.
    #[error("refused by constraint: {0}")]
    Refused(String),
    /// A text holds what no database stores: a character with the code 0.
    #[error("a text holds a character that cannot be stored")]
    InvalidText,
    /// What was to be put on record is larger than a record of the log can be.
    #[error("a record of {0} bytes is larger than the log takes")]
    RecordTooLarge(usize),
    /// Someone else holds the write lock for too long.
    #[error("the store is busy")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database cannot be opened or reached.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The database is not as this version of Preceptor needs it.
    #[error("{0}")]
    Migration(String),
    /// The deployment itself has no rows: only tenants do.
    #[error("the deployment itself has no rows of a tenant")]
    NotATenant,
    /// Anything else: a defect.
    #[error("{0}")]
    Defect(DbErr),
}

impl StoreError {
    /// The fault for callers that have nothing more specific to say.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::Duplicate(_) => Fault::new(Kind::AlreadyExists, "ALREADY_EXISTS", "this exists already"),
            Self::InvalidText => Fault::new(
                Kind::InvalidInput,
                "TEXT_NOT_STORABLE",
                "a text holds a character with the code 0, which cannot be stored; remove it",
            ),
            Self::RecordTooLarge(_) => Fault::new(
                Kind::InvalidInput,
                "RECORD_TOO_LARGE",
                "what has to be put on record of this is larger than a record can be; say it in fewer words",
            ),
            Self::NotATenant => Fault::new(
                Kind::Forbidden,
                "NOT_A_TENANT",
                "the operator of the deployment has no programs, sources or learners; use a credential of an organization",
            ),
            Self::Busy => {
                Fault::new(Kind::Unavailable, "STORE_BUSY", "too many changes at once; try again in a moment")
            }
            Self::Full => Fault::new(
                Kind::Unavailable,
                "STORE_FULL",
                "the storage is full; an operator has to free some space",
            ),
            Self::Unavailable(why) => {
                tracing::warn!(why, "the store is not available");
                Fault::new(
                    Kind::Unavailable,
                    "STORE_UNAVAILABLE",
                    "the storage is not reachable; try again in a moment",
                )
            }
            Self::Refused(_) | Self::Migration(_) | Self::Defect(_) => {
                tracing::error!(error = %self, "a store operation failed");
                Fault::internal()
            }
        }
    }

    /// The constraint that refused, by name.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Duplicate(name) | Self::Refused(name) => Some(name),
            _ => None,
        }
    }

    /// Whether the same operation may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Unavailable(_))
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let classified = match &error {
            DbErr::ConnectionAcquire(_) => Some(Self::Unavailable(error.to_string())),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => of_driver(cause),
            DbErr::Conn(_) => Some(Self::Unavailable(error.to_string())),
            _ => None,
        };
        classified.unwrap_or(Self::Defect(error))
    }
}

fn of_driver(error: &sqlx::Error) -> Option<StoreError> {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_postgres(error),
            None => of_sqlite(&**error),
        },
        // The connection is gone, or there was none in time.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::BeginFailed => Some(StoreError::Unavailable(error.to_string())),
        _ => None,
    }
}

/// By the SQLSTATE codes of PostgreSQL's appendix A.
fn of_postgres(error: &PgDatabaseError) -> Option<StoreError> {
    let constraint = || error.constraint().unwrap_or_default().to_owned();
    Some(match error.code() {
        "23505" => StoreError::Duplicate(constraint()),
        "23503" | "23514" | "23001" => StoreError::Refused(constraint()),
        "23502" => StoreError::Refused(format!(
            "{}.{}",
            error.table().unwrap_or_default(),
            error.column().unwrap_or_default()
        )),
        "42501" => StoreError::Refused(PRIVILEGE.to_owned()),
        "P0001" if error.message().starts_with("append-only: ") => {
            StoreError::Refused(APPEND_ONLY.to_owned())
        }
        "22021" => StoreError::InvalidText,
        // Serialization, deadlock, lock and statement timeouts.
        "40001" | "40P01" | "55P03" | "57014" => StoreError::Busy,
        "53100" => StoreError::Full,
        code if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Unavailable(error.to_string())
        }
        // Ended for being idle within a transaction, or a password that is not the one.
        "25P03" | "28P01" | "28000" | "3D000" => StoreError::Unavailable(error.to_string()),
        _ => return None,
    })
}

fn of_sqlite(error: &dyn DatabaseError) -> Option<StoreError> {
    let text = error.message();
    let named = |name: &str| StoreError::Refused(name.to_owned());
    if text.contains(UNIQUE) {
        return Some(StoreError::Duplicate(text.to_owned()));
    }
    if text.contains("FOREIGN KEY constraint failed") {
        return Some(named(FOREIGN_KEY));
    }
    if let Some(name) = [CHECK, NOT_NULL].iter().find_map(|before| text.strip_prefix(before)) {
        return Some(named(name));
    }
    if text.contains(REPLACEMENT) {
        return Some(StoreError::Duplicate(text.to_owned()));
    }
    if text.contains("append-only: ") {
        return Some(named(APPEND_ONLY));
    }
    if text.contains("database is locked") || text.contains("database table is locked") {
        return Some(StoreError::Busy);
    }
    (text.contains("disk is full")).then_some(StoreError::Full)
}
