//! Many tenants on few connections, interrupted wherever they wait: no one meets anyone.

use std::sync::Arc;
use std::time::Duration;

use preceptor_core::Scope;
use preceptor_store::{Handle, StoreError};
use preceptor_testkit::Dice;
use preceptor_testkit::postgres::server;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};

use crate::support::{Engine, a_book, book, someone};

const TENANTS: usize = 64;
const ROUNDS: usize = 40;
/// Connections for reading, and as many for writing.
const CONNECTIONS: u32 = 2;
/// One operation in so many is interrupted.
const INTERRUPTED: usize = 4;

/// Writes a row and reads all: those of the tenant and of no one else.
async fn operation(library: Handle, scope: Arc<Scope>, id: String, writes: bool) -> Result<bool, StoreError> {
    if writes {
        let mut tx = library.write(&scope).await?;
        tx.insert(a_book(&tx.org_key(), &id)).await?;
        tx.audit(preceptor_store::AuditEntry::done("book.added", &id))?;
        let rows = tx.all(tx.find::<book::Entity>()).await?;
        assert!(rows.iter().all(|row| row.org_id == tx.org_key()), "a crossing");
        tx.commit().await?;
        return Ok(true);
    }
    let tx = library.read(&scope).await?;
    let rows = tx.all(tx.find::<book::Entity>()).await?;
    assert!(rows.iter().all(|row| row.org_id == tx.org_key()), "a crossing");
    Ok(false)
}

/// What became of a tenant's operations.
struct Life {
    scope: Arc<Scope>,
    /// Writes that were acknowledged.
    written: usize,
    interrupted: usize,
}

async fn tenant(library: Handle, scope: Arc<Scope>, seed: u64) -> Life {
    let mut dice = Dice::new(seed);
    let (mut written, mut interrupted) = (0, 0);
    for round in 0..ROUNDS {
        let work = operation(library.clone(), Arc::clone(&scope), format!("{round:03}"), dice.roll(2) == 0);
        if dice.roll(INTERRUPTED) == 0 {
            // Dropped after a random time: at whatever it waits for then.
            match tokio::time::timeout(Duration::from_micros(dice.roll(3000) as u64), work).await {
                Ok(done) => written += usize::from(done.expect("an operation")),
                Err(_) => interrupted += 1,
            }
        } else {
            written += usize::from(work.await.expect("an operation"));
        }
    }
    Life { scope, written, interrupted }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tenants_on_two_connections_never_meet() {
    let Some(server) = server("sixty_four_tenants_on_two_connections_never_meet") else { return };
    let engine = Engine::postgres(Arc::clone(&server), CONNECTIONS).await;
    let mut tenants = tokio::task::JoinSet::new();
    for seed in 0..TENANTS {
        tenants.spawn(tenant(engine.library.clone(), someone(), seed as u64));
    }
    let lives = tenants.join_all().await;
    let (written, interrupted) =
        lives.iter().fold((0, 0), |sum, life| (sum.0 + life.written, sum.1 + life.interrupted));
    assert!(
        written > TENANTS * ROUNDS / 4 && interrupted > TENANTS,
        "{written} writes, {interrupted} interruptions"
    );

    // Every acknowledged row is there, with its record and no gap in the numbers, and nothing was left open.
    let mut found = 0;
    for Life { scope, written: acknowledged, .. } in &lives {
        let tx = engine.library.read(scope).await.expect("a read");
        let rows = tx.all(tx.find::<book::Entity>()).await.expect("rows").len();
        drop(tx);
        // A commit that was interrupted may have happened.
        assert!(rows >= *acknowledged, "{rows} rows, {acknowledged} acknowledged");
        let unsent = engine.library.unsent(scope.org(), 1000).await.expect("unsent");
        assert_eq!(
            unsent.iter().map(|event| event.sequence).collect::<Vec<_>>(),
            (1..=rows as i64).collect::<Vec<_>>()
        );
        found += rows;
    }
    assert!(found >= written);
    nothing_is_left_open(
        &server.admin_url("postgres"),
        engine.postgres_config().cell.rsplit('/').next().expect("a name"),
    )
    .await;
    println!(
        "{TENANTS} tenants, {CONNECTIONS} connections: {written} writes, {interrupted} interruptions, 0 crossings"
    );
}

/// No connection of the cell is inside a transaction.
async fn nothing_is_left_open(admin: &str, cell: &str) {
    let db = Database::connect(admin).await.expect("the server");
    let sql = "SELECT count(*) AS open FROM pg_stat_activity WHERE datname = $1 AND state LIKE 'idle in transaction%'";
    for _ in 0..100 {
        let row = db
            .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [cell.into()]))
            .await
            .expect("a row");
        let open: i64 = row.expect("a row").try_get("", "open").expect("a number");
        if open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a transaction was left open");
}
