//! The embedded bus engine: a log table in one SQLite file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use preceptor_core::{Clock, id::OrgId};
use preceptor_runtime::shielded;
use preceptor_store::sqlite::{self, Pools};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, TransactionTrait, Value};
use tokio::sync::watch;

use crate::{Bus, BusError, Delivery, Message, Subscription, Topic};

/// How many events are handed out at once.
const BATCH: i64 = 128;
/// How often a subscription looks for what another process published.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

const TABLES: &str = "\
    CREATE TABLE IF NOT EXISTS bus_log (\
      position INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key TEXT NOT NULL, bytes BLOB NOT NULL, published_at BIGINT NOT NULL);\
    CREATE INDEX IF NOT EXISTS bus_log_topic ON bus_log (topic, position);\
    CREATE TABLE IF NOT EXISTS bus_position (\
      consumer_group TEXT NOT NULL, topic TEXT NOT NULL, position BIGINT NOT NULL, PRIMARY KEY (consumer_group, topic));";

/// Events in a table. Survives a crash of the process and of the machine.
#[derive(Debug, Clone)]
pub struct DurableLog {
    pools: Pools,
    clock: Arc<dyn Clock>,
    /// Moves on with every publication in this process.
    published: watch::Sender<u64>,
}

fn failed(error: impl std::fmt::Display) -> BusError {
    BusError(error.to_string())
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

impl DurableLog {
    /// Opens the log at `path`, or makes an empty one.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, BusError> {
        let pools = sqlite::open(path, 8).await.map_err(failed)?;
        pools.writer.execute_unprepared(TABLES).await.map_err(failed)?;
        Ok(Self { pools, clock, published: watch::channel(0).0 })
    }

    /// Closes the log.
    pub async fn close(&self) {
        self.pools.close().await;
    }
}

#[async_trait]
impl Bus for DurableLog {
    async fn publish(&self, events: &[Message]) -> Result<(), BusError> {
        let (writer, now, events) = (self.pools.writer.clone(), self.clock.now().micros(), events.to_vec());
        shielded(async move {
            let tx = writer.begin().await?;
            for event in events {
                let row: [Value; 4] =
                    [event.topic.name().into(), event.key.to_string().into(), event.bytes.into(), now.into()];
                tx.execute_raw(statement(
                    "INSERT INTO bus_log (topic, key, bytes, published_at) VALUES (?, ?, ?, ?)",
                    row,
                ))
                .await?;
            }
            tx.commit().await
        })
        .await
        .map_err(|error: DbErr| failed(error))?;
        self.published.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Subscription>, BusError> {
        let stored =
            statement("SELECT topic, position FROM bus_position WHERE consumer_group = ?", [group.into()]);
        let stored = Position::find_by_statement(stored).all(&self.pools.reader).await.map_err(failed)?;
        let place = topics
            .iter()
            .map(|&topic| {
                (topic, stored.iter().find(|row| row.topic == topic.name()).map_or(0, |row| row.position))
            })
            .collect();
        Ok(Box::new(Place {
            log: self.clone(),
            group: group.to_owned(),
            place,
            published: self.published.subscribe(),
        }))
    }
}

#[derive(FromQueryResult)]
struct Position {
    topic: String,
    position: i64,
}

#[derive(FromQueryResult)]
struct Row {
    position: i64,
    topic: String,
    key: String,
    bytes: Vec<u8>,
}

struct Place {
    log: DurableLog,
    group: String,
    place: BTreeMap<Topic, i64>,
    published: watch::Receiver<u64>,
}

impl Place {
    async fn read(&self) -> Result<Vec<Delivery>, BusError> {
        let mut wanted = Vec::with_capacity(self.place.len());
        let mut values: Vec<Value> = Vec::new();
        for (topic, position) in &self.place {
            wanted.push("(topic = ? AND position > ?)");
            values.extend([topic.name().into(), (*position).into()]);
        }
        let sql = format!(
            "SELECT position, topic, key, bytes FROM bus_log WHERE {} ORDER BY position LIMIT {BATCH}",
            wanted.join(" OR ")
        );
        let rows = Row::find_by_statement(statement(&sql, values))
            .all(&self.log.pools.reader)
            .await
            .map_err(failed)?;
        rows.into_iter().map(delivery).collect()
    }
}

fn delivery(row: Row) -> Result<Delivery, BusError> {
    let topic = Topic::of_name(&row.topic).ok_or_else(|| failed(format!("unknown topic {}", row.topic)))?;
    let key: OrgId = row.key.parse().map_err(failed)?;
    Ok(Delivery { topic, key, position: row.position, bytes: row.bytes })
}

#[async_trait]
impl Subscription for Place {
    async fn next(&mut self) -> Result<Vec<Delivery>, BusError> {
        loop {
            self.published.borrow_and_update();
            let deliveries = self.read().await?;
            if !deliveries.is_empty() {
                for delivery in &deliveries {
                    self.place.insert(delivery.topic, delivery.position);
                }
                return Ok(deliveries);
            }
            // A publication in this process wakes at once; another process's is found by looking.
            let _ = tokio::time::timeout(LOOK_AGAIN, self.published.changed()).await;
        }
    }

    async fn ack(&mut self, delivery: &Delivery) -> Result<(), BusError> {
        let upsert = "INSERT INTO bus_position (consumer_group, topic, position) VALUES (?, ?, ?) \
                      ON CONFLICT (consumer_group, topic) DO UPDATE SET position = max(position, excluded.position)";
        let row: [Value; 3] =
            [self.group.as_str().into(), delivery.topic.name().into(), delivery.position.into()];
        self.log.pools.writer.execute_raw(statement(upsert, row)).await.map_err(failed)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use preceptor_core::SystemClock;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_durable_log_conforms() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bus.db");
        conformance::run(async || {
            let bus: Box<dyn Bus> =
                Box::new(DurableLog::open(&path, Arc::new(SystemClock)).await.expect("a log"));
            bus
        })
        .await;
    }
}
