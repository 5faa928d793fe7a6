//! The tables of one org on either engine, within a transaction that is never committed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use preceptor_testkit::postgres::Server;
use rusqlite::Connection;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};

use super::invariants;
use super::tables::{Column, Holds, Table};
use super::throw::THROW;

/// A transaction is bound to its connection, which the pool therefore may not replace however long it takes.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

/// A row: its values as literals, in the order of its table's columns.
pub(super) type Row = Vec<String>;

/// Where the tables of an org are, for as long as it takes.
pub(super) enum Home {
    File(PathBuf),
    Server { server: Arc<Server>, database: String },
}

/// One connection, by which everything is thrown.
pub(super) enum Engine {
    /// A copy of the org's file.
    File { db: Connection, query: String },
    /// The database as its administrator, who becomes the role of credits for every statement of the attack.
    Server { db: DatabaseConnection, org: String, query: String },
}

impl Home {
    pub(super) async fn open(&self, org: &str) -> Engine {
        let (server, database) = match self {
            Self::File(path) => return Engine::file(path),
            Self::Server { server, database } => (server, database),
        };
        let mut options = ConnectOptions::new(server.admin_url(database));
        options.max_connections(1).max_lifetime(FOREVER).idle_timeout(FOREVER).sqlx_logging(false);
        let db = Database::connect(options).await.expect("the tables open");
        Engine::Server { db, org: org.to_owned(), query: invariants::query(DbBackend::Postgres) }
    }
}

impl Engine {
    /// Opened as the product opens it, but for what only makes it survive a power cut.
    pub(super) fn file(path: &Path) -> Self {
        let db = Connection::open(path).expect("the tables open");
        db.execute_batch(
            "PRAGMA foreign_keys = on; PRAGMA recursive_triggers = on; PRAGMA locking_mode = exclusive; PRAGMA journal_mode = memory; \
             PRAGMA synchronous = off; PRAGMA temp_store = memory",
        )
        .expect("settings");
        Self::File { db, query: invariants::query(DbBackend::Sqlite) }
    }

    /// Whether it knows rows in the place of others.
    pub(super) fn replaces(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    pub(super) async fn run(&self, sql: &str) {
        match self {
            Self::File { db, .. } => db.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}")),
            Self::Server { db, .. } => {
                db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
        }
    }

    /// Opens the transaction in which everything happens.
    pub(super) async fn start(&self) {
        self.run("BEGIN").await;
        if let Self::Server { .. } = self {
            self.run(THROW).await;
        }
    }

    /// Begins anew without what was undone: a server keeps it until it is vacuumed, and looking becomes slower and slower.
    pub(super) async fn refresh(&self, tables: &[Table]) {
        if let Self::Server { .. } = self {
            self.run("ROLLBACK").await;
            let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
            self.run(&format!("VACUUM {}", names.join(", "))).await;
            self.start().await;
        }
    }

    /// Begins a sequence as the credits service.
    pub(super) async fn begin(&self) {
        match self {
            Self::File { .. } => self.run("SAVEPOINT sequence").await,
            Self::Server { org, .. } => {
                let tenant = format!("SELECT set_config('app.org', '{org}', true)");
                self.run(&format!("SAVEPOINT sequence; SET LOCAL ROLE preceptor_credits; {tenant}")).await;
            }
        }
    }

    /// Undoes everything since.
    pub(super) async fn undo(&self) {
        // Rolling back gives the administrator's rights back too.
        self.run("ROLLBACK TO sequence; RELEASE sequence").await;
    }

    /// The first thing that does not hold.
    pub(super) async fn broken(&self) -> Option<String> {
        match self {
            Self::File { query, .. } => self.texts(query, 1).await,
            Self::Server { query, .. } => {
                self.run("SAVEPOINT looking; RESET ROLE").await;
                let found = self.texts(query, 1).await;
                self.run("ROLLBACK TO looking; RELEASE looking").await;
                found
            }
        }
        .into_iter()
        .next()
        .map(|row| row[0].clone())
    }

    /// The rows of a query that gives texts.
    pub(super) async fn texts(&self, sql: &str, columns: usize) -> Vec<Row> {
        match self {
            Self::File { db, .. } => {
                let mut statement = db.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
                let rows = statement
                    .query_map([], |row| (0..columns).map(|at| row.get(at)).collect::<Result<Row, _>>())
                    .expect("rows");
                rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}: {sql}"))
            }
            Self::Server { db, .. } => {
                let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
                let rows = rows.unwrap_or_else(|error| panic!("{error}: {sql}"));
                rows.iter()
                    .map(|row| (0..columns).map(|at| row.try_get_by_index(at).expect("a text")).collect())
                    .collect()
            }
        }
    }

    /// The rows of a table.
    pub(super) async fn rows(&self, name: &str, columns: &[Column]) -> Vec<Row> {
        let literals: Vec<String> = columns.iter().map(|column| self.literal(column)).collect();
        self.texts(&format!("SELECT {} FROM {name}", literals.join(", ")), columns.len()).await
    }

    fn literal(&self, column: &Column) -> String {
        let name = &column.name;
        match (self, column.holds) {
            (_, Holds::Truth) => {
                format!("CASE WHEN {name} IS NULL THEN 'NULL' WHEN {name} THEN 'true' ELSE 'false' END")
            }
            (Self::Server { .. }, Holds::Number) => format!("coalesce({name}::text, 'NULL')"),
            (Self::Server { .. }, Holds::Text | Holds::Bytes) => format!("quote_nullable({name}::text)"),
            (Self::File { .. }, _) => format!("quote({name})"),
        }
    }
}

/// The tables of a file without some indexes and triggers, and without a line of a table, which has another line in its
/// place or none.
pub(super) fn file_without(
    path: &Path,
    others: &[String],
    line: Option<(&str, &str, Option<&str>)>,
    into: &Path,
) {
    let _ = std::fs::remove_file(into);
    let db = Connection::open(into).expect("a file");
    let run = |sql: &str| db.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    run(&format!(
        "PRAGMA foreign_keys = off; PRAGMA synchronous = off; ATTACH '{}' AS old; BEGIN",
        path.display()
    ));
    let all = |kind: &str| -> Vec<(String, String)> {
        let sql = format!(
            "SELECT name, sql FROM old.sqlite_master WHERE (type = 'table') = {kind} AND sql IS NOT NULL"
        );
        let mut statement = db.prepare(&sql).expect("a schema");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    };
    for (table, sql) in all("true") {
        let own = line.filter(|(of, ..)| *of == table);
        run(&own.map_or_else(|| sql.clone(), |(_, line, instead)| without_line(&sql, line, instead)));
        run(&format!("INSERT INTO main.{table} SELECT * FROM old.{table}"));
    }
    let (taken, kept): (Vec<_>, Vec<_>) =
        all("false").into_iter().partition(|(name, _)| others.contains(name));
    assert_eq!(taken.len(), others.len(), "{others:?} are there");
    for (_, sql) in kept {
        run(&sql);
    }
    run("COMMIT");
}

fn without_line(sql: &str, line: &str, instead: Option<&str>) -> String {
    let body: Vec<&str> =
        lines(sql).filter(|own| !own.is_empty() && !own.starts_with("--") && *own != ")").collect();
    assert!(body.contains(&line), "{line} is in {sql}");
    let kept: Vec<&str> =
        body.into_iter().filter_map(|own| if own == line { instead } else { Some(own) }).collect();
    format!("{}\n{})", sql.lines().next().expect("a table"), kept.join(",\n"))
}

/// What stands between the brackets of a table, a column or constraint at a time: columns that were added later stand in
/// the line of the one before them.
fn lines(sql: &str) -> impl Iterator<Item = &str> {
    let body = sql.lines().skip(1).map(|own| own.trim().trim_end_matches(','));
    body.flat_map(|own| {
        let parts: Vec<&str> =
            if own.starts_with("CONSTRAINT ") { vec![own] } else { own.split(", ").collect() };
        parts
    })
}
