//! The statements of a claim, with nothing around them.

use std::sync::Arc;

use preceptor_core::id::{CreditId, EventId, OrgId};
use preceptor_testkit::{Local, Store};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _, Value,
};

use super::learners::Learner;

/// As large as the records that the mesh writes.
const ENVELOPE: usize = 700;

/// Connections with the rights of the services.
pub(super) struct Bare {
    org: String,
    offer: String,
    reading: DatabaseConnection,
    /// Of `credentials`, which knows the clinicians.
    credentials: DatabaseConnection,
    writing: DatabaseConnection,
}

/// What a claim rests on.
pub(super) struct Facts {
    attempt: String,
    learner: String,
    values: Vec<Value>,
}

/// Where the first facts of an award come from: an attempt's result and an offer.
const COPIED: &str = "r.learner, r.program_id, o.credit_type, o.id, o.policy_id, o.designated_quarters, o.opens_at, o.terminates_at, \
    o.evaluation_required, o.minimum_level, o.accreditation_from, o.accreditation_until, r.attempt_id, r.form_id, r.content_verified_at, \
    r.started_at, r.completed_at, r.passed";
/// What an award calls them, and the facts of a credential behind them.
const COLUMNS: &str = "learner, program_id, credit_type, offer_id, policy_id, designated_quarters, opens_at, terminates_at, \
    evaluation_required, minimum_level, accreditation_from, accreditation_until, attempt_id, form_id, content_verified_at, \
    started_at, quiz_completed_at, passed, assertion_id, profession, level, valid_from, valid_until";

fn connection(url: String, connections: usize, reads: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections as u32)
        .sqlx_logging(false)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| {
            use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            let options = options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true);
            options.pragma("recursive_triggers", "on").pragma("query_only", if reads { "on" } else { "off" })
        });
    options
}

impl Bare {
    pub(super) async fn open(
        store: &Store,
        local: &Local,
        org: OrgId,
        offer: &str,
        at_once: usize,
    ) -> anyhow::Result<Self> {
        let connect =
            async |of: &str, connections: usize, reads: bool| -> anyhow::Result<DatabaseConnection> {
                let url = match (store, &local.config.database.cell) {
                    (Store::Postgres(server), Some(cell)) => {
                        let password =
                            std::fs::read_to_string(server.secrets().join(format!("{of}.password")))?;
                        cell.replace("postgres://", &format!("postgres://preceptor_{of}:{password}@"))
                    }
                    _ => format!("sqlite://{}", local.data().join(format!("cells/{org}.db")).display()),
                };
                Ok(Database::connect(connection(url, connections, reads)).await?)
            };
        let writers = if matches!(store, Store::Files) { 1 } else { at_once };
        Ok(Self {
            org: org.to_string(),
            offer: offer.to_owned(),
            reading: connect("credits", at_once, true).await?,
            credentials: connect("credentials", at_once, true).await?,
            writing: connect("credits", writers, false).await?,
        })
    }

    pub(super) async fn close(&self) -> anyhow::Result<()> {
        for connection in [&self.reading, &self.credentials, &self.writing] {
            connection.close_by_ref().await?;
        }
        Ok(())
    }

    fn is_server(&self) -> bool {
        self.writing.get_database_backend() == DbBackend::Postgres
    }

    /// A statement in the words of the engine: `?` is a value.
    fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        let mut numbered = String::with_capacity(sql.len());
        let mut number = 0;
        for c in sql.chars() {
            if c == '?' && self.is_server() {
                number += 1;
                numbered.push('$');
                numbered.push_str(&number.to_string());
            } else {
                numbered.push(c);
            }
        }
        Statement::from_sql_and_values(self.writing.get_database_backend(), numbered, values)
    }

    /// What the claims of these learners rest on, read before anything is measured.
    pub(super) async fn facts(&self, learners: &[Learner]) -> anyhow::Result<Vec<Facts>> {
        let mut facts = Vec::new();
        for learner in learners {
            facts.push(self.facts_of(&learner.attempt).await?);
        }
        Ok(facts)
    }

    async fn facts_of(&self, attempt: &str) -> anyhow::Result<Facts> {
        // Two services know them, and no role of a server sees both.
        let tx = self.begin(&self.reading, false).await?;
        let sql = format!(
            "SELECT {COPIED} FROM credits_result r JOIN credits_offer o ON o.org_id = r.org_id WHERE r.org_id = ? AND r.attempt_id = ? AND o.id = ?"
        );
        let row = tx
            .query_one_raw(
                self.statement(
                    &sql,
                    vec![self.org.clone().into(), attempt.into(), self.offer.clone().into()],
                ),
            )
            .await?;
        let row = row.ok_or_else(super::missing("result"))?;
        let learner: String = row.try_get_by_index(0)?;
        tx.rollback().await?;
        let tx = self.begin(&self.credentials, false).await?;
        let sql = "SELECT id, profession, level, valid_from, valid_until FROM credentials_assertion WHERE org_id = ? AND learner = ?";
        let known = tx
            .query_one_raw(self.statement(sql, vec![self.org.clone().into(), learner.clone().into()]))
            .await?;
        let known = known.ok_or_else(super::missing("credential"))?;
        tx.rollback().await?;
        let mut values = first_values(&row)?;
        values.extend([
            Value::from(known.try_get_by_index::<String>(0)?),
            Value::from(known.try_get_by_index::<String>(1)?),
        ]);
        for at in 2..5 {
            values.push(Value::from(known.try_get_by_index::<i64>(at)?));
        }
        Ok(Facts { attempt: attempt.to_owned(), learner, values })
    }

    /// A transaction in the shape that the store gives it.
    async fn begin(
        &self,
        connection: &DatabaseConnection,
        writes: bool,
    ) -> anyhow::Result<DatabaseTransaction> {
        if !self.is_server() {
            let mode =
                if writes { SqliteTransactionMode::Immediate } else { SqliteTransactionMode::Deferred };
            let options =
                TransactionOptions { sqlite_transaction_mode: Some(mode), ..TransactionOptions::default() };
            return Ok(connection.begin_with_options(options).await?);
        }
        let tx = connection.begin().await?;
        let turn = if writes { ", pg_advisory_xact_lock(hashtextextended(?, 0)) IS NULL" } else { "" };
        let sql = format!(
            "SELECT coalesce(current_setting('app.org', true), ''), set_config('app.org', ?, true){turn}"
        );
        let mut values = vec![Value::from(self.org.clone())];
        values.extend(writes.then(|| Value::from(format!("credits/{}", self.org))));
        tx.query_one_raw(self.statement(&sql, values)).await?;
        Ok(tx)
    }

    /// Reads within a transaction on a server, and without one on a file, as the store does.
    async fn read(&self, connection: &DatabaseConnection, statements: Vec<Statement>) -> anyhow::Result<()> {
        if self.is_server() {
            let tx = self.begin(connection, false).await?;
            for statement in statements {
                tx.query_all_raw(statement).await?;
            }
            return Ok(tx.rollback().await?);
        }
        for statement in statements {
            connection.query_all_raw(statement).await?;
        }
        Ok(())
    }

    fn of_org(&self, table: &str, column: &str, value: &str) -> Statement {
        self.statement(
            &format!("SELECT * FROM {table} WHERE org_id = ? AND {column} = ?"),
            vec![self.org.clone().into(), value.into()],
        )
    }

    /// Everything that a claim sends to the database, in order.
    pub(super) async fn issue(self: Arc<Self>, facts: Facts) -> anyhow::Result<()> {
        let Facts { attempt, learner, values } = facts;
        let newest = {
            let sql = "SELECT * FROM credits_ledger WHERE org_id = ? AND learner = ? AND program_id = ? AND credit_type = ? ORDER BY entry DESC LIMIT 1";
            self.statement(
                sql,
                vec![self.org.clone().into(), learner.clone().into(), values[1].clone(), values[2].clone()],
            )
        };
        let evaluation =
            "SELECT * FROM credits_evaluation WHERE org_id = ? AND program_id = ? AND learner = ?";
        let first = vec![
            self.of_org("credits_attempt", "id", &attempt),
            self.of_org("credits_offer", "id", &self.offer),
            newest,
            self.of_org("credits_result", "attempt_id", &attempt),
            self.of_org("credits_recognition", "offer_id", &self.offer),
            self.statement(
                evaluation,
                vec![self.org.clone().into(), values[1].clone(), learner.clone().into()],
            ),
        ];
        self.read(&self.reading, first).await?;
        let known = ["credentials_clinician", "credentials_assertion", "credentials_check"];
        self.read(&self.credentials, known.map(|table| self.of_org(table, "learner", &learner)).to_vec())
            .await?;

        let tx = self.begin(&self.writing, true).await?;
        let id = CreditId::generate().to_string();
        let entry = "INSERT INTO credits_ledger (org_id, learner, program_id, credit_type, entry, kind, award_id, actor, reason, entered_at) \
            VALUES (?, ?, ?, ?, 1, 'award', ?, ?, '', 1)";
        let own = vec![
            self.org.clone().into(),
            learner.clone().into(),
            values[1].clone(),
            values[2].clone(),
            id.clone().into(),
            learner.clone().into(),
        ];
        tx.execute_raw(self.statement(entry, own)).await?;
        let places = vec!["?"; values.len()].join(", ");
        let award = format!(
            "INSERT INTO credits_award (org_id, id, entry, entry_kind, recognition, quarters, issued_at, {COLUMNS}) VALUES (?, ?, 1, 'award', 'credit', 2, ?, {places})"
        );
        let mut row = vec![Value::from(self.org.clone()), id.into(), values[16].clone()];
        row.extend(values);
        tx.execute_raw(self.statement(&award, row)).await?;
        let suspended = self
            .statement("SELECT * FROM credits_suspension WHERE org_id = ?", vec![self.org.clone().into()]);
        tx.query_all_raw(suspended).await?;
        // The job that makes the certificates of an org: it is there already for most claims of a burst.
        tx.query_all_raw(self.of_org("credits_print_job", "subject", "due")).await?;
        self.record(&tx).await?;
        Ok(tx.commit().await?)
    }

    /// Two events under the next numbers of their streams.
    async fn record(&self, tx: &DatabaseTransaction) -> anyhow::Result<()> {
        let org = || Value::from(self.org.clone());
        let head = "INSERT INTO credits_outbox_head (org_id, stream, sequence) VALUES (?, ?, 1), (?, ?, 1) ON CONFLICT (org_id, stream) \
            DO UPDATE SET sequence = credits_outbox_head.sequence + excluded.sequence RETURNING stream, sequence";
        let rows = tx
            .query_all_raw(
                self.statement(head, vec![org(), "bare audit".into(), org(), "bare events".into()]),
            )
            .await?;
        let event = "INSERT INTO credits_outbox (org_id, stream, sequence, event_id, topic, envelope, committed_at, sent) \
            VALUES (?, ?, ?, ?, 'bare', ?, 1, TRUE), (?, ?, ?, ?, 'bare', ?, 1, TRUE)";
        let mut values = Vec::new();
        for row in rows {
            let (stream, sequence): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let id = EventId::generate().to_string();
            values.extend([org(), stream.into(), sequence.into(), id.into(), vec![0_u8; ENVELOPE].into()]);
        }
        tx.execute_raw(self.statement(event, values)).await?;
        Ok(())
    }
}

/// The values that come from the result and the offer.
fn first_values(row: &QueryResult) -> anyhow::Result<Vec<Value>> {
    const TEXTS: [usize; 7] = [0, 1, 2, 3, 4, 12, 13];
    const TRUTHS: [usize; 2] = [8, 17];
    let value = |at: usize| -> anyhow::Result<Value> {
        Ok(match at {
            at if TEXTS.contains(&at) => row.try_get_by_index::<String>(at)?.into(),
            at if TRUTHS.contains(&at) => row.try_get_by_index::<bool>(at)?.into(),
            at => row.try_get_by_index::<i64>(at)?.into(),
        })
    };
    (0..18).map(value).collect()
}
