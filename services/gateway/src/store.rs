//! Answers to idempotent writes.

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
    let row = answer::Model {
        org_id: tx.org_key(),
        subject: subject.to_owned(),
        key: key.to_owned(),
        request_sha256: request_sha256.to_owned(),
        started_at: tx.now().micros(),
        status: None,
        headers: "[]".to_owned(),
        body: None,
        wrapped_key: Some(wrapped_key),
        leased_until: until.micros(),
    };
    tx.insert(row).await
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

const _: fn() = || {
    fn belongs_to_orgs<E: TenantEntity>() {}
    belongs_to_orgs::<answer::Entity>();
};
