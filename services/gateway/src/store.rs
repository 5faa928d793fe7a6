//! Answers to idempotent writes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use preceptor_core::Timestamp;
use preceptor_store::{Migration, Schema, StoreError, TenantEntity, TenantTx};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

/// The table of the gateway.
pub const SCHEMA: Schema = Schema {
    service: "gateway",
    migrations: &[
        Migration {
            name: "0001_idempotency",
            sql: "CREATE TABLE gateway_idempotency (\
                org_id TEXT NOT NULL, subject TEXT NOT NULL, key TEXT NOT NULL, request_sha256 TEXT NOT NULL, started_at BIGINT NOT NULL, \
                status BIGINT, headers TEXT NOT NULL DEFAULT '[]', body BYTEA, PRIMARY KEY (org_id, subject, key));\n\
              CREATE INDEX gateway_idempotency_age ON gateway_idempotency (org_id, started_at);\n",
            append_only: &[],
        },
        Migration {
            name: "0002_sealed_answers",
            sql: "ALTER TABLE gateway_idempotency ADD COLUMN wrapped_key BYTEA;\n",
            append_only: &[],
        },
        Migration {
            name: "0003_leases",
            sql: "ALTER TABLE gateway_idempotency ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;\n",
            append_only: &[],
        },
    ],
};

/// `gateway_idempotency`.
pub(crate) mod answer {
    use preceptor_store::TenantEntity;
    use sea_orm::entity::prelude::*;

    #[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "gateway_idempotency")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) org_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) subject: String,
        /// A keyed hash: what clients put into a key is free text.
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) key: String,
        pub(crate) request_sha256: String,
        pub(crate) started_at: i64,
        /// Unset while the first request is running.
        pub(crate) status: Option<i64>,
        /// A JSON list of pairs.
        pub(crate) headers: String,
        /// Sealed: answers name people.
        pub(crate) body: Option<Vec<u8>>,
        /// The key of the body. Rows of an earlier version have none, and are not repeated.
        pub(crate) wrapped_key: Option<Vec<u8>>,
        /// While it runs: until when it runs for sure.
        pub(crate) leased_until: i64,
    }

    #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl TenantEntity for Entity {
        const ORG: Column = Column::OrgId;
    }
}

/// The row of a key, if there is one.
pub(crate) async fn find(
    tx: &TenantTx,
    subject: &str,
    key: &str,
) -> Result<Option<answer::Model>, StoreError> {
    let select = tx
        .find::<answer::Entity>()
        .filter(answer::Column::Subject.eq(subject))
        .filter(answer::Column::Key.eq(key));
    tx.one(select).await
}

/// Notes that a request with this key begins, in place of an older one.
pub(crate) async fn begin(
    tx: &TenantTx,
    subject: &str,
    key: &str,
    request_sha256: &str,
    wrapped_key: Vec<u8>,
    until: Timestamp,
) -> Result<(), StoreError> {
    remove(tx, subject, key).await?;
    let begun = Begun { request_sha256, wrapped_key, now: tx.now(), until };
    tx.insert(begun.row(tx.org_key(), subject, key)).await
}

/// A request that begins.
pub(crate) struct Begun<'a> {
    pub(crate) request_sha256: &'a str,
    pub(crate) wrapped_key: Vec<u8>,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
}

impl Begun<'_> {
    fn row(self, org_id: String, subject: &str, key: &str) -> answer::Model {
        answer::Model {
            org_id,
            subject: subject.to_owned(),
            key: key.to_owned(),
            request_sha256: self.request_sha256.to_owned(),
            started_at: self.now.micros(),
            status: None,
            headers: "[]".to_owned(),
            body: None,
            wrapped_key: Some(self.wrapped_key),
            leased_until: self.until.micros(),
        }
    }
}

/// An answer to be kept.
pub(crate) struct Kept {
    pub(crate) status: u16,
    pub(crate) headers: String,
    /// Sealed.
    pub(crate) body: Vec<u8>,
    pub(crate) request_sha256: String,
}

/// Keeps the answer of a request.
pub(crate) async fn finish(tx: &TenantTx, subject: &str, key: &str, kept: Kept) -> Result<(), StoreError> {
    let update = tx
        .update::<answer::Entity>()
        .col_expr(answer::Column::Status, Expr::value(i64::from(kept.status)))
        .col_expr(answer::Column::Headers, Expr::value(kept.headers))
        .col_expr(answer::Column::Body, Expr::value(kept.body))
        .col_expr(answer::Column::RequestSha256, Expr::value(kept.request_sha256))
        .filter(answer::Column::Subject.eq(subject))
        .filter(answer::Column::Key.eq(key));
    tx.run_update(update).await.map(|_| ())
}

/// Says that a request still runs.
pub(crate) async fn renew(
    tx: &TenantTx,
    subject: &str,
    key: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    let update = tx
        .update::<answer::Entity>()
        .col_expr(answer::Column::LeasedUntil, Expr::value(until.micros()))
        .filter(answer::Column::Subject.eq(subject))
        .filter(answer::Column::Key.eq(key))
        .filter(answer::Column::Status.is_null());
    tx.run_update(update).await.map(|_| ())
}

/// Forgets a key: its request failed in a way that may be tried again.
pub(crate) async fn remove(tx: &TenantTx, subject: &str, key: &str) -> Result<(), StoreError> {
    let delete = tx
        .delete::<answer::Entity>()
        .filter(answer::Column::Subject.eq(subject))
        .filter(answer::Column::Key.eq(key));
    tx.run_delete(delete).await.map(|_| ())
}

/// Forgets keys that are older than they live.
pub(crate) async fn forget_older(tx: &TenantTx, than: Timestamp) -> Result<(), StoreError> {
    let delete = tx.delete::<answer::Entity>().filter(answer::Column::StartedAt.lt(than.micros()));
    tx.run_delete(delete).await.map(|_| ())
}

/// Answers to the operator of the deployment, who is in no tenant: there is no cell to keep them in, and none is made. They
/// are kept while the process runs.
#[derive(Debug, Default)]
pub(crate) struct OperatorAnswers(Mutex<OperatorRows>);

/// The rows of the operator, by key.
#[derive(Debug, Default)]
pub(crate) struct OperatorRows(HashMap<String, answer::Model>);

impl OperatorAnswers {
    /// Looks at the rows, and changes them, while no one else does.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut OperatorRows) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl OperatorRows {
    pub(crate) fn find(&self, key: &str) -> Option<answer::Model> {
        self.0.get(key).cloned()
    }

    /// Notes that a request with this key begins; what was kept for longer than `life` is forgotten.
    pub(crate) fn begin(&mut self, subject: &str, key: &str, begun: Begun<'_>, life: Duration) {
        let now = begun.now;
        self.0.retain(|_, row| now.since(Timestamp::from_micros(row.started_at)) < life);
        self.0.insert(key.to_owned(), begun.row(String::new(), subject, key));
    }

    pub(crate) fn finish(&mut self, key: &str, kept: Kept) {
        if let Some(row) = self.0.get_mut(key) {
            row.status = Some(i64::from(kept.status));
            row.headers = kept.headers;
            row.body = Some(kept.body);
            row.request_sha256 = kept.request_sha256;
        }
    }

    pub(crate) fn renew(&mut self, key: &str, until: Timestamp) {
        if let Some(row) = self.0.get_mut(key).filter(|row| row.status.is_none()) {
            row.leased_until = until.micros();
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }
}

const _: fn() = || {
    fn belongs_to_orgs<E: TenantEntity>() {}
    belongs_to_orgs::<answer::Entity>();
};
