//! The outbox: events that commit with the change they tell of.
//!
//! Every service has an outbox, counters that make its sequences gapless, and an inbox of the events it has taken in.
//! All are made for it under its own prefix. Audit records are counted apart from other events, so that the audit
//! service, which sees only them, can tell that one is missing.

use std::collections::BTreeMap;
use std::fmt;

use opentelemetry::propagation::Injector;
use preceptor_core::display::seen_lines;
use preceptor_core::id::{EventId, OrgId, ProgramId};
use preceptor_core::{Scope, Timestamp};
use preceptor_proto::events::v1::{AuditRecord, Envelope};
use prost::Message as _;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::schema::{Step, org_is};
use crate::seals::Row;
use crate::{OutboxSeals, StoreError};

/// The streams of an outbox, each with a sequence of its own: records, and everything else.
const AUDIT: &str = "audit";
const EVENTS: &str = "events";

/// The event type of audit records.
pub(crate) const AUDIT_TYPE: &str = "audit.record";

/// The tables that every service has.
pub(crate) fn migration(service: &str) -> Step {
    Step {
        name: "0000_outbox_and_inbox",
        sql: format!(
            "CREATE TABLE {service}_outbox_head (\
               org_id TEXT NOT NULL, stream TEXT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (org_id, stream));\n\
             CREATE TABLE {service}_outbox (\
               org_id TEXT NOT NULL, stream TEXT NOT NULL, sequence BIGINT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, \
               envelope BYTEA NOT NULL, committed_at BIGINT NOT NULL, sent BOOLEAN NOT NULL DEFAULT FALSE, \
               PRIMARY KEY (org_id, stream, sequence), UNIQUE (org_id, event_id));\n\
             CREATE INDEX {service}_outbox_unsent ON {service}_outbox (org_id, stream, sequence) WHERE sent = FALSE;\n\
             CREATE TABLE {service}_inbox (\
               org_id TEXT NOT NULL, event_id TEXT NOT NULL, received_at BIGINT NOT NULL, PRIMARY KEY (org_id, event_id));\n"
        ),
        append_only: Vec::new(),
    }
}

/// The column for the seals of what waits.
pub(crate) fn seals(service: &str) -> Step {
    Step {
        name: "0000_outbox_seals",
        sql: format!("ALTER TABLE {service}_outbox ADD COLUMN seal TEXT NOT NULL DEFAULT '';\n"),
        append_only: Vec::new(),
    }
}

/// The largest record, encoded: logs are handed out in bundles whose entries have a length of two bytes (C2SP tlog-tiles).
pub const LARGEST_RECORD: usize = u16::MAX as usize;

/// How an act that is put on record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// A configuration, approval or access record.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    action: &'static str,
    object: String,
    program: Option<ProgramId>,
    outcome: Outcome,
    reason: String,
    facts: BTreeMap<String, String>,
}

impl AuditEntry {
    /// `action` (for instance `source.approved`) was done to `object`.
    pub fn done(action: &'static str, object: impl ToString) -> Self {
        Self {
            action,
            object: object.to_string(),
            program: None,
            outcome: Outcome::Done,
            reason: String::new(),
            facts: BTreeMap::new(),
        }
    }

    /// `action` on `object` was refused.
    pub fn refused(action: &'static str, object: impl ToString, why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Refused, reason: why.into(), ..Self::done(action, object) }
    }

    /// The program it belongs to.
    #[must_use]
    pub fn in_program(mut self, program: ProgramId) -> Self {
        self.program = Some(program);
        self
    }

    /// What the person gave as the reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = seen_lines(&reason.into());
        self
    }

    /// A fact that belongs to the act: a hash, a version, a state. Never personal data.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// The record as it will be in the log, unless it is larger than any can be.
    pub(crate) fn encode(
        mut self,
        id: EventId,
        scope: &Scope,
        producer: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, StoreError> {
        // Anyone who acts on someone's behalf is named beside them.
        if let Some(acting) = scope.acting() {
            self.facts.insert("acting".to_owned(), acting.to_owned());
        }
        let record = AuditRecord {
            event_id: id.to_string(),
            org_id: scope.org().to_string(),
            app_id: scope.app().map(|app| app.to_string()).unwrap_or_default(),
            program_id: self
                .program
                .or(scope.program())
                .map(|program| program.to_string())
                .unwrap_or_default(),
            producer: producer.to_owned(),
            occurred_at: now.micros(),
            actor: scope.subject().to_owned(),
            action: self.action.to_owned(),
            object: self.object,
            outcome: match self.outcome {
                Outcome::Done => "done".to_owned(),
                Outcome::Refused => "refused".to_owned(),
            },
            reason: self.reason,
            facts: self.facts.into_iter().collect(),
        };
        let bytes = record.encode_to_vec();
        if bytes.len() > LARGEST_RECORD { Err(StoreError::RecordTooLarge(bytes.len())) } else { Ok(bytes) }
    }
}

/// Rows of one statement: each has eight values, and an engine takes no more than 32,766.
const MOST_ROWS: usize = 1000;

/// An event that is about to be written.
pub(crate) struct Event {
    id: EventId,
    event_type: &'static str,
    payload: Vec<u8>,
    traceparent: String,
}

/// What an event tells may be personal.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}

impl Event {
    /// An event of what is being done now.
    pub(crate) fn new(id: EventId, event_type: &'static str, payload: Vec<u8>) -> Self {
        Self { id, event_type, payload, traceparent: traceparent() }
    }

    fn stream(&self) -> &'static str {
        if self.event_type == AUDIT_TYPE { AUDIT } else { EVENTS }
    }
}

/// Who writes events, for which org, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Producer {
    pub(crate) service: &'static str,
    pub(crate) org: OrgId,
    pub(crate) now: Timestamp,
}

struct Traceparent(String);

impl Injector for Traceparent {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = value;
        }
    }
}

fn traceparent() -> String {
    let mut carrier = Traceparent(String::new());
    let context = tracing::Span::current().context();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut carrier);
    });
    carrier.0
}

/// Writes events under the next numbers of their (org, service, stream). The counters are locked until the transaction
/// ends, so numbers are given in commit order and none is skipped.
pub(crate) async fn write(
    tx: &DatabaseTransaction,
    producer: Producer,
    events: Vec<Event>,
    seals: &OutboxSeals,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut numbers = first_numbers(tx, producer, &events).await?;
    let rows: Vec<[Expr; 8]> =
        events.into_iter().map(|event| row(producer, event, &mut numbers, seals)).collect();
    for some in rows.chunks(MOST_ROWS) {
        let mut insert = Query::insert();
        insert.into_table(Alias::new(format!("{}_outbox", producer.service))).columns(
            ["org_id", "stream", "sequence", "event_id", "topic", "envelope", "committed_at", "seal"]
                .map(Alias::new),
        );
        for row in some {
            insert.values_panic(row.clone());
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Counts the events in; returns the first number of each stream.
async fn first_numbers(
    tx: &DatabaseTransaction,
    producer: Producer,
    events: &[Event],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events {
        *counts.entry(event.stream()).or_default() += 1;
    }
    let (head, sequence) =
        (Alias::new(format!("{}_outbox_head", producer.service)), || Alias::new("sequence"));
    let mut counted = Query::insert();
    counted.into_table(head.clone()).columns(["org_id", "stream", "sequence"].map(Alias::new));
    for (stream, count) in &counts {
        counted.values_panic([
            Expr::value(producer.org.to_string()),
            Expr::value(*stream),
            Expr::value(*count),
        ]);
    }
    let further = Expr::col((head, sequence())).add(Expr::col((Alias::new("excluded"), sequence())));
    counted
        .on_conflict(
            OnConflict::columns(["org_id", "stream"].map(Alias::new)).value(sequence(), further).to_owned(),
        )
        .returning(Query::returning().columns(["stream", "sequence"].map(Alias::new)));
    let mut first = BTreeMap::new();
    for row in tx.query_all(&counted).await? {
        let (stream, last): (String, i64) = (row.try_get("", "stream")?, row.try_get("", "sequence")?);
        let count = counts.get(stream.as_str()).copied().unwrap_or_default();
        first.insert(stream, last - count + 1);
    }
    Ok(first)
}

/// The row of an event, under the next of `numbers`, sealed.
fn row(
    producer: Producer,
    event: Event,
    numbers: &mut BTreeMap<String, i64>,
    seals: &OutboxSeals,
) -> [Expr; 8] {
    let (org, stream) = (producer.org.to_string(), event.stream());
    let next = numbers.entry(stream.to_owned()).or_insert(1);
    let sequence = *next;
    *next += 1;
    let (event_id, topic) = (event.id.to_string(), topic_of(event.event_type));
    let envelope = Envelope {
        id: event_id.clone(),
        org_id: org.clone(),
        r#type: event.event_type.to_owned(),
        producer: producer.service.to_owned(),
        sequence,
        occurred_at: producer.now.micros(),
        traceparent: event.traceparent,
        payload: event.payload,
    }
    .encode_to_vec();
    let seal = seals.seal(&Row {
        service: producer.service,
        org: &org,
        stream,
        sequence,
        event_id: &event_id,
        topic,
        envelope: &envelope,
    });
    [
        Expr::value(org),
        Expr::value(stream),
        Expr::value(sequence),
        Expr::value(event_id),
        Expr::value(topic),
        Expr::value(envelope),
        Expr::value(producer.now.micros()),
        Expr::value(seal),
    ]
}

/// The topic of an event type: its domain, which is the word before the dot.
fn topic_of(event_type: &str) -> &str {
    event_type.split_once('.').map_or(event_type, |(domain, _)| domain)
}

/// An event that is committed and not yet on the bus.
#[derive(Debug, Clone)]
pub struct Unsent {
    /// Which of the service's sequences it belongs to.
    pub stream: String,
    /// Its number within (org, service, stream).
    pub sequence: i64,
    /// The topic it goes to.
    pub topic: String,
    /// The encoded envelope, exactly as it was committed.
    pub envelope: Vec<u8>,
}

/// A row that waits, as it is stored.
#[derive(Debug, FromQueryResult)]
struct Stored {
    sequence: i64,
    event_id: String,
    topic: String,
    envelope: Vec<u8>,
    seal: String,
}

impl Stored {
    /// What it has to be sealed as.
    fn row<'a>(&'a self, service: &'a str, org: &'a str, stream: &'a str) -> Row<'a> {
        let Self { sequence, event_id, topic, envelope, seal: _ } = self;
        Row { service, org, stream, sequence: *sequence, event_id, topic, envelope }
    }
}

/// The oldest rows of a stream that wait; all of them without a limit.
async fn waiting(
    db: &impl ConnectionTrait,
    service: &str,
    org: OrgId,
    stream: &str,
    limit: Option<u64>,
) -> Result<Vec<Stored>, StoreError> {
    let mut query = Query::select();
    query
        .columns(["sequence", "event_id", "topic", "envelope", "seal"].map(Alias::new))
        .from(Alias::new(format!("{service}_outbox")))
        .and_where(org_is(&org.to_string()))
        .and_where(Expr::col(Alias::new("stream")).eq(stream))
        .and_where(Expr::col(Alias::new("sent")).eq(false))
        .order_by(Alias::new("sequence"), Order::Asc);
    if let Some(limit) = limit {
        query.limit(limit);
    }
    Ok(Stored::find_by_statement(db.get_database_backend().build(&query)).all(db).await?)
}

/// The oldest unsent events: at most `limit` of each stream, and none from the first one on that is not as it was committed.
pub(crate) async fn unsent(
    db: &impl ConnectionTrait,
    service: &str,
    org: OrgId,
    limit: u64,
    seals: &OutboxSeals,
) -> Result<Vec<Unsent>, StoreError> {
    let (mut found, key) = (Vec::new(), org.to_string());
    for stream in [AUDIT, EVENTS] {
        let rows = waiting(db, service, org, stream, Some(limit)).await?;
        let changed =
            rows.iter().find(|stored| !seals.holds(&stored.row(service, &key, stream), &stored.seal));
        let changed = changed.map(|stored| stored.sequence);
        seals.note(service, org, stream, changed);
        let whole = rows.into_iter().take_while(|stored| Some(stored.sequence) != changed);
        found.extend(whole.map(|Stored { sequence, topic, envelope, .. }| Unsent {
            stream: stream.to_owned(),
            sequence,
            topic,
            envelope,
        }));
    }
    Ok(found)
}

/// Seals the unsent events that have no seal, as they are; returns how many.
pub(crate) async fn seal_earlier(
    db: &impl ConnectionTrait,
    service: &str,
    org: OrgId,
    seals: &OutboxSeals,
) -> Result<u64, StoreError> {
    let (mut sealed, key) = (0, org.to_string());
    for stream in [AUDIT, EVENTS] {
        let bare = waiting(db, service, org, stream, None).await?.into_iter();
        for stored in bare.filter(|stored| stored.seal.is_empty()) {
            let update = Query::update()
                .table(Alias::new(format!("{service}_outbox")))
                .value(Alias::new("seal"), seals.seal(&stored.row(service, &key, stream)))
                .and_where(org_is(&key))
                .and_where(Expr::col(Alias::new("stream")).eq(stream))
                .and_where(Expr::col(Alias::new("sequence")).eq(stored.sequence))
                .to_owned();
            sealed += db.execute(&update).await?.rows_affected();
        }
    }
    Ok(sealed)
}

/// The orgs that have unsent events.
pub(crate) async fn unsent_orgs(db: &impl ConnectionTrait, service: &str) -> Result<Vec<OrgId>, StoreError> {
    let query = Query::select()
        .distinct()
        .column(Alias::new("org_id"))
        .from(Alias::new(format!("{service}_outbox")))
        .and_where(Expr::col(Alias::new("sent")).eq(false))
        .to_owned();
    let rows = db.query_all(&query).await?;
    Ok(rows.iter().filter_map(|row| row.try_get::<String>("", "org_id").ok()?.parse().ok()).collect())
}

/// Marks `sent`, which begins with the oldest unsent event of each of its streams.
pub(crate) async fn mark_sent(
    db: &impl ConnectionTrait,
    service: &str,
    org: OrgId,
    sent: &[Unsent],
) -> Result<(), StoreError> {
    for stream in sent.chunk_by(|a, b| a.stream == b.stream) {
        let Some(last) = stream.last() else { continue };
        let update = Query::update()
            .table(Alias::new(format!("{service}_outbox")))
            .value(Alias::new("sent"), true)
            .and_where(org_is(&org.to_string()))
            .and_where(Expr::col(Alias::new("stream")).eq(last.stream.as_str()))
            .and_where(Expr::col(Alias::new("sent")).eq(false))
            .and_where(Expr::col(Alias::new("sequence")).lte(last.sequence))
            .to_owned();
        db.execute(&update).await?;
    }
    Ok(())
}

/// Notes that `event` was taken in. `false` when it was before.
pub(crate) async fn first_sight(
    tx: &DatabaseTransaction,
    service: &str,
    org: OrgId,
    event: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let insert = Query::insert()
        .into_table(Alias::new(format!("{service}_inbox")))
        .columns(["org_id", "event_id", "received_at"].map(Alias::new))
        .values_panic([Expr::value(org.to_string()), Expr::value(event), Expr::value(now.micros())])
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .to_owned();
    Ok(tx.execute(&insert).await?.rows_affected() == 1)
}
