//! Tables of answering.

pub(crate) mod feedback;
pub(crate) mod message;
pub(crate) mod session;

use preceptor_store::{Migration, Schema, TenantTx, tenant_tables};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::Error;

/// The tables of the answering service.
pub const SCHEMA: Schema = Schema {
    service: "answering",
    migrations: &[
        Migration {
            name: "0001_messages",
            sql: include_str!("0001_messages.sql"),
            append_only: &["answering_session", "answering_message", "answering_feedback"],
        },
        Migration {
            name: "0002_notices",
            sql: include_str!("0002_notices.sql"),
            append_only: &["answering_notice"],
        },
        Migration { name: "0003_sealed", sql: include_str!("0003_sealed.sql"), append_only: &[] },
    ],
};

tenant_tables! {
    /// Sources that were retracted after they had been quoted.
    notice = "answering_notice" key { source_version_id: String } { verdict: String, noted_at: i64 }

    /// Keys of what learners wrote, wrapped.
    key = "answering_key" key { subject: String } { wrapped_key: Vec<u8>, made_at: i64 }
}

/// What became of these source versions since they were quoted.
pub(crate) async fn notices(tx: &TenantTx, versions: Vec<String>) -> Result<Vec<notice::Model>, Error> {
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tx.all(tx.find::<notice::Entity>().filter(notice::Column::SourceVersionId.is_in(versions))).await?)
}

/// Notes that a source version was retracted, once.
pub(crate) async fn note(tx: &TenantTx, version: &str, verdict: &str) -> Result<(), Error> {
    if !notices(tx, vec![version.to_owned()]).await?.is_empty() {
        return Ok(());
    }
    let row = notice::Model {
        org_id: tx.org_key(),
        source_version_id: version.to_owned(),
        verdict: verdict.to_owned(),
        noted_at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}

/// A conversation.
pub(crate) async fn session(tx: &TenantTx, id: &str) -> Result<Option<session::Model>, Error> {
    Ok(tx.one(tx.find::<session::Entity>().filter(session::Column::Id.eq(id))).await?)
}

/// A message.
pub(crate) async fn message(tx: &TenantTx, id: &str) -> Result<Option<message::Model>, Error> {
    Ok(tx.one(tx.find::<message::Entity>().filter(message::Column::Id.eq(id))).await?)
}

/// Messages of a program behind `after`, newest first.
pub(crate) async fn messages(
    tx: &TenantTx,
    program: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<message::Model>, Error> {
    let mut select = tx.find::<message::Entity>().filter(message::Column::ProgramId.eq(program));
    if !after.is_empty() {
        select = select.filter(message::Column::Id.lt(after));
    }
    Ok(tx.all(select.order_by_desc(message::Column::Id).limit(limit)).await?)
}

/// What was said of messages, oldest first.
pub(crate) async fn feedback(tx: &TenantTx, messages: &[String]) -> Result<Vec<feedback::Model>, Error> {
    let select = tx
        .find::<feedback::Entity>()
        .filter(feedback::Column::MessageId.is_in(messages.iter().map(String::as_str)));
    Ok(tx.all(select.order_by_asc(feedback::Column::Id)).await?)
}

/// The wrapped keys of learners; nothing for those who have none.
pub(crate) async fn keys(tx: &TenantTx, subjects: Vec<String>) -> Result<Vec<key::Model>, Error> {
    Ok(tx.all(tx.find::<key::Entity>().filter(key::Column::Subject.is_in(subjects))).await?)
}

/// Keeps the wrapped key of a learner who had none.
pub(crate) async fn keep_key(tx: &TenantTx, subject: &str, wrapped_key: Vec<u8>) -> Result<(), Error> {
    let row = key::Model {
        org_id: tx.org_key(),
        subject: subject.to_owned(),
        wrapped_key,
        made_at: tx.now().micros(),
    };
    Ok(tx.insert(row).await?)
}
