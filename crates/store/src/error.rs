//! What can go wrong with a store, classified once.

use preceptor_core::{Fault, Kind};
use sea_orm::{DbErr, SqlErr};

/// Why a statement or a transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row of that key exists.
    #[error("duplicate: {0}")]
    Duplicate(String),
    /// A constraint refused the change; the name says which.
    #[error("refused by constraint: {0}")]
    Refused(String),
    /// Somebody else holds the write lock for too long.
    #[error("the store is busy")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The database cannot be opened or reached.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A migration in the database is not the one this binary knows.
    #[error("{0}")]
    Migration(String),
    /// Anything else: a defect.
    #[error("{0}")]
    Defect(DbErr),
}

impl StoreError {
    /// The fault for callers that have nothing more specific to say.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::Duplicate(_) => Fault::new(Kind::AlreadyExists, "ALREADY_EXISTS", "this exists already"),
            Self::Busy => Fault::new(Kind::Unavailable, "STORE_BUSY", "too many changes at once; try again in a moment"),
            Self::Full => Fault::new(Kind::Unavailable, "STORE_FULL", "the storage is full; an operator has to make room"),
            Self::Unavailable(_) => {
                Fault::new(Kind::Unavailable, "STORE_UNAVAILABLE", "the storage is not reachable; try again in a moment")
            }
            Self::Refused(_) | Self::Migration(_) | Self::Defect(_) => {
                tracing::error!(error = %self, "a store operation failed");
                Fault::internal()
            }
        }
    }

    /// Whether the same operation may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Unavailable(_))
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(what)) => return Self::Duplicate(what),
            Some(SqlErr::ForeignKeyConstraintViolation(what)) => return Self::Refused(what),
            _ => {}
        }
        let text = error.to_string();
        if text.contains("CHECK constraint failed") || text.contains("append-only") {
            return Self::Refused(text);
        }
        if text.contains("database is locked") || text.contains("database table is locked") {
            return Self::Busy;
        }
        if text.contains("disk is full") || text.contains("(code: 13)") {
            return Self::Full;
        }
        match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Self::Unavailable(text),
            other => Self::Defect(other),
        }
    }
}
